"""nn.film: a training as a page of pictures."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

import autodiff as ad
import nn


def trained(epochs, filmed=None, **options):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    t = X @ np.array([[1.0], [-2.0]])
    model = nn.MLP(2, 4, 1, rng=0, dtype=np.float64)
    made = filmed or nn.film(model, **options)
    made.model = model
    optimizer = nn.optim.SGD(model.parameters(), lr=0.05)
    nn.fit(model, (X, t), loss=nn.MSELoss(), optimizer=optimizer, epochs=epochs, callbacks=made)
    return model, made


def test_a_picture_is_kept_for_every_epoch_with_the_adjoints_before_its_step():
    _, film = trained(5)
    assert [label.split(" · ")[0] for _, label, _ in film.frames] == [f"epoch {k}" for k in range(1, 6)]
    assert all("◀" in svg or "adjoint" in svg for svg, *_ in film.frames)
    assert len({svg for svg, *_ in film.frames}) == 5, "the maps change"
    losses = [number for *_, number in film.frames]
    assert losses[-1] < losses[0]


def test_long_trainings_keep_a_bounded_sample_of_even_steps():
    _, film = trained(30, frames=8)
    epochs = [int(re.match(r"epoch (\d+)", label)[1]) for _, label, _ in film.frames]
    assert 4 <= len(epochs) <= 8
    assert len({b - a for a, b in itertools.pairwise(epochs[:-1])}) == 1
    assert (epochs[0], epochs[-1]) == (1, 30)


def test_the_page_is_complete_and_the_same_each_time(tmp_path):
    _, film = trained(3, title="<b>a training</b>")
    film.save(tmp_path / "film.html")
    page = (tmp_path / "film.html").read_text(encoding="utf-8")
    assert page == film.film().html
    assert page.count("<section") == 3
    assert "<b>" not in page
    assert not re.search(r"\bsrc=|href=|@import|url\(|@@|fetch|XMLHttp|innerHTML", page)
    assert 'id="curve"' in page
    with pytest.raises(ValueError, match=r"\.gif.*\.html"):
        film.film().save("a.gif")
    assert 'sandbox="allow-scripts"' in film._repr_html_()


def test_a_loop_of_ones_own_tells_it_before_the_step():
    model = nn.Linear(2, 1, rng=0)
    film = nn.film(model)
    assert film._repr_html_() is None
    loss = nn.MSELoss()(model(np.ones((3, 2))), np.zeros((3, 1)))
    loss.backward()
    film.record(loss)
    assert film.frames[0][1].startswith("step 1 · loss ")
    with pytest.raises(TypeError, match=r"film\.record.*float"):
        film.record(0.5)
    with pytest.raises(ValueError, match="without pictures"):
        nn.film(model).film()


def test_what_was_filmed_is_kept_in_checkpoints():
    _, film = trained(3)
    again = nn.film(nn.Linear(1, 1))
    again.load_state_dict(film.state_dict())
    assert again.frames == film.frames
    assert (again.every, again.seen) == (film.every, film.seen)


def test_another_model_is_refused():
    model = nn.MLP(2, 4, 1, rng=0)
    optimizer, film = nn.optim.SGD(model.parameters(), lr=0.1), nn.film(nn.Linear(2, 1))
    with pytest.raises(ValueError, match=r"film was made for a Linear.*nn\.film\(model\)"):
        nn.fit(model, (np.ones((4, 2)), np.ones((4, 1))), nn.MSELoss(), optimizer, epochs=1, callbacks=film)


def test_pages_that_would_be_too_large_leave_out_every_second_picture():
    frames = [("<svg>" + "x" * 400_000 + "</svg>", f"k = {k}", float(k)) for k in range(20)]
    film = ad.Film(frames, "large")
    assert 2 <= len(film.frames) <= 7
    assert film.frames[-1].label == "k = 19"
