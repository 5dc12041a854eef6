"""Functions whose derivative is zero wherever it exists: called with Tensors, they give plain arrays."""

import numpy as np

from autodiff.engine.table import constant

constant(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal)
constant(np.logical_and, np.logical_or, np.logical_xor, np.logical_not)
constant(np.isfinite, np.isinf, np.isnan, np.signbit, np.spacing)
constant(np.floor, np.ceil, np.rint, np.trunc, np.floor_divide, np.round, np.around, np.fix)
constant(np.argmax, np.argmin, np.argsort, np.argwhere, np.nonzero, np.flatnonzero, np.searchsorted, np.digitize)
constant(np.all, np.any, np.count_nonzero, np.isclose, np.allclose, np.array_equal, np.isneginf, np.isposinf)
constant(np.shape, np.ndim, np.size, np.iscomplexobj, np.isrealobj, np.result_type, np.may_share_memory)
constant(np.zeros_like, np.ones_like, np.empty_like)
constant(np.argpartition, np.lexsort, np.nanargmax, np.nanargmin, np.isin, np.array_equiv, np.shares_memory)
constant(np.diag_indices_from, np.tril_indices_from, np.triu_indices_from, np.einsum_path)
constant(np.can_cast, np.common_type, np.min_scalar_type, np.array2string, np.array_repr, np.array_str)
for name in ("in1d",):  # until NumPy 2.4
    if hasattr(np, name):
        constant(getattr(np, name))
