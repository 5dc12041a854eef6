"""A picture as PNG or PDF, for slides and papers; the converting library is an extra."""

from __future__ import annotations

import re
from html import unescape

from autodiff.notation.formula import Token
from autodiff.picture.content.lettering import serif_width
from autodiff.picture.drawing.pen import FLUID, MONO, SANS, SERIF

SUFFIXES = (".png", ".pdf")
SCALE = 2  # pixels of a PNG per px
HALF = 0.54  # the part of an estimated width that centres a text: CairoSVG's plain serif fonts are wide
CENTRED = re.compile(r'<text ([^>]*)x="([^"]*)"([^>]*) text-anchor="middle"([^>]*)>([^<]*<tspan.*?)</text>')
SIZE = re.compile(r'font-size="([^"]*)"')
PIECE = re.compile(r"(?:<tspan([^>]*)>)?([^<]+)(?:</tspan>)?")
MISSING = (
    "a picture is made into {suffix} by CairoSVG, which is not installed or misses the library cairo "
    "(apt install libcairo2 / brew install cairo): pip install 'autodiff-nn[png]'. "
    "The .svg opens in a browser and in most programs without it."
)


def converted(svg: str, suffix: str) -> bytes:
    """The picture in the format of a suffix, in light colours. Raises RuntimeError without the library."""
    try:
        import cairosvg  # type: ignore[import-not-found, import-untyped, unused-ignore]  # an extra
    except (ImportError, OSError) as missing:
        raise RuntimeError(MISSING.format(suffix=suffix)) from missing
    for families, generic in ((SERIF, "serif"), (MONO, "monospace"), (SANS, "sans-serif")):
        svg = svg.replace(families, generic)  # CairoSVG takes the first font of a list, even if it is not installed
    svg = CENTRED.sub(_begun, svg)
    svg = svg.replace(FLUID, "", 1)  # CairoSVG would read this height as none
    made: bytes = cairosvg.svg2pdf(svg.encode()) if suffix == ".pdf" else cairosvg.svg2png(svg.encode(), scale=SCALE)
    return made


def _begun(centred: re.Match[str]) -> str:
    """A text of several styles placed by its beginning, not its middle, since CairoSVG centres each style alone."""
    before, x, between, after, inside = centred.groups()
    size = SIZE.search(before + between + after)
    width = 0.0
    for attributes, text in PIECE.findall(inside):
        own = SIZE.search(attributes) or size
        width += serif_width((Token("text", unescape(text)),), float(own[1]) if own else 0.0)
    return f'<text {before}x="{float(x) - width * HALF:.1f}"{between}{after}>{inside}</text>'
