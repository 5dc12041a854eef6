"""The Tensor by itself: making one, its value, its adjoint, its operators, its refusals."""

from __future__ import annotations

import asyncio
import copy
import operator
import threading
from array import array as Buffer
from typing import Any

import numpy as np
import pytest

import autodiff as ad
import nn
from autodiff.engine.reverse import contribution
from autodiff.engine.table import table

array = np.array


# -- making one -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [(2, 2.0), (2.5, 2.5), ([1, 2], [1.0, 2.0]), ((1, 2.5), [1.0, 2.5]), ([[1], [2]], [[1.0], [2.0]]), ([], [])],
)
def test_numbers_and_lists_become_floats(value: Any, expected: Any) -> None:
    t = ad.Tensor(value)
    assert (t.dtype, t.shape) == (np.float64, np.shape(expected))
    np.testing.assert_array_equal(t.value, expected)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floating_dtypes_are_kept(dtype: Any) -> None:
    assert (
        ad.Tensor(np.ones(2, dtype)).dtype == ad.Tensor(dtype(1)).dtype == ad.Tensor([1, 2], dtype=dtype).dtype == dtype
    )


@pytest.mark.parametrize("value", [array([1, 2]), array([True]), np.int64(3), True, [True, False], array(1, np.uint8)])
def test_integer_and_boolean_arrays_are_refused_with_a_hint(value: Any) -> None:
    with pytest.raises(TypeError, match=r"holds floating-point numbers; received an array of shape .* dtype=float"):
        ad.Tensor(value)
    assert ad.Tensor(value, dtype=float).dtype == np.float64


@pytest.mark.parametrize("value", ["abc", None, object(), {"a": 1.0}, b"x", [None], np.datetime64("2020-01-01")])
def test_what_is_not_a_number_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="pass floating-point numbers"):
        ad.Tensor(value)


def test_ragged_lists_and_tensors_are_refused() -> None:
    with pytest.raises(ValueError, match="inhomogeneous"):
        ad.Tensor([[1.0], [1.0, 2.0]])
    with pytest.raises(TypeError, match=r"Tensor 'a' of shape \(\) .*it is one already.*stop_gradient"):
        ad.Tensor(ad.Tensor(1.0, name="a"))
    with pytest.raises(TypeError, match=r"np.stack"):
        ad.Tensor([ad.Tensor(1.0)])


def test_the_value_is_copied() -> None:
    x = np.ones(3)
    t = ad.Tensor(x)
    x[0] = 5
    np.testing.assert_array_equal(t.value, [1, 1, 1])


def test_names_are_strings() -> None:
    assert ad.Tensor(1.0, name="w").name == "w"
    assert ad.Tensor(1.0).name is None
    for name in (3, b"w", ad.Tensor(1.0)):
        with pytest.raises(TypeError, match="a Tensor's name is a string; received"):
            ad.Tensor(1.0, name=name)


def test_a_tensor_is_not_subclassed() -> None:
    with pytest.raises(TypeError, match="not made to be subclassed"):
        type("Parameter", (ad.Tensor,), {})


# -- its value --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("t", [ad.Tensor([[1.0, 2.0]]), ad.Tensor(3.0), ad.Tensor([1.0]) * 2])
def test_the_value_is_a_read_only_array(t: ad.Tensor) -> None:
    assert type(t.value) is np.ndarray
    assert (t.value.shape, t.value.ndim, t.value.size, t.value.dtype) == (t.shape, t.ndim, t.size, t.dtype)
    with pytest.raises(ValueError, match="read-only"):
        t.value[...] = 5


def test_the_value_cannot_be_reached_under_no_grad_either() -> None:
    t = ad.Tensor([1.0, 2.0])
    with ad.no_grad():
        for view in (t[:1], np.reshape(t, (2, 1)), t.T, np.ravel(t), np.broadcast_to(t, (1, 2)), np.expand_dims(t, 0)):
            if view.flags.writeable:
                view[...] = 99
    np.testing.assert_array_equal(t.value, [1, 2])


@pytest.mark.parametrize("new", [[3, 4], array([3.0, 4.0]), (3.0, 4), ad.Tensor([3.0, 4.0]), array([3, 4], np.float32)])
def test_a_leaf_is_assigned_in_its_own_dtype(new: Any) -> None:
    for dtype in (np.float32, np.float64):
        w = ad.Tensor([1.0, 2.0], dtype=dtype)
        w.value = new
        assert w.dtype == dtype
        np.testing.assert_array_equal(w.value, [3, 4])


