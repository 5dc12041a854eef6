"""Images in folders, one folder for each class, read by Pillow."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nn.checked import switch, whole

if TYPE_CHECKING:
    from types import ModuleType

ENDINGS = {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}


def image_folder(
    folder: str | os.PathLike[str], *, size: tuple[int, int] | None = None, grey: bool = False
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], list[str]]:
    """(X, y, names) of a folder that has one folder of images for each class: `cats/1.png`, `dogs/a.jpg` ...

    Parameters
    ----------
    folder : its path; files whose names do not end as images do are skipped
    size : (height, width) that each image is resized to; without it all images must have the same size
    grey : whether to read one channel, of shades of grey, instead of red, green and blue

    X is float32 from 0 to 1, of shape (images, channels, height, width), y int64, and `names` lists the classes by
    number. Classes and files are in alphabetical order. Raises ImportError without Pillow, and ValueError if there are
    no images, if a file is not an image, or if sizes differ, naming the file.

    >>> import os, PIL.Image
    >>> for name in ("cats", "dogs"):
    ...     os.makedirs(f"photos/{name}")
    ...     PIL.Image.new("RGB", (4, 3)).save(f"photos/{name}/1.png")
    >>> X, y, names = nn.data.image_folder("photos")
    >>> X.shape, y, names
    ((2, 3, 3, 4), array([0, 1]), ['cats', 'dogs'])
    """
    pillow = _pillow()
    mode = "L" if switch(grey, "image_folder: grey") else "RGB"
    shape = None if size is None else tuple(whole(n, "image_folder: size (height, width)") for n in size)
    root = Path(folder)
    names = sorted(place.name for place in root.iterdir() if place.is_dir())
    found: list[Any] = []
    labels = []
    for label, name in enumerate(names):
        for path in sorted(p for p in (root / name).iterdir() if p.suffix.lower() in ENDINGS):
            found.append(_image(pillow, path, mode, shape))
            labels.append(label)
            if found[-1].shape != found[0].shape:
                raise ValueError(
                    f"image_folder: {os.fspath(path)!r} is of size {found[-1].shape[-2:]}, the first image of size "
                    f"{found[0].shape[-2:]}. Write size=(height, width), which brings all to one."
                )
    if not found:
        raise ValueError(
            f"image_folder takes a folder with a folder of images for each class; {os.fspath(folder)!r} has "
            f"{', '.join(names) or 'no folder'} and no image in them ({', '.join(sorted(ENDINGS))})."
        )
    return np.stack(found), np.array(labels, np.int64), names


def _pillow() -> ModuleType:
    try:
        from PIL import Image
    except ImportError:
        raise ImportError(
            "image_folder reads images with Pillow. Install it: pip install Pillow, or the extra [images]."
        ) from None
    return Image


def _image(pillow: ModuleType, path: Path, mode: str, shape: tuple[int, ...] | None) -> npt.NDArray[np.float32]:
    """One image, of shape (channels, height, width)."""
    try:
        with pillow.open(path) as image:
            pixels = image.convert(mode)
    except OSError as error:
        raise ValueError(f"image_folder: {os.fspath(path)!r} is no image that can be read ({error}).") from None
    if shape is not None:
        pixels = pixels.resize(shape[::-1], pillow.Resampling.BILINEAR)
    array: npt.NDArray[np.float32] = np.asarray(pixels, np.float32) / np.float32(255)
    return array[None] if array.ndim == 2 else np.ascontiguousarray(array.transpose(2, 0, 1))
