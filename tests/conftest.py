"""What every test is under: the tables of rules are put back, and NumPy's global random state is not touched."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from autodiff.engine.table import compositions, constants, table


@pytest.fixture(autouse=True)
def tables_restored() -> Iterator[None]:
    before = dict(table), dict(compositions), set(constants)
    yield
    for known, declared in zip((table, compositions, constants), before, strict=True):
        known.clear()
        known.update(declared)


@pytest.fixture(autouse=True, scope="session")
def global_random_state_untouched() -> Iterator[None]:
    before = repr(np.random.get_state())  # noqa: NPY002  # the global state is what is watched
    yield
    assert repr(np.random.get_state()) == before  # noqa: NPY002
