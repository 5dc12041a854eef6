"""Networks on a device: what is trained there is what is trained here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from foreign import DEVICE, Foreign, Generator

import autodiff as ad
import nn
import nn.functional as F

DIGITS = np.random.default_rng(0).standard_normal((60, 1, 12, 12)).astype(np.float32)
LABELS = np.random.default_rng(1).integers(0, 10, 60)


@pytest.fixture(autouse=True)
def let_in(tables_restored: None) -> None:
    """The strict array type is admitted for these tests alone."""
    ad.admit(DEVICE)


def perceptron() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(), nn.Linear(144, 32, rng=0), nn.ReLU(), nn.Dropout(0.2, rng=3), nn.Linear(32, 10, rng=1)
    )


def lenet() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2, rng=0), nn.Tanh(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 3, rng=1), nn.ReLU(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(64, 20, rng=2), nn.Tanh(), nn.Linear(20, 10, rng=3),
    )  # fmt: skip


def trained(model: nn.Module, optimizer: Callable[..., Any]) -> tuple[nn.Module, Any]:
    history = nn.fit(
        model, (DIGITS, LABELS), loss="cross_entropy", optimizer=optimizer, epochs=2, batch_size=16, metrics="accuracy",
        validation=0.2, rng=5, verbose=False,
    )  # fmt: skip
    return model, history


OPTIMIZERS = [
    lambda p: nn.optim.Adam(p, lr=1e-2),
    lambda p: nn.optim.AdamW(p, lr=1e-2, amsgrad=True),
    lambda p: nn.optim.SGD(p, lr=1e-2, momentum=0.9, nesterov=True, weight_decay=1e-3),
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("made", [perceptron, lenet])
def test_a_training_on_the_device_is_the_one_on_the_host(made: Callable[[], nn.Module], optimizer: Any) -> None:
    here, history = trained(made(), optimizer)
    there, history_there = trained(made().to("foreign"), optimizer)
    for (name, p), (_, q) in zip(here.named_parameters(), there.named_parameters(), strict=True):
        assert type(q.value) is Foreign, name
        np.testing.assert_allclose(q.value.get(), p.value, rtol=1e-4, atol=1e-6)
    assert [*history] == [*history_there]
    np.testing.assert_allclose(history["loss"], history_there["loss"], rtol=1e-5)
    np.testing.assert_allclose(history["validation_accuracy"], history_there["validation_accuracy"])


# -- layers, losses and optimizers ------------------------------------------------------------------------------

RNG = np.random.default_rng(0)
ROWS = RNG.standard_normal((6, 8)).astype(np.float32)
SIGNALS = RNG.standard_normal((6, 4, 9)).astype(np.float32)
IMAGES = RNG.standard_normal((3, 4, 8, 8)).astype(np.float32)
STEPS = RNG.standard_normal((5, 3, 8)).astype(np.float32)
INDICES = RNG.integers(0, 10, (3, 5))
CLASSES = RNG.integers(0, 8, 6)
LAYERS: dict[str, tuple[Callable[[], nn.Module], np.ndarray]] = {
    "batch norm": (lambda: nn.BatchNorm2d(4), IMAGES),
    "layer norm": (lambda: nn.LayerNorm(8), ROWS),
    "group norm": (lambda: nn.GroupNorm(2, 4), IMAGES),
    "instance norm": (lambda: nn.InstanceNorm2d(4), IMAGES),
    "rms norm": (lambda: nn.RMSNorm(8), ROWS),
    "conv1d": (lambda: nn.Conv1d(4, 5, 3, rng=0), SIGNALS),
    "conv2d": (lambda: nn.Conv2d(4, 6, 3, padding=1, stride=2, groups=2, rng=0), IMAGES),
    "transposed": (lambda: nn.ConvTranspose2d(4, 5, 3, rng=0), IMAGES),
    "max pool": (lambda: nn.MaxPool2d(3, stride=2, padding=1), IMAGES),
    "average pool": (lambda: nn.AvgPool2d(3, padding=1, ceil_mode=True), IMAGES),
    "adaptive average": (lambda: nn.AdaptiveAvgPool2d(3), IMAGES),
    "adaptive maximum": (lambda: nn.AdaptiveMaxPool2d(3), IMAGES),
    "embedding": (lambda: nn.Embedding(10, 4, rng=0), INDICES),
    "rnn": (lambda: nn.RNN(8, 4, rng=0), STEPS),
    "lstm": (lambda: nn.LSTM(8, 4, rng=0), STEPS),
    "gru": (lambda: nn.GRU(8, 4, rng=0), STEPS),
    "transformer": (lambda: nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, rng=0), STEPS),
    "upsample": (lambda: nn.Upsample(scale_factor=2), IMAGES),
    "unfold": (lambda: nn.Unfold(3), IMAGES),
    "reflection": (lambda: nn.ReflectionPad2d(1), IMAGES),
    "dropout of channels": (lambda: nn.Dropout2d(0.5, rng=0), IMAGES),
    **{kind.__name__: (kind, ROWS) for kind in (nn.ReLU, nn.GELU, nn.SiLU, nn.Softmax, nn.ELU, nn.PReLU, nn.Mish)},
}
LOSSES: dict[str, Callable[[Any], Any]] = {
    "mse": lambda p: F.mse_loss(p, ROWS[::-1]),
    "huber": lambda p: F.huber_loss(p, ROWS[::-1]),
    "cross entropy": lambda p: F.cross_entropy(p, CLASSES),
    "weighted": lambda p: F.cross_entropy(
        p, CLASSES, weight=np.arange(1.0, 9.0), label_smoothing=0.1, sample_weight=np.arange(6.0)
    ),
    "probabilities": lambda p: F.cross_entropy(p, np.full((6, 8), 1 / 8)),
    "nll": lambda p: F.nll_loss(F.log_softmax(p), CLASSES),
    "binary": lambda p: F.binary_cross_entropy_with_logits(p, (ROWS > 0).astype(np.float32)),
    "margins": lambda p: F.multi_margin_loss(p, CLASSES),
    "poisson": lambda p: F.poisson_nll_loss(p, np.abs(ROWS)),
}


def agree(here: list[Any], there: list[Any]) -> None:
    for a, b in zip(here, there, strict=True):
        assert type(b) is Foreign
        np.testing.assert_allclose(b.get(), a, rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_the_same_on_the_device(name: str) -> None:
    make, x = LAYERS[name]
    found = []
    for device in ("cpu", "foreign"):
        model = make().to(device)
        given = ad.Tensor(ad.to(x, device)) if x.dtype.kind == "f" else x
        y = model(given)
        y = y[0] if isinstance(y, tuple) else y
        np.sum(y * y).backward()
        leaves = [*model.parameters(), *([given] if isinstance(given, ad.Tensor) else [])]
        found.append([y.value, *(leaf.grad for leaf in leaves), *(b for b in model.buffers() if b.dtype.kind == "f")])
    agree(*found)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_the_same_on_the_device(name: str) -> None:
    found = []
    for device in ("cpu", "foreign"):
        x = ad.Tensor(ad.to(ROWS, device))
        value = LOSSES[name](x)
        value.backward()
        with ad.no_grad():
            found.append([value.value, x.grad, LOSSES[name](x)])  # the last as an evaluation has it
    agree(*found)


KINDS = [o for o in vars(nn.optim).values() if isinstance(o, type) and issubclass(o, nn.optim.Optimizer)]
KINDS = [o for o in KINDS if o not in (nn.optim.Optimizer, nn.optim.LBFGS)]


@pytest.mark.parametrize("kind", KINDS)
def test_an_optimizer_is_the_same_on_the_device(kind: Any) -> None:
    found = []
    for device in ("cpu", "foreign"):
        model = nn.Linear(8, 4, rng=0).to(device)
        optimizer = kind(model.parameters(), lr=1e-2)
        for _ in range(3):
            optimizer.zero_grad()
            F.mse_loss(model(ROWS), ROWS[:, :4]).backward()
            optimizer.step()
            optimizer.load_state_dict(optimizer.state_dict())
        assert all(type(v) is Foreign or device == "cpu" for v in optimizer.state.values())
        found.append([p.value for p in model.parameters()])
    agree(*found)


# -- moving -----------------------------------------------------------------------------------------------------


def test_a_model_goes_there_and_comes_back_the_same() -> None:
    model = nn.Sequential(nn.Linear(8, 4, rng=0), nn.BatchNorm1d(4))
    before, weight = model.state_dict(), model[0].weight
    moved = model.to("foreign")
    assert moved is model
    assert model[0].weight is weight
    assert all(p.device == "foreign" for p in model.parameters())
    assert all(type(b) is Foreign for b in model.buffers())
    assert all(type(a) is np.ndarray for a in model.state_dict().values())
    model.load_state_dict(before)
    model.freeze()
    model.to("cpu").unfreeze()
    assert all(np.array_equal(before[name], value) for name, value in model.state_dict().items())
    with pytest.raises(ValueError, match="'tpu' was asked for"):
        model.to("tpu")


def test_modules_made_within_a_device_are_moved() -> None:
    with nn.device("foreign"):
        model = nn.Sequential(nn.Linear(8, 4, rng=0), nn.BatchNorm1d(4))
    assert {p.device for p in model.parameters()} == {"foreign"}
    assert all(np.array_equal(a, b) for a, b in zip(
        model.state_dict().values(), nn.Sequential(nn.Linear(8, 4, rng=0), nn.BatchNorm1d(4)).state_dict().values(),
        strict=True,
    ))  # fmt: skip
    assert nn.Linear(8, 4).weight.device == "cpu"


def test_an_optimizer_made_before_the_move_says_so() -> None:
    model = nn.Linear(8, 4, rng=0)
    optimizer = nn.optim.SGD(model.parameters())
    model.to("foreign")
    with pytest.raises(RuntimeError, match="was taken over by another Flat"):
        optimizer.step()


def test_a_training_resumes_on_the_device(tmp_path: Path) -> None:
    given = {"loss": "cross_entropy", "optimizer": "adam", "rng": 3, "verbose": False, "clip_norm": 1.0}
    whole, part = (perceptron().to("foreign") for _ in range(2))
    nn.fit(whole, DIGITS, LABELS, epochs=2, **given)
    nn.fit(part, DIGITS, LABELS, epochs=1, checkpoint=tmp_path / "c.safetensors", **given)
    resumed = perceptron().to("foreign")
    nn.fit(resumed, DIGITS, LABELS, epochs=2, resume=tmp_path / "c.safetensors", **given)
    for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert np.array_equal(a, b)
    assert nn.predict(resumed, DIGITS).shape == (60, 10)


def test_labels_on_the_device_are_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"cross_entropy checks labels on the host.*'foreign'"):
        F.cross_entropy(ad.Tensor(Foreign.of(ROWS)), Foreign.of(CLASSES))


# -- compiled ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("made", [perceptron, lenet])
def test_a_compiled_step_on_the_device_is_the_one_on_the_host(made: Callable[[], nn.Module], optimizer: Any) -> None:
    steps = []
    for device in ("cpu", "foreign"):
        model = made().to(device)
        steps.append(nn.TrainStep(model, nn.CrossEntropyLoss(), optimizer(model.parameters()), clip_norm=5.0))
    for k in range(3):
        batch = slice(16 * k, 16 * k + 16)
        losses = [step(DIGITS[batch], LABELS[batch]) for step in steps]
        np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)
    for p, q in zip(steps[0].model.parameters(), steps[1].model.parameters(), strict=True):
        assert type(q.value) is Foreign
        np.testing.assert_allclose(q.value.get(), p.value, rtol=1e-4, atol=1e-6)
    assert "import foreign.functions as np\n" in steps[1].source


def test_the_update_is_one_kernel_that_writes_into_the_optimizers_vectors() -> None:
    model = perceptron().to("foreign")
    step = nn.TrainStep(model, nn.CrossEntropyLoss(), nn.optim.Adam(model.parameters(), lr=1e-2))
    step(DIGITS[:16], LABELS[:16])
    update = step.source[step.source.index("# Adam.step") :]
    assert update.count("kernel") == 1
    assert step.source.count("[...] = y") == 3
    fetched = Foreign.fetched
    step(DIGITS[16:32], LABELS[16:32])
    assert Foreign.fetched == fetched


@pytest.mark.parametrize("kind", KINDS)
def test_a_compiled_optimizer_is_the_same_on_the_device(kind: Any) -> None:
    found = []
    for device in ("cpu", "foreign"):
        model = nn.Linear(8, 4, rng=0).to(device)
        step = nn.TrainStep(model, nn.MSELoss(), kind(model.parameters(), lr=1e-2))
        for _ in range(3):
            step(ROWS, ROWS[:, :4])
        found.append([p.value for p in model.parameters()])
    agree(*found)


@pytest.mark.parametrize("name", LAYERS)
def test_a_compiled_layer_is_the_same_on_the_device(name: str) -> None:
    make, x = LAYERS[name]
    found = []
    for device in ("cpu", "foreign"):
        model = nn.Sequential(make(), First(), nn.Flatten(), nn.Dense(3, rng=0))
        model(x)
        model.to(device)
        step = nn.TrainStep(model, nn.MSELoss(), nn.optim.SGD(model.parameters(), lr=1e-2))
        for _ in range(2):
            step(x, np.ones((len(x), 3), np.float32))
        found.append([*(p.value for p in model.parameters()), *(b for b in model.buffers() if b.dtype.kind == "f")])
    agree(*found)


def test_a_compiled_training_on_the_device_is_the_one_on_the_host() -> None:
    def made() -> nn.Module:
        return nn.Sequential(
            nn.Flatten(), nn.Linear(144, 16, rng=0), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 10, rng=1)
        )

    given = {"loss": "cross_entropy", "optimizer": "adam", "epochs": 2, "batch_size": 16, "rng": 5}
    given |= {"accumulate": 2, "verbose": False}
    found = []
    for device in ("cpu", "foreign"):
        model = made().to(device)
        history = nn.fit(
            model,
            DIGITS,
            LABELS,
            compiled=True,
            validation=0.2,
            metrics="accuracy",
            clip_value=0.5,
            **given,
        )
        found.append((history["loss"], history["validation_accuracy"], model.state_dict()))
    (loss, accuracy, here), (other_loss, other_accuracy, there) = found
    np.testing.assert_allclose(other_loss, loss, rtol=1e-5)
    np.testing.assert_allclose(other_accuracy, accuracy)
    for name, array in here.items():
        np.testing.assert_allclose(there[name], array, rtol=1e-4, atol=1e-6, err_msg=name)


class First(nn.Module):
    """The first of several results."""

    def forward(self, x: Any) -> Any:
        return x[0] if isinstance(x, tuple) else x


# -- random numbers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [nn.Dropout, nn.AlphaDropout])
def test_a_generator_of_the_device_draws_there(kind: Any) -> None:
    rng = Generator(0)
    layer, x = kind(0.5, rng=rng), ad.Tensor(Foreign.of(np.ones((40, 50), np.float32)))
    moved: list[Any] = []
    ad.admit(DEVICE._replace(from_host=lambda array: moved.append(array) or Foreign.of(array)))
    y, again = layer(x), layer(x)
    assert not moved
    assert rng.drawn == 2
    dropped = [np.mean(v.value.get() != v.value.get().max()) for v in (y, again)]
    assert all(0.45 < share < 0.55 for share in dropped)
    assert not np.array_equal(y.value.get(), again.value.get())
    assert layer.eval()(x) is x


def test_a_generator_of_the_device_draws_in_every_run_of_a_program() -> None:
    rng = Generator(0)
    model = nn.Sequential(nn.Linear(8, 16, rng=0), nn.Dropout(0.5, rng=rng), nn.Linear(16, 2, rng=1)).to("foreign")
    step = nn.TrainStep(model, nn.MSELoss(), nn.optim.SGD(model.parameters(), lr=1e-9))
    losses = [step(ROWS, ROWS[:, :2]) for _ in range(3)]
    assert len({*losses}) == 3
    assert rng.drawn == 4  # one of them while the program was made


def test_what_is_drawn_on_a_device_does_not_meet_arrays_of_the_host() -> None:
    with pytest.raises(TypeError, match=r"on 'cpu' and an array .* on 'foreign'"):
        nn.Dropout(0.5, rng=Generator(0))(ad.Tensor(np.ones(4)))
