"""`export`: a model as an ONNX file, from the graphs of two calls."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.data.rows import rows
from nn.data.several import Several
from nn.model.module import Module
from nn.model.parts import Parts
from nn.model.walking import freeze_again, unfreeze
from nn.portable.calls import Call, Reading, RefusedError, alike_in_the_batch, another, axes_that_differ, reading, same
from nn.portable.operators import OPERATORS, absent

OPSET, IR = 20, 9
OF_THE_RESULT = {"shape", "newshape", "size", "kept"}  # parameters given by the result's shape; newshape: NumPy 2.0


def export(model: Module, path: str | os.PathLike[str], example: Any) -> None:
    """Write a model to an ONNX file, for onnxruntime and other programs. The model is called in evaluation mode.

    Parameters
    ----------
    model : an nn.Module: of dense, convolutional, recurrent, pooling and normalising layers, attention, embeddings,
        activations and arithmetic
    path : the file to write, "model.onnx"
    example : a batch of inputs, (batch, ...), of floating-point numbers or, for an Embedding, of integers; or a tuple
        or dict of several inputs. The file takes batches of any size; the other axes keep the example's lengths

    Raises NotImplementedError, before anything is written, for an operation without a counterpart in ONNX, naming it
    and the layer it is in; ImportError without the package onnx; TypeError for inputs that are no numbers.

    >>> model = nn.MLP(4, 8, 3, rng=0)
    >>> nn.export(model, "model.onnx", np.zeros((1, 4), np.float32))
    """
    onnx = _onnx()
    if not isinstance(model, Module):
        raise TypeError(f"export takes an nn.Module; received {model!r:.80}. For a function f write nn.Sequential(f).")
    given = rows(example, "export takes an example, a batch of inputs")
    arrays = given.arrays if isinstance(given, Several) else [given]
    if any(a.dtype.kind not in "fiu" for a in arrays):
        raise TypeError(
            "export takes an example of floating-point numbers, or of integers that an Embedding looks up; received "
            f"{', '.join(str(a.dtype) for a in arrays)}. Write X.astype(np.float32)."
        )
    frozen = unfreeze(model.modules())  # frozen parameters are constants, and operations on these are not recorded
    try:
        with Parts(model).mode(training=False):
            first, second = Call(model, given), Call(model, another(given))
        written = _Writing(model, first, second, onnx).model()
    finally:
        freeze_again(frozen)
    onnx.checker.check_model(written)
    Path(path).write_bytes(written.SerializeToString())


def _onnx() -> Any:
    try:
        import onnx
    except ImportError:
        raise ImportError("export needs the package onnx. Install it: pip install onnx.") from None
    return onnx


def _check_parameters(given: Any, other: Any) -> None:
    for name, value in given.items():
        if name not in OF_THE_RESULT and not same(value, other[name]):
            raise RefusedError(f"its {name} depends on the batch")


class _Writing:
    """The file while it is written, in memory. Operators write into it."""

    def __init__(self, model: Module, first: Call, second: Call, onnx: Any) -> None:
        self.onnx, self.first, self.second = onnx, first, second
        self.layers = {id(module): name for name, module in model.named_modules()}
        self.parameters = {id(tensor): name for name, tensor in model.named_parameters()}
        self.nodes: list[Any] = []
        self.constants: dict[str, npt.NDArray[Any]] = {}
        self.known: dict[int, str] = {}
        self.names = {id(array): name for name, array in first.inputs.items()}
        self.batches = {id(a): axes_that_differ(a, second.inputs[name]) for name, a in first.inputs.items()}
        self.others: dict[int, Any] = {id(a): second.inputs[name] for name, a in first.inputs.items()}
        if [n.operation for n in first.results] != [n.operation for n in second.results]:
            raise NotImplementedError(
                "export: the model does other operations for other inputs, and a file has one graph. Remove the "
                "branches that depend on the input."
            )
        for node, other in zip(first.results, second.results, strict=True):
            if self._depends(node, other):
                self._write(node, other)
        for name, y in first.outputs.items():
            if id(y) not in self.names:
                raise NotImplementedError(f"export: the output {name} does not depend on the input. Leave it out.")

    def _depends(self, node: ad.Tensor, other: ad.Tensor) -> bool:
        """Whether a node depends on the input: by an operand that does, or by a constant that came from integers."""
        return any(
            id(a) in self.names or not (isinstance(a, ad.Tensor) or same(a, b) or alike_in_the_batch(a, b) is not None)
            for a, b in zip(node.operands, other.operands, strict=True)
        )

    def _write(self, node: ad.Tensor, other: ad.Tensor) -> None:
        try:
            self.others[id(node)] = other
            self.pairs = {id(a): b for a, b in zip(node.operands, other.operands, strict=True)}
            _check_parameters(node.parameters, other.parameters)
            self.batches[id(node)] = axes_that_differ(node, other)
            self.names[id(node)] = OPERATORS.get(str(node.operation), absent)(self, node)
        except RefusedError as refused:
            raise NotImplementedError(
                f"export of {node.operation}, in {self._place(node)}: {refused}. Nothing was written. Use another "
                "layer, or compute this one in the program that reads the file."
            ) from None

    def _place(self, node: Any) -> str:
        inside = next((module for module in node.scopes if id(module) in self.layers), None)
        if inside is None:
            return "the model"
        return f"{self.layers[id(inside)] or 'the model'} ({type(inside).__name__})"

    def depends(self, operand: Any) -> bool:
        """Whether an operand depends on the input through recorded operations."""
        return id(operand) in self.names

    def name(self, operand: Any, like: Any) -> str:
        """The name of an operand: a result, an input, or a constant in the dtype of the node."""
        if id(operand) in self.names:
            name = self.names[id(operand)]
            kind = self.onnx.helper.np_dtype_to_tensor_dtype(like.dtype)
            return name if operand.dtype == like.dtype else self.emit("Cast", name, to=kind)
        if isinstance(operand, ad.Tensor) and same(operand, self.pairs.get(id(operand), operand)):
            if id(operand) not in self.known:
                self.known[id(operand)] = self.constant(operand.value, self.parameters.get(id(operand), ""))
            return self.known[id(operand)]
        found = self._reading(operand)
        if found is not None:
            return self._read(found, self.onnx.helper.np_dtype_to_tensor_dtype(like.dtype))
        value = self.value(operand, broadcast=True)
        return self.constant(value if value.dtype.kind == "b" else value.astype(like.dtype))

    def value(self, operand: Any, broadcast: bool = False) -> Any:
        """The array of an operand that does not depend on the input; with `broadcast` its batch has the length 1.

        Raises RefusedError for any other operand.
        """
        other = self.pairs.get(id(operand), operand)
        found = operand.value if isinstance(operand, ad.Tensor) else operand
        if id(operand) not in self.names and same(operand, other):
            return np.asarray(found)
        row = alike_in_the_batch(operand, other) if broadcast else None
        if row is None:
            raise RefusedError("a constant in it was computed from the input but not recorded, or has the batch's size")
        return row

    def integers(self, operand: Any) -> str:
        """The name of an operand of integers: a constant, or an input, its columns or its transpose."""
        if same(operand, self.pairs[id(operand)]):
            return self.constant(np.asarray(operand, np.int64))
        found = self._reading(operand)
        if found is None:
            raise RefusedError("its integers are not an input of the model, one of its columns, or its transpose")
        return self._read(found, self.onnx.TensorProto.INT64)

    def _reading(self, operand: Any) -> Reading | None:
        other = self.pairs.get(id(operand), operand)
        return None if same(operand, other) else reading(operand, other, self.first, self.second)

    def _read(self, found: Reading, kind: int) -> str:
        """The name of an input of integers after the operations of `found`, in this ONNX type."""
        x = self.emit("Cast", found.name, to=self.onnx.TensorProto.INT64 if found.classes else kind)
        if found.transposed:
            x = self.emit("Transpose", x, perm=[1, 0])
        if found.columns is not None:
            taken = np.arange(self.first.inputs[found.name].shape[1])[found.columns]
            x = self.emit("Gather", x, self.constant(np.asarray(taken)), axis=1)
        if found.classes:
            x = self.emit("OneHot", x, self.constant(np.array(found.classes)), self.constant(np.array([0, 1])))
            x = self.emit("Cast", x, to=kind)
        return x

    def constant(self, array: Any, name: str = "") -> str:
        """The name of a new constant."""
        if not name or name in self.first.inputs or name in self.first.outputs:
            name = f"constant{len(self.constants)}"
        self.constants[name] = np.asarray(array)
        return name

    def emit(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> str:
        """Add an operation and return the name of its first result; the others end in .1 and .2."""
        name = f"{kind}{len(self.nodes)}"
        names = [name, *(f"{name}.{k}" for k in range(1, outputs))]
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, names, **attributes))
        return name

    def shape(self, node: Any) -> list[int]:
        """The shape of a node, with -1 for a length that depends on the batch."""
        return [-1 if axis in self.batches[id(node)] else n for axis, n in enumerate(node.shape)]

    def model(self) -> Any:
        """The ONNX model, without the operations and constants that no output needs."""
        helper = self.onnx.helper
        for name, y in self.first.outputs.items():
            self.nodes.append(helper.make_node("Identity", [self.names[id(y)]], [name]))
        needed, nodes = set(self.first.outputs), []
        for node in reversed(self.nodes):
            if needed.intersection(node.output):
                needed.update(node.input)
                nodes.append(node)
        graph = helper.make_graph(
            nodes[::-1],
            "model",
            [self._described(name, tensor) for name, tensor in self.first.inputs.items()],
            [self._described(name, tensor) for name, tensor in self.first.outputs.items()],
            [self.onnx.numpy_helper.from_array(a, name) for name, a in self.constants.items() if name in needed],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)

    def _described(self, name: str, tensor: Any) -> Any:
        shape = ["batch" if n < 0 else n for n in self.shape(tensor)]
        helper = self.onnx.helper
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(tensor.dtype), shape)
