"""The evaluation trace: the lectures' table cell by cell, its sums, its renderings, its limits."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import autodiff as ad
from autodiff.notation.formula import plain, width
from autodiff.notation.trace import LONGEST_TABLE, Row, Trace, trace


def emblem() -> tuple[ad.Tensor, ad.Tensor, ad.Tensor]:
    x1, x2 = ad.Tensor(2.0, name="x1"), ad.Tensor(5.0, name="x2")
    return x1, x2, np.log(x1) + x1 * x2 - np.sin(x2)


# The lectures' table (numbers there have three decimals).
LECTURE = [
    ("v₋₁ = x₁", 2, "x̄₁ = v̄₋₁", 5.5),
    ("v₀ = x₂", 5, "x̄₂ = v̄₀", 1.716),
    ("v₁ = ln v₋₁", 0.693, "v̄₋₁ = v̄₋₁ + v̄₁ ∂v₁/∂v₋₁ = v̄₋₁ + v̄₁ / v₋₁", 5.5),
    ("v₂ = v₋₁ × v₀", 10, "v̄₀ = v̄₀ + v̄₂ ∂v₂/∂v₀ = v̄₀ + v̄₂ × v₋₁", 1.716),
    ("", None, "v̄₋₁ = v̄₂ ∂v₂/∂v₋₁ = v̄₂ × v₀", 5),
    ("v₃ = sin v₀", -0.959, "v̄₀ = v̄₃ ∂v₃/∂v₀ = v̄₃ × cos v₀", -0.284),
    ("v₄ = v₁ + v₂", 10.693, "v̄₂ = v̄₄ ∂v₄/∂v₂ = v̄₄ × 1", 1),
    ("", None, "v̄₁ = v̄₄ ∂v₄/∂v₁ = v̄₄ × 1", 1),
    ("v₅ = v₄ − v₃", 11.652, "v̄₃ = v̄₅ ∂v₅/∂v₃ = v̄₅ × (−1)", -1),
    ("", None, "v̄₄ = v̄₅ ∂v₅/∂v₄ = v̄₅ × 1", 1),
    ("y = v₅", 11.652, "v̄₅ = ȳ", 1),
]


def test_the_emblem_is_the_lectures_table_cell_by_cell():
    *_, y = emblem()
    rows = trace(y).rows
    assert [(plain(r.forward), plain(r.reverse)) for r in rows] == [(f, r) for f, _, r, _ in LECTURE]
    for row, (_, value, _, adjoint) in zip(rows, LECTURE, strict=True):
        assert (row.value is None) == (value is None)
        assert value is None or round(float(row.value), 3) == value
        assert round(float(row.adjoint), 3) == adjoint


def test_the_emblems_table_in_plain_text():
    *_, y = emblem()
    lines = str(trace(y)).splitlines()
    assert len(lines) == 13
    assert lines[2].split("│")[1].strip() == "2"
    assert [cell.strip() for cell in lines[4].split("│")] == ["v₁ = ln v₋₁", "0.6931", LECTURE[2][2], "5.5"]
    assert [cell.strip() for cell in lines[12].split("│")] == ["y = v₅", "11.6521", "v̄₅ = ȳ", "1"]
    assert {width(line) for line in lines} == {width(lines[0])}, "the columns are aligned"


def test_the_adjoints_of_the_inputs_are_the_exact_ones():
    x1, x2, y = emblem()
    first, second, *_ = trace(y).rows
    assert first.target is x1
    assert first.adjoint == 5.5
    assert second.target is x2
    assert second.adjoint == 2 - np.cos(5.0)


def test_sum_times_factor():
    x, y, z = (ad.Tensor(v, name=n) for v, n in zip((-2.0, 5.0, -4.0), "xyz", strict=True))
    rows = trace((x + y) * z).rows
    assert [plain(r.forward) for r in rows if r.forward] == [
        "v₋₂ = x",
        "v₋₁ = y",
        "v₀ = z",
        "v₁ = v₋₂ + v₋₁",
        "v₂ = v₁ × v₀",
        "f = v₂",  # an input has the letter y
    ]
    assert [float(r.value) for r in rows if r.forward] == [-2, 5, -4, 3, -12, -12]
    assert [float(r.adjoint) for r in rows[:3]] == [-4, -4, 3]


def test_a_trace_changes_nothing_and_may_come_before_or_after_backward():
    x1, x2, y = emblem()
    before = str(trace(y))
    assert x1.grad is None
    serials = [v.serial for v in (x1, x2, y)]
    y.backward()
    assert str(trace(y)) == before
    assert float(x1.grad) == 5.5
    assert [v.serial for v in (x1, x2, y)] == serials


def test_a_square_written_as_a_product_has_two_contributions():
    x = ad.Tensor(3.0, name="x")
    rows = trace(x * x).rows
    assert [plain(r.reverse) for r in rows] == [
        "x̄ = v̄₀",
        "v̄₀ = v̄₀ + v̄₁ ∂v₁/∂v₀ = v̄₀ + v̄₁ × v₀",
        "v̄₀ = v̄₁ ∂v₁/∂v₀ = v̄₁ × v₀",
        "v̄₁ = ȳ",
    ]
    assert [float(r.adjoint) for r in rows] == [6, 6, 3, 1]
    assert [r.contribution for r in rows] == [None, 3, 3, None]


def test_constants_are_in_the_formulas_and_receive_nothing():
    x = ad.Tensor(3.0, name="x")
    rows = trace(2 * x + np.where(x.value > 0, 1.0, 0.0)).rows
    assert [plain(r.forward) for r in rows] == ["v₀ = x", "v₁ = 2 × v₀", "v₂ = v₁ + 1", "y = v₂"]


def test_a_seed_scales_the_reverse_column():
    x = ad.Tensor(3.0, name="x")
    first, *_, last = trace(x * 2, seed=10.0).rows
    assert (first.adjoint, last.adjoint) == (20, 10)


def test_other_dtypes_and_shapes_of_one_element():
    x = ad.Tensor(np.float32(0.1), name="x")
    assert "0.2 " in str(trace(x * 2))
    assert trace(x * 2).rows[0].adjoint.dtype == np.float32
    row = ad.Tensor([[2.0]], name="r")
    assert trace(row * row).rows[0].adjoint.tolist() == [[4.0]]
    c = ad.Tensor(1 - 2j, name="c")
    assert "1 − 2i" in str(trace(c * 1, seed=1))
    with pytest.raises(ValueError, match=r"\(2,\)"):
        trace(row * row, seed=[1.0, 2.0])


def test_a_leaf_is_its_own_trace():
    x = ad.Tensor(3.0, name="x")
    assert [(plain(r.forward), plain(r.reverse)) for r in trace(x).rows] == [("v₀ = x", "x̄ = v̄₀"), ("y = v₀", "v̄₀ = ȳ")]


def test_an_input_without_a_name_and_an_input_that_no_derivative_reaches():
    x, w = ad.Tensor(3.0), ad.Tensor(2.0, name="w")
    unused = ad.primitive(lambda a, b: a + 0 * b)
    ad.adjoint(unused, lambda g, y, a, b: g, None)
    rows = trace(unused(x, w)).rows
    assert plain(rows[0].forward) == "v₋₁ = input"
    assert plain(rows[0].reverse) == "v̄₋₁"
    assert plain(rows[1].reverse) == "w̄ = 0"
    assert rows[1].adjoint == 0
    assert [r.target for r in rows if r.contribution is not None] == [x]
    assert plain(rows[2].reverse).endswith("= v̄₁ × 1")


def test_an_unknown_partial_is_its_number():
    cube = ad.primitive(lambda a: a**3)
    ad.adjoint(cube, lambda g, y, a: -3 * g * a**2)
    rows = trace(cube(ad.Tensor(2.0))).rows
    assert plain(rows[1].reverse) == "v̄₀ = v̄₁ ∂v₁/∂v₀ = v̄₁ × (−12)"


def test_after_an_assignment_there_is_the_forward_column_and_what_to_do():
    x = ad.Tensor(3.0, name="x")
    y = 2 * x * x
    x.value = np.array(4.0)
    shown = trace(y)
    assert [(plain(r.forward), float(r.value)) for r in shown.rows] == [
        ("v₀ = x", 4), ("v₁ = 2 × v₀", 6), ("v₂ = v₁ × v₀", 18), ("y = v₂", 18),
    ]  # fmt: skip
    assert str(trace(y, seed=1.0)) == str(shown)
    assert "Compute the result again" in str(shown)
    assert "Compute the result again" in shown._repr_html_()


def test_constant_arrays_have_the_symbols_of_the_picture():
    x, c1 = ad.Tensor(np.ones(3), name="x"), ad.Tensor(2.0, name="c1")
    data, few = np.ones((4, 3)), np.array([1.0, 2.5, 0.0])
    y = np.sum(np.sin(data @ (x * few)) * c1 + data @ x)
    shown = trace(y)
    cards = {plain(card.header[:1]): plain(card.header) for card in ad.draw(y)._scene.cards}
    equations = [plain(row.forward) for row in shown.rows if row.forward]
    told = [text for text in equations if "c₁" in text or "c₂" in text]
    assert told == ["v₁ = v₋₁ × c₁", "v₂ = c₂ v₋₁", "v₃ = c₂ v₁"]
    assert all(cards[text.split(" = ")[0]] == text for text in equations if "v" in text.split(" = ")[0])
    assert "v₀ = c1" in equations, "not the symbol of a constant"
    assert str(shown).splitlines()[-1] == "Constants: c₁ = [1, 2.5, 0], c₂ = array(4×3)"
    many = x
    for k in range(12):
        many = many + np.full(3, k)
    assert str(trace(np.sum(many))).splitlines()[-1].endswith("c₈ = [7, 7, 7], … 4 more")


def test_what_is_no_tensor_is_refused():
    with pytest.raises(TypeError, match="ndarray"):
        trace(np.ones(3))  # type: ignore[arg-type]


def test_a_tie_is_written_as_it_is_computed():
    rows = trace(np.maximum(ad.Tensor(1.0, name="x"), ad.Tensor(1.0, name="y"))).rows
    assert plain(rows[2].reverse) == "v̄₀ = v̄₁ ∂v₁/∂v₀ = v̄₁ × 0.5 [v₀ = v₋₁]"
    assert rows[2].contribution == 0.5


def test_a_power_at_0_is_written_as_the_number_it_is():
    x = ad.Tensor(0.0, name="x")
    with np.errstate(all="ignore"):
        rows = trace(x**x).rows
    assert all(plain(r.reverse).endswith("v̄₁ × 0") for r in rows[1:3])


# -- arrays ------------------------------------------------------------------------------------------------------


def test_arrays_show_shapes_and_the_rule():
    X = np.ones((24, 16))
    W, b = ad.Tensor(np.zeros((16, 8), np.float32), name="W"), ad.Tensor(np.zeros(8), name="b")
    rows = trace(np.mean(np.tanh(X @ W + b))).rows
    assert [plain(r.forward) for r in rows if r.forward] == [
        "v₋₁ = W",
        "v₀ = b",
        "v₁ = c₁ v₋₁",
        "v₂ = v₁ + v₀",
        "v₃ = tanh v₂",
        "v₄ = mean v₃",
        "y = v₄",
    ]
    assert [plain(r.reverse) for r in rows] == [
        "W̄ = v̄₋₁",
        "b̄ = v̄₀",
        "v̄₋₁ = c₁ᵀ v̄₁",
        "v̄₀ = sum(v̄₂)",
        "v̄₁ = v̄₂",
        "v̄₂ = v̄₃ × (1 − v₃²)",
        "v̄₃ = broadcast v̄₄ / 192",
        "v̄₄ = ȳ",
    ]
    assert rows[0].adjoint.shape == (16, 8)
    assert not rows[0].value.flags.writeable
    assert "(16, 8) float32" in str(trace(np.sum(W)))


def test_arrays_used_twice_add_up():
    W = ad.Tensor(np.ones((2, 2)), name="W")
    rows = trace(np.sum(W @ W)).rows
    assert [plain(r.reverse) for r in rows[1:3]] == ["v̄₀ = v̄₀ + v₀ᵀ v̄₁", "v̄₀ = v̄₁ v₀ᵀ"]


def test_a_scalar_in_an_array_graph_shows_its_digits():
    s = ad.Tensor(2.0, name="s")
    rows = trace(np.sum(s * np.arange(6.0).reshape(2, 3))).rows
    assert plain(rows[1].reverse) == "v̄₀ = sum(v̄₁ × c₁)"
    assert rows[1].contribution == rows[1].adjoint == 15


def test_a_result_of_several_elements_without_a_seed_has_the_forward_column_only():
    x = ad.Tensor([1.0, 2.0], name="x")
    table = trace(x * x)
    assert all(r.reverse == () and r.adjoint is None for r in table.rows)
    text = str(table)
    assert "reverse" not in text.splitlines()[0]
    assert "seed=" in text
    assert "(2,)" in text.splitlines()[-1]
    assert "seed=" in table._repr_html_()
    seeded = trace(x * x, seed=[1.0, 10.0])
    assert seeded.rows[0].adjoint.tolist() == [2, 40]


# -- properties on random graphs ---------------------------------------------------------------------------------

OPERATIONS = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a / (b * b + 1),
    lambda a, b: np.sin(a) - 2,
    lambda a, b: np.tanh(b) ** 2,
    lambda a, b: np.exp(-a * a),
    lambda a, b: ad.sigmoid(a + b),
    lambda a, b: np.maximum(a, b),
]


@st.composite
def scalar_graphs(draw: st.DrawFn) -> ad.Tensor:
    values = draw(st.lists(st.floats(-2, 2), min_size=1, max_size=3))
    nodes = [ad.Tensor(v, name=f"x{k}") for k, v in enumerate(values)]
    for operation in draw(st.lists(st.sampled_from(OPERATIONS), min_size=1, max_size=12)):
        index = st.integers(0, len(nodes) - 1)
        nodes.append(operation(nodes[draw(index)], nodes[draw(index)]))
    return nodes[-1]


@settings(max_examples=60)
@given(scalar_graphs())
def test_the_contributions_add_up_to_the_engines_adjoints(y):
    rows, adjoints = trace(y).rows, y.adjoints()
    totals: dict[ad.Tensor, float] = {}
    for row in reversed(rows):  # the reverse column is read up
        if row.contribution is None:
            continue
        bar = plain(row.reverse).split(" = ")
        assert (f"{bar[0]} + " in bar[1]) == (row.target in totals), "the first contribution is no sum"
        totals[row.target] = totals.get(row.target, 0.0) + row.contribution
        assert row.adjoint == pytest.approx(totals[row.target], rel=1e-12, abs=1e-12)
    assert totals.keys() == adjoints.keys() - {y}
    for node, total in totals.items():
        assert total == pytest.approx(float(adjoints[node]), rel=1e-12, abs=1e-12)
    for row in rows:
        if row.node is not None and row.node.primitive is None and len(rows) > 1 and row is not rows[-1]:
            assert row.adjoint == adjoints[row.node], "an input shows what .grad would hold"
    assert [r.value for r in rows if r.node] == [r.node.primal for r in rows if r.node]


@settings(max_examples=25)
@given(scalar_graphs())
def test_every_line_of_the_table_is_equally_wide(y):
    lines = str(trace(y)).splitlines()
    assert {line.count("│") for line in lines if "─" not in line} == {3}
    column = {width(line[: line.rindex("│")]) for line in lines if "─" not in line}
    assert len(column) == 1


# -- renderings --------------------------------------------------------------------------------------------------

HOSTILE = ["<script>alert(1)</script>", "</td><img src=x onerror=alert(1)>", "a\"b&c'd", r"\end{array} $ # % _ ^ ~ {"]


class Tags(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_only_text_in_html_and_latex(name):
    function = ad.primitive(lambda a: 2 * a)
    ad.adjoint(function, lambda g, y, a: 2 * g)
    y = function(ad.Tensor(1.0, name=name))
    y.primitive.name = name
    table = trace(y)
    page = table._repr_html_()
    parsed = Tags()
    parsed.feed(page)
    assert parsed.tags <= {"style", "table", "thead", "tbody", "tr", "th", "td", "i", "sub", "sup", "span", "p"}
    assert parsed.attributes <= {"class", "colspan", "style"}
    assert name in parsed.text
    ET.fromstring(f"<div>{page}</div>")  # noqa: S314  # made here
    bare = re.sub(r"\\[^a-zA-Z]", "", table.latex)
    assert bare.count("{") == bare.count("}")
    assert bare.count(r"\end{array}") == bare.count(r"\begin{array}") == 1
    assert not set(bare) & set("$#%~")


def test_latex_of_the_emblem():
    *_, y = emblem()
    table = trace(y)
    lines = table.latex.splitlines()
    assert lines[0] == r"\begin{array}{lr|lr}"
    assert lines[4] == (
        r"v_{1} = \ln v_{-1} & 0.6931 & \bar{v}_{-1} = \bar{v}_{-1} + \bar{v}_{1} \partial v_{1}/\partial v_{-1}"
        r" = \bar{v}_{-1} + \bar{v}_{1} / v_{-1} & 5.5 \\"
    )
    assert table._repr_latex_().startswith("$\\displaystyle\n\\begin{array}")
    assert all(line.count(" & ") == 3 for line in lines[1:-1])


def test_the_page_has_the_numbers_of_the_table():
    *_, y = emblem()
    root = ET.fromstring(f"<div>{trace(y)._repr_html_()}</div>")  # noqa: S314  # made here
    cells = [["".join(td.itertext()) for td in tr] for tr in root.iter("tr")]
    assert cells[3][:2] == ["v1 = ln v−1", "0.6931"]
    assert len(cells) == 12


def chain(length: int) -> Trace:
    x = ad.Tensor(0.5, name="x")
    y = x
    for _ in range(length):
        y = np.sin(y)
    return trace(y)


def test_a_long_table_is_shown_by_its_ends_and_rows_has_all():
    table = chain(1000)
    lines = str(table).splitlines()
    assert len(lines) == 2 + LONGEST_TABLE + 1
    assert lines[2 + LONGEST_TABLE // 2].startswith(f"… {1002 - LONGEST_TABLE:,} of 1,002 rows")
    assert len(table.rows) == 1002
    assert all(isinstance(row, Row) for row in table.rows)
    assert len(chain(LONGEST_TABLE - 2)._repr_html_().splitlines()) == LONGEST_TABLE + 2
    assert "602 of 1,002" in table.latex
    assert "602 of 1,002" in table._repr_html_()


def test_a_long_chain_takes_time_in_proportion():
    def seconds(length: int) -> float:
        start = time.perf_counter()
        str(chain(length))
        return time.perf_counter() - start

    seconds(100)
    assert seconds(20_000) < 40 * max(seconds(2_000), 0.01)  # quadratic would be 100


def test_adjoints_are_printed_under_the_symbols_of_the_trace():
    x1, x2 = ad.Tensor(2.0, name="x1"), ad.Tensor(5.0, name="x2")
    y = np.log(x1) + x1 * x2 - np.sin(x2)
    shown = repr(y.adjoints())
    for k in "₁₂₃₄₅":
        assert f"v{k}: array(" in shown
    assert "v₋₁ = x₁: array(5.5)" in shown
    assert y.adjoints() == dict(y.adjoints())


def test_constants_have_the_names_they_were_given():
    X = ad.named(np.ones((3, 2)), "X")
    assert isinstance(X, np.ndarray)
    w = ad.Tensor([1.0, 2.0], name="w")
    y = np.sum(X @ w)
    assert "Constants: c₁ = X = array(3×2)" in str(ad.trace(y))
    assert "constant" in [card.kind for card in ad.draw(y)._scene.cards if card.name == "X"]
    assert "= X" not in str(ad.trace(np.sum(X.copy() @ w))), "a copy has no name"
    for wrong in (w, 3.0, [1.0]):
        with pytest.raises(TypeError, match=r"ad\.named.*ndarray"):
            ad.named(wrong, "x")
    with pytest.raises(TypeError, match=r"ad\.named"):
        ad.named(np.ones(2), 3)


def test_a_name_goes_with_its_array():
    from autodiff.notation.constants import _names

    before = len(_names)
    array = ad.named(np.ones(2), "a")
    assert len(_names) == before + 1
    del array
    assert len(_names) == before
