"""ONNX's counterparts of operations: functions of (file, node) that return the name of the result.

Operators are those of onnx.ai/onnx/operators, opset 20. Operations that are not in `OPERATORS` have no counterpart.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nn.portable.calls import RefusedError, same
from nn.portable.file import File, Operator, absent, along_axis, direct, numbers
from nn.portable.sequences import SEQUENCES
from nn.portable.shaping import SHAPING
from nn.portable.windowed import WINDOWED

__all__ = ["OPERATORS", "absent"]


def linear(file: File, node: Any) -> str:
    """x Wᵀ + b, on the last axis."""
    x, weight, *bias = node.operands
    given = file.name(weight, node)
    shift = [file.name(b, node) for b in bias if b is not None]
    if x.ndim == 2:
        return file.emit("Gemm", file.name(x, node), given, *shift, transB=1)
    y = file.emit("MatMul", file.name(x, node), file.emit("Transpose", given, perm=[1, 0]))
    return file.emit("Add", y, *shift) if shift else y


def contraction(file: File, node: Any) -> str:
    """An einsum: a sum of products given by subscripts."""
    names = [file.name(operand, node) for operand in node.operands]
    return file.emit("Einsum", *names, equation=node.parameters["subscripts"])


def reduction(kind: str) -> Operator:
    """A sum, mean or extreme over axes."""

    def written(file: File, node: Any) -> str:
        x, axis = node.operands[0], node.parameters.get("axis")
        axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        kept = int(bool(node.parameters.get("keepdims", False)))
        return file.emit(kind, file.name(x, node), numbers(file, *axes), keepdims=kept)

    return written


def cumulative_sum(file: File, node: Any) -> str:
    """Sums of the elements up to each, along an axis."""
    axis = node.parameters.get("axis")
    if axis is None:
        raise RefusedError("it sums over all axes, the batch included; give it an axis")
    return file.emit("CumSum", file.name(node.operands[0], node), file.constant(np.array(axis, np.int64)))


def _per_channel(file: File, v: Any, x: Any, node: Any) -> str:
    return file.emit("Reshape", file.name(v, node), numbers(file, -1, *(1,) * (x.ndim - 2)))


def scaled(file: File, node: Any) -> str:
    """x scale + shift, with one of each per channel."""
    x, *per_channel = node.operands
    names = [_per_channel(file, v, x, node) for v in per_channel if v is not None]
    y = file.emit("Mul", file.name(x, node), names[0])
    return file.emit("Add", y, names[1]) if len(names) > 1 else y


def layer_normalised(file: File, node: Any) -> str:
    """Layer normalisation of rows."""
    x, weight, bias = node.operands
    weight = np.ones(x.shape[-1:], node.dtype) if weight is None else weight
    names = [file.name(v, node) for v in (x, weight, bias) if v is not None]
    return file.emit("LayerNormalization", *names, axis=-1, epsilon=node.parameters["eps"])


def batch_normalised(file: File, node: Any) -> str:
    """Each channel normalised by its own statistics, if these are not taken over the batch."""
    x, weight, bias = node.operands
    if -1 in (file.shape(x)[0], *file.shape(x)[2:]):
        raise RefusedError("it takes statistics of the batch; give the layer running ones (track_running_stats=True)")
    axes = numbers(file, 0, *range(2, x.ndim))
    name = file.name(x, node)
    rest = file.emit("Sub", name, file.emit("ReduceMean", name, axes, keepdims=1))
    y = _standardised(file, rest, axes, node)
    for kind, v in (("Mul", weight), ("Add", bias)):
        if v is not None:
            y = file.emit(kind, y, _per_channel(file, v, x, node))
    return y


def centred(file: File, node: Any) -> str:
    """Rows minus their means."""
    if node.parameters.get("axis", 1) != 0:
        raise RefusedError("it takes statistics of the batch; give the layer running ones (track_running_stats=True)")
    x = file.name(node.operands[0], node)
    return file.emit("Sub", x, file.emit("ReduceMean", x, numbers(file, 1), keepdims=1))


def standardised(file: File, node: Any) -> str:
    """Rows divided by the root of their mean squares."""
    return _standardised(file, file.name(node.operands[0], node), numbers(file, 1), node)


def _standardised(file: File, x: str, axes: str, node: Any) -> str:
    squares = file.emit("ReduceMean", file.emit("Mul", x, x), axes, keepdims=1)
    root = file.emit("Sqrt", file.emit("Add", squares, file.name(node.parameters["eps"], node)))
    return file.emit("Div", x, root)


def where(file: File, node: Any) -> str:
    """One of two arrays, chosen by a constant condition, or by the x > 0 of a leaky ReLU."""
    condition, x, other = node.operands
    twin = file.others[id(node)]
    if same(condition, twin.operands[0]):
        return file.emit("Where", file.constant(np.asarray(condition)), file.name(x, node), file.name(other, node))
    if getattr(other, "operation", None) == "multiply":
        slope, of = other.operands
        given = ((node.operands, x), (twin.operands, twin.operands[1]))
        if of is x and isinstance(slope, float) and all(np.array_equal(c, v.value > 0) for (c, *_), v in given):
            return file.emit("LeakyRelu", file.name(x, node), alpha=slope)
    raise RefusedError("its condition was computed from the input and is not recorded")


def leaky(file: File, node: Any) -> str:
    """x, or where it is negative a slope times x."""
    x, slope = node.operands
    if isinstance(slope, float):
        return file.emit("LeakyRelu", file.name(x, node), alpha=slope)
    return file.emit("PRelu", file.name(x, node), file.name(slope, node))


def exponential(file: File, node: Any) -> str:
    """ELU, SELU or CELU."""
    x = file.name(node.operands[0], node)
    alpha, width, scale = (node.parameters[name] for name in ("alpha", "width", "scale"))
    if width == 1:
        return file.emit("Selu", x, alpha=alpha, gamma=scale)
    zero = file.name(0.0, node)
    below = file.emit("Div", file.emit("Min", x, zero), file.name(width, node))
    below = file.emit("Mul", file.emit("Sub", file.emit("Exp", below), file.name(1.0, node)), file.name(alpha, node))
    return file.emit("Mul", file.emit("Add", file.emit("Max", x, zero), below), file.name(scale, node))


def bounded(file: File, node: Any) -> str:
    """x clipped to two bounds."""
    bounds = [file.name(np.array(node.parameters[name]), node) for name in ("low", "high")]
    return file.emit("Clip", file.name(node.operands[0], node), *bounds)


def hard(file: File, node: Any) -> str:
    """x where |x| is above the bound, else 0."""
    return file.emit("Shrink", file.name(node.operands[0], node), lambd=node.parameters["bound"])


def soft(file: File, node: Any) -> str:
    """x moved towards 0 by the bound."""
    bound = node.parameters["bound"]
    return file.emit("Shrink", file.name(node.operands[0], node), lambd=bound, bias=bound)


def above(file: File, node: Any) -> str:
    """x above a bound, else a value."""
    x, bound = file.name(node.operands[0], node), file.name(node.parameters["bound"], node)
    return file.emit("Where", file.emit("Greater", x, bound), x, file.name(node.parameters["value"], node))


def squared(file: File, node: Any) -> str:
    """x squared: x x."""
    x = file.name(node.operands[0], node)
    return file.emit("Mul", x, x)


def after(kind: str, then: str, number: float, first: bool = False) -> Operator:
    """`kind`, and after it (with `first`, before it) `then` with a number: exp x - 1, ln(1 + x), ln x / ln 2."""

    def written(file: File, node: Any) -> str:
        x, constant = file.name(node.operands[0], node), file.name(number, node)
        return file.emit(kind, file.emit(then, x, constant)) if first else file.emit(then, file.emit(kind, x), constant)

    return written


OPERATORS: dict[str, Operator] = {
    **{
        name: direct(kind)
        for name, kind in {
            "relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid", "exp": "Exp", "log": "Log", "sqrt": "Sqrt",
            "negative": "Neg", "absolute": "Abs", "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div",
            "power": "Pow", "maximum": "Max", "minimum": "Min", "erf": "Erf", "sign": "Sign", "softplus": "Softplus",
            "gelu": "Gelu", "matmul": "MatMul", "sin": "Sin", "cos": "Cos", "tan": "Tan", "arcsin": "Asin",
            "arccos": "Acos", "arctan": "Atan", "sinh": "Sinh", "cosh": "Cosh", "arcsinh": "Asinh", "arccosh": "Acosh",
            "arctanh": "Atanh", "reciprocal": "Reciprocal",
        }.items()
    },
    **{name: along_axis(kind) for name, kind in (("softmax", "Softmax"), ("log_softmax", "LogSoftmax"))},
    **{
        name: reduction(kind)
        for name, kind in {
            "mean": "ReduceMean", "sum": "ReduceSum", "max": "ReduceMax", "min": "ReduceMin", "prod": "ReduceProd",
            "logsumexp": "ReduceLogSumExp",
        }.items()
    },
    "linear": linear, "contraction": contraction, "cumsum": cumulative_sum, "scaled": scaled, "centred": centred,
    "layer_normalised": layer_normalised, "batch_normalised": batch_normalised, "standardised": standardised,
    "where": where, "leaky": leaky, "exponential": exponential, "bounded": bounded, "hard": hard, "soft": soft,
    "above": above, "square": squared, "expm1": after("Exp", "Sub", 1.0), "log1p": after("Log", "Add", 1.0, first=True),
    "log2": after("Log", "Div", math.log(2)), "log10": after("Log", "Div", math.log(10)),
    **SHAPING, **SEQUENCES, **WINDOWED,
}  # fmt: skip
