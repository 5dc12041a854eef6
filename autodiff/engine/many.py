"""Special forms of rules: for any number of arrays (np.stack), and for writing into a given array."""

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
    """The rule of a function of any number of arrays, which returns the adjoints of all of them at once."""

    def __getitem__(self, position: int) -> Rule:
        return lambda g, y, *arguments, **parameters: self.rule(g, y, *arguments, **parameters)[position]


class Into:
    """A rule with a second form, which writes the adjoint into a given array.

    `filled(out, g, y, *arguments, **parameters)` writes into `out`, an array of the argument's shape and dtype, and
    returns it; if it cannot, it returns another array. `backward` calls this form with the part of an `ad.Flat` that
    holds a parameter's adjoint, which saves a new array and its copy. Everywhere else the first form is called.

    >>> product = ad.primitive(lambda a, b: np.dot(a, b))
    >>> of_b = ad.Into(lambda g, y, a, b: np.dot(a.T, g), lambda out, g, y, a, b: np.dot(a.T, g, out=out))
    >>> ad.adjoint(product, lambda g, y, a, b: np.dot(g, b.T), of_b)
    """

    def __init__(self, rule: Rule, filled: Rule) -> None:
        functools.update_wrapper(self, rule)
        self.filled = filled

    def __call__(self, *arguments: Any, **parameters: Any) -> Any:
        """The adjoint by the first form of the rule."""
        return self.__wrapped__(*arguments, **parameters)  # type: ignore[attr-defined]  # update_wrapper sets it
