"""Writes names.json: the public names of PyTorch's packages, each with its parameters, where PyTorch says them.

python tests/nn/references/make_names.py        # needs torch; last written with 2.13
"""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch.optim import lr_scheduler

INTERNAL = re.compile(r"assert_int_or_pair|boolean_dispatch|has_torch_function.*|handle_torch_function")


def parameters(named: Any) -> list[str] | None:
    """The names of the parameters in their order; of what is built in from its docstring, or None."""
    try:
        found = inspect.signature(named).parameters
    except (TypeError, ValueError):
        first = re.match(r"\s*\w+\(([^()]*(?:\([^()]*\)[^()]*)*)\)", named.__doc__ or "")
        parts = re.sub(r"\([^()]*\)", "", first.group(1)).split(",") if first else []
        return [part.split("=")[0].split(":")[0].strip() for part in parts if part.strip() not in ("*", "")] or None
    return [p.name for p in found.values() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def names(package: ModuleType, inside: str, classes: bool) -> dict[str, list[str] | None]:
    """The classes, or functions, of a package."""
    found = {}
    for name in dir(package):
        value = getattr(package, name)
        home = getattr(value, "__module__", None) or "torch._C"
        if name.startswith("_") or INTERNAL.fullmatch(name) or isinstance(value, ModuleType) or not callable(value):
            continue
        if inspect.isclass(value) == classes and (
            home == "torch" or home.startswith((inside, "torch._C", "torch._jit_internal"))
        ):
            found[name] = parameters(value)
    return found


def main() -> None:
    """Write them."""
    found = {
        "nn": names(torch.nn, "torch.nn", classes=True),
        "nn.functional": names(torch.nn.functional, "torch.nn.functional", classes=False),
        "nn.optim": names(torch.optim, "torch.optim", classes=True),
        "nn.optim.lr_scheduler": names(lr_scheduler, "torch.optim.lr_scheduler", classes=True),
    }
    lines = [
        f"{json.dumps(package)}: {{\n" + ",\n".join(f"{json.dumps(n)}: {json.dumps(p)}" for n, p in of.items()) + "\n}"
        for package, of in found.items()
    ]
    Path(__file__).with_name("names.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
