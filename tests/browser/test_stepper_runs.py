"""The stepper in a browser: keys, buttons, slider and address lead to the same steps."""

from __future__ import annotations

import itertools
import zlib

import numpy as np
import pytest

import autodiff as ad
import nn

STEPS = 17
KEYS = {"left": "\ue012", "right": "\ue014", "home": "\ue011", "end": "\ue010", "space": "\ue00d"}
# All that a reader can see of a step, as texts and classes.
STATE = """
const shown = "#graph [data-node], #graph [data-edge], #graph [data-role], #trace tr, #trace td, #trace td > span, " +
  "#equation, #numbers, #note, #phase, #count, body";
const state = [...document.querySelectorAll(shown)].map((element) => [
  [...element.classList].sort().join(" "), element.childElementCount ? "" : element.textContent, element.disabled]);
return JSON.stringify(state) + document.getElementById("slider").value + document.getElementById("equation").innerHTML +
  document.getElementById("numbers").innerHTML;
"""


SLIDE = """
const slider = document.getElementById("slider");
slider.value = arguments[0];
slider.dispatchEvent(new Event("input", { bubbles: true }));
"""
ACTIVE = "return [...document.querySelectorAll('#graph .active')].map((e) => e.dataset.node ?? e.dataset.edge)"
ADJOINTS = "return [...document.querySelectorAll('#graph [data-role=adjoint]')].map((e) => e.textContent)"


@pytest.fixture(scope="module")
def emblem(tmp_path_factory):
    x1, x2 = ad.Tensor(2.0, name="x1"), ad.Tensor(5.0, name="x2")
    path = tmp_path_factory.mktemp("emblem") / "emblem.html"
    ad.steps(np.log(x1) + x1 * x2 - np.sin(x2)).save(path)
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.html"
    X = ad.Tensor(np.linspace(-1, 1, 24).reshape(12, 2), name="X")
    ad.steps(nn.MSELoss()(nn.MLP(2, 16, 16, 1, rng=0)(X), np.ones((12, 1)))).save(path)
    return path


def get(browser, name, what):
    return browser.run("return document.getElementById(arguments[0])[arguments[1]]", name, what)


def at(browser):
    return int(get(browser, "count", "textContent").split(" / ")[0])


def test_the_address_and_as_many_presses_show_the_same(browser, emblem):
    pressed = []
    browser.open(emblem)
    for _ in range(STEPS + 1):
        pressed.append(browser.run(STATE))
        browser.press(KEYS["right"])
    assert len(set(pressed)) == STEPS + 1
    browser.press(KEYS["right"])
    assert at(browser) == STEPS
    for step in range(STEPS + 1):
        browser.open(emblem, f"#step={step}")
        assert browser.run(STATE) == pressed[step], step
    for step in range(STEPS, -1, -1):
        assert browser.run(STATE) == pressed[step], step
        browser.press(KEYS["left"])
    assert at(browser) == 0


def test_home_end_buttons_and_slider(browser, emblem):
    browser.open(emblem)
    browser.press(KEYS["end"])
    assert at(browser) == STEPS
    assert [get(browser, name, "disabled") for name in ("next", "last", "first", "back")] == [True, True, False, False]
    browser.press(KEYS["home"])
    assert at(browser) == 0
    for button, step in (("next", 1), ("next", 2), ("back", 1), ("last", STEPS), ("first", 0)):
        browser.driver.find_element("id", button).click()
        assert at(browser) == step
    by_key = []
    for step in (5, 13, 2):
        browser.run(SLIDE, step)
        assert at(browser) == step
        by_key.append(browser.run(STATE))
        assert f"step {step} of {STEPS}" in get(browser, "slider", "ariaValueText")
    slider = browser.driver.find_element("id", "slider")
    slider.send_keys(KEYS["right"])
    assert at(browser) == 3, "an arrow key moves one step, not two, where the slider has the focus"


def test_an_address_that_makes_no_sense_is_the_start_or_the_end(browser, emblem):
    for fragment, step in (("#step=999", STEPS), ("#step=-1", 0), ("#step=x", 0), ("#step=9999999", 0), ("#else", 0)):
        browser.open(emblem, fragment)
        assert at(browser) == step
    browser.run("location.hash = '#step=4'")
    browser.run("return new Promise((resolve) => setTimeout(resolve, 50))")
    assert at(browser) == 4


def test_space_plays_and_pauses(browser, emblem):
    browser.open(emblem)
    browser.press(KEYS["space"])
    assert get(browser, "play", "textContent") == "Pause"
    browser.run("return new Promise((resolve) => setTimeout(resolve, 1600))")
    assert at(browser) == 1
    browser.press(KEYS["space"])
    assert get(browser, "play", "textContent") == "Play"
    browser.press(KEYS["end"], KEYS["space"])
    assert at(browser) == 0, "played again from the start"
    browser.press(KEYS["right"])
    assert get(browser, "play", "textContent") == "Play"


