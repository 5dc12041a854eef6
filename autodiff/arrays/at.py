"""`t.at[index]`: a changed copy of a Tensor, since Tensors are not written into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autodiff.rules.indexing import added_at, replaced_at, settled

if TYPE_CHECKING:
    from autodiff.arrays.tensor import Tensor

Index = Any


class At:
    """The elements at which a copy of a Tensor is to differ: `t.at[index]`, then `.set(v)` or `.add(v)`."""

    def __init__(self, tensor: Tensor, index: Index = None, chosen: bool = False) -> None:
        self._tensor, self._index, self._chosen = tensor, index, chosen

    def __getitem__(self, index: Index) -> At:
        return At(self._tensor, settled(index), chosen=True)

    def set(self, value: Any) -> Tensor:
        """A new Tensor with `value`, broadcast, at the index; where an index repeats, the last one counts."""
        return replaced_at(self._tensor, value, index=self._asked())

    def add(self, value: Any) -> Tensor:
        """A new Tensor with `value`, broadcast, added at the index; where an index repeats, every one counts."""
        return added_at(self._tensor, value, index=self._asked())

    def _asked(self) -> Index:
        if not self._chosen:
            raise TypeError("t.at needs an index: t.at[index].set(value) or t.at[index].add(value)")
        return self._index
