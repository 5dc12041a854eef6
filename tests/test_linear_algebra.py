"""Linear algebra where the derivative is peculiar: identities, repeated values, arbitrary phases, refusals."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cases_algebra import matrix, pair, positive, symmetric

import autodiff as ad

LA = np.linalg


def rotation(n: int = 3, complex_: bool = False) -> np.ndarray:
    """An orthogonal (unitary) matrix."""
    a, b = pair(n, n, salt=3)
    return LA.qr(a + 1j * b if complex_ else a)[0]


def gradient(f: Callable[[Any], Any], a: np.ndarray) -> np.ndarray:
    x = ad.Tensor(a)
    np.real(f(x)).backward()  # eigenvalues are complex since NumPy 2.5
    assert x.grad is not None
    return x.grad


# -- identities -------------------------------------------------------------------------------------------------


def test_gradient_of_the_logarithm_of_the_determinant_is_the_inverse_transposed() -> None:
    a = matrix(3, 3)
    np.testing.assert_allclose(gradient(lambda x: LA.slogdet(x).logabsdet, a), LA.inv(a).T, rtol=1e-13)
    np.testing.assert_allclose(gradient(lambda x: np.log(np.abs(LA.det(x))), a), LA.inv(a).T, rtol=1e-13)
    square = positive(a)
    by_factor = gradient(lambda x: 2 * np.sum(np.log(np.linalg.diagonal(LA.cholesky(x)))), square)
    np.testing.assert_allclose(by_factor, LA.inv(square), rtol=1e-12)


@pytest.mark.parametrize("values", [LA.eigvalsh, LA.eigvals, lambda x: LA.eigh(x)[0], lambda x: LA.eig(x)[0]])
def test_sum_of_the_eigenvalues_is_the_trace(values: Callable[[Any], Any]) -> None:
    a = symmetric(matrix(4, 4))
    np.testing.assert_allclose(gradient(lambda x: np.sum(values(x)), a), np.eye(4), atol=1e-13)


def test_product_of_the_eigenvalues_is_the_determinant() -> None:
    a = matrix(3, 3)
    cofactors = gradient(LA.det, a)
    np.testing.assert_allclose(gradient(lambda x: np.prod(LA.eigvals(x)), a), cofactors, rtol=1e-12)
    np.testing.assert_allclose(cofactors, LA.det(a) * LA.inv(a).T, rtol=1e-12)


def test_squared_singular_values_sum_to_the_squared_norm() -> None:
    a = matrix(4, 3)
    np.testing.assert_allclose(gradient(lambda x: np.sum(LA.svdvals(x) ** 2), a), 2 * a, rtol=1e-13)
    np.testing.assert_allclose(gradient(lambda x: LA.norm(x) ** 2, a), 2 * a, rtol=1e-13)


def test_gradient_of_the_nuclear_norm_is_the_polar_factor() -> None:
    a = matrix(4, 3)
    u, _, vh = LA.svd(a, full_matrices=False)
    np.testing.assert_allclose(gradient(lambda x: LA.norm(x, "nuc"), a), u @ vh, rtol=1e-12)


def test_what_is_put_together_again_has_the_gradient_of_itself() -> None:
    weights, a = matrix(4, 3, salt=1), matrix(4, 3)
    s = symmetric(matrix(3, 3))

    def rebuilt(x: Any) -> Any:
        u, values, vh = LA.svd(x, full_matrices=False)
        return np.sum(((u * values) @ vh) * weights)

    np.testing.assert_allclose(gradient(rebuilt, a), weights, atol=1e-12)
    np.testing.assert_allclose(gradient(lambda x: np.sum(np.matmul(*LA.qr(x)) * weights), a), weights, atol=1e-12)

    def by_eigenvectors(x: Any) -> Any:
        values, v = LA.eigh(x)
        return np.sum(((v * values) @ v.T) * weights[:3])

    np.testing.assert_allclose(gradient(by_eigenvectors, s), symmetric(weights[:3]), atol=1e-12)


def test_inverse_of_the_inverse_has_the_identity_as_its_jacobian() -> None:
    jacobian = ad.jacobian(lambda x: LA.inv(LA.inv(x)))(matrix(2, 2))
    np.testing.assert_allclose(jacobian.reshape(4, 4), np.eye(4), atol=1e-13)


def test_hermitian_input_has_a_hermitian_adjoint_whichever_triangle_is_read() -> None:
    a, b = pair(3, 3)
    z = a + 1j * b
    z = z @ np.conj(z).T + np.eye(3)
    weights = a - 2j * b

    def of(f: Callable[..., Any], *given: Any, **parameters: Any) -> np.ndarray:
        return gradient(lambda x: np.sum(np.abs(f(x, *given, **parameters)) * np.abs(weights)), z)

    vectors = [of(lambda x, u: LA.eigh(x, u)[1] * LA.eigh(x, u)[0], u) for u in ("L", "U")]
    values = [of(lambda x, u: LA.eigvalsh(x, u), u) for u in ("L", "U")]
    for lower, upper in (vectors, values):
        np.testing.assert_allclose(lower, upper, rtol=1e-10)
        np.testing.assert_allclose(lower, np.conj(lower).T, rtol=1e-10)
    lower = of(LA.cholesky)
    np.testing.assert_allclose(lower, np.conj(lower).T, rtol=1e-12)
    np.testing.assert_allclose(of(lambda x: LA.cholesky(x, upper=True).mT), lower, rtol=1e-12)


# -- repeated eigenvalues and singular values -------------------------------------------------------------------

REPEATED = [np.eye(3), np.diag([1.0, 2.0, 2.0]), rotation() @ np.diag([1.0, 1.0, 3.0]) @ rotation().T]
EIGENVALUES = [LA.eigvalsh, lambda x: LA.eigh(x)[0], LA.eigvals, lambda x: LA.eig(x)[0], LA.svdvals]
EIGENVALUES += [lambda x: LA.svd(x)[1], lambda x: LA.svd(x, compute_uv=False)]


@pytest.mark.parametrize("a", REPEATED)
@pytest.mark.parametrize("values", EIGENVALUES)
def test_symmetric_functions_of_repeated_values_are_right(a: np.ndarray, values: Callable[[Any], Any]) -> None:
    # the matrices are symmetric and positive, so Σ λ³ = Σ s³ = tr A³, whose gradient is 3 A²
    np.testing.assert_allclose(gradient(lambda x: np.sum(values(x) ** 3), a), 3 * a @ a, atol=1e-12)


WEIGHTS = np.array([[1.0, 2.0, -1.0], [0.5, 3.0, 1.5], [-2.0, 0.3, 0.7]])


def loses_the_basis(x: Any) -> Any:
    return np.sum(LA.eigh(x)[1] ** 2 * WEIGHTS)


def loses_the_left_basis(x: Any) -> Any:
    return np.sum(LA.svd(x)[0] ** 2 * WEIGHTS)


def loses_the_right_basis(x: Any) -> Any:
    return np.sum(LA.svd(x)[2] ** 2 * WEIGHTS)


def loses_the_general_basis(x: Any) -> Any:
    return np.sum(LA.eig(x)[1] ** 2 * WEIGHTS)


BASES = [loses_the_basis, loses_the_left_basis, loses_the_right_basis, loses_the_general_basis]


@pytest.mark.parametrize("a", REPEATED)
@pytest.mark.parametrize("f", BASES)
def test_vectors_of_repeated_values_have_no_finite_adjoint(a: np.ndarray, f: Callable[[Any], Any]) -> None:
    assert not np.any(np.isfinite(gradient(f, a)))


def test_a_repeated_value_spoils_only_its_own_matrix_of_a_batch() -> None:
    batch = np.stack([symmetric(matrix(3, 3)), np.eye(3)])
    found = gradient(lambda x: np.sum(LA.eigh(x)[1] ** 4), batch)
    np.testing.assert_allclose(found[0], gradient(lambda x: np.sum(LA.eigh(x)[1] ** 4), batch[0]))
    assert np.all(np.isnan(found[1]))


def test_vectors_of_the_other_values_keep_their_adjoint() -> None:
    a = rotation() @ np.diag([1.0, 1.0, 3.0]) @ rotation().T
    ad.check_grads(lambda x: LA.eigh(symmetric(x))[1][:, 2] ** 2, a, order=1)
    ad.check_grads(lambda x: LA.svd(x)[0][:, 0] ** 2 * LA.svd(x)[2][0], a, order=1)


def test_vectors_of_a_singular_value_of_zero() -> None:
    a = np.array([[1.0, 2.0], [2.0, 4.0], [-1.0, -2.0]])
    left = gradient(lambda x: np.sum(LA.svd(x, full_matrices=False)[0] ** 4), a)  # any vector of a plane
    assert np.all(np.isnan(left))
    ad.check_grads(lambda x: LA.svd(x, full_matrices=False)[2] ** 2, a, order=1)  # the kernel, a line
    ad.check_grads(lambda x: LA.svd(x.T, full_matrices=False)[0] ** 2, a, order=1)


def test_close_eigenvalues_that_are_apart_keep_their_derivative() -> None:
    gap = 1e-6
    a = np.array([[1.0, 0.0], [0.0, 1.0 + gap]])
    # perturbing the off-diagonal by t turns the vectors by t / gap
    v = ad.jacobian(lambda x: LA.eigh(x)[1])(a)
    assert abs(v[1, 0, 0, 1]) == pytest.approx(0.5 / gap, rel=1e-6)


@pytest.mark.parametrize("f", [LA.eigvals, lambda x: LA.eig(x)[0]])
def test_defective_matrices_are_refused(f: Callable[[Any], Any]) -> None:
    with pytest.raises(LA.LinAlgError, match="defective"):
        gradient(lambda x: np.sum(f(x) ** 2), np.array([[1.0, 1.0], [0.0, 1.0]]))


def test_dependent_columns_are_refused() -> None:
    a = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])
    with pytest.raises(LA.LinAlgError, match="linearly dependent"):
        gradient(lambda x: np.sum(LA.qr(x)[0]), a)
    with pytest.raises(LA.LinAlgError, match="full rank"):
        gradient(lambda x: np.sum(LA.lstsq(x, np.ones(3))[0]), a)
    with pytest.raises(LA.LinAlgError, match="Singular"):
        gradient(lambda x: LA.slogdet(x)[1], np.ones((2, 2)))


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_determinant_of_a_singular_matrix_has_the_cofactors_as_its_gradient(rank: int) -> None:
    a = sum((np.outer(matrix(3, 3, salt=k)[0], matrix(3, 3, salt=k)[1]) for k in range(rank)), np.zeros((3, 3)))
    minors = [[np.delete(np.delete(a, i, 0), j, 1) for j in range(3)] for i in range(3)]
    cofactors = [[(-1) ** (i + j) * LA.det(minors[i][j]) for j in range(3)] for i in range(3)]
    np.testing.assert_allclose(gradient(LA.det, a), cofactors, atol=1e-13)
    ad.check_grads(LA.det, a, order=2)


def test_pseudoinverse_is_differentiated_among_matrices_of_the_same_rank() -> None:
    a, b = matrix(4, 2), matrix(2, 3, salt=1)
    ad.check_grads(lambda x, y: LA.pinv(x @ y, rcond=1e-8), a, b, order=1)


@pytest.mark.parametrize("order", [None, 2, 3, np.inf, "fro"])
def test_norm_of_zero_has_the_adjoint_zero(order: Any) -> None:
    shape = (2, 2) if order == "fro" else (3,)
    np.testing.assert_array_equal(gradient(lambda x: LA.norm(x, order), np.zeros(shape)), np.zeros(shape))


def test_order_zero_counts_and_is_a_constant() -> None:
    count = LA.norm(ad.Tensor([1.0, 0.0, -2.0]), 0)
    assert not isinstance(count, ad.Tensor)
    assert count == 2
    assert LA.matrix_rank(ad.Tensor(np.ones((3, 2)))) == 1
    identity = LA.matrix_power(ad.Tensor(np.ones((2, 2))), 0)
    np.testing.assert_array_equal(identity.value, np.eye(2))
    assert [g.any() for t, g in identity.adjoints(np.ones((2, 2))).items() if t.primitive is None] == [False]


# -- arbitrary phases and signs ---------------------------------------------------------------------------------


@pytest.mark.parametrize("f", [lambda z: LA.eigh(z)[1], lambda z: LA.svd(z)[0], lambda z: LA.eig(z)[1]])
def test_a_result_that_depends_on_a_phase_is_refused(f: Callable[[Any], Any]) -> None:
    a, b = pair(3, 3)
    z = a + 1j * b
    with pytest.raises(ValueError, match="phase"):
        gradient(lambda x: np.sum(np.real(f(x) * (1 + 2j))), z + np.conj(z).T)


def test_singular_vectors_may_be_turned_together() -> None:
    a, b = pair(4, 3)
    z, weights = a + 1j * b, matrix(4, 3, salt=2)
    ad.check_grads(lambda x, y: polar(x + 1j * y, weights), a, b)
    u, _, vh = LA.svd(z, full_matrices=False)
    np.testing.assert_allclose(polar(z, weights), np.sum(np.real(u @ vh) * weights))


def polar(z: Any, weights: np.ndarray) -> Any:
    u, _, vh = LA.svd(z, full_matrices=False)
    return np.sum(np.real(u @ vh) * weights)


@pytest.mark.parametrize("shape", [(4, 2), (3, 1), (2, 5, 3)])
def test_what_completes_a_basis_has_the_derivative_that_it_determines(shape: tuple[int, ...]) -> None:
    x = ad.Tensor(matrix(*shape))
    n = shape[-1]
    for vectors in (LA.qr(x, mode="complete")[0], LA.svd(x)[0], LA.svd(x.mT)[2].mT):
        rest = vectors[..., n:]
        projected = (rest @ rest.mT).adjoints(np.ones((*shape[:-2], shape[-2], shape[-2])))[x]
        reduced = (vectors[..., :n] @ vectors[..., :n].mT).adjoints(np.ones((*shape[:-2], shape[-2], shape[-2])))[x]
        np.testing.assert_allclose(projected, -reduced, atol=1e-12)  # the projectors add up to 1
        with pytest.raises(ValueError, match=r"complete a basis of .* full_matrices=False"):
            np.sum(rest**3).adjoints()


def test_a_complex_vector_that_completes_a_basis_has_any_phase() -> None:
    a, b = pair(3, 2)
    ad.check_grads(lambda a, b: np.abs(LA.svd(a + 1j * b)[0][:, 2]), a, b)
    with pytest.raises(ValueError, match="complete a basis"):
        gradient(lambda z: np.sum(np.real(LA.svd(z)[0][:, 2])), a + 1j * b)


def test_signs_of_real_vectors_do_not_matter() -> None:
    a = symmetric(matrix(3, 3))
    turned = np.diag([1.0, -1.0, 1.0])  # a similar matrix, whose eigenvectors change signs row by row
    found = gradient(lambda x: np.sum(LA.eigh(x)[1] ** 2 * matrix(3, 3, salt=4)), a)
    other = gradient(lambda x: np.sum(LA.eigh(x)[1] ** 2 * matrix(3, 3, salt=4)), turned @ a @ turned)
    np.testing.assert_allclose(turned @ other @ turned, found, atol=1e-12)


def test_real_matrices_with_complex_eigenvalues_have_real_adjoints() -> None:
    a = np.array([[1.0, -2.0, 0.3], [2.5, 1.5, -0.2], [0.1, 0.4, 3.0]])
    assert LA.eigvals(ad.Tensor(a)).dtype == complex
    found = gradient(lambda x: np.sum(np.abs(LA.eigvals(x)) ** 2), a)
    assert found.dtype == float
    ad.check_grads(lambda x: np.sum(np.abs(LA.eigvals(x)) ** 2), a)


# -- refusals and result types ----------------------------------------------------------------------------------


def test_what_the_matrix_does_not_determine_is_refused() -> None:
    a = ad.Tensor(matrix(3, 2))
    with pytest.raises(ValueError, match="mode='reduced'"):
        LA.qr(a, mode="raw")
    if np.lib.NumpyVersion(np.__version__) < "2.5.0":
        with pytest.warns(DeprecationWarning, match="2-dimensional vectors"):
            np.cross(ad.Tensor([1.0, 2.0]), [1.0, 2.0])
    else:
        with pytest.raises(ValueError, match="3-dimensional vectors"):
            np.cross(ad.Tensor([1.0, 2.0]), [1.0, 2.0])
    with pytest.raises(ValueError, match="3-dimensional"):
        LA.cross(ad.Tensor([1.0, 2.0]), [1.0, 2.0])
    for factorisation in (LA.svd, LA.qr):
        with pytest.raises(LA.LinAlgError, match="at least two-dimensional"):
            factorisation(ad.Tensor([1.0, 2.0]))
    with pytest.raises(ValueError, match="zero dimension"):
        np.cross(ad.Tensor(1.0), [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"incompatible dimensions|3-dimensional"):
        np.cross(ad.Tensor([1.0]), [1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match="polydiv"):
        np.polydiv(ad.Tensor([1.0, 2.0]), [1.0])
    with pytest.raises(TypeError, match="lstsq"):
        np.polyfit(ad.Tensor([1.0, 2.0, 3.0]), [1.0, 2.0, 2.5], 1, full=True)


def test_several_outputs_come_in_numpys_own_types() -> None:
    a = ad.Tensor(symmetric(matrix(3, 3)))
    for f in (LA.eigh, LA.eig, LA.slogdet, LA.qr, LA.svd):
        ours, theirs = f(a), f(a.value)
        assert type(ours) is type(theirs)
        for x, y in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(getattr(x, "value", x), y, atol=1e-14)
    assert not isinstance(LA.slogdet(a).sign, ad.Tensor)  # of a real matrix it is ±1, a constant
    with ad.no_grad():
        assert all(isinstance(x, np.ndarray) for x in LA.eigh(a))


def test_gaussian_process_likelihood_to_second_order() -> None:
    x = np.linspace(0, 1, 5)
    y = np.sin(3 * x)

    def likelihood(theta: Any) -> Any:
        k = np.exp(-((x[:, None] - x) ** 2) * np.exp(theta[0])) * np.exp(theta[1]) + 0.1 * np.eye(5)
        factor = LA.cholesky(k)
        return 0.5 * np.sum(LA.solve(factor, y) ** 2) + np.sum(np.log(np.diagonal(factor)))

    ad.check_grads(likelihood, np.array([0.3, -0.2]), order=2)


def test_largest_eigenvalue_by_third_order() -> None:
    ad.check_grads(lambda x: LA.eigvalsh(symmetric(x))[-1], matrix(3, 3), order=3)
    ad.check_grads(lambda x: LA.svdvals(x)[0], matrix(2, 3), order=3)


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_forward_mode_at_repeated_eigenvalues() -> None:
    direction = symmetric(matrix(3, 3, salt=5))
    _, moved = ad.jvp(lambda x: np.sum(LA.eigh(x)[0] ** 2), (np.eye(3),), (direction,))
    assert moved == pytest.approx(2 * np.trace(direction))
    _, moved = ad.jvp(lambda x: LA.eigh(x)[1], (np.eye(3),), (direction,))
    assert not np.any(np.isfinite(moved))


SHORT = [shape for ndim in range(4) for shape in itertools.product((1, 2, 3), repeat=ndim)]
PRODUCTS = [np.vecdot, np.linalg.vecdot, np.inner, np.dot, np.matmul, np.outer, np.kron]
PRODUCTS += [getattr(np, name) for name in ("matvec", "vecmat") if hasattr(np, name)]  # NumPy 2.2


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda f: f.__name__)
def test_a_product_takes_and_refuses_the_shapes_that_numpys_does(product: Any) -> None:
    def outcome(a: Any, b: Any) -> Any:
        try:
            return np.shape(product(a, b))
        except ValueError:
            return "refused"

    pairs = [(np.ones(a), np.ones(b)) for a, b in itertools.product(SHORT, repeat=2)]
    differing = [(a.shape, b.shape) for a, b in pairs if outcome(a, b) != outcome(ad.Tensor(a), b)]
    assert differing == []


def test_a_contraction_that_does_not_fit_names_both_shapes() -> None:
    left, right, v = ad.Tensor(np.ones((2, 3))), np.ones((4, 5)), np.ones(4)
    contractions: dict[str, tuple[Any, Any, Any]] = {
        "@": (operator.matmul, left, right),
        "reflected @": (operator.matmul, right, left),
        "@ vector": (operator.matmul, left, v),
        "einsum": (lambda a, b: np.einsum("ij,jk->ik", a, b), left, right),
        "einsum of other axes": (lambda a, b: np.einsum("ij,jk", a, b), left, v),
        "tensordot": (lambda a, b: np.tensordot(a, b, 1), left, right),
        "solve": (np.linalg.solve, np.ones((3, 3)), left),
        "multi_dot": (lambda a, b: np.linalg.multi_dot([a, b, b]), left, right),
    }
    for f in (np.matmul, np.dot, np.vdot, np.inner, np.vecdot, np.linalg.matmul, np.linalg.vecdot):
        contractions[f.__name__] = f, left, right
    if hasattr(np, "matvec"):
        contractions |= {"matvec": (np.matvec, left, v), "vecmat": (np.vecmat, v, left)}
    silent = []
    for name, (f, a, b) in contractions.items():
        with pytest.raises(ValueError) as refused:  # what it says is looked at below
            f(a, b)
        said = str(refused.value).replace(", ", ",")
        if not all(str(x.shape).replace(", ", ",") in said for x in (a, b)):
            silent.append((name, said))
    assert not silent
    with pytest.raises(ValueError, match=r"shapes \(2, 3\), \(4, 5\): of the lengths .* size 4 is different from 3"):
        left @ right


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_contractions_of_two_arrays_are_those_of_einsum(dtype: Any) -> None:
    generator = np.random.default_rng(5)
    wrong = []
    for subscripts in ("ij,jk->ik", "ij,jk->ki", "bij,bjk->bik", "bthd,bshd->bhts", "btf,fg->btg", "btf,btg->fg",
                       "i,i->", "ij,ij->i", "ij,ij->", "ij,k->jk", "ijk,kjl->li", "ij,j->i", "j,ij->i", "abc,cb->a",
                       "i,j->ij", "ij,kj->", "ab,cdb->dac"):  # fmt: skip
        lengths = dict(zip(sorted(set(subscripts) - set(",->")), (2, 3, 4, 5, 2, 3), strict=False))
        a, b = (generator.normal(size=[lengths[k] for k in term]).astype(dtype)
                for term in subscripts.split("->")[0].split(","))  # fmt: skip
        for x, z in ((a, b), (a[..., ::-1], np.asfortranarray(b)), (a[:0] if a.ndim else a, b)):
            if x.shape[:1] == (0,) and subscripts[0] in subscripts.split(",")[1].split("->")[0]:
                continue
            y, expected = np.einsum(subscripts, ad.Tensor(x), z), np.einsum(subscripts, x, z)
            if y.dtype != expected.dtype or not np.allclose(
                y.value, expected, rtol=1e-4 if dtype == np.float32 else 1e-12
            ):
                wrong.append((subscripts, x.shape, z.shape))
    assert not wrong


def test_a_batch_times_one_matrix() -> None:
    """It is one product of matrices; the same as a product for each matrix of the batch."""
    generator = np.random.default_rng(6)
    for dtype, rtol in ((np.float32, 2e-5), (np.float64, 1e-13)):
        w, bias = generator.normal(size=(4, 3)).astype(dtype), generator.normal(size=3).astype(dtype)
        for shape in ((2, 5, 4), (0, 5, 4), (2, 0, 4), (3, 2, 5, 4)):
            x = generator.normal(size=shape).astype(dtype)
            for a in (x, x[..., ::-1], np.swapaxes(np.swapaxes(x, 0, 1).copy(), 0, 1)):
                X, W = ad.Tensor(a), ad.Tensor(w)
                y = X @ W + bias
                expected = np.array([row @ w + bias for row in a.reshape(-1, 4)], dtype).reshape(*shape[:-1], 3)
                np.testing.assert_allclose(y.value, expected, rtol=rtol, atol=rtol)
                found = (y * y).adjoints(np.ones(y.shape, dtype))
                g = 2 * expected.reshape(-1, 3)
                np.testing.assert_allclose(found[X], (g @ w.T).reshape(shape), rtol=rtol, atol=10 * rtol)
                np.testing.assert_allclose(found[W], a.reshape(-1, 4).T @ g, rtol=rtol, atol=100 * rtol)
                assert (found[X].dtype, found[W].dtype) == (dtype, dtype)
