"""Rules of complex numbers.

The gradient of a real function L of a complex array z is dL/d(Re z) + i dL/d(Im z), the direction of steepest ascent:
z - rate * grad goes downhill. This is PyTorch's convention; JAX gives the conjugate. The seed of a complex result
follows the same convention.

Inside a reverse pass the adjoint of z is the conjugate of the gradient, the g of dL = Re(g dz). So the rule of a
holomorphic function is g f'(z), as for a real z. The functions of this file are not holomorphic: from
dy = p dz + q conj(dz) follows dL = Re((g p + conj(g q)) dz). If z is real, only the real part of its adjoint counts.
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
    """The adjoint of z for the angle, the imaginary part of ln z: -i g / z. On the real line it is constant."""
    if z.dtype.kind != "c":
        return np.zeros_like(g)
    return -1j * (g * DEGREE if deg else g) / z


adjoint(np.angle, turned)


@composed(np.sign)
def sign(x: Value) -> Value:
    """The sign of real numbers, a constant; for complex numbers x / |x|, which is not constant, and 0 at 0."""
    if np.iscomplexobj(x):
        return quotient(x, np.absolute(x))
    return np.sign(getattr(x, "primal", x))
