"""Pages that hold everything they show: no request leaves them, and names in them are nothing but text."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Mapping

from autodiff.picture.content.lettering import esc

PLACE = re.compile("@@([A-Z]+)@@")
SHEET = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>@@TITLE@@</title>
<style>
:root { color-scheme: light dark; background: #ffffff }
@media (prefers-color-scheme: dark) { :root { background: #0d1117 } }
body { margin: 12px } svg { display: block; margin: 0 auto }
</style>
@@SVG@@</html>
"""


def page(title: str, svg: str) -> str:
    """A page with one picture."""
    return filled(SHEET, {"TITLE": esc(title), "SVG": svg})


def framed(title: str, poster: str, whole: str, height: str, sandbox: str = "") -> str:
    """A page in a frame of its own for a notebook; where frames are taken away, the picture behind it remains.

    The frame has no origin, so it can reach neither the notebook nor anything it stores; it runs scripts only where
    `sandbox` allows them.
    """
    image = base64.b64encode(poster.encode()).decode()
    return (
        '<div style="display:grid"><img style="grid-area:1/1;max-width:calc(100% - 24px);height:auto;margin:12px auto" '
        f'alt="{esc(title)}" src="data:image/svg+xml;base64,{image}">'
        f'<iframe style="grid-area:1/1;width:100%;height:{height};border:0;background:Canvas" sandbox="{sandbox}" '
        f'title="{esc(title)}" srcdoc="{html.escape(whole, quote=True)}"></iframe></div>'
    )


def filled(template: str, parts: Mapping[str, str]) -> str:
    """A template with its places filled, all in one pass: what is put in is not looked at again."""
    return PLACE.sub(lambda place: parts[place[1]], template)
