"""The pictures of the site, each drawn by the package from a computation that stands here.

The directive `picture` shows one of them by its name, in the reader's light or dark mode, with a caption.
"""

import re
from collections.abc import Callable
from html import escape
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

import autodiff as ad
import nn

ROOT = Path(__file__).parent.parent
THEMES = ("light", "dark")
DRAWN: dict[str, Callable[[str], str]] = {}


def drawn(function: Callable[[], tuple[ad.Tensor, dict[str, Any]]]) -> None:
    """A picture that ad.draw makes, of a result and with some options."""

    def markup(theme: str) -> str:
        result, options = function()
        with np.errstate(all="ignore"):  # one of them is about infinities
            return ad.draw(result, **{"theme": theme, **options}).svg

    DRAWN[function.__name__] = markup


def plotted(function: Callable[[Any], None]) -> None:
    """A picture of curves, which matplotlib draws from our numbers."""

    def markup(theme: str) -> str:
        import matplotlib as mpl  # only for these

        mpl.use("svg")
        from matplotlib import pyplot as plt

        with plt.style.context(["default", "dark_background"][: 1 + (theme == "dark")]):
            figure, axes = plt.subplots(figsize=(7.2, 3.2), layout="constrained")
            function(axes)
            axes.grid(alpha=0.25)
            axes.spines[["top", "right"]].set_visible(False)
            out = StringIO()
            figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
            plt.close(figure)
        return out.getvalue()

    DRAWN[function.__name__] = markup


def emblem_result() -> ad.Tensor:
    """The result that the whole site begins with."""
    x1, x2 = ad.Tensor(2.0, name="x1"), ad.Tensor(5.0, name="x2")
    return np.log(x1) + x1 * x2 - np.sin(x2)


@drawn
def emblem() -> tuple[ad.Tensor, dict[str, Any]]:
    """The lectures' example."""
    return emblem_result(), {}


@drawn
def order() -> tuple[ad.Tensor, dict[str, Any]]:
    """A value that a later value and the result both use."""
    a, b = ad.Tensor(2.0, name="a"), ad.Tensor(3.0, name="b")
    s = a * b
    return s * np.sin(s), {"title": "s = a b,   y = s sin s"}


@drawn
def shares() -> tuple[ad.Tensor, dict[str, Any]]:
    """One value with three uses."""
    x = ad.Tensor(3.0, name="x")
    return x * x + 2.0 * x, {}


@drawn
def two_losses() -> tuple[ad.Tensor, dict[str, Any]]:
    """The losses of two samples, of one parameter."""
    w = ad.Tensor(1.0, name="w")
    return (w * 2.0 - 1.0) ** 2 + (w * 3.0 - 5.0) ** 2, {}


@drawn
def edge() -> tuple[ad.Tensor, dict[str, Any]]:
    """Three numbers, two operations."""
    x, y, z = (ad.Tensor(v, name=n) for n, v in (("x", -2.0), ("y", 5.0), ("z", -4.0)))
    return (x + y) * z, {}


@drawn
def retained() -> tuple[ad.Tensor, dict[str, Any]]:
    """A loss with two values between it and its parameters."""
    w, b = ad.Tensor(0.5, name="w"), ad.Tensor(-1.0, name="b")
    score = w * 3.0 + b
    return (np.tanh(score) - 1.0) ** 2, {}


@drawn
def many_inputs() -> tuple[ad.Tensor, dict[str, Any]]:
    """One result of four inputs."""
    a, b, c, d = (ad.Tensor(v, name=n) for n, v in zip("abcd", (1.0, 2.0, 0.5, 3.0), strict=True))
    return np.sin(a * b) + np.exp(c) * d, {}


@drawn
def naive_softmax() -> tuple[ad.Tensor, dict[str, Any]]:
    """The logarithm of a probability that was rounded to 0."""
    a, b = ad.Tensor(-400.0, name="a"), ad.Tensor(400.0, name="b")
    p = np.exp(a) / (np.exp(a) + np.exp(b))
    with np.errstate(all="ignore"):
        return -np.log(p), {"title": "−ln softmax, in three steps"}


