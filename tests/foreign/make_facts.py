"""Write facts.json: CuPy's functions, methods and parameters. The stand-in for its arrays has exactly these.

CuPy imports on a machine without a GPU: `pip install cupy-cuda12x`, then `python tests/foreign/make_facts.py`.
"""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import cupy
import numpy as np

SPACES = ("", "linalg", "fft", "lib.stride_tricks")


def inside(module: Any, path: str) -> Any:
    for name in filter(None, path.split(".")):
        module = getattr(module, name)
    return module


def functions() -> dict[str, Any]:
    """CuPy's functions with NumPy's names, and their parameters; "*" stands for any number, "**" for any name."""
    found: dict[str, Any] = {}
    for space in SPACES:
        for name in dir(inside(np, space)):
            numpys = getattr(inside(np, space), name)
            ours = getattr(inside(cupy, space), name, None)
            if name.startswith("_") or not callable(numpys) or isinstance(numpys, type) or ours in (None, numpys):
                continue
            if isinstance(ours, cupy.ufunc):
                found[f"{space}.{name}".lstrip(".")] = ["*", "out", "casting", "dtype"]
                continue
            found[f"{space}.{name}".lstrip(".")] = parameters_of(ours)
    return found


def parameters_of(function: Any) -> list[str]:
    """The names of the parameters; a function in C that does not tell them gets any number of arrays."""
    marks = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    try:
        return [marks.get(p.kind, p.name) for p in inspect.signature(function).parameters.values()]
    except ValueError:
        return ["*"]


def methods() -> dict[str, list[str]]:
    """The array's methods and attributes with ndarray's names, and the parameters from its documentation."""
    found = {}
    for name in dir(np.ndarray):
        if hasattr(cupy.ndarray, name) and not name.startswith("__"):
            head = (getattr(cupy.ndarray, name).__doc__ or "").splitlines()[:1]
            listed = re.search(r"\(self,? ?(.*)\)", head[0]) if head else None
            words = [part.split("=")[0].split()[-1] for part in listed[1].split(",") if part.strip()] if listed else []
            found[name] = ["*" if word.startswith("*") else word for word in words]
    return found


if __name__ == "__main__":
    facts = {"version": cupy.__version__, "functions": functions(), "methods": methods()}
    text = json.dumps(facts, indent=0, sort_keys=True)
    text = re.sub(r"\[\n([^\]]*)\n\]", lambda found: "[" + found[1].replace("\n", " ") + "]", text)
    Path(__file__).with_name("facts.json").write_text(text + "\n", encoding="utf-8")
