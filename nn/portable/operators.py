"""ONNX's counterparts of operations, each as a function of (file, node) that gives the name of its result.

Operators are those of onnx.ai/onnx/operators, opset 20. Whatever is not in `OPERATORS` has no counterpart here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

Operator = Callable[["File", Any], str]


class File(Protocol):
    """What an operator writes into."""

    def name(self, operand: Any, like: Any) -> str:
        """What an operand of a node is called in the file: a result, an input, or a constant."""
        raise NotImplementedError

    def constant(self, array: Any) -> str:
        """The name of a new constant."""
        raise NotImplementedError

    def emit(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """The name of the result of a new operation."""
        raise NotImplementedError

    def shape(self, node: Any) -> list[int]:
        """The shape of a node, -1 where it depends on the batch."""
        raise NotImplementedError


class RefusedError(Exception):
    """An operation without a counterpart; the text says why."""


def direct(kind: str) -> Operator:
    """One that has the same operands."""
    return lambda file, node: file.emit(kind, *(file.name(operand, node) for operand in node.operands))


def along_axis(kind: str) -> Operator:
    """One along an axis, the last if the node does not say."""
    return lambda file, node: file.emit(kind, file.name(node.operands[0], node), axis=node.parameters.get("axis", -1))


def absent(file: File, node: Any) -> str:
    """What stands for all others."""
    raise RefusedError("it has no counterpart here")


def linear(file: File, node: Any) -> str:
    """x Wᵀ + b, on the last axis."""
    x, weight, *bias = node.operands
    given = file.name(weight, node)
    shift = [file.name(b, node) for b in bias if b is not None]
    if x.ndim == 2:
        return file.emit("Gemm", file.name(x, node), given, *shift, transB=1)
    y = file.emit("MatMul", file.name(x, node), file.emit("Transpose", given, perm=[1, 0]))
    return file.emit("Add", y, *shift) if shift else y


def _windowed(node: Any) -> dict[str, list[int]]:
    windows = node.parameters["windows"]
    pads = [low for low, _ in windows.padding] + [high for _, high in windows.padding]
    return {"kernel_shape": list(windows.kernel), "strides": list(windows.stride), "pads": pads}


def convolution(file: File, node: Any) -> str:
    """Convolution, grouped too."""
    windows = node.parameters["windows"]
    names = [file.name(operand, node) for operand in node.operands if operand is not None]
    groups = node.parameters.get("groups", 1)
    return file.emit("Conv", *names, **_windowed(node), dilations=list(windows.dilation), group=groups)


def max_pooling(file: File, node: Any) -> str:
    """The highest of each window."""
    dilation = list(node.parameters["windows"].dilation)
    return file.emit("MaxPool", file.name(node.operands[0], node), **_windowed(node), dilations=dilation)


def average_pooling(file: File, node: Any) -> str:
    """The mean of each window, with or without the padding."""
    padding, counted = (tuple(map(tuple, p)) for p in (node.parameters["windows"].padding, node.parameters["counted"]))
    if counted != padding and any(map(any, counted)):
        raise RefusedError("a part of its padding counts, which AveragePool does not know")
    included = int(counted == padding)
    return file.emit("AveragePool", file.name(node.operands[0], node), **_windowed(node), count_include_pad=included)


def reshape(file: File, node: Any) -> str:
    """Another shape of the same numbers."""
    shape = file.shape(node)
    if shape.count(-1) > 1:
        raise RefusedError(f"its shape {node.shape} depends on the batch in several axes")
    return file.emit("Reshape", file.name(node.operands[0], node), file.constant(np.array(shape, np.int64)))


def gather(file: File, node: Any) -> str:
    """Slices, single indices and new axes."""
    index = node.parameters["index"]
    x, axis = file.name(node.operands[0], node), 0
    dropped: list[int] = []
    added: list[int] = []
    for part in index if isinstance(index, tuple) else (index,):
        if part is None:
            added.append(axis - len(dropped) + len(added))
            continue
        number = isinstance(part, int | np.integer)
        if not (number or isinstance(part, slice)) or (isinstance(part, slice) and (part.step or 1) < 1):
            raise RefusedError(f"it takes the index {part!r:.40}; slices forward, integers and None have a counterpart")
        if number or part != slice(None):
            start = int(part) if number else part.start or 0
            stop = (start + 1 or 2**31) if number else 2**31 if part.stop is None else part.stop
            bounds = (start, stop, axis, 1 if number else part.step or 1)
            x = file.emit("Slice", x, *(file.constant(np.array([bound], np.int64)) for bound in bounds))
        if number:
            dropped.append(axis)
        axis += 1
    x = file.emit("Squeeze", x, file.constant(np.array(dropped, np.int64))) if dropped else x
    return file.emit("Unsqueeze", x, file.constant(np.array(added, np.int64))) if added else x


def reduction(kind: str) -> Operator:
    """A sum, mean or extreme over axes."""

    def written(file: File, node: Any) -> str:
        x, axis = node.operands[0], node.parameters.get("axis")
        axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        kept = int(bool(node.parameters.get("keepdims", False)))
        return file.emit(kind, file.name(x, node), file.constant(np.array([*axes], np.int64)), keepdims=kept)

    return written


def scaled(file: File, node: Any) -> str:
    """x scale + shift, with one of each per channel."""
    x, *per_channel = node.operands
    shape = file.constant(np.array([-1, *(1,) * (x.ndim - 2)], np.int64))
    names = [file.emit("Reshape", file.name(v, node), shape) for v in per_channel if v is not None]
    y = file.emit("Mul", file.name(x, node), names[0])
    return file.emit("Add", y, names[1]) if len(names) > 1 else y


def layer_normalised(file: File, node: Any) -> str:
    """Layer normalisation of rows."""
    x, weight, bias = node.operands
    weight = np.ones(x.shape[-1:], node.dtype) if weight is None else weight
    names = [file.name(v, node) for v in (x, weight, bias) if v is not None]
    return file.emit("LayerNormalization", *names, axis=-1, epsilon=node.parameters["eps"])


def centred(file: File, node: Any) -> str:
    """Rows less their means."""
    if node.parameters.get("axis", 1) != 0:
        raise RefusedError("it takes statistics of the batch; give the layer running ones (track_running_stats=True)")
    x = file.name(node.operands[0], node)
    return file.emit("Sub", x, file.emit("ReduceMean", x, file.constant(np.array([1], np.int64)), keepdims=1))


def standardised(file: File, node: Any) -> str:
    """Rows over the root of their mean squares."""
    x, axes = file.name(node.operands[0], node), file.constant(np.array([1], np.int64))
    squares = file.emit("ReduceMean", file.emit("Mul", x, x), axes, keepdims=1)
    root = file.emit("Sqrt", file.emit("Add", squares, file.name(node.parameters["eps"], node)))
    return file.emit("Div", x, root)


def where(file: File, node: Any) -> str:
    """A leaky ReLU, of the condition x > 0."""
    _, x, other = node.operands
    if getattr(other, "operation", None) == "multiply":
        slope, of = other.operands
        if of is x and isinstance(slope, float):
            return file.emit("LeakyRelu", file.name(x, node), alpha=slope)
    raise RefusedError("its condition was computed from the input and is not recorded")


def squared(file: File, node: Any) -> str:
    """x x."""
    x = file.name(node.operands[0], node)
    return file.emit("Mul", x, x)


def silu(file: File, node: Any) -> str:
    """x sigmoid x."""
    x = file.name(node.operands[0], node)
    return file.emit("Mul", x, file.emit("Sigmoid", x))


def transposed(file: File, node: Any) -> str:
    """Other orders of the axes."""
    x, axes = node.operands[0], node.parameters.get("axes")
    order = range(x.ndim)[::-1] if axes is None else [axis % x.ndim for axis in axes]
    return file.emit("Transpose", file.name(x, node), perm=list(order))


def concatenated(file: File, node: Any) -> str:
    """Arrays end to end."""
    return file.emit("Concat", *(file.name(v, node) for v in node.operands), axis=node.parameters.get("axis", 0))


OPERATORS: dict[str, Operator] = {
    **{
        name: direct(kind)
        for name, kind in {
            "relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid", "exp": "Exp", "log": "Log", "sqrt": "Sqrt",
            "negative": "Neg", "absolute": "Abs", "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div",
            "power": "Pow", "maximum": "Max", "minimum": "Min", "erf": "Erf", "sign": "Sign", "softplus": "Softplus",
            "gelu": "Gelu", "matmul": "MatMul", "sin": "Sin", "cos": "Cos",
        }.items()
    },
    **{name: along_axis(kind) for name, kind in (("softmax", "Softmax"), ("log_softmax", "LogSoftmax"))},
    **{
        name: reduction(kind)
        for name, kind in (("mean", "ReduceMean"), ("sum", "ReduceSum"), ("max", "ReduceMax"), ("min", "ReduceMin"))
    },
    "linear": linear, "convolution": convolution, "max_pooling": max_pooling, "average_pooling": average_pooling,
    "reshape": reshape, "gather": gather, "scaled": scaled, "layer_normalised": layer_normalised, "centred": centred,
    "standardised": standardised, "where": where, "square": squared, "silu": silu, "transpose": transposed,
    "concatenate": concatenated,
}  # fmt: skip
