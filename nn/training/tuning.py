"""A search for the hyper-parameters of a training: sizes, rates, batches."""

from __future__ import annotations

import functools
import inspect
import itertools
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nn.checked import whole
from nn.data import DataLoader
from nn.init import Rng, generator
from nn.model.module import Module
from nn.report.history import aligned, duration
from nn.training import names
from nn.training.arguments import LossFunction, OptimizerMaker
from nn.training.fitting import fit
from nn.training.jobs import Job, Outcome
from nn.training.restarting import Restarts, check_several, set_aside, train_all

if TYPE_CHECKING:
    from concurrent.futures import Executor

FIXED = {"model", "data", "callbacks", "parallel"}  # arguments of fit that cannot be searched


class Search(Restarts):
    """Several trainings with different options, the result of `search`.

    options : the options of each trial, by name
    best_options : the options of the best trial
    model, history, best, seeds, scores, histories, monitor, data, validation, interrupted : as in Restarts, by trial
    """

    each = "trial"

    def __init__(self, data: Any, validation: Any) -> None:
        super().__init__(data, validation)
        self.options: list[dict[str, Any]] = []

    @property
    def best_options(self) -> dict[str, Any]:
        """The options of the best trial."""
        return self.options[self.best]

    def add(self, job: Job, outcome: Outcome) -> None:
        """Add a trial."""
        super().add(job, outcome)
        self.options.append(dict(job.options))

    def __repr__(self) -> str:
        """The trials as a table, the best first."""
        listed = list(self.options[0]) if self.options else []
        rows = [["trial", *listed, self.monitor.replace("_", " "), "epochs", "time"]]
        worst = -math.inf if self.rises else math.inf
        scores = [worst if math.isnan(score) else score for score in self.scores]
        for k in sorted(range(len(self)), key=lambda k: scores[k], reverse=self.rises):
            history, score = self.histories[k], f"{self.scores[k]:.4f}"
            options = (_shown(self.options[k][name]) for name in listed)
            rows.append([str(k + 1), *options, score, str(len(history)), duration(sum(history.seconds))])
        return aligned(rows) + ("\ninterrupted" if self.interrupted else "")


def search(
    space: Mapping[str, Any],
    make: Callable[..., Module],
    data: tuple[npt.ArrayLike, ...] | DataLoader,
    *,
    loss: LossFunction | str,
    optimizer: OptimizerMaker | str,
    trials: int | None = None,
    rng: Rng = 0,
    monitor: str | None = None,
    epochs: int = 10,
    validation: Any = None,
    callbacks: Any = (),
    executor: Executor | None = None,
    verbose: bool = True,
    **fit_arguments: Any,
) -> Search:
    """Train models with options from a space, and keep the best.

    Parameters
    ----------
    space : the choices for each name: a list of values; or a range (low, high), from which numbers are drawn uniformly,
        ints if both are ints; or (low, high, "log"), with uniform logarithms
    make : a function that makes a model from a generator and those options that it has parameters for, such as
        def make(rng, hidden): return nn.MLP(64, hidden, 10, rng=rng)
    optimizer : a function of a model's parameters that makes one, or a name
    trials : the number of random choices; None for all combinations of lists
    data, loss, epochs, validation, callbacks, monitor, rng, executor, verbose, fit_arguments : as in `restarts`

    An option that `make` does not take is passed to `fit` if that has such an argument ("batch_size", "clip_norm",
    "epochs"), and otherwise to the function that makes the optimizer ("lr", "weight_decay"). All models begin with the
    same seed, so that they differ only by their options. The same rng gives the same bits, with any executor.

    >>> def make(rng, hidden):
    ...     return nn.MLP(2, hidden, 2, rng=rng)
    >>> space = {"hidden": [4, 8], "lr": (1e-4, 1e-1, "log"), "batch_size": [16, 32]}
    >>> given = dict(loss="cross_entropy", optimizer="adam", trials=3, epochs=2, verbose=False)
    >>> found = nn.search(space, make, nn.data.xor(60, rng=0), **given)
    >>> sorted(found.best_options)
    ['batch_size', 'hidden', 'lr']

    Bergstra & Bengio 2012, "Random search for hyper-parameter optimization", show why random options find more than the
    same number on a grid. Raises TypeError and ValueError for a wrong space, and the errors of `restarts`.
    """
    epochs = whole(epochs, "epochs")
    check_several("search", optimizer, fit_arguments, executor)
    draws = generator(rng)
    seed = int(draws.integers(2**32))
    chosen = _chosen(space, trials, draws)
    data, validation = set_aside(data, validation, fit_arguments, draws)
    fixed = {"loss": loss, "optimizer": optimizer, "epochs": epochs, "validation": validation, "callbacks": callbacks}
    jobs = [_job(make, seed, data, fixed | fit_arguments, monitor, options) for options in chosen]
    found = Search(data, validation)
    train_all(found, jobs, executor, epochs, verbose)
    return found


