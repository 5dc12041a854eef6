"""How computations are written: numbers, names, equations and local partials, and their three renderings."""

from __future__ import annotations

import importlib
import math
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import autodiff as ad
from autodiff.command.expression import Expression
from autodiff.engine.reverse import contribution
from autodiff.engine.table import table
from autodiff.notation import textbook
from autodiff.notation.formula import Formula, Token, clean, html, latex, number, plain, width
from autodiff.notation.naming import Naming, equation, partial, pullback
from autodiff.notation.symbols import template, writing

HOSTILE = [
    "<script>alert(1)</script>",
    "</i></td><img src=x onerror=alert(1)>",
    "a&b\"c'd",
    r"\input{/etc/passwd} $x$ #1 50% {x}_y^z~",
    "line\nbreak\ttab\0nul\x1b[31mred",
    "\u202egnihtyreve",
    "\ud800",
    "x" * 10_000,
    "𝒳 ∑ 张",
    "",
]


def written(y: ad.Tensor) -> str:
    """The right-hand side of the last operation."""
    return plain(equation(y, Naming(y)))


def slopes(y: ad.Tensor) -> list[str | None]:
    naming = Naming(y)
    parts = [partial(y, k, naming) for k, a in enumerate(y.arguments) if isinstance(a, ad.Tensor)]
    return [None if part is None else plain(part) for part in parts]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (-1e-300, "−1e−300"),
        (1e-3, "0.001"),
        (9.994e-4, "9.994e−4"),
        (0.00099999999, "0.001"),
        (-0.00012345, "−1.234e−4"),
        (0.5, "0.5"),
        (-1 / 3, "−0.3333"),
        (2, "2"),
        (10.693147180559945, "10.6931"),
        (99999.99, "99999.99"),
        (99999.99999, "1e5"),
        (1e5, "1e5"),
        (-123456, "−1.235e5"),
        (1e300, "1e300"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "nan"),
        (np.float32(0.1), "0.1"),
    ],
)
def test_numbers_have_four_decimals_and_become_scientific_outside_1e_minus_3_to_1e5(value, text):
    assert number(value) == text


def test_numbering_is_by_depth_then_recording_order():
    x1, x2 = ad.Tensor(2.0, name="x1"), ad.Tensor(5.0, name="x2")
    deep = np.exp(np.sin(x2))  # recorded before the logarithm, but one deeper
    y = deep + np.log(x1)
    naming = Naming(y)
    assert [plain((naming[v],)) for v in naming.order] == ["v₋₁", "v₀", "v₁", "v₂", "v₃", "v₄"]
    assert naming.order[0] is x1
    assert naming.order[1] is x2
    assert [plain(equation(v, naming)) for v in naming.order] == ["x₁", "x₂", "sin v₀", "ln v₋₁", "exp v₁", "v₃ + v₂"]


@pytest.mark.parametrize(
    ("name", "text", "barred", "tex"),
    [
        ("x1", "x₁", "x̄₁", "x_{1}"),
        ("x_1", "x₁", "x̄₁", "x_{1}"),
        ("x", "x", "x̄", "x"),
        ("w_ij", "wᵢⱼ", "w̄ᵢⱼ", "w_{ij}"),
        ("b_out", "bₒᵤₜ", "b̄ₒᵤₜ", "b_{out}"),
        ("W_Q", "W_Q", "W̄_Q", "W_{Q}"),
        ("alpha", "α", "\u1fb1", r"\alpha "),
        ("theta_2", "θ₂", "θ̄₂", r"\theta _{2}"),
        ("weight", "weight", "w̅e̅i̅g̅h̅t̅", r"\mathrm{weight}"),
        ("a b", "a b", "a̅ ̅b̅", r"\mathrm{a\ b}"),
    ],
)
def test_names_of_users(name, text, barred, tex):
    x = ad.Tensor(1.0, name=name)
    title = Naming(x).title(x)
    assert title is not None
    assert plain(title) == text
    assert latex(title) == tex
    assert plain(tuple(t._replace(bar=True) for t in title)) == barred
    assert width(plain(tuple(t._replace(bar=True) for t in title))) == width(text) == len(text)


@pytest.mark.parametrize(
    ("names", "texts"),
    [
        (["x1", "x_1", "x2"], ["x1", "x_1", "x₂"]),
        (["alpha", "α", "beta"], ["alpha", "α", "β"]),
        (["v1", "v_2", "v0", "v", "v_a"], ["v1", "v_2", "v0", "v", "vₐ"]),
        (["v₁", "x₁", "x1"], ["“v₁”", "x₁", "x1"]),
        (["x1", "x1"], ["x₁", "x₁"]),
    ],
)
def test_names_that_would_look_alike_are_written_as_they_are(names, texts):
    naming = Naming(sum(ad.Tensor(1.0, name=name) for name in names))
    titles = [naming.title(leaf) for leaf in naming.order[: len(names)]]
    assert [plain(title) for title in titles if title is not None] == texts
    assert len({html(title) for title in titles if title is not None}) == len(set(names))