def test_an_assigned_value_is_copied_and_may_overlap() -> None:
    new, w, scalar = array([3.0, 4.0]), ad.Tensor([1.0, 2.0]), ad.Tensor(1.0)
    w.value = new
    new[0] = 99
    np.testing.assert_array_equal(w.value, [3, 4])
    w.value = w.value[::-1]
    np.testing.assert_array_equal(w.value, [4, 3])
    scalar.value = 5
    assert (scalar.value, scalar.dtype) == (5, np.float64)


def test_what_cannot_be_assigned() -> None:
    w = ad.Tensor([1.0, 2.0], name="w")
    with pytest.raises(
        ValueError, match=r"'w' of shape \(2,\) .* assigned a value of shape \(\); the shapes must agree"
    ):
        w.value = 3.0
    with pytest.raises(ValueError, match=r"shape \(1, 2\)"):
        w.value = [[1.0, 2.0]]
    with pytest.raises(TypeError, match="dtype complex128"):
        w.value = [1j, 2]
    with pytest.raises(AttributeError, match=r"only a leaf's value can be assigned; this is the result of multiply"):
        (w * 2).value = [1.0, 2.0]
    np.testing.assert_array_equal(w.value, [1, 2])


def test_item_repr_and_format() -> None:
    t = ad.Tensor(2.0, name="speed")
    assert type(t.item()) is float
    assert ad.Tensor([[3.0]]).item() == 3
    assert repr(t) == "Tensor(2., name='speed')"
    assert repr(ad.Tensor([1, 2], dtype="f4")) == "Tensor([1., 2.], dtype=float32)"
    assert (f"{t:.3f}", f"{t}") == ("2.000", repr(t))
    assert len(repr(ad.Tensor(np.zeros(10**6)))) < 200
    with pytest.raises(TypeError, match="format"):
        format(ad.Tensor([1.0, 2.0]), ".3f")


# -- its adjoint ------------------------------------------------------------------------------------------------


def test_the_emblem() -> None:
    x1, x2 = ad.Tensor(2.0), ad.Tensor(5.0)
    y = np.log(x1) + x1 * x2 - np.sin(x2)
    y.backward()
    assert (x1.grad, x2.grad) == (5.5, pytest.approx(2 - np.cos(5)))


def test_backward_adds_up_and_never_destroys() -> None:
    x = ad.Tensor(2.0)
    y = x**5 / 2.5
    y.backward()
    assert x.grad == 32
    y.backward()
    assert x.grad == 64
    assert y.adjoints()[x] == 32
    assert x.grad == 64
    x.grad = None
    y.backward()
    assert x.grad == 32


def test_the_adjoint_is_an_array_of_the_leafs_shape_and_dtype() -> None:
    for shape, dtype in (
        ((), np.float64),
        ((), np.float32),
        ((2, 3), np.float32),
        ((0,), np.float64),
        ((1,), np.float64),
    ):
        x = ad.Tensor(np.ones(shape), dtype=dtype)
        assert x.grad is None
        np.sum(x * 2.0).backward()
        assert type(x.grad) is np.ndarray
        assert (x.grad.shape, x.grad.dtype) == (shape, dtype)


def test_the_adjoint_can_be_assigned() -> None:
    w = ad.Tensor([1.0, 2.0])
    given = array([3, 4])
    w.grad = given
    given[0] = 99
    np.testing.assert_array_equal(w.grad, [3, 4])
    np.sum(w).backward()
    np.testing.assert_array_equal(w.grad, [4, 5])
    with pytest.raises(ValueError, match=r"received shape \(3,\)"):
        w.grad = np.zeros(3)


def test_a_seed_has_the_shape_of_the_result() -> None:
    x = ad.Tensor([1.0, 2.0], name="x")
    y = x * 3
    for ask in (y.backward, y.adjoints):
        with pytest.raises(ValueError, match=r"shape \(2,\).* without a seed; .*Pass seed= of shape \(2,\), or reduce"):
            ask()
        for seed in (1.0, [1.0], [[1.0, 2.0]], [1.0, 2.0, 3.0]):
            with pytest.raises(ValueError, match=r"the shape of the result, \(2,\); received shape"):
                ask(seed)
    assert x.grad is None
    y.backward([1, 2])
    np.testing.assert_array_equal(x.grad, [3, 6])
    y.backward(ad.Tensor([1.0, 0.0]))
    np.testing.assert_array_equal(x.grad, [6, 6])
    (x[:1] * 2).backward()
    np.testing.assert_array_equal(x.grad, [8, 6])


