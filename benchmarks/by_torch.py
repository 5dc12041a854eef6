"""torch.compile's contestants: a whole training step, or a value with its gradient, as one compiled graph, float32.

It needs a C++ compiler. Where a graph cannot be made, the reason is printed and the contestant is left out.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.operations import threads

Contestants = dict[str, Callable[[], object]]


def step(model: Any, loss: Any, x: np.ndarray, y: np.ndarray, lr: float = 1e-3) -> Contestants:
    """An Adam step of a PyTorch model; `loss` is a function of (outputs, targets)."""
    import torch

    inputs, targets, parameters, call = *map(torch.from_numpy, (x, y)), *_functional(model)
    means, squares = ({name: torch.zeros_like(p) for name, p in parameters.items()} for _ in range(2))
    count = torch.zeros(())

    def one() -> Any:
        slopes, value = torch.func.grad_and_value(lambda ps: loss(call(ps, (inputs,)), targets))(parameters)
        count.add_(1)
        rate, c = lr / (1 - 0.9**count), torch.sqrt(1 - 0.999**count)
        for name, p in parameters.items():
            g, m, v = slopes[name], means[name], squares[name]
            m.mul_(0.9).add_(g, alpha=0.1)
            v.mul_(0.999).addcmul_(g, g, value=0.001)
            p.sub_(rate * m / (v.sqrt() / c + 1e-8))
        return value

    return _compiled(one)


def demo(model: Any, points: np.ndarray, signs: np.ndarray, lr: float = 0.1) -> Contestants:
    """A gradient descent step on the mean hinge loss plus a penalty; signs are -1 or 1, of shape (batch, 1)."""
    import torch

    x, y, parameters, call = *map(torch.from_numpy, (points, signs)), *_functional(model)

    def loss(ps: Any) -> Any:
        return (1 - y * call(ps, (x,))).relu().mean() + 1e-4 * sum((p * p).sum() for p in ps.values())

    def one() -> Any:
        slopes, value = torch.func.grad_and_value(loss)(parameters)
        for name, p in parameters.items():
            p.sub_(lr * slopes[name])
        return value

    return _compiled(one)


def gradient(function: Callable[[Any, Any], Any], x: np.ndarray) -> Contestants:
    """The value and the gradient of a function of (torch, x)."""
    import torch

    both, at = torch.func.grad_and_value(functools.partial(function, torch)), torch.from_numpy(x)
    return _compiled(lambda: both(at))


def _functional(model: Any) -> tuple[dict[str, Any], Callable[..., Any]]:
    import torch

    parameters = {name: p.detach().clone() for name, p in model.named_parameters()}
    return parameters, functools.partial(torch.func.functional_call, model)


def _compiled(one: Callable[[], Any]) -> Contestants:
    import torch

    torch.set_num_threads(threads())
    program = torch.compile(one, fullgraph=True)

    def run() -> object:
        with torch.no_grad():
            return program()

    try:
        run()
    except Exception as error:
        print(f"    (without torch.compile: {type(error).__name__}, {str(error).splitlines()[0]:.80})")
        return {}
    return {"torch.compile": run}