def test_an_unnamed_leaf_has_no_title():
    x = ad.Tensor(1.0)
    assert Naming(x).title(x) is None
    assert plain(equation(x, Naming(x))) == "input"


def test_equations_of_arithmetic_with_constants():
    x = ad.Tensor(3.0)
    assert written(x - (-3)) == "v₀ − (−3)"
    assert written(2 * x) == "2 × v₀"
    assert written(x / np.float32(4)) == "v₀ / 4"
    assert written(-x) == "−v₀"
    assert written(x**2) == "v₀²"
    assert written(x**-3) == "v₀⁻³"
    assert written(x**0.5) == "v₀^0.5"
    assert written(x**-0.5) == "v₀^(−0.5)"
    assert written(2**x) == "2^v₀"
    assert written(np.maximum(x, -1e-5)) == "max(v₀, −1e−5)"
    assert written(np.ones((2, 3)) * x) == "c₁ × v₀"
    assert written(np.array([1, 2.5]) * x) == "c₁ × v₀"


def test_partials_of_powers_and_quotients():
    x, z = ad.Tensor(3.0), ad.Tensor(2.0)
    assert slopes(x**2) == ["2 v₀"]
    assert slopes(x**3) == ["3 v₀²"]
    assert slopes(x**-2) == ["−2 v₀⁻³"]
    assert slopes(x**0.5) == ["0.5 v₀^(−0.5)"]
    assert slopes(x**z) == ["v₀ v₋₁^(v₀ − 1)", "v₁ ln v₋₁"]
    assert slopes(x / z) == ["1/v₀", "−v₋₁/v₀²"]
    assert slopes(x / -2.0) == ["1/(−2)"]


def test_partials_are_true_where_the_derivative_jumps():
    a, b = ad.Tensor(1.0), ad.Tensor(1.0)
    for function in (np.maximum, np.minimum, np.fmax, np.fmin):
        assert slopes(function(a, b)) == ["0.5 [v₋₁ = v₀]", "0.5 [v₀ = v₋₁]"]
    assert slopes(np.maximum(a, 2.0)) == ["[v₀ > 2]"]
    assert slopes(np.minimum(a, 1.0)) == ["0.5 [v₀ = 1]"]
    assert slopes(np.fmax(a, np.nan)) == [None]
    zero = ad.Tensor(0.0)
    assert slopes(zero**a) == slopes(np.hypot(zero, zero)) == [None, None]
    assert slopes(0**a) == [None]
    some = np.maximum(ad.Tensor([1.0, 2.0]), ad.Tensor([1.0, 3.0]))
    assert plain(pullback(some, 0, Naming(some))) == "v̄₁ × ([v₋₁ > v₀] + 0.5 [v₋₁ = v₀])"


def test_partials_that_are_plain_numbers_have_no_formula():
    x, z = ad.Tensor(3.0), ad.Tensor(2.0)
    assert slopes(x + z) == slopes(x - z) == [None, None]
    assert slopes(-x) == slopes(x**1) == [None]


def evaluated(text: str, **values: float) -> float:
    """The value of a template, read by the command line's parser."""
    for sign, meaning in {"²": "**2", "−": "-", "√π": "sqrt(pi)", "√": "sqrt", "σ": "sigmoid"}.items():
        text = text.replace(sign, meaning)
    text = re.sub(r"sqrt([ay])", r"sqrt(\1)", text)
    text = re.sub(r"\b(ln|exp|sin|cos|sinh|cosh) (\w+)", r"\1(\2)", text)
    text = re.sub(r"(?<=[\w)]) (?=[\w(])", "*", text)
    return float(Expression(text.replace("^", "**"))(values))


def of_numbers(function):
    """A call of the function with numbers, or None if no local partials are written for it there."""
    at = [1.7 if function is np.arccosh else 0.3, 0.7]
    for count in (1, 2):
        try:
            y = function(*map(ad.Tensor, at[:count]))
        except TypeError:
            continue
        written = writing(y)
        return (y, at[:count], written.partials) if written is not None and written.partials else None
    return None


OURS = ad.relu, ad.sigmoid, ad.softplus, ad.erf
WRITTEN = [f for f, known in table.items() if known.writing is not None and (known.elementwise or f in OURS)]
DECLARED = {table[f].name: call for f in WRITTEN if (call := of_numbers(f))}


