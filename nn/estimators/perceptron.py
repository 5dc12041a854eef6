"""The base of the classifier and the regressor: parameters, fitting, pickling."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.utils import validation

from nn import init
from nn.checked import real, switch, whole
from nn.data import train_test_split
from nn.estimators.architecture import Architecture, architecture
from nn.layers.containers import Sequential
from nn.losses import Criterion
from nn.optim import Optimizer
from nn.report.history import History
from nn.training import evaluation
from nn.training.callbacks import EarlyStopping
from nn.training.fitting import fit
from nn.training.samples import columns

Array = npt.NDArray[Any]
AUTO = 200  # the largest batch with batch_size="auto", as in scikit-learn


class Perceptron(BaseEstimator):  # type: ignore[misc, unused-ignore]  # scikit-learn has no types
    """A multi-layer perceptron as an estimator; subclasses interpret its outputs."""

    criterion: ClassVar[Criterion]
    checks: ClassVar[dict[str, bool]]  # options of scikit-learn's check of y

    model_: Sequential
    history_: History
    loss_curve_: list[float]
    n_iter_: int
    _architecture: Architecture
    _optimizer: Optimizer
    _random: np.random.Generator

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        optimizer: Any = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate_init: float = 0.001,
        max_iter: int = 200,
        random_state: Any = None,
        tol: float = 0.0001,
        verbose: bool = False,
        warm_start: bool = False,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        dropout: float = 0.0,
        dtype: Any = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.optimizer = optimizer
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.dropout = dropout
        self.dtype = dtype

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803  # scikit-learn's name
        """Train on X, of shape (samples, features), and y; `sample_weight`, of shape (samples,), weights the samples.

        It begins again, or with `warm_start` continues after the last fit. Returns the estimator itself. Raises
        ValueError and TypeError for parameters, shapes and numbers that do not fit, and DivergedError as `nn.fit` does.
        """
        held_out = switch(self.early_stopping, "early_stopping")
        stopping = EarlyStopping(
            whole(self.n_iter_no_change, "n_iter_no_change, in epochs,"),
            "validation_loss" if held_out else "loss",
            min_delta=real(self.tol, "tol"),
            restore_best=held_out,
        )
        share = real(self.validation_fraction, "validation_fraction", above=True, below=1)
        begun = switch(self.warm_start, "warm_start") and hasattr(self, "model_")
        arrays = self._begin(X, y, sample_weight, begun, begun)
        if begun:
            self._architecture = self._architecture.trained_as(architecture(self, *self._architecture.kept))
            self._optimizer = self._architecture.optimizer(self.model_)
        held = None
        if held_out:
            strata = self._strata(arrays[1])
            parts = train_test_split(*arrays, test_size=share, stratify=strata, rng=self._random)
            arrays, held = parts[::2], parts[1::2]
        epochs = whole(self.max_iter, "max_iter, in epochs,")
        return self._keep(self._learn(arrays, epochs, validation=held, callbacks=stopping))

    def _continue(self, X: Any, y: Any, sample_weight: Any, known: bool) -> Self:  # noqa: N803
        """One more epoch, or the first one: the implementation of partial_fit."""
        if self.early_stopping:
            raise ValueError("partial_fit goes through its data once; early_stopping=True is for fit. Set it to False.")
        begun = hasattr(self, "model_")
        history = self._learn(self._begin(X, y, sample_weight, begun, known or begun), 1)
        for loss, seconds in zip(history["loss"], history.seconds, strict=True):  # empty if it was interrupted
            self.history_.append(dict.fromkeys(self.history_, np.nan) | {"loss": loss}, seconds)
        return self._keep(self.history_)

    def _begin(self, X: Any, y: Any, sample_weight: Any, begun: bool, known: bool) -> tuple[Array, ...]:  # noqa: N803
        """X, y in the form of the loss, and the weights if there are any; makes the model unless training has begun."""
        kinds: Any = [np.float64, np.float32] if self.dtype is None else init.floating(self.dtype)
        if begun:
            kinds = self._architecture.dtype
        X, y = _validated(self, X, y, reset=not begun, dtype=kinds, **self.checks)  # noqa: N806
        targets, outputs = self._encoded(y, X.dtype, known)
        if sample_weight is not None and not np.any(np.asarray(sample_weight)):
            raise ValueError("fit was asked of samples whose every sample_weight is zero. Give some of them weight.")
        arrays = columns((X, targets), sample_weight, "fit")
        if not begun:
            made = architecture(self, outputs, X.dtype)
            random = generator(self.random_state)
            model = made.model(random)
            self._optimizer = made.optimizer(model)
            self._architecture = made
            self._random = random
            self.model_ = model
            self.history_ = History(["loss"])
        return arrays

    def _learn(self, arrays: tuple[Array, ...], epochs: int, **options: Any) -> History:
        """The history of a training of the model on these arrays."""
        count = len(arrays[0])
        size = AUTO if isinstance(self.batch_size, str) and self.batch_size == "auto" else self.batch_size
        size = min(whole(size, 'batch_size, in samples, or "auto",'), count)
        # A step adds the penalty alpha/2 |w|² / batch to the loss, whose adjoint is alpha w / batch.
        weight = size * (float(np.mean(arrays[2])) if len(arrays) == 3 else 1.0) or 1.0
        self._optimizer.assign("lr", real(self.learning_rate_init, "learning_rate_init", above=True))
        self._optimizer.assign("weight_decay", real(self.alpha, "alpha") / weight)
        return fit(
            self.model_,
            arrays,
            self.criterion,
            self._optimizer,
            epochs=epochs,
            batch_size=size,
            rng=self._random,
            verbose=switch(self.verbose, "verbose"),
            **options,
        )

    def _keep(self, history: History) -> Self:
        self.history_ = history
        self.loss_curve_ = history["loss"]
        self.n_iter_ = len(history)
        return self

    def _outputs(self, X: Any) -> Array:  # noqa: N803
        """The model's outputs for X, of shape (samples, outputs)."""
        validation.check_is_fitted(self, "model_")
        return evaluation.predict(self.model_, _validated(self, X, reset=False, dtype=self._architecture.dtype))

    def _encoded(self, y: Array, dtype: np.dtype[Any], known: bool) -> tuple[Array, int]:
        """The targets for the loss, and the number of outputs; with `known` this number is fixed already."""
        raise NotImplementedError

    def _strata(self, targets: Array) -> Array | None:
        """The labels for stratified validation samples, or None."""
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        """The state of pickles and copies: arrays instead of the model and the optimizer."""
        state = dict(super().__getstate__())
        if "model_" in state:
            state |= {"model_": self.model_.state_dict(), "_optimizer": self._optimizer.state_dict()}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the model and the optimizer again."""
        super().__setstate__(state)
        if "model_" in state:
            drawn = self._random.bit_generator.state
            self.model_ = self._architecture.model(self._random).eval()
            self._random.bit_generator.state = drawn
            self.model_.load_state_dict(state["model_"])
            self._optimizer = self._architecture.optimizer(self.model_)
            self._optimizer.load_state_dict(state["_optimizer"])


def generator(random_state: Any) -> np.random.Generator:
    """The generator for scikit-learn's `random_state`; None gives a freshly seeded one."""
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(2**32, size=4, dtype=np.uint32))
    try:
        return init.generator(random_state)
    except TypeError:
        raise TypeError(
            "random_state is an int from 0, a numpy.random.RandomState or Generator, or None; received "
            f"{random_state!r:.80}. Write random_state=0."
        ) from None


def _validated(estimator: Perceptron, *arrays: Any, **options: Any) -> Any:
    """The arrays after scikit-learn's validate_data, which was a method before version 1.6."""
    if hasattr(validation, "validate_data"):
        return validation.validate_data(estimator, *arrays, **options)
    return estimator._validate_data(*arrays, **options)
