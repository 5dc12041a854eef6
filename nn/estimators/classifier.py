"""The classifier as a scikit-learn estimator."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets

import autodiff as ad
from nn.estimators.perceptron import Perceptron
from nn.losses import CrossEntropyLoss

Array = npt.NDArray[Any]


class MLPClassifier(ClassifierMixin, Perceptron):  # type: ignore[misc, unused-ignore]  # scikit-learn has no types
    """A multi-layer perceptron that gives classes probabilities, as a scikit-learn estimator.

    Parameters that scikit-learn's MLPClassifier has too mean the same here. It does not standardise its inputs: put a
    StandardScaler before it, in a Pipeline.

    Parameters
    ----------
    hidden_layer_sizes : the units of each hidden layer; () for logistic regression
    activation : "relu", "tanh", "logistic", "gelu" ..., or an activation as nn.MLP takes it, such as nn.ReLU
    optimizer : "adam" or another name from nn.optim, or a function of (parameters, decay_biases=False): a class such as
        nn.optim.SGD, or functools.partial(nn.optim.SGD, momentum=0.9)
    alpha : the L2 penalty on the weights, not the biases: alpha/2 |w|² / samples is added to the mean loss, through the
        optimizer's weight decay; `loss_curve_` does not include it
    batch_size : samples per step, or "auto" for 200, or all if there are fewer
    learning_rate_init : the step size of the optimizer
    max_iter : the largest number of epochs
    random_state : an int seed, a numpy.random.RandomState or Generator; None is a new seed each time
    tol, n_iter_no_change : training ends when the loss has not fallen by more than `tol` for `n_iter_no_change` epochs
    early_stopping : whether to use the loss of samples set aside instead, and to end with the weights of its minimum
    validation_fraction : the share of the samples set aside, of each class
    verbose : whether to show one line per epoch
    warm_start : whether `fit` continues from the last weights
    dropout : the share of hidden units that are dropped in training, from 0 to below 1
    dtype : np.float32 or np.float64 to compute in; None for the dtype of X, or float64 if X has neither

    Attributes
    ----------
    classes_ : the classes, sorted
    model_ : the nn.Sequential that was trained; it gives logits
    history_, loss_curve_, n_iter_ : the nn.History, its losses, the number of epochs
    n_features_in_, feature_names_in_ : the number and the names of the features of X

    >>> X, y = nn.data.iris()
    >>> model = nn.MLPClassifier((16,), learning_rate_init=0.05, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.9
    True
    """

    criterion = CrossEntropyLoss()
    checks: ClassVar[dict[str, bool]] = {}

    def predict(self, X: Any) -> Array:  # noqa: N803
        """The most probable class of each row of X, of shape (samples,)."""
        best = np.argmax(self.predict_proba(X), axis=1)
        return self.classes_[best]

    def predict_proba(self, X: Any) -> Array:  # noqa: N803
        """The probability of each class for each row of X, of shape (samples, classes), in the order of `classes_`."""
        return ad.softmax(self._outputs(X), axis=1)

    def predict_log_proba(self, X: Any) -> Array:  # noqa: N803
        """The logarithms of the probabilities, finite even where the probabilities underflow."""
        return ad.log_softmax(self._outputs(X), axis=1)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:  # noqa: N803
        """One epoch on X and y. The first call takes `classes`, all classes that will occur."""
        if not hasattr(self, "model_"):
            if classes is None:
                raise ValueError(
                    "the first partial_fit takes all the classes that are to come; received none. Write "
                    "partial_fit(X, y, classes=np.unique(all_labels))."
                )
            self.classes_ = np.unique(classes)
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(
                f"the classes were fixed by the first call as {self.classes_!r:.80}; received {classes!r:.80}."
            )
        return self._continue(X, y, sample_weight, known=True)

    def _encoded(self, y: Array, dtype: np.dtype[Any], known: bool) -> tuple[Array, int]:
        """The places of the labels among the classes."""
        check_classification_targets(y)
        if not known:
            self.classes_ = np.unique(y)
        places = np.searchsorted(self.classes_, y).clip(max=len(self.classes_) - 1)
        unknown = np.unique(y[self.classes_[places] != y])
        if len(unknown):
            raise ValueError(
                f"y has labels that are not among the classes {self.classes_!s:.80}; received {unknown!s:.80}. Pass "
                "partial_fit all classes at its first call; for others, fit a new estimator."
            )
        return places, len(self.classes_)

    def _strata(self, targets: Array) -> Array:
        """The labels, so that the validation samples have the same share of each class."""
        return targets