def test_a_leaf_is_its_own_root() -> None:
    x = ad.Tensor(2.0)
    x.backward()
    assert x.grad == 1
    assert x.adjoints() == {x: 1}


def test_interior_adjoints_are_kept_on_request() -> None:
    x = ad.Tensor(2.0)
    y = x * 3
    z = y * y
    with pytest.raises(
        AttributeError, match=r"result of multiply, not a leaf.*call \.retain_grad\(\) before \.backward"
    ):
        _ = y.grad
    y.retain_grad()
    z.retain_grad()
    assert y.grad is None
    for times in (1, 2):
        z.backward()
        assert (x.grad, y.grad, z.grad) == (36 * times, 12 * times, times)
    y.grad = None
    assert y.grad is None
    x.retain_grad()
    assert x.grad == 72


def test_adjoints_of_everything_and_of_nothing_else() -> None:
    x, w, stray = ad.Tensor(2.0), ad.Tensor(3.0), ad.Tensor(4.0)
    y = x * w
    z = np.where(stray > 0, y, 0.0) + y
    found = z.adjoints()
    assert {t: g.item() for t, g in found.items() if t in {x, w, y, z}} == {x: 6, w: 4, y: 2, z: 1}
    assert stray not in found
    assert all(type(g) is np.ndarray for g in found.values())
    assert x.grad is None


def test_a_condition_receives_no_adjoint() -> None:
    x, stray = ad.Tensor([1.0, 2.0]), ad.Tensor([0.0, 3.0])
    y = np.where(stray * 1.0, x, 5.0)
    assert set(y.adjoints([1, 1])) == {x, y}
    y.backward([1, 1])
    np.testing.assert_array_equal(x.grad, [0, 1])
    assert stray.grad is None


def test_what_one_argument_receives() -> None:
    a, b = ad.Tensor(2.0), ad.Tensor([[1.0, 3.0]], dtype=np.float32)
    y = a * b
    assert contribution(y, 0, [[1.0, 10.0]]) == 31
    np.testing.assert_array_equal(contribution(y, 1, np.ones((1, 2))), [[2, 2]])
    assert contribution(y, 1, [[1.0, 1.0]]).dtype == np.float32
    chosen = np.where(b, a, 0.0)
    assert [contribution(chosen, k, np.ones((1, 2))) for k in range(3)] == [None, 2, None]
    joined = np.stack([a, 1.0, a * 1])
    assert [contribution(joined, k, [1.0, 2.0, 3.0]) is None for k in range(3)] == [False, True, False]


# -- changed copies ---------------------------------------------------------------------------------------------


def test_set_gives_a_new_tensor() -> None:
    x, v = ad.Tensor([1.0, 2.0, 3.0]), ad.Tensor(5.0)
    y = x.at[1:].set(v)
    np.testing.assert_array_equal(y.value, [1, 5, 5])
    np.testing.assert_array_equal(x.value, [1, 2, 3])
    found = y.adjoints([1, 10, 100])
    np.testing.assert_array_equal(found[x], [1, 0, 0])
    assert found[v] == 110


def test_add_gives_a_new_tensor() -> None:
    x, v = ad.Tensor([1.0, 2.0, 3.0]), ad.Tensor([5.0, 6.0])
    y = x.at[[0, 0]].add(v)
    np.testing.assert_array_equal(y.value, [12, 2, 3])
    found = y.adjoints([1, 10, 100])
    np.testing.assert_array_equal(found[x], [1, 10, 100])
    np.testing.assert_array_equal(found[v], [1, 1])


def test_where_an_index_repeats_the_last_value_is_set() -> None:
    x, v = ad.Tensor([1.0, 2.0, 3.0]), ad.Tensor([5.0, 6.0, 7.0])
    y = x.at[[0, 2, 0]].set(v)
    np.testing.assert_array_equal(y.value, [7, 2, 6])
    found = y.adjoints([1, 10, 100])
    np.testing.assert_array_equal(found[x], [0, 10, 0])
    np.testing.assert_array_equal(found[v], [0, 100, 1])


