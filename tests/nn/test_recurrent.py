from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodiff as ad
import nn
import nn.functional as F
from nn.functional import recurrent
from nn.functional.cells import CELLS
from nn.functional.recurrent import over_time

REFERENCE = nn.load(Path(__file__).parent / "references/sequences.safetensors")
LENGTHS = [5, 2, 3]
rng = np.random.default_rng(0)
LAYERS = {
    "RNN": lambda **more: nn.RNN(2, 3, **more),
    "RNN of relu": lambda **more: nn.RNN(2, 3, 2, "relu", bias=False, **more),
    "LSTM": lambda **more: nn.LSTM(2, 3, num_layers=2, bidirectional=True, **more),
    "LSTM batch first": lambda **more: nn.LSTM(2, 3, batch_first=True, bias=False, **more),
    "LSTM projected": lambda **more: nn.LSTM(2, 3, 2, bidirectional=True, proj_size=2, **more),
    "GRU": lambda **more: nn.GRU(2, 3, 2, batch_first=True, **more),
    "GRU both ways": lambda **more: nn.GRU(2, 3, bidirectional=True, **more),
}
CELL_LAYERS = {
    "RNNCell": lambda: nn.RNNCell(2, 3, nonlinearity="relu", dtype=np.float64),
    "LSTMCell": lambda: nn.LSTMCell(2, 3, dtype=np.float64),
    "GRUCell": lambda: nn.GRUCell(2, 3, bias=False, dtype=np.float64),
}
KINDS = [kind for kind in CELLS if kind != "relu"]
PRECISION = [(np.float64, {"rtol": 1e-9, "atol": 1e-10}), (np.float32, {"rtol": 1e-4, "atol": 1e-5})]


def state(case: str) -> dict[str, Any]:
    return {name.removeprefix(f"{case}."): x for name, x in REFERENCE.items() if name.startswith(f"{case}.")}


def check(layer: nn.Module, case: str, call: Any, tolerance: dict[str, float]) -> None:
    """Results and adjoints against PyTorch's; the layer has a state of (h,), or (h, c)."""
    dtype = next(layer.parameters()).dtype
    assert layer.load_state_dict(state(case)) == ([], [])
    inputs = {n: ad.Tensor(REFERENCE[f"{case}/{n}"].astype(dtype)) for n in "xhc" if f"{case}/{n}" in REFERENCE}
    h = (inputs["h"], inputs["c"]) if "c" in inputs else inputs["h"]
    results = call(inputs["x"], h)
    assert all(y.dtype == dtype for y in results)
    for k, y in enumerate(results):
        np.testing.assert_allclose(y.value, REFERENCE[f"{case}/y{k}"], **tolerance)
    sum(np.sum(y * REFERENCE[f"{case}/seed{k}"].astype(dtype)) for k, y in enumerate(results)).backward()
    for name, tensor in (inputs | dict(layer.named_parameters())).items():
        assert tensor.grad.dtype == dtype
        np.testing.assert_allclose(tensor.grad, REFERENCE[f"{case}/adjoint of {name}"], err_msg=name, **tolerance)


@pytest.mark.parametrize("unrolled", [False, True])
@pytest.mark.parametrize("lengths", [None, LENGTHS])
@pytest.mark.parametrize("case", LAYERS)
@pytest.mark.parametrize(("dtype", "tolerance"), PRECISION)
def test_a_layer_is_pytorchs(case: str, lengths: Any, unrolled: bool, dtype: type, tolerance: dict[str, float]):
    layer = LAYERS[case](dtype=dtype)

    def call(x: Any, h: Any) -> list[Any]:
        y, last = layer(x, h, lengths=lengths, unrolled=unrolled)
        return [y, *(last if isinstance(last, tuple) else (last,))]

    check(layer, case if lengths is None else f"{case} of lengths", call, tolerance)


@pytest.mark.parametrize("case", CELL_LAYERS)
def test_a_cell_is_pytorchs(case: str):
    layer = CELL_LAYERS[case]()

    def call(x: Any, h: Any) -> list[Any]:
        after = layer(x, h)
        return list(after) if isinstance(after, tuple) else [after]

    check(layer, case, call, PRECISION[0][1])


