"""Text, windows of sequences, and folders of images."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from nn.data import Vocabulary, image_folder, windows


def test_words_are_numbered_by_how_often_they_occur():
    vocabulary = Vocabulary(["To be, or not to be", "to do"], "words")
    assert vocabulary.units == ["<padding>", "<unknown>", "to", "be", ",", "do", "not", "or"]
    assert vocabulary.encode("Do be good!").tolist() == [5, 3, 1, 1]
    assert vocabulary.decode([2, 3, 0, 0]) == "to be"
    assert Vocabulary("to be or not to be", "words", least=2).units[2:] == ["be", "to"]
    assert repr(Vocabulary("a b c d", "words", most=3)) == "Vocabulary(3 words)"


def test_characters_come_back():
    text = "Ein Satz — with ümläuts.\n"
    vocabulary = Vocabulary(text)
    assert vocabulary.decode(vocabulary.encode(text)) == text
    assert len(vocabulary) == len(set(text)) + 2
    assert vocabulary.encode("").shape == (0,)


def test_padded_texts_have_one_length_and_a_network_takes_them():
    vocabulary = Vocabulary(["abc", "ab"])
    rows, lengths = vocabulary.padded(["abc", "b", ""])
    assert (rows.shape, rows.dtype, lengths.tolist()) == ((3, 3), np.int64, [3, 1, 0])
    assert rows[1].tolist() == [*vocabulary.encode("b"), 0, 0]
    assert vocabulary.padded(["abc", "b"], 2)[1].tolist() == [2, 1]
    assert vocabulary.padded(["b"], 4)[0].shape == (1, 4)
    embedding = nn.Embedding(len(vocabulary), 4, padding_idx=0, rng=0)
    states, _ = nn.GRU(4, 5, batch_first=True, rng=1)(embedding(rows[:2]), lengths=lengths[:2])
    assert states.shape == (2, 3, 5)


def test_windows_and_what_follows():
    X, y = windows(np.arange(7), 3, step=2)
    assert (X.tolist(), y.tolist()) == ([[0, 1, 2], [2, 3, 4]], [3, 5])
    X, y = windows(np.arange(5.0, dtype=np.float32)[:, None], 3, targets="each")
    assert (X.shape, y[..., 0].tolist(), y.dtype) == ((2, 3, 1), [[1, 2, 3], [2, 3, 4]], np.float32)
    assert windows(np.arange(4), 4, targets=None).tolist() == [[0, 1, 2, 3]]


def save(path: Path, pixels: np.ndarray) -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    path.parent.mkdir(exist_ok=True)
    image.fromarray(pixels.astype(np.uint8)).save(path)


def test_images_of_classes(tmp_path: Path):
    red = np.zeros((4, 6, 3))
    red[..., 0] = 255
    save(tmp_path / "red" / "b.png", red)
    save(tmp_path / "red" / "a.png", red / 255 * 51)
    save(tmp_path / "grey" / "c.png", np.full((4, 6), 51))
    (tmp_path / "red" / "notes.txt").write_text("none")
    X, y, names = image_folder(tmp_path)
    assert (X.shape, X.dtype, y.tolist(), names) == ((3, 3, 4, 6), np.float32, [0, 1, 1], ["grey", "red"])
    np.testing.assert_allclose(X[:, :, 0, 0], [[0.2, 0.2, 0.2], [0.2, 0, 0], [1, 0, 0]])
    assert image_folder(tmp_path, size=(2, 3), grey=True)[0].shape == (3, 1, 2, 3)
    save(tmp_path / "red" / "d.png", red[:2])
    with pytest.raises(ValueError, match=r"d.png' is of size \(2, 6\), the first image of size \(4, 6\)"):
        image_folder(tmp_path)
    (tmp_path / "grey" / "b.png").write_text("none")
    with pytest.raises(ValueError, match=r"b.png' is no image"):
        image_folder(tmp_path)


def test_without_pillow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match="pip install Pillow"):
        image_folder(tmp_path)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: Vocabulary("a", "letters"), ValueError, "'characters' or 'words'; received 'letters'"),
        (lambda: Vocabulary([b"a"]), TypeError, "a text is a str; received b'a'"),
        (lambda: Vocabulary("ab").decode([4]), ValueError, "ints from 0 to 3"),
        (lambda: Vocabulary("ab").decode([[1]]), ValueError, r"received shape \(1, 1\)"),
        (lambda: windows(np.arange(3), 3), ValueError, "of a sequence of 3 steps. Take a shorter"),
        (lambda: windows(np.arange(3), 2, targets="all"), ValueError, "'next', 'each' or None"),
        (lambda: windows("abc", 2), TypeError, "windows takes a sequence"),
        (lambda: nn.data.ImageFolder, AttributeError, r"nn.data.image_folder\(folder\)"),
    ],
)
def test_what_is_refused(call: Any, error: type[Exception], words: str):
    with pytest.raises(error, match=words):
        call()


def test_a_folder_without_images_is_refused(tmp_path: Path):
    pytest.importorskip("PIL", reason="Pillow is not installed")
    with pytest.raises(ValueError, match="no folder and no image"):
        image_folder(tmp_path)
