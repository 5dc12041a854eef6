"""A graph by its scopes: which operations were recorded in which scope, and to which scope each leaf belongs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from autodiff.engine.graph import Node, Scope, operands
from autodiff.notation.constants import name_of
from autodiff.notation.naming import is_constant_array
from autodiff.picture.content.members import Members
from autodiff.rules.arguments import array


@dataclass(eq=False, slots=True)
class Leaf:
    """An input, parameter or constant array, and where in the recording it is used."""

    node: Node
    constant: bool
    first_used: int
    last_used: int
    users: list[Region]  # each once in a row
    place: int = 0  # its position among the items of its region, as a serial number


@dataclass(eq=False, slots=True)
class Region:
    """An unbroken run of operations recorded in one scope; the runs of inner scopes are single items of it.

    Since a run is unbroken, every operation outside comes before or after it: drawn as one card it makes no cycle.
    """

    frame: Any  # a name or a module; None for the whole graph
    parent: Region | None
    start: int  # the serial number of its first operation
    items: list[Node | Region] = field(default_factory=list)
    leaves: list[Leaf] = field(default_factory=list)

    def around(self) -> Iterator[Region]:
        """The region, the one around it, and so on to the whole."""
        region: Region | None = self
        while region is not None:
            yield region
            region = region.parent

    def operations(self) -> Iterator[Node]:
        """The operations in it, at any depth, in recording order."""
        waiting: list[Node | Region] = [self]
        while waiting:
            item = waiting.pop()
            if isinstance(item, Region):
                waiting += reversed(item.items)
            else:
                yield item

    def inner(self) -> Iterator[Region]:
        """The regions in it, at any depth, outer before inner, in recording order."""
        waiting = [item for item in reversed(self.items) if isinstance(item, Region)]
        while waiting:
            region = waiting.pop()
            yield region
            waiting += (item for item in reversed(region.items) if isinstance(item, Region))

    @property
    def contents(self) -> list[Leaf | Node | Region]:
        """What is drawn directly in it, in an order in which values come before their users."""
        ordered = [(leaf.place, 0, k, leaf) for k, leaf in enumerate(self.leaves)]
        rest = [(start(item), 1, k, item) for k, item in enumerate(self.items)]
        return [item for *_, item in sorted([*ordered, *rest], key=lambda entry: entry[:3])]


class Outline:
    """The tree of a graph's regions, with the graph's leaves in their regions."""

    def __init__(self, nodes: Sequence[Node], most_outside: int, constants: bool = True) -> None:
        self.whole = Region(None, None, -1)
        self._with_constants = constants
        self.constants: dict[int, Node] = {}  # by the identity of the array
        self.leaves: dict[Node, Leaf] = {}
        self.last_use: dict[Node, int] = {
            nodes[-1]: sys.maxsize
        }  # the serial of its last user; the result is used after
        self._read(nodes)
        self.members = Members(region.frame for region in self.whole.inner())
        self._place_leaves(most_outside)
        self.within: dict[Node, Region] = {}  # the regions of single operations whose scope is not drawn
        self._dissolve()

    def constant(self, argument: Any) -> Node | None:
        """The leaf that stands for a constant array among an operation's arguments; None for a number."""
        return self.constants.get(id(argument))

    def _read(self, nodes: Sequence[Node]) -> None:
        scope: Scope = ()
        entered: list[tuple[Scope, Region]] = []
        region = self.whole
        for node in nodes:
            if node.primitive is None:
                continue
            if node.scope is not scope:
                scope = node.scope
                region = self._enter(scope, entered, node.serial)
            region.items.append(node)
            for argument in operands(node):
                self._note_use(argument, node, region)
        if nodes[-1].primitive is None:  # the graph is a single leaf
            self.leaves[nodes[-1]] = Leaf(nodes[-1], False, nodes[-1].serial, nodes[-1].serial, [self.whole])

    def _enter(self, scope: Scope, entered: list[tuple[Scope, Region]], serial: int) -> Region:
        """The region of a scope: it continues the outer regions that are still open, and begins the others."""
        entries = []
        while scope:
            entries.append(scope)
            scope = scope[0]
        entries.reverse()
        common = 0
        while common < min(len(entries), len(entered)) and entries[common] is entered[common][0]:
            common += 1
        del entered[common:]
        for entry in entries[common:]:
            parent = entered[-1][1] if entered else self.whole
            inner = Region(entry[1], parent, serial)
            parent.items.append(inner)
            entered.append((entry, inner))
        return entered[-1][1] if entered else self.whole

    def _note_use(self, argument: Any, node: Node, region: Region) -> None:
        if isinstance(argument, Node):
            if argument.primitive is not None:
                self.last_use[argument] = max(node.serial, self.last_use.get(argument, -1))
                return
            leaf = argument
        elif not (self._with_constants and is_constant_array(argument)):
            return
        else:
            leaf = self.constants.get(id(argument)) or stand_in(array(argument), name=name_of(argument))
            self.constants[id(argument)] = leaf
        known = self.leaves.get(leaf)
        if known is None:
            self.leaves[leaf] = Leaf(leaf, leaf is not argument, node.serial, node.serial, [region])
            return
        known.last_used = node.serial
        if known.users[-1] is not region:
            known.users.append(region)

    def _place_leaves(self, most_outside: int) -> None:
        """Place parameters in the scope of the module that owns them; inputs and data outside, if there is room."""
        homes = [(leaf, self._home(leaf)) for leaf in self.leaves.values()]
        crowded = sum(home is self.whole for _, home in homes) > most_outside
        for leaf, home in homes:
            if crowded and home is self.whole and all(user is leaf.users[0] for user in leaf.users):
                home = leaf.users[0]
            item = next((r for r in leaf.users[0].around() if r.parent is home), None)
            begin = leaf.first_used if item is None else item.start
            leaf.place = begin if leaf.constant else min(begin, leaf.node.serial)
            home.leaves.append(leaf)
        for region in (self.whole, *self.whole.inner()):
            region.leaves.sort(key=lambda leaf: leaf.place)

    def _home(self, leaf: Leaf) -> Region:
        owner = self.members.owner(leaf.node.primal if leaf.constant else leaf.node)
        if owner is None:
            return self.whole
        users = list(dict.fromkeys(leaf.users))
        calls = dict.fromkeys(r for user in users for r in user.around() if r.frame is owner)
        first = users[0]
        for candidates in (list(calls), users):
            home = _common(candidates) if candidates else None
            # If it were used before, it would have to be drawn both before and after the same box.
            if home is not None and home in first.around():
                return home
        return self.whole

    def _dissolve(self) -> None:
        """Draw a module's call without a box if it consists of a single operation."""
        for region in (*reversed(list(self.whole.inner())), self.whole):
            for place, item in enumerate(region.items):
                if isinstance(item, Region) and not isinstance(item.frame, str) and not item.leaves:
                    only = item.items[0]
                    if len(item.items) == 1 and not isinstance(only, Region):
                        region.items[place] = only
                        self.within.setdefault(only, item)


def start(item: Node | Region) -> int:
    """The serial number of an item's first operation."""
    return item.start if isinstance(item, Region) else item.serial


def stand_in(primal: Any, arguments: tuple[Any, ...] = (), name: str | None = None) -> Node:
    """A node that was never recorded."""
    node = Node()
    node.primal, node.primitive, node.arguments, node.parameters = primal, None, arguments, {}
    node.scope, node.serial, node.name = (), -1, name
    return node


def _common(regions: Sequence[Region]) -> Region:
    """The innermost region that contains all of these."""
    shared = list(regions[0].around())
    for region in regions[1:]:
        around = set(region.around())
        shared = [r for r in shared if r in around]
    return shared[0]
