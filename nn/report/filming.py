"""A training as a film: pictures of its computation, epoch by epoch."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

import autodiff as ad
from nn.checked import whole
from nn.model.module import Module
from nn.training import arguments
from nn.training.callbacks import Callback

if TYPE_CHECKING:
    from nn.training.training import Training


class film(Callback):  # noqa: N801  # it reads as a verb: nn.film(model)
    """Pictures of the computation of the loss, from the first batch of some epochs, on a page with a slider.

    Every picture shows the parameters and their adjoints before the optimizer's step. Use it as a callback,
    `nn.fit(..., callbacks=nn.film(model))`; in your own loop call `record` before each step:

    >>> model, (X, t) = nn.Linear(2, 2, rng=0), nn.data.gauss(64, rng=0)
    >>> optimizer, filmed = nn.optim.SGD(model.parameters(), lr=0.1), nn.film(model)
    >>> for epoch in range(3):
    ...     optimizer.zero_grad()
    ...     loss = F.cross_entropy(model(X), t)
    ...     loss.backward()
    ...     filmed.record(loss)
    ...     optimizer.step()
    >>> filmed
    film of 3 pictures
    >>> filmed.save("training.html")

    Parameters
    ----------
    model : the model that is trained, or one that contains it
    frames : the largest number of pictures, from 2. If there were more, every second one is dropped, and from then on
        only every second epoch or step is drawn
    max_cards, depth : how much of the graph is shown, as in `ad.draw`
    title : the title of the page

    `save` writes one page that needs no other files; notebooks show the page. Drawing a picture takes some tens of
    milliseconds. A training with compiled steps records no graph, so there are no pictures of it.
    """

    def __init__(
        self,
        model: Module,
        *,
        frames: int = 24,
        max_cards: int = 24,
        depth: int | None = None,
        title: str = "A training, epoch by epoch",
    ) -> None:
        arguments.modelled(model)
        self.model, self.title = model, title
        self.most = whole(frames, "film: frames, pictures at most,", least=2)
        self.options: dict[str, Any] = {"max_cards": max_cards, "depth": depth}
        self.frames: list[tuple[str, str, float]] = []
        self.every, self.seen = 1, 0
        self._epoch: int | None = None  # the epoch whose picture is not drawn yet

    def record(self, loss: ad.Tensor, label: str | None = None) -> None:
        """Draw this step: call it between `loss.backward()` and `optimizer.step()`. `label` is the picture's title."""
        if not isinstance(loss, ad.Tensor):
            raise TypeError(
                f"film.record draws the graph of the loss, a Tensor; received a {type(loss).__name__}. Pass the "
                "Tensor that backward() was called on."
            )
        self.seen += 1
        if (self.seen - 1) % self.every == 0:
            self._take(loss, label or f"step {self.seen}")

    def _take(self, loss: ad.Tensor, label: str) -> None:
        number = float(loss.value.mean()) if loss.size else math.nan
        with np.errstate(all="ignore"):
            drawn = ad.draw(loss, title=f"{label} · loss {number:.4g}", **self.options)
        if len(self.frames) == self.most:
            self.frames = self.frames[::2]
            self.every *= 2
        self.frames.append((drawn.svg, f"{label} · loss {number:.4g}", number))

    # -- as a callback ------------------------------------------------------------------------------------------------

    def on_fit_begin(self, training: Training) -> None:
        """Check that the filmed model is the one that is trained, or that one of them contains the other."""
        if all(module is not training.model for module in self.model.modules()) and all(
            module is not self.model for module in training.model.modules()
        ):
            raise ValueError(
                f"film was made for a {type(self.model).__name__} that is not the model that is trained, a "
                f"{type(training.model).__name__}, or a part of it. Write callbacks=nn.film(model) with that one."
            )

    def on_epoch_begin(self, training: Training) -> None:
        """Decide whether this epoch's first batch is drawn."""
        due = (training.epoch - 1) % self.every == 0 or training.epoch == training.epochs
        self._epoch = training.epoch if due else None

    def on_backward(self, training: Training) -> None:
        """Draw the batch after the reverse pass and before the step, when values and adjoints belong together."""
        if self._epoch is not None:
            self._take(training.value, f"epoch {self._epoch}")
            self.seen, self._epoch = training.epoch, None

    def state_dict(self) -> dict[str, Any]:
        """The pictures so far."""
        pictures = {str(k): {"svg": svg, "label": label} for k, (svg, label, _) in enumerate(self.frames)}
        return {
            "every": self.every,
            "seen": self.seen,
            "losses": np.array([number for *_, number in self.frames]),
            "pictures": pictures,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue after the pictures of a state_dict."""
        self.every, self.seen = int(state["every"]), int(state["seen"])
        pictures, losses = state["pictures"], state["losses"]
        self.frames = [
            (str(pictures[str(k)]["svg"]), str(pictures[str(k)]["label"]), float(loss)) for k, loss in enumerate(losses)
        ]

    # -- what is shown ------------------------------------------------------------------------------------------------

    def film(self) -> ad.Film:
        """The page as an `ad.Film`; raises ValueError if there is no picture yet."""
        return ad.Film(self.frames, self.title)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page, .html."""
        self.film().save(path)

    def _repr_html_(self) -> str | None:
        return self.film()._repr_html_() if self.frames else None

    def __repr__(self) -> str:
        return f"film of {len(self.frames)} pictures" if self.frames else "film; nothing was recorded yet"
