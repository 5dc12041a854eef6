"""The playground in a notebook's cell: an anywidget, which runs in all programs that show Jupyter's widgets."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from nn.playing import files
from nn.playing.conversation import answer

if TYPE_CHECKING:
    from nn.playing.handle import Playground


def shown(playground: Playground) -> Any:
    """The output that IPython displays for a playground: a new widget for every cell, and a picture.

    Raises ModuleNotFoundError if anywidget is not installed.
    """
    view = _kind()(playground)
    playground.views.add(view)
    given = view._repr_mimebundle_()
    bundle, metadata = given if isinstance(given, tuple) else (given, {})
    return {**(bundle or {}), "text/plain": repr(playground), "image/svg+xml": playground.svg}, metadata


@cache
def _kind() -> Any:
    """The widget's class; anywidget is imported at the first call."""
    try:
        import anywidget
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            'the playground is shown by anywidget, which is not installed: pip install "autodiff-nn[notebook]"; or run '
            "python -m nn playground for a page",
            name="anywidget",
        ) from error

    class Widget(anywidget.AnyWidget):
        """The view of one playground."""

        _esm = files.widget_module()
        _css = files.text("playground.css")

        def __init__(self, playground: Playground) -> None:
            super().__init__()
            self.playground = playground
            self.on_msg(self._answer)

        def _answer(self, widget: Any, message: Any, buffers: Any) -> None:
            content, data = answer(self.playground.experiment, message).packed()
            if isinstance(message, dict):  # the view that asked, and the number of its question
                content |= {"to": message.get("from"), "number": message.get("number")}
            self.send(content, buffers=[data])

    return Widget
