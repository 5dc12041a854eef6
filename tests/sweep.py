"""One test of a property for many things: it tries all of them, and one error lists every failure."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import pytest


def for_each(things: Iterable[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator for a check: the test calls it with each thing as first argument; the others are pytest's fixtures.

    The error names things by their repr. One test for thousands of things takes half the time of thousands of tests.
    """
    listed = list(things)
    if not listed:
        raise ValueError("for_each received nothing to test")

    def of(check: Callable[..., None]) -> Callable[..., None]:
        def test(**fixtures: Any) -> None:
            failures: dict[str, BaseException] = {}
            for thing in listed:
                try:
                    check(thing, **fixtures)
                except (Exception, pytest.fail.Exception) as error:  # go on with the other things
                    error.add_note(f"in the test of {thing!r}")
                    failures[repr(thing)] = error
            if failures:
                said = f"{len(failures)} of {len(listed)} failed: {', '.join(failures):.4000}"
                raise BaseExceptionGroup(said, [*failures.values()])

        signature = inspect.signature(check)
        test.__name__, test.__qualname__, test.__doc__ = check.__name__, check.__qualname__, check.__doc__
        test.__module__ = check.__module__
        test.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])  # type: ignore[attr-defined]  # inspect reads it
        return test

    return of
