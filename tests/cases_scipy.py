"""Records of the functions of autodiff.scipy, in the form of cases.py; each value is compared with SciPy's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import scipy
import scipy.integrate
import scipy.signal
import scipy.stats
from cases_algebra import matrix, of_complex, pair, positive
from record import Case, sample

from autodiff.scipy import integrate, linalg, signal, special, stats


def same(name: str, function: Callable[..., Any], theirs: Callable[..., Any], *arrays: Any, **parameters: Any) -> Case:
    """A record of a function that is called just as SciPy's is."""
    return Case(f"scipy.{name}", function, tuple(map(np.asarray, arrays)), parameters, reference=theirs)


def with_call(name: str, function: Callable[..., Any], call: Callable[..., Any], *arrays: Any, reference: Any) -> Case:
    return Case(f"scipy.{name}", function, arrays, {}, call, reference)


# -- special ----------------------------------------------------------------------------------------------------


def of_special() -> Iterator[Case]:
    a, weights = sample(2, 3), sample(3, low=0.3, high=1.2, salt=1)
    for k, options in enumerate(({}, {"axis": 1}, {"axis": (0, 1), "keepdims": True}, {"axis": -2})):
        yield same(f"logsumexp/{k}", special.logsumexp, scipy.special.logsumexp, a, **options)
        with_weights = {
            "call": lambda a, b, f=special.logsumexp, **options: f(a, b=b, **options),
            "reference": lambda a, b, **options: scipy.special.logsumexp(a, b=b, **options),
        }
        yield Case(f"scipy.logsumexp/b {k}", special.logsumexp, (a, weights), options, **with_weights)
    for x in (a, sample(), sample(2, 1, 3)):
        yield same(f"softmax {x.shape}", special.softmax, scipy.special.softmax, x)
        yield same(f"log_softmax {x.shape}", special.log_softmax, scipy.special.log_softmax, x)
    yield same("softmax/axes", special.softmax, scipy.special.softmax, sample(2, 2, 3), axis=(0, 2))
    yield same("log_softmax/axis", special.log_softmax, scipy.special.log_softmax, a, axis=0)
    yield with_call(
        "logsumexp/complex",
        special.logsumexp,
        of_complex(lambda z, b: special.logsumexp(z, axis=0, b=b)),
        *(*pair(2, 2), *pair(2, 2, salt=2)),
        reference=of_complex(lambda z, b: scipy.special.logsumexp(z, axis=0, b=b)),
    )
    for n in (0, 1, 3):
        positive = sample(3, low=0.6, high=3.4)
        yield Case(
            f"scipy.polygamma/{n}",
            special.polygamma,
            (positive,),
            {"n": n},
            lambda x, n: special.polygamma(n, x),
            lambda x, n: scipy.special.polygamma(n, x),
        )
    mixed = np.array([[0], [2]])
    yield with_call(
        "polygamma/orders",
        special.polygamma,
        lambda x: special.polygamma(mixed, x),
        sample(3, low=0.6, high=3.4),
        reference=lambda x: scipy.special.polygamma(mixed, x),
    )
    for shape in ((), (2, 3)):
        a = sample(*shape, low=1.7, high=4.2)
        yield same(f"multigammaln {shape}", special.multigammaln, scipy.special.multigammaln, a, d=3)


# -- linear algebra ---------------------------------------------------------------------------------------------


def of_linalg() -> Iterator[Case]:
    a = matrix(3, 3)
    for k, options in enumerate(
        ({}, {"lower": True}, {"trans": 1}, {"trans": "C", "lower": True}, {"unit_diagonal": True}, {"trans": "T"})
    ):
        for b in (sample(3), sample(3, 2)):
            name = f"solve_triangular/{k} {b.shape}"
            yield same(name, linalg.solve_triangular, scipy.linalg.solve_triangular, a, b, **options)
    for first, second in (((2, 3, 3), (3,)), ((2, 3, 3), (3, 2)), ((3, 3), (2, 3, 1)), ((2, 1, 2, 2), (3, 2, 1))):
        arrays = (matrix(*first), sample(*second))
        yield same(f"solve_triangular {first} {second}", linalg.triangular_solution, theirs_in_batch, *arrays)
    yield with_call(
        "solve_triangular/complex",
        linalg.triangular_solution,
        of_complex(lambda a, b: linalg.solve_triangular(a, b, trans=2)),
        *(*pair(2, 2), *pair(2, 1, salt=1)),
        reference=of_complex(lambda a, b: scipy.linalg.solve_triangular(a, b, trans=2)),
    )
    for lower in (False, True):
        yield Case(
            f"scipy.cho_solve/{lower}",
            linalg.cho_solve,
            (a, sample(3, 2)),
            {"lower": lower},
            lambda a, b, lower: linalg.cho_solve(linalg.cho_factor(positive(a), lower), b),
            lambda a, b, lower: scipy.linalg.cho_solve(scipy.linalg.cho_factor(positive(a), lower), b),
        )
        yield Case(
            f"scipy.cholesky/{lower}",
            linalg.cholesky,
            (a,),
            {"lower": lower},
            lambda a, lower: linalg.cholesky(positive(a), lower),
            lambda a, lower: scipy.linalg.cholesky(positive(a), lower),
        )
    yield same("solve_sylvester", linalg.sylvester_solution, linalg_sylvester, a, matrix(2, 2), sample(3, 2))
    yield same(
        "solve_sylvester/batch", linalg.sylvester_solution, batch_sylvester, matrix(2, 2, 2), positive(a), sample(2, 3)
    )
    lyapunov = linalg.solve_continuous_lyapunov
    yield same("solve_lyapunov", lyapunov, scipy.linalg.solve_continuous_lyapunov, positive(a), matrix(3, 3, salt=1))
    yield with_call(
        "solve_sylvester/complex",
        linalg.sylvester_solution,
        of_complex(linalg.solve_sylvester),
        *(*pair(2, 2), *pair(2, 2, salt=1), *pair(2, 2, salt=2)),
        reference=of_complex(scipy.linalg.solve_sylvester),
    )
    yield from of_matrix_functions()
    yield from of_special_matrices()


