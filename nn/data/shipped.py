"""The small real data sets that scikit-learn ships, as arrays: nothing is downloaded.

Each function gives X, float32 of shape (samples, features), and y: classes as int64 of shape (samples,), numbers as
float32 of shape (samples, 1). The features are not scaled; a Standardiser scales them. Raises ModuleNotFoundError if
scikit-learn is missing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Labelled = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]
Measured = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]


def digits(*, images: bool = False) -> Labelled:
    """1797 handwritten digits of 8 x 8 pixels in [0, 1]: X of shape (1797, 64), or with `images` (1797, 1, 8, 8).

    >>> X, y = nn.data.digits(images=True)
    >>> X.shape, y[:5]
    ((1797, 1, 8, 8), array([0, 1, 2, 3, 4]))
    """
    x, y = _classes("digits")
    x /= 16
    return (x.reshape(-1, 1, 8, 8) if images else x), y


def iris() -> Labelled:
    """150 flowers of 3 species with 4 measures in cm (Fisher 1936).

    >>> X, y = nn.data.iris()
    >>> X.shape, np.bincount(y)
    ((150, 4), array([50, 50, 50]))
    """
    return _classes("iris")


def breast_cancer() -> Labelled:
    """569 tumours with 30 measures: class 0 is malignant, 1 benign (Wolberg et al. 1995).

    >>> X, y = nn.data.breast_cancer()
    >>> X.shape, y.shape
    ((569, 30), (569,))
    """
    return _classes("breast_cancer")


def wine() -> Labelled:
    """178 wines of 3 growers with 13 measures (Forina et al. 1991).

    >>> X, y = nn.data.wine()
    >>> X.shape, np.bincount(y)
    ((178, 13), array([59, 71, 48]))
    """
    return _classes("wine")


def diabetes() -> Measured:
    """442 patients with 10 measures, and the progress of their disease in a year, 25 to 346 (Efron et al. 2004).

    >>> X, y = nn.data.diabetes()
    >>> X.shape, y.min().item(), y.max().item()
    ((442, 10), 25.0, 346.0)
    """
    x, y = _shipped("diabetes", scaled=False)
    return x.astype(np.float32), y.astype(np.float32).reshape(-1, 1)


def _classes(name: str) -> Labelled:
    x, y = _shipped(name)
    return x.astype(np.float32), y.astype(np.int64)


def _shipped(name: str, **options: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    try:
        from sklearn import datasets  # type: ignore[import-untyped, unused-ignore]  # an extra, slow to import
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"nn.data.{name} reads the copy that scikit-learn ships, and scikit-learn (sklearn) is not installed. "
            "Install it: pip install scikit-learn. nn.data.moons and the other synthetic sets do not need it.",
            name=error.name,
        ) from error
    return getattr(datasets, f"load_{name}")(return_X_y=True, **options)