def test_pytorchs_names_shapes_and_order(tmp_path: Path):
    layer = nn.LSTM(2, 3, num_layers=2, bidirectional=True)
    ways = [f"l{k}{way}" for k in range(2) for way in ("", "_reverse")]
    parts = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    assert list(layer.state_dict()) == [f"{part}_{way}" for way in ways for part in parts]
    assert layer.weight_ih_l1_reverse.shape == (12, 6)
    assert layer.bias_hh_l0.shape == (12,)
    nn.save(layer, tmp_path / "file")
    again = nn.LSTM(2, 3, num_layers=2, bidirectional=True)
    again.load_state_dict(nn.load(tmp_path / "file"))
    x = rng.standard_normal((4, 2, 2))
    np.testing.assert_array_equal(again(x)[0].value, layer(x)[0].value)


def parameters(kind: str, bias: bool, inputs: int = 2, hidden: int = 3) -> list[Any]:
    rows = CELLS[kind].gates * hidden
    shapes: list[Any] = [(rows, inputs), (rows, hidden), *[(rows,)] * (2 * bias)]
    return [0.7 * rng.standard_normal(shape) for shape in shapes]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("mask", [None, np.array([[1, 1], [1, 0], [0, 1]], bool)], ids=["all", "some"])
def test_to_second_order(kind: str, bias: bool, mask: Any):
    x, states = rng.standard_normal((3, 2, 2)), [rng.standard_normal((2, 3)) for _ in range(CELLS[kind].states)]

    def both(x: Any, states: Any, weights: Any) -> Any:
        output, last = over_time(x, tuple(states), *weights, kind=kind, mask=mask)
        return np.concatenate([output, np.stack(last)])

    weights = parameters(kind, bias)
    ad.check_grads(both, x, states, weights, order=2)
    primals = (x, states, weights)
    ahead = ad.jvp(both, primals, primals)[1]
    quotient = (both(*scaled(primals, 1 + 1e-6)) - both(*scaled(primals, 1 - 1e-6))) / 2e-6
    np.testing.assert_allclose(ahead, quotient, rtol=1e-6, atol=1e-8)


def scaled(nest: Any, factor: float) -> Any:
    return type(nest)(scaled(v, factor) for v in nest) if isinstance(nest, list | tuple) else nest * factor


