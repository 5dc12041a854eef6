"""The command line: python -m nn playground [PRESET or SETTING=VALUE ...] serves the page of the playground."""

from __future__ import annotations

import argparse
import sys
import webbrowser
from collections.abc import Sequence

from nn.playing import settings as choices
from nn.playing.server import serve
from nn.playing.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the page until Ctrl-C; returns 0, or 2 after an error, such as an unknown setting."""
    parser = argparse.ArgumentParser(
        prog="python -m nn",
        description="Serve the playground as a page on this machine, until Ctrl-C.",
        epilog="Example: python -m nn playground spiral layers=8,8 lr=0.03",
    )
    parser.add_argument("what", choices=["playground"], help="the page to serve")
    parser.add_argument(
        "settings", nargs="*", metavar="SETTING=VALUE", help="first settings: spiral, layers=8,8, activation=tanh ..."
    )
    parser.add_argument("--port", type=int, default=0, help="the port; by default any free one")
    parser.add_argument("--no-browser", action="store_true", help="print the address without opening a browser")
    given = parser.parse_args(arguments)
    try:
        settings = _settings(given.settings)
        serve(settings, given.port, lambda address: _ready(address, not given.no_browser))
    except (TypeError, ValueError, OSError, ModuleNotFoundError) as error:
        print(f"python -m nn: {error}", file=sys.stderr)
        return 2
    return 0


def _settings(words: Sequence[str]) -> Settings:
    """The settings of words such as spiral and layers=8,8."""
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            name, value = "data", choices.chosen(word, choices.CHOICES["data"][:-1], "the data")
        found[name] = choices.read(name, value)
    return Settings(**found)


def _ready(address: str, browser: bool) -> None:
    print(f"The playground is at {address}\nCtrl-C ends it.", flush=True)
    if browser:
        webbrowser.open(address)
