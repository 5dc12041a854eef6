"""Initial values of parameters: plain arrays, drawn with a random generator that is passed in.

`shape` is that of a weight: (out, in), and for convolutions (out, in, *kernel). fan_in is the number of inputs that one
unit sums, fan_out the number of units that one input reaches:

    Xavier   variance 2 / (fan_in + fan_out)   keeps variances through linear and tanh layers (Glorot & Bengio 2010)
    He       variance 2 / fan_in               keeps variances through ReLU layers (He et al. 2015)
    LeCun    variance 1 / fan_in               keeps variances through linear layers (LeCun et al. 1998)

Each is a function of (shape, rng, dtype), which a layer takes as its `weight_init`. Set further arguments with
functools.partial: `nn.Linear(3, 2, weight_init=functools.partial(nn.init.normal, std=0.02))`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from nn.checked import real

Rng = np.random.Generator | int | None
Array = npt.NDArray[Any]
Shape = Sequence[int]


def initial(initialiser: Callable[..., Any] | str, shape: Shape, rng: Rng, dtype: npt.DTypeLike, what: str) -> Array:
    """A copy of an initialiser's array for a parameter. Raises ValueError, beginning with `what`, for a wrong array.

    >>> nn.init.initial("zeros", (3,), None, np.float32, "the bias's initialiser")
    array([0., 0., 0.], dtype=float32)
    """
    wanted, kind = tuple(shape), floating(dtype)
    if isinstance(initialiser, str):
        if initialiser not in NAMED:
            raise ValueError(
                f"{what} is a function, or one of {', '.join(map(repr, NAMED))}; received {initialiser!r:.80}."
            )
        initialiser = NAMED[initialiser]
    given = initialiser(wanted, rng=rng, dtype=kind)
    if not isinstance(given, np.ndarray) or given.shape != wanted or given.dtype != kind:
        found = f"one of shape {given.shape}, {given.dtype}" if isinstance(given, np.ndarray) else repr(type(given))
        raise ValueError(
            f"{what} is a function of (shape, rng, dtype) that gives an array of this shape and dtype; asked for "
            f"{wanted}, {kind}, it gave {found}. Let it end with .reshape(shape).astype(dtype)."
        )
    return given.copy()


def generator(rng: Rng) -> np.random.Generator:
    """The generator for `rng`: itself, one seeded with an int, or for None a freshly seeded one.

    >>> nn.init.generator(0).integers(10, size=3)
    array([8, 6, 5])
    """
    if isinstance(rng, np.random.Generator):
        return rng
    if rng is None or (isinstance(rng, int | np.integer) and not isinstance(rng, bool) and rng >= 0):
        return np.random.default_rng(rng)
    raise TypeError(
        f"rng is a numpy.random.Generator, a seed (an int from 0), or None; received {rng!r:.80}. "
        "Write rng=0, or rng=np.random.default_rng(0) to share one generator."
    )


def zeros(shape: Shape, rng: Rng = None, dtype: npt.DTypeLike = np.float32) -> Array:
    """Zeros: good for biases, but not for weights, since units that start with equal weights stay equal.

    >>> nn.init.zeros((2, 3))
    array([[0., 0., 0.],
           [0., 0., 0.]], dtype=float32)
    """
    return np.zeros(shape, floating(dtype))


def ones(shape: Shape, rng: Rng = None, dtype: npt.DTypeLike = np.float32) -> Array:
    """Ones, for example for the scale of a normalisation.

    >>> nn.init.ones((3,))
    array([1., 1., 1.], dtype=float32)
    """
    return np.ones(shape, floating(dtype))


def constant(shape: Shape, value: float, rng: Rng = None, dtype: npt.DTypeLike = np.float32) -> Array:
    """One number everywhere.

    >>> nn.init.constant((2, 2), 0.5)
    array([[0.5, 0.5],
           [0.5, 0.5]], dtype=float32)
    """
    return np.full(shape, real(value, "init.constant: value", least=-math.inf), floating(dtype))


def uniform(
    shape: Shape, low: float = 0.0, high: float = 1.0, rng: Rng = None, dtype: npt.DTypeLike = np.float32
) -> Array:
    """Uniform between `low` and `high`.

    >>> nn.init.uniform((2, 3), -0.1, 0.1, rng=0).shape
    (2, 3)
    """
    low = real(low, "init.uniform: low", least=-math.inf)
    high = real(high, "init.uniform: high", least=low)
    kind = floating(dtype)
    return generator(rng).uniform(low, high, shape).astype(kind, copy=False)


def normal(
    shape: Shape, mean: float = 0.0, std: float = 1.0, rng: Rng = None, dtype: npt.DTypeLike = np.float32
) -> Array:
    """Normal of this mean and standard deviation.

    >>> nn.init.normal((2, 3), std=0.02, rng=0).shape
    (2, 3)
    """
    mean = real(mean, "init.normal: mean", least=-math.inf)
    std = real(std, "init.normal: std")
    kind = floating(dtype)
    return np.asarray(mean + std * generator(rng).standard_normal(shape)).astype(kind, copy=False)


def orthogonal(shape: Shape, rng: Rng = None, dtype: npt.DTypeLike = np.float32, *, gain: float = 1.0) -> Array:
    """`gain` times a random matrix with orthonormal rows, or columns if there are fewer of them (Saxe et al. 2014).

    A product of many such matrices keeps lengths. Axes after the second count as inputs.

    >>> w = nn.init.orthogonal((3, 3), rng=0, dtype=np.float64)
    >>> bool(np.allclose(w @ w.T, np.eye(3)))
    True
    """
    fan_in, _ = fans(shape)
    kind = floating(dtype)
    rows, columns = shape[0], fan_in
    drawn = generator(rng).standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(drawn)
    q *= np.where(np.diag(r) < 0, -1.0, 1.0)  # with these signs it is uniform among orthogonal matrices (Mezzadri 2007)
    found = real(gain, "init.orthogonal: gain") * (q if rows >= columns else q.T)
    return found.reshape(shape).astype(kind)


def xavier_uniform(shape: Shape, rng: Rng = None, dtype: npt.DTypeLike = np.float32, *, gain: float = 1.0) -> Array:
    """Uniform in ± gain sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010, equation 16).

    >>> float(nn.init.xavier_uniform((3, 3), rng=0).max()) <= 1.0
    True
    """
    bound = real(gain, "init.xavier_uniform: gain") * math.sqrt(6 / sum(fans(shape)))
    return uniform(shape, -bound, bound, rng, dtype)


def xavier_normal(shape: Shape, rng: Rng = None, dtype: npt.DTypeLike = np.float32, *, gain: float = 1.0) -> Array:
    """Normal of standard deviation gain sqrt(2 / (fan_in + fan_out)) (Glorot & Bengio 2010).

    >>> round(float(nn.init.xavier_normal((100, 100), rng=0).std()), 2)
    0.1
    """
    deviation = real(gain, "init.xavier_normal: gain") * math.sqrt(2 / sum(fans(shape)))
    return normal(shape, 0.0, deviation, rng, dtype)


def lecun_uniform(shape: Shape, rng: Rng = None, dtype: npt.DTypeLike = np.float32) -> Array:
    """Uniform in ±sqrt(3 / fan_in), whose variance is 1 / fan_in (LeCun et al. 1998, section 4.6).

    >>> float(nn.init.lecun_uniform((200, 12), rng=0).max()) <= 0.5
    True
    """
    bound = math.sqrt(3 / fans(shape)[0])
    return uniform(shape, -bound, bound, rng, dtype)


def lecun_normal(shape: Shape, rng: Rng = None, dtype: npt.DTypeLike = np.float32) -> Array:
    """Normal of standard deviation sqrt(1 / fan_in) (LeCun et al. 1998, section 4.6).

    >>> round(float(nn.init.lecun_normal((200, 100), rng=0).std()), 2)
    0.1
    """
    return normal(shape, 0.0, math.sqrt(1 / fans(shape)[0]), rng, dtype)


def he_uniform(shape: Shape, rng: Rng = None, dtype: npt.DTypeLike = np.float32) -> Array:
    """Uniform in ±sqrt(6 / fan_in) (He et al. 2015).

    >>> float(nn.init.he_uniform((200, 6), rng=0).max()) <= 1.0
    True
    """
    bound = math.sqrt(6 / fans(shape)[0])
    return uniform(shape, -bound, bound, rng, dtype)


def he_normal(shape: Shape, rng: Rng = None, dtype: npt.DTypeLike = np.float32) -> Array:
    """Normal of standard deviation sqrt(2 / fan_in) (He et al. 2015, equation 10).

    >>> round(float(nn.init.he_normal((200, 50), rng=0).std()), 2)
    0.2
    """
    return normal(shape, 0.0, math.sqrt(2 / fans(shape)[0]), rng, dtype)


def fans(shape: Shape) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight of this shape.

    >>> nn.init.fans((16, 3, 5, 5))
    (75, 400)
    """
    if np.ndim(shape) == 0 or len(shape) < 2 or min(shape) < 1:
        raise ValueError(
            f"this initialiser goes by a weight's inputs and outputs; received shape {shape!r:.80}. "
            "Pass (out, in), both at least 1; biases start at zeros."
        )
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def floating(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """A dtype for parameters, float32 or float64.

    >>> nn.init.floating("float32")
    dtype('float32')
    """
    try:
        asked = np.dtype(dtype)
    except TypeError:
        raise TypeError(
            f"parameters are float32 or float64; received dtype={dtype!r}. Write dtype=np.float32."
        ) from None
    if asked not in (np.float32, np.float64):
        raise TypeError(f"parameters are float32 or float64; received dtype={asked}. Write dtype=np.float32.")
    return asked


NAMED: dict[str, Callable[..., Array]] = {
    "xavier_uniform": xavier_uniform,
    "xavier_normal": xavier_normal,
    "glorot_uniform": xavier_uniform,  # Keras's names
    "glorot_normal": xavier_normal,
    "he_uniform": he_uniform,
    "he_normal": he_normal,
    "lecun_uniform": lecun_uniform,
    "lecun_normal": lecun_normal,
    "orthogonal": orthogonal,
    "zeros": zeros,
    "ones": ones,
}

# PyTorch's names, without the underscore at the end: its functions fill an existing tensor.
_IN_PYTORCH = {
    "kaiming_uniform": "he_uniform",
    "kaiming_normal": "he_normal",
    "trunc_normal": "normal",
    **dict.fromkeys(("calculate_gain", "eye", "dirac", "sparse"), ""),
}


def __getattr__(name: str) -> NoReturn:
    plain = name.removesuffix("_")
    ours = _IN_PYTORCH.get(plain, plain)
    if not ours:
        raise AttributeError(
            f"nn.init has no {name}; a weight's value is assigned: layer.weight.value = an array of its shape."
        )
    if not name.startswith("_") and callable(globals().get(ours)) and ours != name:
        raise AttributeError(
            f"nn.init has no {name}, which fills a tensor; nn.init.{ours} gives an array. Write layer.weight.value = "
            f"nn.init.{ours}(layer.weight.shape, ...), or nn.Linear(..., weight_init=nn.init.{ours})."
        )
    raise AttributeError(f"module 'nn.init' has no attribute {name!r}")
