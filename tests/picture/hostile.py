"""Names that try to be more than names, and a computation in which a name is in every place where there can be one."""

from __future__ import annotations

import numpy as np

import autodiff as ad
import nn

NAMES = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "</title><script>alert(3)</script>",
    "</text></g></svg><script>alert(4)</script>",
    "</style><script>alert(5)</script>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "]]><svg onload=alert(6)>",
    "<?xml version='1.0'?>",
    "<!DOCTYPE svg [<!ENTITY e 'x'>]>&e;",
    "&e;",
    "&#x;",
    "&#0;",
    "&lt;b&gt;",
    "&amp;amp;",
    "&",
    "javascript:alert(7)",
    "url(https://example.org/x)",
    "' onload='alert(8)",
    '" onload="alert(9)',
    "'+alert(10)+'",
    "${alert(11)}",
    "{{7*7}}",
    "<b>bold</b>",
    "<>",
    "<",
    "a\x00b\x08c\x1bd\x7f",
    "\ud800 and \udfff",
    "\ufffe\uffff",
    "\u202eevil\u202c",
    "\u2066\u2067\u2069",
    "שלום עולם",
    "مرحبا",
    "e\u0301\u0301\u0301\u0301",
    "变量",
    "🙂" * 30,
    "line\nbreak\ttab\rreturn\u2028\u2029",
    "a\\N\\G\\l\\",
    '\\"',
    '"];n9->n8;"',
    "n0 -> n1; }",
    "ag-f-ink",
    "x" * 500,
    " ",
    "",
]


def computation(name: str) -> ad.Tensor:
    """A Tensor, a scope, a module's class, its repr, a member and a primitive, all of that name."""

    class Named(nn.Module):
        def __init__(self) -> None:
            self.parts = {name: ad.Tensor(3.0, name=name), "list": [ad.Tensor(0.5, name=name)]}
            self.inner = nn.Linear(2, 2, rng=0)

        def forward(self, x: ad.Tensor) -> ad.Tensor:
            return np.sum(self.inner(np.stack([x, x * self.parts[name]]) ** 2)) * self.parts["list"][0]

        def __repr__(self) -> str:
            return name

    try:
        Named.__name__ = name
    except (UnicodeEncodeError, ValueError):  # names that Python itself refuses
        Named.__name__ = "Named"
    function = ad.primitive(lambda a: 2 * a)
    ad.adjoint(function, lambda g, y, a: 2 * g)
    x = ad.Tensor(2.0, name=name)
    with ad.scope(name):
        doubled = function(Named()(x))
        doubled.primitive.name = name  # of this primitive alone: it was made here
        y = doubled * x
    y.name = name
    return y
