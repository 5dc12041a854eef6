"""The adjoint rules of functions that take any number of arrays, such as np.stack."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any

Rule = Callable[..., Any]


class Each:
    """The rules of a function of any number of arrays: one rule, whose first argument is the position."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    def __getitem__(self, position: int) -> Rule:
        return functools.partial(self.rule, position)

    def __iter__(self) -> Iterator[Rule]:
        return map(self.__getitem__, itertools.count())


class Together(Each):
    """The rule of a function of any number of arrays that gives the adjoints of all of them at once."""

    def __getitem__(self, position: int) -> Rule:
        return lambda g, y, *arguments, **parameters: self.rule(g, y, *arguments, **parameters)[position]
