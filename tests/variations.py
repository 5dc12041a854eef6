"""What NumPy's signatures let one write: functions of the table called with their keywords, one and two at a time."""

from __future__ import annotations

import inspect
import itertools
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from cases import cases, declared

# The values that are tried for each parameter; what writes into arrays (out=) a Tensor never takes.
VALUES: dict[str, list[Any]] = {
    "axis": [0, -1, 1, (0, 1), None],
    "axes": [(1, 0), 1],
    "keepdims": [True],
    "dtype": [np.float64, np.float32],
    "where": [True, "mask"],
    "initial": [0.5],
    "ddof": [1],
    "correction": [0, 1],
    "mean": [0.3],
    "order": ["C", "F", "A", "K"],
    "casting": ["same_kind", "unsafe"],
    "kind": ["stable", "quicksort"],
    "stable": [True],
    "mode": ["wrap", "clip", "raise", "reduced", "complete", "full", "same", "valid", "edge", "reflect"],
    "side": ["right"],
    "method": ["linear", "lower", "nearest", "midpoint", "inverted_cdf"],
    "weights": ["like"],
    "full_matrices": [True, False],
    "compute_uv": [False],
    "hermitian": [True, False],
    "UPLO": ["U"],
    "upper": [True],
    "rcond": [1e-10],
    "rtol": [1e-10],
    "offset": [1],
    "k": [1],
    "n": [2],
    "norm": ["ortho", "forward"],
    "ord": [1, 2, 3],
    "copy": [True],
    "subok": [False],
    "bias": [True],
    "rowvar": [False],
    "endpoint": [False],
    "optimize": [True],
    "prepend": [0.5],
    "append": [0.5],
    "period": [6.0],
    "discont": [3.0],
    "left": [0.1],
    "right": [0.1],
    "decimals": [1],
    "nan": [1.0],
    "posinf": [1.0],
    "include_initial": [True],
    "overwrite_input": [False],
    "equal_nan": [False],
    "return_index": [False],
    "edge_order": [1, 2],
    "indexing": ["ij"],
    "sparse": [True],
    "trim": ["f"],
    "dx": [0.5],
    "shift": [1],
}


class Variation(NamedTuple):
    """A function, the arrays it is called with, and the keywords."""

    function: Any
    arrays: tuple[np.ndarray, ...]
    parameters: dict[str, Any]

    def __call__(self, *arrays: Any) -> Any:
        return self.function(*arrays, **self.parameters)

    def __repr__(self) -> str:
        shapes = ", ".join(str(x.shape) for x in self.arrays)
        return f"{self.function.__name__}({shapes}; {', '.join(f'{k}={v!r:.40}' for k, v in self.parameters.items())})"


def keywords(function: Any) -> list[str]:
    """The names of a function's parameters for which there are values to try."""
    if isinstance(function, np.ufunc):
        return ["dtype", "casting", "order", "subok"]
    try:
        return [name for name in inspect.signature(function).parameters if name in VALUES]
    except ValueError:
        return []


def filled(value: Any, arrays: tuple[np.ndarray, ...]) -> Any:
    """A value that depends on the array: a mask of it, or weights."""
    x = arrays[0]
    if isinstance(value, str) and value == "mask":
        return np.arange(x.size).reshape(x.shape) % 3 != 1
    if isinstance(value, str) and value == "like":
        return np.linspace(1, 2, x.size).reshape(x.shape)
    return value


def variations() -> Iterator[Variation]:
    """Calls that NumPy takes and that give floating-point numbers, over up to three records of each function."""
    taken: dict[Any, list[tuple[np.ndarray, ...]]] = {}
    for case in cases:
        shapes = taken.setdefault(case.function, [])
        if case.call or case.function not in declared or len(shapes) == 3 or case.arrays[0].size > 30:
            continue
        if any([a.shape for a in arrays] == [a.shape for a in case.arrays] for arrays in shapes):
            continue
        shapes.append(case.arrays)
        names = [k for k in keywords(case.function) if k not in case.parameters]
        ones = [{k: filled(v, case.arrays)} for k in names for v in VALUES[k]]
        twos = [a | b for a, b in itertools.combinations(ones, 2) if a.keys() != b.keys()]
        for more in ones + twos[:: 1 + len(twos) // 60]:
            variation = Variation(case.function, case.arrays, {**case.parameters, **more})
            if accepted(variation):
                yield variation


def accepted(variation: Variation) -> bool:
    """Whether NumPy takes the call, and it gives one array of floating-point numbers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            y = variation(*variation.arrays)
        except Exception:  # whatever it says, it does not take it
            return False
    return isinstance(y, np.ndarray | np.generic) and y.dtype.kind in "fc" and bool(np.all(np.isfinite(y)))