def theirs_in_batch(a: Any, b: Any) -> Any:
    return np.linalg.solve(np.triu(a), b)


def linalg_sylvester(a: Any, b: Any, q: Any) -> Any:
    return scipy.linalg.solve_sylvester(a, b, q)


def batch_sylvester(a: Any, b: Any, q: Any) -> Any:
    return np.stack([scipy.linalg.solve_sylvester(x, b, q) for x in a])


def of_matrix_functions() -> Iterator[Case]:
    for function in (linalg.expm, linalg.sqrtm):
        name = function.__name__
        theirs = getattr(scipy.linalg, name)
        for shape in ((2, 2), (3, 3), (1, 1)):
            yield with_call(
                f"{name} {shape}",
                function,
                lambda a, f=function: f(0.3 * positive(a)),
                matrix(*shape),
                reference=lambda a, f=theirs: f(0.3 * positive(a)),
            )
        yield with_call(
            f"{name}/batch",
            function,
            lambda a, f=function: f(0.3 * positive(a)),
            matrix(3, 2, 2),
            reference=lambda a, f=theirs: np.stack([f(0.3 * positive(x)) for x in a]),
        )
        yield with_call(
            f"{name}/complex",
            function,
            of_complex(lambda a, f=function: f(a @ a)),
            *pair(2, 2),
            reference=of_complex(lambda a, f=theirs: f(a @ a)),
        )


def of_special_matrices() -> Iterator[Case]:
    blocks = (sample(2, 3), sample(2, salt=1), sample(salt=2), sample(1, 2, salt=3))
    yield same("block_diag", linalg.block_diag, scipy.linalg.block_diag, *blocks)
    yield same("block_diag/one", linalg.block_diag, scipy.linalg.block_diag, sample())
    yield same("toeplitz", linalg.toeplitz, scipy.linalg.toeplitz, sample(4), sample(3, salt=1))
    yield same("toeplitz/symmetric", linalg.toeplitz, scipy.linalg.toeplitz, sample(3))
    yield with_call(
        "toeplitz/hermitian",
        linalg.toeplitz,
        of_complex(linalg.toeplitz),
        *(sample(3), sample(3, salt=1)),
        reference=of_complex(scipy.linalg.toeplitz),
    )


# -- distributions ----------------------------------------------------------------------------------------------

DENSITIES = ("pdf", "logpdf")
INTEGRALS = ("cdf", "sf", "logcdf", "logsf")
SHAPES: dict[str, tuple[float, ...]] = {
    **dict.fromkeys(("norm", "expon", "laplace", "uniform"), ()),
    "t": (3.4,),
    "gamma": (2.3,),
    "beta": (1.8, 2.6),
}


def of_stats() -> Iterator[Case]:
    for name, numbers in SHAPES.items():
        x, loc = sample(2, 3, low=0.4, high=0.9), np.array([-0.1, 0.13, 0.2])
        scale = np.array(1.7 if name in ("beta", "uniform") else 0.9)
        shapes = tuple(n + sample(3, low=0, high=0.5, salt=k) for k, n in enumerate(numbers))
        for method in DENSITIES:
            yield of_method(name, method, x, *shapes, loc, scale)
            yield of_method(name, method, x[0], *numbers)
        for method in INTEGRALS:
            yield of_method(name, method, x, loc, scale, held=numbers)
            yield of_method(name, method, x[0, 0], held=shapes)
    for method in ("pmf", "logpmf", *INTEGRALS):
        k = np.array([[0.0 if "pm" in method else 0.3], [3.0]])
        yield of_counts(method, k, sample(3, low=0.7, high=4.3))
    for method in DENSITIES:
        yield from of_vectors(method)
        yield from of_simplices(method)