@drawn
def stable_softmax() -> tuple[ad.Tensor, dict[str, Any]]:
    """The same by one function."""
    x = ad.Tensor([-400.0, 400.0], name="x")
    return -ad.log_softmax(x)[0], {"title": "−log_softmax"}


@drawn
def zeros() -> tuple[ad.Tensor, dict[str, Any]]:
    """A network that starts with equal weights."""
    w1, w2, v1, v2 = (ad.Tensor(0.5, name=n) for n in ("w1", "w2", "v1", "v2"))
    h1, h2 = np.tanh(w1 * 2.0), np.tanh(w2 * 2.0)
    return (v1 * h1 + v2 * h2 - 1.0) ** 2, {"title": "two hidden units that start alike"}


@drawn
def magnitude() -> tuple[ad.Tensor, dict[str, Any]]:
    """A real function of a complex number."""
    z = ad.Tensor(3.0 + 4.0j, name="z")
    return np.abs(z) ** 2, {}


@drawn
def tie() -> tuple[ad.Tensor, dict[str, Any]]:
    """The maximum of two equal numbers."""
    a, b = ad.Tensor(2.0, name="a"), ad.Tensor(2.0, name="b")
    return np.maximum(a, b) * 3.0, {}


@drawn
def program() -> tuple[ad.Tensor, dict[str, Any]]:
    """What the compiler's example computes."""
    w = ad.Tensor([0.5, -0.5], name="w")
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    return np.sum(np.tanh(x @ w) ** 2), {}


@plotted
def zero_grad(axes: Any) -> None:
    """Gradient descent that empties the gradient before each step, and one that does not."""
    for empties in (True, False):
        w, losses = ad.Tensor(4.0, name="w"), []
        for _ in range(40):
            if empties:
                w.grad = None
            loss = (w - 1.0) ** 2
            loss.backward()
            losses.append(loss.item())
            w.value = w.value - 0.1 * w.grad
        axes.plot(losses, label="with zero_grad" if empties else "without")
    axes.set(xlabel="step", ylabel="loss (w − 1)²")
    axes.legend(frameon=False)


@plotted
def depth(axes: Any) -> None:
    """How large the gradient of each layer's weight is, in networks of twenty layers."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((64, 32)).astype(np.float32), rng.integers(10, size=64)
    for name, activation, start in (
        ("sigmoid, Xavier", nn.Sigmoid, nn.init.xavier_uniform),
        ("ReLU, Xavier", nn.ReLU, nn.init.xavier_uniform),
        ("ReLU, He", nn.ReLU, nn.init.he_uniform),
    ):
        model = nn.MLP(32, *[32] * 19, 10, activation=activation, weight_init=start, rng=0)
        nn.functional.cross_entropy(model(x), y).backward()
        norms = [float(np.linalg.norm(p.grad)) for p in model.parameters() if p.ndim == 2]
        axes.semilogy(range(1, len(norms) + 1), norms, marker="o", markersize=3, label=name)
    axes.set(xlabel="layer, from the input on", ylabel="norm of its gradient", xticks=range(1, 21, 2))
    axes.legend(frameon=False)


def rooms() -> list[tuple[str, list[str]]]:
    """The floors of the house, each with its rooms, from the table in CONTRIBUTING.md."""
    floors: dict[str, list[str]] = {}
    floor = ""
    for line in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines():
        found = re.match(r"\| *([\d-]*) *\| *((?:`[^`]+`[, ]*)+)", line)
        if not found:
            continue
        floor = found[1] or floor
        names = re.findall(r"`([^`]+)`", found[2])
        inside = names[0].endswith("/") and len(names) > 1 and names[1].endswith(".py")  # a folder, then its files
        folder = names[0] if inside else str(Path(names[0]).parent) + "/"
        names = [names[0], *(name if "/" in name.rstrip("/") else folder + name for name in names[1:])]
        floors.setdefault(floor, []).extend(name.removeprefix("./") for name in names[inside:])
    return sorted(floors.items(), key=lambda item: item[0])


def architecture(theme: str) -> str:
    """The house as a picture: a band for each floor, the lowest below."""
    paper, ink, muted, chip, rule = {
        "light": ("#ffffff", "#1f2328", "#59636e", "#e6f1fa", "#d8dee4"),
        "dark": ("#0d1117", "#e6edf3", "#9aa4af", "#0c2742", "#30363d"),
    }[theme]
    width, left, parts, top = 900, 74, [], 16
    for floor, names in reversed(rooms()):
        x, y, chips = left, top + 12, []
        for name in dict.fromkeys(names):
            wide = 7.3 * len(name) + 18
            if x + wide > width - 16:
                x, y = left, y + 32
            chips.append(
                f'<rect x="{x}" y="{y}" width="{wide:.0f}" height="24" rx="6" fill="{chip}"/>'
                f'<text x="{x + 9}" y="{y + 16}" font-size="12" font-family="monospace" fill="{ink}">'
                f"{escape(name)}</text>"
            )
            x += wide + 8
        bottom = y + 36
        parts.append(
            f'<rect x="8" y="{top}" width="{width - 16}" height="{bottom - top}" rx="8" fill="none" stroke="{rule}"/>'
            f'<text x="22" y="{(top + bottom) / 2 + 4}" font-size="13" font-family="sans-serif" fill="{muted}">'
            f"{escape(floor)}</text>" + "".join(chips)
        )
        top = bottom + 8
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {top + 8}" width="{width}" '
        f'height="{top + 8}"><rect width="{width}" height="{top + 8}" fill="{paper}" rx="10"/>{"".join(parts)}</svg>'
    )


DRAWN["architecture"] = architecture


def stepper(theme: str) -> str:
    """The page of the emblem's steps, in one mode."""
    page = ad.steps(emblem_result()).html
    page = page.replace("color-scheme: light dark", f"color-scheme: {theme}")
    return page.replace("(prefers-color-scheme:dark)", "all" if theme == "dark" else "not all").replace(
        "(prefers-color-scheme: dark)", "all" if theme == "dark" else "not all"
    )