def test_changed_copies_take_plain_values_and_refuse_a_missing_index() -> None:
    x = ad.Tensor([1.0, 2.0])
    np.testing.assert_array_equal(x.at[x.value > 1].set(0).value, [1, 0])
    np.testing.assert_array_equal(x.at[...].add([1, 2]).value, [2, 4])
    np.testing.assert_array_equal(x.at[None].set(9.0).value, [9, 9])
    for change in (x.at.set, x.at.add):
        with pytest.raises(TypeError, match=r"t\.at needs an index"):
            change(1.0)
    with pytest.raises(TypeError, match=r"Tensors are immutable.*\.at\[index\]\.set\(value\)"):
        x[0] = 5.0
    with pytest.raises(ValueError, match="broadcast"):
        x.at[0:2].set([1.0, 2.0, 3.0])
    with pytest.raises(IndexError):
        x.at[5].set(1.0)


# -- comparing, counting, going through -------------------------------------------------------------------------


@pytest.mark.parametrize("compare", [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge])
def test_comparisons_give_plain_boolean_arrays(compare: Any) -> None:
    t, other = ad.Tensor([1.0, 2.0, 3.0]), [3.0, 2.0, 1.0]
    expected = compare(t.value, array(other))
    for left, right in ((t, ad.Tensor(other)), (t, array(other)), (array(other)[::-1], ad.Tensor(other)), (t, other)):
        result = compare(left, right)
        assert type(result) is np.ndarray
        np.testing.assert_array_equal(result, expected)
    assert compare(1.5, ad.Tensor(1.5)) == compare(1.5, 1.5)


