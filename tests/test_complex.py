"""Complex numbers: the convention of the gradient, and its consequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from record import sample

import autodiff as ad

Z = sample(2, 3, low=0.3, high=1.4) + 1j * sample(2, 3, low=-1.1, high=0.7, salt=1)
W = sample(2, 3, salt=2) + 1j * sample(2, 3, salt=3)


def gradient(f: Callable[[Any], Any], z: np.ndarray) -> np.ndarray:
    x = ad.Tensor(z)
    f(x).backward()
    assert x.grad is not None
    return x.grad


def quotients(f: Callable[[Any], Any], z: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """∂L/∂(Re z) + i ∂L/∂(Im z), element by element, from differences."""
    found = np.zeros(z.shape, complex)
    for k in np.ndindex(z.shape):
        for direction in (1, 1j):
            moved = np.zeros(z.shape, complex)
            moved[k] = step * direction
            found[k] += direction * (f(z + moved) - f(z - moved)) / (2 * step)
    return found


REAL_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "modulus": lambda z: np.sum(np.abs(z)),
    "square of the modulus": lambda z: np.sum(np.abs(z) ** 2),
    "conjugate product": lambda z: np.sum((z * np.conj(z)).real),
    "angle": lambda z: np.sum(np.angle(z) * W.real),
    "real and imaginary": lambda z: np.sum(z.real**3 * z.imag),
    "holomorphic": lambda z: np.real(np.sum(np.exp(z) * np.sin(z) / (z + 3) ** 2 * W)),
    "sign": lambda z: np.sum(np.real(np.sign(z) * W)),
    "variance": lambda z: np.sum(np.var(z, axis=0)) + np.std(z),
    "power": lambda z: np.sum(np.abs(z**z + 2.0**z + z ** (0.5 - 1j))),
    "matrix product": lambda z: np.sum(np.abs(z @ W.T) ** 2),
    "vdot": lambda z: np.abs(np.vdot(z, W)) + np.real(np.vdot(W, z)),
    "maximum of the moduli": lambda z: np.max(np.abs(z)),
    "norm": lambda z: np.linalg.norm(z) + np.linalg.norm(z, "nuc") + np.linalg.norm(z, 1),
    "spectrum": lambda z: np.sum(np.abs(np.fft.fft(z)) ** 3),
    "with itself": lambda z: np.sum(np.real(z * np.conj(z) * z)),
    "written into": lambda z: np.sum(np.abs(z.at[0].set(z[1] * 2).at[1, 0].add(1j)) ** 2),
    "joined": lambda z: np.sum(np.abs(np.concatenate([z, np.real(z), W])) ** 3),
}


@pytest.mark.parametrize("name", REAL_FUNCTIONS)
def test_gradient_is_the_derivative_by_the_real_part_plus_i_times_that_by_the_imaginary(name: str) -> None:
    f = REAL_FUNCTIONS[name]
    plain = f if name != "written into" else lambda z: f(ad.Tensor(z)).item()
    np.testing.assert_allclose(gradient(f, Z), quotients(plain, Z), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(ad.grad(f)(Z), gradient(f, Z), rtol=1e-14)


def test_against_the_gradient_is_downhill() -> None:
    def height(z: Any) -> Any:
        return np.sum(np.abs(np.exp(z) - W) ** 2)

    assert height(Z - 1e-3 * gradient(height, Z)) < height(Z)
    # and no other direction of the same length is steeper
    steepest = gradient(height, Z)
    for turn in (1j, -1j, -1):
        assert height(Z - 1e-5 * steepest) < height(Z - 1e-5 * steepest * turn)


def test_the_convention_is_that_of_pytorch() -> None:
    # torch.tensor(1 + 2j) gives z.grad = 2 z for |z|², 2 conj(z) for Re z², and the conjugate of i for Re(i z)
    z = np.array(1 + 2j)
    assert gradient(lambda x: np.abs(x) ** 2, z) == pytest.approx(2 * z)
    assert gradient(lambda x: (x * x).real, z) == pytest.approx(2 * np.conj(z))
    assert gradient(lambda x: (1j * x).real, z) == -1j
    assert gradient(lambda x: x.imag, z) == 1j


def test_seeds_of_complex_results_are_gradients_too() -> None:
    z = ad.Tensor(Z)
    y = np.exp(z)
    y.backward(W)  # as if a real function of y had the gradient W there
    np.testing.assert_allclose(z.grad, W * np.conj(np.exp(Z)), rtol=1e-14)
    _, pullback = ad.vjp(np.exp, Z)
    np.testing.assert_allclose(pullback(W)[0], z.grad)


def test_a_complex_result_needs_a_seed() -> None:
    with pytest.raises(TypeError, match="real"):
        np.exp(ad.Tensor(1j)).backward()
    with pytest.raises(TypeError, match="real"):
        ad.grad(np.exp)(np.array(1j))


def test_real_arguments_of_complex_functions_have_real_gradients() -> None:
    x = sample(5)
    for f in (lambda a: np.abs(np.exp(1j * a) + a), lambda a: np.abs(np.fft.fft(a)), lambda a: (a + 1j * a**2).imag):
        found = gradient(lambda a, f=f: np.sum(f(a) ** 2), x)
        assert found.dtype == float
        ad.check_grads(f, x)


def test_real_and_imaginary_parts_make_a_complex_number() -> None:
    a, b = ad.Tensor(Z.real), ad.Tensor(Z.imag)
    np.sum(np.abs(a + 1j * b) ** 2 * W.real).backward()
    np.testing.assert_allclose(a.grad + 1j * b.grad, 2 * Z * W.real, rtol=1e-14)


def test_single_precision_stays_single() -> None:
    z = ad.Tensor(Z.astype(np.complex64))
    for y in (z * 1j, 1j * z, z * 2.0, 1 - z, z ** (1 + 1j), abs(z), z.real * 2j, np.fft.fft(z), np.linalg.svdvals(z)):
        assert y.dtype in (np.complex64, np.float32)
    x = ad.Tensor(np.float32(2.0))
    assert [(x * 1j).dtype, (1j * x).dtype, (1j - x).dtype] == [np.complex64] * 3
    assert type((1j * ad.Tensor(2.0)).value[()]) is np.complex128
    np.sum(np.abs(np.exp(z) * 1j)).backward()
    assert z.grad is not None
    assert z.grad.dtype == np.complex64


def test_modulus_and_sign_have_the_adjoint_zero_at_zero() -> None:
    zero = np.zeros(2, complex)
    np.testing.assert_array_equal(gradient(lambda z: np.sum(np.abs(z)), zero), zero)
    np.testing.assert_array_equal(gradient(np.linalg.norm, zero), zero)


def test_sign_of_real_numbers_is_a_constant_and_of_complex_ones_is_not() -> None:
    assert type(np.sign(ad.Tensor([1.0, -2.0]))) is np.ndarray
    assert type(np.sign(ad.Tensor([1.0, -2j]))) is ad.Tensor
    np.testing.assert_array_equal(np.sign(ad.Tensor([0j, 3j])).value, [0, 1j])


def test_methods_and_functions_agree() -> None:
    z = ad.Tensor(Z)
    pairs = [(z.real, Z.real), (z.imag, Z.imag), (z.conj(), Z.conj()), (z.conjugate(), Z.conj()), (abs(z), abs(Z))]
    for ours, theirs in pairs:
        assert type(ours) is ad.Tensor
        np.testing.assert_array_equal(ours.value, theirs)
    assert np.iscomplexobj(z)
    np.testing.assert_array_equal(np.isreal(z), False)
    assert np.real_if_close(ad.Tensor(Z + 0)).dtype == complex
    assert np.real_if_close(ad.Tensor(Z.real + 1e-20j)).dtype == float


def test_second_derivatives() -> None:
    def f(a: Any, b: Any) -> Any:
        z = a + 1j * b
        return np.sum(np.abs(np.sin(z) * np.conj(z)) + np.angle(z) * np.real(z**3))

    ad.check_grads(f, Z.real, Z.imag, order=3)


def test_gradient_flows_through_an_inner_gradient() -> None:
    def outer(z: Any) -> Any:
        return np.sum(np.abs(ad.grad(lambda w: np.sum(np.abs(w) ** 3))(z)) ** 2)

    # the inner gradient is 3 |z| z, so this is Σ 9 |z|⁴
    np.testing.assert_allclose(gradient(outer, Z), 36 * np.abs(Z) ** 2 * Z, rtol=1e-12)


# -- Fourier transforms -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
def test_parseval(norm: Any) -> None:
    z = Z.ravel()
    scale = {"backward": z.size, "ortho": 1, "forward": 1 / z.size}[norm]
    found = gradient(lambda x: np.sum(np.abs(np.fft.fft(x, norm=norm)) ** 2), z)
    np.testing.assert_allclose(found, 2 * scale * z, rtol=1e-13)
    found = gradient(lambda x: np.sum(np.abs(np.fft.fftn(x, norm=norm)) ** 2), Z)
    np.testing.assert_allclose(found, 2 * scale * Z, rtol=1e-13)


@pytest.mark.parametrize("n", [6, 7])
def test_real_transform_there_and_back_has_the_gradient_of_itself(n: int) -> None:
    x, weights = sample(n), sample(n, salt=1)
    found = gradient(lambda a: np.sum(np.fft.irfft(np.fft.rfft(a), n) * weights), x)
    np.testing.assert_allclose(found, weights, rtol=1e-13)
    found = gradient(lambda a: np.sum(np.fft.hfft(np.fft.ihfft(a), n) * weights), x)
    np.testing.assert_allclose(found, weights, rtol=1e-13)


def test_convolution_theorem() -> None:
    a, b = sample(5, salt=1), sample(4, salt=2)

    def directly(a: Any, b: Any) -> Any:
        return np.sum(np.convolve(a, b) ** 3)

    def by_transforms(a: Any, b: Any) -> Any:
        return np.sum(np.fft.irfft(np.fft.rfft(a, 8) * np.fft.rfft(b, 8), 8) ** 3)

    for ours, theirs in zip(ad.grad(by_transforms, (0, 1))(a, b), ad.grad(directly, (0, 1))(a, b), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-11)


def test_what_irfft_ignores_has_the_adjoint_zero() -> None:
    z = Z.ravel()[:4]
    found = gradient(lambda x: np.sum(np.fft.irfft(x, 6) ** 3), z)
    assert found[0].imag == 0  # the imaginary parts of the mean and of the highest frequency
    assert found[3].imag == 0
    np.testing.assert_allclose(found, quotients(lambda x: np.sum(np.fft.irfft(x, 6) ** 3), z), atol=1e-8)
    assert gradient(lambda x: np.sum(np.fft.irfft(x, 4)), z)[3] == 0  # and of what is cut off
