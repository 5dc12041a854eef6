"""Arrays of one axis as SVG: bars above and below zero, or a line."""

from __future__ import annotations

from autodiff.picture.content.heatmap import TOP_LEVEL
from autodiff.picture.content.tiles import Plot
from autodiff.picture.drawing.pen import LEVELS, Pen, px

ABOVE, BELOW = LEVELS[TOP_LEVEL - 2], LEVELS[2]  # the colours of heat maps, where light and dark show both
AIR = 0.2  # the gap between two bars, as a part of their distance


def plot(pen: Pen, drawn: Plot, x: float, y: float, width: float, height: float) -> str:
    """A plot in a box, with zero in the middle."""
    zero, half = y + height / 2, height / 2 - 2
    if drawn.line:
        lower, upper = drawn.heights[::2], drawn.heights[1::2]
        step = width / len(lower)
        there = [f"{px(x + (k + 0.5) * step)},{px(zero - half * top)}" for k, top in enumerate(upper)]
        back = [f"{px(x + (k + 0.5) * step)},{px(zero - half * low)}" for k, low in reversed([*enumerate(lower)])]
        paint = pen.paint(fill="line", stroke="line", width=1)
        marks = [pen.path("M" + "L".join([*there, *back]) + "z", paint)]
    else:
        step = width / len(drawn.heights)
        bars: dict[str, str] = {ABOVE: "", BELOW: ""}
        for k, tall in enumerate(drawn.heights):
            if round(half * tall, 1):
                left, thick = x + (k + AIR / 2) * step, step * (1 - AIR)
                bars[ABOVE if tall > 0 else BELOW] += (
                    f"M{px(left)},{px(zero)}h{px(thick)}v{px(-half * tall)}h{px(-thick)}z"
                )
        marks = [f'<path d="{d}" fill="{colour}"/>' for colour, d in bars.items() if d]
    axis = pen.path(f"M{px(x)},{px(zero)}h{px(width)}", pen.paint(stroke="rule", width=0.75))
    frame = pen.rect(x, y, width, height, 0, pen.paint(stroke="line", width=0.75))
    return "".join([axis, *marks, frame])
