"""Names are data: whatever a user calls a Tensor, the picture stays well formed and inert."""

import re
import xml.etree.ElementTree as ET

import pytest

from autodiff.picture import draw
from autodiff.picture.lettering import esc
from autodiff.tensor import Tensor

SVG = "{http://www.w3.org/2000/svg}"
XML_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
TAGS = {"svg", "desc", "style", "g", "title", "rect", "path", "text", "tspan"}
ATTRIBUTES = {
    XML_SPACE,
    "aria-label",
    "class",
    "d",
    "data-edge",
    "data-node",
    "dy",
    "fill",
    "font-family",
    "font-size",
    "font-style",
    "font-weight",
    "height",
    "letter-spacing",
    "role",
    "rx",
    "shape-rendering",
    "stroke",
    "stroke-dasharray",
    "stroke-width",
    "style",
    "text-anchor",
    "transform",
    "viewBox",
    "width",
    "x",
    "y",
}
NAMES = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "</title><script>alert(3)</script>",
    "</text></g></svg><script>alert(4)</script>",
    "</style><script>alert(5)</script>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "]]><svg onload=alert(6)>",
    "<?xml version='1.0'?>",
    "<!DOCTYPE svg [<!ENTITY e 'x'>]>&e;",
    "&e;",
    "&#x;",
    "&#0;",
    "&lt;b&gt;",
    "&amp;amp;",
    "&",
    "javascript:alert(7)",
    "url(https://example.org/x)",
    "' onload='alert(8)",
    '" onload="alert(9)',
    "'+alert(10)+'",
    "${alert(11)}",
    "{{7*7}}",
    "<b>bold</b>",
    "<>",
    "<",
    "a\x00b\x08c\x1bd\x7f",
    "\ud800 and \udfff",
    "\ufffe\uffff",
    "\u202eevil\u202c",
    "\u2066\u2067\u2069",
    "שלום עולם",
    "مرحبا",
    "e\u0301\u0301\u0301\u0301",
    "变量",
    "🙂" * 30,
    "line\nbreak\ttab\rreturn\u2028\u2029",
    "a\\N\\G\\l\\",
    '\\"',
    '"];n9->n8;"',
    "n0 -> n1; }",
    "ag-f-ink",
    "x" * 500,
    " ",
    "",
]


def parsed(markup):
    return ET.fromstring(markup)  # noqa: S314 - not from outside: what draw has just written


def picture(name):
    tensor = Tensor(2.0, name=name)
    return draw(tensor * tensor + Tensor([1.0, 2.0], name=name), title=name)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_svg_is_well_formed_and_inert(name):
    root = parsed(picture(name).svg)
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in TAGS
        assert element.attrib.keys() <= ATTRIBUTES
        for key in ("class", "style", "data-node", "data-edge", "transform", "d", "font-family"):
            assert re.fullmatch(r"[-\w\s.,:;'%()]*", element.get(key, ""))
            assert "url(" not in element.get(key, "")
    (style,) = root.iter(f"{SVG}style")
    assert "<" not in (style.text or "")
    assert style.text == parsed(picture("x").svg).find(f"{SVG}style").text


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_files_can_be_written(name, tmp_path):
    for suffix in ("svg", "dot"):
        picture(name).save(tmp_path / f"picture.{suffix}")
        assert (tmp_path / f"picture.{suffix}").read_bytes().decode("utf-8")


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_dot_holds_names_in_quoted_strings_only(name):
    drawn = picture(name)
    tokens = dot_tokens(drawn.to_dot().source)
    words = {token for token in tokens if not token.startswith('"')}
    graph_words = {"digraph", "graph", "node", "edge", "label", "labeljust", "labelloc", "rankdir", "LR", "l", "t"}
    node_words = {"box", "color", "fillcolor", "shape", "style", "tooltip", "dashed"}
    assert {w for w in words if not re.fullmatch(r"n\d|->|[][{}=]|\d+", w)} <= graph_words | node_words
    strings = [dot_value(token) for token in tokens if token.startswith('"')]
    header = next(card.header for card in drawn._scene.cards if card.kind == "input")
    shown = "".join(token.text for token in header[2:])
    if shown and shown.isprintable() and "&" not in shown:
        assert any(shown in string for string in strings)
    for string in strings:
        assert "&" not in re.sub("&amp;", "", string), "dot would read a character reference"


def dot_tokens(source):
    """The tokens of DOT source; an HTML string (<...>), which would be live, is an error."""
    token = re.compile(r'\s*("(?:[^"\\]|\\.)*"|\w+|->|[][{}=])', re.DOTALL)
    tokens, place = [], 0
    while source[place:].strip():
        found = token.match(source, place)
        assert found, f"not a plain token: {source[place : place + 40]!r}"
        tokens.append(found[1])
        place = found.end()
    return tokens


def dot_value(token):
    """What a quoted string shows; every backslash must itself be escaped, or escape a quote."""
    inside = token[1:-1]
    assert not re.sub(r'\\\\|\\"', "", inside).count("\\")
    return re.sub(r'\\(["\\])', r"\1", inside)


def test_every_character_becomes_legal_xml():
    text = "".join(map(chr, [*range(0x3000), *range(0xD000, 0x10400), 0x10FFFF]))
    parsed(f'<a b="{esc(text)}">{esc(text)}</a>')
    surrogates = "".join(map(chr, range(0xD800, 0xE000)))
    assert set(esc(surrogates)) == {"\ufffd"}


def test_a_direction_override_does_not_reach_the_picture():
    assert "\u202e" not in picture("\u202eevil").svg