def of_method(name: str, method: str, x: Any, *parameters: Any, held: tuple[Any, ...] = ()) -> Case:
    """A record with some parameters varied, others held; numbers among the varied ones become arrays."""
    ours, theirs = (getattr(getattr(module, name), method) for module in (stats, scipy.stats))
    label = f"scipy.{name}.{method} {x.shape} {len(held)} held of {len(held) + len(parameters)}"

    def call(x: Any, *given: Any) -> Any:
        return ours(x, *[h.astype(x.dtype) if np.ndim(h) else h for h in held], *given)

    arrays = tuple(map(np.asarray, (x, *parameters)))
    return Case(label, ours, arrays, {}, call, lambda x, *given: theirs(x, *held, *given))


def of_counts(method: str, k: Any, mu: Any) -> Case:
    ours, theirs = getattr(stats.poisson, method), getattr(scipy.stats.poisson, method)
    call = lambda mu: ours(k.astype(mu.dtype), mu)  # noqa: E731
    return Case(f"scipy.poisson.{method}", ours, (mu,), {}, call, lambda mu: theirs(k, mu))


def of_vectors(method: str) -> Iterator[Case]:
    ours, theirs = getattr(stats.multivariate_normal, method), getattr(scipy.stats.multivariate_normal, method)
    name = f"multivariate_normal.{method}"
    yield with_call(
        name,
        ours,
        lambda x, mean, a: ours(x, mean, positive(a)),
        *(sample(2, 2, 3), sample(3), matrix(3, 3)),
        reference=lambda x, mean, a: theirs(x, mean, positive(a)),
    )
    yield same(f"{name}/vector", ours, theirs, sample(3))
    yield with_call(
        f"{name}/diagonal",
        ours,
        lambda x, variances: ours(x, cov=variances),
        *(sample(2, 3), sample(3, low=0.5, high=1.6)),
        reference=lambda x, variances: theirs(x, cov=np.diag(variances)),
    )
    yield same(f"{name}/number", ours, theirs, sample(2, 3), sample(3, salt=1), np.array(1.3))
    yield same(f"{name}/one", ours, theirs, sample(6), np.array(0.3), np.array(1.2))


def of_simplices(method: str) -> Iterator[Case]:
    ours, theirs = getattr(stats.dirichlet, method), getattr(scipy.stats.dirichlet, method)
    alpha = sample(3, low=0.7, high=2.5)
    yield same(f"dirichlet.{method}", ours, theirs, np.array([0.2, 0.5]), alpha)
    yield with_call(
        f"dirichlet.{method}/several",
        ours,
        lambda x, alpha: ours(special.softmax(x, axis=0), alpha),
        *(sample(3, 2, low=-0.5, high=0.5), alpha),
        reference=lambda x, alpha: theirs(scipy.special.softmax(x, axis=0), alpha),
    )


# -- convolutions and differential equations --------------------------------------------------------------------


def of_signal() -> Iterator[Case]:
    ours, theirs = signal.convolve, scipy.signal.convolve
    for mode in ("full", "same", "valid"):
        for first, second in (((5,), (3,)), ((3,), (4,)), ((3, 4), (2, 2)), ((2, 1, 3), (1, 1, 2)), ((1,), (1,))):
            arrays = (sample(*first), sample(*second, salt=1))
            function = ours if mode == "same" else signal.convolution
            if mode != "valid" or first >= second:
                name = f"convolve/{mode} {first} {second}"
                yield Case(f"scipy.{name}", function, arrays, {"mode": mode}, ours, reference=theirs)
    yield same("convolve/fft", ours, theirs, sample(4, 2), sample(2, 3, salt=1), method="fft")
    yield same("convolve/exchanged", ours, theirs, sample(2, 2), sample(3, 3, salt=1), mode="valid")
    yield same("convolve/numbers", ours, theirs, sample(), sample(salt=1))
    yield with_call(
        "convolve/complex",
        signal.convolution,
        of_complex(ours),
        *(sample(3, salt=k) for k in range(4)),
        reference=of_complex(theirs),
    )


def pendulum(y: Any, t: Any, friction: Any, force: Any) -> Any:
    return [y[1], force[0] * np.cos(t) - np.sin(y[0]) * force[1] - friction * y[1]]


def of_integrate() -> Iterator[Case]:
    exact = {"rtol": 1e-11, "atol": 1e-11}
    yield Case(
        "scipy.odeint",
        integrate.trajectory,
        (np.array([0.4, -0.2]), np.array([0.0, 0.4, 1.1]), np.array(0.3), np.array([0.7, 1.2])),
        {},
        lambda y0, t, *args: integrate.odeint(pendulum, y0, t, args, **exact),
        lambda y0, t, *args: scipy.integrate.odeint(pendulum, y0, t, args, **exact),
    )


CASES = [*of_special(), *of_linalg(), *of_stats(), *of_signal(), *of_integrate()]