def test_constants_of_tensors_are_plain() -> None:
    t = ad.Tensor([1.5, -2.5])
    for f in (np.sign, np.floor, np.ceil, np.rint, np.argmax, np.argsort, np.isfinite, np.round, np.zeros_like, np.any):
        result = f(t)
        assert isinstance(result, np.ndarray | np.generic)
        np.testing.assert_array_equal(result, f(t.value))
    assert (t.argmax(), t.argmin(), np.shape(t), np.size(t), np.ndim(t)) == (0, 1, (2,), 2, 1)
    np.testing.assert_array_equal(t // 2, [0, -2])
    np.testing.assert_array_equal(np.floor_divide(3.0, t), [2, -2])
    np.testing.assert_array_equal(3.0 // t, [2, -2])


def test_truth_length_iteration_hash() -> None:
    t = ad.Tensor([[1.0, 2.0], [3.0, 4.0]])
    assert ad.Tensor(1.0)
    assert not ad.Tensor([0.0])
    with pytest.raises(ValueError, match="ambiguous"):
        bool(t)
    assert len(t) == 2
    first, second = t
    np.testing.assert_array_equal(np.sum(first * second).adjoints()[t], [[3, 4], [1, 2]])
    assert len({t, t, ad.Tensor(t.value)}) == 2
    for count in (len, iter, list):
        with pytest.raises(TypeError, match=r"was asked of Tensor 'loss' of shape \(\).* 0-d Tensor has no"):
            count(ad.Tensor(1.0, name="loss"))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_of_a_leaf_is_a_leaf_and_one_of_a_result_depends_on_it(copied: Any) -> None:
    x = ad.Tensor([2.0], name="x")
    copied(x * x).backward()
    assert x.grad == 4
    leaf = copied(x)
    leaf.value = [3.0]
    (leaf * leaf).backward()
    assert (x.value, x.grad, leaf.grad, leaf.name) == (2, 4, 6, "x")


# -- NumPy's functions ------------------------------------------------------------------------------------------


def test_an_unknown_function_is_refused() -> None:
    t = ad.Tensor([1.0])
    for f in (np.hypot, np.cumsum, np.linalg.norm, np.tanh):
        table.pop(f)
        name = f"np.{'linalg.' if f is np.linalg.norm else ''}{f.__name__}"
        with pytest.raises(TypeError) as caught:
            f(*[t] * (2 if f is np.hypot else 1))
        assert str(caught.value) == (
            f"{name} has no adjoint rule; compose it from differentiable functions "
            f"or declare one with ad.adjoint({name}, ...)."
        )


def test_declaring_a_rule_is_all_it_takes() -> None:
    ad.adjoint(np.hypot, lambda g, y, a, b: g * a / y, lambda g, y, a, b: g * b / y)
    ad.constant(np.spacing)
    ad.composed(np.ptp)(lambda a, axis=None: np.max(a, axis=axis) - np.min(a, axis=axis))
    ad.check_grads(np.hypot, array([3.0, 1.0]), array([[4.0], [2.0]]))
    ad.check_grads(lambda x: np.ptp(x, axis=1), array([[3.0, 1.0, 2.0]]))
    assert isinstance(np.spacing(ad.Tensor(1.0)), np.float64)


def test_a_function_of_ones_own() -> None:
    @ad.primitive
    def cube(x: Any) -> Any:
        return x**3

    assert cube(2.0) == 8
    with pytest.raises(TypeError, match=r"cube has no adjoint rule.*ad\.adjoint"):
        cube(ad.Tensor(2.0))
    ad.adjoint(cube, lambda g, y, x: 3 * g * x**2)
    ad.check_grads(cube, array([1.0, 2.0]), order=3)
    assert cube(ad.Tensor(2.0)).primitive.name == "cube"


def test_declarations_that_make_no_sense_are_refused() -> None:
    with pytest.raises(TypeError, match="one rule per data argument"):
        ad.adjoint(np.hypot)
    with pytest.raises(TypeError, match="called with g, y and 2 argument"):
        ad.adjoint(np.hypot, lambda g, y, a: g, lambda g, y, a: g)
    with pytest.raises(TypeError, match="an adjoint rule is a function"):
        ad.adjoint(np.hypot, 1.0, 2.0)


def test_python_numbers_from_primitives_and_rules_become_numpys() -> None:
    double = ad.primitive(lambda x: float(x) * 2)
    ad.adjoint(double, lambda g, y, x: 2.0)
    x = ad.Tensor(3.0, dtype=np.float32)
    y = double(x)
    assert (y.value, y.dtype) == (6, np.float64)
    assert (y.adjoints()[x], y.adjoints()[x].dtype) == (2, np.float32)


def test_a_rule_that_returns_nothing_is_an_error() -> None:
    half = ad.primitive(lambda x: x / 2)
    ad.adjoint(half, lambda g, y, x: None)
    for value in (1.0, [1.0, 2.0]):
        x = ad.Tensor(value)
        with pytest.raises((TypeError, ValueError), match="adjoint rule"):
            np.sum(half(x)).backward()


def test_a_primitive_that_gives_no_floats_is_an_error() -> None:
    rounded = ad.primitive(lambda x: np.rint(x).astype(int))
    ad.adjoint(rounded, lambda g, y, x: g)
    with pytest.raises(TypeError, match=r"gave int64, which has no derivative"):
        rounded(ad.Tensor([1.0]))
    both = ad.primitive(lambda x: (x, x))
    ad.adjoint(both, lambda g, y, x: g)
    with pytest.raises(TypeError, match="gave tuple, which has no derivative"):
        both(ad.Tensor([1.0]))


def test_ufunc_methods_are_refused() -> None:
    target = np.zeros(2)
    with pytest.raises(TypeError, match=r"np\.add\.at was called with a Tensor"):
        np.add.at(target, 0, ad.Tensor(1.0))
    np.testing.assert_array_equal(target, [0, 0])


SHAPE = "shape" if np.lib.NumpyVersion(np.__version__) >= "2.1.0" else "newshape"  # the name NumPy gives it


def test_arguments_by_position_and_by_name() -> None:
    t = ad.Tensor([[1.0, 2.0], [3.0, 5.0]])
    assert np.sum(t, 1, None, None, True).shape == np.sum(a=t, axis=1, keepdims=True).shape == (2, 1)
    assert np.mean(t, 0).shape == np.max(t, axis=-1).shape == np.var(t, 1).shape == (2,)
    assert np.reshape(t, **{SHAPE: (4,)}).shape == np.transpose(a=t).reshape(-1).shape == (4,)
    assert np.expand_dims(t, 0).shape == np.expand_dims(a=t, axis=0).shape == (1, 2, 2)
    assert np.var(t, None, None, None, 1).value == np.var(t.value, ddof=1)
    assert np.amax(t, 1, None, True).shape == (2, 1)


def test_names_that_numpy_owns() -> None:
    for name in ("sin", "log", "sum", "matmul", "concatenate"):
        with pytest.raises(AttributeError, match=rf"write np\.{name}\(t\): NumPy's function"):
            getattr(ad, name)
    for name in ("sine", "__wrapped__"):
        with pytest.raises(AttributeError, match=rf"module 'autodiff' has no attribute '{name}'"):
            getattr(ad, name)
    assert all(hasattr(ad, name) for name in ad.__all__)


# -- no_grad ----------------------------------------------------------------------------------------------------


def test_no_grad_is_a_context_and_a_decorator() -> None:
    t = ad.Tensor([1.0, 2.0])

    @ad.no_grad()
    def double(x: Any) -> Any:
        return x * 2

    for _ in range(2):
        assert type(double(t)) is np.ndarray
        assert type(t * 2) is ad.Tensor
    with pytest.raises(KeyError), ad.no_grad():
        raise KeyError
    assert type(t * 2) is ad.Tensor
    with ad.no_grad():
        with ad.no_grad():
            pass
        assert type(t @ t) is np.float64
        leaf = ad.Tensor(3.0)
    assert type(leaf * 2) is ad.Tensor


def test_every_way_of_computing_heeds_no_grad() -> None:
    t = ad.Tensor([1.0, 2.0])
    ways = [lambda: t * 2, lambda: 2 * t, lambda: t - t, lambda: [1, 2] - t, lambda: -t, lambda: abs(t), lambda: t[0]]
    ways += [lambda: np.sin(t), lambda: np.add(t, 1), lambda: np.sum(t), lambda: np.stack([t, t]), lambda: ad.relu(t)]
    ways += [lambda: t @ t, lambda: t.mean(), lambda: t.at[0].set(1.0), lambda: np.clip(t, 0, 1), lambda: t.T]
    for compute in ways:
        assert type(compute()) is ad.Tensor
        with ad.no_grad():
            assert type(compute()) in (np.ndarray, np.float64)
    with ad.no_grad():
        assert np.exp(t).flags.writeable
        assert (t * 2).flags.writeable


def test_threads_do_not_see_each_others_no_grad() -> None:
    t, kinds, entered, done = ad.Tensor(1.0), {}, threading.Event(), threading.Event()

    def without() -> None:
        with ad.no_grad():
            entered.set()
            done.wait(5)
            kinds["without"] = type(t * 2)

    thread = threading.Thread(target=without)
    thread.start()
    entered.wait(5)
    kinds["main"] = type(t * 2)
    other = threading.Thread(target=lambda: kinds.update(other=type(t * 2)))
    other.start()
    other.join(5)
    done.set()
    thread.join(5)
    assert kinds == {"main": ad.Tensor, "other": ad.Tensor, "without": np.float64}


def test_tasks_do_not_see_each_others_no_grad() -> None:
    t = ad.Tensor(1.0)

    async def without() -> type:
        with ad.no_grad():
            await asyncio.sleep(0)
            return type(t * 2)

    async def with_grad() -> type:
        await asyncio.sleep(0)
        return type(t * 2)

    async def both() -> list[type]:
        return await asyncio.gather(without(), with_grad(), without())

    assert asyncio.run(both()) == [np.float64, ad.Tensor, np.float64]


def test_stop_gradient_is_a_constant() -> None:
    x = ad.Tensor([2.0])
    y = x * ad.stop_gradient(x)
    assert y.adjoints()[x] == 2
    assert type(ad.stop_gradient(x)) is np.ndarray
    assert ad.stop_gradient(3.0) == 3
    assert ad.grad(lambda x: x * ad.stop_gradient(x * x))(3.0) == 9


def test_an_index_is_settled_when_it_is_used() -> None:
    x = ad.Tensor([1.0, 2.0, 3.0])
    for index in ([0, 0, 1], np.array([0, 0, 1]), Buffer("l", [0, 0, 1]), memoryview(np.array([0, 0, 1]))):
        x.grad = None
        y = x[index]
        index[0] = 2
        y.sum().backward()
        assert x.grad is not None
        assert x.grad.tolist() == [2, 1, 0]
    with pytest.raises(TypeError, match="was used as an index; an index is a constant"):
        x[ad.Tensor([0.0])]


def test_adjoints_that_share_memory_cannot_be_written_into() -> None:
    a, b = ad.Tensor([1.0, 2.0]), ad.Tensor([3.0, 4.0])
    found = (a + b).adjoints(np.ones(2))
    with pytest.raises(ValueError, match="read-only"):
        found[a][0] = 5.0


def test_dir_shows_what_is_public() -> None:
    assert set(dir(ad)) == set(ad.__all__)
    assert set(dir(nn)) == {*nn.__all__, "MLPClassifier", "MLPRegressor", "playground"}
