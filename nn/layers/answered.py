"""Keras's layers for images, which have other names here: calling one raises an error that names the layer to write.

Images are (batch, height, width, channels) in Keras, and (batch, channels, height, width) in PyTorch and this package.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

Pair = int | Sequence[int]
IMAGES = "Images are (batch, channels, height, width) here: X.transpose(0, 3, 1, 2) makes them of Keras's."


def _written(value: Any) -> str:
    """An int or a pair as text; a pair of equal numbers as one number."""
    pair = tuple(value) if isinstance(value, list | tuple) else (value, value)
    return repr(pair[0] if len(set(pair)) == 1 else pair)


def _followed(layer: str, activation: Any) -> str:
    if activation in (None, "linear"):
        return layer
    return f"{layer}, nn.Activation({getattr(activation, '__name__', activation)!r})"


def Conv2D(
    filters: int,
    kernel_size: Pair,
    strides: Pair = 1,
    padding: str = "valid",
    *,
    activation: Any = None,
    use_bias: bool = True,
    input_shape: Sequence[int] | None = None,
    **others: Any,
) -> NoReturn:
    """Keras's convolution: raises a TypeError with the nn.Conv2d to write."""
    parts = [str(input_shape[-1]) if input_shape else "in_channels", str(filters), _written(kernel_size)]
    parts += [f"stride={_written(strides)}"] * (_written(strides) != "1")
    parts += [f"padding={padding!r}"] * (padding != "valid") + ["bias=False"] * (not use_bias)
    more = "" if input_shape else " in_channels is how many channels the layer before gives."
    layer = f"nn.Conv2d({', '.join(parts)})"
    raise TypeError(f"Write {_followed(layer, activation)}.{more} {IMAGES}")


def _pooling(layer: str, pool_size: Pair, strides: Pair | None, padding: str) -> NoReturn:
    parts = [_written(pool_size)]
    if strides is not None and _written(strides) != _written(pool_size):
        parts.append(f"stride={_written(strides)}")
    if padding != "valid":
        parts.append("ceil_mode=True")
    raise TypeError(f"Write nn.{layer}({', '.join(parts)}). {IMAGES}")


def MaxPooling2D(pool_size: Pair = 2, strides: Pair | None = None, padding: str = "valid", **others: Any) -> NoReturn:
    """Keras's maximum pooling: raises a TypeError with the nn.MaxPool2d to write."""
    _pooling("MaxPool2d", pool_size, strides, padding)


def AveragePooling2D(
    pool_size: Pair = 2, strides: Pair | None = None, padding: str = "valid", **others: Any
) -> NoReturn:
    """Keras's average pooling: raises a TypeError with the nn.AvgPool2d to write."""
    _pooling("AvgPool2d", pool_size, strides, padding)


def GlobalAveragePooling2D(**others: Any) -> NoReturn:
    """Keras's mean over the image: raises a TypeError with the function to write."""
    raise TypeError(f"Write the function lambda x: x.mean(axis=(2, 3)). {IMAGES}")


def BatchNormalization(*, momentum: float = 0.99, epsilon: float = 1e-3, **others: Any) -> NoReturn:
    """Keras's batch normalisation: raises a TypeError with the layers to write."""
    options = f"eps={epsilon}, momentum={1 - momentum:.4g}"
    raise TypeError(
        f"Write nn.BatchNorm1d(features, {options}) after a dense layer, nn.BatchNorm2d(channels, {options}) after a "
        "convolution, with how many the layer before gives; momentum is the share of the new batch. " + IMAGES
    )


def LayerNormalization(*, epsilon: float = 1e-3, **others: Any) -> NoReturn:
    """Keras's layer normalisation: raises a TypeError with the nn.LayerNorm to write."""
    raise TypeError(f"Write nn.LayerNorm(features, eps={epsilon}), with how many features the layer before gives.")
