"""Hostile names in a browser: in pictures, pages, steppers and notebooks they are text, and nothing of them runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import autodiff as ad
from autodiff.picture.content.lettering import esc

sys.path.insert(0, str(Path(__file__).parents[1] / "picture"))
from hostile import NAMES, computation

INSTALL = """
self.ran = [];
for (const name of ["alert", "confirm", "prompt", "eval"]) self[name] = (text) => self.ran.push(String(text));
"""
KNOWN = (
    "html head meta title style body main nav button svg path input span section div table caption thead tr th tbody "
    "td noscript pre script g rect text tspan desc sub sup i img iframe p polyline circle"
)
# Elements that no page of ours has, and attributes that would run something or lead somewhere.
FOREIGN = """
const known = arguments[0].split(" "), words = ["srcdoc", "alt", "title", "aria-label"];
const foreign = (attribute) => attribute.name.startsWith("on") || /^(xlink:)?href$/.test(attribute.name) ||
  (/javascript:/i.test(attribute.value) && !words.includes(attribute.name));
return [...document.querySelectorAll("*")]
  .filter((element) => !known.includes(element.localName) || [...element.attributes].some(foreign))
  .map((element) => element.outerHTML.slice(0, 200));
"""


@pytest.fixture(scope="module")
def watched(shared_browser):
    """The browser with traps for what a script would call, in every page before anything else runs."""
    installed = shared_browser.command("Page.addScriptToEvaluateOnNewDocument", source=INSTALL)
    yield shared_browser
    shared_browser.command("Page.removeScriptToEvaluateOnNewDocument", identifier=installed["identifier"])


def check(watched, browser, path):
    browser.open(path)
    assert browser.run(FOREIGN, KNOWN) == []
    assert browser.run("return self.ran ?? []") == []


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_pictures_and_pages(watched, browser, tmp_path, name):
    for depth in (None, 0):
        picture = ad.draw(computation(name), title=name, depth=depth)
        picture.save(tmp_path / "picture.svg")
        picture.save(tmp_path / "picture.html")
        check(watched, browser, tmp_path / "picture.svg")
        check(watched, browser, tmp_path / "picture.html")
        browser.run("for (let view = 0; view < views.length; view += 1) show(view)")
        browser.run("part('search').value = arguments[0]; part('search').dispatchEvent(new Event('input'))", esc(name))
        assert browser.run(FOREIGN, KNOWN) == []
        assert browser.run("return self.ran ?? []") == []


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_steppers_at_every_step(watched, browser, tmp_path, name):
    path = tmp_path / "steps.html"
    ad.steps(computation(name), title=name).save(path)
    check(watched, browser, path)
    last = browser.run("return Number(document.getElementById('slider').max)")
    assert last > 20
    browser.run("for (let step = 0; step <= arguments[0]; step += 1) show(step)", last)
    assert browser.run("return document.getElementById('count').textContent") == f"{last} / {last}"
    assert browser.run(FOREIGN, KNOWN) == []
    assert browser.run("return self.ran") == []


@pytest.mark.parametrize("name", NAMES[:12], ids=ascii)
def test_notebook_displays(watched, browser, tmp_path, name):
    path = tmp_path / "notebook.html"
    y = computation(name)
    shown = [ad.steps(y, title=name)._repr_html_(), ad.trace(y)._repr_html_(), ad.draw(y, title=name).svg]
    shown += [ad.draw(y, title=name, depth=depth)._repr_html_() for depth in (None, 0)]
    path.write_text("<!doctype html><meta charset=utf-8><body>" + "\n".join(shown), encoding="utf-8")
    check(watched, browser, path)
    for frame, ready in enumerate(("#trace td", "body.live", "body.live")):
        browser.driver.switch_to.frame(frame)
        try:
            browser.wait(ready)
            assert browser.run(FOREIGN, KNOWN) == []
            assert browser.run("return self.ran ?? []") == []
        finally:
            browser.driver.switch_to.default_content()


@pytest.mark.parametrize("name", NAMES[:12], ids=ascii)
def test_films_at_every_frame(watched, browser, tmp_path, name):
    path = tmp_path / "film.html"
    picture = ad.draw(computation(name), title=name, depth=0).svg
    film = ad.Film([(picture, name, float(k)) for k in range(3)], name)
    film.save(path)
    check(watched, browser, path)
    assert browser.run("return frames.length") == 3
    browser.run("for (let k = 0; k <= last; k += 1) show(k)")
    assert browser.run(FOREIGN, KNOWN) == []
    assert browser.run("return self.ran ?? []") == []


def test_a_film_plays(browser, tmp_path):
    path = tmp_path / "film.html"
    ad.Film([(ad.draw(ad.Tensor(2.0, name="x") * k).svg, f"k = {k}", 2.0 * k) for k in range(1, 5)], "x").save(path)
    browser.open(path)
    label = "return document.getElementById('label').textContent"
    assert browser.run(label) == "k = 4"
    browser.press("\ue011")  # Home
    assert browser.run(label) == "k = 1"
    browser.press("\ue014")  # right
    assert browser.run(label) == "k = 2"
    shown = "return [...document.querySelectorAll('section')].filter((s) => s.getClientRects().length).length"
    assert browser.run(shown) == 1
