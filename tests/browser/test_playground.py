"""The playground's page in a browser: training moves, controls do what they say, and nobody else is asked."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
import time
from urllib.parse import urlsplit

import pytest

pytest.importorskip("tornado", reason='no server: pip install ".[playground]"')

TEXT = "return document.querySelector(arguments[0])?.textContent ?? null"
CLICK = "document.querySelector(arguments[0]).click()"
PIXELS = "return document.querySelector(arguments[0]).toDataURL()"
SELECT = """
const select = document.querySelector(arguments[0]);
select.value = arguments[1];
select.dispatchEvent(new Event("change"));
"""
COUNT_FRAMES = """
const context = document.querySelector(".map canvas").getContext("2d");
const put = context.putImageData.bind(context);
self.frames = 0;
context.putImageData = (...given) => { self.frames += 1; put(...given); };
"""
# Point at the middle of the first line, at what is really there.
POINT_AT_MIDDLE = """
const line = document.querySelector(".hit");
const { x, y } = line.getPointAtLength(line.getTotalLength() / 2).matrixTransform(line.getScreenCTM());
const found = document.elementFromPoint(x, y);
if (found.classList.contains("hit")) found.dispatchEvent(new PointerEvent("pointerenter"));
"""
TOKEN = re.compile(r"http://127\.0\.0\.1:\d+/[\w-]{32}/")


@pytest.fixture(scope="module")
def address():
    """The address of a server that was started as users start it."""
    command = [sys.executable, "-m", "nn", "playground", "xor", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        line = server.stdout.readline()
        yield TOKEN.search(line).group(0)
        server.terminate()


class Page:
    """The page, and what a user does to it."""

    def __init__(self, browser, address):
        self.browser = browser
        self.address = address

    def open(self, settings="", **options):
        self.browser.visit(self.address + settings, **options)
        self.until(lambda: self.text(".epochs") not in (None, "–"))

    def until(self, holds, seconds=20):
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"still not so; the page says {self.text('.error')!r}"
            time.sleep(0.05)

    def text(self, selector):
        return self.browser.run(TEXT, selector)

    def click(self, selector):
        self.browser.run(CLICK, selector)

    def select(self, name, value):
        self.browser.run(SELECT, f"[name={name}]", value)

    def pixels(self, selector):
        return self.browser.run(PIXELS, selector)

    @property
    def epoch(self):
        return float(self.text(".epochs"))

    @property
    def hash(self):
        return self.browser.run("return decodeURIComponent(location.hash.slice(1))")

    def setting(self, name, value):
        """Wait until the address says that a setting has a value."""
        self.until(lambda: f"{name}={value}" in self.hash.split("&"))


@pytest.fixture
def page(shared_browser, address):
    """The page; after the test nothing is on the console, and nothing was asked for but from the page's own address."""
    yield Page(shared_browser, address)
    assert shared_browser.dialog() is None
    assert shared_browser.console() == []
    entries = [json.loads(entry["message"])["message"] for entry in shared_browser.driver.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in entries if m["method"] == "Network.requestWillBeSent"]
    asked += [m["params"]["url"].replace("ws:", "http:") for m in entries if m["method"] == "Network.webSocketCreated"]
    assert asked
    assert [url for url in asked if not url.startswith((address, "data:", "about:"))] == []
    shared_browser.driver.get("about:blank")


def test_the_spiral_is_learned_in_twenty_seconds(page):
    page.open("#data=spiral&layers=8,8")
    began = time.monotonic()
    page.click("button.play")
    page.until(lambda: float(page.text(".test .accuracy").split()[0]) >= 95, 60)
    seconds = time.monotonic() - began
    page.click("button.play")
    print(f"95 % after {seconds:.1f} s")
    assert page.epoch > 20


def test_training_moves_what_is_seen(page):
    page.open("#data=circle")
    selectors = ".map canvas", "[data-key='neuron 1 0'] canvas", "[data-key='neuron 2 1'] canvas", ".curves"
    before = [page.pixels(s) for s in selectors]
    widths = "return [...document.querySelectorAll('.weight')].map((line) => line.style.strokeWidth).join()"
    lines = page.browser.run(widths)
    page.browser.run(COUNT_FRAMES)
    page.click("button.play")
    page.until(lambda: page.epoch > 5 and page.browser.run("return self.frames") > 5)
    assert page.browser.run("return document.querySelector('button.play').getAttribute('aria-label')") == "Pause"
    page.click("button.play")
    time.sleep(0.3)
    stopped = page.epoch
    assert all(a != page.pixels(s) for s, a in zip(selectors, before, strict=True))
    assert page.browser.run(widths) != lines
    time.sleep(0.3)
    assert page.epoch == stopped
    assert re.fullmatch(r"epoch \d+, test loss .*, test accuracy \d+ %", page.text("[role=status]"))


