"""A long chain in rows: nothing overlaps, nothing is lost, every wire still leads from its tail to its head."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_layout import TOLERANCE, apart, samples
from test_nesting import chain, within

import autodiff as ad
import nn
from autodiff.picture.drawing.pen import curve
from autodiff.picture.geometry.nesting import OUTSIDE, nested
from autodiff.picture.geometry.rows import TURN, is_chain, wrapped

WIDTH = 720.0


@st.composite
def chains(draw):
    """A chain some of whose cards have a leaf beside them; runs of it are in boxes, and these may be in a large one."""
    sizes, homes, parents, wires, spine = [], [], [], [], None
    size = st.tuples(st.sampled_from((90.0, 112.0, 140.0)), st.sampled_from((50.0, 78.0, 110.0)))
    outer = draw(st.booleans())
    if outer:
        parents.append(OUTSIDE)
    for _ in range(draw(st.integers(4, 12))):
        home = 0 if outer else OUTSIDE
        if draw(st.booleans()):
            parents.append(home)
            home = len(parents) - 1
        for _ in range(draw(st.integers(1, 2))):
            arguments = [] if spine is None else [spine]
            if draw(st.booleans()):
                sizes.append(draw(size))
                homes.append(home)
                arguments.append(len(sizes) - 1)
            sizes.append(draw(size))
            homes.append(home)
            spine = len(sizes) - 1
            wires += [(argument, spine) for argument in arguments]
    pill = st.none() | st.tuples(st.floats(20, 90), st.just(21.0))
    pills = draw(st.lists(pill, min_size=len(wires), max_size=len(wires)))
    titles = draw(st.lists(st.sampled_from((40.0, 120.0)), min_size=len(parents), max_size=len(parents)))
    return sizes, homes, parents, wires, pills, titles


def in_rows(case):
    sizes, homes, parents, wires, pills, titles = case
    line = nested(sizes, homes, parents, wires, pills, titles, gap_x=60, gap_y=26)
    return line, wrapped(line, sizes, pills, titles, WIDTH)


def bounds(corners, sizes):
    return [(x, y, x + w, y + h) for (x, y), (w, h) in zip(corners, sizes, strict=True)]


def turned_outwards(route):
    """The route as it is drawn: a turn reaches out beyond its two points."""
    way, drawn = 1, [route[0]]
    for (x, y), (next_x, next_y) in itertools.pairwise(route):
        if x == next_x and y != next_y:
            drawn += [(x + TURN * way, y), (x + TURN * way, next_y)]
            way = -way
        drawn.append((next_x, next_y))
    return drawn


@settings(max_examples=80)
@given(chains())
def test_nothing_overlaps_and_all_rows_fit(case):
    sizes, homes, parents, _, pills, _ = case
    _, rows = in_rows(case)
    if rows is None:
        return
    cards = bounds(rows.cards, sizes)
    placed = [(centre, size) for centre, size in zip(rows.pills, pills, strict=True) if centre]
    labels = bounds([(x - w / 2, y - h / 2) for (x, y), (w, h) in placed], [size for _, size in placed])
    pieces = bounds([frame.corner for frame in rows.boxes], [frame.size for frame in rows.boxes])
    whole = (0.0, 0.0, rows.width, rows.height)
    assert rows.width <= WIDTH + TOLERANCE
    assert all(apart(a, b) for a, b in itertools.combinations(cards + labels, 2))
    assert all(within(thing, whole) for thing in cards + labels + pieces)
    for card, home in zip(cards, homes, strict=True):
        for frame, piece in zip(rows.boxes, pieces, strict=True):
            assert frame.box in chain(home, parents) or apart(card, piece)
        for box in set(chain(home, parents)) - {OUTSIDE}:
            assert any(within(card, piece) for f, piece in zip(rows.boxes, pieces, strict=True) if f.box == box)
    for box in range(len(parents)):
        own = [frame for frame in rows.boxes if frame.box == box]
        assert [frame.begins for frame in own] == [True] + [False] * (len(own) - 1)
        assert [frame.ends for frame in own] == [False] * (len(own) - 1) + [True]


@settings(max_examples=80)
@given(chains())
def test_wires_lead_from_tail_to_head_and_through_no_foreign_card(case):
    sizes, _, _, wires, *_ = case
    line, rows = in_rows(case)
    if rows is None:
        return
    cards = bounds(rows.cards, sizes)
    for before, leg in zip(line.legs, rows.legs, strict=True):
        assert leg._replace(route=before.route) == before
        ends = {end for wire in leg.wires for end in wires[wire]}
        for tail in {wires[wire][0] for wire in leg.wires if leg.departs}:
            assert leg.route[0][0] == pytest.approx(cards[tail][2])
            assert cards[tail][1] < leg.route[0][1] < cards[tail][3]
        for head in {wires[wire][1] for wire in leg.wires if leg.arrives}:
            assert leg.route[-1][0] == pytest.approx(cards[head][0])
            assert cards[head][1] < leg.route[-1][1] < cards[head][3]
        for start, end in itertools.pairwise(turned_outwards(leg.route)):
            for x, y in samples(start, end, 8):
                assert -TOLERANCE <= x <= rows.width + TOLERANCE
                for k, (left, top, right, bottom) in enumerate(cards):
                    inside = left + 0.5 < x < right - 0.5 and top + 0.5 < y < bottom - 0.5
                    assert k in ends or not inside


def test_a_chain_without_boxes_has_full_rows_and_one_turn_between_two_of_them():
    sizes, wires = [(112.0, 78.0)] * 12, [(k, k + 1) for k in range(11)]
    _, rows = in_rows((sizes, [OUTSIDE] * 12, [], wires, [None] * 11, []))
    heights = [y for _, y in rows.cards]
    assert sorted(set(heights)) == list(dict.fromkeys(heights)), "the rows are read from the top down"
    assert [heights.count(y) for y in dict.fromkeys(heights)] == [4, 4, 4]
    assert sum(len(leg.route) > 4 for leg in rows.legs) == 2


def test_what_cannot_be_cut_is_not():
    sizes = [(112.0, 78.0)] * 12
    skipping = [(k, k + 1) for k in range(11)] + [(k, k + 2) for k in range(10)]  # two values go on everywhere
    assert not is_chain(12, skipping)
    assert in_rows((sizes, [OUTSIDE] * 12, [], skipping, [None] * 21, []))[1] is None
    wide = [(WIDTH, 78.0)] * 3
    assert in_rows((wide, [OUTSIDE] * 3, [], [(0, 1), (1, 2)], [None] * 2, []))[1] is None
    assert is_chain(12, skipping[:11])


def test_a_turn_is_drawn_with_round_corners_to_the_right_and_then_to_the_left():
    turns = curve([(0.0, 10.0), (20.0, 10.0), (20.0, 60.0), (5.0, 60.0), (5.0, 100.0), (30.0, 100.0)])
    assert turns == "M0,10H20a8,8 0 0 1 8,8V52a8,8 0 0 1 -8,8H5a8,8 0 0 0 -8,8V92a8,8 0 0 0 8,8H30"


def test_a_long_chain_is_drawn_in_rows_and_a_short_one_is_not():
    def size(drawn):
        return tuple(map(int, re.search(r'viewBox="0 0 (\d+) (\d+)', drawn.svg).groups()))

    y = ad.Tensor(0.5, name="x")
    for _ in range(20):
        y = np.sin(y)
    (wide, tall), (_, down) = size(ad.draw(y)), size(ad.draw(y, direction="TB"))
    assert wide <= 938
    assert tall < 0.6 * down
    assert ad.draw(ad.Tensor(1.0) * 2).svg == ad.draw(ad.Tensor(1.0) * 2, direction="LR").svg


def test_a_box_that_goes_on_in_the_next_row_says_so():
    model = nn.MLP(4, *[8] * 12, 1, rng=0)
    drawn = ad.draw(nn.MSELoss()(model(np.ones((2, 4))), np.zeros((2, 1))), depth=1).svg
    frames = re.findall(r'<g data-scope="0"><title>[^<]*</title>(.*?)</g>', drawn, re.DOTALL)
    assert len(frames) > 2
    assert all(("continued" in frame) == (place > 0) for place, frame in enumerate(frames))
