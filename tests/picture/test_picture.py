import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from frames import page_in, poster_in, without_tooltips
from models import loss_of_mlp, scalar_mlp

from autodiff.arrays.tensor import Tensor
from autodiff.notation.formula import Token, plain
from autodiff.notation.symbols import template
from autodiff.picture import draw
from autodiff.picture.content.lettering import fitted, runs, serif_width, tspans
from autodiff.picture.content.title import expression
from autodiff.picture.drawing.cards import digits

SVG = "{http://www.w3.org/2000/svg}"
MISSING = (
    "Graphviz's `dot` is not installed (apt install graphviz / brew install graphviz / winget install graphviz); "
    "engine='builtin' draws the same graph without it."
)


def parsed(markup):
    return ET.fromstring(markup)  # noqa: S314 - not from outside: what draw has just written


def texts(picture):
    """The words of a picture, tooltips left out."""
    return ["".join(element.itertext()) for element in parsed(picture.svg).iter(f"{SVG}text")]


def tooltips(picture, kind):
    root = parsed(picture.svg)
    return [group.find(f"{SVG}title").text for group in root.iter(f"{SVG}g") if f"data-{kind}" in group.attrib]


@pytest.fixture
def product():
    x, y = Tensor(3.0, name="x"), Tensor(-2.0, name="y")
    return x * y


def test_cards_show_equation_value_and_adjoint(product):
    shown = texts(draw(product))
    for text in ("v−1 = x", "v0 = y", "v1 = v−1 × v0", "3", "−2", "−6", "1", "INPUT", "OUTPUT", "v̄1"):
        assert text in shown


def test_wires_show_their_local_partials(product):
    shown = texts(draw(product))
    assert "v0 = −2" in shown
    assert "v−1 = 3" in shown
    assert "v0 = −2" not in texts(draw(product, edges="none"))


def test_a_value_used_twice_by_one_operation_has_two_wires():
    x = Tensor(1.5, name="x")
    picture = draw(x * x)
    assert texts(picture).count("v0 = 1.5") == 2
    assert picture.svg.count("<g data-edge=") == 2


def test_pills_stop_where_a_picture_grows_large():
    x = Tensor(0.5, name="x")
    y = x
    for _ in range(70):
        y = np.sin(y)
    assert not any(text.startswith("cos") for text in texts(draw(y, max_cards=80)))
    assert any(text.startswith("cos") for text in texts(draw(y, max_cards=80, edges="all")))


def test_tooltips_hold_full_precision():
    y = np.sin(Tensor(0.1, name="x"))
    node = tooltips(draw(y), "node")[-1]
    assert str(np.sin(0.1)) in node
    edge = tooltips(draw(y), "edge")[0]
    assert str(np.cos(0.1)) in edge


def test_numbers_stay_in_the_equation_and_arrays_become_constant_cards():
    x, t = Tensor([1.0, 2.0], name="x"), np.array([3.0, 4.0])
    picture = draw(((x * 2.0 - t) * t) ** 2)
    assert texts(picture).count("CONST") == 1, "one card for an array that is used twice"
    assert "v1 = v0 × 2" in texts(picture)
    assert "v2 = v1 − c1" in texts(picture)
    assert picture.svg.count('stroke-dasharray="4 3"') == 3, "two wires without gradient, and the legend"


def test_an_array_without_a_seed_is_drawn_without_adjoints():
    x = Tensor([1.0, 2.0], name="x")
    assert not any("adjoint" in text for text in texts(draw(x * 3.0)))
    assert any("adjoint" in text for text in texts(draw(x * 3.0, seed=[1.0, 10.0])))
    assert "max 30" in tooltips(draw(x * 3.0, seed=[1.0, 10.0]), "node")[0]
    with pytest.raises(ValueError, match=r"\(3,\)"):
        draw(x * 3.0, seed=np.ones(3))


def test_drawing_changes_nothing_and_is_the_same_after_backward(product):
    before = draw(product).svg
    x, _ = product.arguments
    assert x.grad is None
    product.backward()
    gradient = x.grad.copy()
    assert draw(product).svg == before
    assert x.grad == gradient


