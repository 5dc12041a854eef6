"""A model's parameters as one vector, for optimizers that know nothing of models: SciPy's, for one."""

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
        RuntimeError where another flat vector or an optimizer, made later, has taken the parameters over.
        """
        given = np.asarray(vector)
        if given.shape != self.value.shape:
            raise ValueError(
                f"the parameters are a vector of shape {self.value.shape}; received one of shape {given.shape}. Pass "
                "one such as flat.value, or the result's x of scipy.optimize.minimize."
            )
        if given.dtype.kind not in "fiub":
            raise TypeError(f"the parameters are {self.value.dtype}; received a vector of dtype {given.dtype}.")
        self.reached()  # refuses if they were taken over
        self.value[...] = given
        self.assigned()

    def objective(self, loss: Callable[[], ad.Tensor]) -> Callable[[npt.ArrayLike], tuple[float, Vector]]:
        """The loss as a function of the vector: it gives (value, gradient), the latter in float64, for `jac=True`.

        `loss` takes nothing, and computes the loss with the model as it is, as one Tensor; TypeError for anything
        else. The gradient by parameters that it does not depend on is 0. Each call leaves the vector it was called
        with in the model, so that the last one tried stays, which need not be the best: assign that in the end.
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
    """The parameters of a model, from now on views into one vector `flat.value`; frozen ones are left out.

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

    With float64, line searches end at the minimum rather than at rounding errors. Dropout makes a loss that differs
    from call to call, and such methods fail then: call model.eval() before. An optimizer that was made for the
    parameters before has to be made again. Raises ValueError for a model without parameters to train, TypeError for
    mixed dtypes.
    """
    return FlatParameters(arguments.trainable(model).parameters)
