"""Many arrays of one shape treated as one: what `ad.vmap` and the Jacobians push through a function in one pass."""

from autodiff.batching import rules
from autodiff.batching.array import FAILURES, Batch, NotBatched, levels, looped, new_level, packed, unpacked

__all__ = ["FAILURES", "Batch", "NotBatched", "levels", "looped", "new_level", "packed", "rules", "unpacked"]
