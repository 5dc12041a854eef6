"""The stepper: its steps as data, and the page as text. That it runs is for tests/browser."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re

import numpy as np
import pytest
from frames import page_in, poster_in, without_tooltips
from models import loss_of_mlp, scalar_mlp
from test_emblem import emblem as emblem_picture

import autodiff as ad
from autodiff.notation.formula import plain
from autodiff.picture import draw, steps
from autodiff.picture.content.reading import read
from autodiff.picture.stepping.stepper import MOST_STEPS
from autodiff.picture.stepping.story import story


def emblem():
    x1, x2 = ad.Tensor(2.0, name="x1"), ad.Tensor(5.0, name="x2")
    return np.log(x1) + x1 * x2 - np.sin(x2)


def told(y, seed=None, depth=None):
    scene = read(y, "steps", seed, depth, 60).scene
    return scene, story(scene, None)


def data_of(stepper):
    (found,) = re.findall(r'<script type="application/json" id="story">(.*?)</script>', stepper.html, re.DOTALL)
    return json.loads(found)


# -- the story ---------------------------------------------------------------------------------------------------


def test_the_emblem_goes_forward_value_by_value_and_back_wire_by_wire():
    scene, story = told(emblem())
    assert [step.phase for step in story.steps] == ["start"] + ["forward"] * 7 + ["reverse"] * 9 + ["done"]
    said = [(plain(step.equation), plain(step.numbers)) for step in story.steps]
    assert said[1:8] == [
        ("v₋₁ = x₁", "= 2"),
        ("v₀ = x₂", "= 5"),
        ("v₁ = ln v₋₁", "= ln 2 = 0.6931"),
        ("v₂ = v₋₁ × v₀", "= 2 × 5 = 10"),
        ("v₃ = sin v₀", "= sin 5 = −0.9589"),
        ("v₄ = v₁ + v₂", "= 0.6931 + 10 = 10.6931"),
        ("v₅ = v₄ − v₃", "= 10.6931 − (−0.9589) = 11.6521"),
    ]
    assert said[8:] == [
        ("v̄₅ = ∂v₅/∂v₅ = 1", ""),
        ("v̄₄ += v̄₅ ∂v₅/∂v₄ = v̄₅ × 1", "v̄₄ = 1 × 1 = 1"),
        ("v̄₃ += v̄₅ ∂v₅/∂v₃ = v̄₅ × (−1)", "v̄₃ = 1 × (−1) = −1"),
        ("v̄₁ += v̄₄ ∂v₄/∂v₁ = v̄₄ × 1", "v̄₁ = 1 × 1 = 1"),
        ("v̄₂ += v̄₄ ∂v₄/∂v₂ = v̄₄ × 1", "v̄₂ = 1 × 1 = 1"),
        ("v̄₀ += v̄₃ ∂v₃/∂v₀ = v̄₃ × cos v₀", "v̄₀ = (−1) × 0.2837 = −0.2837"),
        ("v̄₋₁ += v̄₂ ∂v₂/∂v₋₁ = v̄₂ × v₀", "v̄₋₁ = 1 × 5 = 5"),
        ("v̄₀ += v̄₂ ∂v₂/∂v₀ = v̄₂ × v₋₁", "v̄₀ = −0.2837 + 1 × 2 = 1.7163"),
        ("v̄₋₁ += v̄₁ ∂v₁/∂v₋₁ = v̄₁ / v₋₁", "v̄₋₁ = 5 + 1 × 0.5 = 5.5"),
        ("∇f = (v̄₋₁, v̄₀)", "= (5.5, 1.7163)"),
    ]
    assert [wire for step in story.steps if step.phase == "reverse" for wire in step.wires] != []
    assert len({step.wires for step in story.steps if step.phase == "reverse" and step.wires}) == len(scene.wires)


def test_every_value_and_every_adjoint_is_reached_and_complete_in_the_end():
    for y in (emblem(), loss_of_mlp()):
        scene, story = told(y)
        values, totals, complete = {}, {}, {}
        for step in story.steps:
            if step.value is not None:
                assert step.card not in values, "a value is computed once"
                assert all(scene.wires[wire].tail in values for wire in step.wires), "from values that are there"
                values[step.card] = step.value
            if step.total is not None:
                assert not complete.get(step.card), "nothing is added to a complete adjoint"
                assert all(complete[scene.wires[wire].head] for wire in step.wires), "only complete ones are passed on"
                totals[step.card], complete[step.card] = step.total, step.complete
        assert len(values) == len(scene.cards)
        assert set(totals) == {k for k, card in enumerate(scene.cards) if card.adjoint is not None}
        assert all(complete.values())


def test_arrays_show_the_rule_and_the_shape():
    _, story = told(loss_of_mlp())
    said = [(plain(step.equation), plain(step.numbers)) for step in story.steps]
    assert ("v₁ = v₋₆ v₋₅ᵀ + v₋₄", "= 32×16 · f64") in [(e, n.split(",")[0]) for e, n in said]
    assert any(e == "v̄₋₁ += v̄₅ᵀ v₄" and n.startswith("v̄₋₁ is now 1×16 · f64") for e, n in said)
    assert said[-1][0] == "Every adjoint is known."


def test_a_folded_scope_is_one_step():
    _, story = told(loss_of_mlp(), depth=0)
    assert len(story.steps) == 1 + 4 + 1 + 2 + 1
    said = [plain(step.equation) for step in story.steps]
    assert said[2] == "mlp, 5 ops: v₅"
    assert said[6].endswith("+= what mse_loss passes back")
    assert said[7].endswith("+= what mlp passes back")


def test_without_adjoints_there_is_the_way_forward():
    _, story = told(ad.Tensor([1.0, 2.0]) * 2)
    assert [step.phase for step in story.steps] == ["start", "forward", "forward", "done"]
    assert "seed=" in story.steps[-1].note


def test_a_seed_is_shown():
    _, story = told(ad.Tensor(2.0) * 3, seed=0.5)
    assert plain(story.steps[3].equation) == "v̄₁ = 0.5"
    assert plain(story.steps[4].numbers) == "v̄₀ = 0.5 × 3 = 1.5"


# -- the page ----------------------------------------------------------------------------------------------------


def test_the_page_is_complete_in_itself():
    stepper = steps(emblem())
    page = stepper.html
    assert page.startswith("<!doctype html>")
    assert not re.search(r"\bsrc=|\bhref=|@import|url\(|https?://(?!www\.w3\.org/2000/svg)|@@", page)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in page
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function\(|setTimeout\(\"", script)
    assert repr(stepper) == "<Stepper of 17 steps>"


def test_the_picture_in_the_page_is_the_one_that_is_drawn():
    stepper = steps(emblem())
    (svg,) = re.findall(r"<svg xmlns.*?</svg>\n", stepper.html, re.DOTALL)
    plain_svg = re.sub(r' data-role="\w+"|<path d="[^"]*" fill="none" data-role="back"/>\n', "", svg)
    assert plain_svg == draw(emblem()).svg == emblem_picture().svg


def test_the_data_names_what_the_picture_shows():
    stepper = steps(loss_of_mlp())
    data = data_of(stepper)
    assert len(data["steps"]) == len(stepper._story.steps)
    assert stepper.html.count("<g data-node=") == len(data["rows"])
    drawn = {pair for ends in re.findall(r'data-edge="([^"]*)"', stepper.html) for pair in ends.split()}
    assert drawn == {f"{tail},{head}" for tail, head in data["wires"]}
    assert data["steps"][-1]["equation"] == [["Every adjoint is known.", ""]]


def test_without_scripts_the_trace_can_be_read():
    (text,) = re.findall(r"<noscript><pre>(.*?)</pre>", steps(emblem()).html, re.DOTALL)
    assert html.unescape(text) == str(ad.trace(emblem()))


def test_notebooks_get_a_frame_without_an_origin_over_a_poster():
    stepper = steps(emblem())
    bundle = stepper._repr_mimebundle_()
    assert bundle["text/plain"] == str(ad.trace(emblem()))
    shown = bundle["text/html"]
    assert 'sandbox="allow-scripts"' in shown
    assert "allow-same-origin" not in shown
    assert page_in(shown) == stepper.html
    assert poster_in(shown) == without_tooltips(draw(emblem()).svg)


def test_a_stepper_saves_its_page_and_nothing_else(tmp_path):
    stepper = steps(emblem())
    stepper.save(tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == stepper.html
    with pytest.raises(ValueError, match=r"a\.svg.*\.html"):
        stepper.save(tmp_path / "a.svg")


def test_too_many_steps_are_refused_with_what_to_do():
    with pytest.raises(ValueError, match=rf"takes [\d,]+ steps.*{MOST_STEPS}.*smaller depth="):
        steps(scalar_mlp(), depth=2)
    by_scope = steps(scalar_mlp())
    assert len(by_scope._story.steps) <= MOST_STEPS
    assert any(card.fold for card in by_scope._scene.cards)
    assert len(steps(scalar_mlp(), depth=1)._story.steps) < MOST_STEPS
    with pytest.raises(TypeError, match=r"ad\.steps"):
        steps(3.0)  # type: ignore[arg-type]