@pytest.mark.parametrize("name", DECLARED)
def test_the_partials_written_are_the_derivatives_computed(name):
    y, at, partials = DECLARED[name]
    values = dict(zip("ab", at, strict=False)) | {"y": y.item()}
    for position, text in enumerate(partials):
        assert text is not None
        if "[" in text:  # an indicator, 1 where the condition holds; here a < b
            expected = float(
                {"[a > 0]": True, "[b > a]": True, "[a < b]": True, "[a > b]": False, "[b < a]": False}[text]
            )
        elif text == "sign a":
            expected = 1.0
        else:
            expected = evaluated(text, **values)
        assert contribution(y, position, 1.0) == pytest.approx(expected, rel=1e-14)


def test_the_functions_of_a_first_course_are_written_as_textbooks_write_them():
    expected = (
        "add subtract multiply divide negative exp log sqrt sin cos tan arctan tanh maximum power sigmoid relu softplus"
    )
    assert set(expected.split()) <= set(DECLARED)


def test_how_a_function_is_written_stands_on_its_record_and_a_users_writing_is_kept():
    assert table[np.exp].writing.form == "exp a"
    ad.written(np.exp, "e^a", ("y",))
    importlib.reload(textbook)
    assert table[np.exp].writing.form == "e^a"


def test_whole_array_functions_and_their_pullbacks():
    a, b = ad.Tensor(np.ones((2, 3))), ad.Tensor(np.ones((3, 4)))
    shape = "shape" if np.lib.NumpyVersion(np.__version__) >= "2.1.0" else "newshape"  # the name NumPy gives it

    def rules(y: ad.Tensor) -> list[str]:
        naming = Naming(y)
        return [plain(pullback(y, k, naming)) for k in range(len(y.arguments)) if isinstance(y.arguments[k], ad.Tensor)]

    assert written(a @ b) == "v₋₁ v₀"
    assert rules(a @ b) == ["v̄₁ v₀ᵀ", "v₋₁ᵀ v̄₁"]
    assert rules(a @ np.ones(3)) == ["v̄₁ ⊗ c₁"]
    assert rules(a @ b[:, 0]) == ["v̄₂ ⊗ v₁", "v₋₁ᵀ v̄₂"]
    assert written(a.T) == "v₀ᵀ"
    assert rules(a.T) == ["v̄₁ᵀ"]
    assert written(a.sum()) == "sum v₀"
    assert written(a.sum(axis=0)) == "sum(v₀, axis=0)"
    assert rules(a.mean()) == ["broadcast v̄₁ / 6"]
    assert rules(a.mean(where=a.value > 0)) == ["pullback of mean(v̄₁)"]
    assert written(a.sum(dtype=np.float32)) == "sum(v₀, dtype=float32)"
    assert written(a[0, 1:]) == "v₀[0, 1:]"
    assert written(a[..., None, -1]) == "v₀[..., None, -1]"
    assert written(a[::2, a.value[0] > 0]) == "v₀[::2, mask(3)]"
    assert written(a[np.array([0, 1, 0])]) == "v₀[array(3)]"
    assert written(a.reshape(3, 2)) == f"reshape(v₀, {shape}=(3, 2))"
    assert rules(a + np.ones((2, 1))) == ["v̄₁"]
    assert rules(a[0] + a) == ["sum(v̄₂)", "v̄₂"]
    assert rules(np.tanh(a)) == ["v̄₁ × (1 − v₁²)"]
    assert rules(a - b[0, :3]) == ["v̄₂", "sum(−v̄₂)"]


PULLBACKS = {
    "a.prod()": ["v̄₁ × v₁ / v₀"],
    "a.max()": ["v̄₁ where v₀ = v₁"],
    "a.min(axis=0)": ["v̄₁ where v₀ = v₁"],
    "a.copy()": ["v̄₁"],
    "a.astype(np.float32)": ["astype v̄₁"],
    "np.swapaxes(a, 0, 1)": ["swapaxes v̄₁"],
    "np.transpose(a, (1, 0))": ["transpose v̄₁"],
    "a.at[0].set(b[0])": ["v̄₂ elsewhere", "gather v̄₂"],
    "a.at[0].add(b[0])": ["v̄₂", "gather v̄₂"],
    "a.sum(axis=1)": ["broadcast v̄₁"],
    "a.reshape(6)": ["reshape v̄₁"],
    "a.ravel()": ["reshape v̄₁"],
    "np.expand_dims(a, 0)": ["reshape v̄₁"],
    "np.squeeze(a[None])": ["reshape v̄₂"],
    "np.broadcast_to(a, (2, 2, 3))": ["sum v̄₁"],
    "ad.softmax(a)": ["v₁ × (v̄₁ − sum(v̄₁ × v₁))"],
    "ad.log_softmax(a)": ["v̄₁ − exp v₁ × sum v̄₁"],
    "np.where([True, False, True], a, b)": ["v̄₁ where c₁", "v̄₁ where not c₁"],
    "ad.logsumexp(a)": ["v̄₁ × softmax v₀"],
    "a[0]": ["scatter v̄₁"],
    "np.dot(a, b.T)": ["v̄₂ v₁ᵀ", "v₋₁ᵀ v̄₂"],
    "np.linalg.inv(a[:, :2])": ["pullback of inv(v̄₂)"],
    "ad.relu(a)": ["v̄₁ × [v₀ > 0]"],
    "np.maximum(a, a + 1.0)": ["v̄₂ × [v₀ > v₁]", "v̄₂ × [v₁ > v₀]"],
}


