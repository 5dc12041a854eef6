"""Sampling of images at computed places: spatial transformers (Jaderberg et al. 2015)."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

import autodiff as ad
from nn.checked import switch
from nn.functional.normalisation import of_dtype
from nn.functional.windows import Sizes

BORDERS = ("zeros", "border", "reflection")


def affine_grid(theta: Any, size: Sizes, align_corners: bool = False) -> Any:
    """The places that grid_sample reads for an affine map: of shape (batch, height, width, 2).

    Parameters
    ----------
    theta : of shape (batch, 2, 3). For the pixel of the result at (x, y), the image is read at theta @ (x, y, 1); x
        goes from -1 to 1 to the right, y from -1 to 1 downwards
    size : the shape of the result of grid_sample, (batch, channels, height, width)
    align_corners : whether -1 and 1 are the centres of the outermost pixels, not their outer edges

    Raises ValueError for other shapes.

    >>> mirror = np.array([[[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> F.affine_grid(mirror, (1, 1, 1, 2))
    array([[[[ 0.5,  0. ],
             [-0.5,  0. ]]]])
    """
    theta = of_dtype(theta, getattr(theta, "dtype", None), "affine_grid")
    if len(size) != 4 or theta.shape != (size[0], 2, 3):
        raise ValueError(
            "affine_grid takes theta of shape (batch, 2, 3) and a size (batch, channels, height, width); received "
            f"theta of shape {theta.shape} and size={tuple(size)}. There is no affine_grid of volumes."
        )
    _, _, height, width = size
    shrink = 0.0 if switch(align_corners, "affine_grid: align_corners") else 1.0
    y, x = (np.linspace(-1, 1, n) * (n - shrink) / n if shrink else np.linspace(-1, 1, n) for n in (height, width))
    base = np.stack([*np.broadcast_arrays(x[None], y[:, None]), np.ones((height, width))], axis=-1).astype(theta.dtype)
    return np.reshape(np.matmul(base.reshape(-1, 3), np.swapaxes(theta, 1, 2)), (len(theta), height, width, 2))


def grid_sample(
    x: Any, grid: Any, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool = False
) -> Any:
    """Images read at the places of a grid: of shape (batch, channels, rows, columns).

    Parameters
    ----------
    x : images, of shape (batch, channels, height, width)
    grid : of shape (batch, rows, columns, 2): (x, y), each from -1 to 1 in the image, x to the right and y down
    mode : "bilinear" for the mean of the four pixels around, or "nearest"
    padding_mode : the values outside the image: "zeros", "border" for its outermost pixels, "reflection" for the
        mirrored image
    align_corners : whether -1 and 1 are the centres of the outermost pixels, not their outer edges

    The images have a derivative, and with "bilinear" the grid too. Raises ValueError for shapes that do not fit
    together and for other modes.

    >>> image = np.arange(4.0).reshape(1, 1, 2, 2)
    >>> F.grid_sample(image, np.array([[[[0.0, 0.0], [0.5, -0.5], [3.0, 0.0]]]]))
    array([[[[1.5, 1. , 0. ]]]])
    """
    x = of_dtype(x, getattr(x, "dtype", None), "grid_sample")
    grid = of_dtype(grid, x.dtype, "grid_sample")
    if x.ndim != 4 or grid.ndim != 4 or grid.shape[0] != x.shape[0] or grid.shape[3] != 2 or 0 in x.shape[2:]:
        raise ValueError(
            "grid_sample takes images (batch, channels, height, width) and a grid (batch, rows, columns, 2); received "
            f"shapes {x.shape} and {grid.shape}."
        )
    if mode not in ("bilinear", "nearest") or padding_mode not in BORDERS:
        raise ValueError(
            f"grid_sample's mode is 'bilinear' or 'nearest', its padding_mode one of {', '.join(map(repr, BORDERS))}; "
            f"received {mode!r:.80} and {padding_mode!r:.80}."
        )
    corners = switch(align_corners, "grid_sample: align_corners")
    places = [_pixels(grid[..., 1 - k], x.shape[2 + k], padding_mode, corners) for k in range(2)]
    if mode == "nearest":
        return _read(x, [np.rint(ad.stop_gradient(place)) for place in places])
    low = [np.floor(ad.stop_gradient(place)) for place in places]
    rest = [place - below for place, below in zip(places, low, strict=True)]
    found: Any = 0.0
    for steps in itertools.product((0, 1), repeat=2):
        shares = [part if step else 1 - part for part, step in zip(rest, steps, strict=True)]
        read = _read(x, [below + step for below, step in zip(low, steps, strict=True)])
        found = found + read * (shares[0] * shares[1])[:, None]
    return found


def _pixels(place: Any, length: int, border: str, corners: bool) -> Any:
    """A place from -1 to 1 as a pixel number, which is inside the image unless the border is "zeros"."""
    at = (place + 1) * ((length - 1) / 2) if corners else ((place + 1) * length - 1) / 2
    if border == "reflection":
        low, span = (0.0, float(length - 1)) if corners else (-0.5, float(length))
        if span:
            whole = np.floor(np.abs(ad.stop_gradient(at - low)) / span)
            rest = np.abs(at - low) - whole * span
            at = np.where(whole % 2 == 0, rest, span - rest) + low
        else:
            at = at * 0.0
    return at if border == "zeros" else np.clip(at, 0, length - 1)


def _read(x: Any, places: list[Any]) -> Any:
    """The pixels at whole-numbered places; 0 outside the image."""
    lengths = x.shape[2:]
    inside = np.logical_and(*((place >= 0) & (place < n) for place, n in zip(places, lengths, strict=True)))
    rows, columns = (np.clip(place, 0, n - 1).astype(np.intp) for place, n in zip(places, lengths, strict=True))
    batch = np.arange(len(x))[:, None, None]
    found = np.moveaxis(np.transpose(x, (0, 2, 3, 1))[batch, rows, columns], -1, 1)
    return found if inside.all() else found * inside[:, None].astype(x.dtype)
