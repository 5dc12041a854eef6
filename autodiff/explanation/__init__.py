"""Answers about a recorded computation: why a gradient is zero, where a NaN comes from, which arrays use memory.

flow       every adjoint, and the share that each operation passes to each of its arguments
wording    the text of operations, places and sizes; the answer as text, HTML and picture
paths      the paths from a Tensor to the result
cuts       where a path ends: constants, other Tensors, other graphs
losses     where an adjoint becomes zero, small, or cancels
nonfinite  where the first NaN or infinity comes from, and how to avoid it
question   `explain`, which combines all of these
program    the user's program: lines and variables
debugging  `debug`: each value and adjoint is checked when it is computed
holding    `memory` and `alive`: the arrays that graphs hold, and the graphs that still exist
"""

from autodiff.explanation.debugging import debug
from autodiff.explanation.holding import Alive, Memory, alive, memory
from autodiff.explanation.question import explain
from autodiff.explanation.wording import Explanation, Finding

__all__ = ["Alive", "Explanation", "Finding", "Memory", "alive", "debug", "explain", "memory"]
