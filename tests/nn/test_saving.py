"""Files of weights: what goes in comes out, what is damaged is refused, and the file before survives."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

import autodiff as ad
import nn
from nn.model import saving


def test_a_models_weights_go_through_a_file(tmp_path: Path):
    model, other = nn.MLP(3, 4, 2, rng=0), nn.MLP(3, 4, 2, rng=1)
    nn.save(model, tmp_path / "weights.safetensors")
    other.load_state_dict(nn.load(tmp_path / "weights.safetensors"))
    assert all(
        np.array_equal(a, b) for a, b in zip(model.state_dict().values(), other.state_dict().values(), strict=True)
    )
    assert os.listdir(tmp_path) == ["weights.safetensors"]


def test_arrays_of_every_kind_come_out_as_they_went_in(tmp_path: Path):
    arrays = {
        "empty": np.zeros((0, 3)),
        "scalar": np.array(7),
        "strided": np.arange(12.0).reshape(3, 4).T[::2],
        "bool": np.array([True, False]),
        "half": np.ones(3, np.float16),
        "tensor": ad.Tensor([1.0, np.nan, np.inf]),
        "big": np.arange(3, dtype=">i4"),
    }
    nn.save(arrays, tmp_path / "a")
    found = nn.load(tmp_path / "a")
    for name, value in arrays.items():
        value = value.value if isinstance(value, ad.Tensor) else value
        assert np.array_equal(found[name], value, equal_nan=value.dtype.kind == "f")
        assert found[name].dtype == value.dtype.newbyteorder("=")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files") / "model.safetensors"
    nn.save(nn.MLP(2, 3, 2, rng=0), path)
    return path


@given(data=st.data())
def test_a_truncated_file_is_refused(whole: Path, data: st.DataObject):
    content = whole.read_bytes()
    damaged = whole.with_name("truncated")
    damaged.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(nn.FileError, match="truncated"):
        nn.load(damaged)


@given(data=st.data())
def test_a_flipped_bit_among_the_numbers_is_refused(whole: Path, data: st.DataObject):
    content = bytearray(whole.read_bytes())
    start = 8 + int.from_bytes(content[:8], "little")
    content[data.draw(st.integers(start, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    damaged = whole.with_name("flipped")
    damaged.write_bytes(content)
    with pytest.raises(nn.FileError, match="corrupted: its checksum"):
        nn.load(damaged)


@given(content=st.binary(max_size=200))
def test_what_is_no_such_file_is_refused(whole: Path, content: bytes):
    whole.with_name("noise").write_bytes(content)
    with pytest.raises(nn.FileError, match="not a whole safetensors file"):
        nn.load(whole.with_name("noise"))


def test_files_of_other_programs_need_no_checksum(tmp_path: Path):
    save_file({"weight": np.ones((2, 3), np.float32), "bias": np.zeros(2, np.float32)}, tmp_path / "theirs")
    model = nn.Linear(3, 2)
    model.load_state_dict(nn.load(tmp_path / "theirs"))
    assert (model.weight.value == 1).all()


def test_what_cannot_be_saved_is_an_error_and_the_file_before_survives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "kept"
    nn.save({"a": np.ones(2)}, path)
    for wrong in ({"a": np.array(["x"])}, {"a": np.ones(2) * 1j}, {3: np.ones(2)}):
        with pytest.raises(TypeError, match="holds arrays of real numbers by name"):
            nn.save(wrong, path)
    with pytest.raises(TypeError, match="save takes a model, or a mapping"):
        nn.save([np.ones(2)], path)
    monkeypatch.setattr(saving.os, "fsync", lambda file: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        nn.save({"a": np.zeros(2)}, path)
    assert os.listdir(tmp_path) == ["kept"]
    assert (nn.load(path)["a"] == 1).all()


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*nowhere"):
        nn.load(tmp_path / "nowhere")


def test_a_checkpoint_gives_its_models_weights(tmp_path: Path):
    model = nn.MLP(2, 3, 2, rng=0)
    file = tmp_path / "run.safetensors"
    nn.fit(
        model, (np.ones((8, 2)), np.ones(8, int)), nn.CrossEntropyLoss(), nn.optim.Adam, checkpoint=file, verbose=False
    )
    found = nn.load(file)
    assert found.keys() == model.state_dict().keys()
    assert all(np.array_equal(found[name], value) for name, value in model.state_dict().items())


@pytest.mark.skipif(os.name == "nt", reason="Windows has neither these modes nor, without privileges, links")
def test_links_and_modes_stay_and_what_is_no_file_is_refused(tmp_path: Path):
    target, link = tmp_path / "target", tmp_path / "link"
    nn.save({"a": np.ones(2)}, target)
    target.chmod(0o600)
    link.symlink_to(target)
    nn.save({"a": np.zeros(2)}, link)
    assert link.is_symlink()
    assert (nn.load(target)["a"] == 0).all()
    assert target.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ValueError, match=r"saved to a file; .* is something else"):
        nn.save({"a": np.ones(2)}, tmp_path)