def test_steps_and_reset(page):
    page.open("#data=circle")
    fresh = page.pixels(".map canvas")
    page.click("button.step")
    page.until(lambda: page.epoch == 0.05)
    page.click("button.epoch")
    page.until(lambda: page.epoch == 1)
    assert page.pixels(".map canvas") != fresh
    page.click("button.reset")
    page.until(lambda: page.epoch == 0)
    assert page.pixels(".map canvas") == fresh


def test_controls_do_what_they_say(page):
    page.open()
    for name, value in {
        "activation": "relu",
        "loss": "hinge",
        "optimizer": "sgd",
        "lr": "0.1",
        "l1": "0.001",
        "l2": "0.01",
        "dropout": "0.2",
        "init": "zeros",
    }.items():
        page.select(name, value)
        page.setting(name, value)
    for name in ("batch_norm", "skip"):
        page.click(f"input[name={name}]")
        page.setting(name, "1")
    for name, value in {"noise": "0.2", "train": "0.7", "batch_size": "20"}.items():
        page.select(name, value)  # a slider is set in the same way
        page.setting(name, value)
    page.click("[data-set=moons]")
    page.setting("data", "moons")
    page.click("[data-key='input x1*x2']")
    page.setting("inputs", "x1,x2,x1*x2")
    page.click("[aria-label='one layer more']")
    page.setting("layers", "4,2,2")
    page.click("[data-key='more 1']")
    page.setting("layers", "4,3,2")
    page.click("[data-key='less 0']")
    page.setting("layers", "3,3,2")
    assert page.browser.run("return document.querySelectorAll('.weight').length") == 3 * 3 + 3 * 3 + 3 * 2 + 2
    code = page.text("pre")
    for line in ("moons(400, noise=0.2", "nn.Residual(nn.Linear(3, 3", "nn.Dropout(0.2, rng=rng)", "SGD", "lr=0.1"):
        assert line in code
    page.browser.driver.refresh()  # the address is all that is needed to be here again
    page.until(lambda: page.text("pre") == code)


def test_changes_that_come_faster_than_answers_are_all_made(page):
    page.open("#layers=4,2")
    page.browser.run(
        """
        const click = (selector) => document.querySelector(selector).click();
        for (let k = 0; k < 3; k += 1) click("[data-key='more 1']");
        click("[data-key='less 0']");
        click("[data-key='input x1*x2']");
        click("[data-key='input x1']");
        """
    )
    page.setting("layers", "3,5")
    page.setting("inputs", "x2,x1*x2")


def test_presets_and_regression(page):
    page.open()
    page.browser.run(SELECT, ".presets", "#data=hills&layers=8,8")
    page.setting("data", "hills")
    options = "return [...document.querySelector('select[name=loss]').options].map((option) => option.value)"
    assert page.browser.run(options) == ["mse", "huber", "l1"]
    page.click("button.epoch")
    page.until(lambda: page.epoch == 1)
    assert page.text(".test .accuracy") == ""


def test_adjoints_in_place_of_values(page):
    page.open("#data=circle&layers=6,6,6,6&activation=sigmoid&init=lecun_uniform")
    tile = "[data-key='neuron 1 0'] canvas"
    values = page.pixels(tile)
    page.click(".modes button:nth-child(2)")
    page.until(lambda: page.pixels(tile) != values)
    sizes = page.browser.run("return [...document.querySelectorAll('.note .size')].map((e) => e.textContent)")
    numbers = [float(size.replace("−", "-")) for size in sizes[1:]]
    assert numbers == sorted(numbers)
    assert numbers[0] < 0.02 * numbers[-1]
    page.click(".modes button:nth-child(1)")
    page.until(lambda: page.pixels(tile) == values)


def test_pointing_at_a_neuron_and_a_weight(page):
    page.open("#data=circle&layers=2")
    page.click("button.epoch")
    page.until(lambda: page.epoch == 1)
    page.browser.run("document.querySelector('[data-key=\"neuron 1 1\"]').focus()")
    assert page.text(".result h2") == "Layer 1, neuron 2"
    assert re.match(r"valueh₂⁽¹⁾ = tanh\(.* x₁ [+−] .* x₂ [+−] .*\)$", page.text(".said.value"))
    assert re.match(r"adjointh̄₂⁽¹⁾ = .* δ,  b̄₂⁽¹⁾ = Σ δ₂⁽¹⁾ = ", page.text(".said.adjoint"))
    page.browser.run(POINT_AT_MIDDLE)
    assert re.match(r"valuew\S+⁽¹⁾ = ", page.text(".said.value"))
    assert re.match(r"adjointw̄\S+⁽¹⁾ = Σ δ\S⁽¹⁾ x\S = ", page.text(".said.adjoint"))


