"""A dense layer as a function."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.checked import array
from nn.functional.cached import row_sum


@ad.primitive
def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    """A dense layer, x Wᵀ + b along the last axis, in the dtype of the weight.

    Parameters
    ----------
    x : of shape (..., in), usually (batch, in)
    weight : of shape (out, in), as PyTorch keeps it
    bias : of shape (out,), or None for no bias

    The result has the shape (..., out). Raises ValueError for shapes that do not fit together.

    >>> F.linear(np.array([[1.0, 2.0]]), np.array([[1.0, 1.0], [0.0, 3.0]]), np.array([0.5, 0.0]))
    array([[3.5, 6. ]])
    """
    if (
        type(x) is not np.ndarray
        or type(weight) is not np.ndarray
        or x.dtype is not weight.dtype
        or x.dtype.kind != "f"
    ):
        x, weight = _of_one_dtype(x, weight)
    try:
        y = rows_times(x, weight.T)
        if bias is not None:
            bias = array(bias)
            y += bias
            fits = bias.ndim == 1 and len(bias) == len(weight)
        else:
            fits = True
    except (ValueError, TypeError):
        fits = False
    if not fits or weight.ndim != 2:
        raise _misshapen(x, weight, bias)
    return y


def _of_one_dtype(x: Any, weight: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Both as arrays of the weight's dtype, if x can be converted to it without loss."""
    weight = array(weight)
    if weight.dtype.kind not in "fc":
        raise TypeError(
            f"linear computes in the dtype of the weight, which must be a floating one; received a weight of dtype "
            f"{weight.dtype}. Convert it with weight.astype(np.float32)."
        )
    x = array(x)
    if x.dtype.kind not in ("fiub" if weight.dtype.kind == "f" else "fiubc"):
        raise TypeError(
            f"linear computes in the dtype of the weight, {weight.dtype}; received x of dtype {x.dtype}, which does "
            "not go into it. Pass real numbers, such as x.real, or a complex weight."
        )
    return x.astype(weight.dtype, copy=False), weight


def _misshapen(x: Any, weight: Any, bias: Any) -> ValueError:
    return ValueError(
        f"linear takes x of shape (..., in), weight (out, in) and bias (out,); received x of shape {np.shape(x)}, "
        f"weight of shape {np.shape(weight)}"
        + ("" if bias is None else f" and bias of shape {np.shape(bias)}, dtype {array(bias).dtype}")
        + ". The last axis of x is to be the layer's number of inputs, the bias one number per output."
    )


def rows_times(x: Any, weight: Any) -> Any:
    """x weight along the last axis of x, with any axes before it, as one product of two matrices.

    np.dot does not use BLAS if an argument has more than two axes: it takes 12 times as long at (32, 64, 256).
    """
    if x.ndim > 2 and weight.ndim == 2:
        return np.reshape(np.dot(matrix(x), weight), (*x.shape[:-1], weight.shape[1]))
    return (np.dot if x.ndim else np.matmul)(x, weight)  # dot saves half a microsecond; x may be a number


def matrix(x: Any) -> Any:
    """x with all axes but the last joined into one."""
    return x if x.ndim == 2 else np.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


def _steps(x: Any, weight: Any, bias: Any = None) -> Any:
    """A dense layer written in NumPy's functions."""
    if weight.ndim != 2 or x.shape[-1:] != weight.shape[1:] or (bias is not None and bias.shape != weight.shape[:1]):
        raise _misshapen(x, weight, bias)
    y = rows_times(x.astype(weight.dtype), weight.T) if x.dtype != weight.dtype else rows_times(x, weight.T)
    return y if bias is None else y + bias


def _of_weight(g: Any, y: Any, x: Any, weight: Any, bias: Any = None) -> Any:
    return np.dot(matrix(g).T, matrix(x))


def _filled_of_weight(out: Any, g: Any, y: Any, x: Any, weight: Any, bias: Any = None) -> Any:
    alike = type(g) is type(x) is type(out) is np.ndarray and g.dtype is x.dtype is out.dtype
    return np.dot(matrix(g).T, matrix(x), out=out) if alike else _of_weight(g, y, x, weight, bias)


ad.lowered(linear, _steps)
ad.adjoint(
    linear,
    lambda g, y, x, weight, bias=None: rows_times(g, weight),
    ad.Into(_of_weight, _filled_of_weight),
    lambda g, y, x, weight, bias=None: row_sum(matrix(g)),
)
ad.written(
    linear, lambda x, weight, bias=None: "a bᵀ" if bias is None else "a bᵀ + c", pullbacks=("g b", "gᵀ a", "sum g")
)


def bilinear(x1: Any, x2: Any, weight: Any, bias: Any = None) -> Any:
    """The products x1ᵀ W x2 + b, with a matrix W for each output.

    Parameters
    ----------
    x1, x2 : of shape (..., in1) and (..., in2), whose first axes are the same; converted to the dtype of the weight
    weight : of shape (out, in1, in2)
    bias : of shape (out,), or None for no bias

    Raises ValueError for shapes that do not fit together.

    >>> weight = np.ones((1, 2, 2))
    >>> F.bilinear(np.array([1.0, 2.0]), np.array([3.0, 4.0]), weight)
    array([21.])
    """
    first, second = (array(x) for x in (x1, x2))
    shape = np.shape(weight)
    if (
        len(shape) != 3
        or first.shape[-1:] != shape[1:2]
        or second.shape[-1:] != shape[2:]
        or first.shape[:-1] != second.shape[:-1]
        or (bias is not None and np.shape(bias) != shape[:1])
    ):
        raise ValueError(
            "bilinear takes x1 (..., in1), x2 (..., in2), a weight (out, in1, in2) and a bias (out,); received shapes "
            f"{first.shape}, {second.shape}, {shape}" + ("." if bias is None else f" and {np.shape(bias)}.")
        )
    out, inputs, others = shape
    between = linear(first, np.reshape(np.swapaxes(weight, 1, 2), (out * others, inputs)))
    between = np.reshape(between, (*first.shape[:-1], out, others))
    y = np.sum(between * second[..., None, :].astype(between.dtype), axis=-1)
    return y if bias is None else y + bias
