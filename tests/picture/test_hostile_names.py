"""Names are data: whatever a user calls a Tensor, the picture stays well formed and inert."""

import functools
import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
from frames import page_in
from hostile import NAMES, computation

from autodiff.arrays.tensor import Tensor
from autodiff.picture import draw, steps
from autodiff.picture.content.lettering import esc

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
    "data-role",
    "data-scope",
    "dx",
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


def parsed(markup):
    return ET.fromstring(markup)  # noqa: S314 - not from outside: what draw has just written


def picture(name):
    tensor = Tensor(2.0, name=name)
    return draw(tensor * tensor + Tensor([1.0, 2.0], name=name), title=name)


def scoped(name, **options):
    return draw(computation(name), title=name, **options)


def check_svg(markup):
    """Whether a picture has no element and no attribute but those the pen writes."""
    root = parsed(markup)
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in TAGS
        assert element.attrib.keys() <= ATTRIBUTES
        for key in ("class", "style", "data-node", "data-edge", "data-scope", "data-role", "transform", "d"):
            assert re.fullmatch(r"[-\w\s.,:;'%()]*", element.get(key, ""))
            assert "url(" not in element.get(key, "")
        assert re.fullmatch(r"[-\w\s,']*", element.get("font-family", ""))
    (style,) = root.iter(f"{SVG}style")
    rule = r"\.ag-[fs]-[a-z-]+\{(fill|stroke):#[0-9a-f]{6}\}"
    assert re.fullmatch(rf"@media \(prefers-color-scheme:dark\)\{{({rule})+\}}", style.text)


def test_there_are_names_enough():
    assert len(set(NAMES)) == len(NAMES) > 40


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_svg_is_well_formed_and_inert(name):
    check_svg(picture(name).svg)
    for depth in (None, 0, 1):
        check_svg(scoped(name, depth=depth).svg)


class Page(HTMLParser):
    """The elements and attributes of a page, and the text of its data."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.inside, self.data = [], set(), "", {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.inside = dict(attrs).get("id", tag) if tag in ("script", "style", "pre", "title") else ""

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside:
            self.data[self.inside] = self.data.get(self.inside, "") + data


def product(name):
    return Tensor(2.0, name=name) * 3


@functools.cache
def pages(build, name):
    """The stepper's page and the picture's page of a computation with that name in it."""
    return Page(steps(build(name), title=name or "x").html), Page(draw(build(name), title=name or "x").html)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
@pytest.mark.parametrize("build", [computation, product])
def test_pages_have_the_elements_of_their_template_and_no_others(build, name):
    (page, sheet), (plain_page, plain_sheet) = pages(build, name), pages(build, "x")
    # A name that is set in italics or not takes elements of its own, but these are few and each has its number.
    assert set(page.tags) == set(plain_page.tags)
    for tag in ("script", "style", "svg", "iframe", "button", "pre", "meta"):
        assert page.tags.count(tag) == plain_page.tags.count(tag)
    assert page.attributes == plain_page.attributes
    assert not any(attribute.startswith("on") for attribute in page.attributes)
    assert page.data["script"] == plain_page.data["script"]
    assert json.loads(page.data["story"]).keys() == {"rows", "steps", "wires"}
    assert set(sheet.tags) - {"tspan"} == set(plain_sheet.tags) - {"tspan"}
    assert sheet.tags.count("script") == sheet.tags.count("nav") == 1
    assert sheet.data["script"] == plain_sheet.data["script"]
    assert not any(attribute.startswith("on") for attribute in sheet.attributes)
    assert sheet.tags.count("style") == plain_sheet.tags.count("style") == 2
    assert sheet.attributes == plain_sheet.attributes


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_frame_in_a_notebook_is_one_attribute(name):
    for made in (steps, draw):
        whole = made(computation(name), title=name or "x")
        markup = whole._repr_html_()
        assert page_in(markup) == whole.html
        shown = Page(markup)
        assert shown.tags == ["div", "img", "iframe"]
        assert shown.attributes == {"style", "alt", "src", "sandbox", "title", "srcdoc"}
        assert markup.count(' sandbox="allow-scripts" ') == 1


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_mermaid_holds_names_in_quotes_only(name):
    text = scoped(name).to_mermaid()
    for line in text.splitlines()[1:]:
        bare = re.sub(r'"[^"]*"', '""', line).strip()
        assert re.fullmatch(
            r'n\d+(\(""\)|\[\[""\]\])|subgraph s\d+\[""\]|end|n\d+ (-->|-\.->)(\|""\|)? n\d+'
            r"|classDef [a-z]+ [-\w:#,; ]+|class (n\d+,?)+ [a-z]+",
            bare,
        )
        for quoted in re.findall(r'"([^"]*)"', line):
            assert not set(re.sub(r"#\d+;|<br/>", "", quoted)) & set("<>&\"'`#;\\{}[]|$\n")


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_json_holds_names_as_they_are(name):
    text = scoped(name).to_json()
    assert text.isascii()
    assert json.loads(text)["nodes"][0]["name"] == name


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_files_can_be_written(name, tmp_path):
    drawn = picture(name)
    for suffix in ("svg", "dot", "html", "mmd", "json", "txt"):
        drawn.save(tmp_path / f"picture.{suffix}")
        assert (tmp_path / f"picture.{suffix}").read_bytes().decode("utf-8")


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_dot_holds_names_in_quoted_strings_only(name):
    graph_words = {"digraph", "graph", "node", "edge", "label", "labeljust", "labelloc", "rankdir", "LR", "l", "t"}
    node_words = {"box", "color", "fillcolor", "shape", "style", "tooltip", "dashed", "subgraph", "peripheries"}
    node_words |= {"inner", "named"}  # what the module and its member are called
    for depth in (None, 0, 1):
        words = {token for token in dot_tokens(scoped(name, depth=depth).to_dot().source) if not token.startswith('"')}
        known = re.compile(r"(n|cluster_)?\d+|\d+\.\d+|->|[][{}=]")
        assert {word for word in words if not known.fullmatch(word)} <= graph_words | node_words
    drawn = picture(name)
    tokens = dot_tokens(drawn.to_dot().source)
    strings = [dot_value(token) for token in tokens if token.startswith('"')]
    header = next(card.header for card in drawn._scene.cards if card.kind == "input")
    shown = "".join(token.text for token in header[2:])
    if shown and shown.isprintable() and "&" not in shown:
        assert any(shown in string for string in strings)
    for string in strings:
        assert "&" not in re.sub("&amp;", "", string), "dot would read a character reference"


def dot_tokens(source):
    """The tokens of DOT source; an HTML string (<...>), which would be live, is an error."""
    token = re.compile(r'\s*("(?:[^"\\]|\\.)*"|\d+\.\d+|\w+|->|[][{}=])', re.DOTALL)
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
