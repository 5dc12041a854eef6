"""Pages that hold everything they show: no request leaves them, and names in them are nothing but text."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from autodiff.picture.content.lettering import esc

PLACE = re.compile("@@([A-Z]+)@@")
SHEET = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'; script-src '@@HASH@@'">
<title>@@TITLE@@</title>
<style>
:root { color-scheme: light dark; background: #ffffff }
@media (prefers-color-scheme: dark) { :root { background: #0d1117 } }
body { margin: 12px } svg { display: block; margin: 0 auto; cursor: grab }
#zoom { position: fixed; top: 16px; right: 16px; display: flex; gap: 4px; opacity: .2 }
#zoom[hidden] { display: none } #zoom:hover, #zoom:focus-within { opacity: 1 }
#zoom button { min-width: 32px; min-height: 28px; font: 13px system-ui, sans-serif }
[data-node], [data-edge] { transition: opacity .15s } .dim { opacity: .15 }
</style>
@@SVG@@<nav id="zoom" aria-label="Zoom" hidden>
<button id="out" title="Smaller (−)" aria-label="Smaller">−</button>
<button id="fit" title="As wide as the window (0)">100 %</button>
<button id="in" title="Larger (+, or the wheel with Ctrl)" aria-label="Larger">+</button>
</nav>
<script>@@SCRIPT@@</script>
</html>
"""


def page(title: str, svg: str) -> str:
    """A page with one picture: hovering a card lights up its ancestors and descendants, keys and the wheel zoom."""
    script = Path(__file__).with_name("page.js").read_text(encoding="utf-8")
    return filled(SHEET, {"TITLE": esc(title), "SVG": svg, "SCRIPT": script, "HASH": digest(script)})


def digest(script: str) -> str:
    """What a page's policy says of the one script that it runs."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def framed(title: str, poster: str, whole: str, height: str) -> str:
    """A page in a frame of its own for a notebook; where frames are taken away, the picture behind it remains.

    The frame runs the page's script but has no origin: it can reach neither the notebook nor anything it stores.
    """
    # In single quotes, of which markup has few, only these and & must be written otherwise: a third less to store.
    inside = whole.replace("&", "&amp;").replace("'", "&#39;")
    image = base64.b64encode(poster.encode()).decode()
    return (
        '<div style="display:grid"><img style="grid-area:1/1;max-width:calc(100% - 24px);height:auto;margin:12px auto" '
        f'alt="{esc(title)}" src="data:image/svg+xml;base64,{image}">'
        f'<iframe style="grid-area:1/1;width:100%;height:{height};border:0;background:Canvas" sandbox="allow-scripts" '
        f"title=\"{esc(title)}\" srcdoc='{inside}'></iframe></div>"
    )


def filled(template: str, parts: Mapping[str, str]) -> str:
    """A template with its places filled, all in one pass: what is put in is not looked at again."""
    return PLACE.sub(lambda place: parts[place[1]], template)
