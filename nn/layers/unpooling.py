"""Layers of unpooling, and of pooling by a p-norm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nn import functional
from nn.checked import real, switch
from nn.functional.windows import Sizes
from nn.layers.resizing import Shown


class _MaxUnpool(Shown):
    function: Callable[..., Any]

    def __init__(self, kernel_size: int | Sizes, stride: int | Sizes | None = None, padding: int | Sizes = 0) -> None:
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding

    def forward(self, x: Any, indices: Any, output_size: Sizes | None = None) -> Any:
        """The larger images, from the result and the indices of a MaxPool with return_indices=True."""
        return type(self).function(x, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool1d(_MaxUnpool):
    """Signals with the maxima of MaxPool1d at their old places; functional.max_unpool2d describes the parameters.

    >>> maxima, indices = nn.MaxPool1d(2, return_indices=True)(np.array([[[2.0, 1.0, 0.0, 4.0]]]))
    >>> nn.MaxUnpool1d(2)(maxima, indices)
    array([[[2., 0., 0., 4.]]])
    """

    function = staticmethod(functional.max_unpool1d)


class MaxUnpool2d(_MaxUnpool):
    """Images with the maxima of MaxPool2d at their old places; functional.max_unpool2d describes the parameters.

    >>> maxima, indices = nn.MaxPool2d(2, return_indices=True)(np.array([[[[1.0, 2.0], [4.0, 3.0]]]]))
    >>> nn.MaxUnpool2d(2)(maxima, indices)
    array([[[[0., 0.],
             [4., 0.]]]])
    """

    function = staticmethod(functional.max_unpool2d)


class MaxUnpool3d(_MaxUnpool):
    """Volumes with the maxima of MaxPool3d at their old places; functional.max_unpool2d describes the parameters.

    >>> maxima, indices = nn.MaxPool3d(2, return_indices=True)(np.ones((1, 3, 4, 6, 6)))
    >>> maxima.shape, nn.MaxUnpool3d(2)(maxima, indices).shape
    ((1, 3, 2, 3, 3), (1, 3, 4, 6, 6))
    """

    function = staticmethod(functional.max_unpool3d)


class _LPPool(Shown):
    function: Callable[..., Any]

    def __init__(
        self,
        norm_type: float,
        kernel_size: int | Sizes,
        stride: int | Sizes | None = None,
        ceil_mode: bool = False,
    ) -> None:
        name = type(self).__name__
        self.norm_type = real(norm_type, f"{name}: norm_type", above=True)
        self.kernel_size, self.stride = kernel_size, stride
        self.ceil_mode = switch(ceil_mode, f"{name}: ceil_mode")

    def forward(self, x: Any) -> Any:
        """The windows' norms, for x of shape (batch, channels, ...)."""
        return type(self).function(x, self.norm_type, self.kernel_size, self.stride, self.ceil_mode)


class LPPool1d(_LPPool):
    """The p-norm of each window of signals; functional.lp_pool2d describes the parameters.

    >>> nn.LPPool1d(2, kernel_size=2)(np.array([[[3.0, 4.0, 6.0, 8.0]]]))
    array([[[ 5., 10.]]])
    """

    function = staticmethod(functional.lp_pool1d)


class LPPool2d(_LPPool):
    """The p-norm of each window of images; functional.lp_pool2d describes the parameters.

    >>> nn.LPPool2d(1, kernel_size=2)(np.arange(8.0).reshape(1, 1, 2, 4))
    array([[[[10., 18.]]]])
    """

    function = staticmethod(functional.lp_pool2d)


class LPPool3d(_LPPool):
    """The p-norm of each window of volumes; functional.lp_pool2d describes the parameters.

    >>> nn.LPPool3d(2, kernel_size=2)(np.ones((1, 3, 4, 4, 4))).shape
    (1, 3, 2, 2, 2)
    """

    function = staticmethod(functional.lp_pool3d)
