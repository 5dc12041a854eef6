"""The SVG pen: palette, elements and number format. Strings only; every method returns markup.

Colours are written as presentation attributes, so a file looks the same in a browser, in a notebook and in
a converter. With theme "auto" each also gets a class, which one style sheet overrides in dark mode. There are
no ids, definitions, links or scripts, so pictures in one page cannot disturb each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from autodiff.notation.formula import Formula
from autodiff.picture.content.lettering import esc, tspans
from autodiff.picture.geometry.layout import Point
from autodiff.picture.geometry.rows import TURN

Theme = Literal["auto", "light", "dark"]

SERIF = "'STIX Two Text',Cambria,Georgia,'Times New Roman',serif"
MONO = "ui-monospace,Menlo,Consolas,monospace"
FLUID = ' style="max-width:100%;height:auto"'  # no wider than its container
SANS = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'Liberation Sans',sans-serif"

PALETTE = {  # light, dark
    "paper": ("#ffffff", "#0d1117"),
    "card": ("#ffffff", "#161b22"),
    "ink": ("#1f2328", "#e6edf3"),
    "muted": ("#59636e", "#9aa4af"),
    "line": ("#768390", "#768390"),
    "rule": ("#d8dee4", "#30363d"),
    "pill": ("#f6f8fa", "#21262d"),
    "primal": ("#005a9c", "#79c0ff"),
    "primal-band": ("#e6f1fa", "#0c2742"),
    "adjoint": ("#b03a00", "#ff9e64"),
    "adjoint-band": ("#fdeee4", "#3a1d0b"),
    "input": ("#1f8ac9", "#56b4e9"),
    "parameter": ("#008a64", "#2ac39a"),
    "constant": ("#768390", "#768390"),
    "output": ("#c47d00", "#e69f00"),
    "outer": ("#768390", "#768390"),
    "buffer-a": ("#d6e6f7", "#17324d"),
    "buffer-b": ("#fbe3cd", "#4a2f17"),
    "buffer-c": ("#d5ecd4", "#1c3d23"),
    "buffer-d": ("#e6dcf3", "#35284d"),
    "buffer-e": ("#f6efc1", "#3a360c"),
    "buffer-f": ("#f8d9e3", "#4a2033"),
    "buffer-g": ("#cdeceb", "#103a38"),
    "buffer-h": ("#ece2d7", "#3d342a"),
    "buffer-others": ("#e9edf1", "#2b323b"),
    "scope": ("#f6f8fa", "#131920"),
    "scope-inner": ("#eef1f4", "#1a2129"),
    "scope-border": ("#c3cbd3", "#3d444d"),
}
# ColorBrewer's PRGn, purple below zero and green above, distinguishable with colour-vision deficiencies;
# the last colour marks NaN.
LEVELS = (
    *("#40004b", "#762a83", "#9970ab", "#c2a5cf", "#e7d4e8"),
    "#f7f7f7",
    *("#d9f0d3", "#a6dba0", "#5aae61", "#1b7837", "#00441b"),
    "#ff00ff",
)


def px(value: float) -> str:
    """A coordinate, rounded to 0.1."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


