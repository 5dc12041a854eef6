"""FUNCTIONS.md is what the tables say. `python tests/test_function_table.py` writes it anew."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from test_completeness import PUBLIC

import autodiff as ad
from autodiff.engine.table import table
from autodiff.scipy import integrate, linalg, signal, special, stats

PAGE = Path(__file__).parent.parent / "FUNCTIONS.md"
SPACES = {"np": "numpy", "np.linalg": "numpy.linalg", "np.fft": "numpy.fft"}
SPACES |= {"np.lib.stride_tricks": "numpy.lib.stride_tricks"}
HEAD = """# Which functions a Tensor can be passed to

Generated from the tables that the engine itself reads, by `python tests/test_function_table.py`; a test compares
them. What is not listed here is refused by name.

*Differentiable* functions have derivatives of every order. *Constants* have the derivative zero wherever they have
one, and give plain arrays. *Refused* functions raise a TypeError that says what to do instead.
"""


def classes(space: str) -> dict[str, list[str]]:
    """The names of a namespace by class; a refused one with its reason."""
    functions = {name: f for name, f in PUBLIC.items() if name.rpartition(".")[0] == space}
    listed: dict[str, list[str]] = {"Differentiable": [], "Constants": []}
    reasons: dict[str, list[str]] = {}
    for name, function in sorted(functions.items(), key=lambda item: item[0].lower()):
        short = f"`{name.rpartition('.')[2]}`"
        known = table.get(function)
        if known is None:
            continue
        if known.kind == "constant":
            listed["Constants"].append(short)
        elif known.kind == "refused":
            reasons.setdefault(known.reason, []).append(short)
        else:
            listed["Differentiable"].append(short)
    return listed | {f"Refused: {reason}": names for reason, names in reasons.items()}


def page() -> str:
    parts = [HEAD]
    for space, title in SPACES.items():
        parts.append(f"\n## {title}\n")
        parts += [
            f"\n**{kind}** ({len(names)}). {', '.join(names)}\n" for kind, names in classes(space).items() if names
        ]
    own = [name for name in ad.__all__ if getattr(ad, name) in table or name in ("elu", "gelu", "leaky_relu", "silu")]
    parts.append(f"\n## autodiff\n\nWhat NumPy has no name for. {', '.join(f'`{name}`' for name in own)}\n")
    parts.append(
        "\n## scipy.special\n\nAbout 80 ufuncs (`erfinv`, `gammaln`, `digamma`, `expit`, `xlogy`, `j0`, ...), where "
        "SciPy is installed; `autodiff/rules/special.py` lists them.\n"
    )
    parts.append("\n## autodiff.scipy\n\nSciPy's functions beside the ufuncs, under SciPy's names.\n")
    for module in (special, linalg, stats, signal, integrate):
        name = module.__name__.rpartition(".")[2]
        parts.append(f"\n**{name}**: {', '.join(f'`{name}`' for name in module.__all__)}\n")
    return "".join(parts)


def test_the_page_lists_what_the_tables_say() -> None:
    """For the functions that the installed NumPy has: another version has a few more, or less."""
    text, here = PAGE.read_text(encoding="utf-8"), page()
    names = {f"`{name.rpartition('.')[2]}`" for name in PUBLIC}
    if np.lib.NumpyVersion(np.__version__) < "2.4.0":  # it has functions that newer ones have dropped
        names &= set(re.findall(r"`\w+`", text))

    def rows(markdown: str) -> dict[tuple[str, str], set[str]]:
        found = {}
        for section in re.split(r"^## ", markdown, flags=re.MULTILINE)[1:]:
            title = section.splitlines()[0]
            for kind, listed in re.findall(r"^\*\*(.*?)\*\* \(\d+\)\. (.*)$", section, re.MULTILINE):
                found[title, kind] = set(listed.split(", ")) & names
        return {key: listed for key, listed in found.items() if listed}

    assert rows(text) == rows(here)
    assert sum(map(len, rows(text).values())) > 300


if __name__ == "__main__":
    from foreign import DEVICE
    from test_devices import said
    from test_variations import said_of, sweep

    ad.admit(DEVICE)
    _, refused, number = sweep()
    names = ", ".join(sorted({f"`{v.function.__name__}({', '.join(v.parameters)})`" for v in refused}))
    keywords = f"\n## Keywords\n\n{said_of(refused, number)}{f' They are {names}.' if names else ''}\n"
    PAGE.write_text(f"{page()}{keywords}\n## Devices\n\n{said()}\n", encoding="utf-8")
