"""A compiled function: it is traced into one program for each structure, shape and dtype of its arguments."""

from __future__ import annotations

import dataclasses
import functools
import warnings
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Any, overload

import numpy as np

from autodiff.arrays.tensor import Tensor
from autodiff.engine.devices import admitted, fetched, of
from autodiff.engine.stand_in import StandIn
from autodiff.program import fast as numba
from autodiff.program import naming
from autodiff.program.graph import Program, Question, Ref, refs, replaced
from autodiff.program.limits import refusal
from autodiff.program.lowering import traced_by
from autodiff.program.passes.dead import without_dead
from autodiff.program.ready import Entry
from autodiff.program.recorder import Recorder
from autodiff.program.traced import Cell, Traced
from autodiff.transforms import tree
from autodiff.transforms.call import Function, named

MOST = 32  # programs that one function keeps
OFTEN = 8  # at this number of programs, a notice says why there are so many
FEW = 16  # a question about a value may take this many steps, each time that a program is chosen
NUMBERS = (float, complex)
CONTIGUOUS = np.empty(0).flags
Key = tuple[Any, ...]


class Compiled:
    """A function that runs as a straight-line NumPy program; `source` is its text."""

    def __init__(
        self, function: Function, check: bool = False, in_place: bool = False, threads: int = 1, fast: bool = False
    ) -> None:
        self.function, self.check, self.in_place, self.threads, self.fast = function, check, in_place, threads, fast
        self._entries: OrderedDict[Key, list[Entry]] = OrderedDict()
        self._last: Entry | None = None
        self._traces = 0
        functools.update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The function's result."""
        key, arrays, inside = _looked_at(args, kwargs)
        if inside:  # called by a function that is differentiated or traced itself
            return self.function(*args, **kwargs)
        return self._chosen(key, arrays, args, kwargs)(arrays)

    def chosen(self, *args: Any, **kwargs: Any) -> Entry:
        """The program for a call with these arguments. Callers that repeat the call run it with a list of its arrays.

        Before each run, `holds(arrays)` says whether the program is still the right one for the arrays.
        """
        key, arrays, _ = _looked_at(args, kwargs)
        return self._chosen(key, arrays, args, kwargs)

    def _chosen(self, key: Key, arrays: list[Any], args: Any, kwargs: Any) -> Entry:
        if self.in_place:
            key = *key, tuple(getattr(a, "flags", CONTIGUOUS).c_contiguous for a in tree.leaves(args[0]))
        entry = self._entry(key, arrays)
        if entry is None:
            entry = self._traced(args, kwargs)
            if self.check:
                self._compare(entry, arrays, args, kwargs)
            self._keep(key, entry)
        self._last = entry
        return entry

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    @property
    def program(self) -> Program:
        """The program of the last call, as data."""
        return self._called().program

    @property
    def source(self) -> str:
        """The program of the last call as a module's text, which runs with nothing but NumPy."""
        return self._called().source

    @property
    def plan(self) -> str:
        """How the passes changed the last call's program, and the bytes of the arrays that it allocates."""
        return self._called().plan

    def _called(self) -> Entry:
        if self._last is None:
            raise RuntimeError(
                f"{named(self.function)} has no program yet: its first call makes it. Call it once, then ask for "
                ".source, .plan, .program or ad.draw."
            )
        return self._last

    def _entry(self, key: Key, arrays: list[Any]) -> Entry | None:
        """A program for this key whose questions have the same answers for these arrays; None if there is none."""
        for entry in self._entries.get(key, ()):
            if entry.holds(arrays):
                return entry
        return None

    def _keep(self, key: Key, entry: Entry) -> None:
        self._entries.setdefault(key, []).append(entry)
        self._entries.move_to_end(key)
        self._traces += 1
        if sum(map(len, self._entries.values())) > MOST:
            oldest = next(iter(self._entries))
            self._entries[oldest].pop(0)
            if not self._entries[oldest]:
                del self._entries[oldest]
        if self._traces == OFTEN:
            warnings.warn(
                f"{named(self.function)} was traced {OFTEN} times, once for every structure, shape and dtype of its "
                "arguments, and every value of an int, bool or string; pass arrays of few shapes, and numbers as "
                "floats or arrays.",
                stacklevel=3,
            )

    def _traced(self, args: Any, kwargs: Any) -> Entry:
        leaves = [*tree.leaves(args), *tree.leaves(kwargs)]
        device = next((found for x in leaves if (found := of(x)) is not None), None)
        recorder = Recorder(self.fast and device is None, device)
        inputs: list[tuple[int, str]] = []
        names = naming.names(self.function, args, kwargs)

        def fresh(x: Any) -> Any:
            name = next(names)
            if not _varies(x):
                return x
            traced = recorder.value(np.array(x) if isinstance(x, np.ndarray) else x)
            inputs.append((traced.number, name))
            return traced

        def cell(x: Any) -> Any:
            traced = fresh(x)
            if not isinstance(x, np.ndarray) and type(x) not in admitted:
                raise TypeError(
                    f"{named(self.function)} was compiled with in_place=True, so its first argument is a nest of "
                    f"arrays to write into; received {x!r:.60} in it. Pass that as another argument."
                )
            cells.append((traced.number, Cell(recorder, traced.number, traced.example)))
            return cells[-1][1]

        cells: list[tuple[int, Cell]] = []
        state = [tree.mapped(cell, x) for x in args[: self.in_place]]
        fresh_args, fresh_kwargs = (*state, *tree.mapped(fresh, args[self.in_place :])), tree.mapped(fresh, kwargs)
        with traced_by(recorder):
            try:
                result = self.function(*fresh_args, **fresh_kwargs)
            except ValueError as error:
                if "setting an array element" in str(error):  # NumPy's words for a[0] = x[0]
                    error.add_note(
                        "ad.compile traces the function: a value of it is not known yet, and no element of a plain "
                        "array. Write np.stack or np.concatenate of the values, or np.where."
                    )
                raise
        outputs = tuple(self._output(y, recorder) for y in tree.leaves(result))
        program = Program(
            tuple(inputs),
            tuple(step._replace(name=recorder.names.get(step.result, "")) for step in recorder.steps),
            outputs,
            recorder.kinds,
            recorder.quiet,
            held=tuple(recorder.held.items()),
            writes=tuple((number, Ref(after.number)) for number, after in cells if after.number != number),
            device=recorder.device,
        )
        questions = list(_questions(program, recorder.questions))
        return Entry.of(program, tree.mapped(lambda y: 0, result), questions, self.threads, self.fast)

    def _compare(self, entry: Entry, arrays: list[Any], args: Any, kwargs: Any) -> None:
        """Run the program and the function, and raise ValueError where they differ by more than rounding."""
        expected = map(fetched, tree.leaves(self.function(*args, **kwargs)))
        for found, y in zip(map(fetched, entry.run(*arrays)), expected, strict=True):
            kind = np.asarray(y).dtype.kind
            precision = np.finfo(np.asarray(y).dtype).eps ** 0.75 if kind in "fc" else 0.0
            least = precision * np.max(np.abs(y), initial=0.0) if kind in "fc" else 0.0
            if not np.allclose(found, y, rtol=precision, atol=least, equal_nan=kind in "fc"):
                raise ValueError(
                    f"the program of {named(self.function)} gives other numbers than the function itself does when it "
                    "is called again: it draws random numbers, or depends on something else than its arguments. "
                    "Pass that as an argument."
                )

    def _output(self, y: Any, recorder: Recorder) -> Any:
        if type(y) in admitted:
            y = recorder.call(np.array, (y,), {})
        if isinstance(y, Traced):
            return Ref(y.number)
        if isinstance(y, Tensor):
            raise TypeError(
                f"{named(self.function)} returned a Tensor, so it reads one from outside, whose value would be a "
                "constant of the program; pass it, or its .value, as an argument, and differentiate inside: "
                "ad.compile(ad.value_and_grad(f))."
            )
        if callable(y):
            raise refusal("a function as a result", "return arrays")
        return np.array(y) if isinstance(y, np.ndarray) else y


