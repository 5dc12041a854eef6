"""Two calls of a model: on an example, and on a batch of another size with other numbers.

The two recorded graphs are compared. A constant that is equal in both belongs to the model. An axis whose length
differs is the batch. A constant that differs was computed from the input without being recorded: an input of integers,
its transpose, columns or one-hot form are recognised; for any other an error is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.data.several import Several, called

Array = npt.NDArray[Any]


class RefusedError(Exception):
    """An operation has no counterpart in ONNX; the text says why."""


class Call:
    """A call of the model: inputs and outputs by name, and the results in the order of recording."""

    def __init__(self, model: Callable[..., Any], example: Any) -> None:
        inputs = example.mapped(_taken) if isinstance(example, Several) else _taken(example)
        outputs = called(model, inputs)
        parts = inputs.parts if isinstance(inputs, Several) else {"x": inputs}
        self.inputs = dict(_named(parts, "x"))
        self.outputs = dict(_named(outputs if isinstance(outputs, dict | tuple | list) else {"y": outputs}, "y"))
        whole = [y for y in self.outputs.values() if isinstance(y, ad.Tensor)]
        nodes = {id(node): node for y in whole for node in ad.graph(y)}
        self.results = [node for node in nodes.values() if node.operation]


def _taken(array: Array) -> Any:
    return ad.Tensor(array) if array.dtype.kind == "f" else array


def _named(values: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    return iter(values.items() if isinstance(values, dict) else ((f"{prefix}{k}", v) for k, v in enumerate(values)))


def another(example: Any) -> Any:
    """A batch with one more sample and other numbers; integers stay within the range of the example's."""
    if isinstance(example, Several):
        return example.mapped(another)
    more = np.concatenate([example, example[:1]])
    if example.dtype.kind == "f":
        return (0.5 - more * np.linspace(0.5, 1.5, more.size).reshape(more.shape)).astype(example.dtype)
    low, count = example.min(), int(example.max()) - int(example.min()) + 1
    if count == 1:
        raise ValueError(
            f"export takes an example whose integers differ, to see where they are used; received {low} only. Give an "
            "example with two different integers."
        )
    moved = (more - low + 1 + np.arange(more.size).reshape(more.shape) % (count - 1)) % count + low
    return moved.astype(example.dtype)  # every integer differs from the one before


def axes_that_differ(a: Any, b: Any) -> set[int]:
    """The axes in which two shapes differ: the batch."""
    if a.ndim != b.ndim:
        raise RefusedError(f"its shapes {a.shape} and {b.shape} differ with the batch")
    return {axis for axis, (n, m) in enumerate(zip(a.shape, b.shape, strict=True)) if n != m}


def same(a: Any, b: Any) -> bool:
    """Whether two constants are equal: numbers, arrays, or tuples of them."""
    a, b = (v.value if isinstance(v, ad.Tensor) else v for v in (a, b))
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.array_equal(a, b)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


def alike_in_the_batch(a: Any, b: Any) -> Array | None:
    """One row, for broadcasting, if two constants differ only in the batch's size; else None."""
    a, b = (v.value if isinstance(v, ad.Tensor) else v for v in (a, b))
    if not (isinstance(a, np.ndarray) and isinstance(b, np.ndarray)) or a.ndim != b.ndim or a.shape == b.shape:
        return None
    axes = axes_that_differ(a, b)
    row = a[tuple(slice(0, 1) if axis in axes else slice(None) for axis in range(a.ndim))]
    return row if row.size and np.all(a == row) and np.all(b == row) else None


class Reading(NamedTuple):
    """The origin of an array in an input of integers: the input's name, and the operations on it."""

    name: str
    transposed: bool = False
    columns: int | slice | None = None  # the columns that were taken
    classes: int | None = None  # the number of columns of a one-hot array


def reading(a: Any, b: Any, first: Call, second: Call) -> Reading | None:
    """The origin of a differing constant in an input of integers; None if there is no explanation."""
    if not (isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.ndim and b.ndim):
        return None
    for name, x in first.inputs.items():
        z = second.inputs[name]
        if isinstance(x, ad.Tensor):
            continue
        ways: list[tuple[Array, Array, Reading]] = [(x, z, Reading(name))]
        if x.ndim == 2:
            ways.append((x.T, z.T, Reading(name, transposed=True)))
            some = [*range(x.shape[1]), *(slice(k, k + a.shape[-1]) for k in range(x.shape[1] - a.shape[-1] + 1))]
            ways += [(x[:, columns], z[:, columns], Reading(name, columns=columns)) for columns in some]
        for one, other, found in ways:
            if np.array_equal(a, one) and np.array_equal(b, other):
                return found
            if a.shape[:-1] == one.shape and all(_one_hot(*pair) for pair in ((a, one), (b, other))):
                return found._replace(classes=a.shape[-1])
    return None


def _one_hot(a: Array, labels: Array) -> bool:
    return a.shape[:-1] == labels.shape and np.array_equal(a, labels[..., None] == np.arange(a.shape[-1]))
