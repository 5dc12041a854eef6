"""Many leaves as one vector of values and one of adjoints.

An optimizer's step, a norm, a clip or a save is then a few vector operations, however many parameters there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from autodiff.arrays.tensor import Tensor
from autodiff.engine.graph import described


class Flat:
    """Leaf Tensors of one dtype whose values, and adjoints, are views into one vector each.

    `value` and `grad` are those vectors, of shape (total number of elements,), in the order of the Tensors.
    The Tensors keep their shapes and values; `backward` writes their adjoints into `grad`. After writing into
    `value`, call `assigned()`. A Tensor is in one Flat at a time: the one made last.

    Raises TypeError for a Tensor that is not a leaf, and for mixed dtypes.
    """

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        tensors = list(tensors)
        if not tensors:
            raise ValueError("a Flat of no Tensors was asked for; pass at least one leaf Tensor")
        for tensor in tensors:
            if not isinstance(tensor, Tensor) or tensor.primitive is not None:
                received = described(tensor) if isinstance(tensor, Tensor) else type(tensor).__name__
                raise TypeError(f"a Flat takes leaf Tensors; received {received}")
        self.tensors = list(dict.fromkeys(tensors))
        dtypes = {tensor.dtype for tensor in self.tensors}
        if len(dtypes) > 1:
            raise TypeError(
                f"a Flat takes Tensors of one dtype; received {', '.join(sorted(map(str, dtypes)))}. "
                "Make them all with one dtype: ad.Tensor(array, dtype=np.float32), nn.Linear(..., dtype=np.float32)."
            )
        dtype = dtypes.pop()
        ends = np.cumsum([tensor.size for tensor in self.tensors]).tolist()
        self.sections = [slice(end - t.size, end) for t, end in zip(self.tensors, ends, strict=True)]
        self.value: npt.NDArray[Any] = np.empty(ends[-1], dtype)
        self.grad: npt.NDArray[Any] = np.zeros(ends[-1], dtype)
        for tensor, section in zip(self.tensors, self.sections, strict=True):
            self.value[section] = np.ravel(tensor.primal)
            storage = self.grad[section].reshape(tensor.shape)
            if tensor.kept is not None:
                storage[...] = tensor.kept
                tensor.kept = storage
            tensor._grad_storage = storage
            tensor.primal = self.value[section].reshape(tensor.shape)

    def zero_grad(self) -> None:
        """Forget the adjoints: every `.grad` is None until the next `backward`."""
        for tensor in self.tensors:
            tensor.kept = None

    def reached(self) -> list[slice]:
        """The stretches of the vectors whose Tensors have an adjoint, adjoining ones joined into one.

        Raises RuntimeError where a Flat made later has taken a Tensor over.
        """
        stretches: list[slice] = []
        start, grad = 0, self.grad
        for tensor, section in zip(self.tensors, self.sections, strict=True):
            if tensor._grad_storage is None or tensor._grad_storage.base is not grad:
                raise RuntimeError(
                    f"{described(tensor)} was taken over by another Flat (an optimizer made later); use that one."
                )
            if tensor.kept is None:
                if section.start > start:
                    stretches.append(slice(start, section.start))
                start = section.stop
        if grad.size > start:
            stretches.append(slice(start, grad.size))
        return stretches

    def assigned(self) -> None:
        """Note that `value` was written into, so that graphs recorded before refuse to be reversed."""
        for tensor in self.tensors:
            tensor.assigned()
