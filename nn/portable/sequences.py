"""ONNX's counterparts of operations on sequences: recurrent layers, attention and the rows of a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn.functional.cells import CELLS
from nn.portable.calls import RefusedError
from nn.portable.file import File, Operator, expanded, numbers
from nn.portable.shaping import backwards

# ONNX's operator for each kind of layer, and ONNX's order of its gates, as indices into PyTorch's order.
KINDS: dict[str, tuple[str, tuple[int, ...], dict[str, Any]]] = {
    "tanh": ("RNN", (0,), {"activations": ["Tanh"]}),
    "relu": ("RNN", (0,), {"activations": ["Relu"]}),
    "LSTM": ("LSTM", (0, 3, 1, 2), {}),
    "GRU": ("GRU", (1, 0, 2), {"linear_before_reset": 1}),
}


def recurrence(file: File, node: Any) -> str:
    """A recurrent layer: the states h after every step; the results that end in .1 and .2 are the last states."""
    p, weight, bias, *states = node.operands
    kind, order, attributes = KINDS[node.parameters["kind"]]
    if node.parameters["mask"] is not None:
        raise RefusedError("it skips steps by a mask, from lengths")
    reverse = getattr(p, "operation", None) == "flip" and p.parameters["axis"] == 0
    projection = p.operands[0] if reverse else p
    if getattr(projection, "operation", None) != "linear":
        raise RefusedError("its input did not go through a weight")
    x, w_ih, *shift = projection.operands
    name = file.name(x, node)
    if reverse:
        name = backwards(file, name, 0)
    gates = [CELLS[node.parameters["kind"]].gates, weight.shape[1], -1]

    def ordered(value: Any) -> Any:
        return np.asarray(file.value(value), node.dtype).reshape(gates)[list(order)]

    weights = [file.constant(ordered(w).reshape(1, gates[0] * gates[1], -1)) for w in (w_ih, weight)]
    biases = [ordered(b).reshape(1, -1) if b is not None else None for b in (shift[0] if shift else None, bias)]
    zeros = np.zeros((1, gates[0] * gates[1]), node.dtype)
    both = np.concatenate([zeros if b is None else b for b in biases], axis=1)
    first = [_first(file, state, node, name) for state in states]
    return file.emit(
        kind, name, *weights, file.constant(both), "", *first,
        outputs=3 if kind == "LSTM" else 2, hidden_size=gates[1], **attributes,
    )  # fmt: skip


def _first(file: File, state: Any, node: Any, x: str) -> str:
    """A first state, with an axis for the direction before it; "" for zeros."""
    if not file.depends(state) and not np.any(file.value(state, broadcast=True)):
        return ""
    swapped = file.emit("Transpose", x, perm=[1, 0, 2])  # so that the batch is the first axis, as in the state
    return file.emit("Unsqueeze", expanded(file, state, node, swapped), numbers(file, 0))


def attention(file: File, node: Any) -> str:
    """softmax(query keyᵀ scale + bias); 0 for queries whose keys are all masked."""
    query, key = node.operands
    q, k, scale = file.name(query, node), file.name(key, node), file.name(node.parameters["scale"], node)
    order = [*range(key.ndim - 2), key.ndim - 1, key.ndim - 2]
    scores = file.emit("Mul", file.emit("MatMul", q, file.emit("Transpose", k, perm=order)), scale)
    bias = node.parameters["bias"]
    if bias is None:
        return file.emit("Softmax", scores, axis=-1)
    nowhere = np.isneginf(bias).all(axis=-1, keepdims=True)
    scores = file.emit("Add", scores, file.name(np.where(nowhere, 0, bias), node))
    weights = file.emit("Softmax", scores, axis=-1)
    return file.emit("Mul", weights, file.name(1.0 - nowhere, node)) if nowhere.any() else weights


def taken_rows(file: File, node: Any) -> str:
    """The rows of a table, looked up by integers."""
    weight, indices = node.operands
    return file.emit("Gather", file.name(weight, node), file.integers(indices), axis=0)


SEQUENCES: dict[str, Operator] = {
    "recurrence": recurrence, "attention_weights": attention, "taken_rows": taken_rows
}  # fmt: skip
