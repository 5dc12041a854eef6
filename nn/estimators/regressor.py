"""The regressor as a scikit-learn estimator."""

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

    It minimises half the mean squared error, like scikit-learn's MLPRegressor. Parameters and attributes are those of
    nn.MLPClassifier, without the classes. It does not standardise inputs or targets: use a StandardScaler and a
    TransformedTargetRegressor. y has the shape (samples,) or (samples, outputs), and so have the predictions.

    >>> X, y = np.linspace(-1, 1, 50).reshape(-1, 1), np.linspace(-1, 1, 50) ** 2
    >>> model = nn.MLPRegressor((16,), learning_rate_init=0.05, random_state=0).fit(X, y)
    >>> model.predict(X).shape
    (50,)
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
        """None: numbers have no classes."""

    def __sklearn_tags__(self) -> Any:
        """scikit-learn's tags: y may have several columns."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _more_tags(self) -> dict[str, bool]:
        """The tags for scikit-learn before 1.6."""
        return {"multioutput": True}
