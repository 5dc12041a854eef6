"""Records of arithmetic, reductions, shapes, indexing and products."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from record import PAIRS, SHAPES, Case, sample

import autodiff as ad
from autodiff.rules import einsum, indexing, reduction, shaping

# -- elementwise ------------------------------------------------------------------------------------------------


def sigmoid(x: Any) -> Any:
    return np.exp(x) / (1 + np.exp(x))


def softmax(x: Any, axis: Any = -1) -> Any:
    return np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)


UNARY: list[tuple[Any, tuple[float, float], Any]] = [
    *((f, (-1.3, 2.1), None) for f in (np.negative, np.positive, np.absolute, np.fabs, np.square, np.copy)),
    *((f, (-1.3, 2.1), None) for f in (np.exp, np.expm1, np.sin, np.cos, np.arctan, np.sinh, np.cosh, np.tanh)),
    *((f, (0.3, 3.0), None) for f in (np.log, np.log2, np.log10, np.sqrt, np.reciprocal)),
    (np.log1p, (-0.7, 2.0), None),
    (np.tan, (-1.2, 1.3), None),
    (np.arcsin, (-0.9, 0.8), None),
    (np.arccos, (-0.9, 0.8), None),
    (shaping.identity, (-1.3, 2.1), lambda x: x),
    (reduction.root, (0.3, 3.0), np.sqrt),
    (ad.relu, (-3.1, 3.4), lambda x: x * (x > 0)),
    (ad.sigmoid, (-3.1, 3.4), sigmoid),
    (ad.softplus, (-3.1, 3.4), lambda x: np.log(1 + np.exp(x))),
    (ad.silu, (-3.1, 3.4), lambda x: x * sigmoid(x)),
    (ad.leaky_relu, (-3.1, 3.4), lambda x: np.where(x > 0, x, x / 100)),
    (ad.elu, (-3.1, 3.4), lambda x: np.where(x > 0, x, np.exp(x) - 1)),
]

BINARY: list[tuple[Any, tuple[float, float], tuple[float, float]]] = [
    *((f, (-1.3, 2.1), (-2.1, 1.4)) for f in (np.add, np.subtract, np.multiply, np.arctan2, np.maximum, np.minimum)),
    (np.divide, (-1.3, 2.1), (-2.0, -0.4)),
    (np.power, (0.3, 2.0), (-1.5, 2.5)),
]

# fmt: off
EXPONENTS = [-2, -1, 0, 1, 2, 3, 2.0, np.float64(3), np.int64(2), np.array([[0], [3]]), [[1.0, 2.0, 0.0]]]
# fmt: on


def elementwise() -> Iterator[Case]:
    for (f, (low, high), reference), shape in itertools.product(UNARY, SHAPES):
        x = sample(*shape, low=low, high=high)
        yield Case(f"{f.__name__}-{shape}", f, (x,), reference=reference)
    for (f, first, second), (left, right) in itertools.product(BINARY, PAIRS):
        a = sample(*left, low=first[0], high=first[1], salt=1)
        b = sample(*right, low=second[0], high=second[1], salt=2)
        yield Case(f"{f.__name__}-{left}-{right}", f, (a, b))
    for p in EXPONENTS:
        yield Case(f"power-constant-{p}", np.power, (sample(2, 3),), call=lambda x, p=p: np.power(x, p))
        yield Case(f"pow-constant-{p}", np.power, (sample(2, 3),), call=lambda x, p=p: x**p)
    yield Case("power-half", np.power, (sample(2, 3, low=0.3),), call=lambda x: x**0.5)
    yield Case("power-of-constant", np.power, (sample(2, 3),), call=lambda p: np.power(2.5, p))
    yield Case("power-zero", np.power, (sample(3, low=0.3), np.array([[0.0], [1.0], [2.0]])))
    yield Case("rpow-int", np.power, (sample(2, 3),), call=lambda p: 2**p)
    yield Case("square-of-negatives", np.reciprocal, (sample(4, low=-3.0, high=-0.3),))
    yield Case("leaky_relu-slope", ad.leaky_relu, (sample(5, low=-3, high=4),), {"slope": 0.3})
    yield Case("elu-alpha", ad.elu, (sample(5, low=-3, high=4),), {"alpha": 0.7})


def choices() -> Iterator[Case]:
    mask = np.array([[True], [False]])
    for left, right in PAIRS:
        if 0 not in left + right and np.broadcast_shapes(left, right)[-2:-1] in ((), (1,), (2,)):
            arrays = sample(*left, salt=3), sample(*right, salt=4)
            yield Case(f"where-{left}-{right}", np.where, arrays, call=lambda a, b: np.where(mask, a, b))
    yield Case("where-constant", np.where, (sample(2, 3),), call=lambda a: np.where(a > 0.2, a, -1))
    yield Case("where-other", np.where, (sample(2, 3),), call=lambda a: np.where(a > 0.2, 0.5, a * a))
    yield Case("where-wider", np.where, (sample(3),), call=lambda a: np.where(np.eye(3, dtype=bool), a, 0.0))
    x = sample(3, 4)
    yield Case("clip", np.clip, (x,), call=lambda a: np.clip(a, -0.5, 1.5))
    yield Case("clip-lowest", np.clip, (x,), call=lambda a: np.clip(a, 0.1, None))
    yield Case("clip-highest", np.clip, (x,), call=lambda a: np.clip(a, None, 0.1))
    if np.lib.NumpyVersion(np.__version__) >= "2.1.0":  # before, np.clip has no min and max
        yield Case("clip-keywords", np.clip, (x,), call=lambda a: np.clip(a, min=-0.5, max=1.5))
    yield Case("clip-a_min", np.clip, (x,), call=lambda a: np.clip(a, a_min=-0.5, a_max=1.5))
    bounds = sample(4, low=-1.0, high=0.0, salt=5), sample(3, 1, low=0.5, high=1.5, salt=6)
    yield Case("clip-tensors", np.clip, (x, *bounds))
    yield Case("clip-array-bounds", np.clip, (x,), call=lambda a: np.clip(a, *bounds))
    yield Case("clip-method", np.clip, (x,), call=lambda a: a.clip(0.0, max=1.0))
    yield Case("clip-crossed", np.clip, (x,), call=lambda a: np.clip(a, 1.0, 0.0))


# -- reductions -------------------------------------------------------------------------------------------------

# fmt: off
REDUCED = [((2, 3, 4), axis) for axis in (None, 0, 1, -1, (0, 2), (-1, 0), (2, 1), (0, 1, 2))]
REDUCED += [((), None), ((1,), 0), ((3,), -1), ((2, 1), 1), ((2, 1), (0, 1))]
# fmt: on


def zeros(*places: int) -> np.ndarray:
    """Factors of which those at the places are 0."""
    x = sample(3, 4)
    x.flat[list(places)] = 0
    return x


def reductions() -> Iterator[Case]:
    totals = [np.sum, np.mean, np.prod, np.var]
    for f, (shape, axis) in itertools.product([*totals, np.max, np.min, np.amax, np.amin], REDUCED):
        for keepdims in (False, True):
            parameters = {"axis": axis, "keepdims": keepdims}
            yield Case(f"{f.__name__}-{shape}-{axis}-{keepdims}", f, (sample(*shape),), parameters)
    for axis, keepdims in itertools.product((None, 0, -1, (0, 2), (1, -1)), (False, True)):
        parameters = {"axis": axis, "keepdims": keepdims}
        x = sample(2, 3, 4)
        yield Case(f"std-{axis}-{keepdims}", np.std, (x,), parameters)
        yield Case(f"logsumexp-{axis}-{keepdims}", ad.logsumexp, (x,), parameters, reference=logsumexp)
    for ddof in (1, 0.5):
        yield Case(f"var-ddof-{ddof}", np.var, (sample(3, 4),), {"ddof": ddof, "axis": 1})
        yield Case(f"std-ddof-{ddof}", np.std, (sample(3, 4),), {"ddof": ddof})
    yield Case("std-correction", np.std, (sample(3, 4),), {"correction": 1, "axis": 0})
    for f, axis, shape in itertools.product((np.sum, np.prod), (None, 0, 1, ()), ((0,), (0, 3), (3, 0), (2, 3))):
        if axis != 1 or len(shape) > 1:
            yield Case(f"{f.__name__}-{shape}-{axis}", f, (sample(*shape),), {"axis": axis})
    yield Case("mean-of-no-rows", np.mean, (sample(0, 3),), {"axis": 1})
    yield Case("max-of-no-rows", np.max, (sample(0, 3),), {"axis": 1})
    yield Case("max-over-no-axis", np.max, (sample(2, 3),), {"axis": ()})
    yield Case("logsumexp-of-one", ad.logsumexp, (sample(),))
    for places, axis in itertools.product([(5,), (5, 6), (1, 5), (0, 5, 10), (0, 1, 2)], (None, 0, 1, (1, 0), (-2,))):
        yield Case(f"prod-zeros-{places}-{axis}", np.prod, (zeros(*places),), {"axis": axis})
    yield Case("prod-zeros-keepdims", np.prod, (zeros(5, 6),), {"axis": -1, "keepdims": True})
    yield Case("prod-zeros-cube", np.prod, (zeros(1, 7).reshape(2, 3, 2),), {"axis": (2, 0)})
    for f, reference in ((ad.softmax, softmax), (ad.log_softmax, lambda x, **k: np.log(softmax(x, **k)))):
        for shape, axis in (
            ((), -1),
            ((1,), -1),
            ((3,), 0),
            ((2, 3, 4), 1),
            ((2, 3), -1),
            ((0, 3), -1),
            ((2, 3), (0, 1)),
        ):
            yield Case(f"{f.__name__}-{shape}-{axis}", f, (sample(*shape),), {"axis": axis}, reference=reference)


def logsumexp(x: Any, axis: Any, keepdims: bool) -> Any:
    return np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))


# -- moving elements about --------------------------------------------------------------------------------------


def shapes() -> Iterator[Case]:
    x = sample(2, 3, 4)
    for shape in ((4, 6), (-1,), (2, -1, 2), 24, (2, 3, 4)):
        yield Case(f"reshape-{shape}", np.reshape, (x,), {"shape": shape}, call=lambda x, shape: np.reshape(x, shape))
    yield Case("reshape-fortran", np.reshape, (x,), call=lambda x: np.reshape(x, (4, 6), order="F"))
    yield Case("reshape-method", np.reshape, (x,), call=lambda x: x.reshape(3, -1) + x.reshape((3, 8)))
    yield Case("reshape-0d", np.reshape, (sample(),), call=lambda x: np.reshape(x, (1, 1)))
    yield Case("reshape-empty", np.reshape, (sample(0, 3),), call=lambda x: np.reshape(x, (3, 0, 2)))
    for axes in (None, (0, 1, 2), (1, 2, 0), (2, 0, 1), (-1, 0, -2), [1, 0, -1]):
        yield Case(f"transpose-{axes}", np.transpose, (x,), {"axes": axes})
    yield Case("transpose-0d", np.transpose, (sample(),))
    yield Case("transpose-method", np.transpose, (x,), call=lambda x: x.transpose(1, -1, 0) * x.transpose((1, 2, 0)))
    yield Case("T", np.transpose, (sample(2, 3),), call=lambda x: x.T)
    yield Case("mT", np.swapaxes, (x,), call=lambda x: x.mT)
    for first, second in ((0, 2), (-1, 0), (1, 1)):
        yield Case(f"swapaxes-{first}-{second}", np.swapaxes, (x,), {"axis1": first, "axis2": second})
    for axis in (0, -1, 2, (0, 2), (-1, 0), (1, -2)):
        yield Case(f"expand_dims-{axis}", np.expand_dims, (sample(2, 3),), {"axis": axis})
    for axis in (None, 0, -2, (0, 2), (-2, 0)):
        yield Case(f"squeeze-{axis}", np.squeeze, (sample(1, 3, 1, 2),), {"axis": axis})
    yield Case("squeeze-to-0d", np.squeeze, (sample(1, 1),))
    for shape, wider in (
        ((3,), (2, 3)),
        ((2, 1), (2, 3)),
        ((), (2, 2)),
        ((1, 3, 1), (2, 3, 2)),
        ((1,), (0,)),
        ((3,), 3),
    ):
        yield Case(f"broadcast_to-{shape}-{wider}", np.broadcast_to, (sample(*shape),), {"shape": wider})
    yield Case("ravel", np.ravel, (x,))
    yield Case("ravel-fortran", np.ravel, (x,), {"order": "F"})
    yield Case("ravel-0d", np.ravel, (sample(),))
    yield Case("ravel-methods", np.ravel, (x,), call=lambda x: x.ravel() * x.flatten())
    yield Case("on_device", shaping.on_device, (x,), {"device": "cpu"})
    yield Case("astype", shaping.astype, (x,), call=lambda x: x.astype(x.dtype))
    parts = sample(2, 3, salt=1), sample(1, 3, salt=2), sample(0, 3, salt=3)
    for axis in (0, -2):
        yield Case(
            f"concatenate-{axis}", np.concatenate, parts, {"axis": axis}, call=lambda *x, axis: np.concatenate(x, axis)
        )
    columns = tuple(p.T.copy() for p in parts)
    for axis in (1, -1):
        yield Case(
            f"concatenate-{axis}", np.concatenate, columns, call=lambda *x, a=axis: np.concatenate(list(x), axis=a)
        )
    uneven = sample(2, 3, salt=1), sample(4, salt=2), sample(1, 1, 2, salt=3)
    yield Case("concatenate-flat", np.concatenate, uneven, call=lambda *x: np.concatenate(x, axis=None))
    yield Case("concatenate-twice", np.concatenate, (sample(2),), call=lambda x: np.concatenate([x, [0.5], x * x]))
    yield Case("concatenate-primitive", shaping.concatenate, parts[:2])
    yield Case("stack-primitive", shaping.stack, uneven[:1] * 2 + (sample(2, 3, salt=5),))
    for axis in (0, 1, -1, -3):
        three = tuple(sample(2, 3, salt=k) for k in range(3))
        yield Case(f"stack-{axis}", np.stack, three, call=lambda *x, axis=axis: np.stack(x, axis=axis))
    yield Case("stack-0d", np.stack, (sample(salt=1), sample(salt=2)), call=lambda *x: np.stack(x))
    yield Case("stack-constant", np.stack, (sample(2),), call=lambda x: np.stack([x, [1.0, 2.0]]))


# -- indexing ---------------------------------------------------------------------------------------------------

rows, twice = np.array([1, 0]), np.array([2, 0, 2, 2])
EVEN = np.arange(12).reshape(3, 4) % 2 == 0
# fmt: off
INDICES: list[Any] = [
    *[0, -1, slice(1, None), slice(None, None, -1), slice(None, None, -2), slice(3, 1), Ellipsis, None, ()],
    *[(0, 1), (-1, slice(None)), (slice(None), -2), (slice(0, 0), 1), (Ellipsis, 0), (None, 0, Ellipsis, None)],
    *[[0, 2], [0, 0, 2], (twice, 1), (twice, twice), (rows[:, None], twice), ([0, 0], [1, 1]), ((0, 0, 1),)],
    *[((0, 0), (1, 1)), (slice(None), [3, 3, 0]), (slice(None, None, -1), twice), (None, twice, None), range(2)],
    *[(twice, None, slice(1, 3)), np.array([[0, 1], [0, 0]]), np.array(1), np.int64(2), (np.int8(0), [0, 0])],
    *[EVEN, np.array([True, False, True]), (slice(None), np.array([True, False, True, True])), True, False],
    *[np.array(True), np.array(False), (np.array([True, False, True]), 0), (0, EVEN[0]), (EVEN.any(1), [0, 1, 1])],
    *[np.zeros((3, 4), bool), np.zeros(0, int), (Ellipsis, [1, 1]), ([[0], [0]], [[1, 1, 2]])],
]
# fmt: on


def indexing_cases() -> Iterator[Case]:
    x = sample(3, 4)
    for k, index in enumerate(INDICES):
        name = " ".join(repr(index).split())
        result = np.shape(x[index])
        values = sample(*result, salt=1)
        yield Case(f"gather-{name}-{k}", indexing.gather, (x,), call=lambda x, index=index: x[index])
        yield Case(f"scatter-{name}-{k}", indexing.scatter, (values,), {"index": index, "shape": (3, 4)})
        yield Case(f"added_at-{name}-{k}", indexing.added_at, (x, values), {"index": index})
        yield Case(f"replaced_at-{name}-{k}", indexing.replaced_at, (x, values), {"index": index})
    for f in (indexing.added_at, indexing.replaced_at):
        for index, shape in itertools.product(([0, 0, 2], slice(1, 3), EVEN), ((), (1,))):
            name = f"{f.__name__}-broadcast-{' '.join(repr(index).split())}-{shape}"
            yield Case(name, f, (x, sample(*shape, salt=1)), {"index": index})
        yield Case(f"{f.__name__}-row", f, (x, sample(4, salt=1)), {"index": [2, 0, 2]})
        yield Case(f"{f.__name__}-column", f, (x, sample(2, 1, salt=1)), {"index": slice(0, 2)})
        yield Case(f"{f.__name__}-0d", f, (sample(), sample(salt=1)), {"index": ()})
    yield Case("replaced_at-more-axes", indexing.replaced_at, (x, sample(1, 1, 4, salt=1)), {"index": 1})
    for shape, index in (((), ()), ((), Ellipsis), ((), None), ((0, 3), slice(None)), ((2, 0), 0)):
        yield Case(f"gather-{shape}-{index}", indexing.gather, (sample(*shape),), {"index": index})


# -- products that sum ------------------------------------------------------------------------------------------

# fmt: off
MATMUL = [
    *[((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((5, 2, 3), (3,)), ((3,), (5, 3, 4))],
    *[((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)), ((1, 2, 3), (5, 3, 4)), ((5, 2, 3), (1, 3, 4))],
    *[((2, 1, 2, 3), (5, 3, 4)), ((5, 1, 1, 3), (1, 2, 3, 1)), ((1, 1), (1, 1)), ((1,), (1,)), ((0, 3), (3, 2))],
    *[((2, 0), (0, 3)), ((0,), (0,)), ((0, 2, 3), (3,)), ((2, 1, 3), (3,)), ((3,), (1, 3, 2))],
]
DOT = [((), ()), ((), (2, 3)), ((2, 3), ()), *MATMUL[:4], ((5, 2, 3), (3,)), ((5, 2, 3), (3, 4))]
DOT += [((3,), (5, 3, 4)), ((2, 3), (5, 3, 4)), ((2, 5, 3), (2, 2, 3, 4)), ((2, 0), (4, 0, 3)), ((2, 3), (0, 3, 2))]
EINSUM: list[tuple[str, tuple[tuple[int, ...], ...]]] = [
    *[("ij,jk->ik", ((2, 3), (3, 4))), ("ij,jk", ((2, 3), (3, 4))), ("ij->ji", ((2, 3),)), ("ba", ((2, 3),))],
    *[("i,i->", ((3,), (3,))), ("i,j->ij", ((2,), (3,))), ("i,j->ji", ((2,), (3,))), ("ij->", ((2, 3),))],
    *[("ij->j", ((2, 3),)), ("ij,k->k", ((2, 3), (4,))), ("ij,k->i", ((2, 3), (4,))), ("i,,j->ij", ((2,), (), (3,)))],
    *[(",i->i", ((), (3,))), (",", ((), ())), ("->", ((),)), (" i j , j -> i ", ((2, 3), (3,)))],
    *[("ii->", ((3, 3),)), ("ii->i", ((3, 3),)), ("ii", ((3, 3),)), ("iij->j", ((3, 3, 2),))],
    *[("iji->ij", ((3, 2, 3),))],
    *[("iii->i", ((2, 2, 2),)), ("ii,i->i", ((3, 3), (3,))), ("ii,jj->ij", ((3, 3), (2, 2)))],
    *[("ijij->ij", ((2, 3, 2, 3),))],
    *[("...ij,...jk->...ik", ((2, 3), (5, 3, 4))), ("...ij,...jk->...ik", ((1, 2, 3), (5, 3, 4)))],
    *[("...ij,...jk", ((2, 1, 2, 3), (5, 3, 4))), ("...,...->...", ((2, 3), (3,))), ("i...->...i", ((2, 3, 4),))],
    *[("...i->...", ((2, 3),)), ("...ii->...i", ((2, 3, 3),)), ("i...i->i...", ((3, 2, 3),)), ("...", ((2, 3),))],
    *[("b...,b->...", ((2, 3), (2,))), ("...j,j...->...", ((2, 3), (3, 2))), ("...,i->i...", ((), (3,)))],
    *[("i,i->i", ((1,), (3,))), ("ij,jk->ik", ((2, 1), (3, 4))), ("ij,ij->j", ((1, 3), (2, 3)))],
    *[("ij,ij", ((1, 3), (2, 1)))],
    *[("ij,jk,kl->il", ((2, 3), (3, 4), (4, 2))), ("ij,jk,ik->", ((2, 3), (3, 2), (2, 2)))],
    *[("a,ab,b", ((2,), (2, 3), (3,)))],
    *[("ij,jk,kl,li->", ((2, 3), (3, 2), (2, 4), (4, 2))), ("i,i,i->i", ((3,), (1,), (3,)))],
    *[("bA,AC", ((2, 3), (3, 4)))],
    *[("Zb,bA", ((2, 3), (3, 4))), ("aB,Bc->ca", ((2, 3), (3, 4))), ("ij,j->", ((0, 3), (3,)))],
    *[("ij,jk->ik", ((2, 0), (0, 3)))],
    *[("bij,bjk,bk->bi", ((2, 3, 4), (2, 4, 3), (2, 3))), ("...i,...i", ((2, 3), (1, 3))), ("i->i", ((3,),))],
]
# fmt: on


def products() -> Iterator[Case]:
    for left, right in MATMUL:
        arrays = sample(*left, salt=1), sample(*right, salt=2)
        yield Case(f"matmul-{left}-{right}", np.matmul, arrays)
        yield Case(f"@-{left}-{right}", np.matmul, arrays, call=lambda a, b: a @ b)
    for left, right in DOT:
        yield Case(f"dot-{left}-{right}", np.dot, (sample(*left, salt=1), sample(*right, salt=2)))
    yield Case("dot-method", np.dot, (sample(2, 3),), call=lambda a: a.dot(np.eye(3)))
    for subscripts, operands in EINSUM:
        arrays = tuple(sample(*shape, salt=k) for k, shape in enumerate(operands))
        name = f"einsum-{subscripts}-{operands}"
        yield Case(name, np.einsum, arrays, call=lambda *x, s=subscripts: np.einsum(s, *x))
    yield Case(
        "einsum-optimize",
        np.einsum,
        (sample(2, 3), sample(3, 2)),
        call=lambda a, b: np.einsum("ij,ji", a, b, optimize=True),
    )
    yield Case("contraction", einsum.contraction, (sample(2, 3), sample(3)), {"subscripts": "ij,j->i"})


CASES = [*elementwise(), *choices(), *reductions(), *shapes(), *indexing_cases(), *products()]
