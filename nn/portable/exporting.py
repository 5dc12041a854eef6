"""`export`: a model as an ONNX file, from the graphs of two calls.

The model is called twice, on the example and on a batch of another size with other numbers. What is the same in both
graphs is the model's; an axis that differs is the batch; a constant that differs was computed from the input without
being recorded, and the model is refused.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.data.rows import rows
from nn.data.several import Several, called
from nn.model.module import Module
from nn.model.parts import Parts
from nn.portable.operators import OPERATORS, RefusedError, absent

OPSET, IR = 20, 9


def export(model: Module, path: str | os.PathLike[str], example: Any) -> None:
    """Write a model into an ONNX file, for onnxruntime and others; it is called in evaluation mode.

    Parameters
    ----------
    model : an nn.Module of dense, convolutional, pooling and normalising layers, activations and arithmetic
    path : where to write, "model.onnx"
    example : a batch of inputs of floating-point numbers, (batch, ...), or a tuple or dict of several; any batch may
        be given to the file

    Raises NotImplementedError, before anything is written, for an operation without a counterpart in ONNX, naming it
    and the layer it is in; ImportError without the package onnx; TypeError for inputs that are no floats.

    >>> model = nn.MLP(4, 8, 3, rng=0)
    >>> nn.export(model, "model.onnx", np.zeros((1, 4), np.float32))
    """
    onnx = _onnx()
    if not isinstance(model, Module):
        raise TypeError(f"export takes an nn.Module; received {model!r:.80}. Write nn.Sequential(f) of a function f.")
    given = rows(example, "export takes an example, a batch of inputs")
    arrays = given.arrays if isinstance(given, Several) else [given]
    if any(a.dtype.kind != "f" for a in arrays):
        raise TypeError(
            f"export takes an example of floating-point numbers; received {', '.join(str(a.dtype) for a in arrays)}. "
            "Write X.astype(np.float32); indices, which an Embedding looks up, have no counterpart."
        )
    with Parts(model).mode(training=False):
        first, second = _Call(model, given), _Call(model, _other(given))
    written = _Writing(model, first, second, onnx).model()
    onnx.checker.check_model(written)
    Path(path).write_bytes(written.SerializeToString())


def _onnx() -> Any:
    try:
        import onnx
    except ImportError:
        raise ImportError("export needs the package onnx. Install it: pip install onnx.") from None
    return onnx


def _other(example: Any) -> Any:
    """A batch of one more, with other numbers."""
    if isinstance(example, Several):
        return example.mapped(_other)
    more = np.concatenate([example, example[:1]])
    return (0.5 - more * np.linspace(0.5, 1.5, more.size).reshape(more.shape)).astype(example.dtype)


class _Call:
    """A call of the model: inputs and outputs by name, and the results that depend on the inputs."""

    def __init__(self, model: Module, example: Any) -> None:
        inputs = example.mapped(ad.Tensor) if isinstance(example, Several) else ad.Tensor(example)
        outputs = called(model, inputs)
        parts = inputs.parts if isinstance(inputs, Several) else {"x": inputs}
        self.inputs = dict(_named(parts, "x"))
        self.outputs = dict(_named(outputs if isinstance(outputs, dict | tuple | list) else {"y": outputs}, "y"))
        whole = [y for y in self.outputs.values() if isinstance(y, ad.Tensor)]
        nodes = {id(node): node for y in whole for node in ad.graph(y)}
        depending = {id(tensor) for tensor in self.inputs.values()}
        self.results = []
        for node in nodes.values():
            if node.operation and any(id(operand) in depending for operand in node.operands):
                depending.add(id(node))
                self.results.append(node)
        self.depending = depending


def _named(values: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    return iter(values.items() if isinstance(values, dict) else ((f"{prefix}{k}", v) for k, v in enumerate(values)))


class _Writing:
    """A file that is being written, in memory: what operators write into."""

    def __init__(self, model: Module, first: _Call, second: _Call, onnx: Any) -> None:
        self.onnx, self.first = onnx, first
        self.layers = {id(module): name for name, module in model.named_modules()}
        self.nodes: list[Any] = []
        self.constants: dict[str, npt.NDArray[Any]] = {}
        self.names = {id(tensor): name for name, tensor in first.inputs.items()}
        self.known: dict[int, str] = {}
        self.parameters = {id(tensor): name for name, tensor in model.named_parameters()}
        self.batches = {id(a): _axes(a, b) for a, b in zip(first.inputs.values(), second.inputs.values(), strict=True)}
        if [n.operation for n in first.results] != [n.operation for n in second.results]:
            raise NotImplementedError(
                "export: the model computes other things for other inputs. Take the branches out."
            )
        for node, other in zip(first.results, second.results, strict=True):
            self._write(node, other, second)
        for name, y in first.outputs.items():
            if id(y) not in self.names:
                raise NotImplementedError(f"export: the output {name} does not depend on the input. Leave it out.")

    def _write(self, node: ad.Tensor, other: ad.Tensor, second: _Call) -> None:
        try:
            operator = OPERATORS.get(str(node.operation), absent)
            self._check_constants(node, other, second)
            self.batches[id(node)] = _axes(node, other)
            self.names[id(node)] = operator(self, node)
        except RefusedError as refused:
            raise NotImplementedError(
                f"export of {node.operation}, in {self._place(node)}: {refused}. Nothing was written; take another "
                "layer, or leave that one to the program that reads the file."
            ) from None

    def _check_constants(self, node: Any, other: Any, second: _Call) -> None:
        if node.operation == "where":
            for condition, x, _ in (node.operands, other.operands):
                if not np.array_equal(condition, ad.stop_gradient(x) > 0):
                    raise RefusedError("its condition was computed from the input and is not recorded")
            return
        for a, b in zip(node.operands, other.operands, strict=True):
            if id(a) not in self.first.depending and not _same(a, b):
                raise RefusedError("a constant in it was computed from the input and is not recorded, or has its batch")
            if (id(a) in self.first.depending) != (id(b) in second.depending):
                raise RefusedError("it does not always depend on the input")
        for name, value in node.parameters.items():
            if name not in ("shape", "kept") and not _same(value, other.parameters[name]):
                raise RefusedError(f"its {name} depends on the batch")

    def _place(self, node: Any) -> str:
        inside = next((module for module in node.scopes if id(module) in self.layers), None)
        if inside is None:
            return "the model"
        return f"{self.layers[id(inside)] or 'the model'} ({type(inside).__name__})"

    def name(self, operand: Any, like: Any) -> str:
        """What an operand is called: a result, an input, or a constant in the dtype of the node."""
        if id(operand) in self.names:
            return self.names[id(operand)]
        if isinstance(operand, ad.Tensor):
            if id(operand) not in self.known:
                self.known[id(operand)] = self.constant(operand.value, self.parameters.get(id(operand), ""))
            return self.known[id(operand)]
        return self.constant(np.asarray(operand, like.dtype))

    def constant(self, array: Any, name: str = "") -> str:
        """The name of a new constant."""
        if not name or name in self.first.inputs or name in self.first.outputs:
            name = f"constant{len(self.constants)}"
        self.constants[name] = np.asarray(array)
        return name

    def emit(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """The name of the result of a new operation."""
        name = f"{kind}{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, [name], **attributes))
        return name

    def shape(self, node: Any) -> list[int]:
        """The shape of a node, -1 where it depends on the batch."""
        return [-1 if axis in self.batches[id(node)] else n for axis, n in enumerate(node.shape)]

    def model(self) -> Any:
        """The whole of it, as onnx has it."""
        helper = self.onnx.helper
        for name, y in self.first.outputs.items():
            self.nodes.append(helper.make_node("Identity", [self.names[id(y)]], [name]))
        graph = helper.make_graph(
            self.nodes,
            "model",
            [self._described(name, tensor) for name, tensor in self.first.inputs.items()],
            [self._described(name, tensor) for name, tensor in self.first.outputs.items()],
            [self.onnx.numpy_helper.from_array(array, name) for name, array in self.constants.items()],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)

    def _described(self, name: str, tensor: Any) -> Any:
        shape = ["batch" if n < 0 else n for n in self.shape(tensor)]
        helper = self.onnx.helper
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(tensor.dtype), shape)


def _axes(a: Any, b: Any) -> set[int]:
    """The axes in which two shapes differ."""
    if a.ndim != b.ndim:
        raise RefusedError(f"its shapes {a.shape} and {b.shape} differ with the batch")
    return {axis for axis, (n, m) in enumerate(zip(a.shape, b.shape, strict=True)) if n != m}


def _same(a: Any, b: Any) -> bool:
    """Whether two constants are one."""
    a, b = (v.value if isinstance(v, ad.Tensor) else v for v in (a, b))
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.array_equal(a, b)
    return bool(a == b)
