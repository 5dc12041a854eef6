"""Keywords of a call that its rule does not take: those that equal a default are dropped, the others refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autodiff import hints
from autodiff.engine.signatures import parameter_defaults, spelled

Function = Callable[..., Any]

UFUNC_DEFAULTS = {"where": True}
# Keywords about memory layout and casting, with values that do not change the numbers of a result.
LAYOUT = {
    "order": ("C", "F", "A", "K"),
    "casting": ("no", "equiv", "safe", "same_kind", "unsafe"),
    "subok": (True, False),
}


def without_defaults(function: Function, kwargs: dict[str, Any], keywords: Iterable[str]) -> dict[str, Any]:
    """`kwargs` without unknown ones that equal NumPy's default or only set a layout; other unknown ones are refused."""
    unknown = [
        k
        for k, v in kwargs.items()
        if k not in keywords and v is not None and v is not np._NoValue and not (k in LAYOUT and v in LAYOUT[k])
    ]
    if unknown:
        defaults = UFUNC_DEFAULTS if isinstance(function, np.ufunc) else parameter_defaults(function)
        unknown = [k for k in unknown if not (k in defaults and np.ndim(kwargs[k]) == 0 and kwargs[k] == defaults[k])]
    if unknown and (renamed := hints.renamed(unknown)):
        raise TypeError(f"{spelled(function)} was called with {', '.join(unknown)}; NumPy's name is {renamed}.")
    if unknown:
        raise TypeError(
            f"{spelled(function)} was called with {', '.join(f'{k}={kwargs[k]!r:.60}' for k in unknown)}, which its "
            f"adjoint rule does not cover (it covers: {', '.join(sorted(keywords)) or 'no keyword'}); Tensors are "
            "never written into, so omit out=, and compose the rest from other functions."
        )
    return {k: v for k, v in kwargs.items() if k in keywords}


def check_floating(function: Function, dtype: Any) -> None:
    """Raise TypeError for a `dtype=` of integers or booleans, which have no derivative."""
    if dtype is not None and np.dtype(dtype).kind not in "fc":
        raise TypeError(
            f"{spelled(function)} of a Tensor was asked for dtype {np.dtype(dtype)}, which has no derivative; pass a "
            "floating-point dtype, or take the plain array, tensor.value, for a constant, such as "
            f"t.value.astype({np.dtype(dtype)})."
        )