def test_themes():
    x = Tensor(1.0, name="x")
    light, dark, auto = (draw(2 * x, theme=theme).svg for theme in ("light", "dark", "auto"))
    assert "prefers-color-scheme:dark" in auto
    for fixed in (light, dark):
        assert "<style" not in fixed
        assert "class=" not in fixed
    assert "#0d1117" in dark
    assert "#0d1117" not in light


def test_values_and_legend_can_be_left_away(product):
    shown = texts(draw(product, values=False, legend=False, title=""))
    assert sorted(shown) == sorted(["v−1 = x", "v0 = y", "v1 = v−1 × v0", "INPUT", "INPUT", "OUTPUT", "v0", "v−1"])


def test_a_picture_can_run_down(product):
    down, across = draw(product, direction="TB"), draw(product)
    assert sorted(texts(down)) == sorted(texts(across))
    root = parsed(down.svg)
    frames = [group.find(f"{SVG}rect") for group in root.iter(f"{SVG}g") if "data-node" in group.attrib]
    tops = [float(rect.get("y")) for rect in frames]
    assert tops[0] == tops[1] < tops[2]
    wires = [group.find(f"{SVG}path").get("d") for group in root.iter(f"{SVG}g") if "data-edge" in group.attrib]
    assert all("V" in d and "H" not in d for d in wires)
    with pytest.raises(ValueError, match="direction='UP'"):
        draw(product, direction="UP")


def test_a_picture_that_is_too_wide_for_a_notebook_runs_from_the_top_down(product):
    def width(drawn):
        return int(re.search(r'viewBox="0 0 (\d+)', drawn.svg)[1])

    assert draw(product).svg == draw(product, direction="LR").svg
    chain = product
    for _ in range(8):
        chain = np.tanh(chain) + product
    assert width(draw(chain, direction="LR")) > 953 > width(draw(chain))
    assert draw(chain).svg == draw(chain, direction="TB").svg
    fan = sum(np.sin(product * k) for k in range(9))
    assert min(width(draw(fan, direction=way)) for way in ("LR", "TB")) > 953 >= width(draw(fan))
    assert "earlier operations" in draw(fan).svg


def test_the_pill_of_the_output_hangs_below_its_card_from_the_top_down(product):
    drawn = draw(product, direction="TB").svg
    card = re.findall(r'<rect x="([^"]*)" y="([^"]*)" width="[^"]*" height="([^"]*)" rx="9"', drawn)[-1]
    pill = re.findall(r'<rect x="([^"]*)" y="([^"]*)" width="[^"]*" height="17"', drawn)[-1]
    assert float(pill[0]) == float(card[0]) + 10
    assert float(pill[1]) > float(card[1]) + float(card[2])


def test_the_legend_explains_what_is_there_and_nothing_else(product):
    assert not any("thumbnail" in text or "no gradient" in text for text in texts(draw(product)))
    assert any("thumbnail" in text for text in texts(draw(Tensor([1.0]) * 2)))


def test_a_long_name_does_not_leave_its_card():
    picture = draw(Tensor(1.0, name="a" * 300) * 2)
    width = float(parsed(picture.svg).get("width"))
    assert width < 700
    assert any(text.endswith("…") for text in texts(picture))


def test_extreme_values_are_drawn():
    with np.errstate(all="ignore"):
        y = Tensor(np.nan) * Tensor(1e-300) + Tensor(np.inf) * Tensor(-1e300)
    shown = texts(draw(y))
    for text in ("nan", "1e−300", "∞", "−1e300", "−∞"):
        assert text in shown


def test_a_division_by_zero_in_a_local_partial_is_shown_without_a_warning():
    x = Tensor(0.0, name="x")
    with np.errstate(all="ignore"):
        y = np.sqrt(x)
        picture = draw(y)
    assert "∞" in texts(picture)


def test_a_leaf_alone_is_a_picture():
    assert texts(draw(Tensor(3.0)))[:2] == ["v0", "v0"]


def test_parameters_that_mean_nothing_are_refused(product):
    for wrong in ({"theme": "blue"}, {"edges": "some"}, {"engine": "neato"}):
        with pytest.raises(ValueError, match="choose one of"):
            draw(product, **wrong)
    with pytest.raises(TypeError, match="float"):
        draw(3.0)


