"""SciPy's functions for Tensors under SciPy's names, for functions that do not use NumPy's protocols.

>>> from autodiff.scipy import linalg, stats
>>> ad.grad(stats.norm.logpdf)(0.5)
array(-0.5)

SciPy's ufuncs take Tensors. Its Python functions convert their arguments to arrays, which would lose the derivative, so
a Tensor raises an error there. The functions here take the same arguments as SciPy's and give the same values, plain
arrays for plain arrays. Unlike some of SciPy's they keep float32. A missing name raises an error that says so.

Only this package needs SciPy: `import autodiff` does not import it.
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
