"""What the tests of memory share: nothing waits for Python's cycle collector to be freed."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_garbage() -> Iterator[None]:
    """Everything that is made inside and not held at its end was freed by counting references alone."""
    while gc.collect():  # once is not enough: what a finalizer brings back to life waits for the next collection
        pass
    gc.disable()
    try:
        yield
        assert gc.collect() == 0
    finally:
        gc.enable()
