"""What a program's text writes as a sign, or as a method of an array, in place of a call."""

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

# What arrays have as methods, shorter and faster than the functions, and with how many arguments at most.
METHODS = {np.transpose: 2, np.reshape: 2, np.ravel: 1, np.swapaxes: 3, np.squeeze: 2, np.argmax: 2, np.argmin: 2}
