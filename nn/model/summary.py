"""The summary of a model: its layers, the shapes of their results, and their numbers of parameters."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import autodiff as ad

if TYPE_CHECKING:
    from nn.model.module import Module


class Row(NamedTuple):
    """One Module: its name and class, its depth, the shape of its result for one sample, and its own parameters.

    If there are several results, `shape` is a list or dict of their shapes.
    """

    name: str
    kind: str
    depth: int
    shape: Any
    trained: int
    frozen: int


class Summary:
    """A table of a model's layers, which notebooks display and which prints as text; `rows` are its lines.

    `parameters` is the number of all parameters, `trained` of those that are not frozen, `bytes` the memory of all;
    `columns` are the names of the inputs, if they have names.
    """

    def __init__(self, rows: list[Row], size: int, columns: Sequence[str] = ()) -> None:
        self.rows, self.bytes, self.columns = rows, size, list(columns)
        self.trained = sum(row.trained for row in rows)
        self.parameters = self.trained + sum(row.frozen for row in rows)

    def _cells(self) -> list[tuple[str, str, str]]:
        found = [("layer", "output", "parameters")]
        for row in self.rows:
            name = "  " * row.depth + (f"{row.name}: {row.kind}" if row.name else row.kind)
            shape = "" if row.shape is None else _written(row.shape)
            count = row.trained + row.frozen
            found.append((name, shape, (f"{count:,}" if count else "") + (" frozen" if row.frozen else "")))
        return found

    def _total(self) -> str:
        frozen = self.parameters - self.trained
        kept = f", {frozen:,} of them frozen" if frozen else ""
        named = f"; of {len(self.columns)} inputs: {', '.join(self.columns)}" if self.columns else ""
        return f"{self.parameters:,} parameters{kept}, {_size(self.bytes)}{named}"

    def __repr__(self) -> str:
        cells = self._cells()
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [f"{a:{widths[0]}}  {b:{widths[1]}}  {c:>{widths[2]}}".rstrip() for a, b, c in cells]
        return "\n".join([lines[0], "─" * (sum(widths) + 4), *lines[1:], "─" * (sum(widths) + 4), self._total()])

    def _repr_html_(self) -> str:
        head, *body = ([html.escape(cell).replace("  ", "&emsp;") for cell in row] for row in self._cells())
        style = "text-align:left"
        lines = [f'<tr><td style="{style}">{a}</td><td style="{style}">{b}</td><td>{c}</td></tr>' for a, b, c in body]
        names = "".join(f'<th style="{style}">{cell}</th>' for cell in head)
        return (
            f"<table><caption>{self._total()}</caption><thead><tr>{names}</tr></thead>"
            f"<tbody>{''.join(lines)}</tbody></table>"
        )


def summary(model: Module, input_shape: Any) -> Summary:
    """The rows of a model, with shapes for one sample of zeros if the sample's shape is known."""
    shape: Any = _first(model) if input_shape is None else input_shape
    shapes = {} if shape is None else _shapes(model, _sample_shape(shape))
    rows = []
    seen: set[int] = set()
    for name, module in model.named_modules():
        sizes = {True: 0, False: 0}
        for tensor, frozen in module.own_parameters():
            if id(tensor) not in seen:
                seen.add(id(tensor))
                sizes[frozen] += tensor.size
        depth = name.count(".") + 1 if name else 0
        rows.append(Row(name, _kind(module), depth, shapes.get(id(module)), sizes[False], sizes[True]))
    columns = map(str, getattr(input_shape, "columns", ()))
    return Summary(rows, sum(array.nbytes for array in model.state_dict().values()), list(columns))


def _kind(module: Module) -> str:
    """The text of a Module: its call if that fits one line, else its class."""
    text = repr(module)
    return text if "\n" not in text and len(text) <= 60 else type(module).__name__


def _first(model: Module) -> int | None:
    for module in model.modules():
        weight = getattr(module, "weight", None)
        if weight is not None:
            return int(weight.shape[1]) if np.ndim(weight) == 2 else None
    return None


def _sample_shape(given: Any) -> Any:
    """The shape of one sample: a tuple of ints; for several inputs, a dict or a list of such tuples."""
    if isinstance(given, dict):
        return {name: _sample_shape(part) for name, part in given.items()}
    if isinstance(given, int | np.integer):
        return (int(given),)
    if len(getattr(given, "shape", ())) > 1:  # samples
        return tuple(given.shape[1:])
    if isinstance(given, tuple | list) and any(np.ndim(part) for part in given):
        return list(map(_sample_shape, given))
    return tuple(given)


def _shapes(model: Module, shape: Any) -> dict[int, Any]:
    """The shape of each Module's result for a sample of this shape, by the Module's identity."""
    found: dict[int, Any] = {}

    def watched(module: Module, forward: Callable[..., Any]) -> Callable[..., Any]:
        def watching(*args: Any, **kwargs: Any) -> Any:
            result = forward(*args, **kwargs)
            found[id(module)] = _given(result)
            return result

        return watching

    before = [(module, vars(module).get("forward"), module.training) for module in model.modules()]
    kind = np.intp if any(module.takes_indices for module, *_ in before) else np.float32
    try:
        for module, *_ in before:
            module.forward = watched(module, module.forward)
        with ad.no_grad():
            model.eval()
            if isinstance(shape, dict):
                model(**{name: np.zeros((1, *part), kind) for name, part in shape.items()})
            else:
                model(*(np.zeros((1, *part), kind) for part in (shape if isinstance(shape, list) else [shape])))
    finally:
        for module, own, training in before:
            module.training = training
            if own is None:
                del module.forward
            else:
                module.forward = own
    return found


def _given(result: Any) -> Any:
    """The shape of a result for one sample, without the batch; for several results, a nest of shapes."""
    if isinstance(result, dict):
        return {name: _given(part) for name, part in result.items()}
    return list(map(_given, result)) if isinstance(result, list | tuple) else tuple(np.shape(result)[1:])


def _written(shape: Any) -> str:
    if isinstance(shape, dict):
        return ", ".join(f"{name}: {_written(part)}" for name, part in shape.items())
    if isinstance(shape, list):
        return ", ".join(map(_written, shape))
    return f"({', '.join(['batch', *map(str, shape)])})"


def _size(count: int) -> str:
    return f"{count / 2**20:.1f} MB" if count >= 2**20 else f"{count / 2**10:.1f} kB"
