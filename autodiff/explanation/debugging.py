"""`debug`: each value and adjoint is checked when it is computed, and reported with the user's line of code.

The engine does not know of it, so nothing is slower without it. With `sys.setprofile` Python reports every return of a
function; a function that returns a node younger than all earlier ones has recorded it.
"""

from __future__ import annotations

import functools
import sys
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from types import CodeType, FrameType
from typing import Any, NamedTuple, TypeVar

import numpy as np

from autodiff.arrays.tensor import Tensor
from autodiff.batching import Batch
from autodiff.engine import reverse
from autodiff.engine.graph import Node, between, next_serial
from autodiff.explanation.flow import Edge, constants, finite, graph, ordinal, passed, plain
from autodiff.explanation.nonfinite import made_by, newly_nan, reversed_at
from autodiff.explanation.program import line, users_frame, variable
from autodiff.explanation.wording import Notes, Words, lines

HERE = "autodiff.explanation"
REVERSE: CodeType = reverse.adjoints.__code__
F = TypeVar("F", bound=Callable[..., Any])


class Read(NamedTuple):
    """A plain array that an operation has read, with its value at that time."""

    array: Any
    role: str
    name: str  # the user's variable, if there is one
    checksum: int


class debug:  # noqa: N801  # it reads as a statement: with ad.debug()
    """A context in which every value and adjoint is checked when it is computed: `with ad.debug():` or `@ad.debug()`.

    The first NaN, or infinity computed from finite numbers, raises FloatingPointError with the operation, the line of
    your program, the index and the operands there, and what to write instead. (An infinity among the inputs, as in
    masks, is allowed until a NaN is computed from it.) If a plain array that an operation has read is changed before
    `backward`, RuntimeError names it. An error raised in an adjoint rule names the line of its operation. `ad.explain`
    names the lines of the operations recorded inside.

    Only the thread that entered the context is checked. Small operations become several times slower there; code
    outside does not. After an error the checks stop.

    >>> with ad.debug():
    ...     np.exp(ad.Tensor(1.0)).backward()
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._youngest = -1
        self._reads: Notes[list[Read]] = Notes()
        self._checking = False

    def __enter__(self) -> debug:
        self._youngest = next_serial()
        self._stack.enter_context(np.errstate(all="ignore"))  # the error replaces NumPy's warnings
        self._stack.callback(sys.setprofile, sys.getprofile())
        sys.setprofile(self._watch)
        return self

    def __exit__(self, *raised: object) -> None:
        sys.setprofile(None)
        self._stack.close()

    def __call__(self, function: F) -> F:
        """The function, each call of which is checked."""

        @functools.wraps(function)
        def watched(*args: Any, **kwargs: Any) -> Any:
            with debug():
                return function(*args, **kwargs)

        return watched  # type: ignore[return-value]  # the same signature

    def _watch(self, frame: FrameType, event: str, result: Any) -> None:
        if self._checking or (frame.f_back and frame.f_back.f_globals.get("__name__", "").startswith(HERE)):
            return  # the computations of `explain` are no part of the program
        if event == "return":
            # The function that records a node returns it first; its callers return the same node, which is then known.
            if type(result) is Tensor and result.serial > self._youngest and result.primitive is not None:
                self._checked(lambda: self._recorded(result, frame))
        elif event == "call" and frame.f_code is REVERSE:
            given = frame.f_locals
            self._checked(lambda: self._reversed(given["root"], given["seed"], given["wrt"], given["since"]))

    def _checked(self, check: Callable[[], None]) -> None:
        self._checking = True
        try:
            check()
        finally:
            self._checking = False

    def _recorded(self, node: Tensor, frame: FrameType) -> None:
        """Note where an operation was recorded and which arrays it read, and check its value."""
        self._youngest = node.serial
        users = users_frame(frame)
        lines[node] = line(users)
        reads = [
            Read(array, role, variable(array, users), _checksum(array))
            for role, array in constants(node)
            if isinstance(array, np.ndarray) and array.flags.writeable
        ]
        if reads:
            self._reads[node] = reads
        spoiled = [a for a in node.arguments if not finite(a)]
        if not finite(node) and (not spoiled or newly_nan(node, spoiled) or _came_in(node)):
            raise _not_finite(node)

    def _reversed(self, root: Node, seed: Any, wrt: Any, since: int) -> None:
        """Check the arrays that a reverse pass will read, and each adjoint that it will compute."""
        nodes = [node for node in graph(root) if node.serial >= since] if wrt is None else between(wrt, root)
        for node in nodes:
            for read in self._reads.get(node, []):
                if _checksum(read.array) != read.checksum:
                    raise _written_into(node, read)
        seed = seed.primal if isinstance(seed, Node) else seed
        if isinstance(seed, Batch):  # many seeds at once, for a Jacobian
            return
        inside = set(nodes)
        found: dict[Node, Any] = {root: seed}
        users: dict[Node, list[Edge]] = {}
        for node in reversed(nodes):
            g = found.get(node)
            if g is None:
                continue
            for position, argument in enumerate(node.arguments):
                share = _share((node, position), g) if isinstance(argument, Node) and argument in inside else None
                if share is None:
                    continue
                if not finite(share) and finite(g):
                    raise _adjoint_not_finite((node, position), g, share, users.get(node, []))
                users.setdefault(argument, []).append((node, position))
                found[argument] = share if argument not in found else found[argument] + share


def _share(edge: Edge, g: Any) -> Any:
    try:
        return passed(edge, g)
    except Exception as error:
        error.add_note(
            f"It is the adjoint rule of {Words(edge[:1]).operation(edge[0])}, for the {ordinal(edge[1])} argument."
        )
        raise


def _came_in(node: Node) -> bool:
    """Whether a NaN came from a leaf or a plain array, not from a checked operation."""
    arguments = (a for a in node.arguments if not isinstance(a, Node) or a.primitive is None)
    return bool(np.isnan(plain(node)).any()) and any(
        not finite(a) and bool(np.isnan(plain(a)).any()) for a in arguments
    )


# -- errors -----------------------------------------------------------------------------------------------------


def _not_finite(node: Node) -> FloatingPointError:
    found = made_by(node, Words([node]))
    return FloatingPointError(f"{found.what}. {found.instead}.")


def _adjoint_not_finite(edge: Edge, g: Any, share: Any, users: list[Edge]) -> FloatingPointError:
    found = reversed_at(edge, g, share, users, Words(edge[:1]))
    return FloatingPointError(f"in the reverse pass {found.what}. {found.instead}.")


def _written_into(node: Node, read: Read) -> RuntimeError:
    name = f"the array {read.name!r}" if read.name else "a plain array"
    return RuntimeError(
        f"{name} of shape {read.array.shape}, the {read.role} of {Words([node]).operation(node)}, was written into "
        "after the operation had read it, so the adjoints would be those of another computation; write into a copy, "
        "array = array.copy(), or compute the result again."
    )


def _checksum(array: Any) -> int:
    return zlib.crc32(array.tobytes())
