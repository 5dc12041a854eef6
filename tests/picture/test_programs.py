"""Compiled programs as pictures: a card per step, boxes for scopes, lines and blocks, a colour for each buffer."""

import re

import numpy as np
import pytest
from hostile import NAMES
from test_hostile_names import Page, check_svg

import autodiff as ad
import nn
from autodiff.notation.formula import plain
from autodiff.picture.content.scene import TONES
from autodiff.picture.drawing.pen import PALETTE
from autodiff.program.graph import Loop, read

SHAPES = {"W": (64, 32), "b": (32,), "V": (32, 8)}


def network(p, x, target):
    with ad.scope("hidden"):
        h = ad.relu(x @ p["W"] + p["b"])
    return np.mean((h @ p["V"] - target) ** 2)


def wavy(x):
    return np.sum(np.tanh(x) * np.exp(-(x**2)) + x * np.sin(x))


@pytest.fixture(scope="module")
def compiled():
    rng = np.random.default_rng(0)
    f = ad.compile(ad.value_and_grad(network))
    f({name: rng.normal(size=shape) for name, shape in SHAPES.items()}, rng.normal(size=(128, 64)), np.ones((128, 8)))
    return f


def all_open(f, **options):
    return ad.draw(f, depth=9, max_cards=500, **options)


def cards(picture):
    return picture._scene.cards


def test_every_step_has_a_card_with_its_line_of_the_source(compiled):
    picture = all_open(compiled)
    steps = [card for card in cards(picture) if card.words]
    assert len(steps) == len(compiled.program.steps)
    lines = {line.strip() for line in compiled.source.splitlines()}
    assert {card.words[0].removeprefix("source").strip() for card in steps} <= lines
    assert {plain(card.header) for card in steps} >= {
        "v5 = np.matmul(x, p_W)",
        "v5 += p_b",
        "h = np.maximum(zeros0, v5)",
    }
    assert [plain(card.header) for card in cards(picture) if card.kind == "input"] == [
        "x",
        "p_W",
        "p_b",
        "p_V",
        "target",
    ]
    assert sum(card.kind == "output" for card in steps) == len(compiled.program.outputs)


def test_wires_are_what_the_steps_read(compiled):
    program, scene = compiled.program, all_open(compiled)._scene
    card_of = {name: k for k, name in enumerate(plain(card.header) for card in scene.cards)}
    steps = [k for k, card in enumerate(scene.cards) if card.words]
    names = dict(program.inputs)
    found = dict(zip((step.result for step in program.steps), steps, strict=True))
    expected = [
        (found[n] if n in found else card_of[names[n]], found[step.result])
        for step in program.steps
        for n in read(step)
    ]
    assert sorted((wire.tail, wire.head) for wire in scene.wires) == sorted(expected)


def test_steps_that_write_into_one_buffer_share_a_colour(compiled):
    scene = all_open(compiled)._scene
    steps = [card for card in scene.cards if card.words]
    tones = {}
    for step, card in zip(compiled.program.steps, steps, strict=True):
        assert (step.buffer is None) == (card.tone is None)
        tones.setdefault(step.buffer, set()).add(card.tone)
        assert card.value.place == ("" if step.buffer is None else f"b{step.buffer}")
    assert all(len(tone) == 1 for tone in tones.values())
    assert len(set.union(*tones.values())) == len(tones)
    for place, buffer in enumerate(compiled.program.buffers):
        assert f"buffer b{place}, {buffer.nbytes:,} bytes" in all_open(compiled).svg


def test_blocks_are_a_box_around_their_steps():
    f = ad.compile(ad.value_and_grad(wavy))
    f(np.linspace(-2.0, 2.0, 200_000))
    loops = [step for step in f.program.steps if isinstance(step, Loop)]
    scene = all_open(f)._scene
    boxes = [k for k, box in enumerate(scene.boxes) if box.name.startswith("in blocks of ")]
    assert len(boxes) == len(loops) == 1
    assert f"in blocks of {loops[0].size:,} rows" == scene.boxes[boxes[0]].name
    for box, loop in zip(boxes, loops, strict=True):
        inside = [card for card in scene.cards if card.box == box or scene.boxes[card.box or 0].parent == box]
        assert len(inside) == len(loop.body.steps)
    headers = {plain(card.header) for card in scene.cards}
    assert {"v30 = np.tanh(x[at])", "v9 = np.add.reduce(v49, axis=0)"} <= headers
    assert scene.boxes[-1].name == "reverse pass"


