"""Every hint is run: what a message tells people to write has to work."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import hints
from autodiff.arrays.protocols import absent
from autodiff.engine.table import table, takes_tensors


def a_leaf() -> ad.Tensor:
    t = ad.Tensor(np.arange(1.0, 7.0).reshape(2, 3), name="t")
    np.sum(t * t).backward()
    return t


def run(line: str, tmp_path: Any) -> None:
    path = tmp_path / "t.npy"
    np.save(path, np.ones(3))
    exec(line, {"np": np, "ad": ad, "t": a_leaf(), "array": np.ones(3), "path": path})  # noqa: S102  # lines of our own


def test_what_the_hints_recommend_runs(tmp_path: Any) -> None:
    failed = []
    for owner, given in (("Tensor", hints.TENSOR), ("ad", hints.MODULE)):
        for name, (line, *_) in given.items():
            try:
                run(line, tmp_path)
            except Exception as error:
                failed.append((owner, name, line, str(error)))
    assert not failed


def test_every_hint_is_said() -> None:
    t, silent = a_leaf(), []
    for owner, given in ((t, hints.TENSOR), (ad, hints.MODULE)):
        for name, (line, *_) in given.items():
            try:
                getattr(owner, name)
            except AttributeError as error:
                if line not in str(error) or hasattr(owner, name):
                    silent.append((name, str(error)))
            else:
                silent.append((name, "is there"))
    assert not silent


def test_names_of_numpy_are_recommended_where_they_take_tensors() -> None:
    """All of np's names, asked of a Tensor and of ad: what a message recommends is a function that has a record."""
    wrong = []
    for owner, others in ((a_leaf(), hints.TENSOR), (ad, hints.MODULE)):
        for name in np.__all__:
            if name not in others and not hasattr(owner, name) and (owner is ad or name.islower()):
                with pytest.raises(AttributeError) as raised:
                    getattr(owner, name)
                if (f"np.{name}(t)" in str(raised.value)) != takes_tensors(getattr(np, name, None)):
                    wrong.append((owner, name, str(raised.value)))
    assert not wrong
    assert not takes_tensors(np.zeros)
    assert not any(table[f].kind == "refused" for f in table if takes_tensors(f))
    assert {"zeros", "array", "float64", "pi", "double"} & set(absent) == {"double"}


SPELLINGS: dict[str, tuple[str, str]] = {
    # what is typed: what it gives, or what the message has to say
    "t.sum(dim=0)": ("TypeError", "axis= instead of dim="),
    "t.sum(axis=0, keepdim=True)": ("TypeError", "keepdims= instead of keepdim="),
    "t.argmax(dim=1)": ("TypeError", "axis= instead of dim="),
    "t.mean(dim=0, keepdim=True)": ("TypeError", "axis= instead of dim=, keepdims= instead of keepdim="),
    "ad.softmax(t, dim=-1)": ("TypeError", "axis= instead of dim="),
    "t.size(0)": ("TypeError", "write t.shape[0]"),
    "t.size()": ("TypeError", "write t.shape."),
    "t.repeat(2, 1)": ("TypeError", "np.tile(t, (2, 1))"),
    "t.repeat(2, axis=1)": ("", ""),
    "t.astype(int)": ("TypeError", "t.value.astype(int64)"),
    "t.astype('float32')": ("", ""),
    "ad.Tensor([1.0], requires_grad=True)": ("TypeError", "there is no requires_grad"),
    "ad.tensor([1.0])": ("AttributeError", "ad.Tensor([1.0, 2.0])"),
    "ad.zeros(3)": ("AttributeError", "np.zeros"),
    "ad.array([1.0])": ("AttributeError", "ad.Tensor(array)"),
    "ad.float32": ("AttributeError", "np.float32"),
    "t.zeros": ("AttributeError", "no attribute 'zeros'"),
    "t.relu()": ("AttributeError", "ad.relu(t)"),
    "t.exp()": ("AttributeError", "np.exp(t)"),
    "t.tanh().log().sqrt()": ("AttributeError", "np.tanh(t)"),
    "t.sigmoid()": ("AttributeError", "ad.sigmoid(t)"),
    "t.view(3, 2)": ("AttributeError", "t.reshape(3, 2)"),
    "t.to('cpu')": ("AttributeError", 'ad.to(t, "cpu")'),
    "t.unsqueeze(0)": ("AttributeError", "np.expand_dims(t, 0)"),
    "t.permute(1, 0)": ("AttributeError", "t.transpose(1, 0)"),
    "t.detach()": ("AttributeError", "ad.stop_gradient(t)"),
    "t.data": ("AttributeError", "t.value"),
    "t.norm()": ("AttributeError", "np.linalg.norm(t)"),
    "t.t()": ("AttributeError", "t.T"),
}


@pytest.mark.parametrize("typed", SPELLINGS)
def test_what_people_type_works_or_is_answered(typed: str) -> None:
    kind, answer = SPELLINGS[typed]
    scope = {"np": np, "ad": ad, "t": a_leaf()}
    if not kind:
        assert eval(typed, scope) is not None  # noqa: S307  # as below: lines of our own
        return
    with pytest.raises((TypeError, AttributeError)) as raised:
        eval(typed, scope)  # noqa: S307
    assert type(raised.value).__name__ == kind
    assert answer in str(raised.value)