def test_one_sample_forward_and_backward(page):
    page.open("#data=circle&layers=3,2")
    page.click("[data-tab=sample]")
    page.until(lambda: page.text(".count") == "1 / 28")
    seen = []
    for _ in range(28):
        seen.append((page.text(".phase"), page.text(".story")))
        page.click("[aria-label='Step forward']")
    assert [phase for phase, _ in seen] == ["forward"] * 8 + ["backward"] * 20
    assert "loss L = " in seen[7][1]
    assert seen[8][1].startswith("δ = ∂L/∂y = ")
    # δ · h is the adjoint of the weight, with the numbers that stand there
    number = r"(−?[\d.]+(?:e−?\d+)?)"
    product = re.search(rf"w̄.* = {number} · {number} = {number}$", seen[9][1])
    a, b, c = (float(n.replace("−", "-")) for n in product.groups())
    assert a * b == pytest.approx(c, rel=0.02, abs=2e-3)
    page.click("[data-tab=trace]")
    assert page.browser.run("return document.querySelectorAll('.figured').length") == 0


def test_the_landscape(page):
    page.open("#data=circle")
    for _ in range(4):
        page.click("button.epoch")
    page.until(lambda: page.epoch == 4)
    page.click("[data-tab=landscape]")
    page.until(lambda: "of the way lies in this plane" in (page.text(".landscape p") or ""))
    assert page.browser.run("return document.querySelector('.landscape canvas').width") > 100


def test_keys(page):
    page.open("#data=circle")
    page.browser.press("\ue014")  # an arrow to the right
    page.until(lambda: page.epoch == 0.05)
    page.browser.press(" ")
    page.until(lambda: page.epoch > 1)
    page.browser.press(" ")
    page.browser.press("a")
    page.until(lambda: page.browser.run("return document.querySelector('.adjoints') !== null"))
    page.browser.press("r")
    page.until(lambda: page.epoch == 0)


def test_everything_has_a_name_and_fits_a_narrow_screen(page):
    page.open("#data=circle", width=390, dark=True)
    nameless = """
    return [...document.querySelectorAll("button, input, select, [role=img]")]
      .filter((e) => !(e.getAttribute("aria-label") || e.textContent.trim() || e.closest("label")?.textContent.trim()))
      .map((e) => e.outerHTML);
    """
    assert page.browser.run(nameless) == []
    for tab in ("sample", "landscape", "code", "trace"):
        page.click(f"[data-tab={tab}]")
        assert page.browser.run("return document.documentElement.scrollWidth") <= 390
    assert page.browser.run("return getComputedStyle(document.documentElement).backgroundColor") == "rgb(15, 19, 25)"


def test_the_notebook_decides_about_dark_mode(page):
    page.open()
    scheme = """
    document.body.className = arguments[0];
    return getComputedStyle(document.querySelector("main")).colorScheme;
    """
    assert page.browser.run(scheme, "") == "light dark"
    for name in ("dark", "vscode-dark"):
        assert page.browser.run(scheme, name) == "dark"
    for name in ("light", "vscode-light"):
        assert page.browser.run(scheme, name) == "light"


@pytest.mark.parametrize(
    "settings",
    [
        "#data=<img src=x onerror=alert(1)>",
        "#activation=javascript:alert(1)&layers=</script><script>alert(1)</script>",
        "#lr=1e999",
        "#__proto__=1",
    ],
)
def test_hostile_addresses_are_text(page, settings):
    page.open(settings)
    assert "Error: " in page.text(".error")
    assert page.browser.run("return document.querySelectorAll('main img, main script').length") == 0
    page.click("button.epoch")
    page.until(lambda: page.epoch == 1)


def test_a_loss_that_is_not_finite_stops_the_training(page):
    page.open("#data=hills&activation=relu&optimizer=sgd&lr=100000&layers=8,8")
    page.click("button.play")
    page.until(lambda: "not finite" in page.text(".error"))
    assert page.browser.run("return document.querySelector('.playing')") is None


def test_nobody_else_is_let_in(address):
    parts = urlsplit(address)

    def status(path, **headers):
        connection = http.client.HTTPConnection(parts.netloc, timeout=5)
        connection.request("GET", path, headers=headers)
        found = connection.getresponse().status
        connection.close()
        return found

    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    assert status(parts.path) == 200
    assert status("/") == status("/" + "x" * 32 + "/") == status(parts.path + "settings.py") == 404
    assert status(parts.path + "..%2fserver.py") == 404
    assert status(parts.path, Host="evil.example") == status(parts.path, Host=f"evil.example:{parts.port}") == 403
    assert status(parts.path + "talk", Origin=f"http://{parts.netloc}", **upgrade) == 101
    assert status(parts.path + "talk", Origin="http://evil.example", **upgrade) == 403
    assert status(parts.path + "talk", Origin="null", **upgrade) == 403
    assert status(parts.path + "talk", Host="evil.example", Origin="http://evil.example", **upgrade) == 403
