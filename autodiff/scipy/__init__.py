"""SciPy's functions for Tensors, under SciPy's own names, where NumPy's protocols do not reach them.

>>> from autodiff.scipy import linalg, stats
>>> ad.grad(stats.norm.logpdf)(0.5)
array(-0.5)

SciPy's ufuncs take Tensors as they are; its Python functions convert their arguments to arrays first, which loses the
derivative, and a Tensor refuses that. The functions here take the same arguments as SciPy's and give the same values,
plain arrays for plain arrays. Unlike some of SciPy's they keep float32. What they do not cover is refused by name.

SciPy is needed here, and nowhere else: `import autodiff` does not import this package.
"""

try:
    from autodiff.scipy import integrate, linalg, signal, special, stats
except ModuleNotFoundError as error:
    if error.name != "scipy":
        raise
    raise ModuleNotFoundError(
        "autodiff.scipy was imported, and SciPy is not installed; install it with pip install scipy, 1.13 or newer.",
        name="scipy",
    ) from error

__all__ = ["integrate", "linalg", "signal", "special", "stats"]
