"""One training by many processes: each has a share of every batch, and MPI adds up their gradients."""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn.functional import across
from nn.parallel.alone import Alone
from nn.parallel.messages import packed, unpacked
from nn.training.diagnosis import DivergedError
from nn.training.evaluation import Means
from nn.training.state import fingerprint, set_state

if TYPE_CHECKING:
    from nn.training.training import Training

T = TypeVar("T")
Array = npt.NDArray[Any]
PATIENCE = 3.0  # seconds: if not all processes fail within this time, the run is ended
FLAGS = 4  # numbers sent with the gradient, before one number for each parameter


class MPI(Alone):
    """The processes that `mpiexec` started: `nn.fit(..., parallel=nn.MPI())` in all of them is one training.

    Each process (a rank) reads and computes its share of every batch, and one Allreduce per step adds up the gradients.
    So the result equals that of one process with the same batches, up to rounding: also with weights of samples and
    classes, with a last batch that cannot be divided evenly, and with `accumulate`. BatchNorm's statistics are those of
    the whole batch; metrics and validation are those of all samples. Only Dropout and other modules with a random
    generator differ: each rank draws different numbers.

    All ranks call `fit` with the same arguments. Weights and random states are those of rank 0, and only rank 0 prints
    and writes checkpoints. Any number of ranks can resume from a checkpoint. Weights are compared after each epoch.

    Parameters
    ----------
    comm : a communicator of mpi4py; MPI.COMM_WORLD, all processes, if not given
    adder : an object whose all_reduce(array, out) adds up gradients on the device, such as NCCL's
        cupyx.distributed.init_process_group(size, rank, use_mpi=True). Without one they are copied to the host

    `rank` is the number of this process, from 0; `size` is the number of processes; `leads` is true for rank 0;
    `sum(array)` adds up an array over all ranks, for buffers that you define.

    >>> ranks = nn.MPI()  # in train.py, started with: mpiexec -n 4 python train.py
    >>> X, y = nn.data.gauss(64, rng=0)
    >>> model = nn.Linear(2, 2, rng=0)
    >>> history = nn.fit(model, X, y, "cross_entropy", "adam", epochs=2, parallel=ranks, verbose=False)
    >>> if ranks.leads:
    ...     nn.save(model, "model.safetensors")

    An error on only some ranks ends the run, after its traceback and the name of the last checkpoint. `nn.MPI()` raises
    ModuleNotFoundError without mpi4py. `fit` raises ValueError if ranks have different data, or if the model has
    BatchNorm and a batch has fewer samples than there are ranks, and RuntimeError if the weights of the ranks differ
    after an epoch.
    """

    def __init__(self, comm: Any = None, adder: Any = None) -> None:
        try:
            from mpi4py import MPI as mpi  # noqa: N811
        except (ImportError, RuntimeError) as error:  # RuntimeError: there is no MPI
            raise ModuleNotFoundError(
                f"nn.MPI was asked for, which takes mpi4py and an MPI to run on; importing it gave: {error}. Write "
                'pip install "autodiff-nn[mpi]", and start with mpiexec -n 2 python train.py.'
            ) from error
        if comm is not None and not isinstance(comm, mpi.Intracomm):
            raise TypeError(f"nn.MPI takes a communicator of mpi4py; received {comm!r:.80}. Write nn.MPI().")
        if adder is not None and not callable(getattr(adder, "all_reduce", None)):
            raise TypeError(
                f"nn.MPI takes an adder with a method all_reduce(array, out); received {adder!r:.80}. Write "
                "adder=cupyx.distributed.init_process_group(size, rank, use_mpi=True), or leave it away."
            )
        self._adder = adder
        self.comm = mpi.COMM_WORLD if comm is None else comm
        self.rank, self.size = self.comm.rank, self.comm.size
        self._alarms = self.comm.Dup()  # for messages while other ranks may wait in another call
        self._in_place = mpi.IN_PLACE
        self._buffer = np.empty(0)
        self._begin()

    def _begin(self) -> None:
        self._synchronises = False  # whether a layer of the model sums over the whole batch
        self._failure: Exception | None = None
        self._asked = self._over = False

    def sum(self, array: npt.ArrayLike) -> Array:
        """The sum of an array over all ranks, which all have to call this; it is on the array's device."""
        total = np.array(ad.to(array, "cpu"))
        self.comm.Allreduce(self._in_place, total)
        found: Array = ad.to(total, ad.devices.place(array))
        return found

    def shared(self, make: Callable[[], T]) -> T:
        """The value that `make` returns on rank 0; if it raises an error there, the other ranks raise RuntimeError."""
        if not self.leads:
            answer = unpacked(self._broadcast(b""))
            if "error" in answer:
                raise RuntimeError(f"rank 0 of {self.size} ended with {answer['error']}")
            return answer["value"]
        try:
            value = make()
        except Exception as error:
            self._broadcast(packed({"error": f"{type(error).__name__}: {error}"}))
            raise
        self._broadcast(packed({"value": value}))
        return value

    def align(self, generators: Iterable[np.random.Generator]) -> None:
        """Set the generators of all ranks to their states on rank 0."""
        listed = list(generators)
        states = self.shared(lambda: [rng.bit_generator.state for rng in listed])
        for rng, state in zip(listed, states, strict=True):
            set_state(rng, state)

    def spread(self, generators: Iterable[np.random.Generator]) -> None:
        """Set aligned generators to a different state on each rank, derived from rank 0's; rank 0 keeps its state."""
        if self.leads:
            return
        for rng in {id(rng): rng for rng in generators}.values():
            seed = np.random.SeedSequence([self.rank, *rng.integers(2**32, size=4).tolist()])
            kind: Any = type(rng.bit_generator)
            rng.bit_generator.state = kind(seed).state

    @contextmanager
    def guarding(self, file: Any, verbose: bool) -> Iterator[None]:
        """Within this context an error on only some ranks ends the run; an error on all ranks is raised on all.

        A rank that is killed cannot print anything, and mpiexec kills the others too. So rank 0 prints at the beginning
        how to go on from the checkpoint.
        """
        self._begin()
        if self.leads and verbose and file is not None:
            print(
                f"nn.fit: {self.size} ranks train one model. If one of them is killed, mpiexec ends the others; the "
                f"last checkpoint stands then: go on with resume={os.fspath(file)!r}.",
                file=sys.stderr,
                flush=True,
            )
        try:
            yield
        except BaseException as error:
            self._alarm(error, file)
            raise

    @contextmanager
    def rehearsing(self) -> Iterator[None]:
        """A context that notes whether a layer sums over the whole batch."""

        def noted(array: Array) -> Array:
            self._synchronises = True
            return array

        with across.adding(noted):
            yield

    @contextmanager
    def running(self, training: Training) -> Iterator[None]:
        """A context that checks that all ranks have the same data, and gives them rank 0's weights.

        At its end the generators of all ranks have rank 0's states.
        """
        self._check(training)
        weights = self.shared(training.weights)
        if not self.leads:
            training.load_weights(weights)
            training.means = Means(training.measures)
        try:
            yield
        except KeyboardInterrupt as error:
            if self._asked:
                self.align(training.generators())
            else:
                self._alarm(error, training.settings.file)
            raise
        self.align(training.generators())

    def step(self) -> AbstractContextManager[None]:
        """A context in which batch normalisation sums over all ranks."""
        return across.adding(self.sum if self._synchronises else None)

    def apart(self) -> AbstractContextManager[None]:
        """A context in which nothing is summed over the ranks."""
        return across.adding(None)

    def seed(self, weight: float, whole: float, batches: int) -> float | None:
        """The adjoint of a batch's loss: its weight; `reduce` divides by the sum of all weights."""
        return weight

    def failed(self, error: Exception) -> None:
        """Keep the first error until all ranks know about it."""
        self._failure = self._failure or error

    def reduce(self, training: Training, weight: float) -> float:
        """Replace the gradient by the mean over the samples of all ranks; returns the weight of all samples.

        The same message carries the rank's weight, whether it failed or stops, and which parameters it reached.
        """
        flat, place = training.optimizer.flat, ad.devices.place(training.optimizer.flat.value)
        apart = place != ad.devices.HOST and self._adder is not None  # the gradient is added up on its device
        size = 0 if apart else flat.value.size
        length = size + FLAGS + len(flat.tensors)
        if len(self._buffer) != length or self._buffer.dtype != flat.value.dtype:
            self._buffer = np.empty(length, flat.value.dtype)
        gradient, flags, reached = np.split(self._buffer, [size, size + FLAGS])
        stretches = flat.reached()
        reached[...] = 0
        for stretch in stretches:
            reached[[stretch.start <= s.start and s.stop <= stretch.stop for s in flat.sections]] = 1
        for section, counts in zip(flat.sections, reached > 0, strict=True):
            if not counts:
                flat.grad[section] = 0
        if not apart:
            gradient[...] = ad.to(flat.grad, "cpu")
        flags[...] = weight, self._failure is not None, training.interrupted, bool(training.ended)
        self.comm.Allreduce(self._in_place, self._buffer)
        total, failed, asked, over = flags.tolist()
        if failed:
            self._all_fail(training)
        self._agree(training, asked > 0, over > 0)
        if apart:
            self._adder.all_reduce(flat.grad, flat.grad)
        if total:
            flat.received([bool(r > 0) for r in reached])
            np.multiply(flat.grad if apart else ad.to(gradient, place), 1 / total, out=flat.grad)
        return float(total)

    def collect(self, means: Means) -> None:
        """Add up the sums of all ranks on rank 0; the sums of the others restart at 0."""
        state = {"sums": means.sums, "weight": means.weight, "count": means.count, "kept": means.kept}
        found = [unpacked(data) for data in self._gathered(packed(state), everywhere=False)]
        means.restore(
            {name: sum(one["sums"][name] for one in found) for name in means.sums},
            sum(one["weight"] for one in found),
            sum(one["count"] for one in found),
            [pair for one in found for pair in one["kept"]],
        )

    def asked(self, training: Training) -> bool:
        """Whether Ctrl-C was pressed on some rank; the last step told all ranks."""
        return self._asked

    def over(self, training: Training) -> bool:
        """Whether some rank has ended the training; the last step told all ranks."""
        return self._over

    def compare(self, training: Training) -> None:
        """Raise RuntimeError unless parameters and buffers are equal on all ranks, bit for bit."""
        sums = {name: zlib.crc32(array.tobytes()) for name, array in training.model.state_dict().items()}
        mine = {"asked": training.interrupted, "over": bool(training.ended), "sums": sums}
        found = [json.loads(text) for text in self._texts(json.dumps(mine))]
        for rank, one in enumerate(found):
            differing = [n for n in found[0]["sums"] if one["sums"].get(n) != found[0]["sums"][n]]
            if differing:
                raise RuntimeError(
                    f"after epoch {training.epoch} {differing[0]} is not the same on rank {rank} as on rank 0"
                    f"{f', and neither are {len(differing) - 1} others' if len(differing) > 1 else ''}. Whatever "
                    "changes the model, a callback or a module's own buffer, has to do the same on all ranks; "
                    "training.parallel.sum(array) adds up what they have."
                )
        self._agree(training, any(one["asked"] for one in found), any(one["over"] for one in found))

    def _agree(self, training: Training, asked: bool, over: bool) -> None:
        self._asked, self._over = self._asked or asked, self._over or over
        if over and not training.ended:
            training.stop("another rank ended it")

    def _check(self, training: Training) -> None:
        """Raise ValueError if the ranks' data differ, or if a rank would have no sample for batch normalisation."""
        found = [json.loads(text) for text in self._texts(json.dumps(fingerprint(training)))]
        for rank, one in enumerate(found):
            differing = [f"{name} {found[0][name]!r} and {one[name]!r}" for name in one if one[name] != found[0][name]]
            if differing:
                raise ValueError(
                    f"rank 0 and rank {rank} were given different trainings: {'; '.join(differing):.400}. Give all "
                    "ranks the same data and arguments; of every batch each then reads its own share."
                )
        if self._synchronises and training.settings.compiled:
            raise TypeError(
                "batch normalisation over several processes asks the others for their sums in the middle of a step, "
                "which a program cannot. Leave compiled=True away, or normalise each sample, with nn.GroupNorm."
            )
        samples = training.samples
        batch = samples.batch_size or samples.size
        least = batch if samples.drop_last else samples.size % batch or batch
        if self._synchronises and least < self.size:
            raise ValueError(
                f"batch normalisation in {self.size} processes takes a sample for each in every batch; the smallest of "
                f"{samples.size} samples in batches of {batch} has {least}. Take another batch_size, or a "
                "DataLoader(..., drop_last=True)."
            )

    def _all_fail(self, training: Training) -> NoReturn:
        """Raise an error on all ranks: a rank's own error if it has one, else that of the first rank that failed."""
        texts = self._texts(str(self._failure or ""))
        if self._failure is not None:
            raise self._failure
        rank = next(k for k, text in enumerate(texts) if text)
        raise DivergedError(f"on rank {rank} of {self.size} {texts[rank]}", training.history)

    def _alarm(self, error: BaseException, file: Any) -> None:
        """Wait until all ranks fail; if they do not, print the error and end the run."""
        request, began = self._alarms.Ibarrier(), time.perf_counter()
        while not request.Test():
            if time.perf_counter() - began > PATIENCE:
                stands = ""
                if file is not None and os.path.isfile(file):
                    stands = f" The last checkpoint stands: go on with resume={os.fspath(file)!r}."
                traceback.print_exception(error)
                print(
                    f"nn.fit: rank {self.rank} of {self.size} failed with the {type(error).__name__} above, which not "
                    f"all ranks have, so the run is ended.{stands}",
                    file=sys.stderr,
                    flush=True,
                )
                self._alarms.Abort(1)
            time.sleep(0.01)

    def _broadcast(self, data: bytes) -> bytes:
        """The bytes of rank 0."""
        length = np.array(len(data))
        self.comm.Bcast(length)
        buffer = np.frombuffer(bytearray(data) if self.leads else bytearray(int(length)), np.uint8)
        self.comm.Bcast(buffer)
        return buffer.tobytes()

    def _gathered(self, data: bytes, everywhere: bool) -> list[bytes]:
        """The bytes of each rank, on all ranks if `everywhere`, otherwise only on rank 0 (an empty list elsewhere)."""
        lengths = np.empty(self.size, np.int64)
        self.comm.Allgather(np.array([len(data)], np.int64), lengths)
        mine = np.frombuffer(data, np.uint8)
        receives = everywhere or self.leads
        found = np.empty(int(lengths.sum()) if receives else 0, np.uint8)
        if everywhere:
            self.comm.Allgatherv(mine, (found, lengths))
        else:
            self.comm.Gatherv(mine, (found, lengths) if receives else None)
        return [part.tobytes() for part in np.split(found, np.cumsum(lengths)[:-1])] if receives else []

    def _texts(self, text: str) -> list[str]:
        """The text of each rank."""
        return [data.decode() for data in self._gathered(text.encode(), everywhere=True)]
