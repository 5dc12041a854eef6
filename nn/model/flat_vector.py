"""A model's parameters as one vector, for optimizers that do not know models, such as SciPy's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.model.module import Module
from nn.training import arguments

Vector = npt.NDArray[Any]


class FlatParameters(ad.Flat):
    """Parameters as one vector `value` and their adjoints as one vector `grad`, of shape (number of elements,)."""

    def assign(self, vector: npt.ArrayLike) -> None:
        """Give all parameters new values, converted to their dtype.

        Raises ValueError for a vector of another length, TypeError for one that is not of real numbers, and
        RuntimeError if another flat vector or an optimizer, made later, has taken over the parameters.
        """
        given = np.asarray(vector)
        if given.shape != self.value.shape:
            raise ValueError(
                f"the parameters are a vector of shape {self.value.shape}; received one of shape {given.shape}. Pass "
                "one such as flat.value, or the result's x of scipy.optimize.minimize."
            )
        if given.dtype.kind not in "fiub":
            raise TypeError(f"the parameters are {self.value.dtype}; received a vector of dtype {given.dtype}.")
        self.reached()  # raises RuntimeError if they were taken over
        self.value[...] = given
        self.assigned()

    def objective(self, loss: Callable[[], ad.Tensor]) -> Callable[[npt.ArrayLike], tuple[float, Vector]]:
        """The loss as a function of the vector that gives (value, gradient), with the gradient in float64 (`jac=True`).

        `loss` has no arguments and computes the loss with the present model as one Tensor; TypeError for another
        result. The gradient of parameters that it does not depend on is 0. Each call assigns its vector to the model.
        The last one tried need not be the best, so assign the result at the end.
        """

        def at(vector: npt.ArrayLike) -> tuple[float, Vector]:
            self.assign(vector)
            self.zero_grad()
            self.grad[...] = 0  # of parameters that the loss does not depend on
            value = loss()
            number = arguments.one_number(value)
            value.backward()
            return number, self.grad.astype(np.float64)

        return at


def flat(model: Module) -> FlatParameters:
    """The parameters of a model, which become views into one vector `flat.value`; frozen ones are left out.

    Logistic regression to full accuracy, by SciPy's L-BFGS:

    >>> import scipy.optimize
    >>> X, y = nn.data.gauss(100, rng=0)
    >>> model = nn.Linear(2, 2, rng=0, dtype=np.float64)
    >>> flat = nn.flat(model)
    >>> def loss():
    ...     return nn.functional.cross_entropy(model(X), y) + 0.01 * np.sum(model.weight**2)
    >>> result = scipy.optimize.minimize(flat.objective(loss), flat.value, jac=True, method="L-BFGS-B")
    >>> flat.assign(result.x)
    >>> bool(np.max(np.abs(result.jac)) < 1e-4)
    True

    Use float64, so that line searches do not end early at rounding errors. With dropout the loss differs from call to
    call, and such methods fail: call model.eval() first. An optimizer that was made for the parameters before has to be
    made again. Raises ValueError for a model without parameters to train, TypeError for mixed dtypes.
    """
    return FlatParameters(arguments.trainable(model).parameters)
