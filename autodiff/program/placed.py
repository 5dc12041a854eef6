"""Programs of arrays on a device: its module's functions replace NumPy's in the steps that run there."""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff.engine.devices import NOT_THERE, Device
from autodiff.engine.signatures import spelled
from autodiff.program import steps
from autodiff.program.graph import Kind, Several, Step, made, read, replaced

MODULES = (np, np.linalg, np.fft, np.lib.stride_tricks)


def module_of(device: Device) -> Any:
    """The module that has NumPy's functions for the device's arrays; TypeError if the device's record names none."""
    if device.module is None:
        raise TypeError(
            f"ad.compile was called with arrays on {device.name!r}, whose record names no module to write programs "
            "with. Call the function itself, or admit the device with one, ad.Device(..., module=cupy)."
        )
    return device.module


def path(function: Callable[..., Any]) -> str:
    """A function's path in NumPy, such as "linalg.inv" or "add.reduce"; "" if it is not NumPy's."""
    name = getattr(function, "__name__", "")
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.ufunc):
        return f"{path(owner)}.{name}"
    for module in MODULES:
        if getattr(module, name, None) is function:
            return f"{module.__name__}.{name}".removeprefix("numpy.")
    return ""


def theirs(function: Callable[..., Any], device: Device) -> Callable[..., Any]:
    """The function that a program on the device calls instead; TypeError if its module has none of that name."""
    module = module_of(device)
    if getattr(steps, getattr(function, "__name__", ""), None) is function:
        return _steps(device.module.__name__)[function.__name__]
    name = path(function)
    if not name:
        return function
    try:
        return operator.attrgetter(name)(module)
    except AttributeError:
        raise TypeError(
            f"{spelled(function)} {NOT_THERE} {device.name!r}: the function is not there. Move its arguments to the "
            "host and the result back, outside of the compiled function."
        ) from None


@functools.cache
def _steps(module: str) -> dict[str, Any]:
    """The functions of `steps`, with the device's module in place of NumPy."""
    names: dict[str, Any] = {}
    exec(inspect.getsource(steps).replace("import numpy as np", f"import {module} as np"), names)  # noqa: S102  # as in a program's text
    return names


def is_there(step: Step | Several, kinds: dict[int, Kind]) -> bool:
    """Whether a step runs on the program's device: its result or one of its operands is there."""
    return any(kinds[n].there for n in (*made(step), *read(step)))


def on_device(constants: dict[str, Any], on_host: set[str], device: Device | None) -> dict[str, Any]:
    """A program's constants by name, moved to its device except those that it reads on the host."""
    if device is None:
        return dict(constants)
    return {name: value if name in on_host else beside(value, device) for name, value in constants.items()}


def beside(constants: Any, device: Device) -> Any:
    """A nest in which every array on the host is copied to the device."""
    return replaced(constants, device.from_host, np.ndarray)
