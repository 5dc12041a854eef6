"""What NumPy's functions are to differentiation: the adjoint rules, a line each, and the constants.

`g` is the adjoint of the result and `y` the result; then come the function's own arguments.
"""

from autodiff.rules import constants, contraction, elementwise, indexing, reduction, shaping

__all__ = ["constants", "contraction", "elementwise", "indexing", "reduction", "shaping"]
