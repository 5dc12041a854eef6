"""How a program's text writes and names numbers, constant arrays and buffers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff.program.graph import Buffer

NAMES = re.compile(r"(b|c|t|v|zeros|ones|count)[0-9]+(_[0-9]+)?")  # names of buffers, constants, blocks and values
SHORT = re.compile(r"[0-9]+\.[0-9]{1,7}")  # numbers that a name can hold


def constant_name(value: np.ndarray[Any, Any], k: int) -> str:
    """The name of the k-th constant array; it tells the elements if they are all 0, all 1, or 0, 1, 2 ...

    An array of shape () is named by its number: c0_5 is 0.5.
    """
    if not value.shape and SHORT.fullmatch(str(value[()])):
        return f"c{value[()]!s}".replace(".", "_")
    if _counts(value):
        return f"count{k}"
    return {0: f"zeros{k}", 1: f"ones{k}"}.get(_everywhere(value), f"c{k}")


def new(buffer: Buffer) -> str:
    """The expression that makes a buffer's array, with its axes in the buffer's memory order."""
    dtype = f"np.dtype({buffer.dtype.str!r})"
    if buffer.order is None:
        return f"np.empty({buffer.shape}, {dtype})"
    shape = tuple(buffer.shape[axis] for axis in buffer.order)
    back = tuple(buffer.order.index(axis) for axis in range(len(shape)))
    return f"np.empty({shape}, {dtype}).transpose({back})"


def kept(buffers: tuple[Buffer, ...]) -> str:
    """The text of the function that returns the arrays which are kept between calls."""
    if not buffers:
        return ""
    made = "".join(f"            {new(b)},\n" for b in buffers)
    return (
        "free = []  # arrays that no call works in now\n\n\n"
        "def buffers():\n"
        '    """Arrays that a call works in, and leaves to the next one."""\n'
        "    try:\n"
        "        return free.pop()\n"
        "    except IndexError:  # the first call, or one beside others in other threads\n"
        f"        return (\n{made}        )\n\n\n"
    )


def scalar(value: Any) -> str:
    """A floating-point, complex or NumPy number as Python writes it, infinities too."""
    if isinstance(value, np.generic):
        kind, number = type(value).__name__, value.item()
        if isinstance(number, complex):
            return f"np.{kind}({scalar(number)})"
        return f"np.{kind}({scalar(number) if isinstance(number, float) else repr(number)})"
    if isinstance(value, complex):
        return f"complex({scalar(value.real)}, {scalar(value.imag)})"
    return repr(value) if np.isfinite(value) else f"float({str(value)!r})"


def literal(value: np.ndarray[Any, Any]) -> str:
    """An array as an expression that makes it."""
    dtype = f"np.dtype({value.dtype.str!r})"
    if not value.shape and value.dtype.kind == "f" and np.isfinite(value):
        return f"np.array({value[()]!s}, {dtype})"
    flat = value.ravel()
    if _counts(value):
        return f"np.arange({flat.size}, dtype={dtype}).reshape({value.shape})"
    if (number := _everywhere(value)) is not None:
        shown = scalar(number) if isinstance(number, float) else repr(number)
        return f"np.full({value.shape}, {shown}, {dtype})"
    numbers = flat.tolist()
    listed = ", ".join(scalar(v) if isinstance(v, float | complex) else repr(v) for v in numbers)
    return f"np.array([{listed}], {dtype}).reshape({value.shape})"


def _counts(value: np.ndarray[Any, Any]) -> bool:
    """Whether the elements are 0, 1, 2 ..."""
    return bool(value.size > 2 and value.dtype.kind in "iu" and (value.ravel() == np.arange(value.size)).all())


def _everywhere(value: np.ndarray[Any, Any]) -> Any:
    """The number that all elements equal, if there are several; None if they differ, or are -0.0."""
    flat = value.ravel()
    if flat.size < 2 or value.dtype.kind not in "fiub" or not (flat == flat[0]).all():
        return None
    return flat[0].item() if flat[0] or not np.signbit(flat.astype(float)).any() else None


def indexed(index: Any, written: Callable[[Any], str]) -> str:
    """The text of an index between brackets; `written` gives the text of a value."""
    if type(index) is tuple and index:
        return ", ".join(_place(place, written) for place in index) + "," * (len(index) == 1)
    return _place(index, written)


def _place(place: Any, written: Callable[[Any], str]) -> str:
    if not isinstance(place, slice):
        return written(place)
    start, stop, step = ("" if v is None else written(v) for v in (place.start, place.stop, place.step))
    return f"{start}:{stop}" + (f":{step}" if step else "")
