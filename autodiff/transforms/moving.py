"""Moving arrays and Tensors from one device to another."""

from __future__ import annotations

from typing import Any

from autodiff.arrays.tensor import Tensor
from autodiff.engine.devices import is_array, moved, place
from autodiff.engine.graph import described
from autodiff.rules.shaping import on_device
from autodiff.transforms import tree


def relocate(leaf: Tensor, device: str) -> None:
    """Move a leaf itself, its value and its adjoint, to a device. A model moves its parameters with it.

    Graphs recorded before cannot be reversed afterwards. Raises TypeError if the Tensor is no leaf.

    >>> w = ad.Tensor([1.0, 2.0])
    >>> ad.relocate(w, "cpu")
    >>> w.device
    'cpu'
    """
    if leaf.primitive is not None:
        raise TypeError(f"ad.relocate takes a leaf; received {described(leaf)}, a result: ad.to(t, ...) copies it.")
    leaf.primal = moved(leaf.primal, device)
    leaf.retained = None if leaf.retained is None else moved(leaf.retained, device)
    leaf._grad_storage = None
    leaf.assigned()


def to(x: Any, device: str) -> Any:
    """Copies of arrays and Tensors, or nests of them, on a device: "cuda" (through CuPy), "cpu", or an admitted one.

    A Tensor's copy is the result of an operation: its adjoint is moved back to the device of the Tensor. Values that
    are there already, and values that are no arrays, are returned unchanged. Raises ValueError for an unknown device.

    >>> ad.to({"x": np.ones(2), "name": "a"}, "cpu")
    {'x': array([1., 1.]), 'name': 'a'}
    """

    def one(value: Any) -> Any:
        if isinstance(value, Tensor):
            return value if place(value) == device else on_device(value, device=device)
        return moved(value, device) if is_array(value) else value

    return tree.mapped(one, x)
