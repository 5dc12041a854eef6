"""The reference: a page for each part of the two packages, with every public name that it has.

The names come from each module's __all__, and those of one file of source stand together under the first line of that
file's docstring. So a new public name is in the reference as soon as it is in __all__.
"""

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import docstrings


class Part(NamedTuple):
    """A page of the reference."""

    file: str
    title: str
    module: str  # whose public names
    of: Callable[[str], bool]  # those that are defined in such a module
    intro: str


def anywhere(home: str) -> bool:
    """Every name."""
    return True


# Short titles of groups, in the order in which they stand. Other groups follow, under what their file says that it is.
TITLES = {
    "autodiff.arrays.tensor": "The Tensor",
    "autodiff.engine.recording": "What is recorded",
    "autodiff.transforms.derivatives": "Derivatives of functions",
    "autodiff.transforms.vmap": "One example to many",
    "autodiff.transforms.checkpoint": "Memory for time",
    "autodiff.program.compiled": "Compiled programs",
    "autodiff.notation.trace": "Traces and pictures",
    "autodiff.picture": "Traces and pictures",
    "autodiff.picture.stepping.stepper": "Traces and pictures",
    "autodiff.explanation.question": "Why a gradient is what it is",
    "autodiff.explanation.wording": "Why a gradient is what it is",
    "autodiff.explanation.debugging": "Why a gradient is what it is",
    "autodiff.explanation.holding": "What graphs hold",
    "autodiff.rules.activations": "Functions that NumPy has no name for",
    "autodiff.engine.table": "Primitives and their rules",
    "autodiff.transforms.check": "Primitives and their rules",
    "autodiff.arrays.reading": "Reading the graph",
    "autodiff.arrays.flat": "Many Tensors as one vector",
    "nn.model.module": "Models",
    "nn.playing.handle": "The playground",
    "nn.layers.containers": "Containers",
    "nn.layers.listed": "Lists and dicts of layers",
    "nn.layers.dense": "Dense layers",
    "nn.layers.lazy": "Dense layers as in Keras",
    "nn.layers.activations": "Activations",
    "nn.layers.shaped": "Further activations",
    "nn.layers.convolution": "Convolutions",
    "nn.layers.pooling": "Pooling",
    "nn.layers.resizing": "Images of another size",
    "nn.layers.padding": "Padding",
    "nn.layers.normalisation": "Normalisation",
    "nn.layers.grouped": "Normalisation of each sample",
    "nn.layers.spectral": "Spectral normalisation",
    "nn.layers.dropout": "Dropout",
    "nn.layers.recurrent": "Recurrent layers",
    "nn.layers.attention": "Attention",
    "nn.layers.pairs": "Pairs and bags",
    "nn.losses": "Losses of predictions",
    "nn.criteria": "Losses of pairs, of several labels and of distributions",
    "nn.training.fitting": "Training",
    "nn.training.evaluation": "Training",
    "nn.training.training": "Training",
    "nn.training.searching": "Before training",
    "nn.training.restarting": "Before training",
    "nn.training.callbacks": "Callbacks",
    "nn.training.averaging": "Callbacks",
    "nn.report.watching": "Callbacks",
    "nn.report.history": "What a training returns",
    "nn.training.diagnosis": "What a training returns",
    "nn.model.saving": "Files",
    "nn.portable.exporting": "Files",
    "nn.model.flat_vector": "Parameters as one vector",
    "nn.memory": "Memory",
    "nn.estimators.classifier": "scikit-learn",
    "nn.estimators.regressor": "scikit-learn",
    "nn.functional.dense": "Dense layers",
    "nn.functional.activations": "Activations",
    "nn.functional.convolution": "Convolutions",
    "nn.functional.transposed": "Transposed convolutions",
    "nn.functional.classification": "Losses of classifiers",
    "nn.functional.binary": "Losses of two classes and of probabilities",
    "nn.functional.regression": "Losses of numbers",
    "nn.functional.likelihood": "Likelihoods",
    "nn.functional.margins": "Margins and distances",
    "nn.functional.alignment": "Connectionist temporal classification",
    "nn.functional.penalties": "Penalties",
    "nn.functional.labels": "Labels",
    "nn.functional.normalisation": "Normalisation",
    "nn.functional.grouped": "Normalisation of each sample",
    "nn.functional.embedding": "Embeddings",
    "nn.functional.bags": "Bags",
    "nn.functional.resizing": "Images of another size",
    "nn.functional.folding": "Windows as columns",
    "nn.functional.similarity": "Similarity",
    "nn.optim.gradient_descent": "Optimizers",
    "nn.optim.adam": "Optimizers",
    "nn.optim.variants": "Optimizers",
    "nn.optim.adaptive": "Optimizers",
    "nn.optim.lbfgs": "Optimizers",
    "nn.optim.optimizer": "Optimizers",
    "nn.optim.lr_scheduler": "Schedules",
    "nn.optim.plateau": "Schedules",
    "nn.optim.one_cycle": "Schedules",
    "nn.optim.schedule": "Schedules",
    "nn.optim.clipping": "Clipping",
    "nn.data.loader": "Mini-batches",
    "nn.data.dataset": "Mini-batches",
    "nn.data.splitting": "Splitting and standardising",
    "nn.data.standardising": "Splitting and standardising",
    "nn.data.synthetic": "Synthetic data",
    "nn.data.surfaces": "Synthetic data",
    "nn.data.shipped": "Real data that scikit-learn ships",
    "nn.data.idx": "Files of MNIST",
    "nn.data.table": "Tables",
    "nn.data.pictures": "Images",
    "nn.data.text": "Text and sequences",
    "nn.data.sequence": "Text and sequences",
    "nn.metrics.classification": "Metrics of classifiers",
    "nn.metrics.regression": "Metrics of numbers",
    "nn.metrics.choice": "Metrics by name",
    "autodiff.scipy.special": "special",
    "autodiff.scipy.linalg": "linalg",
    "autodiff.scipy.stats.univariate": "stats",
    "autodiff.scipy.stats.distribution": "stats",
    "autodiff.scipy.stats.multivariate": "stats",
    "autodiff.scipy.integrate": "integrate",
    "autodiff.scipy.signal": "signal",
}
LAYERS = "nn.layers"
LOSSES = ("nn.losses", "nn.criteria")
PARTS = (
    Part("ad", "autodiff", "autodiff", anywhere, "Imported as ``import autodiff as ad``."),
    Part(
        "scipy",
        "autodiff.scipy",
        "autodiff.scipy",
        anywhere,
        "SciPy's functions on Tensors, under SciPy's own names. They need SciPy.",
    ),
    Part("layers", "Layers", "nn", lambda home: home.startswith(LAYERS), "Modules made of a few numbers."),
    Part("losses", "Losses", "nn", lambda home: home in LOSSES, "Losses as objects that keep their options."),
    Part(
        "training",
        "Models and training",
        "nn",
        lambda home: not home.startswith((LAYERS, *LOSSES)),
        "What models are made of, how they are trained, watched and kept.",
    ),
    Part("functional", "nn.functional", "nn.functional", anywhere, "Imported as ``import nn.functional as F``."),
    Part("optim", "nn.optim", "nn.optim", anywhere, "Optimizers, schedules of their step size, and clipping."),
    Part("data", "nn.data", "nn.data", anywhere, "Samples to learn from."),
    Part("metrics", "nn.metrics", "nn.metrics", anywhere, "What is measured, beside the loss."),
    Part("init", "nn.init", "nn.init", lambda home: home == "nn.init", "Initial values of parameters."),
)
INHERITING = ("Tensor", "Module", "Compiled")  # whose methods are spread over several files


