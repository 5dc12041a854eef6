"""What every layout must keep: no overlaps, no wire through a card, everything from left to right."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autodiff.picture.geometry.heights import isotonic
from autodiff.picture.geometry.layout import layered
from autodiff.picture.geometry.ordering import crossings, neighbours, ranks, untangled

TOLERANCE = 1e-6


@st.composite
def graphs(draw):
    """Sizes, edges (parallel ones too) and sizes of pills of a random acyclic graph."""
    count = draw(st.integers(1, 24))
    sizes = draw(
        st.lists(
            st.tuples(st.sampled_from((60.0, 112.0, 140.0)), st.sampled_from((30.0, 78.0, 110.0))),
            min_size=count,
            max_size=count,
        )
    )
    edges = []
    for head in range(1, count):
        reach = draw(st.sampled_from((2, 6, 24)))
        tails = st.integers(max(0, head - reach), head - 1)
        edges += [(tail, head) for tail in draw(st.lists(tails, max_size=3))]
    pill = st.none() | st.tuples(st.floats(20, 90), st.just(21.0))
    pills = draw(st.none() | st.lists(pill, min_size=len(edges), max_size=len(edges)))
    return sizes, edges, pills


def laid_out(graph):
    sizes, edges, pills = graph
    placed = layered(sizes, edges, pills, gap_x=60 if pills and any(pills) else 40, gap_y=26)
    cards = [(x, y, x + w, y + h) for (x, y), (w, h) in zip(placed.corners, sizes, strict=True)]
    labels = [
        (x - size[0] / 2, y - size[1] / 2, x + size[0] / 2, y + size[1] / 2)
        for (x, y), size in ((c, s) for c, s in zip(placed.pills, pills or [], strict=False) if c)
    ]
    return placed, cards, labels


def apart(a, b):
    return a[2] <= b[0] + TOLERANCE or b[2] <= a[0] + TOLERANCE or a[3] <= b[1] + TOLERANCE or b[3] <= a[1] + TOLERANCE


def samples(start, end, steps=16):
    """Points of the cubic with horizontal tangents that the pen draws between two points of a route."""
    (x0, y0), (x1, y1) = start, end
    middle = (x0 + x1) / 2
    for k in range(steps + 1):
        t = k / steps
        a, b, c, d = (1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3
        yield a * x0 + (b + c) * middle + d * x1, (a + b) * y0 + (c + d) * y1


@settings(max_examples=60)
@given(graphs())
def test_cards_and_pills_keep_apart_and_inside_the_picture(graph):
    placed, cards, labels = laid_out(graph)
    assert all(apart(a, b) for a, b in itertools.combinations(cards + labels, 2))
    for left, top, right, bottom in cards + labels:
        assert left >= -TOLERANCE
        assert top >= -TOLERANCE
        assert right <= placed.width + TOLERANCE
        assert bottom <= placed.height + TOLERANCE


@settings(max_examples=60)
@given(graphs())
def test_wires_run_from_left_to_right_and_never_through_a_foreign_card(graph):
    placed, cards, _ = laid_out(graph)
    for (tail, head), route in zip(graph[1], placed.routes, strict=True):
        assert route[0][0] == pytest.approx(cards[tail][2])
        assert cards[tail][1] < route[0][1] < cards[tail][3]
        assert route[-1][0] == pytest.approx(cards[head][0])
        assert cards[head][1] < route[-1][1] < cards[head][3]
        assert route[-1][1] == route[-2][1], "an arrow head lies horizontally"
        for start, end in itertools.pairwise(route):
            assert start[0] <= end[0] + TOLERANCE
            for x, y in samples(start, end):
                for card, (left, top, right, bottom) in enumerate(cards):
                    inside = left + 0.5 < x < right - 0.5 and top + 0.5 < y < bottom - 0.5
                    assert card in (tail, head) or not inside


@settings(max_examples=60)
@given(graphs())
def test_a_pill_lies_on_its_wire(graph):
    placed, _, _ = laid_out(graph)
    for centre, route in zip(placed.pills, placed.routes, strict=True):
        if centre is not None:
            assert any(a[0] <= centre[0] <= b[0] and a[1] == b[1] == centre[1] for a, b in itertools.pairwise(route))


@settings(max_examples=60)
@given(graphs())
def test_wires_into_one_card_enter_apart(graph):
    placed, _, _ = laid_out(graph)
    ports = {}
    for (_, head), route in zip(graph[1], placed.routes, strict=True):
        ports.setdefault(head, []).append(route[-1][1])
    for heights in ports.values():
        assert all(b - a > 1 for a, b in itertools.pairwise(sorted(heights)))


def test_ranks_put_a_leaf_right_before_its_first_consumer():
    chain = [(0, 1), (1, 2), (2, 4), (3, 4)]
    assert ranks(5, chain) == [0, 1, 2, 2, 3]


def test_crossings_are_counted_as_by_comparing_all_pairs():
    edges = [(0, 5), (0, 3), (1, 3), (1, 4), (2, 3), (2, 5)]
    _, after = neighbours(6, edges)
    position = [0, 1, 2, 0, 1, 2]
    pairs = itertools.combinations([(position[a], position[b]) for a, b in edges], 2)
    naive = sum((a - c) * (b - d) < 0 for (a, b), (c, d) in pairs)
    assert crossings([0, 1, 2], after, position, 3) == naive > 0


def test_untangling_removes_the_crossings_that_can_be_removed():
    edges = [(0, 5), (1, 4), (2, 3)]
    before, after = neighbours(6, edges)
    left, right = untangled([[0, 1, 2], [3, 4, 5]], before, after)
    assert [left.index(tail) for tail, _ in edges] == [right.index(head) for _, head in edges]


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(1, 9), st.integers(0, 9)), min_size=1, max_size=12))
def test_isotonic_keeps_the_gaps_and_is_optimal(items):
    wish, weight, gap = (list(map(float, column)) for column in zip(*items, strict=True))
    fit = isotonic(wish, weight, gap[1:])
    assert all(b - a >= g - TOLERANCE for (a, b), g in zip(itertools.pairwise(fit), gap[1:], strict=True))

    def cost(heights):
        return sum(w * (h - d) ** 2 for w, h, d in zip(weight, heights, wish, strict=True))

    # A convex problem: the fit is optimal if moving a run of places at its ends, where allowed, costs more.
    for start, stop in itertools.combinations(range(len(fit) + 1), 2):
        for shift in (-0.01, 0.01):
            moved = [h + shift * (start <= k < stop) for k, h in enumerate(fit)]
            if all(b - a >= g for (a, b), g in zip(itertools.pairwise(moved), gap[1:], strict=True)):
                assert cost(moved) >= cost(fit) - TOLERANCE


def test_a_value_with_many_users_travels_in_one_lane():
    edges = [(0, head) for head in range(1, 30)] + [(head, head + 1) for head in range(1, 29)]
    placed = layered([(112.0, 78.0)] * 30, edges, gap_x=40, gap_y=26)
    assert placed.height < 2 * 78 + 3 * 26


def middles(placed, sizes):
    return [y + tall / 2 for (_, y), (_, tall) in zip(placed.corners, sizes, strict=True)]


def test_a_long_chain_runs_straight_and_a_short_one_stands_between_its_inputs():
    steps = range(8)  # of a recurrence: an input of its own each, and all results together in the end
    edges = [(k, 8 + k) for k in steps] + [(7 + k, 8 + k) for k in steps if k] + [(8 + k, 16) for k in steps]
    sizes = [(112.0, 78.0 + 10 * (k % 3)) for k in range(17)]
    placed = layered(sizes, sorted(edges, key=lambda edge: edge[1]), gap_x=40, gap_y=26)
    assert len(set(middles(placed, sizes)[8:])) == 1
    short = layered([(112.0, 78.0)] * 3, [(0, 2), (1, 2)], gap_x=40, gap_y=26)
    assert middles(short, [(112.0, 78.0)] * 3)[2] == sum(middles(short, [(112.0, 78.0)] * 3)[:2]) / 2
