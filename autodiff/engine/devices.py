"""Array types beside NumPy's, such as those on a GPU. A record of a few lines holds what the engine knows of each.

NumPy's functions reach such arrays through NumPy's own protocols, so the rules work on them unchanged. New arrays
(zeros, ones, ranges) are made on the device of another operand: `zeros(shape, dtype, like=x)`. Nothing is copied
between the host and a device unless the user asks for it; only constants are, once, when they are recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, NoReturn

import numpy as np

from autodiff.engine.graph import Node, described
from autodiff.engine.signatures import spelled
from autodiff.engine.stand_in import StandIn

HOST = "cpu"
NOT_THERE = "cannot be computed on"


class Device(NamedTuple):
    """An array type and where its elements are: `ad.admit(ad.Device(...))` lets Tensors hold such arrays.

    Parameters
    ----------
    name : the name that `ad.to(x, name)` takes and `.device` gives
    kind : the array type; it speaks NumPy's protocols, `__array_ufunc__` and `__array_function__`
    from_host : copies an ndarray to the device
    to_host : copies such an array to an ndarray
    add_at : add_at(array, index, values) adds at an index in place, as often as a place is repeated (np.add.at)
    module : the module that has NumPy's functions for such arrays; programs of `ad.compile` import it as `np`. Without
        one, functions of such arrays are not compiled
    fuse : what decorates a function in that module so that its elementwise operations become one kernel; "" for none
    generator : the type of its random generators, whose random(shape, dtype) draws there; None for none

    >>> import cupy
    >>> ad.admit(ad.Device("gpu", cupy.ndarray, cupy.array, cupy.asnumpy, cupy.add.at, cupy, "fuse"))
    """

    name: str
    kind: type
    from_host: Callable[[Any], Any]
    to_host: Callable[[Any], Any]
    add_at: Callable[[Any, Any, Any], None]
    module: Any = None
    fuse: str = ""
    generator: type | None = None


# Records by array type. It stays empty until a device is asked for, so that programs on the host lose no time.
admitted: dict[type, Device] = {}


def admit(device: Device) -> None:
    """Let Tensors hold arrays of the type that the record describes. A second record of a type replaces the first.

    Raises ValueError for a name that another type has.

    >>> import cupy
    >>> ad.admit(ad.Device("gpu", cupy.ndarray, cupy.array, cupy.asnumpy, cupy.add.at))
    """
    if device.name == HOST or any(d.name == device.name and d.kind is not device.kind for d in admitted.values()):
        raise ValueError(
            f"ad.admit was called with a device named {device.name!r}, a name that another array type has."
        )
    admitted[device.kind] = device


def cuda() -> Device:
    """NVIDIA's GPUs, through CuPy."""
    try:
        import cupy
    except ImportError as error:
        raise ImportError(
            'the device "cuda" needs CuPy: pip install "autodiff-nn[cuda]" (cupy-cuda12x; for other versions of CUDA '
            "see CuPy's page)."
        ) from error
    return Device("cuda", cupy.ndarray, cupy.array, cupy.asnumpy, cupy.add.at, cupy, "fuse", cupy.random.Generator)


# Parameters that may be arrays but are read on the host: they say where elements go.
ON_THE_HOST = {"axis", "axes", "shape", "newshape", "reps", "repeats", "shift", "source", "destination", "indices"}

# The devices that are admitted on first use: by name, or when an array of the library is met.
ON_DEMAND: dict[str, Callable[[], Device]] = {"cuda": cuda}
LIBRARIES = {"cupy": "cuda"}


def named(name: str) -> Device:
    """The record of a device. Raises ValueError for a name that is not admitted."""
    for device in admitted.values():
        if device.name == name:
            return device
    if name not in ON_DEMAND:
        known = ", ".join(sorted({HOST, *ON_DEMAND, *(d.name for d in admitted.values())}))
        raise ValueError(f"device {name!r} was asked for; there are {known}. ad.admit(ad.Device(...)) adds others.")
    admit(ON_DEMAND[name]())
    return named(name)


def of(value: Any) -> Device | None:
    """The record of the device of a raw value or a node; None on the host. It admits arrays of `LIBRARIES`.

    A batch is on the device of its arrays.
    """
    value = _innermost(value)
    device = admitted.get(type(value))
    library = LIBRARIES.get(type(value).__module__.partition(".")[0]) if device is None else None
    return named(library) if library else device


def draws(value: Any) -> bool:
    """Whether it is a random generator of a device's, which draws there."""
    library = LIBRARIES.get(type(value).__module__.partition(".")[0])
    known = [named(library)] if library else admitted.values()
    return any(isinstance(value, device.generator) for device in known if device.generator is not None)


def is_array(value: Any) -> bool:
    """Whether a Tensor can hold the value: an array on the host or a device, a NumPy scalar, or a stand-in."""
    return isinstance(value, np.ndarray | np.generic | StandIn) or type(value) in admitted


def place(value: Any) -> str:
    """The name of the device that a raw value, or a node, is on."""
    device = of(value)
    return HOST if device is None else device.name


# -- new arrays, on the device of another one -------------------------------------------------------------------


def zeros(shape: Any, dtype: Any, like: Any) -> Any:
    """np.zeros, on the device of `like`."""
    return np.zeros(shape, dtype) if (example := _example(like)) is None else np.zeros_like(example, dtype, shape=shape)


