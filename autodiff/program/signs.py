"""Functions that a program's text writes as an operator sign, or as a method of an array, instead of a call."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

_INFIX = {
    "+ - * / ** @": (np.add, np.subtract, np.multiply, np.divide, np.power, np.matmul),
    "== != < <= > >=": (np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal),
    "+ - * / **": (operator.add, operator.sub, operator.mul, operator.truediv, operator.pow),
}
INFIX: dict[Any, str] = {
    function: sign
    for signs, functions in _INFIX.items()
    for sign, function in zip(signs.split(), functions, strict=True)
}
OVER: dict[Any, str] = {np.add: "+=", np.subtract: "-=", np.multiply: "*=", np.divide: "/="}
PREFIX: dict[Any, str] = {np.negative: "-", operator.neg: "-", operator.pos: "+"}

# Functions that arrays have as methods, which are shorter and faster; with the most arguments that they may have.
METHODS = {np.transpose: 2, np.reshape: 2, np.ravel: 1, np.swapaxes: 3, np.squeeze: 2, np.argmax: 2, np.argmin: 2}
