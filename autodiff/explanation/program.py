"""The user's program: the line that called an operation, and the names of its variables."""

from __future__ import annotations

import inspect
import linecache
import os
import sys
from types import FrameType
from typing import Any

from autodiff.program.limits import file_name

OURS = frozenset({"autodiff", "nn", "numpy", "scipy", "contextlib", "functools"})


def users_frame(frame: FrameType | None) -> FrameType | None:
    """The innermost frame, from this one outwards, that is neither of this package nor of NumPy."""
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in OURS:
        frame = frame.f_back
    return frame


def line(frame: FrameType | None) -> str:
    """The current line of a frame: train.py:12, y = np.log(x)."""
    if frame is None:
        return ""
    file, number = file_name(frame), frame.f_lineno
    code = linecache.getline(frame.f_code.co_filename, number).strip()
    name = "cell, line " if file == "cell" else os.path.basename(file) + ":"
    return f"{name}{number}" + (f", {code}" if code else "")


def variable(value: Any, frame: FrameType | None) -> str:
    """The variable that holds a value, in a frame or the nearest of its callers; "" if there is none."""
    while frame is not None:
        for name, other in _variables(frame):
            if other is value and not name.startswith("_"):
                return name
        frame = frame.f_back
    return ""


def _variables(frame: FrameType) -> list[tuple[str, Any]]:
    known = frame.f_locals
    found = [*known.items(), *frame.f_globals.items()]
    if frame.f_code.co_flags & inspect.CO_OPTIMIZED and sys.version_info < (3, 13):
        known.clear()  # the frame would keep this copy, and with it values that the program has freed
    return found
