"""The playground in a cell of a real JupyterLab: it trains there, Python has what is seen, and a closed cell stops."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time

import pytest

pytest.importorskip("anywidget", reason='no widgets: pip install ".[notebook]"')
pytest.importorskip("jupyterlab", reason='no JupyterLab: pip install ".[notebook]"')

CELLS = (
    "import nn\nplay = nn.playground('circle', layers=(3,))\nplay",
    "print('trained', len(play.history), play.settings.layers)\nplay.train(2) and None",
    "print('later', len(play.history))",
)
OUTPUTS = "return [...document.querySelectorAll('.jp-OutputArea-output pre')].map((e) => e.textContent).join('')"
LAB_CONFIG = """
c.ServerApp.open_browser = False
c.ServerApp.ip = "127.0.0.1"
c.ServerApp.port = 0
c.ServerApp.allow_root = True
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab with one notebook, started in a folder of its own."""
    home = tmp_path_factory.mktemp("lab")
    empty = {"cell_type": "code", "outputs": [], "metadata": {}, "execution_count": None}
    cells = [{**empty, "source": source, "id": f"cell{k}"} for k, source in enumerate(CELLS)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    (home / "play.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    (home / "config.py").write_text(LAB_CONFIG, encoding="utf-8")
    names = "HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"
    environment = os.environ | {name: str(home / name.lower()) for name in names}
    command = [sys.executable, "-m", "jupyterlab", f"--config={home / 'config.py'}", f"--notebook-dir={home}"]
    with (
        (home / "log").open("w") as log,
        subprocess.Popen(command, stdout=log, stderr=log, env=environment) as server,
    ):
        end = time.monotonic() + 90
        found = None
        while not found:
            assert time.monotonic() < end, (home / "log").read_text()
            time.sleep(0.2)
            found = re.search(r"(http://127\.0\.0\.1:\d+/)lab\?token=(\w+)", (home / "log").read_text())
        yield f"{found[1]}lab/tree/play.ipynb?token={found[2]}"
        server.terminate()


def until(holds, seconds=60):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "still not so"
        time.sleep(0.1)


def test_a_cell_trains_and_stops_when_it_is_closed(shared_browser, lab):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    browser, root = shared_browser, lab[: lab.index("lab/")]
    browser.visit(lab, width=1400)
    until(lambda: browser.run("return document.querySelectorAll('.jp-CodeCell .cm-content').length === 3"), 90)

    def execute(k):
        cell = browser.driver.find_elements(By.CSS_SELECTOR, ".jp-CodeCell .cm-content")[k]
        browser.run("arguments[0].scrollIntoView({block: 'center'})", cell)
        cell.click()
        cell.send_keys(Keys.CONTROL, Keys.ENTER)

    def epoch():
        return browser.run("return Number(document.querySelector('.nn-playground .epochs')?.textContent)") or 0

    execute(0)
    until(lambda: browser.run("return document.querySelector('.nn-playground .weight') !== null"), 90)
    browser.run("document.querySelector('.nn-playground button.play').click()")
    until(lambda: epoch() > 3)
    browser.run("document.querySelector('.nn-playground button.play').click()")
    time.sleep(0.5)
    seen = epoch()
    execute(1)
    until(lambda: "trained" in browser.run(OUTPUTS))
    assert f"trained {int(seen)} (3,)" in browser.run(OUTPUTS)

    until(lambda: epoch() == int(seen) + 2)  # what is trained in Python is shown

    # what Python refuses is told in the cell
    browser.run("document.querySelector(\"[data-key='input x1']\").click()")
    browser.run("document.querySelector(\"[data-key='input x2']\").click()")
    until(
        lambda: (
            "inputs are one or more"
            in browser.run("return document.querySelector('.nn-playground .error').textContent")
        )
    )

    # a closed cell trains no more
    browser.run("document.querySelector('.nn-playground button.play').click()")
    until(lambda: epoch() > 3)
    cell = browser.driver.find_elements(By.CSS_SELECTOR, ".jp-CodeCell .cm-content")[0]
    browser.run("arguments[0].scrollIntoView({block: 'center'})", cell)
    cell.click()
    cell.send_keys(Keys.ESCAPE)
    browser.press("d", "d")
    until(lambda: browser.run("return document.querySelector('.nn-playground') === null"))
    time.sleep(0.5)
    later = []
    for _ in range(2):
        execute(1)
        until(lambda: len(re.findall(r"later \d+", browser.run(OUTPUTS))) == 1)
        later.append(re.findall(r"later \d+", browser.run(OUTPUTS)))
        time.sleep(0.5)
    assert later[0] == later[1]

    entries = [json.loads(entry["message"])["message"] for entry in browser.driver.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in entries if m["method"] == "Network.requestWillBeSent"]
    assert [url for url in asked if not url.startswith((root, "data:", "blob:", "about:"))] == []
    severe = [entry["message"] for entry in browser.driver.get_log("browser") if entry["level"] == "SEVERE"]
    assert severe == []
    browser.driver.get("about:blank")