def _job(
    make: Callable[..., Module],
    seed: int,
    data: Any,
    arguments: dict[str, Any],
    monitor: str | None,
    options: dict[str, Any],
) -> Job:
    """The job with these options, passed to `make`, `fit` or the optimizer."""
    known = inspect.signature(fit).parameters.keys() - FIXED
    given = list(inspect.signature(make).parameters.values())[1:]
    takes = {p.name for p in given if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    if any(p.kind is p.VAR_KEYWORD for p in given):
        takes |= options.keys() - known - {"lr", "weight_decay"}
    of_model = {name: value for name, value in options.items() if name in takes}
    of_fit = {name: value for name, value in options.items() if name in known - takes}
    rest = {name: value for name, value in options.items() if name not in takes | known}
    arguments = arguments | of_fit
    if rest:
        maker = arguments["optimizer"]
        maker = names.optimizer_kind(maker) if isinstance(maker, str) else maker
        _check_takes(maker, rest, make)
        arguments["optimizer"] = functools.partial(maker, **rest)
    return Job(functools.partial(make, **of_model) if of_model else make, seed, data, arguments, monitor, None, options)


def _check_takes(maker: Any, options: dict[str, Any], make: Any) -> None:
    try:
        inspect.signature(maker).bind(None, **options)
    except TypeError:
        taking = f"make{inspect.signature(make)}", f"optimizer{inspect.signature(maker)}"
        raise TypeError(
            f"search was given options {', '.join(map(repr, options))} that neither make, nor fit, nor the optimizer "
            f"takes: {'; '.join(taking):.300}. Give one of them a parameter of that name."
        ) from None


def _chosen(space: Mapping[str, Any], trials: int | None, draws: np.random.Generator) -> list[dict[str, Any]]:
    """The options of each trial."""
    if not isinstance(space, Mapping) or not space:
        raise TypeError(
            f"search takes a space, a dict of what may be chosen for each name; received {space!r:.80}. Write "
            'search({"hidden": [16, 32], "lr": (1e-4, 1e-1, "log")}, ...).'
        )
    drawing = {name: _drawing(name, choices) for name, choices in space.items()}
    if trials is not None:
        count = whole(trials, "search: trials")
        return [{name: draw(draws) for name, draw in drawing.items()} for _ in range(count)]
    ranges = [name for name, choices in space.items() if isinstance(choices, tuple)]
    if ranges:
        raise ValueError(
            f"search goes through all combinations of lists; {', '.join(ranges)} is a range, of which there is no end. "
            "Write trials=20, say, or lists."
        )
    return [dict(zip(space, values, strict=True)) for values in itertools.product(*space.values())]


def _drawing(name: str, choices: Any) -> Callable[[np.random.Generator], Any]:
    """The function that draws a value for a name."""
    asked = f"search: {name} is a list of values, or a range (low, high) or (low, high, 'log')"
    if isinstance(choices, list) and choices:
        return lambda rng: choices[int(rng.integers(len(choices)))]
    numbers = choices[:2] if isinstance(choices, tuple) else ()
    log = len(choices) == 3 and choices[2] == "log" if isinstance(choices, tuple) else False
    if len(numbers) != 2 or len(choices) != 2 + log or not all(isinstance(n, int | float) for n in numbers):
        raise TypeError(f"{asked}; received {choices!r:.80}. Write [16, 32], or (1e-4, 1e-1, 'log').")
    low, high = numbers
    if not (low < high and math.isfinite(low) and math.isfinite(high)) or (log and low <= 0):
        above = ", with low above 0" if log else ""
        raise ValueError(f"{asked}, from low up to high{above}; received {choices!r:.80}.")
    if isinstance(low, int) and isinstance(high, int):
        if log:
            return lambda rng: min(high, math.floor(math.exp(rng.uniform(math.log(low), math.log(high + 1)))))
        return lambda rng: int(rng.integers(low, high, endpoint=True))
    if log:
        return lambda rng: math.exp(rng.uniform(math.log(low), math.log(high)))
    return lambda rng: float(rng.uniform(low, high))


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return str(getattr(value, "__name__", value))[:20]
