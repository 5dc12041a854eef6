"""Functions, besides NumPy's, that work inside a traced function: questions, effects, and lowered primitives.

Callers need not know whether they are traced; outside a trace each is an ordinary call.

`ask(question, *arrays)`      an answer that depends on numbers; a program is right for one answer
`effect(function, *given)`    a call that every run makes, in order, such as a draw of random numbers
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
_open: list[tuple[Primitive, Callable[..., Any]]] = []  # the lowered primitives and their functions
_traces = 0


def ask(question: Callable[..., Any], *arrays: Any) -> Any:
    """The result of a question, a function of arrays or Tensors: use it to check numbers and to branch on them.

    In a function that `ad.compile` traces, the program is right as long as the answer is the same; for another answer
    the function is traced again. The question is asked at every call, so the arrays must follow from the arguments by
    a few steps. A question that returns None is a check, which raises an error if it fails; if its arrays take many
    steps, only the numbers of the first call are checked.

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
    """The result of a function with an effect: it draws random numbers, or writes into an array that it is given.

    A program of `ad.compile` calls it in every run, in order, with the same arguments. Its text becomes part of the
    program's source, so it may use only NumPy.

    >>> def draw(rng, shape):
    ...     return rng.random(shape) < 0.5
    >>> ad.effect(draw, np.random.default_rng(0), (3,))
    array([False,  True,  True])
    """
    now = recorder.get()
    return function(*given) if now is None else now.effect(function, given)


@contextmanager
def traced_by(now: Recorder) -> Iterator[None]:
    """A context in which calls go to this recorder, and primitives are replaced by the forms that programs write."""
    token = recorder.set(now)
    _enter()
    try:
        yield
    finally:
        _leave()
        recorder.reset(token)


def _enter() -> None:
    """Replace the functions of the primitives while something is traced, so that untraced calls cost nothing extra."""
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
