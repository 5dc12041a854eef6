"""The contexts of a call of `fit`: the processes that share it, and the threads of BLAS."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar, cast

from nn.checked import whole
from nn.parallel.alone import Alone

F = TypeVar("F", bound=Callable[..., Any])


def surrounded(function: F) -> F:
    """The function, which has the arguments parallel, threads and checkpoint, called within these contexts."""

    @functools.wraps(function)
    def calling(*args: Any, parallel: Any = None, threads: int | None = None, **named: Any) -> Any:
        ranks = Alone() if parallel is None else parallel
        if not isinstance(ranks, Alone):
            raise TypeError(f"parallel is nn.MPI() or None; received {parallel!r:.80}. Write parallel=nn.MPI().")
        ranks = ranks if ranks.size > 1 else Alone()
        with blas_threads(threads), ranks.guarding(named.get("checkpoint"), bool(named.get("verbose", True))):
            return function(*args, parallel=ranks, threads=threads, **named)

    return cast(F, calling)


def blas_threads(count: int | None) -> AbstractContextManager[Any]:
    """A context in which BLAS, which computes matrix products, uses `count` threads; None changes nothing.

    Raises ModuleNotFoundError without threadpoolctl, RuntimeError if it finds no BLAS whose threads can be set.
    """
    if count is None:
        return nullcontext()
    count = whole(count, "threads, of BLAS,")
    try:
        from threadpoolctl import threadpool_info, threadpool_limits
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"threads={count} was asked for, which takes threadpoolctl; it is not installed. Write pip install "
            "threadpoolctl, or leave threads away."
        ) from error
    if not any(library["user_api"] == "blas" for library in threadpool_info()):
        raise RuntimeError(
            f"threads={count} was asked for, and threadpoolctl finds no BLAS whose threads it can set. Leave threads "
            "away, and set the variable of your BLAS (VECLIB_MAXIMUM_THREADS on macOS) before Python starts."
        )
    return threadpool_limits(count, "blas")
