"""Adam and its relatives: steps along a running mean of the adjoints, divided by the root of one of their squares."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

import autodiff as ad
from nn.checked import switch
from nn.optim.clipping import norm
from nn.optim.optimizer import Optimizer
from nn.optim.options import Check, Group, Option, beta_pair, number
from nn.optim.run import Run


class Moments(Optimizer):
    """The base of Adam, NAdam and LAMB: running means m of g and v of g².

    m = β₁ m + (1 - β₁) g and v = β₂ v + (1 - β₂) g²; m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ) correct the bias from the
    start at 0; t counts a parameter's steps. The state holds grad_sum M = m / (1 - β₁) and square_sum V = v / (1 - β₂),
    with the betas of the last step; exp_avg and exp_avg_sq of other libraries are (1 - β₁) M and (1 - β₂) V.
    """

    # M = β₁ M + g and V = β₂ V + g² take two passes fewer than m and v, and with c² = (1 - β₂) / (1 - β₂ᵗ)
    # m̂ / (√v̂ + eps) = (1 - β₁) / ((1 - β₁ᵗ) c) · M / (√V + eps / c).
    vectors: ClassVar[tuple[str, ...]] = ("grad_sum", "square_sum")
    numbers: ClassVar[dict[str, Check[Any]]] = {"betas": beta_pair}

    betas = Option(beta_pair)
    eps = Option(number())

    def placed(self) -> None:
        """Make the arrays of numbers that a step needs."""
        # 0-d arrays of the parameters' dtype: a Python float would be converted again by every operation.
        self._factors = [np.empty((), self.flat.value.dtype) for _ in range(4)]

    def first_numbers(self, group: Group) -> dict[str, Any]:
        """The betas of the last step, before the first one."""
        return {"betas": group.options["betas"]}

    def factors(self, *values: Any) -> Any:
        """Numbers as 0-d arrays on the host; unchanged while the step is being compiled."""
        if any(type(value) is not float for value in values) or not isinstance(self.flat.value, np.ndarray):
            return values
        for factor, value in zip(self._factors, values, strict=True):
            factor[()] = value
        return self._factors

    def rescaled(self, run: Run) -> tuple[float, float]:
        """The factors of M and V for this step that keep m and v if the betas were changed; otherwise 1."""
        before, betas = run.numbers["betas"], run.options["betas"]
        run.numbers["betas"] = betas
        if before == betas:
            return 1.0, 1.0
        return (1 - before[0]) / (1 - betas[0]), (1 - before[1]) / (1 - betas[1])


class Adam(Moments):
    """Adam (Kingma & Ba 2015): p = p - lr m̂ / (√v̂ + eps), from running means m of g and v of g².

    m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ) correct the bias from the start at 0; t counts a parameter's steps. With
    `amsgrad` v is the largest so far (Reddi et al. 2018). `weight_decay` adds weight_decay p to g; AdamW decays p
    itself.

    >>> p = ad.Tensor([1.0, -5.0])
    >>> optimizer = nn.optim.Adam([p], lr=0.1)
    >>> for _ in range(2):
    ...     optimizer.zero_grad()
    ...     np.sum(p**2).backward()
    ...     optimizer.step()
    >>> p.value.round(4)  # each step is about lr long, however large the gradient
    array([ 0.8004, -4.8001])
    """

    vectors = ("grad_sum", "square_sum", "max_square_sum")
    optional = ("max_square_sum",)
    decoupled = False  # whether the decay does not enter the means

    amsgrad = Option(switch)

    def __init__(
        self,
        params: Iterable[Any] | None = None,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decay_biases: bool = True,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            amsgrad=amsgrad,
            maximize=maximize,
            decay_biases=decay_biases,
        )

    def update(self, run: Run) -> None:
        """One step of the run's pieces."""
        options = run.options
        lr, amsgrad = options["lr"], options["amsgrad"]
        if amsgrad and "max_square_sum" not in self.state:
            self.remember("max_square_sum")
        rescale1, rescale2 = self.rescaled(run)
        beta1, beta2 = options["betas"]
        c = ((1 - beta2) / (1 - beta2**run.steps)) ** 0.5
        rate = lr * (1 - beta1) / ((1 - beta1**run.steps) * c)
        decay1, decay2, eps, rate = self.factors(beta1 * rescale1, beta2 * rescale2, options["eps"] / c, rate)
        decaying, shrink = self.decoupled and run.weight_decay, 1 - lr * run.weight_decay
        for p, g, m, v, largest, scratch, _ in run.directed() if self.decoupled else run.decayed():
            if decaying:
                p *= shrink
            m *= decay1
            m += g
            v *= decay2
            np.multiply(g, g, out=scratch)
            v += scratch
            if amsgrad:
                if rescale2 != 1:
                    largest *= rescale2
                np.maximum(largest, v, out=largest)
            np.sqrt(largest if amsgrad else v, out=scratch)
            scratch += eps
            np.divide(m, scratch, out=scratch)
            scratch *= rate
            p -= scratch


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019): p = p - lr weight_decay p before Adam's own step.

    >>> p = ad.Tensor([[1.0]])
    >>> optimizer = nn.optim.AdamW([p], lr=0.1, weight_decay=0.5)
    >>> np.sum(p**2).backward()
    >>> optimizer.step()
    >>> p.value.round(4)
    array([[0.85]])
    """

    decoupled = True

    def __init__(
        self,
        params: Iterable[Any] | None = None,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decay_biases: bool = True,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, decay_biases=decay_biases)


class NAdam(Moments):
    """NAdam (Dozat 2016): Adam with Nesterov's momentum, p = p - lr (a g + b m) / (√v̂ + eps).

    a = (1 - μₜ) / (1 - μ₁ ⋯ μₜ) and b = μₜ₊₁ / (1 - μ₁ ⋯ μₜ₊₁), with μₜ = β₁ (1 - 0.96^(t momentum_decay) / 2); m and
    v̂ are Adam's. `weight_decay` adds weight_decay p to g; `decoupled_weight_decay` decays p itself, as AdamW.

    >>> p = ad.Tensor([1.0])
    >>> optimizer = nn.optim.NAdam([p], lr=0.1)
    >>> np.sum(p**2).backward()
    >>> optimizer.step()
    >>> p.value.round(3)
    array([0.894])
    """

    numbers: ClassVar[dict[str, Check[Any]]] = {"betas": beta_pair, "mu_product": number(most=1)}

    momentum_decay = Option(number())
    decoupled_weight_decay = Option(switch)

    def __init__(
        self,
        params: Iterable[Any] | None = None,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        decay_biases: bool = True,
    ) -> None:
        super().__init__(
            params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, momentum_decay=momentum_decay,
            decoupled_weight_decay=decoupled_weight_decay, maximize=maximize, decay_biases=decay_biases,
        )  # fmt: skip

    def first_numbers(self, group: Group) -> dict[str, Any]:
        """The betas, and the product of the momenta so far."""
        return {**super().first_numbers(group), "mu_product": 1.0}

    def update(self, run: Run) -> None:
        """One step of the run's pieces."""
        options = run.options
        lr, decay, decoupled = options["lr"], options["momentum_decay"], options["decoupled_weight_decay"]
        rescale1, rescale2 = self.rescaled(run)
        beta1, beta2 = options["betas"]
        mu, following = (beta1 * (1 - 0.5 * 0.96 ** (t * decay)) for t in (run.steps, run.steps + 1))
        product = run.numbers["mu_product"] = run.numbers["mu_product"] * mu
        c = ((1 - beta2) / (1 - beta2**run.steps)) ** 0.5
        along = (1 - mu) / (1 - product)
        share = following * (1 - beta1) / (1 - product * following) / along
        for p, g, m, v, scratch, spare in run.directed() if decoupled else run.decayed():
            if decoupled:
                p *= 1 - lr * run.weight_decay
            m *= beta1 * rescale1
            m += g
            v *= beta2 * rescale2
            np.multiply(g, g, out=scratch)
            v += scratch
            np.multiply(m, share, out=scratch)
            scratch += g
            np.sqrt(v, out=spare)  # the spare may have held g, which is no longer needed
            spare += options["eps"] / c
            scratch /= spare
            scratch *= lr * along / c
            p -= scratch


