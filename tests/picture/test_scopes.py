"""Scopes: what was recorded within what, where leaves belong, and which scopes are folded."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
import time

import numpy as np
import pytest
from garbage import no_garbage
from models import loss_of_mlp, mlp, scalar_mlp

import autodiff as ad
import nn
from autodiff.engine.graph import ancestors
from autodiff.engine.reverse import adjoints
from autodiff.picture import draw
from autodiff.picture.content.folding import folded
from autodiff.picture.content.outline import Outline, Region
from autodiff.picture.content.reading import read


def scene_of(y, **options):
    return read(y, "draw", options.pop("seed", None), options.pop("depth", None), options.pop("max_cards", 60)).scene


def boxes(scene):
    return [(box.name, box.parent) for box in scene.boxes]


def cards(scene, kind):
    return [card for card in scene.cards if card.kind == kind]


def names(scope):
    """The names along a recorded scope, outermost first."""
    found = []
    while scope:
        scope, name = scope
        found.insert(0, name)
    return found


# -- recording ---------------------------------------------------------------------------------------------------


def test_operations_remember_where_they_were_recorded():
    x = ad.Tensor(1.0)
    outside = x + 1
    with ad.scope("a"):
        first = x + 1
        with ad.scope("b"):
            second = first + 1
        third = second + 1
    assert [names(t.scope) for t in (outside, first, second, third, third + 1)] == [[], ["a"], ["a", "b"], ["a"], []]
    assert first.scope is third.scope


def test_two_entries_of_one_scope_are_told_apart():
    x = ad.Tensor(1.0)
    again = ad.scope("a")
    with again:
        first = x + 1
    with again:
        second = x + 1
    assert names(first.scope) == names(second.scope)
    assert first.scope is not second.scope


def test_a_scope_is_left_when_an_error_is_raised():
    with contextlib.suppress(ZeroDivisionError), ad.scope("a"):
        raise ZeroDivisionError
    assert (ad.Tensor(1.0) + 1).scope == ()


def test_a_function_can_be_a_scope():
    @ad.scope("power")
    def power(x, n):
        """x to the n."""
        return x * power(x, n - 1) if n > 1 else x + 0

    y = power(ad.Tensor(2.0), 3)
    assert names(y.scope) == ["power"]
    assert names(y.arguments[1].scope) == ["power", "power"]
    assert power.__doc__ == "x to the n."


def test_threads_do_not_see_each_others_scopes():
    found = []
    with ad.scope("a"):
        thread = threading.Thread(target=lambda: found.append((ad.Tensor(1.0) + 1).scope))
        thread.start()
        thread.join()
    assert found == [()]


def test_nothing_is_recorded_in_a_scope_within_no_grad():
    with ad.no_grad(), ad.scope("a"):
        assert not isinstance(ad.Tensor(1.0) + 1, ad.Tensor)
    with ad.scope("a"), ad.no_grad():
        assert not isinstance(ad.Tensor(1.0) + 1, ad.Tensor)


def test_a_module_call_is_a_scope():
    model = nn.Sequential(nn.Tanh())
    y = model(ad.Tensor([1.0]))
    assert names(y.scope) == [model, model.layers[0]]


def test_a_leaf_belongs_to_no_scope_so_a_module_may_make_its_own():
    class Lazy(nn.Module):
        weight = None

        def forward(self, x):
            if self.weight is None:
                self.weight = ad.Tensor(np.ones(3), name="w")
            return self.weight * x

    with no_garbage():
        model = Lazy()
        model(ad.Tensor(np.ones(3))).sum().backward()
        del model


def test_a_training_step_with_scopes_leaves_no_garbage_behind():
    model, optimizer_step = mlp(), lambda p: setattr(p, "value", p.value - 0.1 * p.grad)

    @ad.scope("step")
    def step():
        y = nn.MSELoss()(model(np.ones((4, 2))), np.zeros((4, 1)))
        y.backward()
        for p in model.parameters():
            optimizer_step(p)
        model.zero_grad()

    step()
    with no_garbage():
        step()


def test_a_recorded_reverse_pass_is_in_the_scope_that_asked_for_it():
    x = ad.Tensor(0.5)
    with ad.scope("forward"):
        y = np.sin(x) * x
    with ad.scope("reverse"):
        g = adjoints(y, ad.Tensor(1.0), wrt=[x], recorded=True)[x]
    made = [node for node in ancestors(g) if node.primitive is not None]
    assert {tuple(names(node.scope)) for node in made} == {("forward",), ("reverse",)}
    assert {box for box, _ in boxes(scene_of(g))} == {"forward", "reverse"}


# -- reading -----------------------------------------------------------------------------------------------------


def test_an_mlp_is_drawn_in_boxes_with_its_parameters_named():
    scene = scene_of(loss_of_mlp())
    assert boxes(scene) == [("mlp", None), ("layers[0]", 0), ("layers[2]", 0), ("layers[4]", 0), ("mse_loss", None)]
    parameters = cards(scene, "parameter")
    assert [card.path for card in parameters] == [f"mlp.layers[{k}].{n}" for k in (0, 2, 4) for n in ("weight", "bias")]
    assert [scene.boxes[card.box].name for card in parameters] == [f"layers[{k}]" for k in (0, 0, 2, 2, 4, 4)]
    assert {card.header[-1].text for card in parameters} == {"weight", "bias"}
    assert [card.box for card in cards(scene, "input") + cards(scene, "constant")] == [None, None]
    svg = draw(loss_of_mlp()).svg
    assert "mlp.layers[0].weight" in svg
    assert svg.count(">PARAM</text>") == 6
    assert "Linear(16, 16) · 272 parameters" in svg
    assert "MLP · 337 parameters" in svg


def test_a_module_that_is_one_operation_has_no_box_but_is_named_in_the_tooltip():
    scene = scene_of(loss_of_mlp())
    activation = next(card for card in scene.cards if card.path == "mlp.layers[1]")
    assert scene.boxes[activation.box].name == "mlp"
    with ad.scope("loss"):
        y = np.sin(ad.Tensor(1.0))
    assert boxes(scene_of(y)) == [("loss", None)], "a scope that somebody named is always drawn"


def test_a_parameter_used_in_a_penalty_stays_with_its_module():
    model = nn.Linear(2, 1, rng=0)
    y = np.sum(model(np.ones((3, 2), np.float32))) + np.sum(model.weight**2)
    scene = scene_of(y)
    assert [scene.boxes[card.box].name for card in cards(scene, "parameter")] == ["linear", "linear"]


def test_a_parameter_used_before_its_module_is_called_stands_outside():
    model = nn.Linear(2, 1, rng=0)
    y = np.sum(model(np.sum(model.weight**2) * np.ones((3, 2), np.float32)))
    scene = scene_of(y)
    assert {card.path: card.box for card in cards(scene, "parameter")} == {"linear.weight": None, "linear.bias": 0}
    assert all(wire.tail < wire.head for wire in scene.wires)


def test_a_parameter_of_a_module_called_twice_stands_around_both_calls():
    class Recurrent(nn.Module):
        def __init__(self):
            self.cell = nn.Linear(3, 3, rng=0)

        def forward(self, h):
            for _ in range(3):
                h = np.tanh(self.cell(h))
            return h

    scene = scene_of(np.sum(Recurrent()(ad.Tensor(np.ones((2, 3)), name="h"))))
    assert [box.name for box in scene.boxes] == ["recurrent"], "each call is one operation: its parameters are around"
    assert [(card.path, card.box) for card in cards(scene, "parameter")] == [
        ("recurrent.cell.weight", 0),
        ("recurrent.cell.bias", 0),
    ]
    assert {card.header[-1].text for card in cards(scene, "parameter")} == {"cell.weight", "cell.bias"}


def test_buffers_are_constants_with_a_name():
    class Scaled(nn.Module):
        def __init__(self):
            self.scale = np.array([1.0, 2.0])

        def forward(self, x):
            return np.exp(x) * self.scale

    scene = scene_of(np.sum(Scaled()(ad.Tensor([1.0, 2.0]))))
    (buffer,) = cards(scene, "constant")
    assert (buffer.path, buffer.box) == ("scaled.scale", 0)


def test_members_are_found_in_dicts_tuples_and_slots_of_names():
    class Odd(nn.Module):
        def __init__(self):
            self.parts = {"left": (ad.Tensor(1.0), ad.Tensor(2.0)), 3: [ad.Tensor(3.0)]}
            self.me = self

        def forward(self, x):
            return x * self.parts["left"][0] + self.parts["left"][1] * self.parts[3][0]

    paths = [card.path for card in cards(scene_of(Odd()(ad.Tensor(1.0))), "parameter")]
    assert paths == ["odd.parts['left'][0]", "odd.parts['left'][1]", "odd.parts[3][0]"]


def test_two_models_of_one_class_have_names_of_their_own():
    x = ad.Tensor(np.ones((1, 2)))
    a, b = nn.Linear(2, 2, rng=0), nn.Linear(2, 2, rng=1)
    assert [name for name, _ in boxes(scene_of(np.sum(b(a(x)))))] == ["linear", "linear_2"]


def test_a_module_whose_repr_fails_is_drawn():
    class Broken(nn.Module):
        def __repr__(self):
            raise ZeroDivisionError

        def forward(self, x):
            return np.sin(np.cos(x))

    assert "Broken" in draw(Broken()(ad.Tensor(1.0))).svg


def test_anything_can_be_the_name_of_a_scope():
    with ad.scope(3), ad.scope("<b>"), ad.scope(""):
        y = np.sin(ad.Tensor(1.0)) + 1
    assert [name for name, _ in boxes(scene_of(y))] == ["int", "<b>", ""]
    assert "&lt;b&gt;" in draw(y).svg


def test_runs_of_a_scope_that_is_interrupted_are_boxes_of_their_own():
    """Otherwise a wire would lead out of the box and back into it."""
    steps = []

    def stream(x):
        with ad.scope("stream"):
            while True:
                x = yield np.sin(x) + 0

    x = ad.Tensor(1.0)
    running = stream(x)
    y = next(running)
    steps.append(y)
    for _ in range(2):  # the generator leaves its scope open between its steps
        y = running.send(y * 2)
    outline = Outline(ancestors(y), 30)
    assert all(wire.tail < wire.head for wire in scene_of(y).wires)
    assert isinstance(outline.whole.items[0], Region)
    running.close()


# -- folding -----------------------------------------------------------------------------------------------------


def test_an_mlp_folds_level_by_level():
    y = loss_of_mlp()
    assert [card.fold.name for card in scene_of(y, depth=0).cards if card.fold] == ["mlp", "mse_loss"]
    one = scene_of(y, depth=1)
    assert [name for name, _ in boxes(one)] == ["mlp", "mse_loss"]
    assert [card.fold.name for card in one.cards if card.fold] == ["layers[0]", "layers[2]", "layers[4]"]
    assert boxes(scene_of(y, depth=2)) == boxes(scene_of(y))
    assert [card.fold.name for card in scene_of(y, max_cards=10).cards if card.fold] == [
        "layers[0]",
        "layers[2]",
        "layers[4]",
    ]


def test_a_folded_card_shows_what_leaves_it_and_the_adjoint_of_that():
    y = loss_of_mlp()
    (card,) = [c for c in scene_of(y, depth=0).cards if c.fold and c.fold.name == "mlp"]
    output = next(node for node in ancestors(y) if node.primitive is not None and node.shape == (32, 1))
    assert card.value is output.primal
    np.testing.assert_array_equal(card.adjoint, y.adjoints()[output])
    assert (card.fold.operations, len(card.fold.results)) == (5, 1)
    svg = draw(y, depth=0).svg
    assert ">5 ops</text>" in svg
    assert "several operations in one card" in svg


def test_a_scalar_mlp_folds_to_its_neurons():
    y = scalar_mlp()
    scene = scene_of(y)
    assert 900 < scene.values < 1100
    assert [card.fold.name for card in scene.cards if card.fold] == [
        f"neurons[{k}]" for size in (16, 16, 1) for k in range(size)
    ]
    assert [name for name, _ in boxes(scene)] == ["scalar_mlp", "layers[0]", "layers[1]", "layers[2]"]
    assert len(scene.wires) == 2 * 16 + 16 * 16 + 16
    assert draw(y).svg.count(">OUTPUT</text>") == 1


def test_the_contributions_into_folded_cards_add_up_to_the_adjoints():
    scene = scene_of(scalar_mlp())
    for index, card in enumerate(scene.cards):
        received = [wire.contribution for wire in scene.wires if wire.tail == index]
        if received:
            assert sum(received) == pytest.approx(float(card.adjoint), rel=1e-12)


def test_a_long_graph_without_scopes_folds_its_earliest_part():
    x, w = ad.Tensor(0.5, name="x"), ad.Tensor(2.0, name="w")
    y = x
    for _ in range(500):
        y = np.sin(y)
    scene = scene_of(y * w)
    assert len(scene.cards) == 60
    (fold,) = [card for card in scene.cards if card.fold]
    assert fold.fold.name == f"{fold.fold.operations} earlier operations"
    assert fold.fold.operations + len(scene.cards) - 1 == scene.values == 503
    assert [card.name for card in cards(scene, "input")] == ["x", "w"], "inputs stay to be seen"
    assert scene.cards[-1].value == (y * w).primal


def test_many_leaves_fold_with_the_operations_that_use_them():
    total = ad.Tensor(0.0, name="x0")
    for k in range(1, 300):
        total = total + ad.Tensor(float(k), name=f"x{k}") * k
    scene = scene_of(total)
    assert len(scene.cards) <= 60
    assert len(cards(scene, "input")) > 10
    assert all(wire.tail < wire.head for wire in scene.wires)


def test_leaves_nobody_owns_go_where_they_are_used_if_they_are_many():
    x = ad.Tensor(0.5, name="x")
    outputs = []
    for k in range(20):
        with ad.scope(f"unit{k}"):
            w, b = ad.Tensor(float(k), name="w"), ad.Tensor(0.5, name="b")
            outputs.append(np.tanh(w * x + b))
    scene = scene_of(np.stack(outputs).sum())
    assert [card.fold.name for card in scene.cards if card.fold] == [f"unit{k}" for k in range(20)]
    assert [card.name for card in cards(scene, "input")] == ["x"]


def test_alike_scopes_open_together_or_not_at_all():
    y = ad.Tensor(1.0)
    for k in range(5):
        with ad.scope(f"block {k}"):
            for _ in range(8):
                y = np.sin(y)
    with ad.scope("head"):
        y = np.cos(y) + 1
    assert [name for name, _ in boxes(scene_of(y, max_cards=30))] == ["head"]
    assert len(boxes(scene_of(y, max_cards=43))) == 6


def test_a_single_scope_that_is_too_large_shows_its_latest_part():
    y = ad.Tensor(1.0)
    with ad.scope("everything"):
        for _ in range(200):
            y = np.sin(y)
    scene = scene_of(y, max_cards=20)
    assert boxes(scene) == [("everything", None)]
    assert len(scene.cards) == 20
    assert scene.cards[1].fold.name.endswith("earlier operations")


@pytest.mark.parametrize("max_cards", [2, 3, 5, 17, 60])
def test_there_are_never_more_cards_than_asked_for(max_cards):
    for y in (loss_of_mlp(), scalar_mlp()):
        nodes = ancestors(y)
        outline = Outline(nodes, max_cards // 2)
        folding = folded(outline.whole, max_cards)
        scene = scene_of(y, max_cards=max_cards)
        assert folding.cards == len(scene.cards)
        assert len(scene.cards) <= max_cards


def test_what_cannot_be_drawn_is_refused_with_what_to_do():
    y = ad.Tensor(1.0)
    with ad.scope("large"):
        for _ in range(1200):
            y = np.sin(y)
    with pytest.raises(ValueError, match=r"depth=1.*1,201 cards.*at most 1000.*max_cards="):
        draw(y, depth=1)
    for wrong in (-1, 1.5, True):
        with pytest.raises(ValueError, match="depth="):
            draw(y, depth=wrong)
    for wrong in (0, 1001, 3.5):
        with pytest.raises(ValueError, match="max_cards="):
            draw(y, max_cards=wrong)


def test_a_hundred_thousand_nodes_are_drawn_in_time_in_proportion():
    def chain(length):
        y = ad.Tensor(0.5, name="x")
        for _ in range(length):
            y = np.sin(y)
        return y

    def seconds(y):
        begin = time.perf_counter()
        draw(y)
        return time.perf_counter() - begin

    seconds(chain(100))
    assert seconds(chain(100_000)) < 60 * max(seconds(chain(5_000)), 0.02)


def test_the_text_of_a_folded_picture_is_an_outline():
    text = draw(scalar_mlp(), direction="LR")._repr_mimebundle_()["text/plain"]
    lines = text.splitlines()
    assert lines[0].endswith("values in 35 cards")
    assert lines[3] == "scalar_mlp (ScalarMLP · 337 parameters):"
    assert lines[4] == "  layers[0] (Layer · 48 parameters):"
    assert lines[5].startswith("    neurons[0] (5 ops), v")
    assert "adjoint" in lines[5]


def test_a_picture_shows_the_values_of_its_moment():
    model = nn.Linear(2, 1, rng=0)
    y = np.sum(model(np.ones((1, 2), np.float32)))
    picture = draw(y)
    before = picture.to_json()
    model.weight.value = model.weight.value * 2
    assert picture.to_json() == before


def test_one_scope_object_is_entered_many_times() -> None:
    a, x = ad.scope("a"), ad.Tensor(1.0)
    with a:
        with a:
            inner = np.sin(x)
        outer = np.sin(x)
    with pytest.raises(ZeroDivisionError), a, a:
        _ = 1 / 0
    with a, ad.no_grad(), a:
        assert not isinstance(np.sin(x), ad.Tensor)
    after = np.sin(x)
    assert [names(t.scope) for t in (inner, outer, after)] == [["a", "a"], ["a"], []]


def test_one_scope_object_serves_two_threads() -> None:
    a, x, both_inside = ad.scope("a"), ad.Tensor(1.0), threading.Barrier(2)

    def enter(_: int) -> list[list[str]]:
        with a:
            both_inside.wait(10)
            inside = np.sin(x)
            both_inside.wait(10)
        return [names(inside.scope), names(np.sin(x).scope)]

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        assert list(pool.map(enter, range(2))) == [[["a"], []]] * 2


def test_tasks_of_asyncio_do_not_see_each_others_scopes():
    async def record(name: str) -> ad.Tensor:
        with ad.scope(name):
            await asyncio.sleep(0)  # the others run meanwhile, each within its own scope
            y = ad.Tensor(1.0) * 2
            with ad.no_grad():
                await asyncio.sleep(0)
            return y + 1

    async def all_of_them() -> list[ad.Tensor]:
        return await asyncio.gather(*(record(f"task {k}") for k in range(5)))

    for k, y in enumerate(asyncio.run(all_of_them())):
        assert y.scopes == [f"task {k}"]
        assert y.operands[0].scopes == [f"task {k}"]
    assert (ad.Tensor(1.0) * 2).scopes == []