def compiled() -> str:
    """The program that the page on the compiler shows."""
    step = ad.compile(ad.value_and_grad(lambda w, x: np.sum(np.tanh(x @ w) ** 2)))
    step(np.array([0.5, -0.5]), np.array([[1.0, 2.0], [3.0, 4.0]]))
    return step.source


def write(folder: Path) -> None:
    """Draw everything into a folder."""
    folder.mkdir(exist_ok=True)
    for name, markup in DRAWN.items():
        for theme in THEMES:
            (folder / f"{name}-{theme}.svg").write_text(markup(theme), encoding="utf-8")
    for theme in THEMES:
        (folder / f"stepper-{theme}.html").write_text(stepper(theme), encoding="utf-8")
    (folder / "program.py").write_text(compiled(), encoding="utf-8")


class Picture(SphinxDirective):
    """A picture by its name, with a caption, and what it shows for those who cannot see it."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """The figure."""
        name = self.arguments[0]
        if name not in DRAWN:
            raise self.error(f"there is no picture {name!r}; docs/pictures.py draws {', '.join(DRAWN)}")
        caption = nodes.caption()
        inline, messages = self.state.inline_text(" ".join(self.content), self.lineno)
        caption += inline
        figure, both = nodes.figure(""), nodes.container()  # the theme hides a caption beside an image of one mode
        for theme in THEMES:
            image = nodes.image(uri=f"/generated/{name}-{theme}.svg", alt=caption.astext())
            image["classes"] += [f"only-{theme}"]
            both += image
        figure += both
        figure += caption
        return [figure, *messages]


class LiveStepper(SphinxDirective):
    """The emblem's stepper, a page in the page: one for each mode, of which the reader sees one."""

    def run(self) -> list[nodes.Node]:
        """The frames, with their pages inside: nothing is loaded from anywhere."""
        frames = "".join(
            f'<iframe class="stepper only-{theme}" title="The steps of a computation" '
            f'srcdoc="{escape((ROOT / "docs" / "generated" / f"stepper-{theme}.html").read_text(encoding="utf-8"))}">'
            "</iframe>"
            for theme in THEMES
        )
        return [nodes.raw("", frames, format="html")]
