"""What a notebook is shown, taken apart: the page in a frame, and the picture behind it."""

from __future__ import annotations

import base64
import html
import re
import urllib.parse
import zlib


def page_in(shown: str) -> str:
    """The page that a frame unpacks."""
    (frame,) = re.findall(r'sandbox="allow-scripts" title="[^"]*" srcdoc="([^"]*)"', shown)
    (packed,) = re.findall(r'<script type="text/plain" id="packed">([^<]*)</script>', html.unescape(frame))
    return zlib.decompress(base64.b64decode(packed)).decode()


def poster_in(shown: str) -> str:
    """The picture behind the frame."""
    (poster,) = re.findall(r"src='data:image/svg\+xml;charset=utf-8,([^']*)'", shown)
    return urllib.parse.unquote(poster)


def without_tooltips(svg: str) -> str:
    """A picture as it stands behind its frame, on one line."""
    return re.sub("<title>[^<]*</title>", "", svg).replace("\n", "")
