"""The base of all optimizers: parameters in one vector, adjoints in another, and the step through both.

All parameters are one vector and their adjoints another (`ad.Flat`), in the order of the groups. A step goes through
both in pieces that fit into the processor's cache together with the optimizer's state. It writes in place and allocates
nothing.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, NoReturn

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn import hints
from nn.checked import real, switch
from nn.optim.options import Check, Group, Option, Options, number
from nn.optim.parameters import grouped
from nn.optim.run import Run
from nn.optim.state import Saved, checked_state, packed_state

Vector = npt.NDArray[Any]
PIECE = 2**18  # bytes of each vector at a time, so that a step's second read finds them in the core's cache


class Optimizer:
    """The base class of optimizers, which move parameters against their gradients.

    Parameters
    ----------
    params : leaf Tensors of one dtype, such as model.parameters(); pairs of name and Tensor, such as
        model.named_parameters(); or groups with their own options, [{"params": ..., "lr": 0.01}, ...]. If it is not
        given, call `bind` later
    lr : the step size, above 0; a schedule or an assignment may set it to 0 later
    defaults : the other options, for groups that do not have their own

    Assign an option to one group, `optimizer.param_groups[0]["lr"] = 0.1`, or to all, `optimizer.lr = 0.1` (reading
    gives the first group's). With `maximize` the loss is maximised: g is replaced by -g, before any weight decay. With
    `decay_biases=False` parameters of fewer than two axes have no weight decay. Parameters without a gradient are
    skipped, and their count of steps does not advance. A second optimizer for the same parameters takes them over:
    `step` of the first one then raises an error.

    Raises ValueError for no parameters and for options out of range, TypeError for values that are no leaf Tensors and
    for mixed dtypes.

    >>> body, head = nn.Linear(4, 3, rng=0), nn.Linear(3, 1, rng=1)
    >>> groups = [{"params": body.parameters(), "lr": 0.01}, {"params": head.parameters()}]
    >>> optimizer = nn.optim.SGD(groups, lr=0.1)
    >>> [group["lr"] for group in optimizer.param_groups]
    [0.01, 0.1]
    """

    options: ClassVar[dict[str, Option[Any]]] = {}  # all options of a group
    vectors: ClassVar[tuple[str, ...]] = ()  # the names of the state vectors, in the order of a piece
    optional: ClassVar[tuple[str, ...]] = ()  # the state vectors that only some options need
    numbers: ClassVar[dict[str, Check[Any]]] = {}  # the names of numbers that a run keeps between steps
    needs_closure = ""  # if a step needs a closure: why, and what to write
    each_alone = False  # whether the rule needs each parameter as a run of its own

    lr = Option(number())
    initial_lr = Option(number())  # the lr before a schedule changed it
    weight_decay = Option(number())
    maximize = Option(switch)
    decay_biases = Option(switch, fixed=True)

    def __init_subclass__(cls) -> None:
        kinds = reversed(cls.__mro__)
        cls.options = {name: o for kind in kinds for name, o in vars(kind).items() if isinstance(o, Option)}
        if "__init__" in vars(cls):
            cls.__init__ = hints.also(cls.__name__, {"learning_rate": "lr"}, hints.OPTIMIZER)(cls.__init__)  # type: ignore[method-assign]  # the same, with more names

    def __init__(self, params: Iterable[Any] | None = None, lr: float = 1e-3, **defaults: Any) -> None:
        kind = type(self)
        lr = real(lr, f"{kind.__name__}: lr", above=True)
        self.defaults = Options(
            kind, {"lr": lr, "weight_decay": 0.0, "maximize": False, "decay_biases": True, **defaults}
        )
        self._flat: ad.Flat | None = None
        self._groups: list[Group] = []
        if params is not None:
            self.bind(params)

    def bind(self, params: Iterable[Any]) -> None:
        """Set the parameters of an optimizer that was made without them. Raises RuntimeError if it has some."""
        if self._flat is not None:
            raise RuntimeError(
                f"bind was asked of {self!r}, which has its parameters. Make a new one, {type(self).__name__}(lr=...)."
            )
        self._settle(grouped(params, type(self), self.defaults), [])

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Take on another group, {"params": ..., "lr": ...}, such as the parameters of layers that were unfrozen.

        Options that it does not name are the optimizer's defaults. What a rule keeps of the other parameters stays.
        The vectors are new ones, and an nn.TrainStep makes its program anew. A schedule whose rates are a factor times
        the initial ones takes the group on too, from its "lr" onwards.

        Raises ValueError for a parameter that is in another group, and TypeError for what is no group or for another
        dtype; nothing is changed then.

        >>> model = nn.Sequential(nn.Linear(4, 3, rng=0), nn.Linear(3, 1, rng=1))
        >>> _ = model[0].freeze()
        >>> optimizer = nn.optim.Adam(model.parameters(), lr=0.01)
        >>> _ = model[0].unfreeze()
        >>> optimizer.add_param_group({"params": model[0].parameters(), "lr": 0.001})
        >>> optimizer
        Adam(4 parameters in 2 groups, lr=[0.01, 0.001])
        """
        name = type(self).__name__
        if not isinstance(param_group, Mapping):
            raise TypeError(
                f"{name}.add_param_group takes a dict; received a {type(param_group).__name__}. "
                'Write add_param_group({"params": layer.parameters(), "lr": 0.01}).'
            )
        added = grouped([param_group], type(self), self.defaults, len(self._groups))
        places = {id(tensor): k for k, group in enumerate(self._groups) for tensor in group.params}
        for tensor in added[0].params:
            if id(tensor) in places:
                raise ValueError(
                    f"{name}.add_param_group received a parameter of shape {tensor.shape} that is in group "
                    f"{places[id(tensor)]} already. Pass those alone that the optimizer does not have."
                )
        self._settle([*self._groups, *added], self._saved() if self.bound else [])

    def _settle(self, groups: list[Group], saved: list[Saved | None]) -> None:
        """Lay the groups' parameters out in vectors, with what was kept of the first of them."""
        self.check_groups(groups)
        flat = ad.Flat([tensor for group in groups for tensor in group.params])
        size, dtype = max(flat.value.size, 1), flat.value.dtype
        piece = min(size, PIECE // dtype.itemsize) if isinstance(flat.value, np.ndarray) else size
        self._scratch, self._spare = (ad.devices.empty(piece, dtype, like=flat.value) for _ in range(2))
        self._flat, self._groups = flat, groups
        self._begin([*saved, *[None] * (len(flat.tensors) - len(saved))])
        self.placed()
        self._unchecked = True  # whether to warn at the first step of parameters that it does not reach

    def placed(self) -> None:
        """Make the arrays of a rule besides its state; called after the vectors are made."""

    @property
    def bound(self) -> bool:
        """Whether the optimizer has its parameters."""
        return self._flat is not None

    @property
    def flat(self) -> ad.Flat:
        """The parameters as one vector."""
        if self._flat is None:
            name = type(self).__name__
            raise RuntimeError(
                f"{self!r} was made without parameters and has none yet. Write {name}(model.parameters(), ...), or "
                "give it to nn.fit or model.compile, or call its bind(model.parameters())."
            )
        return self._flat

    @property
    def parameters(self) -> list[ad.Tensor]:
        """The Tensors that `step` updates, in the order of the groups."""
        return list(self.flat.tensors)

    @property
    def param_groups(self) -> list[Group]:
        """The groups: mappings with "params", "lr" and the other options."""
        self.flat  # noqa: B018  # refuses if there is none
        return list(self._groups)

    @property
    def first_options(self) -> Options:
        """The options of the first group, or the defaults before there is one."""
        return self._groups[0].options if self._groups else self.defaults

    def assign(self, name: str, value: Any) -> None:
        """Set an option in the defaults and in all groups; if one of them raises an error, in none."""
        kind = type(self)
        everywhere = [self.defaults, *(group.options for group in self._groups)]
        for options in everywhere:
            Options(kind, options).assign(kind, name, value)
        for options in everywhere:
            options.assign(kind, name, value)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the parameters' adjoints: every `.grad` is None (or 0) until the next `backward`."""
        if set_to_none:
            self.flat.zero_grad()
            return
        for tensor in self.flat.tensors:
            if tensor.grad is not None:
                tensor.grad[...] = 0

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has an adjoint.

        A `closure` computes the loss and its adjoints first; its loss is returned. The first step that does not reach
        some parameters warns of them by name. Raises RuntimeError if no parameter has an adjoint.
        """
        loss = None if closure is None else closure()
        self.move(self._by_pieces)
        return loss

    def _by_pieces(self, runs: Sequence[Run]) -> None:
        for run in runs:
            self.update(run)

    def move(self, by: Callable[[Sequence[Run]], None]) -> None:
        """The work of `step`: count the steps of the runs, and call `by`, which moves their parameters."""
        runs = self.due()
        for run in runs:
            run.steps += 1
        by(runs)
        self.flat.assigned()
        if self._unchecked:
            self._unchecked = False
            if missing := self.unreached():
                warnings.warn(
                    f"{type(self).__name__}: no gradient has reached {', '.join(missing)}; such parameters stay as "
                    "they are. Use them in the loss, or leave them out of the optimizer.",
                    stacklevel=3,
                )

    def due(self) -> list[Run]:
        """The runs of the parameters that have an adjoint. Raises RuntimeError if there are none."""
        flat = self.flat
        stretches = flat.reached()
        if flat.grad is not self._adjoints:
            self._lay()
        if not stretches and all(tensor.grad is None for tensor in flat.tensors):
            raise RuntimeError(
                f"a step was asked of {self!r}, but none of its parameters has an adjoint. Call loss.backward() "
                "between zero_grad() and step(), of a loss that was computed from these parameters."
            )
        runs: list[Run] = []
        for stretch in stretches:
            runs += self._plans.get((stretch.start, stretch.stop)) or self._plan(stretch.start, stretch.stop)
        return runs

    def unreached(self) -> list[str]:
        """The parameters that have had no adjoint at any step: their names, or their places and shapes."""
        runs, tensors = self._runs_of_parameters(), self.flat.tensors
        return [self._name(k) for k, run in enumerate(runs) if not run.steps and tensors[k].size]

    @property
    def layout(self) -> object:
        """What is another object after runs, state vectors or adjoints were laid anew."""
        return self._plans

    def update(self, run: Run) -> None:
        """The rule: write new values into the first vector of each piece (values, adjoints, *state, scratch, spare)."""
        raise NotImplementedError(f"{type(self).__name__} has no update rule; define update(self, run)")

    def initial(self, group: Group) -> float:
        """The initial number in the state vectors of a group."""
        return 0.0

    def first_numbers(self, group: Group) -> dict[str, Any]:
        """The numbers that a run of a group keeps before its first step, besides its vectors."""
        return {}

    @classmethod
    def check_together(cls, options: Mapping[str, Any]) -> None:
        """Raise ValueError for options that contradict each other."""

    @classmethod
    def check_groups(cls, groups: Sequence[Group]) -> None:
        """Raise ValueError for groups that the rule does not support."""

    def state_dict(self) -> dict[str, Any]:
        """Everything that a step depends on, apart from the parameters: nested arrays, numbers and strings.

        {"optimizer": its class, "state": {number of a parameter: {"step": int, ...}}, "param_groups": [{..., "params":
        numbers}]}: the form is PyTorch's, but not all entries are. Parameters that were never moved have no entry in
        "state". The arrays are copies.
        """
        state = {
            k: {
                "step": entry.steps,
                **entry.numbers,
                **{name: ad.to(vector.copy(), "cpu") for name, vector in entry.vectors.items()},
            }
            for k, entry in enumerate(self._saved())
            if entry
        }
        return packed_state(type(self).__name__, state, self.param_groups)

    def _saved(self) -> list[Saved | None]:
        """The state of each parameter, as views; None for parameters that were never moved."""
        entries = zip(self._runs_of_parameters(), self.flat.sections, self.flat.tensors, strict=True)
        return [
            Saved(run.steps, run.numbers, {name: v[section].reshape(tensor.shape) for name, v in self.state.items()})
            if run.steps
            else None
            for run, section, tensor in entries
        ]

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue bit for bit where another optimizer of this kind, for parameters of the same shapes, stopped.

        Raises ValueError or TypeError, before anything is changed, for a state that does not fit.
        """
        options, saved = checked_state(state_dict, type(self), self.param_groups, self.flat.value.dtype)
        for group, kept in zip(self._groups, options, strict=True):
            group.options = kept
        self._begin(saved)

    def remember(self, name: str) -> None:
        """Begin to keep the state vector of this name."""
        vector = self.state[name] = np.zeros_like(self.flat.value)
        for run in self._runs:
            vector[run.start : run.stop] = self.initial(run.group)
        self._lay()

    def _begin(self, saved: Sequence[Saved | None]) -> None:
        """Divide the vectors into runs, and fill the state, from what was saved or with initial numbers."""
        self._runs: list[Run] = []
        tensors = ((group, tensor) for group in self._groups for tensor in group.params)
        for (group, tensor), section, entry in zip(tensors, self.flat.sections, saved, strict=True):
            decays = tensor.ndim > 1 or group.options["decay_biases"]
            steps, numbers = (entry.steps, dict(entry.numbers)) if entry else (0, self.first_numbers(group))
            run = Run(section.start, section.stop, group, decays, steps, numbers)
            last = self._runs[-1] if self._runs and not self.each_alone else None
            if last and last.group is group and (last.decays, last.steps, last.numbers) == (decays, steps, numbers):
                last.stop = run.stop
            else:
                self._runs.append(run)
        self.state: dict[str, Vector] = {}
        needed = {name for entry in saved if entry for name in entry.vectors}
        for name in self.vectors:
            if name in needed or name not in self.optional:
                self.remember(name)
        for entry, section in zip(saved, self.flat.sections, strict=True):
            for name, vector in entry.vectors.items() if entry else ():
                self.state[name][section] = ad.devices.beside(vector.ravel(), self.flat.value)
        self._lay()

    def _lay(self) -> None:
        self._plans: dict[tuple[int, int], list[Run]] = {}
        self._adjoints = self.flat.grad
        vectors = (self.flat.value, self._adjoints, *(self.state.get(name) for name in self.vectors))
        for run in self._runs:
            run.lay(vectors, self._scratch, self._spare)

    def _plan(self, start: int, stop: int) -> list[Run]:
        """The runs between two bounds; runs across a bound are first divided there."""
        for bound in (start, stop):
            for k, run in enumerate(self._runs):
                if run.start < bound < run.stop:
                    rest = Run(bound, run.stop, run.group, run.decays, run.steps, dict(run.numbers))
                    run.stop = bound
                    self._runs.insert(k + 1, rest)
                    self._lay()
                    break
        plan = self._plans[start, stop] = [run for run in self._runs if start <= run.start and run.stop <= stop]
        return plan

    def _runs_of_parameters(self) -> list[Run]:
        """The run each parameter is in."""
        sections = self.flat.sections
        runs = iter(self._runs)
        found, run = [], next(runs)
        for section in sections:
            while section.stop > run.stop:
                run = next(runs)
            found.append(run)
        return found

    def _name(self, k: int) -> str:
        names = [name for group in self._groups for name in group.names or [""] * len(group.params)]
        tensor = self.flat.tensors[k]
        own = f" {tensor.name!r}" if tensor.name else ""
        return names[k] or f"parameter {k}{own} of shape {tensor.shape}"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        name = type(self).__name__
        raise TypeError(
            f"copying or pickling was asked of {self!r}; it belongs to the parameters it was made for. Copy the model, "
            f"and make a new optimizer for the copy: {name}(copied.parameters(), ...)."
        )

    def __repr__(self) -> str:
        groups = self._groups
        parts = []
        if groups:
            several = f" in {len(groups)} groups" if len(groups) > 1 else ""
            parts.append(f"{sum(len(group.params) for group in groups)} parameters{several}")
        usual = inspect.signature(type(self).__init__).parameters
        for name in self.first_options:
            values = list(dict.fromkeys(group.options[name] for group in groups)) or [self.first_options[name]]
            if name == "lr" or (name in usual and values != [usual[name].default]):
                parts.append(f"{name}={values[0]}" if len(values) == 1 else f"{name}={values}")
        return f"{type(self).__name__}({', '.join(parts)})"


Optimizer.__init_subclass__()  # the base class has options too, for rules that users write
