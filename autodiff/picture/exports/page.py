"""Pages that contain everything they show: they make no requests, and they treat names only as text."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import zlib
from collections.abc import Mapping
from pathlib import Path

from autodiff.picture.content.lettering import esc
from autodiff.picture.exports.views import Views

PLACE = re.compile("@@([A-Z]+)@@")
SHEET = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'; script-src '@@HASH@@'">
<title>@@TITLE@@</title>
<style>
:root { color-scheme: light dark; background: #ffffff; color: #1f2328; --muted: #59636e; --mark: #c47d00 }
@media (prefers-color-scheme: dark) {
  :root { background: #0d1117; color: #e6edf3; --muted: #9aa4af; --mark: #e69f00 }
}
body { margin: 0; font: 13px/1.4 system-ui, sans-serif }
section { padding: 0 0 12px } p { margin: 8px 12px; color: var(--muted) }
svg { display: block; margin: 0 auto; cursor: grab; touch-action: pan-x pan-y }
[hidden] { display: none !important }
.live section:not(.open) { display: none }
button, input { font: inherit; min-height: 28px }
#tools { position: fixed; z-index: 1; top: 8px; right: 8px; display: flex; gap: 4px; align-items: center; opacity: .25 }
#tools:hover, #tools:focus-within { opacity: 1 } #tools button { min-width: 32px } #search { width: 9em }
@media (max-width: 700px) { #tools { position: static; justify-content: flex-end; padding: 4px; opacity: 1 } }
#way { position: sticky; z-index: 1; top: 0; padding: 8px 12px; display: flex; flex-wrap: wrap; gap: 4px }
#way button + button::before { content: "› " }
[data-node], [data-edge] { transition: opacity .15s } .dim { opacity: .15 }
.opens { cursor: zoom-in } .opens:hover, .found { filter: drop-shadow(0 0 4px var(--mark)) }
@media (prefers-reduced-motion: no-preference) {
  .live .open svg { animation: appear .2s } @keyframes appear { from { opacity: .2; transform: scale(.96) } }
}
</style>
<nav id="tools" aria-label="Search and zoom" hidden>
<input id="search" type="search" placeholder="find a name" title="Find a name (/)" aria-label="Find a name">
<span id="found"></span>
<button id="out" title="Smaller (−)" aria-label="Smaller">−</button>
<button id="fit" title="As wide as the window (0)">100 %</button>
<button id="in" title="Larger (+, or the wheel with Ctrl)" aria-label="Larger">+</button>
</nav>
<div id="way" hidden></div>
<main>@@VIEWS@@</main>
<p id="hint" hidden>A stack of cards opens where it is clicked; Escape goes back.</p>
@@LEFT@@<script>@@SCRIPT@@</script>
</html>
"""
FRAME = """<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy"
content="default-src 'none'; style-src 'unsafe-inline'; script-src '@@HASH@@' '@@INNER@@'">
<script type="text/plain" id="packed">@@PACKED@@</script><script>@@SCRIPT@@</script>"""
SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
# In an address between single quotes only these characters must be escaped, which is shorter than base64.
IN_ADDRESS = str.maketrans({character: f"%{ord(character):02X}" for character in "%#&'?"})
TOOLTIP = re.compile("<title>[^<]*</title>")


def page(title: str, shown: Views) -> str:
    """A page with a picture and the pictures of its folded cards.

    A click opens a folded card, hovering over a card highlights its ancestors and descendants, a search finds names,
    and keys, the wheel or two fingers zoom. Without scripts all pictures stand one below the other.
    """
    script = Path(__file__).with_name("page.js").read_text(encoding="utf-8")
    sections = [
        f'<section data-within="{view.within}" data-card="{view.card}" aria-label="{esc(view.name)}">\n{view.svg}'
        "</section>\n"
        for view in shown.views
    ]
    many = shown.left_out != 1
    left = (
        f"<p>{shown.left_out:,} more folded card{'s' if many else ''} would make this page too large and "
        f"do{'' if many else 'es'} not open; draw what {'they' if many else 'it'} computed by itself.</p>\n"
    )
    parts = {"TITLE": esc(title), "VIEWS": "".join(sections), "LEFT": left if shown.left_out else ""}
    return filled(SHEET, parts | {"SCRIPT": script, "HASH": digest(script)})


def playing(script: str) -> str:
    """The script of a page that plays: its own part, then the part that all such pages share."""
    return script + "\n" + Path(__file__).with_name("play.js").read_text(encoding="utf-8")


def digest(script: str) -> str:
    """The hash by which a page's security policy allows its one script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def framed(title: str, poster: str, whole: str, height: str) -> str:
    """A page in a frame of its own for a notebook; if the notebook removes frames, the picture behind it remains.

    The frame runs the page's script but has no origin: it can reach neither the notebook nor the data that it stores.
    The page is compressed to keep notebooks small; until it is unpacked the picture behind it is visible.
    """
    script = Path(__file__).with_name("unpack.js").read_text(encoding="utf-8")
    (inner,) = SCRIPT.findall(whole)
    packed = base64.b64encode(zlib.compress(whole.encode(), 9)).decode()
    parts = {"HASH": digest(script), "INNER": digest(inner), "PACKED": packed, "SCRIPT": script}
    image = TOOLTIP.sub("", poster).replace("\n", "").translate(IN_ADDRESS)  # images have no tooltips
    return (
        '<div style="display:grid"><img style="grid-area:1/1;max-width:100%;height:auto;margin:0 auto 88px" '
        f"alt=\"{esc(title)}\" src='data:image/svg+xml;charset=utf-8,{image}'>"
        f'<iframe style="grid-area:1/1;width:100%;height:{height};min-height:320px;border:0" sandbox="allow-scripts" '
        f'title="{esc(title)}" srcdoc="{html.escape(filled(FRAME, parts))}"></iframe></div>'
    )


def filled(template: str, parts: Mapping[str, str]) -> str:
    """A template with its places filled in one pass, so that the inserted text is not searched for places again."""
    return PLACE.sub(lambda place: parts[place[1]], template)
