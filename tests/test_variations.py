"""Every record, and every keyword that NumPy takes, in six modes: value, reverse, forward, and both over each other."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from cases import cases
from variations import Variation, variations

import autodiff as ad

PAGE = Path(__file__).parent.parent / "FUNCTIONS.md"


def said_of(refused: list[Variation], number: int) -> str:
    """What FUNCTIONS.md says of the keywords."""
    return (
        f"Of {number:,} calls of NumPy's functions with one or two of their keywords, as `tests/variations.py` makes "
        f"them, {len(refused)} are refused."
    )


def wrong_modes(call: Any, arrays: tuple[np.ndarray, ...], rtol: float, orders: tuple[int, ...] = (1, 2)) -> list[str]:
    """The modes of these orders that disagree with NumPy or with each other; TypeError for what is refused."""
    expected = call(*arrays)
    rng = np.random.default_rng(3)
    weights = rng.standard_normal(np.shape(expected))
    x = [np.array(a) for a in arrays]
    v, u = ([rng.standard_normal(a.shape).astype(a.dtype) for a in x] for _ in range(2))
    wrong = []

    def scalar(x: list[Any]) -> Any:
        return np.sum(np.real(np.sin(call(*x)) * weights))

    def dot(a: list[Any], b: list[Any]) -> Any:
        return sum((np.sum(np.real(s * np.conj(t))) for s, t in zip(a, b, strict=True)), 0.0)

    if 1 in orders:
        y = call(*map(ad.Tensor, arrays))
        same = (y.shape, y.dtype) == (np.shape(expected), np.asarray(expected).dtype)
        if not same or not np.allclose(y.value, expected, rtol=rtol, atol=rtol):
            wrong.append("value")
        moved = ad.jvp(scalar, (x,), (v,))[1]
        if not np.allclose(dot(ad.grad(scalar)(x), v), moved, rtol=rtol, atol=rtol):
            wrong.append("reverse, forward")
    over_forward = ad.grad(lambda x: ad.jvp(scalar, (x,), (v,))[1])(x)
    over_reverse = ad.jvp(ad.grad(scalar), (x,), (v,))[1]
    reverse_twice = ad.grad(lambda x: dot(ad.grad(scalar)(x), v))(x)
    if not np.allclose(dot(reverse_twice, u), dot(over_forward, u), rtol=rtol, atol=rtol):
        wrong.append("reverse over reverse, reverse over forward")
    if not np.allclose(dot(over_reverse, u), dot(over_forward, u), rtol=rtol, atol=rtol):
        wrong.append("forward over reverse, reverse over forward")
    return wrong


def test_every_record_in_the_modes_of_second_order() -> None:
    """They are compared with each other; those of first order are in test_rules.py, with NumPy and with quotients."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {case.name: wrong_modes(case, case.arrays, 1e-7, orders=(2,)) for case in cases}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def sweep() -> tuple[list[Any], list[Variation], int]:
    """What is wrong, what is refused, and how many variations there are."""
    wrong: list[Any] = []
    refused: list[Variation] = []
    number = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for variation in variations():
            number += 1
            single = np.asarray(variation(*variation.arrays)).dtype in (np.float32, np.complex64)
            try:
                found = wrong_modes(variation, variation.arrays, 2e-3 if single else 1e-7)
                if not single:
                    ad.check_grads(variation, *variation.arrays)
            except TypeError as error:
                if "adjoint rule" not in str(error) and "Tensor" not in str(error) and "np." not in str(error):
                    wrong.append((variation, repr(error)))
                refused.append(variation)
            except Exception as error:  # listed with the others
                wrong.append((variation, repr(error)[:200]))
            else:
                if found:
                    wrong.append((variation, found))
    return wrong, refused, number


def test_every_keyword_of_numpy_is_right_or_refused_by_name() -> None:
    wrong, refused, number = sweep()
    assert not wrong
    assert number > 1500
    assert len(refused) < 0.015 * number
    if np.lib.NumpyVersion(np.__version__) >= "2.4.0":  # older ones have fewer parameters
        assert said_of(refused, number) in PAGE.read_text(encoding="utf-8")
