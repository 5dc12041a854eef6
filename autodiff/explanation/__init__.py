"""Answers about a recorded computation: why a gradient is zero, where a NaN comes from, what is held in memory.

flow       every adjoint, and what each operation passes on to each of its arguments
wording    how operations, places and sizes are written; the answer as text, HTML and picture
paths      the ways from a Tensor to the result
cuts       where the way ends: constants, other Tensors, other graphs
losses     where an adjoint becomes zero, small, or cancels
nonfinite  where the first NaN or infinity comes from, and what helps
question   `explain`, which asks all of these
program    the user's program: lines and variables
debugging  `debug`: each value and adjoint checked as it appears
holding    `memory` and `alive`: what graphs hold, and which are still there
"""

from autodiff.explanation.debugging import debug
from autodiff.explanation.holding import Alive, Memory, alive, memory
from autodiff.explanation.question import explain
from autodiff.explanation.wording import Explanation, Finding

__all__ = ["Alive", "Explanation", "Finding", "Memory", "alive", "debug", "explain", "memory"]
