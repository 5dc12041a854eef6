"""Kernels over the records of all functions, run by Python: to compile each would take Numba about a second."""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from cases import cases
from test_compile import replayed, with_pullback

from autodiff.program import fast
from autodiff.program.passes import blocks, memory

SHARE = 4  # one record of so many, to save time


@pytest.fixture
def interpreted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Kernels are plain functions; gives their texts."""
    decorators, texts = SimpleNamespace(njit=lambda **options: lambda function: function), []

    def kernel(text: str) -> Any:
        texts.append(text)
        names = {"np": np, "numba": decorators}
        exec(text.replace("{name}", fast.NAME), names)  # noqa: S102  # a text of ours
        return names[fast.NAME]

    monkeypatch.setattr(fast, "numba", lambda: decorators)
    monkeypatch.setattr(fast, "kernel", kernel)
    return texts


@pytest.mark.parametrize("large", [False, True])
def test_every_record_is_the_same_with_kernels(
    large: bool, interpreted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if large:  # blocks of few elements, as of large arrays, with kernels in them
        for room, name, value in (
            (memory, "LEAST", 1), (memory, "IN_THREADS", 1), (blocks, "WHOLE", 1), (blocks, "BLOCK", 40),
            (blocks, "FEWEST", 1),
        ):  # fmt: skip
            monkeypatch.setattr(room, name, value)
    answers: dict[str, list[str]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy warns of what some inputs are
        for case in cases[large::SHARE]:
            try:
                answer = replayed(*with_pullback(case), fast=True)
            except Exception as error:  # all failures in one report
                answer = f"{type(error).__name__}: {error}"[:150]
            answers.setdefault(answer, []).append(case.name)
    assert answers.keys() <= {"", "refused"}, {k: v[:5] for k, v in answers.items() if k not in ("", "refused")}
    assert len(interpreted) > len(answers[""]) / 4
