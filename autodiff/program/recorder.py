"""The recorder of a trace: the steps so far, the objects that effects take, and the questions asked about numbers."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autodiff.engine.devices import ON_THE_HOST, Device, admitted, fetched, refuse
from autodiff.engine.graph import Node
from autodiff.engine.signatures import spelled
from autodiff.engine.stand_in import StandIn
from autodiff.program import steps
from autodiff.program.graph import Kind, Question, Ref, Step, replaced
from autodiff.program.limits import caller, refusal
from autodiff.program.placed import beside, theirs
from autodiff.program.traced import Traced

CONSTANT = (StandIn, int, float, complex, str, tuple, type, np.dtype, np.generic)  # an effect takes them uncopied


class Recorder:
    """The steps recorded so far, and what is known about every value.

    If some arguments are on a device, their examples are too, and a step that reads one of them runs the functions of
    the device's module, as the program will. The step's constants stay on the host until the program is complete.
    """

    def __init__(self, fast: bool = False, device: Device | None = None) -> None:
        self.device = device
        self.fast = fast  # whether primitives that have loops are recorded as single steps
        self.steps: list[Step] = []
        self.kinds: dict[int, Kind] = {}
        self.held: dict[int, Any] = {}  # objects from outside that effects take, such as a generator
        self.questions: list[Question] = []
        self.names: dict[int, str] = {}  # by number, the variables of the user's function
        self._copies: dict[int, Any] = {}
        self.quiet = False
        self._errors = np.geterr()

    def value(self, example: Any, sources: tuple[Traced, ...] = (), constants: tuple[Any, ...] = ()) -> Traced:
        """A new value; it may share memory with the values it was computed from."""
        number = len(self.kinds)
        there = type(example) in admitted
        array = there or isinstance(example, np.ndarray)
        views = [t.number for t in sources if array and _may_share(example, t.example)]
        views += [-1 for c in constants if array and not there and np.may_share_memory(example, c)]
        several = isinstance(example, list | tuple)
        dtype = None if example is None or several else example.dtype if array else np.asarray(example).dtype
        shape = () if dtype is None else np.shape(example)
        size = example.nbytes if array else 0
        order = _order(example) if array and not there else None
        there = there or (several and any(type(part) in admitted for part in example))
        self.kinds[number] = Kind(shape, dtype, array, tuple(views), size, order, there)
        return Traced(self, number, example)

    def asked(self, question: Callable[..., Any], arrays: Any, answer: Any) -> None:
        """Record that the program is right only if a question has this answer."""
        self.questions.append(Question(question, replaced(arrays, lambda t: Ref(t.number), Traced), answer))

    def effect(self, function: Callable[..., Any], given: tuple[Any, ...]) -> Any:
        """Record a call that every run must make; while tracing, it runs with copies of its arguments."""
        return self.call(function, tuple(map(self._kept, given)), {}, effect=True)

    def _kept(self, given: Any) -> Any:
        if isinstance(given, CONSTANT):
            return given
        number = next((n for n, other in self.held.items() if other is given), None)
        if number is None:
            number = len(self.kinds)
            self.kinds[number], self.held[number] = Kind((), None, False, (), 0), given
            try:
                self._copies[number] = copy.deepcopy(given)
            except TypeError:  # such as a generator on a device, which has no copy: it moves on while tracing
                self._copies[number] = given
        return Traced(self, number, self._copies[number])

    def call(self, function: Callable[..., Any], args: Any, kwargs: Any, effect: bool = False) -> Any:
        """Call a function with the examples, and record the call."""
        sources: list[Traced] = []
        constants: list[Any] = []
        plain_args, plain_kwargs = (replaced(v, lambda t: t.example, Traced) for v in (args, kwargs))
        found = () if self.device is None or effect else self._on_the_device(function, args, kwargs)
        if self.device is not None and found:
            # The step's constants are moved to the device; the program moves them once, when it is made.
            plain_args = beside(plain_args, self.device)
            plain_kwargs = {k: v if k in ON_THE_HOST else beside(v, self.device) for k, v in plain_kwargs.items()}
            try:
                result = theirs(function, self.device)(*plain_args, **plain_kwargs)
            except (TypeError, NotImplementedError) as error:
                refuse(error, function, found)
        else:
            result = function(*plain_args, **plain_kwargs)

        def noted(value: Any) -> Any:
            if isinstance(value, Traced):
                if value.recorder is not self:
                    raise refusal("a value of another trace", "call the compiled function with arrays")
                sources.append(value)
                return Ref(value.number)
            if isinstance(value, np.ndarray):
                constants.append(value)
                return _copied(value)
            return np.asarray(fetched(value))

        arrays: Any = (Traced, np.ndarray, *admitted)
        noted_args, noted_kwargs = (replaced(v, noted, arrays) for v in (args, kwargs))
        if (result is None and not effect) or isinstance(result, str):
            raise refusal(f"{spelled(function)}, which gives no array,", "leave it out of the compiled function")
        traced = self.value(result, tuple(sources), tuple(constants))
        note, frame = caller()
        if frame is not None:
            self._look(frame.f_locals)
        self.steps.append(Step(function, noted_args, noted_kwargs, traced.number, effect=effect, note=note))
        self.quiet = self.quiet or np.geterr() != self._errors
        return self._parts(traced) if isinstance(result, list | tuple) else traced

    def _on_the_device(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Sequence[Any]:
        """The operands of a step that runs on the device; TypeError if other arrays are on the host."""
        found: list[Any] = []
        replaced((args, kwargs), found.append, (Traced, *admitted))  # type: ignore[arg-type]  # several kinds
        examples = [getattr(x, "example", x) for x in found]
        there = [x for x in examples if type(x) in admitted]
        here = [x for x in examples if isinstance(x, np.ndarray)]
        if there and here and self.device is not None:
            raise TypeError(
                f"{spelled(function)} was called with an array of shape {here[0].shape} on 'cpu' and one of shape "
                f"{there[0].shape} on {self.device.name!r}; nothing moves between devices in silence: move one of the "
                f"arguments, ad.to(x, {self.device.name!r})."
            )
        return examples if function is steps.moved else there

    def _look(self, variables: Mapping[str, Any]) -> None:
        """Note the names that the user's variables give to values so far."""
        for name, value in variables.items():
            held = value.primal if isinstance(value, Node) else value
            if isinstance(held, Traced) and held.recorder is self:
                self.names.setdefault(held.number, name)

    def _parts(self, whole: Traced) -> Any:
        """The parts of a result that consists of several arrays."""
        result = whole.example
        parts = [self.call(steps.part, (whole, k), {}) for k in range(len(result))]
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)


def _copied(array: Any) -> Any:
    """A copy that keeps broadcasts: elements that share memory, as in a result of np.broadcast_to, still share it."""
    if 0 not in array.strides or not array.size:
        return array.copy()
    one = array[tuple(slice(None if stride else 1) for stride in array.strides)]
    return np.broadcast_to(one.copy(), array.shape)


def _order(array: Any) -> tuple[int, ...] | None:
    """The axes of a dense array, outermost in memory first; None if it is in C order or not dense.

    Convolutions leave the batch axis innermost, and elementwise functions keep the order of their operands.
    """
    if array.ndim < 2 or array.flags.c_contiguous:
        return None
    order = tuple(sorted(range(array.ndim), key=lambda axis: -array.strides[axis]))
    return order if array.transpose(order).flags.c_contiguous else None


def _may_share(example: Any, source: Any) -> bool:
    """Whether a result may lie in the memory of an argument; True for a result of several arrays."""
    if (type(example) in admitted) != (type(source) in admitted):
        return isinstance(source, list | tuple)
    return isinstance(source, list | tuple) or bool(np.may_share_memory(example, source))
