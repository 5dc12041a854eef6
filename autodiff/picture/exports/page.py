"""Pages that hold everything they show: no request leaves them, and names in them are nothing but text."""

from __future__ import annotations

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
body { margin: 12px; overflow-x: auto } svg { display: block; margin: 0 auto }
</style>
@@SVG@@</html>
"""


def page(title: str, svg: str) -> str:
    """A page with one picture."""
    return filled(SHEET, {"TITLE": esc(title), "SVG": svg})


def filled(template: str, parts: Mapping[str, str]) -> str:
    """A template with its places filled, all in one pass: what is put in is not looked at again."""
    return PLACE.sub(lambda place: parts[place[1]], template)