@overload
def compile(  # noqa: A001
    function: Function, *, check: bool = ..., in_place: bool = ..., threads: int = ..., fast: bool = ...
) -> Compiled: ...


@overload
def compile(  # noqa: A001
    function: None = ..., *, check: bool = ..., in_place: bool = ..., threads: int = ..., fast: bool = ...
) -> Callable[[Function], Compiled]: ...


def compile(  # noqa: A001  # the name a reader looks for
    function: Function | None = None,
    *,
    check: bool = False,
    in_place: bool = False,
    threads: int = 1,
    fast: bool = False,
) -> Compiled | Callable[[Function], Compiled]:
    """The function as a straight-line NumPy program: `ad.compile(f)`, `@ad.compile`, or `@ad.compile(check=True)`.

    The first call with arguments of a structure, shapes and dtypes writes down every NumPy call that the function
    makes, those of the reverse passes of `ad.grad` included. That call and all later ones run the program. `.source` is
    its text, a module that needs nothing but NumPy. A program keeps its intermediate arrays between calls, one set for
    each call that runs at the same time; the arrays that it returns are always new. Sums over long arrays are computed
    block by block, and programs of floats alone use `math`, so both may differ from the function by rounding. For
    arrays on a device, the program calls the device's module, and each run of elementwise operations becomes one
    kernel. If a Tensor's operation mixes an argument on the host with an array on the device, the program copies the
    argument to the device; any other mixed operation raises a TypeError that names both.

    Parameters
    ----------
    function : of arrays, floats and nests of them; ints, booleans, strings and None are constants, with a program for
        each. It returns an array or a nest of arrays. Arrays that it reads from outside, and random numbers that it
        draws, are constants too: pass what varies as an argument
    check : call the function once more for every new program, and raise ValueError if their results differ
    in_place : whether the function's first argument is a nest of arrays that it writes into: `a += b`, `a[...] = b`,
        `out=a`. The arrays must not share memory. A part or a view taken before a write keeps its old numbers
    fast : whether elementwise steps run as kernels, loops that Numba compiles (`pip install "autodiff-nn[fast]"`).
        Kernels are part of `.source`. They give the same results, but not NumPy's warnings. The first call compiles
        each kernel, which takes about a second; later processes find the compiled kernels in the user's cache
        directory, or in the directory that the environment variable AUTODIFF_CACHE names
    threads : how many threads share the blocks of large arrays (4 MB and more); the result does not depend on it

    Raises TypeError, with the line, where the function needs the value of a number: a branch, `.item()`, an assignment
    into an array. If a compiled function is called inside a function that is being differentiated or mapped, the
    original function runs instead of the program.

    >>> @ad.compile
    ... def slope(x):
    ...     return ad.grad(lambda x: np.sum(x**3))(x)
    >>> slope(np.array([1.0, 2.0]))
    array([ 3., 12.])
    """
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ValueError(f"ad.compile: threads is a whole number from 1 on; received {threads!r}.")
    if fast:
        numba.numba()  # raises ImportError if Numba is missing
    if function is None:
        return lambda function: Compiled(function, check, in_place, threads, fast)
    if not callable(function):
        raise TypeError(f"ad.compile takes a function; received {function!r:.60}. Options go by name: threads=2.")
    return Compiled(function, check, in_place, threads, fast)