def ones(shape: Any, dtype: Any, like: Any) -> Any:
    """np.ones, on the device of `like`."""
    return np.ones(shape, dtype) if (example := _example(like)) is None else np.ones_like(example, dtype, shape=shape)


def empty(shape: Any, dtype: Any, like: Any) -> Any:
    """np.empty, on the device of `like`."""
    return np.empty(shape, dtype) if (example := _example(like)) is None else np.empty_like(example, dtype, shape=shape)


def beside(constant: Any, like: Any) -> Any:
    """A constant on the device of `like`: ndarrays are copied, inside tuples and lists too; the rest is unchanged."""
    if not admitted or (device := of(like)) is None:
        return constant
    if isinstance(constant, np.ndarray):
        return device.from_host(constant)
    if isinstance(constant, StandIn):
        return constant.moved(device.name)
    if type(constant) in (tuple, list):
        return type(constant)(beside(part, like) for part in constant)
    return constant


def eye(n: int, like: Any, dtype: Any = None) -> Any:
    """np.eye on the device of `like`, and in its dtype unless another is given."""
    numbers, dtype = arange(n, like=like), like.dtype if dtype is None else dtype
    return np.eye(n, dtype=dtype) if isinstance(numbers, np.ndarray) else (numbers[:, None] == numbers).astype(dtype)


def arange(*span: Any, like: Any) -> Any:
    """np.arange, on the device of `like`."""
    return np.arange(*span) if (example := _example(like)) is None else np.arange(*span, like=example)


def grid(shape: tuple[int, ...], like: Any) -> tuple[Any, ...]:
    """The indices along each axis, shaped to broadcast (np.ogrid), on the device of `like`."""
    return tuple(beside(places, like) for places in np.ogrid[tuple(slice(n) for n in shape)])


def add_at(array: Any, index: Any, values: Any) -> None:
    """np.add.at, on any device."""
    device = admitted.get(type(array))
    (np.add.at if device is None else device.add_at)(array, index, values)


def _innermost(value: Any) -> Any:
    while isinstance(value, Node | StandIn):
        value = value.primal if isinstance(value, Node) else value.array
    return value


def _example(like: Any) -> Any:
    """An array on the device of `like`, or None if `like` is on the host."""
    if not admitted:
        return None
    like = _innermost(like)
    return like if type(like) in admitted else None


# -- between the host and the devices ---------------------------------------------------------------------------


def copied(value: Any) -> Any:
    """A copy on the same device. A stand-in that nobody writes into is returned itself."""
    if isinstance(value, StandIn):
        return value.copied()
    return value.copy() if type(value) in admitted else np.array(value)


def read_only(value: Any) -> Any:
    """A view of a raw value, read-only if it is an ndarray; arrays on a device give an ordinary view."""
    if isinstance(value, StandIn):
        return value  # nobody writes into it
    if type(value) in admitted:
        return value.view()
    view = np.asarray(value).view()
    view.flags.writeable = False
    return view


def fetched(value: Any) -> Any:
    """A raw value copied to the host, as an ndarray or a NumPy scalar, to be shown, printed or saved."""
    device = admitted.get(type(value))
    return value if device is None else device.to_host(value)[()]


def moved(value: Any, name: str) -> Any:
    """A raw value on the device of that name, or on "cpu". A value that is there already is returned itself."""
    if place(value) == name:
        return value
    if isinstance(value, StandIn):
        return value.moved(name)
    host = fetched(value)
    return host if name == HOST else named(name).from_host(np.asarray(host))


def together(
    function: Callable[..., Any], arguments: tuple[Any, ...], parameters: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of an operation on one device: constants on the host are copied to the device of the others.

    Raises TypeError if one node is on the host and another on a device.
    """
    devices = {place(a): a for a in arguments if isinstance(a, Node | StandIn) or type(a) in admitted}
    devices = {name: a for name, a in devices.items() if name != HOST or isinstance(a, Node)}
    if len(devices) > 1:
        listed = " and ".join(f"{_operand(a)} on {name!r}" for name, a in devices.items())
        name = min(devices, key=lambda name: name == HOST)
        raise TypeError(
            f"{spelled(function)} was called with {listed}; nothing moves between devices in silence: move one of "
            f"them, ad.to(x, {name!r})."
        )
    if set(devices) <= {HOST}:
        return arguments, parameters
    (like,) = devices.values()
    arguments = tuple(a if isinstance(a, Node) else beside(a, like) for a in arguments)
    return arguments, {k: v if k in ON_THE_HOST else beside(v, like) for k, v in parameters.items()}


def refuse(error: Exception, function: Callable[..., Any], values: Iterable[Any]) -> NoReturn:
    """Raise a function's error again; if the device lacks the function, raise one that says so and what to do."""
    device = next((found for value in values if (found := admitted.get(type(_innermost(value))))), None)
    if device is None or isinstance(error, ValueError) or NOT_THERE in str(error):
        raise error
    reason = str(error).splitlines()[0]
    if "NotImplemented from __array_ufunc__" in reason:  # where NumPy prints the arrays
        reason = "the function is not there"
    raise TypeError(
        f"{spelled(function)} {NOT_THERE} {device.name!r}: {reason.rstrip('.')}. Move its arguments to the host and "
        f"the result back: ad.to(..., 'cpu'), ad.to(..., {device.name!r})."
    ) from error


def _operand(value: Any) -> str:
    """The description of an operand in error messages."""
    if isinstance(value, Node):
        return described(value)
    return f"an array of shape {value.shape} and dtype {value.dtype}"
