"""Many calls of one function by any executor, in any order; a call whose worker is lost is repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

A = TypeVar("A")
R = TypeVar("R")

TRIES = 3  # the most attempts for a call whose worker is lost
LOST = frozenset({"KilledWorker", "WorkerCrashedError", "NodeDiedError"})  # errors of other executors for a lost worker


def checked(executor: Any) -> Executor | None:
    """The executor or None. Raises TypeError for anything else."""
    from concurrent.futures import Executor  # takes a few milliseconds, so `import nn` does not do it

    if executor is not None and not isinstance(executor, Executor):
        raise TypeError(
            f"executor is a concurrent.futures.Executor, or None; received {executor!r:.80}. Write "
            "executor=concurrent.futures.ProcessPoolExecutor(4), or of a Dask client executor=client.get_executor()."
        )
    return executor


def completed(function: Callable[[A], R], arguments: Sequence[A], executor: Executor) -> Iterator[tuple[int, R]]:
    """The number of each argument and the function's result for it, in the order in which the calls finish.

    A call whose worker is lost (killed, for example, because memory ran out) is tried again, up to three times in all;
    a ProcessPoolExecutor that broke is replaced by a new one. Any other error is raised, and calls that have not begun
    are cancelled.
    """
    from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, wait

    pool = executor
    given_out: dict[Future[R], int] = {}
    tries = [0] * len(arguments)
    waiting = list(range(len(arguments)))
    try:
        while waiting or given_out:
            try:
                for k in waiting:
                    given_out[pool.submit(function, arguments[k])] = k
                    tries[k] += 1
                waiting = []
            except BrokenExecutor:
                pool = _another(pool, executor)
                waiting = [k for k in waiting if k not in given_out.values()]
                continue
            for future in wait(given_out, return_when=FIRST_COMPLETED).done:
                k = given_out.pop(future)
                try:
                    result = future.result()
                except Exception as error:
                    if not _is_loss(error) or tries[k] == TRIES:
                        raise _explained(error, tries[k])  # noqa: B904  # it is the same error
                    waiting.append(k)
                else:
                    yield k, result
    finally:
        for future in given_out:
            future.cancel()
        if pool is not executor:
            pool.shutdown(cancel_futures=True)


def _is_loss(error: Exception) -> bool:
    from concurrent.futures import BrokenExecutor

    return isinstance(error, BrokenExecutor) or type(error).__name__ in LOST


def _another(broken: Executor, first: Executor) -> Executor:
    """A new pool of processes with the settings of a broken one."""
    from concurrent.futures import BrokenExecutor, ProcessPoolExecutor

    if not isinstance(broken, ProcessPoolExecutor):
        raise BrokenExecutor(f"{broken!r:.80} takes no more calls, since it lost its workers. Make a new one.")
    if broken is not first:
        broken.shutdown()
    inside: Any = broken  # a pool has no public attributes for its settings
    return ProcessPoolExecutor(inside._max_workers, inside._mp_context, inside._initializer, inside._initargs)


def _explained(error: Exception, tries: int) -> Exception:
    if _is_loss(error):
        error.add_note(
            f"The worker was lost {tries} times with this call: something in it ends the process, or takes more memory "
            "than there is. Run it without an executor to see."
        )
    elif any(word in f"{type(error).__name__}: {error}".lower() for word in ("pickle", "local object")):
        error.add_note(
            "To another process go functions by the names they have at the top of a module: define there what makes "
            "the model and the optimizer, the loss and the callbacks. A ThreadPoolExecutor takes any."
        )
    return error