def test_the_pullbacks_of_arrays_in_words():
    scope = {"np": np, "ad": ad, "a": ad.Tensor(np.arange(1.0, 7).reshape(2, 3)), "b": ad.Tensor(np.ones((2, 3)))}
    found = {}
    for code in PULLBACKS:
        y = eval(code, scope)  # noqa: S307  # lines of our own
        naming, tensors = Naming(y), [k for k, a in enumerate(y.arguments) if isinstance(a, ad.Tensor)]
        found[code] = [plain(pullback(y, k, naming)) for k in tensors]
    assert found == PULLBACKS


def test_a_primitive_of_ones_own_is_written_by_name_and_has_no_formula_for_its_partial():
    @ad.primitive
    def log(x, z):
        return x * z

    ad.adjoint(log, lambda g, y, x, z: g * z, lambda g, y, x, z: g * x)
    y = log(ad.Tensor(2.0), ad.Tensor(3.0))  # the name of NumPy's logarithm, but not the function
    assert written(y) == "log(v₋₁, v₀)"
    assert slopes(y) == [None, None]
    assert plain(pullback(y, 1, Naming(y))) == "pullback of log(v̄₁)"


def test_a_function_of_many_arrays_is_shortened():
    y = np.concatenate([ad.Tensor([float(k)]) for k in range(50)])
    assert re.fullmatch(r"concatenat\w+\(v₋₄₉, v₋₄₈, v₋₄₇, …, v₀(, axis=0)?\)", written(y))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_only_ever_text(name):
    x = ad.Tensor(1.0, name=name)
    title = Naming(x).title(x)
    assert title is not None
    for formula in (title, tuple(t._replace(bar=True) for t in title)):
        root = ET.fromstring(f"<p>{html(formula)}</p>")  # noqa: S314  # made here
        assert {e.tag for e in root.iter()} <= {"p", "i", "sub", "span"}
        text = plain(formula)
        assert all(c.isprintable() or c in "\u0304\u0305" for c in text)
        assert width(text) <= 80
        assert_balanced(latex(formula))


def assert_balanced(tex: str) -> None:
    """Braces pair up, and no character of TeX's own meaning is left bare."""
    bare = re.sub(r"\\[^a-zA-Z]", "", tex)
    depth = 0
    for c in bare:
        depth += (c == "{") - (c == "}")
        assert depth >= 0
    assert depth == 0
    assert not set(bare) & set("$#%~")
    assert not re.search(r"<[a-zA-Z/!?]", tex)


def test_clean_leaves_ordinary_text_alone():
    assert clean("hidden.weight α 张") == "hidden.weight α 张"
    assert len(clean("x" * 1000)) == 40


def test_roots_and_exponents_cover_their_operand_in_latex_and_html():
    naming_free: dict[str, tuple[str, str]] = {
        "1/√(1 − 2²)": (r"1/\sqrt{1 - 2^{2}}", "1/√(1 − 2<sup>2</sup>)"),
        "2^(3 − 1)": ("2^{3 - 1}", "2<sup>3 − 1</sup>"),
        "2^3": ("2^{3}", "2<sup>3</sup>"),
        "√2 × 3": (r"\sqrt{2} \times 3", "√2 × 3"),
        "[2 > 3]": ("[2 > 3]", "[2 &gt; 3]"),
    }
    for text, (tex, page) in naming_free.items():
        formula: Formula = template(text)
        assert plain(formula) == text
        assert latex(formula) == tex
        assert html(formula) == page


def test_numbers_in_latex():
    assert latex((Token("number", number(-1.5e-7)),)) == r"-1.5 \times 10^{-7}"
    assert latex((Token("number", number(math.inf)),)) == r"\infty "
    assert latex((Token("number", number(math.nan)),)) == r"\mathrm{nan}"


def test_the_width_of_a_text_counts_columns():
    assert width("v̄₋₁") == 3
    assert width("张") == 2
    assert width("−∞ × ᵀ") == 6
