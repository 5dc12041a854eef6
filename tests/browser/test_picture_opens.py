"""The page of a picture in a browser: folded cards open and close, names are found, it can be read without scripts."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import autodiff as ad

sys.path.insert(0, str(Path(__file__).parents[1] / "picture"))
from models import loss_of_mlp

SHOWN = "return [...document.querySelectorAll('section')].findIndex((s) => getComputedStyle(s).display !== 'none')"
CLICK = "document.querySelector(arguments[0]).dispatchEvent(new MouseEvent('click', { bubbles: true }))"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A model as one card: in it three layers, of which two are cards again."""
    path = tmp_path_factory.mktemp("pages") / "model.html"
    ad.draw(loss_of_mlp(), max_cards=5).save(path)
    return path


def test_a_folded_card_opens_where_it_is_clicked_and_escape_leads_back(browser, page):
    browser.open(page)
    assert browser.run(SHOWN) == 0
    assert browser.run("return views.length") > 2
    browser.run(CLICK, ".open .opens")
    assert browser.run(SHOWN) == 1
    way = browser.run("return [...document.querySelectorAll('#way button')].map((b) => b.textContent)")
    assert len(way) == 2
    browser.press("\ue00c")  # Escape
    assert browser.run(SHOWN) == 0
    assert browser.run("return document.activeElement.classList.contains('opens')"), "the card that was open has focus"
    browser.press("\ue007")  # Enter
    assert browser.run(SHOWN) == 1
    browser.run(CLICK, "#way button")
    assert browser.run(SHOWN) == 0


def test_names_are_found_in_every_view(browser, page):
    browser.open(page)
    browser.press("/")
    browser.press("bias")
    assert browser.run("return document.getElementById('found').textContent").startswith("1 of ")
    first = browser.run(SHOWN), browser.run("return document.querySelectorAll('.found').length")
    assert first[0] > 0, "the parameters are inside"
    assert first[1] >= 1
    browser.press("\ue007")
    assert browser.run("return document.getElementById('found').textContent").startswith("2 of ")
    browser.press("\ue00c")
    assert browser.run("return document.querySelectorAll('.found, .dim').length") == 0


def test_hovering_lights_up_what_depends_on_a_card_and_keys_zoom(browser, page):
    browser.open(page)
    over = "document.querySelector(`.open [data-node='${arguments[0]}']`)"
    browser.run(f"{over}.dispatchEvent(new PointerEvent('pointerover', {{ bubbles: true }}))", 0)
    assert browser.run("return document.querySelectorAll('.open [data-node].dim').length") > 0
    width = "return views[0].picture.getBoundingClientRect().width"
    before = browser.run(width)
    browser.press("+")
    assert browser.run(width) == pytest.approx(1.25 * before, rel=0.01)
    browser.press("0")
    assert browser.run(width) == pytest.approx(before, rel=0.01)


def test_in_a_narrow_window_text_keeps_its_size_and_the_whole_is_a_key_away(browser, page):
    browser.open(page, width=400)
    scale = "return views[0].picture.getBoundingClientRect().width / views[0].picture.viewBox.baseVal.width"
    assert browser.run(scale) == pytest.approx(1.0, rel=0.01)
    assert browser.run("return [scrollX, scrollY]") == [0, 0]
    box = "document.querySelector('{}').getBoundingClientRect()"
    above = f"return {box.format('#tools')}.bottom <= {box.format('.open svg')}.top"
    assert browser.run(above), "nothing lies on the picture"
    browser.press("0")
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")


def test_two_fingers_zoom(browser, page):
    browser.open(page)
    send = (
        "views[0].picture.dispatchEvent(new PointerEvent('pointermove', { pointerId: arguments[0], "
        "pointerType: 'touch', clientX: arguments[1], clientY: 100, bubbles: true }))"
    )
    for finger, x in ((1, 100), (2, 200), (2, 300)):
        browser.run(send, finger, x)
    assert browser.run("return zoom") == pytest.approx(2.0, rel=0.01)


def test_without_scripts_all_pictures_stand_one_below_the_other(browser, page):
    browser.command("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(page)
        sections = browser.driver.find_elements("css selector", "section")
        assert len(sections) > 2
        assert all(section.is_displayed() for section in sections)
    finally:
        browser.command("Emulation.setScriptExecutionDisabled", value=False)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_in_a_notebook_the_page_is_unpacked_and_needs_no_bars(browser, tmp_path, dark):
    path = tmp_path / "cell.html"
    made = loss_of_mlp() if dark else np.tanh(ad.Tensor(0.5, name="x") * 2)
    shown = ad.draw(made, depth=0)._repr_html_()
    path.write_text(f"<!doctype html><meta charset=utf-8><body style='margin:0;width:953px'>{shown}", encoding="utf-8")
    browser.open(path, width=1000, dark=dark)
    browser.driver.switch_to.frame(0)
    try:
        browser.wait("body.live")
        assert browser.run("return document.documentElement.scrollHeight <= innerHeight")
        assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
        assert browser.run("return self.origin") == "null"
        paper = browser.run("return getComputedStyle(document.documentElement).backgroundColor")
        assert paper == ("rgb(13, 17, 23)" if dark else "rgb(255, 255, 255)")
    finally:
        browser.driver.switch_to.default_content()
