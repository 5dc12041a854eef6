"""The repr of a model: the calls that would make it."""

from __future__ import annotations

from typing import Any

import autodiff as ad


def call(name: str, parts: list[str]) -> str:
    """The text of a call, with one argument per line if there are several or one is long."""
    if len(parts) < 2 and not any("\n" in part for part in parts):
        return f"{name}({', '.join(parts)})"
    return f"{name}(\n" + "".join(_indented(part) + ",\n" for part in parts) + ")"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.split("\n"))


def shown(value: Any) -> str:
    """The text of one attribute of a model."""
    if isinstance(value, ad.Tensor):
        return f"Tensor of shape {value.shape}, {value.dtype}"
    if isinstance(value, dict):
        return call("dict", [f"{key}={shown(v)}" for key, v in value.items()])
    if isinstance(value, list | tuple):
        body = call("", [shown(v) for v in value])[1:-1]
        if isinstance(value, tuple) and len(value) == 1 and not body.endswith("\n"):
            body += ","
        return f"({body})" if isinstance(value, tuple) else f"[{body}]"
    return repr(value)
