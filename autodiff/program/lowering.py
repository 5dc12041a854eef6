"""What a function that is being traced may ask for besides NumPy: primitives as programs write them, and effects.

Three doors for functions that do not know whether they are traced; outside of a trace each is a plain call.

`ask(question, *arrays)`      an answer that depends on numbers, by which a program is chosen
`effect(function, *given)`    a call that is made every time, in its order, such as a draw of random numbers
`lowered(primitive, ...)`     how programs write a primitive (in the table)
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from autodiff.engine.graph import Node
from autodiff.engine.loops import loops_of
from autodiff.engine.table import Primitive, table
from autodiff.program.graph import replaced
from autodiff.program.recorder import Recorder
from autodiff.program.traced import Traced, tracing

recorder: ContextVar[Recorder | None] = ContextVar("recorder", default=None)
_lock = threading.Lock()
_open: list[tuple[Primitive, Callable[..., Any]]] = []  # the primitives that are lowered now, with their functions
_traces = 0


def ask(question: Callable[..., Any], *arrays: Any) -> Any:
    """The answer of a function to arrays or Tensors: what checks, and branches on, numbers.

    In a function that `ad.compile` traces, the program holds as long as the answer stays the same, and a call with
    another one is traced anew; so the arrays may depend on the arguments by a few steps only. An answer of None is a
    check: of what takes many steps it is made of the first call's numbers alone.

    >>> ad.ask(lambda labels: bool(labels.min() < 0), np.array([0, 2, 1]))
    False
    """
    plain = [a.primal if isinstance(a, Node) else a for a in arrays]
    now = recorder.get()
    if now is None or tracing(*plain) is None:
        return question(*plain)
    answer = question(*(replaced(a, lambda t: t.example, Traced) for a in plain))
    now.asked(question, plain, answer)
    return answer


def effect(function: Callable[..., Any], *given: Any) -> Any:
    """A function's result, where every call counts: it draws random numbers, or writes into an array it is given.

    A program that `ad.compile` makes calls it every time, in the order of the calls, with what it was given; its text
    is held by the program's source, so it knows nothing but NumPy.

    >>> def draw(rng, shape):
    ...     return rng.random(shape) < 0.5
    >>> ad.effect(draw, np.random.default_rng(0), (3,))
    array([False,  True,  True])
    """
    now = recorder.get()
    return function(*given) if now is None else now.effect(function, given)


@contextmanager
def traced_by(now: Recorder) -> Iterator[None]:
    """Within it calls go to this recorder, and primitives are those that programs write."""
    token = recorder.set(now)
    _enter()
    try:
        yield
    finally:
        _leave()
        recorder.reset(token)


def _enter() -> None:
    """Exchange the primitives' functions: so they cost nothing while nobody traces, and other threads see the same."""
    global _traces
    with _lock:
        _traces += 1
        if _traces == 1:
            for known in table.values():
                if known.lowering is not None:
                    _open.append((known, known.function))
                    known.function = _door(known.function, known.lowering)


def _leave() -> None:
    global _traces
    with _lock:
        _traces -= 1
        if not _traces:
            for known, function in _open:
                known.function = function
            _open.clear()


def _door(function: Callable[..., Any], lowering: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def door(*args: Any, **kwargs: Any) -> Any:
        traced = tracing(*args, *kwargs.values())
        if traced is None:
            return function(*args, **kwargs)
        whole = lowering is function or (traced.recorder.fast and not kwargs and loops_of(function, args) is not None)
        written = NotImplemented if whole else lowering(*args, **kwargs)
        return traced.step(function, *args, **kwargs) if written is NotImplemented else written

    return door
