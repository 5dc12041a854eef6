"""The regressor of scikit-learn's kind."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import RegressorMixin

from nn.estimators.perceptron import Perceptron
from nn.losses import MSELoss

Array = npt.NDArray[Any]


class MLPRegressor(RegressorMixin, Perceptron):  # type: ignore[misc, unused-ignore]  # scikit-learn has no types
    """A multi-layer perceptron that gives one number or several, as a scikit-learn estimator.

    It minimises half the mean squared error, as scikit-learn's own MLPRegressor does. Parameters and attributes are
    those of nn.MLPClassifier, less the classes. It standardises neither inputs nor targets: a StandardScaler and a
    TransformedTargetRegressor do. y is of shape (samples,) or (samples, outputs), and so is what it predicts.
    """

    criterion = MSELoss(half=True)
    checks: ClassVar[dict[str, bool]] = {"multi_output": True, "y_numeric": True}

    def predict(self, X: Any) -> Array:  # noqa: N803
        """The outputs for each row of X, of shape (samples,) or (samples, outputs)."""
        found = self._outputs(X)
        return found[:, 0] if self._single else found

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """One epoch on X and y."""
        return self._continue(X, y, sample_weight, known=False)

    def _encoded(self, y: Array, dtype: np.dtype[Any], known: bool) -> tuple[Array, int]:
        """The targets as columns."""
        targets = y.reshape(len(y), -1).astype(dtype)
        outputs = targets.shape[1]
        if known and outputs != self._architecture.sizes[-1]:
            raise ValueError(
                f"y has one column per output, {self._architecture.sizes[-1]} since the first fit; received shape "
                f"{y.shape}. Fit a new estimator for others."
            )
        self._single = y.ndim == 1
        return targets, outputs

    def _strata(self, targets: Array) -> None:
        """Numbers have no classes."""

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn is to know: y may have several columns."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _more_tags(self) -> dict[str, bool]:
        """The same to scikit-learn before 1.6."""
        return {"multioutput": True}
