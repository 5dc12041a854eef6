"""The table: one record per function, with all that is known of its derivative. Four functions add records.

`adjoint(f, *rules)`   f has derivatives: one rule per data argument
`constant(f)`          f's derivative is zero wherever it exists (comparisons, argmax, floor ...)
`composed(f)`          f is written with functions that are in the table already
`@primitive`           f is a user's function; `adjoint` then declares its rules

A rule is a function of (g, y, *arguments, **parameters): the adjoint g of the result, the result y, and the arguments
of f. It returns the argument's adjoint. It is written in NumPy, so that it runs on raw arrays in an ordinary reverse
pass, and its operations are recorded on Tensors when the derivative is to be differentiated again.

A second declaration changes the record in place, so that operators, passes, traces and pictures follow it.
"""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np

from autodiff.engine.devices import admitted, together
from autodiff.engine.devices import refuse as refuse_there
from autodiff.engine.graph import Node
from autodiff.engine.keywords import check_floating, without_defaults
from autodiff.engine.many import Each, Rule, Together
from autodiff.engine.signatures import name_of, parameter_names, parameters_of, spelled

Function = Callable[..., Any]
F = TypeVar("F", bound=Function)


Kind = Literal["differentiable", "constant", "composed", "refused", "undeclared"]


class Primitive:
    """The record of one function: how to compute it, its kind, and the data of that kind.

    A differentiable function has one adjoint rule per data argument, a composed one has its definition, and a refused
    one the reason. An undeclared function is a user's that has no rules yet.
    """

    __slots__ = (
        *("function", "name", "kind", "rules", "keywords", "definition", "reason"),
        *("broadcasts", "elementwise", "linear", "residuals", "redeclared", "operator", "writing", "lowering"),
    )

    def __init__(
        self,
        function: Function,
        name: str,
        rules: tuple[Rule | None, ...] | Each = (),
        keywords: frozenset[str] = frozenset(),
        kind: Kind = "differentiable",
    ) -> None:
        self.function = function
        self.name = name
        self.kind = kind
        self.rules = rules
        self.keywords = keywords
        self.definition: Composition | None = None
        self.reason = ""
        # Every ufunc broadcasts, so the reverse pass sums its adjoints back to shape.
        self.broadcasts = isinstance(function, np.ufunc)
        # Whether each element of the result depends on one element of each argument (matmul's do not).
        self.elementwise = isinstance(function, np.ufunc) and function.signature is None
        self.linear = False  # linear in each argument alone: the forward pass applies the function itself
        self.residuals = 0  # how many of the last arguments were computed from the others, for the rules alone
        self.redeclared = False  # a user changed the derivative, so traces cannot show the usual formula
        self.writing: Writing | Callable[[Node], Writing] | None = (
            None  # how traces write it, or what says so for a node
        )
        self.operator = False  # a Python operator records it without reading its kind
        self.lowering: Function | None = None  # how compiled programs write it; the function itself if they call it

    def declare(
        self, kind: Kind, rules: tuple[Rule | None, ...] | Each = (), keywords: frozenset[str] = frozenset()
    ) -> None:
        """Change the kind of this record and set its rules. All earlier declarations are dropped."""
        self.redeclared = self.kind in ("differentiable", "constant", "composed")
        self.kind, self.rules, self.keywords = kind, rules, keywords
        self.definition, self.reason, self.linear, self.residuals = None, "", False, 0

    def __repr__(self) -> str:
        return f"Primitive({self.name})"

    def arrange(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of a call, sorted into data by position and parameters by keyword.

        Raises TypeError for a keyword that the rules do not know.
        """
        if not isinstance(self.rules, tuple):
            data = len(args)
        else:
            data = len(self.rules)
            if not kwargs and len(args) == data:
                return args, kwargs
            if len(args) > data or (kwargs and not kwargs.keys() <= self.keywords):
                names = parameter_names(self.function)
                kwargs = dict(zip(names[data:], args[data:], strict=False)) | kwargs
                args = args[:data] + tuple(kwargs.pop(n) for n in names[len(args) : data] if n in kwargs)
        if not kwargs.keys() <= self.keywords:
            kwargs = without_defaults(self.function, kwargs, self.keywords)
        if "dtype" in kwargs:
            check_floating(self.function, kwargs["dtype"])
        return args, kwargs


class Writing(NamedTuple):
    """How traces write a primitive: "" for a plain call, None for a partial without a closed form."""

    form: str | Callable[..., str]  # or a function of the operands that gives the form
    partials: tuple[str | None, ...] = ()
    pullbacks: tuple[str, ...] = ()


class Composition:
    """A NumPy function written with others. The definition takes some of NumPy's parameters, under the same names."""

    def __init__(self, function: Function, definition: Function) -> None:
        self.function, self.definition = function, definition
        positional, keyword_only, self._any_number, _ = parameters_of(definition)
        self._positional, self.keywords = positional, frozenset(positional + keyword_only)

    def __call__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The definition's result for a call with the arguments of NumPy's function."""
        if len(args) > 1 and not self._any_number:
            names = parameter_names(self.function)
            places = zip(names, self._positional, strict=False)
            agreed = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], places))
            if names and len(args) > agreed:  # further ones are passed by NumPy's names
                kwargs = dict(zip(names[agreed:], args[agreed:], strict=False)) | kwargs
                args = args[:agreed]
        if not kwargs.keys() <= self.keywords:
            kwargs = without_defaults(self.function, kwargs, self.keywords)
        if "dtype" in kwargs:
            check_floating(self.function, kwargs["dtype"])
        try:
            return self.definition(*args, **kwargs)
        except (TypeError, NotImplementedError) as error:
            if admitted:
                refuse_there(error, self.function, (*args, *kwargs.values()))
            raise


table: dict[Function, Primitive] = {}


def record(function: Function) -> Primitive:
    """The record of a function; a new one if it has none."""
    found = table.get(function)
    if found is None:
        found = table[function] = Primitive(function, name_of(function), kind="undeclared")
    return found


def of_kind(*kinds: Kind) -> list[Function]:
    """The functions whose records have these kinds."""
    return [function for function, known in table.items() if known.kind in kinds]


def takes_tensors(function: Any) -> bool:
    """Whether the function can be called with Tensors, even if its derivative is zero."""
    return callable(function) and function in table and table[function].kind not in ("refused", "undeclared")


def adjoint(
    function: Function,
    *rules: Rule | None,
    each: Rule | None = None,
    together: Rule | None = None,
    residuals: int = 0,
) -> None:
    """Declare the adjoint rules of `function`, one per data argument; None where no derivative flows.

    A rule is called as `rule(g, y, *arguments, **parameters)` and returns the adjoint of its argument, in the
    argument's shape (for a ufunc, in the broadcast shape). The function's arguments with a default are parameters.
    For functions of any number of arrays, `each` is called as `each(position, g, y, *arguments, **parameters)`, or
    `together` is called as a rule is, and returns a sequence with the adjoint of every argument.

    `residuals` says how many of the last arguments were computed from the others, so that a rule need not compute them
    again (the softmax beside a cross-entropy of logits). Pictures and traces leave them out.

    >>> product = ad.primitive(lambda a, b: a * b)
    >>> ad.adjoint(product, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a)
    """
    if bool(rules) + (each is not None) + (together is not None) != 1:
        raise TypeError(
            "ad.adjoint takes one rule per data argument of the function (or each=, or together=, for any number)"
        )
    data = len(rules)
    if rules and isinstance(function, np.ufunc) and data != function.nin:
        raise TypeError(
            f"ad.adjoint of {spelled(function)} received {data} rule(s); it has {function.nin} data argument(s), and "
            "takes one rule for each (None where no derivative flows)."
        )
    keywords = frozenset[str]()
    for rule in (*rules, each, together):
        if rule is not None:
            keywords |= _keywords(rule, function, data)
    all_of_them = Each(each) if each else Together(together) if together else rules
    record(function).declare("differentiable", all_of_them, keywords)
    table[function].residuals = residuals


def written(
    function: Function,
    form: str | Callable[..., str] = "",
    partials: tuple[str | None, ...] = (),
    pullbacks: tuple[str, ...] = (),
) -> None:
    """Declare how traces and pictures write a function that has rules: as "a bᵀ + c" rather than `linear(a, b, c)`.

    Parameters
    ----------
    form : a, b, c stand for the operands, other words are functions; "" is a plain call. It may be a function of the
        operands that returns the form
    partials : the local partial derivative by each operand, for a function of numbers; y stands for the result
    pullbacks : the share of each operand's adjoint, where g is the adjoint of the result

    >>> cube = ad.primitive(lambda x: x**3)
    >>> ad.written(cube, "a³", ("3 a²",), ("3 g a²",))
    """
    known = table[function]
    known.writing, known.redeclared = Writing(form, partials, pullbacks), False  # it belongs to the new derivative


def lowered(function: Function, definition: Function | None = None) -> None:
    """Declare how compiled programs (`ad.compile`) write a primitive that is more than NumPy calls.

    Parameters
    ----------
    definition : takes what the primitive takes and computes the same by NumPy's functions, without assigning into
        arrays and without branches on their numbers: these calls are written down. Without one the program calls
        the primitive's own function, and its source holds that function's text; such a function gives a new array.
        For arguments of which a definition gives NotImplemented it is the same

    >>> linear = ad.primitive(lambda x, weight, bias: x @ weight.T + bias)
    >>> ad.lowered(linear, lambda x, weight, bias: x @ weight.T + bias)
    """
    known = table[function]
    known.lowering = definition or known.function


def constant(*functions: Function) -> None:
    """Declare that the derivative of each function is zero: called with Tensors, it gives plain arrays, constants.

    (Python's operator for such a function, `*` for np.multiply, still gives a Tensor; no derivative flows through it.)

    >>> ad.constant(ad.primitive(lambda x: np.round(x)))
    """
    for function in functions:
        known = record(function)
        known.declare("constant", (None,) * function.nin if known.operator else ())  # type: ignore[attr-defined]  # operators are ufuncs


def linear(*functions: Function) -> None:
    """Declare that each function, which has rules, is linear in each data argument while the others are fixed."""
    for function in functions:
        table[function].linear = True


def composed(function: Function) -> Callable[[F], F]:
    """Declare `function` through a definition made of functions that have rules already.

    >>> definition = ad.composed(lambda x: 2 * np.asarray(x))(lambda x: 2.0 * x)
    """
    known = record(function)
    if known.operator:
        raise TypeError(
            f"ad.composed was asked of {spelled(function)}, which one of Python's operators records as one node; "
            f"declare its rules instead, with ad.adjoint({spelled(function)}, ...)."
        )

    def declare(definition: F) -> F:
        known.declare("composed")
        known.definition = Composition(function, definition)
        return definition

    return declare


def computed(function: Function) -> Callable[[F], F]:
    """Declare another way to compute a primitive, for array types that NumPy's own function does not work on."""

    def declare(definition: F) -> F:
        table[function].function = functools.wraps(function)(definition)
        return definition

    return declare


def refuse(reason: str, *functions: Function) -> None:
    """Declare why each function has no adjoint rule and what to do instead; the error message says this."""
    for function in functions:
        known = record(function)
        known.declare("refused")
        known.reason = reason


def primitive(function: F) -> F:
    """Make a user's function of arrays a primitive, one node of the graph. Its rules come from `adjoint`.

    >>> @ad.primitive
    ... def cube(x):
    ...     return x**3
    >>> ad.adjoint(cube, lambda g, y, x: 3 * g * x**2)
    >>> ad.grad(cube)(2.0)
    array(12.)
    """

    @functools.wraps(function)
    def dispatch(*args: Any, **kwargs: Any) -> Any:
        for argument in itertools.chain(args, kwargs.values()) if kwargs else args:
            if isinstance(argument, Node):  # NumPy's protocol (NEP 18), used for a function that is not NumPy's
                return argument.__array_function__(dispatch, (), args, kwargs)  # type: ignore[attr-defined]  # Tensors have it
        if admitted:
            args, kwargs = together(function, args, kwargs)
        return known.function(*args, **kwargs)

    # The record has no rules yet. It keeps the plain function, so that computing it does not dispatch again.
    known = table[dispatch] = Primitive(function, name_of(function), kind="undeclared")
    return dispatch  # type: ignore[return-value]  # the same signature


def no_rule(function: Function) -> TypeError:
    """The error for a function that has no rules."""
    name = spelled(function)
    if function in table and table[function].reason:
        return TypeError(f"{name} has no adjoint rule: {table[function].reason}.")
    return TypeError(
        f"{name} has no adjoint rule; compose it from differentiable functions "
        f"or declare one with ad.adjoint({name}, ...)."
    )


def _keywords(rule: Rule, function: Function, data: int) -> frozenset[str]:
    """The parameters that a rule takes by keyword: those after g, y and the data arguments in its signature."""
    if not callable(rule):
        raise TypeError(f"an adjoint rule is a function of (g, y, *arguments); received {rule!r}")
    positional, keyword_only, more, any_keyword = parameters_of(rule)
    if len(positional) < 2 + data and not more:
        raise TypeError(
            f"an adjoint rule of {name_of(function)} is called with g, y and {data} argument(s); "
            f"received one that takes ({', '.join(positional)})"
        )
    return _named(function) if any_keyword else frozenset(positional[2 + data :] + keyword_only)


def _named(function: Function) -> frozenset[str]:
    positional, keyword_only, _, _ = parameters_of(inspect.unwrap(function))
    return frozenset(positional + keyword_only)
