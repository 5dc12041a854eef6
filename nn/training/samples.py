"""The samples of `fit`, `evaluate` and `predict`: checks, loaders, and conversion to the model's dtype."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from nn.data import DataLoader
from nn.data.rows import rows
from nn.data.several import Several
from nn.model.parts import Parts

Array = npt.NDArray[Any]
Conversion = Callable[[Array], Array]
F = TypeVar("F", bound=Callable[..., Any])


def conversion(parts: Parts) -> Conversion:
    """The function that converts inputs to the dtype of the model, except integers for an Embedding."""
    dtype = next((np.dtype(t.dtype) for t in parts.parameters), None) or next(
        (b.dtype for _, b in parts.named_buffers if b.dtype.kind == "f"), np.dtype(np.float32)
    )
    kinds = "f" if any(module.takes_indices for module in parts.modules) else "fiub"

    def converted(x: Array) -> Array:
        if isinstance(x, Several):
            return x.mapped(converted)
        return x.astype(dtype) if x.dtype is not dtype and x.dtype.kind in kinds else x

    return converted


def as_target(targets: Array, outputs: Any) -> Array:
    """Targets in the dtype of the outputs; integer labels are unchanged."""
    if isinstance(targets, Several):
        return _as_targets(targets, outputs)
    dtype = getattr(outputs, "dtype", targets.dtype)
    return targets.astype(dtype) if targets.dtype is not dtype and targets.dtype.kind == dtype.kind == "f" else targets


def _as_targets(targets: Several, outputs: Any) -> Several:
    """Several targets, each in the dtype of its output. Raises an error if the outputs do not match the targets."""
    alike = isinstance(outputs, dict) == isinstance(targets.parts, dict) and isinstance(outputs, dict | tuple | list)
    names = set(targets.parts) <= set(outputs) if isinstance(outputs, dict) else True
    if not alike or not names or (not isinstance(outputs, dict) and len(outputs) != len(targets.parts)):
        given = f"{type(outputs).__name__} of {', '.join(map(str, outputs))}" if isinstance(outputs, dict) else outputs
        raise TypeError(
            f"several targets, a {type(targets.parts).__name__} of {len(targets.parts)} arrays, are for a model that "
            f"gives as many, by the same names or places; it gave {given!s:.80}. Let forward return a "
            f"{type(targets.parts).__name__} of them."
        )
    return targets.mapped(as_target, outputs)


def together(function: F) -> F:
    """A function of (model, data, loss, ...) that can also be called with (model, X, y, loss, ...)."""

    @functools.wraps(function)
    def taking(model: Any, data: Any, *others: Any, **named: Any) -> Any:
        if others and not isinstance(others[0], str) and not callable(others[0]):
            data, others = (data, others[0]), others[1:]
        return function(model, data, *others, **named)

    return cast(F, taking)


def loaders(
    data: Any,
    validation: Any,
    weights: Any,
    batch_size: int | None,
    shuffle: bool,
    rng: np.random.Generator,
    convert: Conversion,
) -> tuple[DataLoader, DataLoader | None]:
    """The loaders of the training data, shuffled or in order, and of the validation data, in order."""
    share = isinstance(validation, float | int | np.floating | np.integer) and not isinstance(validation, bool)
    if isinstance(data, DataLoader):
        for name, value in (("batch_size", batch_size), ("sample_weight", weights)):
            if value is not None:
                raise TypeError(f"{name} belongs to the DataLoader when data is one; leave it out here.")
        if share:
            raise TypeError(
                "a share of the data can be set aside of arrays; data is a DataLoader. Split the arrays first, with "
                "nn.data.train_test_split, and pass validation=(X, y)."
            )
        paired(data.arrays, "data")
        training = data
    else:
        arrays = columns(data, weights, "data")
        held: tuple[Array, ...] | None = None
        if share:
            arrays, held = _set_aside(arrays, float(validation), rng if shuffle else None)
        mapped = isinstance(data[0], np.memmap) and not held  # a file that is read and converted batch by batch
        first = data[0] if mapped else convert(arrays[0])
        size = 32 if batch_size is None else batch_size
        training = DataLoader(first, *arrays[1:], batch_size=size, shuffle=shuffle, rng=rng)
        if held:
            return training, DataLoader(*held, batch_size=training.batch_size)
    if validation is None:
        return training, None
    return training, loader(validation, "validation", training.batch_size)


def loader(data: Any, what: str, batch_size: int | None) -> DataLoader:
    """A loader of samples in their order."""
    if isinstance(data, DataLoader):
        paired(data.arrays, what)
        return data
    return DataLoader(*columns(data, None, what), batch_size=batch_size)


def paired(arrays: tuple[Array, ...], what: str) -> None:
    """Raise an error for a loader whose batches are not (X, y) or (X, y, sample_weight)."""
    if len(arrays) not in (2, 3):
        raise TypeError(
            f"{what}: a DataLoader of (X, y) or (X, y, sample_weight) is needed; this one has {len(arrays)} arrays."
        )
    if len(arrays) == 3:
        check_weights(arrays[2], len(arrays[0]))


def columns(data: Any, weights: Any, what: str) -> tuple[Array, ...]:
    """X, y, and the samples' weights if there are any, as arrays of one length."""
    if not isinstance(data, tuple | list) or len(data) not in (2, 3):
        share = ", or a share of the data such as 0.1" if what == "validation" else ""
        raise TypeError(f"{what} is a pair of arrays, (X, y){share}, or a DataLoader; received {data!r:.80}.")
    inputs, targets = (numbers(a, name, what) for a, name in zip(data[:2], ("X", "y"), strict=True))
    if len(inputs) != len(targets) or not len(inputs):
        raise ValueError(
            f"{what}: X and y have one row per sample, and at least one; received X of shape {inputs.shape} and y of "
            f"shape {targets.shape}."
        )
    if len(data) == 3 and weights is not None:
        raise TypeError(f"{what} is (X, y, sample_weight) already; leave the argument sample_weight out.")
    weights = data[2] if len(data) == 3 else weights
    if weights is None:
        return inputs, targets
    weights = numbers(weights, "sample_weight", what)
    check_weights(weights, len(inputs))
    return inputs, targets, weights


def check_weights(weights: Array, size: int) -> None:
    """Raise ValueError unless the weights are one finite number from 0 per sample, and not all 0."""
    if weights.shape != (size,) or not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise ValueError(
            f"sample_weight is a finite number from 0 per sample, not all of them 0: shape ({size},); received "
            f"shape {weights.shape}" + (f", from {weights.min()} to {weights.max()}." if weights.size else ".")
        )


def numbers(values: Any, name: str, what: str) -> Array:
    """An array of numbers with one sample per row."""
    return rows(values, f"{what}: {name} is an array of numbers with one sample per row")


def _set_aside(
    arrays: tuple[Array, ...], share: float, rng: np.random.Generator | None
) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """The samples without a share of them, and that share: random samples, or without a generator the last ones."""
    size = len(arrays[0])
    count = round(size * share) if 0 < share < 1 else 0
    if not 0 < count < size:
        raise ValueError(
            f"validation is a pair (X, y) or a share between 0 and 1 of the {size} samples that leaves some on "
            f"either side; received {share!r}. Write validation=0.1."
        )
    if rng is None:
        return tuple(a[: size - count] for a in arrays), tuple(a[size - count :] for a in arrays)
    shuffled = rng.permutation(size)
    kept, held = shuffled[count:], shuffled[:count]
    return tuple(a[kept] for a in arrays), tuple(a[held] for a in arrays)
