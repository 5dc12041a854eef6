"""The same graph for other programs: files by suffix, DOT with clusters, Mermaid, JSON."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
import types

import numpy as np
import pytest
from models import loss_of_mlp

import autodiff as ad
from autodiff.picture import FORMATS, draw
from autodiff.picture.exports.json_graph import __doc__ as documentation


@pytest.fixture
def product():
    x, y = ad.Tensor(3.0, name="x"), ad.Tensor(-2.0, name="y")
    return x * y


def test_a_picture_saves_what_its_suffix_says_and_nothing_else(product, tmp_path):
    picture = draw(product)
    expected = {
        "a.svg": picture.svg,
        "a.html": picture.html,
        "a.dot": picture.to_dot().source,
        "a.mmd": picture.to_mermaid(),
        "a.json": picture.to_json(),
        "a.txt": str(ad.trace(product)) + "\n",
    }
    for name, text in expected.items():
        picture.save(tmp_path / name)
        assert (tmp_path / name).read_text(encoding="utf-8") == text
    picture.save(str(tmp_path / "b.SVG"))
    with pytest.raises(ValueError, match=r"c\.jpg.*\.svg, \.html, \.dot, \.mmd, \.json, \.txt, \.png, \.pdf"):
        picture.save(tmp_path / "c.jpg")
    assert sorted(path.name for path in tmp_path.iterdir()) == [*sorted(expected), "b.SVG"]
    assert len(FORMATS) == len(expected)


def test_png_and_pdf_are_made_of_the_picture_by_an_extra(product, tmp_path, monkeypatch):
    made = []
    fake = types.SimpleNamespace(
        svg2png=lambda svg, scale: made.append((svg, scale)) or b"png",
        svg2pdf=lambda svg: made.append((svg, 1)) or b"pdf",
    )
    monkeypatch.setitem(sys.modules, "cairosvg", fake)
    for suffix in ("png", "pdf"):
        draw(product).save(tmp_path / f"a.{suffix}")
        assert (tmp_path / f"a.{suffix}").read_bytes() == suffix.encode()
    assert [scale for _, scale in made] == [2, 1]
    assert all(svg.startswith(b"<svg ") and b'font-family="serif"' in svg for svg, _ in made)
    assert not any(b"height:auto" in svg for svg, _ in made)
    # It cannot centre text of several styles, so formulas begin where they would in the middle.
    assert not any(re.search(rb'"middle"[^<]*>[^<]*<tspan', svg) for svg, _ in made)
    monkeypatch.setitem(sys.modules, "cairosvg", None)  # not installed
    with pytest.raises(RuntimeError, match=r"\.png by CairoSVG.*pip install 'autodiff-nn\[png\]'"):
        draw(product).save(tmp_path / "b.png")
    assert not (tmp_path / "b.png").exists()


def test_the_page_of_a_picture_holds_it_and_asks_for_nothing(product):
    page = draw(product).html
    assert draw(product).svg in page
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    assert re.findall(r'Content-Security-Policy"\s+content="([^"]*)"', page) == [policy]
    assert not re.search(r"\bsrc=|href=|@import|url\(|@@|fetch|XMLHttp", page)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function\(", script)
    assert page == draw(product).html


def test_dot_has_a_cluster_for_every_open_scope():
    source = draw(loss_of_mlp()).to_dot().source
    assert re.findall(r"subgraph (\w+) {", source) == ["cluster_0", "cluster_1", "cluster_2", "cluster_3", "cluster_4"]
    opened = source.split("subgraph cluster_0 {")[1]
    assert opened.index("subgraph cluster_1 {") < opened.index("}\n")
    assert 'label="layers[0]   Linear(2, 16) · 48 parameters"' in source
    assert source.count("{") == source.count("}")
    folded = draw(loss_of_mlp(), depth=0).to_dot().source
    assert 'label="mlp (5 ops)\n32×1 · f64"' in folded
    assert folded.count("peripheries=2") == 2


def test_mermaid_has_a_subgraph_for_every_open_scope():
    text = draw(loss_of_mlp()).to_mermaid()
    lines = [line.strip() for line in text.splitlines()]
    assert lines[0] == "flowchart LR"
    assert [line for line in lines if line.startswith("subgraph")] == [
        'subgraph s0["mlp"]',
        'subgraph s1["layers#91;0#93;"]',
        'subgraph s2["layers#91;2#93;"]',
        'subgraph s3["layers#91;4#93;"]',
        'subgraph s4["mse_loss"]',
    ]
    assert lines.count("end") == 5
    assert "n0 --> n3" in lines
    assert any(line.startswith("n") and "-.->" in line for line in lines), "no gradient"
    assert "class n1,n2,n5,n6,n9,n10 parameter" in lines
    assert '[["mlp (5 ops)<br/>32×1 · f64"]]' in draw(loss_of_mlp(), depth=0).to_mermaid()


def test_json_is_the_documented_graph(product):
    graph = json.loads(draw(product).to_json())
    assert {k: v for k, v in graph.items() if not isinstance(v, list)} == {
        "format": "autodiff-graph",
        "version": 1,
        "values": 3,
        "root": 2,
    }
    assert graph["nodes"][0] == {
        "id": 0,
        "kind": "input",
        "symbol": "v₋₁",
        "equation": "v₋₁ = x",
        "name": "x",
        "path": None,
        "scope": None,
        "operations": 0,
        "shape": [],
        "dtype": "float64",
        "value": {"value": 3.0},
        "adjoint": {"value": -2.0},
    }
    assert graph["edges"][0] == {
        "tail": 0,
        "head": 2,
        "differentiable": True,
        "symbol": "v₀",
        "partial": -2.0,
        "contribution": {"value": -2.0},
    }
    assert graph["scopes"] == []
    for key in (*graph, *graph["nodes"][0], *graph["edges"][0]):
        assert f'"{key}"' in documentation


def test_json_of_a_model():
    graph = json.loads(draw(loss_of_mlp()).to_json())
    assert [(s["name"], s["parent"]) for s in graph["scopes"]][:2] == [("mlp", None), ("layers[0]", 0)]
    weight = next(node for node in graph["nodes"] if node["path"] == "mlp.layers[2].weight")
    assert (weight["kind"], weight["shape"], weight["scope"]) == ("parameter", [16, 16], 2)
    assert weight["value"].keys() == weight["adjoint"].keys() == {"min", "mean", "max", "norm"}
    assert graph["nodes"][graph["root"]]["kind"] == "output"
    assert all(edge["tail"] < edge["head"] for edge in graph["edges"])
    folded = json.loads(draw(loss_of_mlp(), depth=0).to_json())
    assert [node["operations"] for node in folded["nodes"]] == [0, 5, 0, 3]
    assert folded["values"] == graph["values"] == 15


def test_numbers_that_json_has_not_are_words():
    def refused(constant):
        raise AssertionError(constant)

    with np.errstate(all="ignore"):
        x = ad.Tensor(np.inf) * ad.Tensor(0.0) + ad.Tensor(-np.inf)
        mixed = draw(x).to_json()
        array = draw(ad.Tensor([np.nan, 1.0]) * 1.0).to_json()
        empty = draw(ad.Tensor(np.zeros((0, 3))) * 1.0).to_json()
        complex_ = draw(ad.Tensor(1 - 2j) * 1.0).to_json()
    values = [node["value"]["value"] for node in json.loads(mixed, parse_constant=refused)["nodes"]]
    assert values == ["Infinity", 0.0, "NaN", "-Infinity", "NaN"]
    assert json.loads(array, parse_constant=refused)["nodes"][0]["value"]["mean"] == "NaN"
    assert json.loads(empty)["nodes"][0]["value"] == {}
    assert json.loads(complex_)["nodes"][0]["value"] == {"value": {"real": 1.0, "imaginary": -2.0}}
