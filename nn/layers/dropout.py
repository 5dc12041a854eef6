"""Layers of dropout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nn import functional, hints, init
from nn.checked import real, switch
from nn.functional.dropout import source
from nn.model.module import Module


class _Dropping(Module):
    """The base of all dropout layers: a probability and a generator."""

    function: Callable[..., Any]

    def __init__(self, p: float = 0.5, rng: init.Rng = None, *, inplace: bool = False) -> None:
        switch(inplace, f"{type(self).__name__}: inplace")
        self.p = real(p, f"{type(self).__name__}: p, the probability of 0,", most=1)
        self.rng = source(rng)

    def forward(self, x: Any) -> Any:
        """x with some elements dropped, in its shape."""
        return type(self).function(x, self.p, self.training, self.rng)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.p:g})"


class Dropout(_Dropping):
    """In training, each element is set to 0 with probability p and divided by 1 - p otherwise; in evaluation, x itself.

    Parameters
    ----------
    p : from 0 to 1; rate is another name of it
    rng : where the chance comes from: a numpy.random.Generator, an int seed, or None; kept as the attribute `rng`,
        whose state goes on from call to call. A generator of a device's library, such as cupy.random.default_rng(0),
        draws there, which is faster; checkpoints leave its state out, and MPI's ranks are to seed their own
    inplace : has no effect, since Tensors are never written into; accepted for programs written for PyTorch

    It draws new random numbers at every call, so do not use it inside ad.checkpoint, which calls a function twice.
    Source: Srivastava et al. 2014.

    >>> layer = nn.Dropout(0.5, rng=0)
    >>> layer(np.ones(6))
    array([2., 2., 2., 0., 0., 0.])
    >>> layer.eval()(np.ones(6))
    array([1., 1., 1., 1., 1., 1.])
    """

    function = staticmethod(functional.dropout)

    @hints.also("Dropout", {"rate": "p"}, {})
    def __init__(self, p: float = 0.5, rng: init.Rng = None, *, inplace: bool = False) -> None:
        super().__init__(p, rng, inplace=inplace)


class Dropout1d(_Dropping):
    """Dropout of whole channels of signals, of shape (batch, channels, length); the parameters are Dropout's.

    >>> nn.Dropout1d(0.5, rng=1)(np.ones((1, 3, 2)))
    array([[[0., 0.],
            [2., 2.],
            [2., 2.]]])
    """

    function = staticmethod(functional.dropout1d)


class Dropout2d(_Dropping):
    """Dropout of whole channels of images, of shape (batch, channels, height, width); the parameters are Dropout's.

    >>> nn.Dropout2d(0.2, rng=0)(np.ones((8, 3, 5, 5))).shape
    (8, 3, 5, 5)
    """

    function = staticmethod(functional.dropout2d)


class AlphaDropout(_Dropping):
    """Dropout for SELU, which keeps mean 0 and variance 1; functional.alpha_dropout describes it.

    The parameters are Dropout's. Source: Klambauer et al. 2017.

    >>> nn.AlphaDropout(0.5, rng=0)(np.zeros(4)).round(4)
    array([ 0.7792,  0.7792,  0.7792, -0.7792])
    """

    function = staticmethod(functional.alpha_dropout)


class FeatureAlphaDropout(_Dropping):
    """AlphaDropout of whole channels, of x of shape (batch, channels, ...).

    >>> nn.FeatureAlphaDropout(0.5, rng=1)(np.ones((1, 2, 3))).round(4)
    array([[[-0.7792, -0.7792, -0.7792],
            [ 1.6656,  1.6656,  1.6656]]])
    """

    function = staticmethod(functional.feature_alpha_dropout)


class Dropout3d(_Dropping):
    """Dropout of whole channels of volumes; the parameters are Dropout's.

    >>> nn.Dropout3d(0.2, rng=0)(np.ones((2, 3, 4, 5, 5))).shape
    (2, 3, 4, 5, 5)
    """

    function = staticmethod(functional.dropout3d)
