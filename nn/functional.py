"""Layers and losses as functions of Tensors; on plain arrays they give plain arrays.

`linear` and `cross_entropy` are primitives of their own: one node of the graph, few temporaries.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad

relu = ad.relu
leaky_relu = ad.leaky_relu
elu = ad.elu
silu = ad.silu
tanh = np.tanh
sigmoid = ad.sigmoid
softplus = ad.softplus
softmax = ad.softmax
log_softmax = ad.log_softmax


@functools.lru_cache(maxsize=64)
def _ones(length: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Ones: a matrix times them is its row sums, at several times the speed of np.sum for short rows."""
    ones = np.ones(length, dtype)
    ones.flags.writeable = False
    return ones


# -- a dense layer ------------------------------------------------------------------------------------------------


@ad.primitive
def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    """A dense layer, x Wᵀ + b along the last axis, in the dtype of the weight.

    Parameters
    ----------
    x : of shape (..., in), usually (batch, in)
    weight : of shape (out, in), as PyTorch keeps it
    bias : of shape (out,), or left away
    """
    if (
        type(x) is not np.ndarray
        or type(weight) is not np.ndarray
        or x.dtype is not weight.dtype
        or x.dtype.kind != "f"
    ):
        x, weight = _of_one_dtype(x, weight)
    try:
        y = (np.dot if x.ndim else np.matmul)(x, weight.T)  # dot takes half a microsecond less, and a number for x
        if bias is not None:
            bias = bias if type(bias) is np.ndarray else np.asarray(bias)
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
    """Both as arrays of the weight's dtype, if nothing of x is lost by it."""
    weight = np.asarray(weight)
    if weight.dtype.kind not in "fc":
        raise TypeError(
            f"linear computes in the dtype of the weight, which is to be a floating one; received a weight of dtype "
            f"{weight.dtype}. Convert it with weight.astype(np.float32)."
        )
    x = np.asarray(x)
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
        + ("" if bias is None else f" and bias of shape {np.shape(bias)}, dtype {np.asarray(bias).dtype}")
        + ". The last axis of x is to be the layer's number of inputs, the bias one number per output."
    )


def rows(x: Any) -> Any:
    """The matrix of x: every axis but the last put into one."""
    return x if x.ndim == 2 else np.reshape(x, (-1, x.shape[-1]))


ad.adjoint(
    linear,
    lambda g, y, x, weight, bias=None: np.dot(g, weight),
    lambda g, y, x, weight, bias=None: np.dot(rows(g).T, rows(x)),
    lambda g, y, x, weight, bias=None: np.dot(_ones(math.prod(g.shape[:-1]), g.dtype), rows(g)),  # the batch's sum
)


# -- losses: the mean over the batch, one number ------------------------------------------------------------------


@ad.primitive
def cross_entropy(logits: Any, labels: Any) -> Any:
    """The mean over the batch of -ln softmax(logits)[label]: cross-entropy from logits with integer labels.

    Parameters
    ----------
    logits : of shape (batch, classes), any size: nothing overflows
    labels : integers from 0 to classes - 1, of shape (batch,)

    Raises ValueError for shapes that do not belong together and for labels out of range, TypeError for labels that
    are not integers.
    """
    if type(logits) is not np.ndarray or logits.dtype.kind != "f":
        logits = _scores(logits)
    labels = checked_labels(labels, logits.shape)
    shifted = _shifted(logits)
    picked = shifted[_count(len(labels)), labels]
    sums = np.dot(np.exp(shifted, out=shifted), _ones(logits.shape[1], logits.dtype))
    return np.add.reduce(np.log(sums, out=sums) - picked) / len(labels)


@ad.primitive
def cross_entropy_slope(logits: Any, labels: Any) -> Any:
    """The derivative of cross_entropy by the logits: (softmax - one-hot label) / batch."""
    e = _shifted(logits)
    np.exp(e, out=e)
    sums = np.dot(e, _ones(logits.shape[1], logits.dtype))
    sums *= len(labels)
    e /= sums[:, None]
    e[_count(len(labels)), labels] -= 1 / len(labels)
    return e


