"""What a program calls where NumPy has no function for it: their text goes into the source, so they know NumPy only."""

from typing import Any

import numpy as np


def summed_at(values: Any, index: Any, shape: Any) -> Any:
    """Zeros of a shape with the values added at the index, as often as it is repeated."""
    array = np.zeros(shape, values.dtype)
    np.add.at(array, index, values)
    return array


def placed_at(values: Any, index: Any, shape: Any) -> Any:
    """Zeros of a shape with the values at the index."""
    array = np.zeros(shape, values.dtype)
    array[index] = values
    return array


def with_added(x: Any, value: Any, index: Any) -> Any:
    """A copy of x with the value added at the index, as often as it is repeated."""
    array = np.array(x)
    np.add.at(array, index, value)
    return array


def with_placed(x: Any, value: Any, index: Any) -> Any:
    """A copy of x with the value at the index."""
    array = np.array(x)
    array[index] = value
    return array


def filled(value: Any, shape: Any, dtype: Any) -> Any:
    """An array of a shape that holds a value, broadcast."""
    return np.full(shape, value, dtype)


def part(x: Any, index: Any) -> Any:
    """x[index]."""
    return x[index]


def as_type(x: Any, dtype: Any) -> Any:
    """x in another dtype."""
    return x.astype(dtype)


def number(x: Any) -> Any:
    """A Python number as one of NumPy's."""
    return np.asarray(x)[()]