def test_notebooks_get_the_picture_and_the_trace(product):
    bundle = draw(product)._repr_mimebundle_()
    assert bundle.keys() == {"text/html", "image/svg+xml", "text/plain"}
    assert "v₁ = v₋₁ × v₀" in bundle["text/plain"]
    assert bundle == draw(product)._repr_mimebundle_()


def test_in_a_notebook_tooltips_work_in_a_frame_without_an_origin_over_the_picture(product):
    drawn = draw(product)
    shown = drawn._repr_mimebundle_()["text/html"]
    assert page_in(shown) == drawn.html
    assert "allow-same-origin" not in shown
    assert poster_in(shown) == without_tooltips(drawn.svg)


def test_a_small_number_displays_itself_in_a_notebook(product):
    bundle = product._repr_mimebundle_()
    assert bundle.keys() == {"text/html", "image/svg+xml", "text/plain"}
    assert bundle["image/svg+xml"] == draw(product).svg
    assert bundle["text/plain"] == repr(product) == "Tensor(-6.)"


def test_other_tensors_display_their_text(product):
    x = Tensor(1.0, name="x")
    long = x
    for _ in range(31):
        long = np.sin(long)
    array = np.sum(Tensor([1.0, 2.0]) * 2)
    with_array = np.dot(x * 1, np.ones(3))[0]
    for tensor in (x, long, array, with_array, Tensor([1.0]) * 2):
        assert tensor._repr_mimebundle_() == {}


def test_after_an_assignment_the_picture_shows_what_is_and_no_adjoints(product):
    product.arguments[0].value = 4.0
    drawn = draw(product)
    assert drawn.svg == product._repr_mimebundle_()["image/svg+xml"] == draw(product, seed=2.0).svg
    assert [text for text in texts(drawn) if text.startswith("assigned since:")]
    assert "4" in texts(drawn)
    assert not [text for text in texts(drawn) if "adjoint v" in text or " at (" in text]
    assert "these are shown as they are now" in str(drawn._repr_mimebundle_()["text/plain"])
    assert all(wire.factor is None is wire.contribution for wire in drawn._scene.wires)
    again = draw(product.arguments[0] * 1.0)
    assert not [text for text in texts(again) if text.startswith("assigned since:")]


def test_a_model_is_drawn_after_a_step_of_its_optimizer():
    for made in (loss_of_mlp, scalar_mlp):
        loss = made()
        before = draw(loss, direction="TB")
        for node in list(before._scene.root.adjoints()):
            if node.primitive is None:
                node.value = node.value * 0.5
        after = draw(loss, direction="TB")
        assert {card.path for card in after._scene.cards} == {card.path for card in before._scene.cards}
        assert not any(card.adjoint is not None for card in after._scene.cards)
        assert draw(made(), direction="TB").svg == before.svg


def test_dot_export_numbers_nodes_in_recording_order(product):
    source = draw(product).to_dot().source
    assert re.findall(r"^\t(n\d) \[", source, re.MULTILINE) == ["n0", "n1", "n2"]
    assert re.findall(r"n\d -> n\d", source) == ["n0 -> n2", "n1 -> n2"]
    assert "rankdir=LR" in source
    assert 'shape=box style="rounded,filled"' in source


