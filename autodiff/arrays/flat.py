"""Many leaves as one vector of values and one of adjoints.

An optimizer's step, a norm, a clip or a save is then a few vector operations, however many parameters there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from autodiff.arrays.tensor import Tensor
from autodiff.engine.devices import empty, zeros
from autodiff.engine.graph import described


class Flat:
    """Leaf Tensors of one dtype whose values, and adjoints, are views into one vector each.

    `value` and `grad` are those vectors, of shape (total number of elements,), in the order of the Tensors.
    The Tensors keep their shapes and values; `backward` adds their adjoints to `grad`. After writing into
    `value`, call `assigned()`. A Tensor is in one Flat at a time: the one made last.

    Raises TypeError for a Tensor that is not a leaf, and for mixed dtypes.

    >>> a, b = ad.Tensor([1.0, 2.0]), ad.Tensor([[3.0]])
    >>> flat = ad.Flat([a, b])
    >>> np.sum(a * a * b).backward()
    >>> flat.value, flat.grad
    (array([1., 2., 3.]), array([ 6., 12.,  5.]))
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
                "Make them all with one dtype: ad.Tensor(array, dtype=np.float32), and layers with dtype=np.float32."
            )
        dtype = dtypes.pop()
        ends = np.cumsum([tensor.size for tensor in self.tensors]).tolist()
        self.sections = [slice(end - t.size, end) for t, end in zip(self.tensors, ends, strict=True)]
        places = {tensor.device for tensor in self.tensors}
        if len(places) > 1:
            raise TypeError(f"a Flat takes Tensors on one device; received {', '.join(sorted(places))}.")
        self.value: npt.NDArray[Any] = empty(ends[-1], dtype, like=self.tensors[0])
        for tensor, section in zip(self.tensors, self.sections, strict=True):
            self.value[section] = np.ravel(tensor.primal)
            tensor.primal = self.value[section].reshape(tensor.shape)
        self._received: list[tuple[Tensor, Any, Any, Any]] = []  # Tensors, values, and the adjoints they have and had
        self._reached: tuple[bool, ...] = ()
        self._place_adjoints()

    @property
    def grad(self) -> npt.NDArray[Any]:
        """The adjoints as one vector. After `zero_grad` it is a new vector if the program may still hold the old one.

        The numbers of a Tensor without an adjoint have no meaning.
        """
        if any(t.retained is not None and t.retained.base is not self._grad for t in self.tensors if self._holds(t)):
            self._place_adjoints()
        return self._grad

    def zero_grad(self) -> None:
        """Forget the adjoints: every `.grad` is None until the next `backward`."""
        handed_out = False
        for tensor in self.tensors:
            tensor.retained = None
            handed_out = handed_out or tensor._grad_storage is None
        if handed_out:
            self._place_adjoints()

    @property
    def parts(self) -> list[npt.NDArray[Any]]:
        """The stretches of `value` that the Tensors hold, in their shapes."""
        self._refuse_if_taken_over()
        return [tensor.primal for tensor in self.tensors]

    @property
    def adjoints(self) -> list[npt.NDArray[Any]]:
        """The stretches of `grad` that are the Tensors' adjoints, in their shapes."""
        self.grad  # noqa: B018  # places it anew where that is due
        return self._adjoints

    def received(self, reached: Sequence[bool]) -> None:
        """Note that `grad` was written into: Tensors that `reached` marks have an adjoint there, the others none."""
        self._received, self._reached = [], tuple(reached)
        for tensor, adjoint, has in zip(self.tensors, self._adjoints, reached, strict=True):
            tensor._grad_storage = adjoint
            tensor.retained = adjoint if has else None
            self._received.append((tensor, tensor.primal, adjoint, tensor.retained))

    def as_received(self, reached: tuple[bool, ...]) -> bool:
        """Whether values and adjoints are as the last `received`, of the same marks, left them.

        Then `grad` may be written into again, without `zero_grad` and `received`.
        """
        if reached != self._reached:
            return False
        for tensor, primal, storage, retained in self._received:
            if tensor.primal is not primal or tensor._grad_storage is not storage or tensor.retained is not retained:
                return False
        return bool(self._received)

    def reached(self) -> list[slice]:
        """The stretches of the vectors whose Tensors have an adjoint; neighbouring stretches are joined.

        Raises RuntimeError if a later Flat has taken over a Tensor.
        """
        stretches: list[slice] = []
        start, end = 0, self.value.size
        self._refuse_if_taken_over()
        for tensor, section in zip(self.tensors, self.sections, strict=True):
            if tensor.retained is None:
                if section.start > start:
                    stretches.append(slice(start, section.start))
                start = section.stop
        if end > start:
            stretches.append(slice(start, end))
        return stretches

    def assigned(self) -> None:
        """Note that `value` was written into, so that graphs recorded before refuse to be reversed.

        Raises RuntimeError if a later Flat has taken over a Tensor, because the new value did not reach it.
        """
        self._refuse_if_taken_over()
        for tensor in self.tensors:
            tensor.assigned()

    def _place_adjoints(self) -> None:
        """Give the adjoints a new vector: the program may still hold the old one, as a Tensor's `.grad`."""
        self._grad: npt.NDArray[Any] = zeros(self.value.size, self.value.dtype, like=self.value)
        self._adjoints: list[npt.NDArray[Any]] = []
        for tensor, section in zip(self.tensors, self.sections, strict=True):
            storage = self._grad[section].reshape(tensor.shape)
            self._adjoints.append(storage)
            if self._holds(tensor):
                tensor._grad_storage = storage
                if tensor.retained is not None:
                    storage[...] = tensor.retained
                    tensor.retained = storage

    def _holds(self, tensor: Tensor) -> bool:
        return tensor.primal.base is self.value

    def _refuse_if_taken_over(self) -> None:
        value = self.value
        for tensor in self.tensors:
            if tensor.primal.base is not value:
                raise RuntimeError(
                    f"{described(tensor)} was taken over by another Flat, of an optimizer that was made later, or "
                    "given another group; use that one."
                )
