"""Pictures of one computation at several times, as a page that plays them."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from autodiff.picture.content.lettering import esc, undirected
from autodiff.picture.drawing.pen import px
from autodiff.picture.exports.page import digest, filled, framed, playing

MOST = 3_000_000  # most characters of the pictures in a page
LONGEST_LABEL = 120
WIDTH, HEIGHT, EDGE = 240, 36, 4  # of the curve
SHEET = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'; script-src '@@HASH@@'">
<title>@@TITLE@@</title>
<style>
:root { color-scheme: light dark; background: #ffffff; color: #1f2328; --rule: #d8dee4; --tone: #005a9c }
@media (prefers-color-scheme: dark) {
  :root { background: #0d1117; color: #e6edf3; --rule: #30363d; --tone: #79c0ff }
}
body { margin: 0; font: 14px/1.4 system-ui, sans-serif }
section svg { display: block; margin: 0 auto }
@media (max-width: 700px) { section { overflow-x: auto } section svg { max-width: none !important } }
[hidden] { display: none !important } .live section:not(.open), .live section > p { display: none }
section > p { margin: 16px 12px 4px; font-weight: 600 }
#controls { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: 12px; align-items: center;
  padding: 8px 12px; background: inherit; background-color: Canvas; border-bottom: 1px solid var(--rule) }
#controls button { min-width: 68px; min-height: 32px; font: inherit }
#slider { flex: 1 1 160px; min-width: 0; accent-color: var(--tone) } #label { font-variant-numeric: tabular-nums }
#curve polyline { fill: none; stroke: var(--tone); stroke-width: 1.5 } #curve circle { fill: var(--tone) }
</style>
<nav id="controls" aria-label="Frames" hidden>
<button id="play" title="Play or pause (Space)">Play</button>
<input id="slider" type="range" min="0" max="0" value="0" step="1" aria-label="Frame">
<span id="label" aria-live="polite"></span>
@@CURVE@@</nav>
<main>@@FRAMES@@</main>
<script>@@SCRIPT@@</script>
</html>
"""


class Frame(NamedTuple):
    """A picture, its caption, and a number that the curve over all pictures shows, or NaN."""

    svg: str
    label: str
    number: float


class Film:
    """A page with a slider over pictures; `save` writes it, and notebooks show it.

    Parameters
    ----------
    frames : for each picture its `.svg`, its caption, and a number for the curve (or NaN)
    title : of the page

    Without scripts the pictures stand one below the other. If they take more than 3 MB together, every second one is
    left out, again and again until they fit; the last one always stays. Raises ValueError if there are no frames.

    >>> x = ad.Tensor(2.0, name="x")
    >>> film = ad.Film([(ad.draw(x**k).svg, f"k = {k}", 2.0**k) for k in range(1, 4)], "powers")
    >>> film
    <Film of 3 pictures>
    """

    def __init__(self, frames: Sequence[tuple[str, str, float]], title: str) -> None:
        if not frames:
            raise ValueError("ad.Film was asked for without pictures; it takes one at least, as ad.draw(y).svg.")
        kept = [Frame(*frame) for frame in frames]
        while len(kept) > 1 and sum(len(frame.svg) for frame in kept) > MOST:
            kept = kept[::-2][::-1]
        self.frames = kept
        self.title = undirected(title, LONGEST_LABEL)

    def __repr__(self) -> str:
        return f"<Film of {len(self.frames)} pictures>"

    @cached_property
    def html(self) -> str:
        """The page; it loads nothing from outside."""
        sections = []
        for frame in self.frames:
            label = esc(undirected(frame.label, LONGEST_LABEL))
            sections.append(f'<section aria-label="{label}"><p>{label}</p>\n{frame.svg}</section>\n')
        script = playing(Path(__file__).with_name("film.js").read_text(encoding="utf-8"))
        parts = {"TITLE": esc(self.title), "FRAMES": "".join(sections), "CURVE": self._curve()}
        return filled(SHEET, parts | {"SCRIPT": script, "HASH": digest(script)})

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page as a file with the suffix .html."""
        if os.path.splitext(path)[1].lower() not in (".html", ".htm"):
            raise ValueError(f"a Film was asked to save itself as {os.fspath(path)!r}; it writes .html.")
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(self.html)

    def _curve(self) -> str:
        """The curve of the numbers over the frames, if all are finite."""
        numbers = [frame.number for frame in self.frames]
        if len(numbers) < 2 or not all(map(math.isfinite, numbers)):
            return ""
        low, high = min(numbers), max(numbers)
        across, down = (WIDTH - 2 * EDGE) / (len(numbers) - 1), (HEIGHT - 2 * EDGE) / ((high - low) or 1.0)
        points = " ".join(f"{px(EDGE + k * across)},{px(EDGE + (high - y) * down)}" for k, y in enumerate(numbers))
        return (
            f'<svg id="curve" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">'
            f'<polyline points="{points}"/><circle r="3.5" cx="0" cy="0"/></svg>\n'
        )

    def _repr_html_(self) -> str:
        """The page in a frame of its own; if a notebook removes frames, the last picture remains."""
        return framed(self.title, self.frames[-1].svg, self.html, "100%")