@pytest.mark.parametrize("kind", KINDS)
def test_to_third_order_and_batched(kind: str):
    states = (rng.standard_normal((2, 3)),) * CELLS[kind].states
    weights = parameters(kind, bias=True)

    def loss(x: Any) -> Any:
        return np.sum(over_time(x, states, *weights, kind=kind)[0] ** 2)

    x = rng.standard_normal((2, 3, 2, 2))
    ad.check_grads(loss, x[0], order=3)
    np.testing.assert_allclose(ad.vmap(ad.grad(loss))(x), [ad.grad(loss)(one) for one in x])


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("reverse", [False, True])
def test_gates_that_were_not_kept_are_computed_again(kind: str, reverse: bool):
    p, (weight, bias) = rng.standard_normal((4, 2, 3 * CELLS[kind].gates)), parameters(kind, bias=True)[1:3]
    states = [rng.standard_normal((2, 3)) for _ in range(CELLS[kind].states)]
    kept = recurrent.Gates()
    y = recurrent.recurrence(p, weight, bias, *states, kind=kind, kept=kept)
    g = rng.standard_normal(y.shape)
    found, again = (
        recurrent.recurrence_adjoints(g, y, p, weight, bias, *states, kind=kind, kept=k) for k in (kept, None)
    )
    for a, b in zip(found, again, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


@pytest.mark.parametrize("layer", [nn.RNN(2, 3, rng=0), nn.LSTM(2, 3, rng=0), nn.GRU(2, 3, rng=0)], ids=repr)
def test_a_layer_is_its_cell_step_by_step(layer: nn.Module):
    cell = {nn.RNN: nn.RNNCell, nn.LSTM: nn.LSTMCell, nn.GRU: nn.GRUCell}[type(layer)](2, 3)
    cell.load_state_dict({name.removesuffix("_l0"): x for name, x in layer.state_dict().items()})
    x = rng.standard_normal((4, 2, 2)).astype(np.float32)
    y, last = layer(x)
    h = None
    for t in range(4):
        h = cell(x[t], h)
        np.testing.assert_allclose((h[0] if isinstance(h, tuple) else h).value, y[t].value, rtol=1e-5, atol=1e-6)
    if isinstance(h, tuple):
        np.testing.assert_allclose(h[1].value, last[1][0].value, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("make", [nn.RNN, nn.LSTM, nn.GRU])
@pytest.mark.parametrize("both", [False, True])
def test_what_follows_a_sequences_end_does_not_matter(make: Any, both: bool):
    layer = make(2, 3, num_layers=2, bidirectional=both, rng=0)
    x = rng.standard_normal((6, 2, 2)).astype(np.float32)
    x[4:, 1] = np.nan
    y, last = layer(x, lengths=np.array([6, 4]))
    alone, alone_last = layer(x[:4, 1])
    np.testing.assert_allclose(y[:4, 1].value, alone.value, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(y[4:, 1].value, 0)
    first = (lambda s: s[0]) if isinstance(last, tuple) else (lambda s: s)
    np.testing.assert_allclose(first(last)[:, 1].value, first(alone_last).value, rtol=1e-5, atol=1e-6)


def test_padding_may_hold_anything():
    layer = nn.GRU(2, 3, bidirectional=True, rng=0)
    x = rng.standard_normal((6, 2, 2)).astype(np.float32)
    strange = x.copy()
    strange[4:, 1] = 1e30
    gradients = []
    for given in (x, strange):
        layer.zero_grad()
        np.sum(layer(given, lengths=[6, 4])[0] ** 2).backward()
        gradients.append([p.grad for p in layer.parameters()])
    for a, b in zip(*gradients, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_the_state_goes_on_from_piece_to_piece_and_its_adjoint_does_not():
    layer = nn.GRU(2, 3, rng=0, dtype=np.float64)
    x = rng.standard_normal((6, 1, 2))
    whole, _ = layer(x)
    first, state = layer(x[:3])
    second, _ = layer(x[3:], ad.stop_gradient(state))
    np.testing.assert_allclose(np.concatenate([first.value, second.value]), whole.value)
    pieces = ad.Tensor(x[:3])
    _, state = layer(pieces)
    np.sum(layer(x[3:], ad.stop_gradient(state))[0]).backward()
    assert pieces.grad is None


def test_dropout_is_between_the_layers_and_in_training_only():
    layer = nn.GRU(2, 50, num_layers=2, dropout=0.5, rng=0)
    x = rng.standard_normal((3, 1, 2)).astype(np.float32)
    drawn = layer(x)[0].value
    assert not np.allclose(drawn, layer(x)[0].value)
    layer.eval()
    np.testing.assert_array_equal(layer(x)[0].value, layer(x)[0].value)
    single = nn.GRU(2, 50, dropout=0.5, rng=0)
    np.testing.assert_array_equal(single(x)[0].value, single(x)[0].value)
    assert [name for name, _ in layer.named_generators()] == ["rng"]


def test_a_layer_is_one_card_and_unrolled_one_for_each_step():
    layer = nn.GRU(1, 2, rng=0)
    x = np.ones((3, 1, 1), np.float32)
    assert "GRU" in ad.draw(layer(x)[0], depth=1).svg
    once, steps = (
        {n.primitive.name for n in layer(x, unrolled=u)[0].adjoints(np.ones((3, 1, 2))) if n.primitive}
        for u in (False, True)
    )
    assert "recurrence" in once
    assert "tanh" not in once
    assert {"tanh", "sigmoid"} <= steps
    assert "recurrence" not in steps
    assert "recurrence" in str(ad.trace(layer(x)[0]))


def test_a_frozen_layer_computes_and_learns_nothing():
    layer = nn.LSTM(2, 3, rng=0)
    x = rng.standard_normal((4, 2, 2)).astype(np.float32)
    y = layer(x)[0].value
    layer.freeze()
    np.testing.assert_array_equal(layer(x)[0], y)
    given = ad.Tensor(x)
    np.sum(layer(given)[0]).backward()
    assert given.grad is not None
    assert not list(layer.parameters())


class Counter(nn.Module):
    """The last state of a recurrent network over words, to a number of classes."""

    def __init__(self, source: Any) -> None:
        self.words = nn.Embedding(3, 4, rng=source)
        self.layer = nn.GRU(4, 8, batch_first=True, rng=source)
        self.head = nn.Linear(8, 4, rng=source)

    def forward(self, x: Any) -> Any:
        return self.head(self.layer(self.words(x))[1][0])


def test_a_recurrent_model_is_summed_up_and_fitted():
    source = np.random.default_rng(0)
    model = Counter(source)
    assert [row.shape for row in model.summary((5,)).rows] == [(4,), (5, 4), [(5, 8), (1, 8)], (4,)]
    words = source.integers(0, 3, (200, 5))
    data = words, np.minimum((words == 1).sum(1), 3)
    history = nn.fit(
        model,
        data,
        nn.CrossEntropyLoss(),
        nn.optim.Adam(model.parameters(), lr=0.02),
        metrics="accuracy",
        epochs=15,
        rng=0,
        verbose=False,
    )
    assert history["accuracy"][-1] > 0.9


def test_it_learns_to_remember_the_first_of_eight():
    source = np.random.default_rng(0)
    layer, head = nn.LSTM(1, 16, rng=source), nn.Linear(16, 1, rng=source)
    optimizer = nn.optim.Adam([*layer.parameters(), *head.parameters()], lr=0.01)
    for _ in range(150):
        x = source.choice([-1.0, 1.0], (8, 32, 1)).astype(np.float32)
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(head(layer(x)[1][0][0]), (x[0] + 1) / 2)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: nn.GRU(2, 3)(np.ones((4, 1, 3))), ValueError, r"x of shape \(steps, batch, 2\).*\(4, 1, 3\)"),
        (lambda: nn.GRU(2, 3)(np.ones((0, 1, 2))), ValueError, r"at least one of each.*\(0, 1, 2\)"),
        (lambda: nn.GRU(2, 3)(np.ones((4, 1, 2)), np.ones((1, 3))), ValueError, r"\(1, 1, 3\).*received \(1, 3\)"),
        (lambda: nn.LSTM(2, 3)(np.ones((4, 1, 2)), np.ones((1, 1, 3))), TypeError, r"a pair \(h, c\)"),
        (lambda: nn.GRU(2, 3)(np.ones((4, 1, 2)), lengths=[5]), ValueError, r"1 to the number of steps, 4.*from 5"),
        (lambda: nn.GRU(2, 3)(np.ones((4, 1, 2)), lengths=[1, 2]), ValueError, r"1 sequence\(s\).*shape \(2,\)"),
        (lambda: nn.GRU(2, 3)(np.ones((4, 1, 2)), lengths=[0.5]), ValueError, "float64"),
        (lambda: nn.RNN(2, 3, 1, "sigmoid"), ValueError, "'tanh' or 'relu'; received 'sigmoid'"),
        (lambda: nn.GRU(2, 0), ValueError, "GRU's hidden_size"),
        (lambda: nn.GRU(2, 3, dropout=2), ValueError, "GRU: dropout"),
        (lambda: nn.GRUCell(2, 3)(np.ones((4, 3))), ValueError, r"\(batch, 2\).*x of shape \(4, 3\)"),
        (lambda: nn.GRUCell(2, 3)(np.ones((4, 2)), np.ones((3, 3))), ValueError, r"state \(3, 3\)"),
    ],
)
def test_wrong_arguments_are_errors(call: Any, error: type, words: str):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("name", ["pack_padded_sequence", "PackedSequence", "utils"])
def test_packed_sequences_are_answered_by_lengths(name: str):
    with pytest.raises(AttributeError, match="lengths="):
        getattr(nn, name)


def test_a_graph_is_reversed_twice_and_gives_the_same():
    for layer in (nn.RNN(2, 3, rng=0), nn.LSTM(2, 3, rng=0), nn.GRU(2, 3, rng=0)):
        y, _ = layer(rng.standard_normal((4, 2, 2)), lengths=[4, 3])
        loss = np.sum(y * y)
        once, twice = (loss.adjoints() for _ in range(2))
        for p in layer.parameters():
            np.testing.assert_array_equal(once[p], twice[p])


def test_representations():
    assert repr(nn.GRU(2, 3)) == "GRU(2, 3)"
    assert repr(nn.LSTM(2, 3, 2, batch_first=True)) == "LSTM(2, 3, num_layers=2, batch_first=True)"
    assert repr(nn.RNN(2, 3, nonlinearity="relu")) == "RNN(2, 3, nonlinearity='relu')"
    assert repr(nn.LSTMCell(2, 3, bias=False)) == "LSTMCell(2, 3, bias=False)"
