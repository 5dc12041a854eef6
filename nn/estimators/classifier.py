"""The classifier of scikit-learn's kind."""

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

    Parameters that scikit-learn's own MLPClassifier has mean the same here. It does not standardise its inputs: put
    a StandardScaler before it, in a Pipeline.

    Parameters
    ----------
    hidden_layer_sizes : the units of each hidden layer; () leaves logistic regression
    activation : "relu", "tanh", "logistic", "gelu" ..., or what nn.MLP takes, such as nn.ReLU
    optimizer : "adam" or another of nn.optim's by name, or what makes one when called with (parameters,
        decay_biases=False): a class such as nn.optim.SGD, or functools.partial(nn.optim.SGD, momentum=0.9)
    alpha : the L2 penalty on the weights, not the biases: alpha/2 |w|² / samples is added to the mean loss, by way of
        the optimizer's weight decay; `loss_curve_` is without it
    batch_size : samples per step, or "auto", which is 200, or all if there are fewer
    learning_rate_init : the step size, whatever makes the optimizer
    max_iter : epochs at most
    random_state : an int seed, a numpy.random.RandomState or Generator; None is a new seed each time
    tol : training ends when the loss has not fallen by more than this ...
    n_iter_no_change : ... for so many epochs
    early_stopping : whether to go by the loss of samples set aside, and to end with the weights for which it was least
    validation_fraction : the share of them, of each class
    verbose : whether to show one line per epoch
    warm_start : whether `fit` goes on from the last one's weights
    dropout : the share of hidden units that are left out at random in training, from 0 to below 1
    dtype : np.float32 or np.float64 to compute in; None takes that of X, float64 if it has none of them

    Attributes
    ----------
    classes_ : the classes, sorted
    model_ : the nn.Sequential that was trained; it gives logits
    history_, loss_curve_, n_iter_ : the nn.History, its losses, how many epochs there were
    n_features_in_, feature_names_in_ : what X had
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
        """The logarithms of the probabilities, finite where those have underflown."""
        return ad.log_softmax(self._outputs(X), axis=1)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:  # noqa: N803
        """One epoch on X and y. The first call takes `classes`, all there are to be."""
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
        """The labels: the validation has its share of each class."""
        return targets
