"""The files of the view: JavaScript modules and CSS, as they lie in the folder, and as one module for a notebook."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "view"
MODULES = "dom.js", "paint.js", "network.js", "controls.js", "sample.js", "playground.js"  # each after those it imports
SERVED = {
    "": ("page.html", "text/html"),
    "page.js": ("page.js", "text/javascript"),
    "playground.css": ("playground.css", "text/css"),
    **{name: (name, "text/javascript") for name in MODULES},
}


@cache
def text(name: str) -> str:
    """The text of a file of the view."""
    return (FOLDER / name).read_text(encoding="utf-8")


@cache
def widget_module() -> str:
    """All modules of the widget as one, without their imports of one another, as anywidget needs them."""
    whole = "\n".join(text(name) for name in (*MODULES, "widget.js"))
    alone = re.sub(r'^import [^;]*? from "\./\w+\.js";$', "", whole, flags=re.MULTILINE)
    return re.sub(r"^export (?=class|const|function)", "", alone, flags=re.MULTILINE)
