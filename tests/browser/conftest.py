"""A real browser for the tests of this folder: Debian's chromium, driven by Selenium.

Where there is none they are skipped and say so; with AUTODIFF_BROWSER=required in the environment, as in .ci/run,
that is a failure instead.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def missing() -> str:
    """What is missing of a browser, as a reason; nothing if all is there."""
    if shutil.which("chromium") is None or shutil.which("chromedriver") is None:
        return "no browser: apt-get install chromium chromium-driver"
    try:
        import selenium  # noqa: F401
    except ImportError:
        return 'no browser: pip install ".[browser]"'
    return ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


class Browser:
    """One browser; every page it opens is watched."""

    def __init__(self, profile: Path) -> None:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        options = webdriver.ChromeOptions()
        options.binary_location = str(shutil.which("chromium"))
        for flag in (*FLAGS, f"--user-data-dir={profile}", "--window-size=1200,1000"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        options.set_capability("unhandledPromptBehavior", "ignore")
        self.driver = webdriver.Chrome(options=options, service=Service(str(shutil.which("chromedriver"))))

    def open(
        self, path: Path, fragment: str = "", *, width: int = 1200, dark: bool = False, still: bool = True
    ) -> None:
        """Open a file, with nothing logged yet."""
        self.visit(path.as_uri() + fragment, width=width, dark=dark, still=still)

    def visit(self, address: str, *, width: int = 1200, dark: bool = False, still: bool = True) -> None:
        """Open an address, with nothing logged yet."""
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=1000, deviceScaleFactor=1, mobile=False)
        preferences = {
            "prefers-color-scheme": "dark" if dark else "light",
            "prefers-reduced-motion": "reduce" if still else "no-preference",
        }
        features = [{"name": name, "value": value} for name, value in preferences.items()]
        self.command("Emulation.setEmulatedMedia", features=features)
        self.driver.get("about:blank")
        self.driver.get_log("browser")
        self.driver.get_log("performance")
        self.driver.get(address)

    def command(self, name: str, **arguments: Any) -> Any:
        """A command of the browser's debugging protocol."""
        return self.driver.execute_cdp_cmd(name, arguments)

    def run(self, script: str, *arguments: Any) -> Any:
        """The result of JavaScript in the page."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, selector: str) -> None:
        """Until there is such an element: a page in a frame is unpacked first."""
        from selenium.webdriver.support.wait import WebDriverWait

        script = f"return document.querySelector({selector!r}) !== null"
        WebDriverWait(self.driver, 10, 0.05).until(lambda driver: driver.execute_script(script))

    def press(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def console(self) -> list[str]:
        """What the console has said since the page was opened."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """The addresses that were asked for since the page was opened, the page itself and data in it left out."""
        import json

        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        own = self.driver.current_url.split("#")[0]
        return [url for url in asked if url.split("#")[0] != own and not url.startswith(("data:", "about:"))]

    def dialog(self) -> str | None:
        """The text of a dialog that a script has opened."""
        from selenium.common.exceptions import NoAlertPresentException

        try:
            return str(self.driver.switch_to.alert.text)
        except NoAlertPresentException:
            return None

    def screenshot(self) -> bytes:
        """The window as PNG."""
        return bytes(self.driver.get_screenshot_as_png())


@pytest.fixture(scope="session")
def shared_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if reason := missing():
        if os.environ.get("AUTODIFF_BROWSER") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.driver.quit()


@pytest.fixture
def browser(shared_browser: Browser) -> Iterator[Browser]:
    """The browser, and after the test: nothing on the console, no request, no dialog."""
    yield shared_browser
    assert shared_browser.dialog() is None
    assert shared_browser.console() == []
    assert shared_browser.requests() == []
