"""Restarts, searches, cross-validations and sweeps of learning rates by executors: the same bits by any of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from nn.parallel.executing import completed
from nn.report import progress

rng = np.random.default_rng(0)
X = rng.standard_normal((60, 4)).astype(np.float32)
Y = (X @ rng.standard_normal((4, 3))).argmax(axis=1)
FILES = Path(nn.__file__).parent.parent


def make(random: np.random.Generator, hidden: int = 5, dropout: float = 0.2) -> nn.Module:
    return nn.Sequential(
        nn.Linear(4, hidden, rng=random), nn.ReLU(), nn.Dropout(dropout, rng=random), nn.Linear(hidden, 3, rng=random)
    )


def waiting(random: np.random.Generator) -> nn.Module:
    """Its last layer has no parameters before the first call."""
    return nn.Sequential(nn.Linear(4, 5, rng=random), nn.ReLU(), nn.Dense(3, rng=random))


def deadly(random: np.random.Generator) -> nn.Module:
    """The process that makes it first is killed."""
    file = Path(os.environ["DEADLY"])
    if not file.exists():
        file.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return make(random)


def always_deadly(random: np.random.Generator) -> nn.Module:
    os.kill(os.getpid(), signal.SIGKILL)
    return make(random)


def exploding(random: np.random.Generator) -> nn.Module:
    model = make(random)
    model[3].bias.value = np.full(3, np.nan)
    return model


def adam(parameters: Any, lr: float = 0.02) -> nn.optim.Optimizer:
    return nn.optim.Adam(parameters, lr=lr)


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    with ProcessPoolExecutor(2, get_context("spawn")) as executor:
        yield executor


@pytest.fixture
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(3) as executor:
        yield executor


def started(k: int = 3, **changed: Any) -> Any:
    arguments = {"loss": "cross_entropy", "optimizer": adam, "epochs": 3, "metrics": "accuracy"} | changed
    return nn.restarts(k, arguments.pop("make", make), arguments.pop("data", (X, Y)), **arguments)


def searched(**changed: Any) -> Any:
    space = {"hidden": [4, 8], "lr": (1e-3, 1e-1, "log"), "batch_size": (8, 32), "dropout": (0.0, 0.5)}
    arguments = {"loss": "cross_entropy", "optimizer": "adam", "epochs": 2, "trials": 4, "validation": 0.25} | changed
    return nn.search(arguments.pop("space", space), arguments.pop("make", make), (X, Y), **arguments)


def crossed(**changed: Any) -> Any:
    arguments = {"loss": "cross_entropy", "optimizer": adam, "epochs": 2, "metrics": ["accuracy", "f1"]} | changed
    return nn.cross_validate(make, (X, Y), 3, **arguments)


def swept(**changed: Any) -> Any:
    model = make(np.random.default_rng(3))
    before = model.state_dict()
    found = nn.find_lr(model, (X, Y), "cross_entropy", "sgd", steps=20, rng=5, repeats=3, **changed)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    return found


def same(one: Any, other: Any) -> None:
    """Two results are the same, to the bit."""
    if isinstance(one, nn.training.searching.LearningRates):
        np.testing.assert_array_equal(one.losses, other.losses)
        return
    assert [h.columns for h in one.histories] == [h.columns for h in other.histories]
    assert (one.scores, one.seeds, one.best, one.monitor) == (other.scores, other.seeds, other.best, other.monitor)
    assert getattr(one, "options", None) == getattr(other, "options", None)
    for name, array in one.model.state_dict().items():
        np.testing.assert_array_equal(other.model.state_dict()[name], array)
    generators = [[g.bit_generator.state for _, g in found.model.named_generators()] for found in (one, other)]
    assert generators[0] == generators[1]
    assert not other.model.training


@pytest.mark.parametrize("kind", ["threads", "processes"])
@pytest.mark.parametrize("function", [started, searched, crossed, swept])
def test_any_executor_gives_the_same(function: Callable[..., Any], kind: str, request: pytest.FixtureRequest) -> None:
    same(function(), function(executor=request.getfixturevalue(kind)))


def test_what_waits_for_its_input_comes_back(threads: Executor) -> None:
    same(started(make=waiting), started(make=waiting, executor=threads))


def test_a_loader_begins_each_training_alike(threads: Executor) -> None:
    def data() -> nn.data.DataLoader:
        return nn.data.DataLoader(X, Y, batch_size=16, shuffle=True, rng=2)

    alone = started(data=data())
    same(alone, started(data=data(), executor=threads))
    random = np.random.default_rng(alone.seeds[2])
    history = nn.fit(make(random), data(), "cross_entropy", adam, epochs=3, metrics="accuracy", verbose=False)
    assert history.columns == alone.histories[2].columns


def test_each_training_has_its_own_callbacks(threads: Executor) -> None:
    options = {"validation": (X[:20], Y[:20]), "epochs": 30, "optimizer": lambda p: nn.optim.SGD(p, lr=3.0)}
    alone = started(callbacks=nn.EarlyStopping(2), **options)
    stopping = nn.EarlyStopping(2)
    same(alone, started(callbacks=stopping, executor=threads, **options))
    assert alone.scores == [min(history["validation_loss"]) for history in alone.histories]
    assert stopping.best_epoch == 0


def test_a_lost_worker_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEADLY", str(tmp_path / "died"))
    with ProcessPoolExecutor(2, get_context("spawn")) as executor:
        found = started(make=deadly, executor=executor)
    assert (tmp_path / "died").exists()
    same(started(), found)


def test_a_worker_that_is_lost_each_time_is_an_error() -> None:
    with ProcessPoolExecutor(1, get_context("spawn")) as executor, pytest.raises(BrokenProcessPool) as caught:
        started(1, make=always_deadly, executor=executor)
    assert "The worker was lost 3 times with this call" in "".join(caught.value.__notes__)


class Killed(Executor):
    """Loses every other call, as a scheduler on a cluster may say it, and then the executor itself."""

    def __init__(self, broken: bool = False) -> None:
        self.calls, self.broken = 0, broken

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self.broken:
            raise BrokenExecutor("gone")
        self.calls += 1
        future: Future[Any] = Future()
        if self.calls % 2:
            future.set_exception(type("KilledWorker", (Exception,), {})("a worker died"))
        else:
            future.set_result(function(*args))
        return future


def test_losses_that_others_report_are_tried_again() -> None:
    assert sorted(completed(abs, [-1, -2, -3], Killed())) == [(0, 1), (1, 2), (2, 3)]
    with pytest.raises(BrokenExecutor, match=r"takes no more calls, since it lost its workers. Make a new one"):
        list(completed(abs, [-1], Killed(broken=True)))


class FirstTwo(Executor):
    """Carries out two calls, and leaves the others for later."""

    def __init__(self) -> None:
        self.futures: list[Future[Any]] = []

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.futures.append(future)
        if len(self.futures) <= 2:
            try:
                future.set_result(function(*args))
            except ZeroDivisionError as error:
                future.set_exception(error)
        return future


def test_other_errors_are_raised_and_the_rest_is_taken_back(threads: Executor) -> None:
    executor = FirstTwo()
    with pytest.raises(ZeroDivisionError):
        list(completed(lambda k: 1 // k, [1, 0, 2, 3], executor))
    assert [future.cancelled() for future in executor.futures] == [False, False, True, True]
    with pytest.raises(KeyError, match="monitor is a column of the history"):
        started(monitor="f1", executor=threads)


def test_what_cannot_be_sent_is_explained(processes: Executor) -> None:
    with pytest.raises(Exception, match=r"pickle|local object") as caught:  # by the version of Python
        started(1, make=lambda random: make(random), executor=processes)
    assert "define there what makes the model and the optimizer" in "".join(caught.value.__notes__)


def test_all_that_diverge(threads: Executor) -> None:
    with pytest.raises(nn.DivergedError, match="the loss is nan"):
        started(2, make=exploding, executor=threads)


def test_progress_is_in_one_place(monkeypatch: pytest.MonkeyPatch, threads: Executor) -> None:
    kept, advanced = [], []

    class Noted(progress.Silence):
        def keep(self, line: str) -> None:
            kept.append(line)

        def advance(self, epoch: int, batch: int) -> None:
            advanced.append((epoch, batch))

    monkeypatch.setattr(progress, "Cell", Noted)
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    found = started(4, executor=threads)
    assert sorted(kept) == [found.line(k, 4) for k in range(4)]
    assert advanced == [(k, 3) for k in range(1, 5)]


def test_ctrl_c_leaves_those_that_are_finished(monkeypatch: pytest.MonkeyPatch, threads: Executor) -> None:
    whole, kept = started(4), []

    class Noted(progress.Silence):
        def keep(self, line: str) -> None:
            kept.append(line)
            if len(kept) == 2:
                raise KeyboardInterrupt

    monkeypatch.setattr(progress, "Cell", Noted)
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    found = started(4, executor=threads)
    assert (len(found), found.interrupted) == (2, True)
    scores = dict(zip(whole.seeds, whole.scores, strict=True))
    assert found.scores == [scores[seed] for seed in found.seeds]
    assert found.history is found.histories[found.best]
    assert found.model.state_dict().keys() == whole.model.state_dict().keys()


def test_a_search_goes_where_the_options_belong() -> None:
    found = searched()
    assert [set(options) for options in found.options] == [{"hidden", "lr", "batch_size", "dropout"}] * 4
    assert all(1e-3 <= o["lr"] <= 1e-1 and 8 <= o["batch_size"] <= 32 and o["hidden"] in (4, 8) for o in found.options)
    assert found.model[0].weight.shape[0] == found.best_options["hidden"]
    assert found.model[2].p == found.best_options["dropout"]
    assert found.scores[found.best] == min(found.scores)
    lines = repr(found).splitlines()
    assert lines[0].split() == ["trial", *found.options[0], "validation", "loss", "epochs", "time"]
    assert [int(line.split()[0]) - 1 for line in lines[1:]] == list(np.argsort(found.scores))

    def with_options(parameters: Any, *, lr: float, momentum: float) -> nn.optim.Optimizer:
        made.append((lr, momentum))
        return nn.optim.SGD(parameters, lr=lr, momentum=momentum)

    made: list[tuple[float, float]] = []
    grid = {"lr": [0.1, 0.2], "momentum": [0.0, 0.9], "epochs": [1]}
    found = searched(space=grid, optimizer=with_options, trials=None)
    assert made == [(0.1, 0.0), (0.1, 0.9), (0.2, 0.0), (0.2, 0.9)]
    assert [len(history) for history in found.histories] == [1] * 4
    assert len(set(found.scores)) == 4
    assert found.seeds == found.seeds[:1] * 4  # they differ by the options alone


def test_numbers_are_drawn_from_all_of_a_range() -> None:
    from nn.training.tuning import _drawing

    draws = np.random.default_rng(0)
    for space, ends in (((1, 4), {1, 2, 3, 4}), ((1, 4, "log"), {1, 2, 3, 4})):
        assert {_drawing("n", space)(draws) for _ in range(300)} == ends
    many = np.log([_drawing("lr", (1e-4, 1e-1, "log"))(draws) for _ in range(2000)])
    counts, _ = np.histogram(many, bins=3, range=(np.log(1e-4), np.log(1e-1)))
    assert counts.sum() == 2000
    assert counts.min() > 580


def test_spaces_that_make_no_sense_are_errors() -> None:
    for space, error, words in (
        ({}, TypeError, "search takes a space, a dict of what may be chosen"),
        ({"lr": 0.1}, TypeError, "lr is a list of values, or a range"),
        ({"lr": []}, TypeError, "lr is a list of values"),
        ({"lr": (0.1, 0.2, "linear")}, TypeError, "lr is a list of values"),
        ({"lr": (0.2, 0.1)}, ValueError, "from low up to high; received"),
        ({"lr": (0.0, 0.1, "log")}, ValueError, "with low above 0"),
        ({"depth": [1]}, TypeError, "options 'depth' that neither make, nor fit, nor the optimizer takes: make"),
    ):
        with pytest.raises(error, match=words):
            searched(space=space)
    with pytest.raises(ValueError, match=r"lr is a range, of which there is no end. Write trials=20"):
        searched(space={"lr": (0.1, 0.2)}, trials=None)
    with pytest.raises(ValueError, match=r"optimizer is one of nn.optim's"):
        searched(optimizer="adamant")


def test_folds_share_the_samples_out() -> None:
    found = crossed(stratify=True)
    np.testing.assert_array_equal(np.sort(np.concatenate(found.folds)), np.arange(60))
    counts = np.array([np.bincount(Y[fold], minlength=3) for fold in found.folds])
    assert np.ptp(counts, axis=0).max() <= 1
    assert [len(fold) for fold in found.folds] == [20, 20, 20]
    assert found.results["validation_accuracy"].tolist() == [h["validation_accuracy"][-1] for h in found.histories]
    assert found.mean["validation_f1"] == pytest.approx(np.mean([h["validation_f1"][-1] for h in found.histories]))
    assert found.deviation["loss"] == pytest.approx(np.std([h["loss"][-1] for h in found.histories], ddof=1))
    lines = [line.split() for line in repr(found).splitlines()]
    assert lines[0] == ["fold", "loss", "accuracy", "f1", "samples"]
    assert [line[0] for line in lines[1:]] == ["1", "2", "3", "mean", "±"]
    weighted = crossed(sample_weight=np.arange(1, 61))
    assert weighted.scores != crossed().scores
    random = np.random.default_rng(found.seeds[1])
    model, held = make(random), found.folds[1]
    rest = np.concatenate([found.folds[0], found.folds[2]])
    options = {"epochs": 2, "rng": random, "validation": (X[held], Y[held]), "verbose": False}
    history = nn.fit(model, X[rest], Y[rest], "cross_entropy", adam, **options)
    assert history["validation_loss"] == found.histories[1]["validation_loss"]


def test_cross_validations_that_make_no_sense_are_errors() -> None:
    for changed, error, words in (
        ({"validation": 0.1}, TypeError, "validates on the folds it makes"),
        ({"stratify": 1}, TypeError, "stratify is True or False"),
        ({"checkpoint": "a"}, TypeError, "cross_validate trains several models; checkpoint= is for one"),
    ):
        with pytest.raises(error, match=words):
            crossed(**changed)
    with pytest.raises(ValueError, match="a sample for each fold at least; received 2 for 5 folds"):
        nn.cross_validate(make, (X[:2], Y[:2]), loss="cross_entropy", optimizer=adam)
    with pytest.raises(ValueError, match="cross_validate: folds is an int from 2"):
        nn.cross_validate(make, (X, Y), 1, loss="cross_entropy", optimizer=adam)
    with pytest.raises(ValueError, match=r"one label per sample; received y of shape \(60, 3\)"):
        nn.cross_validate(make, (X, np.eye(3)[Y]), loss="cross_entropy", optimizer=adam, stratify=True)


def test_what_is_no_executor_is_refused(threads: Executor) -> None:
    for function in (started, searched, crossed, swept):
        with pytest.raises(TypeError, match=r"executor is a concurrent.futures.Executor, or None; received 4"):
            function(executor=4)
    model = make(np.random.default_rng(0))
    with pytest.raises(TypeError, match="makes an optimizer for each copy of the model; received SGD"):
        nn.find_lr(model, (X, Y), "mse", nn.optim.SGD(model.parameters()), executor=threads)
    with pytest.raises(TypeError, match=r"and parallel=, by which several share each. Leave one of them away"):
        started(executor=threads, parallel=3)


def test_dask_gives_the_same() -> None:
    distributed = pytest.importorskip("distributed", reason='trainings on Dask take distributed: pip install ".[dask]"')
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        same(started(), started(executor=client.get_executor()))


def test_mpi_futures_give_the_same(tmp_path: Path) -> None:
    pytest.importorskip("mpi4py", reason='executors by MPI take mpi4py: pip install ".[mpi]"')
    from test_mpi import MPIEXEC

    if MPIEXEC is None:
        pytest.skip('there is no mpiexec: pip install ".[mpi]"')
    program = tmp_path / "program.py"
    program.write_text(
        "import test_executors\nfrom mpi4py.futures import MPIPoolExecutor\n\n"
        "if __name__ == '__main__':\n    with MPIPoolExecutor() as executor:\n"
        "        test_executors.same(test_executors.started(), test_executors.started(executor=executor))\n"
        "    print('the same')\n"
    )
    paths = [str(FILES), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(paths)}
    command = [str(MPIEXEC), "-n", "2", sys.executable, "-m", "mpi4py.futures", str(program)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)
    assert ended.stdout.strip() == "the same", ended.stderr
