"""The house: which module may know which. A file imports from its own floor or below, at its top, without cycles."""

from __future__ import annotations

import ast
import functools
import graphlib
import re
import subprocess
import sys
from pathlib import Path

from sweep import for_each

import autodiff

ROOT = Path(autodiff.__file__).parent.parent

# The floor of a room, or of a module that stands on another floor than its room.
FLOORS = {
    "autodiff.hints": 0,
    "autodiff.batching": 1,
    "autodiff.engine": 0,
    "autodiff.transforms.tree": 0,
    "autodiff.rules": 1,
    "autodiff.engine.recording": 1,
    "autodiff.engine.reverse": 2,
    "autodiff.engine.forward": 2,
    "autodiff.arrays": 2,
    "autodiff.arrays.tensor": 3,
    "autodiff.arrays.flat": 4,
    "autodiff.arrays.holding": 4,
    "autodiff.arrays.reading": 4,
    "autodiff.transforms": 4,
    "autodiff.notation": 4,
    "autodiff.picture": 4,
    "autodiff.program": 1,
    "autodiff.program.graph": 0,
    "autodiff.program.steps": 0,
    "autodiff.program.compiled": 5,
    "autodiff.command.expression": 4,
    "autodiff.command": 5,
    "autodiff.explanation": 5,
    "autodiff.scipy": 5,
    "autodiff": 5,
    "nn": 6,
}

FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ("autodiff", "nn")
    for path in sorted((ROOT / package).rglob("*.py"))
}
every_module = for_each(FILES)
every_module_of_nn = for_each([m for m in FILES if m == "nn" or m.startswith("nn.")])


def floor(module: str) -> int:
    parts = module.split(".")
    places = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next(FLOORS[place] for place in places if place in FLOORS)


@functools.cache
def statements(module: str) -> list[tuple[ast.Import | ast.ImportFrom, bool]]:
    """The import statements of a module that run, each with whether it waits inside a function."""
    found = []
    waiting = [(ast.parse(FILES[module].read_text(encoding="utf-8")), False)]
    while waiting:
        node, deferred = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.append((node, deferred))
        elif not (isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")):
            inside = deferred or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            waiting += ((child, inside) for child in ast.iter_child_nodes(node))
    return found


def imported(module: str, statement: ast.Import | ast.ImportFrom) -> set[str]:
    """The modules of ours that a statement names."""
    if isinstance(statement, ast.Import):
        names = [alias.name for alias in statement.names]
    else:
        package = module if FILES[module].name == "__init__.py" else module.rpartition(".")[0]
        for _ in range(statement.level - 1):
            package = package.rpartition(".")[0]
        base = ".".join(filter(None, (package if statement.level else "", statement.module or "")))
        parts = {f"{base}.{alias.name}" for alias in statement.names}
        names = [part if part in FILES else base for part in parts]
    return {name for name in names if name.partition(".")[0] in ("autodiff", "nn")}


def dependencies(module: str) -> set[str]:
    return {name for statement, _ in statements(module) for name in imported(module, statement)} - {module}


def test_every_floor_has_a_module() -> None:
    assert [place for place in FLOORS if place not in FILES] == []


@every_module
def test_no_module_imports_upward(module: str) -> None:
    assert {name for name in dependencies(module) if floor(name) > floor(module)} == set()


@every_module
def test_no_import_of_ours_waits_inside_a_function(module: str) -> None:
    assert [ast.unparse(s) for s, deferred in statements(module) if deferred and imported(module, s)] == []
    # There what only some need (the picture, scikit-learn's estimators) is looked up when first asked for.
    if module not in ("autodiff", "nn"):
        assert "importlib" not in FILES[module].read_text(encoding="utf-8")


def test_there_is_no_import_cycle() -> None:
    list(graphlib.TopologicalSorter({module: dependencies(module) for module in FILES}).static_order())


@for_each([m for m in FILES if m.startswith("autodiff.rules")])
def test_rules_know_no_tensor(module: str) -> None:
    assert "Tensor" not in {
        node.id for node in ast.walk(ast.parse(FILES[module].read_text())) if isinstance(node, ast.Name)
    }


def test_the_lowest_modules_know_only_numpy() -> None:
    for module in ("autodiff.engine.shapes", "autodiff.engine.graph", "autodiff.transforms.tree"):
        assert dependencies(module) == set()
    assert not any(name.startswith("autodiff.arrays") for name in dependencies("autodiff.engine.reverse"))


@every_module_of_nn
def test_networks_use_public_names_only(module: str) -> None:
    tree = ast.parse(FILES[module].read_text(encoding="utf-8"))
    ours = {name for name in dependencies(module) if name.startswith("autodiff")}
    assert ours <= {"autodiff"}
    alias = {
        a.asname or a.name for s in ast.walk(tree) if isinstance(s, ast.Import) for a in s.names if a.name == "autodiff"
    }
    used = {
        n.attr
        for n in ast.walk(tree)
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id in alias
    }
    used |= {
        a.name for s in ast.walk(tree) if isinstance(s, ast.ImportFrom) and s.module == "autodiff" for a in s.names
    }
    assert used <= set(autodiff.__all__)


def test_the_public_names_are_spelled_out_and_sorted() -> None:
    assert len(set(autodiff.__all__)) == len(autodiff.__all__)
    assert all(not name.startswith("_") for name in autodiff.__all__)


@every_module
def test_modules_are_short_and_say_what_they_are(module: str) -> None:
    text = FILES[module].read_text(encoding="utf-8")
    assert re.match(r'"""\S', text)
    assert len(text.splitlines()) <= 400


INSIDE = {
    "primitive",
    "serial",
    "primal",
    "scope",
    "_grad_storage",
}  # of a Tensor; `is_leaf`, `operation` ... are public


@every_module_of_nn
def test_nn_reads_the_graph_by_its_public_names(module: str) -> None:
    """Attributes, too: `tensor.primitive` is the engine's own, `ad.primitive` is not."""
    tree = ast.parse(FILES[module].read_text(encoding="utf-8"))
    read = {
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in INSIDE
        if not (isinstance(node.value, ast.Name) and node.value.id == "ad")
    }
    assert read == set()


ADVICE = "autodiff.hints", "autodiff.explanation.losses"  # what to write instead, which may be a layer


@for_each([m for m in FILES if m.startswith("autodiff") and m not in ADVICE])
def test_autodiff_does_not_know_nn(module: str) -> None:
    """Neither its modules nor its names, but in advice."""
    text = FILES[module].read_text(encoding="utf-8")
    assert not re.findall(r"\bnn\.\w+", text)


def test_importing_asks_numpy_for_no_submodule_that_waits() -> None:
    """NumPy imports some of its modules, np.f2py among them, when they are first asked for, which takes a while."""
    code = "import sys, numpy; before = set(sys.modules); import autodiff; print(*set(sys.modules) - before)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not [name for name in found if name.startswith(("numpy.f2py", "numpy.testing", "numpy.ctypeslib"))]


def test_what_the_type_checker_is_told_to_ignore_has_a_reason() -> None:
    ignored = re.compile(r"# type: ignore\[[a-z, -]+\](?!  # \w)")
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for package in ("autodiff", "nn")
        for path in sorted((ROOT / package).rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if ignored.search(line)
    ]
    assert bare == []
