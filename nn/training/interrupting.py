"""Ctrl-C takes effect between two batches, so that no step is interrupted."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def interruptible(ask: Callable[[], None]) -> Iterator[None]:
    """A context in which the first Ctrl-C only calls `ask`; a second one raises KeyboardInterrupt at once.

    Nothing changes in threads other than the main one, or if the program has its own handler of the signal.
    """
    asked = False

    def asking(*_: Any) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        ask()

    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, asking)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
