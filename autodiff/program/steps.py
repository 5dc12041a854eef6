"""Functions for steps that NumPy has no function for. Their text goes into the source, so they use only NumPy."""

from typing import Any

import numpy as np


def summed_at(values: Any, index: Any, shape: Any, out: Any = None) -> Any:
    """Zeros of a shape with the values added at the index, as often as it is repeated."""
    array = np.empty(shape, values.dtype) if out is None else out
    array[...] = 0
    np.add.at(array, index, values)
    return array


def placed_at(values: Any, index: Any, shape: Any, out: Any = None) -> Any:
    """Zeros of a shape with the values at the index."""
    array = np.empty(shape, values.dtype) if out is None else out
    array[...] = 0
    array[index] = values
    return array


def with_added(x: Any, value: Any, index: Any, out: Any = None) -> Any:
    """A copy of x with the value added at the index, as often as it is repeated."""
    array = np.empty(x.shape, x.dtype) if out is None else out
    array[...] = x
    np.add.at(array, index, value)
    return array


def with_placed(x: Any, value: Any, index: Any, out: Any = None) -> Any:
    """A copy of x with the value at the index."""
    array = np.empty(x.shape, x.dtype) if out is None else out
    array[...] = x
    array[index] = value
    return array


def filled(value: Any, shape: Any, dtype: Any) -> Any:
    """A new array of a shape, filled with a value, which is broadcast."""
    return np.full(shape, value, dtype)


def part(x: Any, index: Any) -> Any:
    """x[index]."""
    return x[index]


def as_type(x: Any, dtype: Any) -> Any:
    """x in another dtype."""
    return x.astype(dtype)


def moved(x: Any) -> Any:
    """A copy, on the program's device, of an array on the host."""
    return np.asarray(x)


def number(x: Any) -> Any:
    """A Python number as a NumPy number."""
    return np.asarray(x)[()]


def shared(share: Any, starts: Any, sets: Any) -> None:
    """Call share(starts, *arrays) in a thread for each set of arrays, with its part of the starts."""
    from concurrent.futures import ThreadPoolExecutor
    from contextvars import copy_context

    with ThreadPoolExecutor(len(sets)) as pool:
        calls = [
            pool.submit(copy_context().run, share, starts[k :: len(sets)], *arrays) for k, arrays in enumerate(sets)
        ]
        for call in calls:
            call.result()
