"""A training as TensorBoard's event files, which `tensorboard --logdir FOLDER` shows in a browser."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from nn.checked import switch
from nn.training.callbacks import Callback

if TYPE_CHECKING:
    from nn.training.training import Training


class TensorBoard(Callback):
    """Write the history into a folder while `fit` trains, for TensorBoard; it needs the package tensorboardX.

    Each epoch writes its losses and metrics, the step size as "learning_rate", and with `histograms` the distribution
    of the numbers of each parameter. "loss" and "validation_loss" are one chart with the runs "training" and
    "validation".

    Parameters
    ----------
    folder : the folder of the event files, one for each training: "runs/first"
    histograms : whether to write histograms of the parameters too

    >>> given = dict(epochs=2, callbacks=nn.TensorBoard("runs/first"), rng=0, verbose=False)
    >>> history = nn.fit(nn.Linear(2, 2, rng=0), nn.data.gauss(64, rng=0), "cross_entropy", "adam", **given)
    """

    def __init__(self, folder: str | os.PathLike[str], histograms: bool = False) -> None:
        _writer()
        self.folder, self.histograms = os.fspath(folder), switch(histograms, "TensorBoard: histograms")
        self.writers: dict[str, Any] = {}

    def on_epoch_end(self, training: Training) -> None:
        """Write the epoch's numbers."""
        epoch, history = len(training.history), training.history
        for column, values in history.columns.items():
            name = column.removeprefix("validation_")
            run = "training" if name == column else "validation"
            self._in(run).add_scalar(name, values[-1], epoch)
        self._in("training").add_scalar("learning_rate", training.optimizer.lr, epoch)
        if self.histograms:
            for name, tensor in training.parts.named_parameters:
                self._in("training").add_histogram(name, tensor.value, epoch)
        for writer in self.writers.values():
            writer.flush()

    def on_fit_end(self, training: Training) -> None:
        """Close the files."""
        for writer in self.writers.values():
            writer.close()
        self.writers = {}

    def _in(self, run: str) -> Any:
        """The writer of a run; its folder is made at the first use."""
        if run not in self.writers:
            self.writers[run] = _writer()(os.path.join(self.folder, run))
        return self.writers[run]


def _writer() -> Any:
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        raise ImportError(
            "TensorBoard writes by the package tensorboardX. Install it: pip install tensorboardX."
        ) from None
    return SummaryWriter