def test_without_graphviz_drawing_works_and_the_dot_engine_says_what_to_install(product, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert draw(product).to_dot().source
    with pytest.raises(RuntimeError) as caught:
        draw(product, engine="dot")
    assert str(caught.value) == MISSING


def test_the_dot_engine_gives_what_dot_gives(product, monkeypatch, tmp_path):
    program = tmp_path / "dot"
    program.write_text('#!/bin/sh\nwhile read -r line; do :; done\nprintf "<svg>$*</svg>"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert draw(product, engine="dot").svg == "<svg>-Kdot -Tsvg</svg>"


def _titled(build):
    names = "abc"
    y = build(*(Tensor(value, name=name) for name, value in zip(names, (1.5, 0.5, 0.25), strict=True)))
    title = expression(draw(y)._scene)
    return None if title is None else plain(title).split(" = ", 1)[1].split("   at ")[0]


@pytest.mark.parametrize(
    ("build", "title"),
    [
        (lambda a, b, c: a - (b - c), "a − (b − c)"),
        (lambda a, b, c: a - b - c, "a − b − c"),
        (lambda a, b, c: a + (b + c), "a + b + c"),
        (lambda a, b, c: a + (-b), "a + (−b)"),
        (lambda a, b, c: -(a + b), "−(a + b)"),
        (lambda a, b, c: (a + b) * c, "(a + b) c"),
        (lambda a, b, c: a * 2, "a × 2"),
        (lambda a, b, c: 2 * a, "2 a"),
        (lambda a, b, c: a / (b * c), "a / (b c)"),
        (lambda a, b, c: a / b * c, "(a / b) c"),
        (lambda a, b, c: a * b / c, "a b / c"),
        (lambda a, b, c: (a + b) ** 2, "(a + b)²"),
        (lambda a, b, c: (-a) ** 2, "(−a)²"),
        (lambda a, b, c: np.sin(a) ** 2, "sin(a)²"),
        (lambda a, b, c: np.sin(a + b) ** 2, "sin(a + b)²"),
        (lambda a, b, c: np.sin(np.cos(a)), "sin(cos a)"),
        (lambda a, b, c: np.sin(a) * b, "sin(a) b"),
        (lambda a, b, c: a * np.sin(b) * c, "a sin(b) c"),
        (lambda a, b, c: np.log(a) + b, "ln a + b"),
        (lambda a, b, c: np.sqrt(a + b), "√(a + b)"),
        (lambda a, b, c: abs(a - b), "|a − b|"),
        (lambda a, b, c: np.maximum(a - b, c), "max(a − b, c)"),
        (lambda a, b, c: a ** (b + c), "a^(b + c)"),
        (lambda a, b, c: -np.log(1 / (1 + np.exp(-(a * b + c)))), "−ln(1 / (1 + exp(−(a b + c))))"),
        (lambda a, b, c: (a + b + c) * (a - b - c) * (a + b - c) * (b + c - a) * (b - c - a) + a, None),
        (lambda a, b, c: a * Tensor(1.0), None),
        (lambda a, b, c: a * Tensor(1.0, name="a rather long name"), None),
    ],
)
def test_the_title_is_the_formula_of_a_small_graph(build, title):
    assert _titled(build) == title


def test_formulas_are_set_as_runs():
    formula = (Token("variable", "v", "-1", True), Token("text", " = "), Token("variable", "x"), Token("operator", "²"))
    shown = runs(formula)
    assert [run.text for run in shown] == ["v̄", "−1", " = ", "x", "2"]
    assert [run.italic for run in shown] == [True, False, False, True, False]
    assert shown[1].drop > 0 > shown[4].drop
    shifts = [float(dy) for dy in re.findall(r'dy="([-.\d]+)"', tspans(formula, 10))]
    assert sum(shifts[:2]) == pytest.approx(0, abs=0.01), "after a subscript the line is where it was"


def test_an_exponent_is_raised_without_its_brackets():
    formula = tuple(Token("operator" if t in "^()+" else "variable", t) for t in "a^(b+(c))d")
    shown = runs(formula)
    assert "".join(run.text for run in shown) == "ab+(c)d"
    assert [run.text for run in shown if run.drop == 0] == ["a", "d"]


def test_a_formula_is_cut_to_the_width_it_is_given():
    formula = (Token("variable", "v", "1"), Token("text", " = "), Token("text", "name" * 20))
    assert fitted(formula, 16, 1000) == formula
    call = template("concatenate(v, w, [x, z], axis)")
    assert [plain(fitted(call, 16, width)) for width in (190, 160, 130)] == [
        "concatenate(v, w, [x, …])", "concatenate(v, w, …)", "concatenate(…)",
    ]  # fmt: skip
    cut = fitted(formula, 16, 120)
    assert cut[-1].text == "…"
    assert 90 < serif_width(cut, 16) <= 120


@pytest.mark.parametrize(
    ("value", "text"), [(2.0, "2"), (np.float32(0.1), "0.1"), (1 - 2j, "1−2i"), (complex(0, np.inf), "0+∞i")]
)
def test_digits(value, text):
    assert digits(value) == text