def _looked_at(args: Any, kwargs: Any) -> tuple[Key, list[Any], bool]:
    """The key that chooses a program, the arrays that it runs with, and whether the call is inside another trace."""
    shapes: list[Any] = []
    arrays: list[Any] = []
    inside = False

    def look(value: Any) -> None:
        nonlocal inside
        if isinstance(value, np.ndarray):
            if type(value) is not np.ndarray and type(value) is not np.memmap:
                raise TypeError(
                    f"ad.compile takes plain arrays; received a {type(value).__name__}: pass np.asarray(it)."
                )
            shapes.append((value.shape, value.dtype))
            arrays.append(value)
        elif isinstance(value, dict):
            shapes.append((type(value), tuple(value)))
            for branch in value.values():
                look(branch)
        elif isinstance(value, list | tuple):
            shapes.append((type(value), len(value)))
            for branch in value:
                look(branch)
        elif isinstance(value, np.generic) or type(value) in NUMBERS:
            shapes.append(type(value))
            arrays.append(value)
        elif isinstance(value, Tensor | StandIn):
            inside = True
        elif of(value) is not None:
            shapes.append((type(value), value.shape, value.dtype))
            arrays.append(value)
        elif isinstance(value, Hashable):
            shapes.append((type(value), value))
        else:
            raise TypeError(
                f"ad.compile takes arrays, numbers, strings and nests of them; received a {type(value).__name__}, "
                "which cannot tell one program from another: read it inside the function, from outside."
            )

    look(args)
    look(kwargs)
    return tuple(shapes), arrays, inside


def _questions(program: Program, questions: list[Question]) -> Iterator[tuple[Callable[..., Any], Any]]:
    """The program's questions, as functions of its input arrays, each with the answer that the program needs.

    A check of values that take many steps to compute was made while tracing, and is not repeated.
    """
    places = {number: k for k, (number, _) in enumerate(program.inputs)}
    for question, arrays, answer in questions:
        if all(n in places for n in refs(arrays)):
            yield _of_inputs(question, arrays, places), answer
            continue
        effects = {step.result for step in program.steps if step.effect}
        steps = tuple(step._replace(effect=False) for step in program.steps)
        needed = without_dead(dataclasses.replace(program, steps=steps, outputs=tuple(arrays), writes=()))
        if len(needed.steps) <= FEW and effects.isdisjoint(step.result for step in needed.steps):
            entry = Entry.of(dataclasses.replace(needed, held=()), 0, [])
            yield lambda given, ask=question, run=entry.run: ask(*run(*given)), answer
        elif answer is not None:
            raise refusal("an answer that depends on numbers", "write np.where(condition, a, b), which computes both")


def _of_inputs(question: Callable[..., Any], arrays: Any, places: dict[int, int]) -> Callable[[list[Any]], Any]:
    """A question as a function of all input arrays; `places` says which of them it is about."""
    if len(arrays) == 1 and isinstance(arrays[0], Ref):
        place = places[arrays[0].number]
        return lambda given: question(given[place])
    return lambda given: question(*replaced(arrays, lambda ref: given[places[ref.number]]))


def _varies(x: Any) -> bool:
    """Whether a leaf of the arguments is an input of the program; if not, it is a constant."""
    return isinstance(x, np.ndarray | np.generic) or type(x) in NUMBERS or type(x) in admitted
