"""Rules of complex numbers.

The gradient of a real function L of a complex array z is dL/d(Re z) + i dL/d(Im z), the direction of steepest ascent:
z - rate * grad goes downhill. That is PyTorch's convention; JAX gives the conjugate. An adjoint passed to a complex
result as its seed is meant in the same way.

Inside a reverse pass the adjoint of z is the conjugate of that, the g of dL = Re(g dz). So the rule of a holomorphic
function is g f'(z), as if z were real. What follows here are the functions that are not holomorphic: where
dy = p dz + q conj(dz), dL = Re((g p + conj(g q)) dz). Where z is real, only the real part of its adjoint counts.
"""

import numpy as np

from autodiff.engine.table import adjoint, composed, constant, linear
from autodiff.engine.values import Value
from autodiff.rules.quotient import quotient

DEGREE = 180 / np.pi

constant(np.isreal, np.iscomplex)

adjoint(np.conjugate, lambda g, y, x: np.conj(g))
adjoint(np.real, lambda g, y, val: g)
adjoint(np.imag, lambda g, y, val: -1j * g if val.dtype.kind == "c" else np.zeros_like(g))
adjoint(np.real_if_close, lambda g, y, a, tol=100: g)
linear(np.conjugate, np.real, np.imag)


def turned(g: Value, y: Value, z: Value, deg: bool = False) -> Value:
    """The angle is the imaginary part of ln z, so its adjoint is -i g / z; it is constant along the real line."""
    if z.dtype.kind != "c":
        return np.zeros_like(g)
    return -1j * (g * DEGREE if deg else g) / z


adjoint(np.angle, turned)


@composed(np.sign)
def sign(x: Value) -> Value:
    """The sign of real numbers, a constant; of complex ones x / |x|, which varies, and 0 where x is 0."""
    if np.iscomplexobj(x):
        return quotient(x, np.absolute(x))
    return np.sign(getattr(x, "primal", x))
