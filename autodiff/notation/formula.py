"""A formula: a flat sequence of tokens, spaces included, rendered for terminal, HTML and LaTeX."""

from __future__ import annotations

import html as markup
import math
import unicodedata
from collections import deque
from typing import Final, Literal, NamedTuple


class Token(NamedTuple):
    """One piece of a formula; the kind `argument` occurs only in the templates of `symbols`."""

    kind: Literal["variable", "function", "number", "operator", "text", "argument"]
    text: str
    sub: str = ""
    bar: bool = False


Formula = tuple[Token, ...]

LONGEST_NAME: Final = 40
GREEK: Final = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
    "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
}  # fmt: skip
# Marks of text direction, with which a name could reorder the table that it is printed in.
DIRECTION_MARKS: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean(text: str, longest: int = LONGEST_NAME) -> str:
    """A user's text as one printable line of limited length, without control, surrogate or direction characters."""
    text = text if len(text) <= longest else text[: longest - 1] + "…"
    forbidden = {"Cc", "Cs", "Cn", "Zl", "Zp"}
    return "".join("\ufffd" if unicodedata.category(c) in forbidden or c in DIRECTION_MARKS else c for c in text)


def number(x: float) -> str:
    """The short form of a number: four decimals, scientific below 1e-3 and from 1e5, a real minus sign."""
    x = float(x)
    if math.isnan(x):
        return "nan"
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    significant = f"{x:.3e}"
    # Decided on the rounded number, so that 99999.99999 is 1e5 and 0.00099999 is 0.001.
    if x != 0 and (abs(float(significant)) < 1e-3 or abs(round(x, 4)) >= 1e5):
        mantissa, exponent = significant.split("e")
        text = f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    else:
        text = f"{x:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text.replace("-", "−")


RAISED: Final = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻ᵀ", "0123456789-T", strict=True))
LOWERED: Final = dict(zip("0123456789-aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₋ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))
MACRON, OVERLINE = "\u0304", "\u0305"


def unraised(text: str) -> str | None:
    """The ordinary characters of a superscript, None for any other text."""
    return "".join(RAISED[c] for c in text) if text and all(c in RAISED for c in text) else None


def width(text: str) -> int:
    """The number of terminal columns of a text: combining marks take none, wide characters two."""
    return sum(
        0
        if unicodedata.category(c) in ("Mn", "Me") or c in "\u200b\u200c\u200d"
        else 2
        if unicodedata.east_asian_width(c) in "WF"
        else 1
        for c in text
    )


def barred(letter: str) -> str:
    """A letter with a macron: one character if Unicode has it (ȳ), else the letter and a combining mark (v̄)."""
    return unicodedata.normalize("NFC", letter + MACRON)


def plain(formula: Formula) -> str:
    """The formula for a terminal: v̄₋₁ with a combining macron and subscript characters."""
    return "".join(map(_plain, formula))


def _plain(token: Token) -> str:
    if not token.bar:
        text = token.text
    elif token.kind == "variable":
        text = barred(token.text)
    else:
        text = "".join(c + OVERLINE for c in token.text)
    lowered = [LOWERED.get(c) for c in token.sub]
    return text + ("".join(map(str, lowered)) if all(lowered) else f"_{token.sub}")


def html(formula: Formula) -> str:
    """The formula as HTML: variables italic, subscripts lowered, everything escaped."""
    tokens = deque(formula)
    parts: list[str] = []
    while tokens:
        token = tokens.popleft()
        raised = token.kind == "operator" and token.text == "^" and tokens
        parts.append(f"<sup>{html(_covered(tokens))}</sup>" if raised else _html(token))
    return "".join(parts)


def _html(token: Token) -> str:
    if token.kind == "operator" and (raised := unraised(token.text)) is not None:
        return f"<sup>{raised.replace('-', '−')}</sup>"
    text = markup.escape(_printable(token.text))
    if token.kind == "variable":
        text = f"<i>{barred(text) if token.bar else text}</i>"
    elif token.bar:
        text = f'<span style="text-decoration:overline">{text}</span>'
    return text + (f"<sub>{markup.escape(token.sub.replace('-', '−'))}</sub>" if token.sub else "")


def _printable(text: str) -> str:
    """The text with the characters that XML 1.0 does not allow replaced."""
    return "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cs") or c in "\ufffe\uffff" else c for c in text)


