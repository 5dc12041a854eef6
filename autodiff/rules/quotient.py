"""A quotient that is 0 where nothing is divided by nothing, as in x / |x| at 0.

The 0 is a convention for the first derivative of what has none there, a norm at 0. Its own derivative is NaN: any
number would be wrong, for |x| does not curve like a smooth function, and |x|² does.
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
    """b, and NaN where the quotient of a and b is there by convention."""
    return np.where(np.equal(a, 0) & np.equal(b, 0), np.nan, b).astype(b.dtype)


adjoint(
    quotient,
    lambda g, y, a, b: unbroadcast(g / divisor(a, b), np.shape(a)),
    lambda g, y, a, b: unbroadcast(-g * y / divisor(a, b), np.shape(b)),
)
