"""Text as numbers: a vocabulary of characters or of words, and sequences padded to one length."""

from __future__ import annotations

import collections
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from nn.checked import whole

Integers = npt.NDArray[np.int64]
PADDING, UNKNOWN = "<padding>", "<unknown>"


class Vocabulary:
    """The characters or words of some texts, each with a number; 0 is padding, and 1 is for unknown ones.

    Parameters
    ----------
    texts : one text or several
    unit : "characters"; or "words", which are runs of letters and digits in lower case, and single signs
    least : the least number of times that a unit occurs in the texts
    most : the largest number of units, without the first two; the most frequent ones are kept

    `units` lists them by number, frequent ones first, equally frequent ones in alphabetical order; an Embedding needs
    `len(vocabulary)` rows: nn.Embedding(len(vocabulary), 16, padding_idx=0).

    >>> vocabulary = nn.data.Vocabulary(["to be or not to be"], "words")
    >>> vocabulary.encode("to be!").tolist()
    [3, 2, 1]
    """

    def __init__(
        self, texts: str | Iterable[str], unit: str = "characters", *, least: int = 1, most: int | None = None
    ) -> None:
        if unit not in JOINTS:
            raise ValueError(f"Vocabulary: unit is 'characters' or 'words'; received {unit!r:.80}.")
        self.unit = unit
        counts = collections.Counter(part for text in _listed(texts) for part in self.split(text))
        least = whole(least, "Vocabulary: least")
        frequent = sorted((part for part, n in counts.items() if n >= least), key=lambda part: (-counts[part], part))
        self.units = [PADDING, UNKNOWN, *frequent[: None if most is None else whole(most, "Vocabulary: most")]]
        self._numbers = {part: k for k, part in enumerate(self.units)}

    def __len__(self) -> int:
        return len(self.units)

    def split(self, text: str) -> list[str]:
        """The characters or words of a text. Raises TypeError if it is no str."""
        if not isinstance(text, str):
            raise TypeError(f"a text is a str; received {text!r:.80}. Write path.read_text(encoding='utf-8').")
        return list(text) if self.unit == "characters" else re.findall(r"\w+|[^\w\s]", text.lower())

    def encode(self, text: str) -> Integers:
        """The numbers of a text's units, of shape (units,)."""
        return np.array([self._numbers.get(part, 1) for part in self.split(text)], np.int64)

    def decode(self, numbers: npt.ArrayLike) -> str:
        """The text of some numbers, without padding, with spaces between words. ValueError for unknown numbers."""
        found = np.asarray(numbers)
        if found.dtype.kind not in "iu" or found.ndim != 1 or ((found < 0) | (found >= len(self))).any():
            raise ValueError(
                f"decode takes ints from 0 to {len(self) - 1}, of shape (units,); received shape {found.shape}, dtype "
                f"{found.dtype}. Write vocabulary.decode(outputs.argmax(axis=-1))."
            )
        return JOINTS[self.unit].join(self.units[k] for k in found if k)

    def padded(self, texts: Iterable[str], length: int | None = None) -> tuple[Integers, Integers]:
        """The numbers of several texts, of shape (texts, length), padded with 0; and the lengths, for nn.GRU.

        `length` is by default that of the longest text; longer texts are cut off.
        """
        rows = [self.encode(text)[:length] for text in _listed(texts)]
        lengths = np.array([len(row) for row in rows], np.int64)
        longest = int(lengths.max(initial=0)) if length is None else whole(length, "padded: length")
        found = np.zeros((len(rows), longest), np.int64)
        for row, numbers in zip(found, rows, strict=True):
            row[: len(numbers)] = numbers
        return found, lengths

    def __repr__(self) -> str:
        return f"Vocabulary({len(self) - 2} {self.unit})"


JOINTS = {"characters": "", "words": " "}


def _listed(texts: Any) -> list[str]:
    return [texts] if isinstance(texts, str) else list(texts)
