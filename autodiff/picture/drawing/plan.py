"""The layout of a scene: the sizes of its cards, the labels on wires, the direction, and all positions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from autodiff.notation.formula import Formula, Token
from autodiff.picture.content.lettering import BOLD, cut, fitted, parts_of, sans_width, serif_width
from autodiff.picture.content.scene import Result, Scene, Wire
from autodiff.picture.drawing.cards import size_of
from autodiff.picture.drawing.pen import Theme
from autodiff.picture.drawing.stacks import results_of
from autodiff.picture.drawing.thumbnails import Columns, Scales, columns_of, digits
from autodiff.picture.geometry.lattice import Size, widths
from autodiff.picture.geometry.nesting import OUTSIDE, Arrangement, nested
from autodiff.picture.geometry.rows import is_chain, wrapped

Edges = Literal["auto", "all", "none"]
Direction = Literal["LR", "TB"]

MARGIN = 28
WIDE = 938  # px: a notebook's cell in a usual window has 953, minus a scroll bar
ROOM = WIDE - 2 * MARGIN
BOX_TITLE, BOX_NAME_TYPE, BOX_NOTE_TYPE, WIDEST_BOX_TITLE = 20, 12.5, 12, 600
PILL_TYPE, PILL_HEIGHT, WIDEST_PILL = 13.5, 21, 200
MOST_PILL_CARDS = 60
NEARLY, TIGHT = 1.25, 0.6
TALL, SHORTER = 1200, 0.6  # px; a taller picture is drawn in rows if its height shrinks by this factor
SCALAR_GAP, ARRAY_GAP, PILL_GAP_X, GAP_X = 26, 22, 60, 40


class Options(NamedTuple):
    """The options of draw that concern the look."""

    values: bool = True
    edges: Edges = "auto"
    theme: Theme = "auto"
    legend: bool = True
    title: Formula | None = None
    direction: Direction | None = None  # None: the one that is easier to read in a window of width WIDE
    roles: bool = False  # marks for the stepper


class Plan(NamedTuple):
    """A scene with its layout."""

    scene: Scene
    sizes: list[Size]
    labels: list[Formula | None]  # by wire
    pills: list[Size | None]  # the size of each label
    names: list[tuple[str, str, float]]  # the name and the note of each box, and the width that they take
    placed: Arrangement
    down: bool
    columns: list[list[Columns]]  # how arrays are drawn, for each card and each value on it
    compared: bool  # whether some of them share a scale

    @property
    def fits(self) -> bool:
        """Whether it fits in a notebook's cell at full size."""
        return self.placed.width <= ROOM


def planned(scene: Scene, options: Options, *, fitting: bool = False) -> Plan | None:
    """The layout of a scene, in the direction asked for or the one that is easier to read.

    With `fitting` it is None if the picture is wider than WIDE in both directions.
    """
    columns, compared = _columns(scene) if options.values else ([[[]]] * len(scene.cards), False)
    measured = zip(scene.cards, columns, strict=True)
    sizes = _evened([size_of(card, options.values, own) for card, own in measured], scene)
    labels = [_label(scene, wire, options) for wire in scene.wires]
    pills: list[Size | None] = [
        (serif_width(label, PILL_TYPE) + 18, PILL_HEIGHT) if label else None for label in labels
    ]
    names = [_box_title(box.name, box.note) for box in scene.boxes]
    wires = [(wire.tail, wire.head) for wire in scene.wires]
    gap_x = PILL_GAP_X if any(pills) else GAP_X
    gap_y = SCALAR_GAP if all(card.is_scalar for card in scene.cards) else ARRAY_GAP
    homes = [OUTSIDE if card.box is None else card.box for card in scene.cards]
    parents = [OUTSIDE if box.parent is None else box.parent for box in scene.boxes]

    def plan(down: bool, gap_y: float = gap_y) -> Plan:
        titles = [width for *_, width in names]
        placed = nested(sizes, homes, parents, wires, pills, titles, gap_x=gap_x, gap_y=gap_y, down=down)
        return Plan(scene, sizes, labels, pills, names, placed, down, columns, compared)

    if options.direction is not None:
        return plan(options.direction == "TB")
    across, downwards = widths(sizes, wires, pills, gap_x, gap_y)  # as without boxes
    if fitting and not scene.boxes and min(across, downwards) > ROOM:
        return None
    tried = [plan(across > ROOM and downwards < across)]
    if not tried[0].fits and not (tried[0].down and across > ROOM):
        tried.append(plan(not tried[0].down))
    best = min(tried, key=lambda plan: plan.placed.width)
    if best.down and ROOM < best.placed.width < ROOM * NEARLY:
        best = plan(True, gap_y * TIGHT)
    if best.down and best.placed.height > TALL and is_chain(len(scene.cards), wires):
        line = next((other for other in tried if not other.down), None) or plan(False)
        rows = wrapped(line.placed, sizes, pills, [width for *_, width in names], ROOM)
        if rows is not None and rows.height < SHORTER * best.placed.height:
            best = line._replace(placed=rows)
    return best if best.fits or not fitting else None


