"""The graph as JSON, for other programs. This docstring defines the format; "version" grows when a meaning changes.

{
  "format": "autodiff-graph", "version": 1,
  "values": how many values the graph has, folded ones included,
  "root": id of the node that shows the result,
  "nodes": [{
    "id": 0, 1, ... in recording order,
    "kind": "input" | "parameter" | "constant" | "operation" | "output",
    "symbol": "v₁", "equation": "v₁ = ln v₋₁" (a folded node's name),
    "name": the name its user gave, or null, "path": "mlp.layers[0].weight", or null,
    "scope": id of the open scope it stands in, or null,
    "operations": how many operations it stands for; 0 for a leaf, more than 1 for a folded scope,
    "shape": [24, 16], "dtype": "float64",
    "value": summary, "adjoint": summary or null
  }],
  "edges": [{"tail": id, "head": id, "differentiable": bool,
             "symbol": the local partial as a formula, or null, "partial": number or null,
             "contribution": summary or null (what the tail's adjoint receives over this edge)}],
  "scopes": [{"id": 0, 1, ..., "name": "layers[0]", "note": "Linear(2, 16)", "parent": id or null}]
}

A summary of a scalar is {"value": number}, of an array {"min", "mean", "max", "norm"} (of the magnitudes, if it is
complex), of an empty array {}. Numbers that JSON does not have are strings, "NaN", "Infinity" and "-Infinity"; a
complex number is {"real", "imaginary"}.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from autodiff.notation.formula import plain
from autodiff.picture.content.scene import Card, Form, Scene
from autodiff.picture.drawing.thumbnails import statistics


def record(scene: Scene) -> str:
    """The JSON of a scene, with keys in the documented order, and one line for each node, edge and scope."""
    parts = []
    for key, value in _contents(scene).items():
        if isinstance(value, list) and value:
            lines = ",\n  ".join(json.dumps(entry, allow_nan=False) for entry in value)
            parts.append(f'"{key}": [\n  {lines}\n ]')
        else:
            parts.append(f'"{key}": {json.dumps(value, allow_nan=False)}')
    return "{\n " + ",\n ".join(parts) + "\n}\n"


def _contents(scene: Scene) -> dict[str, Any]:
    return {
        "format": "autodiff-graph",
        "version": 1,
        "values": scene.values,
        "root": scene.result,
        "nodes": [_node(index, card) for index, card in enumerate(scene.cards)],
        "edges": [
            {
                "tail": wire.tail,
                "head": wire.head,
                "differentiable": wire.flows,
                "symbol": plain(wire.symbol) if wire.symbol else None,
                "partial": None if wire.factor is None else _number(np.asarray(wire.factor)[()]),
                "contribution": _summary(wire.contribution),
            }
            for wire in scene.wires
        ],
        "scopes": [
            {"id": index, "name": box.name, "note": box.note, "parent": box.parent}
            for index, box in enumerate(scene.boxes)
        ],
    }


def _node(index: int, card: Card) -> dict[str, Any]:
    value = card.value if isinstance(card.value, Form) else np.asarray(card.value)
    leaf = card.kind in ("input", "parameter", "constant")
    return {
        "id": index,
        "kind": card.kind,
        "symbol": plain((card.symbol,)),
        "equation": plain(card.header),
        "name": card.name,
        "path": card.path,
        "scope": card.box,
        "operations": card.fold.operations if card.fold else 0 if leaf else 1,
        "shape": list(value.shape),
        "dtype": None if value.dtype is None else value.dtype.name,
        "value": _summary(value),
        "adjoint": _summary(card.adjoint),
    }


def _summary(value: Any) -> dict[str, Any] | None:
    if value is None or isinstance(value, Form):  # not computed yet
        return None
    array = np.asarray(value)
    if array.ndim == 0:
        return {"value": _number(array[()])}
    if array.size == 0 or array.dtype.kind not in "biufc":
        return {}
    return dict(zip(("min", "mean", "max", "norm"), map(_number, statistics(array)), strict=True))


def _number(value: Any) -> Any:
    if isinstance(value, np.bool_ | bool):
        return bool(value)
    if np.iscomplexobj(value):
        return {"real": _number(value.real), "imaginary": _number(value.imag)}
    number = float(value)
    if np.isfinite(number):
        return number
    return "NaN" if number != number else "Infinity" if number > 0 else "-Infinity"
