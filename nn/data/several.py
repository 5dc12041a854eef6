"""Several arrays with one row per sample, used as one: the data of models with several inputs or outputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Several:
    """Arrays of equal first axes, by name (a dict) or by place (a tuple), with the operations of one array of samples.

    `parts` is that dict or tuple; `shape` is (samples, elements per sample in all arrays).
    """

    ndim = 2

    def __init__(self, parts: dict[str, Array] | tuple[Array, ...]) -> None:
        self.parts = parts

    @property
    def arrays(self) -> list[Array]:
        """The arrays, in their order."""
        return list(self.parts.values() if isinstance(self.parts, dict) else self.parts)

    @property
    def shape(self) -> tuple[int, int]:
        """The number of samples, and the number of elements of each."""
        return len(self), sum(math.prod(a.shape[1:]) for a in self.arrays)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype that can hold all arrays."""
        return np.result_type(*self.arrays)

    def mapped(self, function: Callable[..., Any], *others: Any) -> Several:
        """A function applied to each array, together with the same parts of other nests."""
        if isinstance(self.parts, dict):
            return Several({k: function(a, *(other[k] for other in others)) for k, a in self.parts.items()})
        return Several(tuple(function(*group) for group in zip(self.parts, *others, strict=True)))

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, index: Any) -> Several:
        return self.mapped(lambda a: a[index])

    def copy(self) -> Several:
        """The same with copies of all arrays."""
        return self.mapped(np.array)


def several(values: Any, one: Callable[[Any, str], Array]) -> Several | None:
    """The Several of a dict or a tuple of arrays, each converted by `one`; None for anything else.

    Raises ValueError for arrays of different lengths.
    """
    if isinstance(values, Several):
        return values
    if not isinstance(values, Mapping | tuple) or not values or not (isinstance(values, Mapping) or _arrays(values)):
        return None
    named: Any = values if isinstance(values, Mapping) else dict(enumerate(values))
    parts: dict[str, Array] = {name: one(value, repr(name)) for name, value in named.items()}
    if len({len(a) for a in parts.values()}) > 1:
        shapes = ", ".join(f"{name}: {a.shape}" for name, a in parts.items())
        raise ValueError(f"several arrays have one row per sample, the same number in each; received {shapes}.")
    return Several(parts if isinstance(values, Mapping) else tuple(parts.values()))


def _arrays(values: Any) -> bool:
    """Whether values are a tuple of arrays; a list of arrays is one array of rows."""
    return all(getattr(v, "shape", ()) for v in values)


def called(model: Callable[..., Any], inputs: Any) -> Any:
    """A model's result: several inputs are passed as model(a, b) or, with names, as model(a=..., b=...)."""
    if not isinstance(inputs, Several):
        return model(inputs)
    return model(**inputs.parts) if isinstance(inputs.parts, dict) else model(*inputs.parts)


def plain(values: Any) -> Any:
    """The form that losses and metrics receive: the dict or tuple of several arrays, else the array."""
    return values.parts if isinstance(values, Several) else values


def cut(values: Any, index: Any) -> Any:
    """Some of the rows; views of files become plain arrays."""
    return values[index] if isinstance(values, Several) else np.asarray(values[index])


def joined(batches: Sequence[Any]) -> Any:
    """The outputs of several batches joined: arrays, or dicts, tuples and lists of them."""
    first = batches[0]
    if isinstance(first, dict):
        return {name: joined([batch[name] for batch in batches]) for name in first}
    if isinstance(first, tuple | list):
        return tuple(map(joined, zip(*batches, strict=True)))
    return np.concatenate(batches)