class LAMB(Moments):
    """LAMB (You et al. 2020, algorithm 2): p = p - lr ‖p‖/‖r‖ r, with Adam's r = m̂ / (√v̂ + eps) + weight_decay p.

    The norms are those of one parameter, a layer's weight or its bias. If one of them is 0, their ratio counts as 1.

    >>> model = nn.Linear(2, 1, rng=0)
    >>> nn.optim.LAMB(model.parameters(), lr=0.01).param_groups[0]["weight_decay"]
    0.01
    """

    each_alone = True

    def __init__(
        self,
        params: Iterable[Any] | None = None,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 1e-2,
        *,
        maximize: bool = False,
        decay_biases: bool = True,
    ) -> None:
        super().__init__(
            params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, maximize=maximize, decay_biases=decay_biases
        )

    def placed(self) -> None:
        """Make the arrays of numbers that a step needs, and the vector of its directions."""
        super().placed()
        self._directions = np.empty_like(self.flat.value)  # r, whose norm is known only after its last piece

    def update(self, run: Run) -> None:
        """One step of a parameter's pieces."""
        options, decay = run.options, run.weight_decay
        rescale1, rescale2 = self.rescaled(run)
        beta1, beta2 = options["betas"]
        c = ((1 - beta2) / (1 - beta2**run.steps)) ** 0.5
        start = run.start
        for p, g, m, v, scratch, _ in run.directed():
            # While a program is made of the rule, p stands for an array, all of the parameter.
            r = self._directions[start : start + len(p)] if isinstance(p, np.ndarray) else np.empty_like(p)
            start += len(p)
            m *= beta1 * rescale1
            m += g
            v *= beta2 * rescale2
            np.multiply(g, g, out=scratch)
            v += scratch
            np.sqrt(v, out=scratch)
            scratch += options["eps"] / c
            np.divide(m, scratch, out=r)
            r *= (1 - beta1) / ((1 - beta1**run.steps) * c)
            if decay:
                np.multiply(p, decay, out=scratch)
                r += scratch
        if len(run.pieces) != 1:
            p, r = self.flat.value[run.start : run.stop], self._directions[run.start : run.stop]
        r *= options["lr"] * trust(p, r)
        p -= r


@ad.primitive
def trust(p: Any, r: Any) -> float:
    """The ratio of the norms of a parameter and of its direction; 1 if one of them is 0."""
    lengths = norm([p]), norm([r])
    return lengths[0] / lengths[1] if all(lengths) else 1.0


ad.lowered(trust)