def test_the_picture_is_the_same_for_the_same_program():
    def made():
        f = ad.compile(ad.value_and_grad(wavy))
        f(np.linspace(-2.0, 2.0, 200_000))
        return ad.draw(f)

    one, other = made(), made()
    assert one.svg == other.svg
    assert one.html == other.html


def long(x):
    for k in range(150):
        x = np.sin(x) + k
    return x


def test_a_long_program_is_folded_and_its_parts_open():
    f = ad.compile(long)
    f(np.ones(5000))
    picture = ad.draw(f, max_cards=20)
    assert len(cards(picture)) <= 20
    assert any(card.fold and "earlier steps" in card.fold.name for card in cards(picture))
    assert "299 steps" in picture.svg
    assert picture.html.count("<svg") > 1
    with pytest.raises(ValueError, match="from 2 to 1000"):
        ad.draw(f, max_cards=1001)


def test_more_buffers_than_colours_share_one_of_their_own():
    def many(x):
        parts = [np.sin(x[: 1000 + 10 * k]) for k in range(12)]
        return sum(np.sum(part * part) for part in parts) + sum(part[0] for part in parts)

    f = ad.compile(many)
    f(np.ones(2000))
    picture = all_open(f)
    assert len(f.program.buffers) > len(TONES)
    assert {card.tone for card in cards(picture)} == {None, *TONES, "buffer-others"}
    assert f"{len(f.program.buffers) - len(TONES)} more buffers, " in picture.svg


def test_it_is_drawn_after_a_call_and_not_before():
    f = ad.compile(wavy)
    with pytest.raises(RuntimeError, match=r"wavy has no program yet: .* Call it once, then ask for .*ad\.draw"):
        ad.draw(f)
    f(np.ones(3))
    assert "wavy: " in ad.draw(f).svg
    assert "Program: " in ad.draw(f.program).svg
    with pytest.raises(ValueError, match="seed= and a program"):
        ad.draw(f, seed=1.0)
    with pytest.raises(TypeError, match="a picture of function"):
        ad.draw(wavy)


def test_a_step_of_training_is_drawn():
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(8, 6, rng=rng), nn.ReLU(), nn.Dropout(0.5, rng=rng), nn.Linear(6, 3, rng=rng))
    step = nn.TrainStep(model, nn.CrossEntropyLoss(), nn.optim.Adam(model.parameters()))
    step(rng.normal(size=(16, 8)), rng.integers(0, 3, 16))
    picture = all_open(step)
    assert "TrainStep: " in picture.svg
    assert {"Sequential.Linear", "Sequential.Dropout", "reverse pass"} <= {box.name for box in picture._scene.boxes}
    written = {card.value.place for card in cards(picture) if card.kind == "output"}
    assert any(place.startswith("state_") for place in written)


@pytest.mark.parametrize("suffix", [".svg", ".html", ".dot", ".mmd", ".json", ".txt"])
def test_it_is_saved_in_every_format(compiled, suffix, tmp_path):
    ad.draw(compiled).save(tmp_path / f"program{suffix}")
    assert "matmul" in (tmp_path / f"program{suffix}").read_text(encoding="utf-8")
    assert "nan" not in (tmp_path / f"program{suffix}").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_names_are_inert(name):
    def f(p, rest):
        with ad.scope(name):
            h = np.sin(p[name]) * rest + p[name]
            return np.sum(h * h)

    f.__name__ = name
    compiled = ad.compile(ad.value_and_grad(f))
    compiled({name: np.ones(1000)}, np.ones(1000))
    for depth in (None, 0, 9):
        picture = ad.draw(compiled, depth=depth)
        check_svg(picture.svg)
        page = Page(picture.html)
        assert page.tags.count("script") == page.tags.count("nav") == 1
        assert not any(attribute.startswith("on") for attribute in page.attributes)


def luminance(colour):
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("tone", [*TONES, "buffer-others"])
@pytest.mark.parametrize("ink", ["ink", "muted"])
@pytest.mark.parametrize("theme", [0, 1])
def test_text_on_the_colours_can_be_read(tone, ink, theme):
    """A contrast of 4.5 at least, by the rule of WCAG 2.2, 1.4.3."""
    low, high = sorted((luminance(PALETTE[tone][theme]), luminance(PALETTE[ink][theme])))
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_numbers_alone_are_drawn_as_they_are_in_numpy():
    f = ad.compile(ad.grad(lambda x: np.sin(x) * x))
    f(2.0)
    headers = [plain(card.header) for card in cards(all_open(f))]
    assert any("np.cos" in header for header in headers)
    assert re.search(r"<title>[^<]*source   ", ad.draw(f, depth=9).svg)
