"""Dropout as a layer."""

from __future__ import annotations

from typing import Any

from nn import functional, hints, init
from nn.checked import real, switch
from nn.model.module import Module


class Dropout(Module):
    """In training each element by chance 0, with probability p, and otherwise itself / (1 - p); in evaluation x.

    Parameters
    ----------
    p : from 0 to 1; rate is another name of it
    rng : where the chance comes from: a numpy.random.Generator, an int seed, or None; kept as the attribute `rng`,
        whose state goes on from call to call
    inplace : has no effect, since Tensors are never written into; accepted for programs written for PyTorch

    It draws anew at every call, so it does not belong into ad.checkpoint, which calls a function twice.
    Source: Srivastava et al. 2014.
    """

    @hints.also("Dropout", {"rate": "p"}, {})
    def __init__(self, p: float = 0.5, rng: init.Rng = None, *, inplace: bool = False) -> None:
        switch(inplace, "Dropout: inplace")
        self.p = real(p, "Dropout: p, the probability of 0,", most=1)
        self.rng = init.generator(rng)

    def forward(self, x: Any) -> Any:
        """x with some elements dropped, in its shape."""
        return functional.dropout(x, self.p, self.training, self.rng)

    def __repr__(self) -> str:
        return f"Dropout({self.p:g})"