def test_a_step_shows_what_it_is_about(browser, emblem):
    browser.open(emblem, "#step=13")
    assert get(browser, "equation", "textContent") == "v̄0 += v̄3 ∂v3/∂v0 = v̄3 × cos v0"
    assert get(browser, "numbers", "textContent") == "v̄0 = (−1) × 0.2837 = −0.2837"
    assert get(browser, "phase", "textContent") == "reverse"
    assert sorted(browser.run(ACTIVE)) == ["1", "1,5"]
    assert browser.run("return document.querySelector('#graph .active [data-role=adjoint]').textContent") == "−0.2837"
    assert browser.run(ADJOINTS).count("·") == 1
    assert browser.run("return document.querySelector('tr.reverse td.total').textContent") == "−0.2837"
    browser.press(KEYS["end"])
    assert {"5.5", "1.7163"} <= set(browser.run(ADJOINTS))


def test_at_the_start_the_whole_picture_is_there_and_then_what_is_known(browser, emblem):
    browser.open(emblem)
    assert browser.run("return document.querySelectorAll('#graph .dim').length") == 0
    browser.press(KEYS["right"])
    assert browser.run("return document.querySelectorAll('#graph [data-node].dim').length") == 6


def test_motion_stops_where_it_is_not_wanted(browser, emblem):
    moving = "return getComputedStyle(document.querySelector('#graph .active.back > [data-role=wire]')).animationName"
    browser.open(emblem, "#step=13", still=True)
    assert browser.run(moving) == "none"
    browser.open(emblem, "#step=13", still=False)
    assert browser.run(moving) == "flow"


def test_arrays_show_their_adjoints_when_they_have_them(browser, model):
    browser.open(model)
    hidden = "return document.querySelectorAll('#graph g[data-role=adjoint].hidden').length"
    assert browser.run(hidden) > 5
    browser.press(KEYS["end"])
    assert browser.run(hidden) == 0
    assert browser.run("return document.querySelectorAll('#graph .partial').length") == 0


def test_a_narrow_window_shows_everything_without_scrolling_the_page_sideways(browser, emblem, model):
    for path, width in itertools.product((emblem, model), (390, 1200, 1500)):
        browser.open(path, "#step=3", width=width)
        assert browser.run("return document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert browser.run("return graph.querySelector('svg').getBoundingClientRect().width") >= 570
        # The card that the step is about is in view.
        assert browser.run(
            "const card = document.querySelector('#graph [data-node].active').getBoundingClientRect(),"
            " view = graph.getBoundingClientRect(); return card.left >= view.left && card.right <= view.right"
        )


def test_without_scripts_the_picture_and_the_trace_are_there(browser, emblem):
    browser.command("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(emblem)
        assert "v₁ = ln v₋₁" in browser.driver.find_element("css selector", "noscript").get_attribute("textContent")
        assert len(colours(browser.screenshot())) > 50
    finally:
        browser.command("Emulation.setScriptExecutionDisabled", value=False)


def test_in_a_notebook_the_frame_runs_and_has_no_origin(browser, emblem, tmp_path):
    x = ad.Tensor(2.0, name="x")
    page = tmp_path / "notebook.html"
    page.write_text(f"<!doctype html><meta charset=utf-8><body>{ad.steps(x * x)._repr_html_()}", encoding="utf-8")
    browser.open(page)
    browser.driver.switch_to.frame(0)
    try:
        browser.wait("#trace tr")
        assert browser.run("return document.querySelectorAll('#trace tr').length") == 2
        browser.driver.find_element("id", "next").click()
        assert at(browser) == 1
        assert browser.run("return self.origin") == "null"
    finally:
        browser.driver.switch_to.default_content()


def colours(png):
    """The different colours of a screenshot, read with nothing but zlib (8 bits a channel, as browsers write)."""
    width, height = int.from_bytes(png[16:20]), int.from_bytes(png[20:24])
    channels = {2: 3, 6: 4}[png[25]]
    data, place = b"", 8
    while place < len(png):
        length, kind = int.from_bytes(png[place : place + 4]), png[place + 4 : place + 8]
        data += png[place + 8 : place + 8 + length] if kind == b"IDAT" else b""
        place += 12 + length
    raw = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, 1 + width * channels)
    rows, before = [], np.zeros(width * channels, np.uint8)
    for filtered in raw:
        row = unfiltered(int(filtered[0]), filtered[1:].copy(), before, channels)
        rows.append(row)
        before = row
    pixels = np.stack(rows).reshape(-1, channels)[:, :3].astype(np.int64)
    return set((pixels @ [65536, 256, 1]).tolist())


def unfiltered(kind, row, above, step):
    """A row of a PNG, its filter undone."""
    if kind == 2:
        return row + above
    if kind == 0:
        return row
    line = row.astype(np.int64).tolist()
    up = above.astype(np.int64).tolist()
    for k in range(len(line)):
        left, corner = (line[k - step], up[k - step]) if k >= step else (0, 0)
        if kind == 1:
            guess = left
        elif kind == 3:
            guess = (left + up[k]) // 2
        else:
            p = left + up[k] - corner
            guess = min((abs(p - left), 0, left), (abs(p - up[k]), 1, up[k]), (abs(p - corner), 2, corner))[2]
        line[k] = (line[k] + guess) % 256
    return np.array(line, np.uint8)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_window_is_not_blank_and_follows_the_readers_mode(browser, emblem, model, dark):
    paper, other = (0x0D1117, 0xFFFFFF) if dark else (0xFFFFFF, 0x0D1117)
    for path in (emblem, model):
        browser.open(path, "#step=9", dark=dark)
        found = colours(browser.screenshot())
        assert len(found) > 100
        assert paper in found
        assert path == model or other not in found