class Pen:
    """Markup in one theme; with `roles`, the parts that the stepper changes are marked."""

    def __init__(self, theme: Theme, roles: bool = False) -> None:
        self.theme, self.roles = theme, roles
        self._used: set[str] = set()

    def style(self) -> str:
        """The dark-mode style sheet of a picture that follows its surroundings, for the colours used so far."""
        if self.theme != "auto":
            return ""
        rules = "".join(
            f".ag-{kind}-{name}{{{attribute}:{dark}}}"
            for name, (_, dark) in PALETTE.items()
            for kind, attribute in (("f", "fill"), ("s", "stroke"))
            if f"ag-{kind}-{name}" in self._used
        )
        return f"<style>@media (prefers-color-scheme:dark){{{rules}}}</style>"

    def group(self, role: str, parts: list[str]) -> list[str]:
        """Parts that the stepper shows and hides together."""
        return [f'<g data-role="{role}">', *parts, "</g>"] if self.roles else parts

    def _role(self, role: str) -> str:
        return f' data-role="{role}"' if self.roles and role else ""

    def tooltip(self, words: str) -> str:
        """The tooltip of a group: its first element."""
        return f"<title>{esc(words)}</title>"

    def paint(self, fill: str | None = None, stroke: str | None = None, width: float = 1, dash: str = "") -> str:
        """The attributes of a fill and a stroke, given by their palette names."""
        classes, attributes = [], ""
        for letter, attribute, name in (("f", "fill", fill), ("s", "stroke", stroke)):
            if name:
                attributes += f' {attribute}="{PALETTE[name][self.theme == "dark"]}"'
                classes.append(f"ag-{letter}-{name}")
                self._used.add(classes[-1])
        if not fill:
            attributes += ' fill="none"'
        if stroke:
            attributes += f' stroke-width="{width:g}"' + (f' stroke-dasharray="{dash}"' if dash else "")
        return (f' class="{" ".join(classes)}"' if classes and self.theme == "auto" else "") + attributes

    def rect(self, x: float, y: float, width: float, height: float, radius: float, paint: str, role: str = "") -> str:
        """A rectangle, rounded if the radius is not zero."""
        corner = f' rx="{radius:g}"' if radius else ""
        place = f'x="{px(x)}" y="{px(y)}" width="{px(width)}" height="{px(height)}"'
        return f"<rect {place}{corner}{paint}{self._role(role)}/>"

    def opened(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        radius: float,
        left: bool,
        right: bool,
        fill: str,
        stroke: str,
    ) -> str:
        """A rectangle without its left or right side, or without both: it continues in another row."""
        start, end = radius * left, radius * right
        arc = f"a{radius:g},{radius:g} 0 0 "
        upper = f"M{px(x + start)},{px(y)}H{px(x + width - end)}"
        lower = f"H{px(x + start)}"
        down = f"{arc}1 {radius:g},{radius:g}v{px(height - 2 * end)}{arc}1 {-radius:g},{radius:g}"
        up = f"{arc}1 {-radius:g},{-radius:g}v{px(2 * start - height)}{arc}1 {radius:g},{-radius:g}"
        side = down if right else f"v{px(height)}"
        area = self.path(f"{upper}{side}{lower}{up if left else ''}z", self.paint(fill=fill))
        edge = upper + (down if right else f"m0,{px(height)}") + lower + (up if left else "")
        return area + self.path(edge, self.paint(stroke=stroke))

    def path(self, d: str, paint: str, role: str = "") -> str:
        """A path."""
        return f'<path d="{d}"{paint}{self._role(role)}/>'

    def triangle(self, x: float, y: float, tone: str, size: float = 4.0) -> str:
        """The mark of a direction, centred: rightwards for the primal, leftwards for the adjoint."""
        way = 1 if tone == "primal" else -1
        tall = size * 1.125
        d = f"M{px(x - size * way)},{px(y - tall)}l{px(2 * size * way)},{px(tall)}l{px(-2 * size * way)},{px(tall)}z"
        return self.path(d, self.paint(fill=tone))

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        fill: str = "ink",
        font: str = SANS,
        anchor: str = "start",
        weight: int = 400,
        spacing: float = 0,
        role: str = "",
    ) -> str:
        """One line of plain text."""
        return self._text(x, y, esc(text), size, fill, font, anchor, weight, spacing, role)

    def caption(self, x: float, y: float, name: str, note: str, size: float, note_size: float) -> str:
        """A name, and after it a note in smaller, lighter type; they keep apart in any font."""
        paint = self.paint(fill="muted")
        after = f'<tspan dx="8" font-size="{note_size:g}" font-weight="400"{paint}>{esc(note)}</tspan>' if note else ""
        return self._text(x, y, esc(name) + after, size, "ink", SANS, "start", 600)

    def formula(
        self, x: float, y: float, formula: Formula, size: float, anchor: str = "middle", fill: str = "ink"
    ) -> str:
        """One line of mathematics."""
        return self._text(x, y, tspans(formula, size), size, fill, SERIF, anchor)

    def _text(
        self,
        x: float,
        y: float,
        markup: str,
        size: float,
        fill: str,
        font: str,
        anchor: str,
        weight: int = 400,
        spacing: float = 0,
        role: str = "",
    ) -> str:
        style = f' font-family="{font}"' if font != SANS else ""  # SANS is the font of the whole picture
        style += f' font-size="{size:g}"'
        style += f' text-anchor="{anchor}"' if anchor != "start" else ""
        style += f' font-weight="{weight}"' if weight != 400 else ""
        style += f' letter-spacing="{spacing:g}"' if spacing else ""
        paint = self.paint(fill=fill)
        return f'<text xml:space="preserve" x="{px(x)}" y="{px(y)}"{paint}{style}{self._role(role)}>{markup}</text>'

    def thumbnail(self, x: float, y: float, width: float, height: float, levels: Sequence[Sequence[int]]) -> str:
        """A heat map in a box: one stroked path per level, runs of equal cells joined."""
        rows, columns = len(levels), len(levels[0])
        strokes: dict[int, list[str]] = {}
        pens: dict[int, tuple[int, int]] = {}  # the end of each level's path so far
        count = [0] * (len(LEVELS) + 1)
        for i, row in enumerate(levels):
            j = 0
            while j < columns:
                level, run = row[j], 1
                while j + run < columns and row[j + run] == level:
                    run += 1
                x_at, y_at = pens.get(level, (0, 0))
                strokes.setdefault(level, []).append(f"m{j - x_at} {i - y_at}h{run}")
                pens[level] = j + run, i
                count[level] += 1
                j += run
        gaps = len(LEVELS) in strokes  # gaps between tiles show the card
        common = max(strokes, key=lambda level: count[level]) if not gaps else len(LEVELS)
        strokes.pop(common)  # the background
        across, down = width / columns, height / rows
        background = (
            ""
            if gaps
            else f'<path d="M0 {rows / 2 - 0.5:g}h{columns}" stroke="{LEVELS[common]}" stroke-width="{rows}"/>'
        )
        return (
            f'<g transform="matrix({across:.4f} 0 0 {down:.4f} {px(x)} {y + down / 2:.2f})" fill="none" '
            f'shape-rendering="crispEdges">{background}'
            + "".join(f'<path d="{"".join(strokes[level])}" stroke="{LEVELS[level]}"/>' for level in sorted(strokes))
            + "</g>"
            + self.rect(x, y, width, height, 0, self.paint(stroke="line", width=0.75))
        )