LATEX_NAME: Final = {letter: f"\\{name} " for name, letter in GREEK.items()} | {"Σ": r"\Sigma "}
LATEX_FUNCTIONS: Final = frozenset(
    {"arccos", "arcsin", "arctan", "cos", "cosh", "det", "exp", "ln", "log", "max", "min", "sin", "sinh", "tan", "tanh"}
)
LATEX_OPERATORS: Final = {
    "×": r"\times ",
    "−": "-",
    "∂": r"\partial ",
    "⊗": r"\otimes ",
    "≥": r"\ge ",
    "≤": r"\le ",
}
LATEX_CHARACTERS: Final = {
    **{c: "\\" + c for c in "#$%&_{}"},
    "\\": r"\backslash ",
    "^": r"\wedge ",
    "~": r"\sim ",
    " ": r"\ ",
    "<": "<{}",  # so that a page that shows the source does not read it as a tag
    "`": r"\prime ",
    "−": "-",
    "×": r"\times ",
    "…": r"\ldots ",
    "∞": r"\infty ",
    "\ufffd": "?",
}


def latex(formula: Formula) -> str:
    """The formula in LaTeX's math mode; a user's text is upright, with its special characters escaped."""
    tokens = deque(formula)
    parts: list[str] = []
    while tokens:
        token = tokens.popleft()
        if token.kind == "operator" and token.text in ("√", "^") and tokens:
            parts.append((r"\sqrt" if token.text == "√" else "^") + "{" + latex(_covered(tokens)) + "}")
        else:
            parts.append(_latex(token))
    return "".join(parts).replace("  ", " ")


def _covered(tokens: deque[Token]) -> Formula:
    """Remove from the front what a root or exponent covers: one token with its exponent, or a bracket's content."""
    taken = [tokens.popleft()]
    if taken[0].text == "(":
        depth = 1
        while tokens and depth:
            taken.append(tokens.popleft())
            depth += (taken[-1].text == "(") - (taken[-1].text == ")")
        return tuple(taken[1:-1])
    if tokens and tokens[0].kind == "operator" and unraised(tokens[0].text) is not None:
        taken.append(tokens.popleft())
    return tuple(taken)


def _latex(token: Token) -> str:
    text = token.text
    if token.kind == "operator":
        raised = unraised(text)
        return LATEX_OPERATORS.get(text, text) if raised is None else f"^{{{raised}}}".replace("T", r"\mathsf{T}")
    if token.kind == "number":
        mantissa, mark, exponent = text.replace("−", "-").replace("∞", r"\infty ").partition("e")
        return rf"{mantissa} \times 10^{{{exponent}}}" if mark else mantissa.replace("nan", r"\mathrm{nan}")
    if token.kind == "function" and text in LATEX_FUNCTIONS:
        written = f"\\{text} "
    elif text in LATEX_NAME:
        written = LATEX_NAME[text]
    elif token.kind == "variable" and len(text) == 1:
        written = _escape_latex(text)
    elif not text.strip():
        written = text
    else:
        written = rf"\{'operatorname' if token.kind == 'function' else 'mathrm'}{{{_escape_latex(text)}}}"
    if token.bar:
        written = rf"\{'bar' if token.kind == 'variable' else 'overline'}{{{written.rstrip()}}}"
    return written + (f"_{{{token.sub}}}" if token.sub else "")


def _escape_latex(text: str) -> str:
    return "".join(LATEX_CHARACTERS.get(c, c) for c in _printable(text))