def _columns(scene: Scene) -> tuple[list[list[Columns]], bool]:
    """How the arrays on each card are drawn; similar folded scopes share their scales, so that one can compare them."""
    shown: list[list[Result]] = []
    alike: dict[tuple[Any, ...], list[int]] = {}
    for index, card in enumerate(scene.cards):
        if card.fold is None:
            shown.append([Result(card.symbol, card.value, card.adjoint)])
            continue
        shown.append(list(results_of(card.fold)[0]))
        shapes = tuple(np.shape(result.value) for result in shown[-1])
        alike.setdefault((re.sub(r"\d+", "0", card.fold.name), card.box, shapes), []).append(index)
    scales: dict[tuple[int, int], Scales] = {}
    for group in alike.values():
        for place in range(len(shown[group[0]])):
            members = [shown[index][place] for index in group]
            if len(group) > 1 and np.ndim(members[0].value):
                common = _peak([m.value for m in members]), _peak([m.adjoint for m in members])
                scales |= {(index, place): common for index in group}
    columns: list[list[Columns]] = [
        [
            columns_of(value, adjoint, scales.get((index, place), (None, None))) if np.ndim(value) else []
            for place, (_, value, adjoint) in enumerate(results)
        ]
        for index, results in enumerate(shown)
    ]
    return columns, bool(scales)


def _peak(arrays: Sequence[Any]) -> float | None:
    """The greatest magnitude of several arrays; None if some are missing or not finite."""
    if any(array is None or np.asarray(array).dtype.kind not in "fc" for array in arrays):
        return None
    peak = max(float(np.abs(array).max(initial=0.0)) for array in arrays)
    return peak if np.isfinite(peak) else None


def _evened(sizes: Sequence[Size], scene: Scene) -> list[Size]:
    """The sizes of cards; those nearly as narrow as the narrowest get one width, so that columns look straight."""
    evened = list(sizes)
    for folded in (False, True):
        alike = [k for k, card in enumerate(scene.cards) if (card.fold is not None) == folded]
        limit = min((sizes[k][0] for k in alike), default=0.0) * NEARLY
        common = max((sizes[k][0] for k in alike if sizes[k][0] <= limit), default=0.0)
        for k in alike:
            evened[k] = max(sizes[k][0], common), sizes[k][1]
    return evened


def _box_title(name: str, note: str) -> tuple[str, str, float]:
    """The name and the note of a box, shortened to fit, and the width that they take."""
    name = cut(name, BOX_NAME_TYPE, WIDEST_BOX_TITLE / 2)
    wide = sans_width(name, BOX_NAME_TYPE) * BOLD + BOX_TITLE + 8
    note = parts_of(note, BOX_NOTE_TYPE, WIDEST_BOX_TITLE - wide)
    return name, note, wide + sans_width(note, BOX_NOTE_TYPE) + (BOX_TITLE if note else 0)


def _label(scene: Scene, wire: Wire, options: Options) -> Formula | None:
    """The local partial written on a wire: 1/v_{-1} = 0.5."""
    if options.edges == "none" or (options.edges == "auto" and len(scene.cards) > MOST_PILL_CARDS):
        return None
    if wire.factor is None:
        return None
    shown: Formula = (Token("number", digits(wire.factor)),)
    if not options.values:
        return wire.symbol
    if wire.symbol is None or all(token.kind != "variable" for token in wire.symbol):
        return shown
    return (*fitted(wire.symbol, PILL_TYPE, WIDEST_PILL), Token("text", " = "), *shown)
