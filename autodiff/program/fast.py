"""Kernels compiled by Numba, kept on disk between processes.

Numba reads its cached files with pickle, which can run any code. So kernels are kept only in a directory that belongs
to the user and that nobody else can write into. Without such a directory they are not kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

VARIABLE = "AUTODIFF_CACHE"  # the environment variable that names the directory; an empty one turns the cache off
NAME = "kernel"  # the name of the function in a kernel's text
_loaded: dict[str, Callable[..., Any]] = {}  # by their texts
_lock = threading.Lock()


def numba() -> Any:
    """The module numba; ImportError, which says how to install it, if it is missing."""
    try:
        import numba
    except ImportError as error:
        raise ImportError(
            "fast=True compiles kernels with Numba, which cannot be imported here. Write pip install "
            '"autodiff-nn[fast]", or leave out fast=True: the results are the same.'
        ) from error
    return numba


def kernel(text: str) -> Callable[..., Any]:
    """The compiled function of a kernel's text, in which {name} stands for its name; all programs share it."""
    module = numba()
    with _lock:
        if text not in _loaded:
            _loaded[text] = _compiled(module, text.replace("{name}", NAME))
        return _loaded[text]


def _compiled(module: Any, text: str) -> Callable[..., Any]:
    directory = cache_directory()
    path = None if directory is None else _file(directory, text)
    # Numba looks up its cached files by a module's name.
    names: dict[str, Any] = {"np": np, "numba": module, "__name__": __name__}
    exec(compile(text, path or "<a kernel>", "exec"), names)  # noqa: S102  # this package wrote the text
    found = names[NAME]
    if path is not None:
        with contextlib.suppress(Exception):  # the directory went away
            found._cache = _cache(found.py_func)
    return found


def cache_directory() -> Path | None:
    """Where kernels are kept: $AUTODIFF_CACHE, or the user's directory for caches; None if it is not private."""
    chosen = os.environ.get(VARIABLE)
    if chosen == "":
        return None
    base = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    directory = Path(chosen).expanduser() if chosen else Path(base) / "autodiff" / "kernels"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = directory.lstat()
    except OSError:
        return None
    if hasattr(os, "getuid"):
        private = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
        if not private:
            warnings.warn(
                f"{directory} is not a directory of yours alone, so no kernels are kept there, and every process "
                f"compiles its own. Run chmod 700 on it, or name another by the environment variable {VARIABLE}.",
                RuntimeWarning,
                stacklevel=2,
            )
            return None
    return directory


def _file(directory: Path, text: str) -> str | None:
    """The file of a kernel's text, named by its hash; Numba puts its cached files beside it."""
    path = directory / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.py"
    try:
        if not path.exists() or path.read_text(encoding="utf-8", errors="replace") != text:
            handle, written = tempfile.mkstemp(dir=directory)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(written).replace(path)
    except OSError:
        return None
    return str(path)


def _cache(function: Callable[..., Any]) -> Any:
    """Numba's cache of a function's compiled forms, which ignores a file that it cannot read."""
    from numba.core.caching import FunctionCache

    class Cache(FunctionCache):  # type: ignore[misc]  # Numba has no types
        def load_overload(self, signature: Any, context: Any) -> Any:
            try:
                return super().load_overload(signature, context)
            except Exception:
                self._forget()
                return None

        def save_overload(self, signature: Any, data: Any) -> None:
            try:
                super().save_overload(signature, data)
            except Exception:
                self._forget()

        def _forget(self) -> None:
            try:
                self.flush()
            except OSError:
                self.disable()

    return Cache(function)
