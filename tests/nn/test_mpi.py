"""Training by several processes: what tests/nn/ranks.py does under mpiexec, against the same in this process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ranks

import nn
from nn.parallel.messages import packed, unpacked

pytest.importorskip("mpi4py", reason='training by several processes takes mpi4py: pip install ".[mpi]"')
MPIEXEC = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
pytestmark = pytest.mark.skipif(MPIEXEC is None, reason='there is no mpiexec: pip install ".[mpi]"')

AS_ONE = ["plain", "weighted", "ignoring", "normalised", "conditional", "mapped", "compiled"]
SAID = [
    "diverging",
    "diverging_normalised",
    "disagreeing",
    "different_data",
    "too_few",
    "uncompiled",
    "refused",
]
Found = Callable[[str], list[dict[str, Any]]]


def started(count: int, folder: Path, *names: str) -> subprocess.CompletedProcess[str]:
    """What the program prints under mpiexec, and how it ends."""
    folders = [Path(nn.__file__).parent.parent, Path(__file__).parent.parent, os.environ.get("PYTHONPATH", "")]
    paths = os.pathsep.join(map(str, folders))
    command = [str(MPIEXEC), "-n", str(count), sys.executable, "-W", "ignore", ranks.__file__, str(folder), *names]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": paths}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)


@pytest.fixture(scope="module", params=[2, 3])
def found(request: Any, tmp_path_factory: Any) -> tuple[int, Found]:
    """How many ranks there were, and what each of them has found in a training of some name."""
    folder = tmp_path_factory.mktemp("ranks")
    ended = started(request.param, folder, *AS_ONE, "dropping", *SAID)
    assert ended.returncode == 0, ended.stderr

    def read(name: str) -> list[dict[str, Any]]:
        return [json.loads((folder / f"{name}.{request.param}.{k}.json").read_text()) for k in range(request.param)]

    return request.param, read


def alike(one: dict[str, Any], many: list[dict[str, Any]], name: str) -> None:
    """Several ranks came to what one process came to, to rounding, and to the bit to the same as each other."""
    for rank in many[1:]:
        assert rank["weights"] == many[0]["weights"]
        assert rank["history"] == many[0]["history"]
    for key, value in one["weights"].items():
        np.testing.assert_allclose(many[0]["weights"][key], value, rtol=1e-4, atol=2e-5, err_msg=f"{name}: {key}")
    assert many[0]["history"].keys() == one["history"].keys()
    for key, column in one["history"].items():
        np.testing.assert_allclose(many[0]["history"][key], column, rtol=1e-5, err_msg=f"{name}: {key}")


def at_once() -> dict[str, Any]:
    """What a training that is never stopped comes to, in one process."""
    return ranks.resumed(Path("nowhere"), checkpoint=None, checkpoint_every=None)


@pytest.mark.parametrize("name", AS_ONE)
@pytest.mark.filterwarnings("ignore:Adam. no gradient has reached rarely")
def test_many_processes_come_to_what_one_does(name: str, found: tuple[int, Found], tmp_path: Path) -> None:
    alike(ranks.run(name, tmp_path), found[1](name), name)


@pytest.mark.filterwarnings("ignore:Adam. no gradient has reached rarely")
def test_four_ranks_have_shares_of_unequal_sizes(tmp_path: Path) -> None:
    names = ["plain", "weighted", "conditional", "compiled"]
    ended = started(4, tmp_path, *names)
    assert ended.returncode == 0, ended.stderr
    for name in names:
        many = [json.loads((tmp_path / f"{name}.4.{k}.json").read_text()) for k in range(4)]
        alike(ranks.run(name, tmp_path), many, name)


@pytest.mark.parametrize("name", ["on_a_device", "added_up_there"])
def test_ranks_that_train_on_a_device_come_to_what_the_host_does(name: str, tmp_path: Path) -> None:
    ended = started(2, tmp_path, name)
    assert ended.returncode == 0, ended.stderr
    many = [json.loads((tmp_path / f"{name}.2.{k}.json").read_text()) for k in range(2)]
    alike(ranks.run("plain", tmp_path), many, name)
    assert many[0].get("calls", 15) == 15  # once in each of five steps and three epochs


def test_files_stay_mapped(found: tuple[int, Found]) -> None:
    assert all(rank["held"] == [True, True, True] for rank in found[1]("mapped"))


def test_ranks_draw_numbers_of_their_own_and_the_same_again(found: tuple[int, Found]) -> None:
    count, read = found
    many = read("dropping")
    assert all(rank["weights"] == rank["again"] == many[0]["weights"] for rank in many)
    assert len({tuple(rank["mask"]) for rank in many}) == count


def test_all_ranks_raise_what_one_finds(found: tuple[int, Found]) -> None:
    count, read = found
    texts = [rank["said"] for rank in read("diverging")]
    own = next(text for text in texts if text.startswith("the loss is nan in epoch 1, batch 3 of 5: there are NaNs"))
    assert {*texts} == {own, f"on rank {texts.index(own)} of {count} {own}"}
    assert (
        sum(text.startswith("on rank") for text in [rank["said"] for rank in read("diverging_normalised")]) == count - 1
    )
    for name, words in {
        "disagreeing": "after epoch 2 2.bias is not the same on rank 1 as on rank 0",
        "different_data": "rank 0 and rank 1 were given different trainings: checksum of some samples",
        "refused": "loss is a function of (outputs, targets), or a name; received",
        "uncompiled": "batch normalisation over several processes asks the others for their sums",
        "too_few": "the smallest of 65 samples in batches of 16 has 1",
    }.items():
        assert all(words in rank["said"] for rank in read(name)), name


def test_ctrl_c_on_one_rank_stops_all_and_any_number_goes_on(tmp_path: Path) -> None:
    ended = started(3, tmp_path, "begun")
    assert ended.returncode == 0, ended.stderr
    for k in range(3):
        stopped = json.loads((tmp_path / f"begun.3.{k}.json").read_text())
        assert stopped["interrupted"]
        assert len(stopped["history"]["loss"]) == 1
    state = (tmp_path / "run.safetensors").read_bytes()
    alike(at_once(), [ranks.resumed(tmp_path)], "3 ranks, then one process")
    (tmp_path / "run.safetensors").write_bytes(state)
    ended = started(2, tmp_path, "resumed")
    assert ended.returncode == 0, ended.stderr
    many = [json.loads((tmp_path / f"resumed.2.{k}.json").read_text()) for k in range(2)]
    alike(at_once(), many, "3 ranks, then 2")


def test_a_rank_that_is_killed_ends_the_run_and_the_checkpoint_stands(tmp_path: Path) -> None:
    began = time.perf_counter()
    ended = started(2, tmp_path, "dying")
    assert time.perf_counter() - began < 60
    assert ended.returncode != 0
    assert "signal 9" in ended.stdout + ended.stderr
    said = "nn.fit: 2 ranks train one model. If one of them is killed, mpiexec ends the others; the last checkpoint"
    assert f"{said} stands then: go on with resume={str(tmp_path / 'run.safetensors')!r}" in ended.stderr
    assert not list(tmp_path.glob("dying*"))
    whole = at_once()
    assert nn.load(tmp_path / "run.safetensors").keys() == whole["weights"].keys()
    alike(whole, [ranks.resumed(tmp_path)], "after a rank was killed")


def test_an_error_on_one_rank_ends_the_run_and_says_where_to_go_on(tmp_path: Path) -> None:
    ended = started(2, tmp_path, "failing")
    assert ended.returncode != 0
    assert "OSError: the disk is on fire" in ended.stderr
    assert "nn.fit: rank 1 of 2 failed with the OSError above" in ended.stderr
    assert f"go on with resume={str(tmp_path / 'run.safetensors')!r}" in ended.stderr


def test_one_process_is_a_training_as_any_other() -> None:
    one, alone = ranks.plain(parallel=nn.MPI()), ranks.plain()
    assert one["history"] == alone["history"]
    for name, array in alone["weights"].items():
        np.testing.assert_array_equal(one["weights"][name], array)


def test_messages_bring_nests_of_arrays_and_numbers() -> None:
    value = {"a": [np.arange(3), (np.float32(2), None)], "/": {"text": "ä", "big": 2**100, "none": np.zeros((0, 2))}}
    same = unpacked(packed(value))
    np.testing.assert_array_equal(same["a"][0], value["a"][0])
    assert same["a"][1] == (2.0, None)
    assert same["/"]["none"].shape == (0, 2)
    assert (same["/"]["text"], same["/"]["big"]) == ("ä", 2**100)
    assert np.isnan(unpacked(packed(np.nan)))
    assert unpacked(packed(np.array(3))).shape == ()


def test_a_missing_mpi_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(ModuleNotFoundError, match=r'Write pip install "autodiff-nn\[mpi\]", and start with mpiexec'):
        nn.MPI()


def test_what_is_no_communicator_is_refused() -> None:
    with pytest.raises(TypeError, match=r"nn.MPI takes a communicator of mpi4py; received 3"):
        nn.MPI(3)
    with pytest.raises(TypeError, match=r"an adder with a method all_reduce\(array, out\); received 3"):
        nn.MPI(adder=3)
    with pytest.raises(TypeError, match=r"parallel is nn.MPI\(\) or None; received True"):
        ranks.plain(parallel=True)
