"""What every test is under: the tables of rules are put back, and NumPy's global random state is not touched."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import hypothesis
import numpy as np
import pytest

import autodiff as ad
import autodiff.notation.symbols  # what it puts on the records is there before they are remembered
from autodiff.engine.table import Primitive, table

# A busy machine is slow, which no example is to blame for.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")


@pytest.fixture(autouse=True)
def tables_restored() -> Iterator[None]:
    before, admitted = dict(table), dict(ad.devices.admitted)
    fields = {known: [getattr(known, field) for field in Primitive.__slots__] for known in before.values()}
    yield
    ad.devices.admitted.clear()
    ad.devices.admitted.update(admitted)
    table.clear()
    table.update(before)
    for known, values in fields.items():  # a second declaration changes a record in place
        for field, value in zip(Primitive.__slots__, values, strict=True):
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
