"""Many arrays of one shape as one object: `ad.vmap` and the Jacobians compute with it in one pass."""

from autodiff.batching import rules
from autodiff.batching.array import FAILURES, Batch, NotBatched, levels, looped, new_level, packed, unpacked

__all__ = ["FAILURES", "Batch", "NotBatched", "levels", "looped", "new_level", "packed", "rules", "unpacked"]