def _scores(logits: Any) -> npt.NDArray[np.floating[Any]]:
    """Logits in a list, or of integers, as floating ones."""
    scores = np.asarray(logits)
    if scores.dtype.kind not in "fiub":
        raise TypeError(
            f"cross_entropy takes real numbers as logits, of shape (batch, classes); received shape {scores.shape} "
            f"and dtype {scores.dtype}. Pass the model's outputs as they are."
        )
    return scores if scores.dtype.kind == "f" else scores.astype(float)


def _shifted(logits: Any) -> Any:
    """The logits less each row's highest: exp of them cannot overflow."""
    # argmax and indexing take half the time of max.
    return logits - logits[_count(len(logits)), logits.argmax(axis=1)][:, None]


def _slope_adjoint(g: Any, y: Any, logits: Any, labels: Any) -> Any:
    """The Jacobian of softmax, (diag s - s sᵀ) / batch, is its own transpose."""
    s = ad.softmax(logits)
    return s * (g - np.sum(g * s, axis=1, keepdims=True)) / len(labels)


ad.adjoint(cross_entropy, lambda g, y, logits, labels: g * cross_entropy_slope(logits, labels), None)
ad.adjoint(cross_entropy_slope, _slope_adjoint, None)


@functools.lru_cache(maxsize=64)
def _count(length: int) -> npt.NDArray[np.intp]:
    """0, 1, ... length - 1."""
    count = np.arange(length)
    count.flags.writeable = False
    return count


def checked_labels(labels: Any, shape: tuple[int, ...]) -> npt.NDArray[np.integer[Any]]:
    """The labels as an array, if they are ones that logits of this shape can have."""
    labels = np.asarray(labels)
    if len(shape) != 2 or labels.shape != shape[:1]:
        hint = "one-hot labels become integers by argmax(axis=1)"
        if len(shape) == 1:
            hint = "a batch of one sample is x[None], with one label in an array"
        raise ValueError(
            f"cross_entropy takes logits of shape (batch, classes) and labels of shape (batch,); received logits of "
            f"shape {shape} and labels of shape {labels.shape}; {hint}."
        )
    if labels.dtype.kind not in "iu":
        raise TypeError(
            f"cross_entropy takes integer labels, the numbers of the classes; received dtype {labels.dtype}. "
            "If they are whole numbers, convert them with labels.astype(int)."
        )
    if not labels.size:
        raise ValueError("cross_entropy is a mean over the batch; received a batch of no samples.")
    if not labels.dtype.isnative:  # as in files of big-endian numbers, MNIST's for one
        labels = labels.astype(labels.dtype.newbyteorder("="))
    # Seen as unsigned, a negative label is huge: one pass finds both kinds of stray.
    if np.maximum.reduce(labels.view(f"u{labels.itemsize}")) >= shape[1]:
        k = int(np.argmax((labels < 0) | (labels >= shape[1])))
        raise ValueError(
            f"cross_entropy takes labels from 0 to {shape[1] - 1} (the logits have {shape[1]} classes); received "
            f"{labels[k]} at index {k}. Number the classes from 0, or give the model an output per class."
        )
    return labels


def mse_loss(prediction: Any, target: Any, half: bool = False) -> Any:
    """The mean over all elements of (y' - y)², or with `half` of (y' - y)² / 2, whose adjoint is y' - y over n.

    Raises ValueError where the shapes differ: (n, 1) against (n,) would broadcast to n x n without a word.
    """
    if not isinstance(prediction, ad.Tensor):
        prediction = np.asarray(prediction, target.dtype if isinstance(target, ad.Tensor) else None)
        if prediction.dtype.kind in "iub":  # differences of unsigned integers would wrap around
            prediction = prediction.astype(float)
    if not isinstance(target, ad.Tensor):
        target = np.asarray(target, prediction.dtype if isinstance(prediction, ad.Tensor) else None)
    if np.shape(prediction) != np.shape(target):
        raise ValueError(
            f"mse_loss compares element with element; received a prediction of shape {np.shape(prediction)} and a "
            f"target of shape {np.shape(target)}. Bring them to one shape, for example with target.reshape(-1, 1)."
        )
    if not np.size(prediction):
        raise ValueError(f"mse_loss is a mean; received shape {np.shape(prediction)}, which has no elements.")
    mean = np.mean(np.square(prediction - target))
    return 0.5 * mean if half else mean
