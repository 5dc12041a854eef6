"""A quotient with 0 / 0 = 0, as in x / |x| at 0.

The 0 is a convention for the first derivative where there is none, such as that of a norm at 0. The derivative of this
0 is NaN: no number would be right for both |x|, which has a kink there, and |x|², which is smooth.
"""

import numpy as np

from autodiff.engine.shapes import unbroadcast
from autodiff.engine.table import adjoint, primitive
from autodiff.engine.values import Value


@primitive
def quotient(a: Value, b: Value) -> Value:
    """The elementwise quotient of a and b, with 0 / 0 = 0."""
    return np.divide(a, np.where(np.equal(a, 0) & np.equal(b, 0), 1, b))


def divisor(a: Value, b: Value) -> Value:
    """b, with NaN where the quotient of a and b is 0 by convention."""
    return np.where(np.equal(a, 0) & np.equal(b, 0), np.nan, b).astype(b.dtype)


adjoint(
    quotient,
    lambda g, y, a, b: unbroadcast(g / divisor(a, b), np.shape(a)),
    lambda g, y, a, b: unbroadcast(-g * y / divisor(a, b), np.shape(b)),
)
