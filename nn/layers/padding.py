"""Layers without parameters that pad images, signals and volumes at their edges."""

from __future__ import annotations

import math
from typing import Any

from nn import functional
from nn.checked import real, whole
from nn.functional.windows import Sizes
from nn.layers.resizing import Shown


class ConstantPad2d(Shown):
    """Images with `value` around them.

    `padding` is an int for all sides, or (left, right, top, bottom); a negative number removes pixels.

    >>> nn.ConstantPad2d((1, 0, 0, 1), 9.0)(np.array([[[[1.0, 2.0]]]]))
    array([[[[9., 1., 2.],
             [9., 9., 9.]]]])
    """

    axes = 2
    mode = "constant"
    value: float = 0.0

    def __init__(self, padding: int | Sizes, value: float) -> None:
        self._begin(padding)
        self.value = real(value, f"{type(self).__name__}: value", least=-math.inf)

    def _begin(self, padding: int | Sizes) -> None:
        name, sides = type(self).__name__, 2 * self.axes
        given = tuple(padding) if isinstance(padding, tuple | list) else (padding,) * sides
        if len(given) != sides:
            raise ValueError(f"{name}'s padding is an int, or {sides} of them; received {padding!r:.80}.")
        self.padding = tuple(whole(n, f"{name}'s padding", None) for n in given)

    def forward(self, x: Any) -> Any:
        """The padded x, whose last axes are padded; a batch, channels or other axes may come before them."""
        return functional.pad(x, self.padding, self.mode, self.value)


class ConstantPad1d(ConstantPad2d):
    """ConstantPad2d of signals, where padding is an int or (left, right).

    >>> nn.ConstantPad1d((1, 2), 9.0)(np.array([[[1.0, 2.0]]]))
    array([[[9., 1., 2., 9., 9.]]])
    """

    axes = 1


class ConstantPad3d(ConstantPad2d):
    """ConstantPad2d of volumes, where padding is an int or (left, right, top, bottom, front, back).

    >>> nn.ConstantPad3d((1, 0, 0, 0, 0, 0), 9.0)(np.array([[[[[1.0, 2.0]]]]]))
    array([[[[[9., 1., 2.]]]]])
    """

    axes = 3


class ZeroPad2d(ConstantPad2d):
    """Images with zeros around them; padding is an int or (left, right, top, bottom).

    >>> nn.ZeroPad2d(1)(np.array([[[[5.0]]]]))
    array([[[[0., 0., 0.],
             [0., 5., 0.],
             [0., 0., 0.]]]])
    """

    def __init__(self, padding: int | Sizes) -> None:
        self._begin(padding)


class ZeroPad1d(ZeroPad2d):
    """Signals with zeros around them; padding is an int or (left, right).

    >>> nn.ZeroPad1d((1, 2))(np.array([[[1.0, 2.0]]]))
    array([[[0., 1., 2., 0., 0.]]])
    """

    axes = 1


class ZeroPad3d(ZeroPad2d):
    """ZeroPad2d of volumes, where padding is an int or (left, right, top, bottom, front, back).

    >>> nn.ZeroPad3d(1)(np.ones((2, 3, 4, 5, 5))).shape
    (2, 3, 6, 7, 7)
    """

    axes = 3


class ReflectionPad2d(ZeroPad2d):
    """Images mirrored at their edges; the pixels at the edge are not repeated.

    >>> nn.ReflectionPad2d(1)(np.arange(4.0).reshape(1, 1, 2, 2))
    array([[[[3., 2., 3., 2.],
             [1., 0., 1., 0.],
             [3., 2., 3., 2.],
             [1., 0., 1., 0.]]]])
    """

    mode = "reflect"


class ReflectionPad1d(ReflectionPad2d):
    """ReflectionPad2d of signals, where padding is an int or (left, right).

    >>> nn.ReflectionPad1d(2)(np.array([[[1.0, 2.0, 3.0]]]))
    array([[[3., 2., 1., 2., 3., 2., 1.]]])
    """

    axes = 1


class ReflectionPad3d(ReflectionPad2d):
    """ReflectionPad2d of volumes, where padding is an int or (left, right, top, bottom, front, back).

    >>> nn.ReflectionPad3d((0, 0, 0, 0, 2, 0))(np.arange(3.0).reshape(1, 1, 3, 1, 1)).ravel()
    array([2., 1., 0., 1., 2.])
    """

    axes = 3


class ReplicationPad2d(ZeroPad2d):
    """Images with the pixels at their edges repeated.

    >>> nn.ReplicationPad2d((1, 0, 1, 0))(np.arange(4.0).reshape(1, 1, 2, 2))
    array([[[[0., 0., 1.],
             [0., 0., 1.],
             [2., 2., 3.]]]])
    """

    mode = "replicate"


class ReplicationPad1d(ReplicationPad2d):
    """ReplicationPad2d of signals, where padding is an int or (left, right).

    >>> nn.ReplicationPad1d((1, 2))(np.array([[[1.0, 2.0]]]))
    array([[[1., 1., 2., 2., 2.]]])
    """

    axes = 1


class ReplicationPad3d(ReplicationPad2d):
    """ReplicationPad2d of volumes, where padding is an int or (left, right, top, bottom, front, back).

    >>> nn.ReplicationPad3d((0, 0, 1, 2, 0, 0))(np.array([5.0, 6.0]).reshape(1, 1, 1, 2, 1)).ravel()
    array([5., 5., 6., 6., 6.])
    """

    axes = 3


class CircularPad2d(ZeroPad2d):
    """Images continued with the pixels of the opposite side.

    >>> nn.CircularPad2d(1)(np.array([[[[1.0, 2.0]]]]))
    array([[[[2., 1., 2., 1.],
             [2., 1., 2., 1.],
             [2., 1., 2., 1.]]]])
    """

    mode = "circular"


class CircularPad1d(CircularPad2d):
    """CircularPad2d of signals, where padding is an int or (left, right).

    >>> nn.CircularPad1d((1, 2))(np.array([[[1.0, 2.0, 3.0]]]))
    array([[[3., 1., 2., 3., 1., 2.]]])
    """

    axes = 1


class CircularPad3d(CircularPad2d):
    """CircularPad2d of volumes, where padding is an int or (left, right, top, bottom, front, back).

    >>> nn.CircularPad3d((1, 1, 0, 0, 0, 0))(np.array([[[[[1.0, 2.0, 3.0]]]]]))
    array([[[[[3., 1., 2., 3., 1.]]]]])
    """

    axes = 3
