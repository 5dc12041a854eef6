"""A quotient that is 0 where nothing is divided by nothing, as in x / |x| at 0."""

from typing import Any

import numpy as np

from autodiff.engine.shapes import unbroadcast
from autodiff.engine.table import adjoint, primitive


@primitive
def quotient(a: Any, b: Any) -> Any:
    """The elementwise quotient of a and b, with 0 / 0 = 0."""
    return np.divide(a, np.where(np.equal(a, 0) & np.equal(b, 0), 1, b))


adjoint(
    quotient,
    lambda g, y, a, b: unbroadcast(quotient(g, b), np.shape(a)),
    lambda g, y, a, b: unbroadcast(quotient(-g * y, b), np.shape(b)),
)
