"""Import time: a fresh interpreter imports one package and ends, against one that imports NumPy."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

from benchmarks.operations import Row, installed


def imports() -> Iterator[Row]:
    """The imports that a user waits for before the first line runs."""
    names = {"autodiff": "autodiff", "autodiff + nn": "nn", "NumPy": "numpy"}
    names |= {peer: module for peer, module in (("PyTorch", "torch"), ("MyGrad", "mygrad")) if installed(module)}
    yield "import", {name: _import_of(module) for name, module in names.items()}, 1, 1


def _import_of(module: str) -> Callable[[], object]:
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": ""}  # an installed package is compiled
    return lambda: subprocess.run([sys.executable, "-c", f"import {module}"], check=True, env=environment)  # noqa: S603
