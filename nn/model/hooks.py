"""Forward hooks: functions that are called with the arguments and the result of a Module."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from nn.model.module import Module

Hook = Callable[..., Any]  # (module, args, result) -> None, or a new result


class Handle:
    """A registered hook; `remove`, or the end of a `with` block, removes it."""

    def __init__(self, module: Module, hook: Hook) -> None:
        self._module, self._hook = module, hook

    def remove(self) -> None:
        """Remove the hook; a second call does nothing."""
        kept = tuple(handle for handle in self._module._hooks if handle is not self)
        self._module._hooks = kept

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def __repr__(self) -> str:
        return f"<hook {getattr(self._hook, '__name__', self._hook)!s} of a {type(self._module).__name__}>"


def registered(module: Module, hook: Hook) -> Handle:
    """Add a hook to a Module, after those that it has, and return its handle."""
    if not callable(hook):
        raise TypeError(
            f"register_forward_hook takes a function of (module, args, result); received {hook!r:.80}. Write "
            "module.register_forward_hook(lambda module, args, result: print(result.shape))."
        )
    handle = Handle(module, hook)
    module._hooks = (*module._hooks, handle)
    return handle


def hooked(module: Module, args: tuple[Any, ...], result: Any) -> Any:
    """The result of a Module after all hooks, which are called in the order in which they were registered."""
    for handle in module._hooks:
        found = handle._hook(module, args, result)
        result = result if found is None else found
    return result
