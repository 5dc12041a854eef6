"""Functions and layers under PyTorch's names agree with its numbers: values, adjoints, states; and with themselves."""

from __future__ import annotations

import inspect
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodiff as ad
import nn
import nn.functional as F

with np.load(Path(__file__).with_name("references") / "family.npz") as file:
    STORED = dict(file)
DESCRIPTION = json.loads(str(STORED["description"]))
CALLS: dict[str, Any] = {
    name: (function, {k: tuple(v) if type(v) is list else v for k, v in options.items()}, names)
    for name, (function, options, names) in DESCRIPTION["calls"].items()
}
FUNCTIONS, LAYERS = ([name for name in CALLS if name.startswith("layer ") == layer] for layer in (False, True))
rng = np.random.default_rng(0)


def arrays_of_cases() -> dict[str, dict[str, np.ndarray]]:
    """The arrays of every case by their names."""
    found, start = {}, 0
    for name, parts in DESCRIPTION["parts"].items():
        found[name] = {}
        for key, (dtype, shape) in parts.items():
            stop = start + math.prod(shape)
            found[name][key] = STORED["numbers"][start:stop].reshape(shape).astype(dtype)
            start = stop
    return found


ARRAYS = arrays_of_cases()


def numbered(found: dict[str, np.ndarray], kind: str) -> list[np.ndarray]:
    return [found[key] for key in sorted(key for key in found if key.startswith(f"{kind} "))]


def agree(result: Any, expected: Any, name: str = "") -> None:
    np.testing.assert_allclose(result, expected, rtol=1e-7, atol=1e-10, err_msg=name)  # PyTorch has 1/6 in float32


def results(name: str, *arrays: Any) -> tuple[Any, ...]:
    """What a case's function gives for these arrays."""
    function, options, names = CALLS[name]
    positional = [a for a, key in zip(arrays, names, strict=True) if key is None]
    named = {key: a for a, key in zip(arrays, names, strict=True) if key is not None}
    if function == "ctc_loss":
        positional[0] = F.log_softmax(positional[0])
    found = getattr(F, function)(*positional, **named, **options)
    return found if isinstance(found, tuple) else (found,)


def call(name: str, *arrays: Any) -> Any:
    return results(name, *arrays)[0]


def leaf(array: np.ndarray, dtype: type = np.float64) -> Any:
    return ad.Tensor(array, dtype=dtype) if array.dtype.kind == "f" else array


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_adjoints_are_pytorchs(name: str):
    found = ARRAYS[name]
    tensors = [leaf(a) for a in numbered(found, "array")]
    value, *more = results(name, *tensors)
    agree(value.value, found["value"])
    for own, theirs in zip(more, numbered(found, "result"), strict=True):
        np.testing.assert_array_equal(own, theirs)
    value.backward(found["seed"])
    for tensor, adjoint in zip(
        (t for t in tensors if isinstance(t, ad.Tensor)), numbered(found, "adjoint"), strict=True
    ):
        agree(0.0 if tensor.grad is None else tensor.grad, adjoint)  # a grid that is rounded has none


@pytest.mark.parametrize("name", FUNCTIONS)
def test_to_second_order_beside_the_kinks(name: str):
    arrays = numbered(ARRAYS[name], "array")
    places = [k for k, a in enumerate(arrays) if a.dtype.kind == "f"]
    moved = [a + rng.uniform(0.01, 0.04, a.shape) if a.dtype.kind == "f" else a for a in arrays]

    def f(*given: Any) -> Any:
        return call(name, *(given[places.index(k)] if k in places else a for k, a in enumerate(moved))) ** 2

    ad.check_grads(f, *(moved[k] for k in places), order=2, rtol=1e-3)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float32_stays_float32_and_plain_arrays_give_plain_arrays(name: str):
    arrays = numbered(ARRAYS[name], "array")
    y = call(name, *(leaf(a, np.float32) for a in arrays))
    gradients = y.adjoints(np.ones(y.shape, np.float32))
    assert {g.dtype for g in gradients.values()} == {y.dtype} == {np.dtype(np.float32)}
    plain = call(name, *(a.astype(np.float32) if a.dtype.kind == "f" else a for a in arrays))
    assert not isinstance(plain, ad.Tensor)
    assert plain.dtype == np.float32
    np.testing.assert_allclose(plain, y.value, rtol=1e-5, atol=1e-6)


def made(name: str, dtype: type = np.float64) -> nn.Module:
    text, options, _ = CALLS[name]
    *wrappers, kind = text.split()
    maker = getattr(nn, kind)
    more = {"dtype": dtype} if "dtype" in inspect.signature(maker).parameters else {}
    layer = maker(**options, **more)
    for wrapper in wrappers:
        layer = getattr(nn, wrapper)(layer)
    return layer


@pytest.mark.parametrize("name", LAYERS)
def test_layers_with_pytorchs_state_give_its_numbers(name: str):
    found, layer = ARRAYS[name], made(name)
    assert {f"before {key}": v.shape for key, v in layer.state_dict().items()} == {
        key: v.shape for key, v in found.items() if key.startswith("before ")
    }
    assert [f"before {key}" for key in layer.state_dict()] == [key for key in found if key.startswith("before ")]
    layer.load_state_dict({key.removeprefix("before "): v for key, v in found.items() if key.startswith("before ")})
    given = numbered(found, "training array")
    layer(*given)
    called = (lambda x, *rest: layer(F.log_softmax(x), *rest)) if name == "layer CTCLoss" else layer
    for training in (True, False):
        layer.train(training).zero_grad()
        mode = "training" if training or "evaluation value" not in found else "evaluation"
        tensors = [leaf(a) for a in given]
        y = called(*tensors)
        agree(y.value, found[f"{mode} value"])
        y.backward(found[f"{mode} seed"])
        for tensor, adjoint in zip(
            (t for t in tensors if isinstance(t, ad.Tensor)), numbered(found, f"{mode} adjoint"), strict=True
        ):
            agree(tensor.grad, adjoint, mode)
        if training:
            for key, parameter in layer.named_parameters():
                agree(parameter.grad, found[f"parameter {key}"], key)
            for key, value in layer.state_dict().items():
                agree(value, found[f"after {key}"], key)


@pytest.mark.parametrize("name", LAYERS)
def test_layers_compute_in_the_dtype_of_their_parameters(name: str):
    layer = made(name, np.float32)
    given = [leaf(a, np.float32) for a in numbered(ARRAYS[name], "training array")]
    y = layer(*given)
    y.backward(np.ones(y.shape, np.float32))
    gradients = [t.grad for t in [*layer.parameters(), *given] if isinstance(t, ad.Tensor)]
    assert {g.dtype for g in gradients} | {y.dtype} == {np.dtype(np.float32)}
    assert all(b.dtype == np.float32 for b in layer.buffers() if b.dtype.kind == "f")
