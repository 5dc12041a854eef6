"""What every test is under: the tables of rules are put back, and NumPy's global random state is not touched."""

from __future__ import annotations

import gc
import operator
import os
import signal
from collections.abc import Iterator
from typing import Any

# Before NumPy is imported: on the small matrices of tests, threads of BLAS would spend their time on each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import hypothesis
import numpy as np
import pytest

import autodiff as ad
import autodiff.notation.symbols  # what it puts on the records is there before they are remembered
from autodiff.engine.table import Function, Primitive, table

# A busy machine is slow, which no example is to blame for.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")


def pytest_collection_finish() -> None:
    """The modules and the tests stay to the end: no collection of garbage has to go through them again."""
    gc.collect()
    gc.freeze()


Contents = dict[Function, tuple[Primitive, tuple[Any, ...]]]
fields = operator.attrgetter(*Primitive.__slots__)


def contents() -> Contents:
    """The record of each function of the table, and what it holds."""
    return {function: (known, fields(known)) for function, known in table.items()}


@pytest.fixture(scope="session")
def declared() -> Contents:
    return contents()


@pytest.fixture(autouse=True)
def tables_restored(declared: Contents) -> Iterator[None]:
    admitted = dict(ad.devices.admitted)
    yield
    ad.devices.admitted.clear()
    ad.devices.admitted.update(admitted)
    if contents() != declared:
        table.clear()
        for function, (known, held) in declared.items():
            table[function] = known
            for field, value in zip(Primitive.__slots__, held, strict=True):  # a declaration changes a record in place
                setattr(known, field, value)


@pytest.fixture(autouse=True, scope="session")
def global_random_state_untouched() -> Iterator[None]:
    before = repr(np.random.get_state())  # noqa: NPY002  # the global state is what is watched
    yield
    assert repr(np.random.get_state()) == before  # noqa: NPY002


@pytest.fixture(autouse=True, scope="session")
def interrupts_arrive() -> Iterator[None]:
    """Where the suite was started with SIGINT ignored (in the background), it is not, for child processes too."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