def curve(route: Sequence[Point], down: bool = False) -> str:
    """The path data of a wire: horizontal at every point of its route, or vertical if the picture runs down.

    From a point to one below it, the wire keeps its direction, turns down, and turns back to the lower point.
    """
    (x, y), *rest = route
    d = f"M{px(x)},{px(y)}"
    way = 1  # to the right
    for next_x, next_y in rest:
        if down and px(next_x) == px(x):
            d += f"V{px(next_y)}"
        elif down:
            middle = (y + next_y) / 2
            d += f"C{px(x)},{px(middle)} {px(next_x)},{px(middle)} {px(next_x)},{px(next_y)}"
        elif px(next_y) == px(y):
            d += f"H{px(next_x)}"
        elif next_x == x:
            arc, turn = f"a{TURN:g},{TURN:g} 0 0 {int(way > 0)} ", px(TURN * way)
            d += f"{arc}{turn},{TURN:g}V{px(next_y - TURN)}{arc}{px(-TURN * way)},{TURN:g}"
            way = -way
        else:
            middle = (x + next_x) / 2
            d += f"C{px(middle)},{px(y)} {px(middle)},{px(next_y)} {px(next_x)},{px(next_y)}"
        x, y = next_x, next_y
    return d


def arrow(tip: Point, length: float, half: float, down: bool = False) -> str:
    """The path data of an arrow head with its tip at `tip`; with a negative length it points backwards."""
    x, y = tip
    side = f"l{px(-half)},{px(-length)}h{px(2 * half)}z" if down else f"l{px(-length)},{px(-half)}v{px(2 * half)}z"
    return f"M{px(x)},{px(y)}{side}"
