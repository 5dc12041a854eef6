"""Records of linear algebra, Fourier transforms, complex numbers and polynomials, in the form of cases.py.

Functions of complex numbers are called with real and imaginary parts, and give them: every property then holds.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.polynomial.polynomial as P
from record import Case, sample

import autodiff as ad
from autodiff.rules import decompositions, eigenvalues, linear_algebra, norms, quotient

LA = np.linalg


def matrix(*shape: int, salt: int = 0) -> np.ndarray:
    """Matrices far from singular, with eigenvalues and singular values apart."""
    m, n = shape[-2:]
    diagonal = np.zeros((m, n))
    np.fill_diagonal(diagonal, [1.5, -2.7, 4.1, 5.8][: min(m, n)])
    return sample(*shape, low=-0.5, high=0.5, salt=salt) + diagonal


def symmetric(a: Any) -> Any:
    return 0.5 * (a + a.mT)


def positive(a: Any) -> Any:
    return a @ a.mT + np.eye(a.shape[-1], dtype=a.dtype)


def hermitian(z: Any) -> Any:
    return 0.5 * (z + np.conj(z).mT)


def parts(z: Any) -> Any:
    return np.stack([np.real(z), np.imag(z)])


def of_complex(f: Callable[..., Any]) -> Callable[..., Any]:
    """f of complex arrays, given as real and imaginary parts in turn, and its result as such."""

    def call(*reals: Any, **parameters: Any) -> Any:
        return parts(f(*(a + 1j * b for a, b in zip(reals[::2], reals[1::2], strict=True)), **parameters))

    return call


def pair(*shape: int, salt: int = 0) -> tuple[np.ndarray, np.ndarray]:
    return matrix(*shape, salt=salt), sample(*shape, low=-0.6, high=0.7, salt=salt + 50)


def flat(*results: Any) -> Any:
    """Several results as one vector."""
    return np.concatenate([np.ravel(r) for r in results])


def without_warnings(f: Callable[..., Any]) -> Callable[..., Any]:
    """f, of which NumPy warns that it will be given up."""

    def call(*args: Any, **parameters: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return f(*args, **parameters)

    return call


# -- inverses, systems, determinants ----------------------------------------------------------------------------

SQUARE = [(1, 1), (2, 2), (3, 3), (2, 3, 3), (2, 1, 2, 2), (0, 2, 2)]
SYSTEMS = [
    *[((3, 3), (3,)), ((3, 3), (3, 2)), ((2, 3, 3), (3,)), ((2, 3, 3), (3, 2)), ((3, 3), (2, 3, 2)), ((1, 1), (1,))],
    *[((2, 1, 2, 2), (3, 2, 1)), ((2, 3, 3), (2, 3, 1)), ((2, 2), (2, 0))],
]
SHAPES = [(3, 3), (4, 2), (2, 3), (3, 1), (1, 3), (2, 3, 2), (2, 2, 3)]


def systems() -> Iterator[Case]:
    for shape in SQUARE:
        a = matrix(*shape)
        yield Case(f"inv-{shape}", LA.inv, (a,))
        yield Case(f"det-{shape}", LA.det, (a,))
        yield Case(f"slogdet-{shape}", LA.slogdet, (a,), call=lambda a: LA.slogdet(a)[1])
        yield Case(f"complex-inv-{shape}", LA.inv, pair(*shape), call=of_complex(LA.inv))
        yield Case(f"complex-det-{shape}", LA.det, pair(*shape), call=of_complex(LA.det))
        both = of_complex(lambda z: LA.slogdet(z).sign * (1 + LA.slogdet(z).logabsdet))
        yield Case(f"complex-slogdet-{shape}", LA.slogdet, pair(*shape), call=both)
    singular = np.array([[1.0, 2.0, -1.0], [0.5, -1.0, 2.0], [1.5, 1.0, 1.0]])
    yield Case("det-singular", LA.det, (singular,))
    yield Case("det-of-rank-1", LA.det, (np.array([[1.0, 2.0], [0.5, 1.0]]),))
    yield Case("cofactors", linear_algebra.cofactors, (matrix(3, 3),))
    yield Case("cofactors-of-a-batch", linear_algebra.cofactors, (matrix(2, 2, 2),))
    yield Case("sign_and_logarithm", linear_algebra.sign_and_logarithm, (matrix(3, 3),))
    for left, right in SYSTEMS:
        yield Case(f"solve-{left}-{right}", LA.solve, (matrix(*left), sample(*right)))
    reals = (*pair(3, 3), sample(3, salt=1), sample(3, salt=2))
    yield Case("complex-solve", LA.solve, reals, call=of_complex(LA.solve))
    yield Case(
        "solve-real-by-complex", LA.solve, (matrix(2, 2), sample(2)), call=lambda a, b: parts(LA.solve(a, b + 2j * b))
    )
    for shape in SHAPES:
        yield Case(f"pinv-{shape}", LA.pinv, (matrix(*shape),))
        yield Case(f"complex-pinv-{shape}", LA.pinv, pair(*shape), call=of_complex(LA.pinv))
    yield Case("pinv-rcond", LA.pinv, (matrix(3, 2),), {"rcond": 1e-10})
    yield Case("pinv-rtol", LA.pinv, (matrix(3, 2),), {"rtol": 1e-10})
    yield Case("pinv-hermitian", LA.pinv, (matrix(2, 2),), call=lambda a: LA.pinv(symmetric(a), hermitian=True))
    yield Case("pseudoinverse", linear_algebra.pseudoinverse, (matrix(3, 2),), {"rcond": 1e-9})
    for shape, right in (
        ((4, 2), (4,)),
        ((4, 2), (4, 3)),
        ((3, 3), (3,)),
        ((2, 3), (2,)),
        ((2, 3), (2, 2)),
        ((1, 1), (1,)),
    ):
        arrays = matrix(*shape), sample(*right)
        yield Case(f"lstsq-{shape}-{right}", LA.lstsq, arrays, call=lambda a, b: LA.lstsq(a, b)[0])
        yield Case(f"lstsq-everything-{shape}-{right}", LA.lstsq, arrays, call=lambda a, b: flat(*LA.lstsq(a, b)))
        yield Case(f"least_squares-{shape}-{right}", linear_algebra.least_squares, arrays)
    reals = (*pair(4, 2), sample(4, salt=1), sample(4, salt=2))
    yield Case("complex-lstsq", LA.lstsq, reals, call=of_complex(lambda a, b: LA.lstsq(a, b)[0]))
    yield Case("lstsq-rcond", LA.lstsq, (matrix(3, 2), sample(3)), call=lambda a, b: LA.lstsq(a, b, rcond=1e-9)[0])
    yield Case("tensorinv", LA.tensorinv, (matrix(4, 4).reshape(2, 2, 4),), {"ind": 2})
    yield Case("tensorinv-1", LA.tensorinv, (matrix(4, 4).reshape(4, 2, 2),), {"ind": 1})
    yield Case("tensorsolve", LA.tensorsolve, (matrix(4, 4).reshape(2, 2, 4), sample(2, 2)))
    turned = matrix(4, 4).reshape(4, 2, 2).transpose(1, 0, 2)
    yield Case("tensorsolve-axes", LA.tensorsolve, (turned, sample(4)), {"axes": (0, 2)})
    for n in (-3, -1, 1, 2, 3, 6):
        yield Case(f"matrix_power-{n}", LA.matrix_power, (matrix(2, 2) / 3,), {"n": n})
    yield Case("matrix_power-batch", LA.matrix_power, (matrix(2, 2, 2),), {"n": 3})
    for shapes in (((2, 3), (3, 4)), ((3,), (3, 2), (2,)), ((4, 1), (1, 3), (3, 2), (2, 4)), ((2, 3), (3, 4), (4,))):
        arrays = tuple(sample(*shape, salt=k) for k, shape in enumerate(shapes))
        yield Case(f"multi_dot-{shapes}", LA.multi_dot, arrays, call=lambda *x: LA.multi_dot(x))
    yield Case("quotient", quotient.quotient, (sample(2, 3), sample(2, 3, low=0.4, salt=1)))


# -- factorisations ---------------------------------------------------------------------------------------------


def factorisations() -> Iterator[Case]:
    for shape in [(1, 1), (2, 2), (3, 3), (2, 3, 3), (0, 2, 2)]:
        a, z = matrix(*shape), pair(*shape)
        for upper in (False, True):
            parameters = {"upper": True} if upper else {}
            yield Case(
                f"cholesky-{shape}-{upper}", LA.cholesky, (a,), parameters, lambda a, **k: LA.cholesky(positive(a), **k)
            )
            call = of_complex(
                lambda z, **k: LA.cholesky(z @ np.conj(z).mT + np.eye(z.shape[-1], dtype=np.float32), **k)
            )
            yield Case(f"complex-cholesky-{shape}-{upper}", LA.cholesky, z, parameters, call)
        for uplo in ("L", "U"):
            yield Case(
                f"eigh-{shape}-{uplo}",
                LA.eigh,
                (a,),
                call=lambda a, u=uplo: flat(
                    LA.eigh(symmetric(a), u)[0], LA.eigh(symmetric(a), UPLO=u).eigenvectors ** 2
                ),
            )
            yield Case(
                f"eigvalsh-{shape}-{uplo}", LA.eigvalsh, (a,), call=lambda a, u=uplo: LA.eigvalsh(symmetric(a), UPLO=u)
            )
        yield Case(f"complex-eigh-{shape}", LA.eigh, z, call=of_complex(of_hermitian))
        yield Case(f"complex-eigvalsh-{shape}", LA.eigvalsh, z, call=lambda a, b: LA.eigvalsh(hermitian(a + 1j * b)))
        yield Case(
            f"eig-{shape}", LA.eig, (a,), call=lambda a: np.real(flat(LA.eig(a)[0], LA.eig(a).eigenvectors ** 2))
        )
        yield Case(
            f"eigvals-{shape}", LA.eigvals, (a,), call=lambda a: np.real(LA.eigvals(a))
        )  # complex since NumPy 2.5
        yield Case(f"complex-eig-{shape}", LA.eig, z, call=of_complex(of_any))
        yield Case(f"complex-eigvals-{shape}", LA.eigvals, z, call=of_complex(LA.eigvals))
    turning = np.array([[1.0, -2.0, 0.3], [2.5, 1.5, -0.2], [0.1, 0.4, 3.0]])
    yield Case("eig-turning", LA.eig, (turning,), call=lambda a: parts(of_any(a)))
    yield Case("eigvals-turning", LA.eigvals, (turning,), call=lambda a: parts(LA.eigvals(a)))
    yield Case("hermitian_pairs", eigenvalues.hermitian_pairs, (matrix(2, 2),), call=hermitian_packed)
    yield Case("pairs_of", eigenvalues.pairs_of, (matrix(2, 2),), call=lambda a: np.real(eigenvalues.pairs_of(a) ** 2))
    for shape in [(1, 1), (2, 2), (3, 3), (4, 2), (2, 4), (2, 3, 2), (3, 1), (1, 3)]:
        a, z = matrix(*shape), pair(*shape)
        yield Case(f"qr-{shape}", LA.qr, (a,), call=lambda a: flat(*LA.qr(a)))
        yield Case(f"qr-r-{shape}", LA.qr, (a,), {"mode": "r"})
        yield Case(f"complex-qr-{shape}", LA.qr, z, call=of_complex(lambda z: flat(*LA.qr(z))))
        yield Case(f"svdvals-{shape}", LA.svdvals, (a,))
        yield Case(f"svd-values-{shape}", LA.svd, (a,), {"compute_uv": False})
        yield Case(f"svd-{shape}", LA.svd, (a,), call=lambda a: flat(*(f * f for f in LA.svd(a, full_matrices=False))))
        yield Case(f"svd-rebuilt-{shape}", LA.svd, (a,), call=logarithm)
        yield Case(f"complex-svdvals-{shape}", LA.svdvals, z, call=lambda a, b: LA.svdvals(a + 1j * b))
        yield Case(f"complex-svd-{shape}", LA.svd, z, call=of_complex(logarithm))
    for shape in [(2, 3), (3, 2), (2, 1), (2, 3, 2)]:  # one vector completes the basis: its sign alone is arbitrary
        yield Case(f"qr-complete-{shape}", LA.qr, (matrix(*shape),), call=lambda a: flat(*LA.qr(a, mode="complete")))
    for shape in [(2, 2), (3, 2), (2, 3), (1, 2), (2, 2, 3)]:
        yield Case(f"svd-full-{shape}", LA.svd, (matrix(*shape),), call=lambda a: flat(*(f * f for f in LA.svd(a))))
    for shape in [(4, 2), (3, 1), (1, 3), (2, 2, 4)]:
        yield Case(f"svd-full-{shape}", LA.svd, (matrix(*shape),), call=projectors)
        yield Case(f"complex-svd-full-{shape}", LA.svd, pair(*shape), call=of_complex(projectors))
        if shape[-2] > shape[-1]:
            complete = lambda a: invariant(*LA.qr(a, mode="complete"), a.shape[-1])  # noqa: E731
            yield Case(f"qr-complete-{shape}", LA.qr, (matrix(*shape),), call=complete)
            yield Case(f"complex-qr-complete-{shape}", LA.qr, pair(*shape), call=of_complex(complete))
    yield Case("complement", decompositions.complement, (matrix(3, 2),), call=completed)
    yield Case("orthogonal_and_triangular", decompositions.orthogonal_and_triangular, (matrix(3, 2),))
    yield Case("singular_triplets", decompositions.singular_triplets, (matrix(3, 2),))
    yield Case("singular_values", decompositions.singular_values, (matrix(3, 2),))


def invariant(vectors: Any, values: Any, n: int) -> Any:
    """What does not depend on the vectors beyond the n-th, but for the space that they span."""
    first, rest = vectors[..., :n], vectors[..., n:]
    return flat(np.abs(first), rest @ np.conj(rest).mT, values)


def projectors(a: Any) -> Any:
    u, s, vh = LA.svd(a)
    n = s.shape[-1]
    return flat(invariant(u, s, n), invariant(np.conj(vh).mT, s, n))


def completed(a: Any) -> Any:
    q = LA.qr(a)[0]
    return decompositions.complement(q, basis=LA.qr(getattr(a, "value", a), "complete")[0][:, 2:]) ** 2


def hermitian_packed(a: Any) -> Any:
    return eigenvalues.hermitian_pairs(symmetric(a)) ** 2


def of_hermitian(z: Any) -> Any:
    """What an eigenvalue of a Hermitian matrix and its eigenspace determine."""
    values, vectors = LA.eigh(hermitian(z))
    return (vectors * np.expand_dims(np.sin(values), -2)) @ np.conj(vectors).mT


def of_any(z: Any) -> Any:
    values, vectors = LA.eig(z)
    return flat(values, np.abs(vectors) ** 2, (vectors * np.expand_dims(np.sin(values), -2)) @ np.conj(vectors).mT)


def logarithm(a: Any) -> Any:
    """U ln(1 + S) V*, which the phases of the singular vectors do not change."""
    u, s, vh = LA.svd(a, full_matrices=False)
    return u * np.expand_dims(np.log1p(s), -2) @ vh


# -- norms ------------------------------------------------------------------------------------------------------


def lengths() -> Iterator[Case]:
    vector_orders = (None, 1, 2, 3, 1.5, 0.5, -1, -2.5, np.inf, -np.inf)
    for order, keepdims in itertools.product(vector_orders, (False, True)):
        parameters = {"ord": order, "keepdims": keepdims}
        yield Case(f"norm-vector-{order}-{keepdims}", LA.norm, (sample(6),), parameters)
        yield Case(f"norm-axis-{order}-{keepdims}", LA.norm, (sample(2, 3),), parameters | {"axis": 0})
    for order in (1, 2, 2.5, np.inf):
        for axis in (None, 1, (0, 2), (2, 1)):
            parameters = {"ord": order, "axis": axis, "keepdims": axis == 1}
            yield Case(f"vector_norm-{order}-{axis}", LA.vector_norm, (sample(2, 3, 2),), parameters)
        yield Case(
            f"complex-norm-{order}", LA.norm, pair(2, 3), call=lambda a, b, o=order: LA.norm(a + 1j * b, o, axis=1)
        )
    for order in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf):
        for shape in ((3, 3), (4, 2), (2, 3)):
            yield Case(f"norm-matrix-{order}-{shape}", LA.norm, (matrix(*shape),), {"ord": order})
        yield Case(
            f"norm-matrices-{order}", LA.norm, (matrix(2, 3, 2),), {"ord": order, "axis": (-1, 0), "keepdims": True}
        )
        yield Case(f"matrix_norm-{order}", LA.matrix_norm, (matrix(2, 3, 2),), {"ord": order})
        call = of_complex(lambda z, o=order: LA.matrix_norm(z, ord=o))
        yield Case(f"complex-matrix_norm-{order}", LA.matrix_norm, pair(3, 2), call=call)
    yield Case("norm", LA.norm, (sample(2, 3, 2),))
    yield Case("norm-0d", LA.norm, (sample(),))
    yield Case("norm-keepdims", LA.norm, (sample(2, 3),), {"keepdims": True})
    yield Case("norm-axes", LA.norm, (sample(2, 3, 2),), {"axis": (2, 0)})
    yield Case("power_norm", norms.power_norm, (sample(2, 3),), {"ord": 3, "axis": 1})
    for p in (None, 2, -2, 1, -1, np.inf, -np.inf, "fro", "nuc"):
        yield Case(f"cond-{p}", LA.cond, (matrix(3, 3),), {"p": p})
    yield Case("cond-batch", LA.cond, (matrix(2, 3, 2),))


# -- products ---------------------------------------------------------------------------------------------------


def more_products() -> Iterator[Case]:
    a, b = sample(2, 3, salt=1), sample(2, 3, salt=2)
    yield Case("linalg.matmul", LA.matmul, (a, b.T.copy()))
    yield Case("vdot", np.vdot, (a, b))
    yield Case("vdot-0d", np.vdot, (sample(salt=1), sample(salt=2)))
    yield Case("complex-vdot", np.vdot, (*pair(2, 3), *pair(2, 3, salt=1)), call=of_complex(np.vdot))
    for f, place in ((np.vecdot, "np"), (LA.vecdot, "linalg")):
        yield Case(f"vecdot-{place}", f, (a, sample(3)))
        yield Case(f"vecdot-axis-{place}", f, (sample(3, 2, 2), sample(3, 1, 2, salt=1)), {"axis": 0})
    yield Case("complex-vecdot", np.vecdot, (*pair(2, 3), *pair(2, 3, salt=1)), call=of_complex(np.vecdot))
    if hasattr(np, "matvec"):
        yield Case("matvec", np.matvec, (sample(2, 2, 3), sample(3)))
        yield Case("vecmat", np.vecmat, (sample(2, 2), sample(2, 3)))
        yield Case("complex-vecmat", np.vecmat, (*pair(2, 3), *pair(3, 2)), call=of_complex(np.vecmat))
    for left, right in (((), ()), ((), (2, 3)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (2, 2, 3)), ((2, 3), (2, 2, 3))):
        yield Case(f"inner-{left}-{right}", np.inner, (sample(*left, salt=1), sample(*right, salt=2)))
    for left, right in (((2,), (3,)), ((), (3,)), ((2, 2), (3,)), ((2,), (3, 1))):
        yield Case(f"outer-{left}-{right}", np.outer, (sample(*left, salt=1), sample(*right, salt=2)))
    yield Case("linalg.outer", LA.outer, (sample(2), sample(3)))
    for axes in (0, 1, 2, ([0, 1], [0, 1]), ([1, 0], [1, 0]), (0, 0), ((-1,), (-1,))):
        right = sample(*((3, 2) if axes == 1 else (2, 3)), salt=2)
        for f in (np.tensordot, LA.tensordot):
            yield Case(f"tensordot-{axes}-{f.__module__}", f, (a, right), {"axes": axes})
    yield Case("tensordot-empty", np.tensordot, (sample(2, 0), sample(0, 3)), {"axes": 1})
    yield Case("tensordot-axes", np.tensordot, (sample(2, 3, 4), sample(4, 5, 2)), {"axes": ([0, 2], [2, 0])})
    for left, right in (((2, 2), (3, 1)), ((2,), (3,)), ((2,), (2, 3)), ((2, 1, 2), (2,)), ((), (2,))):
        yield Case(f"kron-{left}-{right}", np.kron, (sample(*left, salt=1), sample(*right, salt=2)))
    yield Case("cross", np.cross, (sample(3, salt=1), sample(3, salt=2)))
    yield Case("cross-batch", np.cross, (sample(2, 3, salt=1), sample(3, salt=2)))
    yield Case("cross-axes", np.cross, (sample(3, 2, salt=1), sample(2, 3, salt=2)), {"axisa": 0, "axisc": 0})
    yield Case("cross-axis", np.cross, (sample(3, 2, salt=1), sample(3, 2, salt=2)), {"axis": 0})
    in_the_plane = np.lib.NumpyVersion(np.__version__) < "2.5.0"  # which NumPy has given up
    for left, right in (((2,), (2,)), ((4, 2), (3,)), ((3,), (4, 2)), ((4, 2), (2,))) if in_the_plane else ():
        arrays = sample(*left, salt=1), sample(*right, salt=2)
        yield Case(f"cross-{left}-{right}", np.cross, arrays, call=without_warnings(np.cross))
    flat_vectors = sample(2, 3, salt=1), sample(2, 3, salt=2)
    if in_the_plane:
        yield Case("cross-plane-axis", np.cross, flat_vectors, {"axis": 0}, without_warnings(np.cross))
    yield Case("linalg.cross", LA.cross, (sample(2, 3, salt=1), sample(2, 3, salt=2)))
    for offset, first, second in ((0, 0, 1), (1, 1, 2), (-1, -1, 0), (4, 0, 2)):
        parameters = {"offset": offset, "axis1": first, "axis2": second}
        yield Case(f"trace-{offset}-{first}-{second}", np.trace, (sample(2, 3, 4),), parameters)
    yield Case("trace", np.trace, (sample(3, 3),))
    yield Case("linalg.trace", LA.trace, (sample(2, 3, 4),), {"offset": 1})
    yield Case("linalg.diagonal", LA.diagonal, (sample(2, 3, 4),), {"offset": -1})
    yield Case("linalg.matrix_transpose", LA.matrix_transpose, (sample(2, 3, 4),))
    for (m, n), mode in itertools.product(
        ((5, 3), (3, 5), (4, 4), (6, 2), (4, 5), (1, 3), (3, 1)), ("full", "same", "valid")
    ):
        arrays = sample(m, salt=1), sample(n, salt=2)
        yield Case(f"convolve-{m}-{n}-{mode}", np.convolve, arrays, {"mode": mode})
        yield Case(f"correlate-{m}-{n}-{mode}", np.correlate, arrays, {"mode": mode})
        reals = sample(m, salt=1), sample(m, salt=2), sample(n, salt=3), sample(n, salt=4)
        yield Case(f"complex-correlate-{m}-{n}-{mode}", np.correlate, reals, {"mode": mode}, of_complex(np.correlate))
    yield Case("convolve-defaults", np.convolve, (sample(3), sample(2)))
    yield Case("convolve-constant", np.convolve, (sample(4),), call=lambda a: np.convolve(a, [1.0, -2.0, 0.5], "same"))


# -- Fourier transforms -----------------------------------------------------------------------------------------


def transforms() -> Iterator[Case]:
    fft = np.fft
    for n, norm in itertools.product((None, 3, 4, 5, 8), (None, "ortho", "forward", "backward")):
        parameters = {"n": n, "norm": norm}
        for f in (fft.fft, fft.ifft, fft.irfft, fft.hfft):
            call = of_complex(lambda z, f=f, **k: f(z, **k))
            yield Case(f"{f.__name__}-{n}-{norm}", f, (sample(5, salt=1), sample(5, salt=2)), parameters, call)
        for f in (fft.rfft, fft.ihfft, fft.fft):
            yield Case(
                f"real-{f.__name__}-{n}-{norm}", f, (sample(5),), parameters, lambda a, f=f, **k: parts(f(a, **k))
            )
    for f, axis in itertools.product((fft.fft, fft.ifft, fft.irfft, fft.hfft), (0, 1, -2)):
        call = of_complex(lambda z, f=f, **k: f(z, **k))
        yield Case(f"{f.__name__}-axis-{axis}", f, pair(3, 4), {"axis": axis}, call)
    for n in (1, 2, 4, 6):  # irfft of more and of fewer frequencies than it takes
        yield Case(f"irfft-of-real-{n}", fft.irfft, (sample(3),), {"n": n})
    yield Case("rfft-axis", fft.rfft, (sample(4, 3),), call=lambda a: parts(fft.rfft(a, axis=0)))
    several: list[tuple[Any, ...]] = [(fft.fft2, fft.fftn), (fft.ifft2, fft.ifftn), (fft.irfft2, fft.irfftn)]
    z, x = pair(2, 3, 4), sample(2, 3, 4)
    for of_two, of_many in [*several, (fft.rfft2, fft.rfftn)]:
        real = of_two is fft.rfft2
        for f, parameters in (
            (of_two, {}),
            (of_two, {"s": (4, 3), "norm": "ortho"}),
            (of_two, {"axes": (0, 1)}),
            (of_many, {}),
            (of_many, {"axes": (2, 0)}),
            (of_many, {"s": (2, -1), "axes": (1, 2), "norm": "forward"}),
        ):
            call = (lambda a, f=f, **k: parts(f(a, **k))) if real else of_complex(lambda z, f=f, **k: f(z, **k))
            yield Case(f"{f.__name__}-{parameters}", f, (x,) if real else z, parameters, call)
    for f, axes in itertools.product((fft.fftshift, fft.ifftshift), (None, 0, (0, 1))):
        yield Case(f"{f.__name__}-{axes}", f, (sample(3, 4),), {"axes": axes})


# -- complex numbers --------------------------------------------------------------------------------------------


def complex_numbers() -> Iterator[Case]:
    holomorphic: list[Any] = [np.exp, np.expm1, np.log, np.log2, np.log10, np.log1p, np.sqrt, np.square, np.reciprocal]
    holomorphic += [np.sin, np.cos, np.tan, np.arcsin, np.arccos, np.arctan, np.sinh, np.cosh, np.tanh, np.negative]
    others: list[Any] = [np.conjugate, np.real, np.imag, np.angle, np.absolute, np.sign, np.real_if_close, np.positive]
    z = sample(2, 3, low=0.3, high=1.4), sample(2, 3, low=0.2, high=1.1, salt=1)
    w = sample(3, low=-1.4, high=-0.4, salt=2), sample(3, low=0.3, high=1.2, salt=3)
    for f in holomorphic + others:
        yield Case(f"complex-{f.__name__}", f, z, call=of_complex(f))
        yield Case(f"complex-left-{f.__name__}", f, w, call=of_complex(f))
    for f in (np.add, np.subtract, np.multiply, np.divide, np.power):
        yield Case(f"complex-{f.__name__}", f, (*z, *w), call=of_complex(f))
        yield Case(f"complex-by-real-{f.__name__}", f, (*z, w[1]), call=lambda a, b, c, f=f: parts(f(a + 1j * b, c)))
        yield Case(f"real-by-complex-{f.__name__}", f, (z[0], *w), call=lambda a, b, c, f=f: parts(f(a, b + 1j * c)))
    yield Case("power-of-negative", np.power, (w[0],), call=lambda a: parts(np.power(-1.5, a * 1j) + (a + 0j) ** 1.5))
    negative = np.array([-1.0, -2.0, 3.0])
    yield Case("power-complex-of-negative", np.power, (w[0],), call=lambda a: parts(np.power(negative, a + 1j)))
    yield Case("pow-complex", np.power, z, call=of_complex(lambda z: z ** (1 + 2j) + z**3 + (2 - 1j) ** z))
    yield Case("complex-matmul", np.matmul, (*pair(2, 3), *pair(3, 2)), call=of_complex(np.matmul))
    product = of_complex(lambda a, b: np.einsum("ij,jk->ki", a, b))
    yield Case("complex-einsum", np.einsum, (*pair(2, 3), *pair(3, 2)), call=product)
    for f in (np.sum, np.mean, np.prod, np.var, np.std):
        yield Case(f"complex-{f.__name__}", f, z, call=of_complex(lambda z, f=f: f(z, axis=0)))
    chosen = of_complex(lambda z: z[[0, 0, 1], 1:].conj() * z.real[0, 0] + z.imag[1, 1])
    yield Case("complex-gather", np.conjugate, z, call=chosen)
    yield Case("complex-where", np.where, z, call=of_complex(lambda z: np.where(z.real > 0.8, z, 2.0)))
    yield Case("complex-from-real", np.real, (z[0],), call=lambda a: parts(np.exp(1j * a)))
    yield Case("angle-degrees", np.angle, z, call=lambda a, b: np.angle(a + 1j * b, deg=True))
    for f in (np.real, np.conjugate):
        yield Case(f"real-{f.__name__}", f, (z[0],))
    yield Case("real-imag", np.imag, (z[0],), call=lambda a: a.imag + a)
    yield Case("real-angle", np.angle, (z[0],), call=lambda a: np.angle(a) + a)
    yield Case("real-sign", np.sign, (z[0],), call=lambda a: np.sign(a - 0.7) * a)


# -- polynomials and special functions --------------------------------------------------------------------------


def polynomials() -> Iterator[Case]:
    p, q, x = sample(4, salt=1), sample(3, salt=2), sample(2, 3, salt=3)
    yield Case("polyval", np.polyval, (p, x))
    yield Case("polyval-constant", np.polyval, (x,), call=lambda x: np.polyval([1.0, -2.0, 0.5], x))
    yield Case("polyval-at-numbers", np.polyval, (p,), call=lambda p: np.polyval(p, [0.5, 2.0]))
    for f in (np.polyadd, np.polysub, np.polymul):
        yield Case(f"{f.__name__}", f, (p, q))
        yield Case(f"{f.__name__}-longer", f, (q, p))
    yield Case("polymul-zeros", np.polymul, (p,), call=lambda p: np.polymul([0.0, 0.0, 2.0, 1.0], p))
    for m in (0, 1, 2, 3):
        yield Case(f"polyder-{m}", np.polyder, (p,), {"m": m})
        yield Case(f"polyint-{m}", np.polyint, (p,), {"m": m})
    yield Case("polyint-constants", np.polyint, (p,), call=lambda p: np.polyint(p, 2, k=[0.5, -1.0]))
    for parameters in ({}, {"N": 4}, {"N": 2, "increasing": True}, {"N": 1}):
        yield Case(f"vander-{parameters}", np.vander, (sample(3),), parameters)
    t, y = np.linspace(-1, 1, 6), sample(6)
    yield Case("polyfit", np.polyfit, (t, y), call=lambda t, y: np.polyfit(t, y, 2))
    weights = sample(6, low=0.5, salt=1)
    yield Case("polyfit-weights", np.polyfit, (t, y, weights), call=lambda t, y, w: np.polyfit(t, y, 2, w=w))
    yield Case("polyfit-columns", np.polyfit, (t, sample(6, 2)), call=lambda t, y: np.polyfit(t, y, 1))
    for f, points in ((P.polyval2d, (x, x + 1)), (P.polygrid2d, (x[0], x[1, :2]))):
        if hasattr(f, "_implementation"):  # NumPy asks Tensors about it (since 2.4)
            for shape in ((2, 3), (1, 1), (2, 3, 2)):
                yield Case(f"{f.__name__}-{shape}", f, (*points, sample(*shape)))
    yield Case("poly", np.poly, (p,))
    yield Case("poly-matrix", np.poly, (matrix(3, 3),))
    yield Case("roots", np.roots, (np.array([1.0, -6.3, 11.2, -5.9]),))
    yield Case("roots-complex", np.roots, (np.array([1.0, 0.3, 2.0, 1.0]),), call=lambda p: parts(np.roots(p)))
    distribution = np.vectorize(lambda x: 0.5 * math.erfc(-x / math.sqrt(2)), otypes=[float])
    for f, reference in (
        (ad.erf, np.vectorize(math.erf, otypes=[float])),
        (ad.erfc, np.vectorize(math.erfc, otypes=[float])),
        (ad.gelu, lambda x: x * distribution(x)),
    ):
        yield Case(f"{f.__name__}", f, (np.linspace(-6.0, 6.0, 25),), reference=reference)
        yield Case(f"{f.__name__}-0d", f, (sample(),), reference=reference)
        yield Case(f"{f.__name__}-empty", f, (sample(0, 2),))


CASES = [
    *systems(),
    *factorisations(),
    *lengths(),
    *more_products(),
    *transforms(),
    *complex_numbers(),
    *polynomials(),
]
