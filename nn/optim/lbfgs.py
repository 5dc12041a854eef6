"""L-BFGS: steps along an estimate of Newton's direction; the loss is computed several times per step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nn.checked import real, whole
from nn.optim.line_search import Evaluation, strong_wolfe
from nn.optim.optimizer import Optimizer
from nn.optim.options import Group, Option, number
from nn.optim.state import checked_state, packed_state

Vector = npt.NDArray[Any]
LEAST_CURVATURE = 1e-10  # a pair is kept if y·s is above it, so that the estimate stays positive definite


def _searching(value: Any, what: str) -> str | None:
    if value is not None and value != "strong_wolfe":
        raise ValueError(f'{what} is None or "strong_wolfe"; received {value!r:.80}.')
    return value


def _counted(value: Any, what: str) -> int:
    return whole(value, what)


def _counted_or_none(value: Any, what: str) -> int | None:
    return None if value is None else whole(value, what)


class LBFGS(Optimizer):
    """Limited-memory BFGS (Liu & Nocedal 1989): p = p + t d, with d = -H g from the last `history_size` steps.

    H approximates the inverse of the second derivative by pairs (s, y): the step s, and the change y of the gradient; d
    is computed by the two-loop recursion (Nocedal & Wright 2006, algorithm 7.4). Use it for losses that are the same at
    every call: all samples at once, and no dropout.

    Parameters
    ----------
    params : as in all optimizers; one group
    lr : the step size t; multiplied by min(1, 1/|g|₁) in the first iteration
    max_iter : the most iterations per step
    max_eval : the most calls of the closure per step; by default 5/4 of max_iter
    tolerance_grad : a step ends when no element of the gradient is larger
    tolerance_change : a step also ends when neither a parameter nor the loss changes by more
    history_size : the number of pairs that are kept
    line_search_fn : None for steps of length lr; "strong_wolfe" for steps that meet the strong Wolfe conditions, which
        calls the closure more often

    >>> p = ad.Tensor([-1.0, 2.0])
    >>> optimizer = nn.optim.LBFGS([p], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> for _ in range(3):
    ...     loss = optimizer.step(closure)
    >>> p.value.round(3)
    array([1., 1.])
    """

    needs_closure = (
        "LBFGS computes the loss several times a step; write optimizer.step(closure), with def closure(): "
        "optimizer.zero_grad(); loss = criterion(model(X), y); loss.backward(); return loss. nn.fit goes through "
        "mini-batches, for which nn.optim.Adam is."
    )

    max_iter = Option(_counted)
    max_eval = Option(_counted_or_none)
    tolerance_grad = Option(number())
    tolerance_change = Option(number())
    history_size = Option(_counted)
    line_search_fn = Option(_searching)

    def __init__(
        self,
        params: Iterable[Any] | None = None,
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        super().__init__(
            params, lr=lr, max_iter=max_iter, max_eval=max_eval, tolerance_grad=tolerance_grad,
            tolerance_change=tolerance_change, history_size=history_size, line_search_fn=line_search_fn,
        )  # fmt: skip

    @classmethod
    def check_together(cls, options: Mapping[str, Any]) -> None:
        """Raise ValueError for a weight decay or maximize: the closure alone defines the loss."""
        if options.get("maximize"):
            raise ValueError(
                f"{cls.__name__} minimises what the closure gives; received maximize=True. Give the negative, and call "
                "its backward: (-loss).backward()."
            )
        if options.get("weight_decay"):
            raise ValueError(
                f"{cls.__name__} minimises what the closure gives; received weight_decay={options['weight_decay']}. "
                "Add it to the loss: loss + 0.5 * weight_decay * nn.functional.l2_penalty(model.parameters())."
            )

    def bind(self, params: Iterable[Any]) -> None:
        """Set the parameters of an optimizer that was made without them."""
        super().bind(params)
        self._forget()

    @classmethod
    def check_groups(cls, groups: Sequence[Group]) -> None:
        """Raise ValueError for several groups."""
        if len(groups) > 1:
            raise ValueError(
                f"LBFGS has one group of parameters, for its direction is that of them all; received {len(groups)}. "
                "Write LBFGS(model.parameters())."
            )

    def _forget(self) -> None:
        self.iterations = self.evaluations = 0
        self._pairs: list[tuple[Vector, Vector]] = []  # (y, s), the newest last
        self._direction: Vector | None = None
        self._gradient: Vector | None = None  # the gradient at which the direction was computed
        self._length = 0.0

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Iterate until a limit or a tolerance is reached. Returns the loss at the beginning.

        `closure` clears the adjoints, computes the loss, calls its backward, and returns it.
        """
        if closure is None:
            raise TypeError(self.needs_closure)
        options = self.first_options
        first, found = self._evaluated(closure)
        calls, most = 1, options["max_eval"] or options["max_iter"] * 5 // 4
        for iteration in range(1, options["max_iter"] + 1):
            if np.max(np.abs(found.gradient), initial=0.0) <= options["tolerance_grad"]:
                break
            self.iterations += 1
            direction, length = self._chosen(found.gradient)
            slope = float(np.dot(found.gradient, direction))
            if slope > -options["tolerance_change"]:
                break
            before, last = found.loss, iteration == options["max_iter"]
            found, length, more = self._moved(closure, found, direction, length, slope, last)
            self._length = length
            calls += more
            if last or calls >= most:
                break
            change = float(np.max(np.abs(direction))) * length
            if change <= options["tolerance_change"] or abs(found.loss - before) < options["tolerance_change"]:
                break
        return first

    def _evaluated(self, closure: Callable[[], Any]) -> tuple[Any, Evaluation]:
        """The closure's result, and its numbers: the loss, and the gradient as one vector."""
        value = closure()
        self.evaluations += 1
        self.flat.reached()  # raises RuntimeError if another optimizer has taken over the parameters
        if all(tensor.grad is None for tensor in self.flat.tensors):
            raise RuntimeError(
                "LBFGS: the closure gave no parameter an adjoint. Let it call loss.backward() after zero_grad()."
            )
        gradient = np.array(self.flat.grad)
        for tensor, section in zip(self.flat.tensors, self.flat.sections, strict=True):
            if tensor.grad is None:  # the loss does not depend on it
                gradient[section] = 0
        return value, Evaluation(float(getattr(value, "value", value)), gradient)

    def _chosen(self, gradient: Vector) -> tuple[Vector, float]:
        """The direction from this point, and the first length to try."""
        lr = self.first_options["lr"]
        if self._direction is None or self._gradient is None:
            direction, length = -gradient, min(1.0, 1.0 / float(np.sum(np.abs(gradient)))) * lr
        else:
            y, s = gradient - self._gradient, self._direction * self._direction.dtype.type(self._length)
            if np.dot(y, s) > LEAST_CURVATURE:
                self._pairs = [*self._pairs, (y, s)][-self.first_options["history_size"] :]
            direction, length = two_loops(gradient, self._pairs), lr
        self._direction, self._gradient = direction, gradient
        return direction, length

    def _moved(
        self,
        closure: Callable[[], Any],
        found: Evaluation,
        direction: Vector,
        length: float,
        slope: float,
        last: bool,
    ) -> tuple[Evaluation, float, int]:
        """Go along the direction. Returns the loss and gradient there, the length, and the number of closure calls."""
        start = self.flat.value.copy()

        def at(t: float) -> Evaluation:
            self._assign(start + direction * start.dtype.type(t))
            return self._evaluated(closure)[1]

        if self.first_options["line_search_fn"] is None:
            if not last:
                return at(length), length, 1
            self._assign(start + direction * start.dtype.type(length))
            return found, length, 0
        before = self.evaluations
        found, length = strong_wolfe(at, found, direction, length, slope, self.first_options["tolerance_change"])
        self._assign(start + direction * start.dtype.type(length))
        return found, length, self.evaluations - before

    def _assign(self, vector: Vector) -> None:
        self.flat.value[...] = vector
        self.flat.assigned()

    def unreached(self) -> list[str]:
        """The parameters that have no adjoint."""
        return [self._name(k) for k, tensor in enumerate(self.flat.tensors) if tensor.grad is None]

    def state_dict(self) -> dict[str, Any]:
        """As in all optimizers; there is one state for all parameters, under the number 0."""
        state: dict[int, dict[str, Any]] = {}
        if self._direction is not None and self._gradient is not None:
            state[0] = {
                "n_iter": self.iterations,
                "func_evals": self.evaluations,
                "t": self._length,
                "d": self._direction.copy(),
                "prev_flat_grad": self._gradient.copy(),
                "old_dirs": [y.copy() for y, _ in self._pairs],
                "old_stps": [s.copy() for _, s in self._pairs],
            }
        return packed_state(type(self).__name__, state, self.param_groups)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue bit for bit where another LBFGS for the same number of parameters stopped."""
        given = dict(state_dict) if isinstance(state_dict, Mapping) else state_dict
        state = given.pop("state", None) if isinstance(given, dict) else None
        (options,), _ = checked_state(
            {**given, "state": {}} if state is not None else given, type(self), self.param_groups, self.flat.value.dtype
        )
        kept = _entry(state, self.flat.value)
        self._groups[0].options = options
        self._forget()
        if kept:
            self.iterations, self.evaluations = kept["n_iter"], kept["func_evals"]
            self._length, self._direction, self._gradient = kept["t"], kept["d"], kept["prev_flat_grad"]
            self._pairs = list(zip(kept["old_dirs"], kept["old_stps"], strict=True))


def two_loops(gradient: Vector, pairs: list[tuple[Vector, Vector]]) -> Vector:
    """-H g for the H of these pairs (y, s), oldest first (Nocedal & Wright 2006, algorithm 7.4).

    The initial H is s·y / y·y of the newest pair times the identity (equation 7.20).
    """
    q = -gradient
    shares = []
    for y, s in reversed(pairs):
        shares.append(np.dot(s, q) / np.dot(y, s))
        q -= shares[-1] * y
    if pairs:
        y, s = pairs[-1]
        q *= np.dot(y, s) / np.dot(y, y)
    for y, s in pairs:
        q += (shares.pop() - np.dot(y, q) / np.dot(y, s)) * s
    return q


def _entry(state: Any, like: Vector) -> dict[str, Any]:
    """The saved state, checked; empty if no step was made."""
    if not isinstance(state, Mapping) or not state:
        return {}
    entry = next(iter(state.values()))
    vectors, lists, counts = ("d", "prev_flat_grad"), ("old_dirs", "old_stps"), ("n_iter", "func_evals")
    known = {*vectors, *lists, *counts, "t"}
    if not isinstance(entry, Mapping) or entry.keys() != known:
        raise ValueError(
            f"LBFGS: the state has {', '.join(sorted(known))}; received {', '.join(map(str, entry))}. Pass what "
            "LBFGS.state_dict() gave."
        )
    arrays = [entry[name] for name in vectors] + [a for name in lists for a in entry[name]]
    if len({len(entry[name]) for name in lists}) > 1 or any(
        np.shape(a) != like.shape or np.asarray(a).dtype != like.dtype for a in arrays
    ):
        raise ValueError(
            f"LBFGS: the vectors of the state have the shape {like.shape} and the dtype {like.dtype}; received "
            f"{', '.join(sorted({f'{np.shape(a)} {np.asarray(a).dtype}' for a in arrays}))}. Load it into one for the "
            "same model."
        )
    return {
        "t": real(entry["t"], "LBFGS: t"),
        **{name: whole(entry[name], f"LBFGS: {name}", 0) for name in counts},
        **{name: np.array(entry[name]) for name in vectors},
        **{name: [np.array(a) for a in entry[name]] for name in lists},
    }
