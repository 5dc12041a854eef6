"""Functions that cannot be traced because they depend on values, and the error that names the user's line."""

from __future__ import annotations

import functools
import linecache
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from autodiff.engine.graph import current_scope
from autodiff.engine.signatures import parameter_names

# Functions that depend only on shapes and dtypes: they are called once, while tracing.
OF_SHAPE = {
    *(np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.iscomplexobj, np.isrealobj, np.common_type),
    *(np.zeros_like, np.ones_like, np.empty_like),
}
# Functions whose result has a length or dtype that depends on numbers, or that call the user's functions.
OF_NUMBERS = {
    *(np.nonzero, np.flatnonzero, np.argwhere, np.trim_zeros, np.roots, np.poly, np.real_if_close, np.linalg.lstsq),
    *(np.unique, np.unique_all, np.unique_counts, np.unique_inverse, np.unique_values, np.linalg.eig),
    *(np.intersect1d, np.union1d, np.setdiff1d, np.setxor1d, np.linalg.eigvals),
    *(np.piecewise, np.apply_along_axis, np.apply_over_axes),
    *(getattr(np.emath, name) for name in np.emath.__all__),
}
# Functions that write into their first argument.
WRITING = {np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis}
# As in OF_NUMBERS, but only if the argument at this place is traced.
OF_PLACES = {
    np.compress: (0, "condition"),
    np.extract: (0, "condition"),
    np.delete: (1, "obj"),
    np.insert: (1, "obj"),
    np.repeat: (1, "repeats"),
    np.bincount: (0, "x"),
}
HERE = Path(__file__).parent.parent
REVERSE, COMPILED = str(HERE / "engine" / "reverse.py"), str(HERE / "program" / "compiled.py")
INSIDE = (str(HERE), str(HERE.parent / "nn"), str(Path(np.__file__).parent))


class Untraceable(TypeError):  # noqa: N818  # it describes the function, and is not always an error
    """A function used the value of a number while it was traced, so its program would hold for this value only.

    >>> try:
    ...     ad.compile(lambda x: x if x > 0 else -x)(1.0)
    ... except ad.Untraceable:
    ...     print("write np.where")
    write np.where
    """


def caller() -> tuple[str, FrameType | None]:
    """Where a recorded call comes from (the scope and the user's line, or the reverse pass), and the user's frame."""
    frame, line, found = sys._getframe(1), "", None
    while frame.f_back is not None and frame.f_code.co_filename.startswith(INSIDE):
        if frame.f_code.co_filename == REVERSE:
            return "reverse pass", None
        frame = frame.f_back
        if frame.f_code.co_filename == COMPILED:
            break
    else:
        line, found = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip(), frame
    names: list[str] = []
    scope: Any = current_scope.get()
    while scope:
        scope, name = scope
        names.insert(0, name if isinstance(name, str) else type(name).__name__)  # the repr of a module has many lines
    note = " ".join(": ".join(part for part in (".".join(names), line) if part).split())
    return "".join(c if c.isprintable() else "\ufffd" for c in note), found  # it becomes a comment in the text


def file_name(frame: FrameType) -> str:
    """The file that a frame runs; "cell" in a notebook, whose temporary file means nothing to the user."""
    name = frame.f_code.co_filename
    return "cell" if "ipykernel" in name or name.startswith("<") else name


def refusal(asked: str, instead: str) -> Untraceable:
    """The error, which says the user's line, what it asked for, and what to write instead."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(INSIDE):
        frame = frame.f_back
    line = frame.f_lineno
    code = linecache.getline(frame.f_code.co_filename, line).strip()
    shown = f" ({code})" if code else ""
    return Untraceable(
        f"ad.compile: {file_name(frame)}, line {line}{shown} asks for {asked} while the function is traced; its "
        f"program would hold for these numbers alone. {instead[0].upper()}{instead[1:]}, or leave this part out of the "
        "compiled function."
    )


def out_by_name(function: Callable[..., Any], args: Any, kwargs: Any) -> tuple[Any, Any]:
    """The arguments of a call, where the array to write into and all later arguments are passed by name."""
    place = _out_place(function)
    if place is None or len(args) <= place:
        return args, kwargs
    return args[:place], dict(zip(parameter_names(function)[place:], args[place:], strict=False)) | kwargs


@functools.cache
def _out_place(function: Callable[..., Any]) -> int | None:
    """The position of the argument that a function writes into, or None."""
    names = parameter_names(function)
    return names.index("out") if "out" in names and function is not np.einsum else None