def members(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The full names and values of a module's public names, those of its own modules too where it has no others."""
    names = getattr(module, "__all__", None) or sorted(name for name in vars(module) if not name.startswith("_"))
    names = [*names, *(name for name in getattr(module, "_on_demand", ()) if name not in names)]
    for name in names:
        value = getattr(module, name)
        if module.__name__ == "autodiff.scipy" and inspect.ismodule(value):
            yield from members(value)
        elif callable(value) or hasattr(type(value), "logpdf"):
            yield f"{module.__name__}.{name}", value


def home(value: Any) -> str:
    """The module that a function or class, or the class of an object, is defined in."""
    return getattr(inspect.unwrap(value), "__module__", None) or type(value).__module__


def described(full: str, value: Any) -> list[str]:
    """The directive that shows a name."""
    if inspect.isclass(value):
        options = ["   :members:"]
        if value.__name__ in INHERITING:
            options.append("   :inherited-members:")
        return [f".. autoclass:: {full}", *options, ""]
    if inspect.isfunction(inspect.unwrap(value)):
        return [f".. autofunction:: {full}", ""]
    methods = [name for name in dir(type(value)) if not name.startswith("_") and callable(getattr(value, name))]
    return [f".. py:data:: {full}", "", f"   A distribution with {', '.join(f'``{name}``' for name in methods)}.", ""]


def heading(place: str) -> str:
    """The title of a group: a short one from above, or what its file says that it is."""
    if place in TITLES:
        return TITLES[place]
    module = sys.modules.get(place)
    first = (module.__doc__ or place).strip().splitlines()[0] if module else place
    return first.rstrip(".:;").partition(": ")[0].partition(", as ")[0]


def page(part: Part) -> str:
    """The text of a page."""
    module = importlib.import_module(part.module)
    found = [(name, value) for name, value in members(module) if part.of(home(value))]
    ours = [(name, value) for name, value in found if home(value).startswith(("autodiff", "nn"))]
    theirs = [name.rpartition(".")[2] for name, value in found if not home(value).startswith(("autodiff", "nn"))]
    lines = [part.title, "=" * len(part.title), "", part.intro, ""]
    if theirs:
        lines += [f"NumPy's or SciPy's own functions serve as {', '.join(f'``{name}``' for name in theirs)}.", ""]
    places = list(TITLES)
    groups: dict[str, list[tuple[str, Any]]] = {}
    for name, value in sorted(ours, key=lambda item: places.index(at) if (at := home(item[1])) in TITLES else 10**6):
        groups.setdefault(heading(home(value)), []).append((name, value))
    for title, group in groups.items():
        lines += [docstrings.escaped(title), "-" * 2 * len(title), ""]
        lines += [".. autosummary::", "   :nosignatures:", ""]
        lines += [f"   ~{name}" for name, value in group if inspect.isclass(value) or inspect.isroutine(value)]
        lines += ["", *(line for name, value in group for line in described(name, value))]
    return "\n".join(lines)


def write(folder: Path) -> None:
    """Write all pages; those that are as before keep their date, so that Sphinx need not read them again."""
    folder.mkdir(exist_ok=True)
    for part in PARTS:
        path, text = folder / f"{part.file}.rst", page(part)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
