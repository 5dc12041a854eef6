"""What every layout with boxes must keep: inside stays inside, nothing overlaps, wires go from left to right."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_layout import TOLERANCE, apart, samples

from autodiff.picture.geometry.nesting import OUTSIDE, nested


@st.composite
def scopes(draw):
    """Cards in boxes in boxes, as a recording makes them: boxes are unbroken runs, wires run forward."""
    count = draw(st.integers(1, 20))
    parents, homes, entered = [], [], []
    for _ in range(count):
        for _ in range(draw(st.integers(0, 2))):
            if entered and draw(st.booleans()):
                entered.pop()
            elif len(entered) < 3:
                parents.append(entered[-1] if entered else OUTSIDE)
                entered.append(len(parents) - 1)
        homes.append(entered[-1] if entered else OUTSIDE)
    # A box that was entered and holds no card is no box.
    full = {box for home in homes for box in chain(home, parents)}
    number = {box: k for k, box in enumerate(sorted(full - {OUTSIDE}))} | {OUTSIDE: OUTSIDE}
    parents = [number[parents[box]] for box in sorted(full - {OUTSIDE})]
    homes = [number[home] for home in homes]
    size = st.tuples(st.sampled_from((60.0, 112.0, 140.0)), st.sampled_from((30.0, 78.0, 110.0)))
    sizes = draw(st.lists(size, min_size=count, max_size=count))
    wires = []
    for head in range(1, count):
        wires += [(tail, head) for tail in draw(st.lists(st.integers(0, head - 1), max_size=3))]
    pill = st.none() | st.tuples(st.floats(20, 90), st.just(21.0))
    pills = draw(st.lists(pill, min_size=len(wires), max_size=len(wires)))
    titles = draw(st.lists(st.sampled_from((40.0, 400.0)), min_size=len(parents), max_size=len(parents)))
    return sizes, homes, parents, wires, pills, titles


def chain(box, parents):
    while box != OUTSIDE:
        yield box
        box = parents[box]
    yield OUTSIDE


def arranged(case):
    sizes, homes, parents, wires, pills, titles = case
    placed = nested(sizes, homes, parents, wires, pills, titles, gap_x=60, gap_y=26)
    cards = [(x, y, x + w, y + h) for (x, y), (w, h) in zip(placed.cards, sizes, strict=True)]
    boxes = [(x, y, x + w, y + h) for (x, y), (w, h), *_ in placed.boxes]
    labels = [
        (x - size[0] / 2, y - size[1] / 2, x + size[0] / 2, y + size[1] / 2)
        for (x, y), size in ((c, s) for c, s in zip(placed.pills, pills, strict=True) if c)
    ]
    return placed, cards, boxes, labels


def within(a, b):
    return all(p >= q - TOLERANCE for p, q in zip(a[:2], b[:2], strict=True)) and all(
        p <= q + TOLERANCE for p, q in zip(a[2:], b[2:], strict=True)
    )


@settings(max_examples=60)
@given(scopes())
def test_everything_stands_in_its_box_and_apart_from_the_rest(case):
    _, homes, parents, *_ = case
    placed, cards, boxes, labels = arranged(case)
    whole = (0.0, 0.0, placed.width, placed.height)
    for card, home in zip(cards, homes, strict=True):
        for box in range(len(boxes)):
            inside = box in chain(home, parents)
            assert within(card, boxes[box]) if inside else apart(card, boxes[box])
    for (k, a), (m, b) in itertools.combinations(enumerate(boxes), 2):
        if k in chain(m, parents):
            assert within(b, a)
        else:
            assert apart(a, b)
    assert all(apart(a, b) for a, b in itertools.combinations(cards + labels, 2))
    assert all(within(thing, whole) for thing in cards + boxes + labels)


@settings(max_examples=60)
@given(scopes())
def test_the_legs_of_a_wire_lead_from_its_tail_to_its_head(case):
    _, _, _, wires, *_ = case
    placed, cards, _, _ = arranged(case)
    legs = {wire: [] for wire in range(len(wires))}
    for leg in placed.legs:
        for wire in leg.wires:
            legs[wire].append(leg)
    for wire, (tail, head) in enumerate(wires):
        route = sorted(legs[wire], key=lambda leg: leg.route[0][0])
        start, end = route[0].route[0], route[-1].route[-1]
        assert route[0].departs
        assert route[-1].arrives
        assert [leg.arrives for leg in route].count(True) == [leg.departs for leg in route].count(True) == 1
        assert start[0] == pytest.approx(cards[tail][2])
        assert cards[tail][1] < start[1] < cards[tail][3]
        assert end[0] == pytest.approx(cards[head][0])
        assert cards[head][1] < end[1] < cards[head][3]
        for a, b in itertools.pairwise(route):  # one leg begins at the port where the one before ends
            assert a.route[-1] == pytest.approx(b.route[0], abs=TOLERANCE)


@settings(max_examples=60)
@given(scopes())
def test_wires_run_from_left_to_right_through_no_foreign_card_or_box(case):
    _, homes, parents, wires, *_ = case
    placed, cards, boxes, _ = arranged(case)
    for leg in placed.legs:
        ends = {end for wire in leg.wires for end in wires[wire]}
        around = {box for end in ends for box in chain(homes[end], parents)}
        for start, end in itertools.pairwise(leg.route):
            assert start[0] <= end[0] + TOLERANCE
            for x, y in samples(start, end, 8):
                for k, (left, top, right, bottom) in enumerate(cards):
                    inside = left + 0.5 < x < right - 0.5 and top + 0.5 < y < bottom - 0.5
                    assert k in ends or not inside
                for k, (left, top, right, bottom) in enumerate(boxes):
                    inside = left + 0.5 < x < right - 0.5 and top + 0.5 < y < bottom - 0.5
                    assert k in around or not inside


@settings(max_examples=20)
@given(scopes())
def test_downwards_everything_stands_in_its_box_too(case):
    sizes, homes, parents, wires, pills, titles = case
    placed = nested(sizes, homes, parents, wires, pills, titles, gap_x=60, gap_y=26, down=True)
    cards = [(x, y, x + w, y + h) for (x, y), (w, h) in zip(placed.cards, sizes, strict=True)]
    boxes = [(x, y, x + w, y + h) for (x, y), (w, h), *_ in placed.boxes]
    assert all(apart(a, b) for a, b in itertools.combinations(cards, 2))
    for card, home in zip(cards, homes, strict=True):
        assert all(within(card, boxes[box]) for box in chain(home, parents) if box != OUTSIDE)
        assert within(card, (0.0, 0.0, placed.width, placed.height))
    assert all(width >= title for (_, (width, _), *_), title in zip(placed.boxes, titles, strict=True))
    for leg in placed.legs:
        assert all(a[1] <= b[1] + TOLERANCE for a, b in itertools.pairwise(leg.route))


def test_a_value_enters_a_box_once_and_fans_out_inside():
    placed = nested(
        [(60, 30)] * 4, [OUTSIDE, 0, 0, 0], [OUTSIDE], [(0, 1), (0, 2), (0, 3)], [None] * 3, [50], gap_x=40, gap_y=20
    )
    assert sorted(len(leg.wires) for leg in placed.legs) == [1, 1, 1, 3]
    (entering,) = [leg for leg in placed.legs if not leg.arrives]
    assert entering.route[-1][0] == placed.boxes[0][0][0]


def test_a_box_is_as_wide_as_its_title():
    placed = nested([(60, 30)], [0], [OUTSIDE], [], [], [500], gap_x=40, gap_y=20)
    assert placed.boxes[0][1][0] == 500
    assert placed.cards[0][0] == 220
