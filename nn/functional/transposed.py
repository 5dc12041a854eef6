"""Transposed convolution: the adjoint of a convolution by its images, which makes images larger (Zeiler et al. 2010).

It uses the primitive `spread` of convolution, with the weight of the convolution from the result to x.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nn.checked import whole
from nn.functional.convolution import arrays, spread
from nn.functional.windows import AXES, Sizes, Windows, misshapen, sizes


def conv_transpose1d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: int | Sizes = 1,
    padding: int | Sizes = 0,
    output_padding: int | Sizes = 0,
    groups: int = 1,
    dilation: int | Sizes = 1,
) -> Any:
    """conv_transpose2d of signals, of shape (batch, in, length).

    >>> F.conv_transpose1d(np.array([[[1.0, 2.0]]]), np.array([[[1.0, 1.0]]]), stride=2)
    array([[[1., 1., 2., 2.]]])
    """
    return _transposed("conv_transpose1d", x, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: int | Sizes = 1,
    padding: int | Sizes = 0,
    output_padding: int | Sizes = 0,
    groups: int = 1,
    dilation: int | Sizes = 1,
) -> Any:
    """A transposed convolution: for each pixel of x, the kernels times the pixel are added to the result.

    It is the adjoint of conv2d, with the same stride, padding, dilation and groups, from images of the result's size.

    Parameters
    ----------
    x : images, of shape (batch, in, height, width), or one of shape (in, height, width)
    weight : of shape (in, out / groups, kernel height, kernel width), as PyTorch keeps it
    bias : of shape (out,), or None for no bias
    stride, dilation : an int, or a pair (vertical, horizontal), as the next two
    padding : the number of pixels cut off from each side of the result
    output_padding : the number of pixels added at the bottom and right, less than the stride or the dilation: several
        sizes of images give conv2d's results the size of x, and this selects one of them
    groups : the number of groups that the channels are divided into; each output sees one group

    The result has the shape (batch, out, rows, columns), rows = (height - 1) stride - 2 padding + dilation (kernel
    height - 1) + output_padding + 1. Raises ValueError for shapes that do not fit together, TypeError for a weight
    that is not floating-point or x that is not real.

    >>> F.conv_transpose2d(np.ones((1, 1, 2, 2)), np.ones((1, 1, 2, 2)))
    array([[[[1., 2., 1.],
             [2., 4., 2.],
             [1., 2., 1.]]]])
    """
    return _transposed("conv_transpose2d", x, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: int | Sizes = 1,
    padding: int | Sizes = 0,
    output_padding: int | Sizes = 0,
    groups: int = 1,
    dilation: int | Sizes = 1,
) -> Any:
    """conv_transpose2d of volumes, of shape (batch, in, depth, height, width).

    >>> F.conv_transpose3d(np.ones((1, 4, 3, 3, 3)), np.ones((4, 2, 2, 2, 2)), stride=2).shape
    (1, 2, 6, 6, 6)
    """
    return _transposed("conv_transpose3d", x, weight, bias, stride, padding, output_padding, groups, dilation)


def _transposed(
    name: str,
    x: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Any:
    axes = int(name[-2])
    x, weight, bias = arrays(name, x, weight, bias)
    groups = whole(groups, f"{name}'s groups")
    _check_channels(name, axes, x, weight, bias, groups)
    steps, gaps = sizes(stride, f"{name}'s stride", axes), sizes(dilation, f"{name}'s dilation", axes)
    around = sizes(padding, f"{name}'s padding", axes, least=0)
    more = sizes(output_padding, f"{name}'s output_padding", axes, least=0)
    if any(n >= max(step, gap) for n, step, gap in zip(more, steps, gaps, strict=True)):
        raise ValueError(
            f"{name}'s output_padding is less than the stride or the dilation; received output_padding="
            f"{output_padding!r}, stride={stride!r} and dilation={dilation!r}. Take a larger stride, or np.pad."
        )
    # The added pixels come from the padding that is cut off; beyond it they are zeros.
    within = tuple(map(min, more, around))
    borders = tuple((n, n - longer) for n, longer in zip(around, within, strict=True))
    windows = Windows(weight.shape[2:], steps, borders, gaps)
    given = zip(x.shape[-axes:], steps, windows.extent, borders, strict=True)
    size = tuple((n - 1) * step + extent - sum(border) for n, step, extent, border in given)
    if min(size) < 1:
        raise ValueError(
            f"{name} gives an image of {size} pixels, which has none; received x of shape {x.shape} and padding="
            f"{padding!r}. Take less padding."
        )
    y = spread(x if x.ndim == axes + 2 else x[None], weight, size=size, windows=windows, groups=groups)
    if more != within:
        rest = [(0, n - k) for n, k in zip(more, within, strict=True)]
        y = np.pad(y, [(0, 0), (0, 0), *rest])
    if bias is not None:
        bias = np.reshape(bias, (-1,) + (1,) * axes)
        y = y + (bias if bias.dtype == y.dtype else bias.astype(y.dtype))
    return y if x.ndim == axes + 2 else y[0]


def _check_channels(name: str, axes: int, x: Any, weight: Any, bias: Any, groups: int) -> None:
    if weight.ndim != axes + 2 or min(weight.shape) < 1:
        kernel = ", ".join(f"kernel {length}" for length in AXES[axes])
        raise ValueError(
            f"{name} takes a weight of shape (in, out / groups, {kernel}), each at least 1; received a weight of "
            f"shape {weight.shape}."
        )
    inputs, out = len(weight), weight.shape[1] * groups
    if inputs % groups or (bias is not None and bias.shape != (out,)):
        raise ValueError(
            f"{name}'s weight of shape {weight.shape} has {inputs} inputs, which {groups} group(s) are to share "
            f"evenly, and a bias of shape ({out},); received groups={groups}"
            + ("." if bias is None else f" and a bias of shape {bias.shape}.")
        )
    if x.ndim not in (axes + 1, axes + 2) or x.shape[-axes - 1] != inputs:
        raise misshapen(name, x.shape, axes, inputs)
    if min(x.shape[-axes:]) < 1:
        raise ValueError(f"{name} takes images of at least one pixel; received shape {x.shape}.")
