"""Shapes, errors and texts of the layers and functions under PyTorch's names, and what no reference file has."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest

import autodiff as ad
import nn
import nn.functional as F
from nn.functional import convolution

rng = np.random.default_rng(0)
SIGNALS, IMAGES, VOLUMES = (rng.standard_normal((2, 4, *lengths)) for lengths in ((9,), (6, 7), (4, 5, 4)))
BY_AXES = {1: SIGNALS, 2: IMAGES, 3: VOLUMES}
each_axes = pytest.mark.parametrize("axes", [1, 2, 3])


def of(axes: int, name: str):
    return getattr(F, f"{name}{axes}d")


def windowed(axes: int):
    """Every function of images with so many axes, as one of x alone."""
    weight, back = rng.standard_normal((3, 4, *(2,) * axes)), rng.standard_normal((4, 3, *(2,) * axes))
    return [
        lambda x: of(axes, "conv")(x, weight, padding=1, stride=2),
        lambda x: of(axes, "conv_transpose")(x, back, stride=2),
        lambda x: of(axes, "max_pool")(x, 2),
        lambda x: of(axes, "avg_pool")(x, 2, padding=1),
        lambda x: of(axes, "adaptive_avg_pool")(x, 3),
        lambda x: of(axes, "adaptive_max_pool")(x, 3),
    ]


# -- windows over any number of axes ---------------------------------------------------------------------------------


@each_axes
def test_one_image_without_a_batch_and_none_at_all(axes: int):
    x = BY_AXES[axes]
    for f in windowed(axes):
        np.testing.assert_allclose(f(x[1]), f(x)[1], rtol=1e-12, atol=1e-14)
        none = ad.Tensor(x[:0])
        y = f(none)
        y.sum().backward()
        assert y.shape == (0, *f(x).shape[1:])
        assert none.grad.shape == none.shape


@each_axes
def test_the_forward_pass_agrees_with_the_reverse_pass(axes: int):
    x = BY_AXES[axes]
    direction = rng.standard_normal(x.shape)
    for f in windowed(axes):
        y, moved = ad.jvp(f, (x,), (direction,))
        seed = rng.standard_normal(y.shape)
        (adjoint,) = ad.vjp(f, x)[1](seed)
        assert np.sum(seed * moved) == pytest.approx(np.sum(adjoint * direction))


@each_axes
def test_other_axes_are_those_of_images_of_length_1(axes: int):
    """A convolution of one axis is one of two, of images of height 1, and so on."""
    if axes == 3:
        x, weight = VOLUMES[:, :, :1], rng.standard_normal((3, 4, 1, 2, 2))
        np.testing.assert_allclose(F.conv3d(x, weight)[:, :, 0], F.conv2d(x[:, :, 0], weight[:, :, 0]))
    else:
        x, weight = SIGNALS, rng.standard_normal((3, 4, 2))
        np.testing.assert_allclose(F.conv1d(x, weight), F.conv2d(x[:, :, None], weight[:, :, None])[:, :, 0])
        np.testing.assert_allclose(F.max_pool1d(x, 2), F.max_pool2d(x[:, :, None], (1, 2))[:, :, 0])


@each_axes
def test_pieces_do_not_change_the_numbers(axes: int, monkeypatch: pytest.MonkeyPatch):
    x, weight = ad.Tensor(BY_AXES[axes]), ad.Tensor(rng.standard_normal((3, 4, *(2,) * axes)))

    def found() -> list[np.ndarray]:
        y = of(axes, "conv")(x, weight, padding=1)
        return [y.value, *y.adjoints(np.ones(y.shape)).values()]

    whole = found()
    monkeypatch.setattr(convolution, "PIECE", 1)
    monkeypatch.setattr(convolution, "WIDE_PIECE", 1)
    for a, b in zip(whole, found(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("options", [{}, {"stride": (2, 3), "padding": 1, "dilation": (1, 2), "groups": 2}])
def test_a_transposed_convolution_is_the_adjoint_of_a_convolution(options: dict):
    weight = rng.standard_normal((6, 4 // options.get("groups", 1), 3, 2))
    y, pulled = ad.vjp(lambda x: F.conv2d(x, weight, **options), IMAGES)
    seed = rng.standard_normal(y.shape)
    back = F.conv_transpose2d(seed, weight, **options)
    height, width = back.shape[2:]
    np.testing.assert_allclose(back, pulled(seed)[0][:, :, :height, :width], rtol=1e-12, atol=1e-12)


def test_indices_say_where_the_highest_are():
    for x in (IMAGES, np.full((1, 1, 4, 4), -np.inf), np.full((1, 1, 4, 4), np.nan)):
        for y, places in (
            F.max_pool2d(x, 2, padding=1, return_indices=True),
            F.adaptive_max_pool2d(x, (3, 2), return_indices=True),
        ):
            flat = np.take_along_axis(x.reshape(*x.shape[:2], -1), places.reshape(*x.shape[:2], -1), axis=2)
            np.testing.assert_array_equal(flat.reshape(y.shape), y)
            assert places.dtype == np.int64
    one = F.max_pool2d(IMAGES[0], 2, return_indices=True)
    np.testing.assert_array_equal(one[1], F.max_pool2d(IMAGES, 2, return_indices=True)[1][0])
    values, places = nn.MaxPool2d(2, return_indices=True)(ad.Tensor(IMAGES))
    assert isinstance(values, ad.Tensor)
    assert type(places) is np.ndarray


def test_an_infinite_pixel_spoils_only_what_sees_it():
    x = np.zeros((1, 1, 5, 5))
    x[0, 0, 0, 0] = np.inf
    for y in (
        F.unfold(x, 2),
        F.interpolate(x, 7, mode="nearest"),
        F.adaptive_avg_pool2d(x, 3),
        F.pad(x, (1, 1), "reflect"),
        F.interpolate(x, 7, mode="area"),
    ):
        assert not np.isnan(y).any()
        assert np.isinf(y).any()
    assert np.isfinite(F.interpolate(x, 9, mode="bilinear")[0, 0, 4:, 4:]).all()


def test_fold_undoes_unfold_where_windows_lie_side_by_side():
    columns = F.unfold(IMAGES, (2, 7), stride=(2, 7))
    assert columns.shape == (2, 4 * 14, 3)
    np.testing.assert_array_equal(F.fold(columns, (6, 7), (2, 7), stride=(2, 7)), IMAGES)
    np.testing.assert_array_equal(F.fold(columns[0], (6, 7), (2, 7), stride=(2, 7)), IMAGES[0])


def test_pixels_are_shuffled_back():
    x = rng.standard_normal((3, 8, 2, 3))
    np.testing.assert_array_equal(F.pixel_unshuffle(F.pixel_shuffle(x, 2), 2), x)


def test_padding_modes_are_numpys():
    names = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    for mode, name in names.items():
        expected = np.pad(IMAGES, ((0, 0), (0, 0), (2, 3), (1, 0)), mode=name)
        np.testing.assert_array_equal(F.pad(IMAGES, (1, 0, 2, 3), mode), expected)
    np.testing.assert_array_equal(F.pad(IMAGES, (-1, -2)), IMAGES[..., 1:-2])
    np.testing.assert_array_equal(F.pad(IMAGES, (0, 0)), IMAGES)


# -- what is random --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("axes", "layer"), [(1, nn.Dropout1d), (2, nn.Dropout2d), (3, nn.Dropout3d)])
def test_whole_channels_are_dropped(axes: int, layer: type):
    x = np.ones((50, 40, *(3,) * axes), np.float32)
    y = layer(0.25, rng=0)(ad.Tensor(x))
    per_channel = y.value.reshape(50, 40, -1)
    assert np.all(per_channel == per_channel[..., :1])
    assert set(np.unique(y.value)) == {0, np.float32(1 / 0.75)}
    assert np.mean(y.value == 0) == pytest.approx(0.25, abs=0.03)
    assert y.dtype == np.float32
    np.testing.assert_array_equal(of(axes, "dropout")(x, 0.25, rng=0), y.value)
    assert of(axes, "dropout")(x[0], 0.25).shape == x[0].shape
    np.testing.assert_array_equal(layer(0.5).eval()(x), x)
    assert repr(layer(0.5)) == f"{layer.__name__}(0.5)"


def test_spectral_norm_finds_the_largest_singular_value():
    for layer, x, rows in (
        (nn.Linear(5, 3, rng=0), np.ones((2, 5)), lambda w: w),
        (nn.Conv2d(4, 3, 2, rng=0), IMAGES, lambda w: w.reshape(3, -1)),
        (nn.ConvTranspose2d(4, 3, 2, rng=0), IMAGES, lambda w: np.moveaxis(w, 1, 0).reshape(3, -1)),
    ):
        original = layer.weight.value
        normed = nn.spectral_norm(layer, n_power_iterations=50, rng=1)
        assert normed is layer
        layer(x)
        largest = np.linalg.norm(rows(original), 2)
        np.testing.assert_allclose(layer.weight.value, original / largest, rtol=1e-4)
        before = layer.state_dict()
        layer.eval()(x)
        assert all(np.array_equal(before[name], v) for name, v in layer.state_dict().items())
        assert [name for name, _ in layer.named_buffers()] == ["weight_u", "weight_v"]
        assert repr(layer).startswith("spectral_norm(")
        again = copy.deepcopy(layer)
        np.testing.assert_array_equal(again(x).value, layer(x).value)


def test_a_graph_keeps_the_vectors_it_was_made_with():
    layer = nn.spectral_norm(nn.Linear(3, 2, dtype=np.float64, rng=0), rng=0)
    x = rng.standard_normal((4, 3))
    first = layer(x).sum()
    adjoint = first.adjoints()[layer.weight_orig]
    second = layer(x).sum()
    np.testing.assert_array_equal(first.adjoints()[layer.weight_orig], adjoint)
    assert not np.array_equal(second.adjoints()[layer.weight_orig], adjoint)


# -- losses ----------------------------------------------------------------------------------------------------------


def paths(log_probs: np.ndarray, target: list[int], blank: int = 0) -> float:
    """-ln of the probability of all paths that give the target, one by one."""
    times, classes = log_probs.shape
    total = 0.0
    for path in np.ndindex(*(classes,) * times):
        short = [k for k, before in zip(path, (None, *path[:-1]), strict=True) if k != before]
        if [k for k in short if k != blank] == target:
            total += math.exp(sum(log_probs[t, k] for t, k in enumerate(path)))
    return -math.log(total) if total else math.inf


@pytest.mark.parametrize("target", [[], [1], [1, 1], [1, 2], [2, 1, 2], [1, 1, 1]])
@pytest.mark.parametrize("times", [1, 2, 5])
def test_ctc_is_the_sum_over_all_paths(target: list[int], times: int):
    log_probs = F.log_softmax(rng.standard_normal((times, 3)))
    x = ad.Tensor(log_probs)
    loss = F.ctc_loss(x, np.array(target, int), [times], [len(target)], reduction="sum")
    assert loss.item() == pytest.approx(paths(log_probs, target))
    gradient = loss.adjoints()[x]
    assert np.isfinite(gradient).all()
    if math.isfinite(loss.item()):
        np.testing.assert_allclose(gradient.sum(axis=1), -1)  # at each time a path has one label
        ad.check_grads(lambda x: F.ctc_loss(x, np.array(target, int), [times], [len(target)]) ** 2, log_probs, order=2)
    else:
        assert not gradient.any()
        assert F.ctc_loss(x, target, [times], [len(target)], zero_infinity=True).item() == 0


def test_ctc_in_float32_and_by_a_long_input():
    logits = rng.standard_normal((200, 2, 5)).astype(np.float32)
    targets = rng.integers(1, 5, (2, 30))
    x = ad.Tensor(logits)
    loss = F.ctc_loss(F.log_softmax(x), targets, [200, 150], [30, 20])
    double = F.ctc_loss(F.log_softmax(logits.astype(float)), targets, [200, 150], [30, 20])
    assert loss.dtype == loss.adjoints()[x].dtype == np.float32
    assert loss.item() == pytest.approx(double, rel=1e-5)
    assert not loss.adjoints()[x][150:, 1].any()


def test_weights_of_samples_count_like_repetitions():
    x, y, signs = rng.standard_normal((4, 3)), rng.standard_normal((4, 3)), np.array([1, -1, 1, -1])
    labels = np.array([[2, -1, 0], [0, 1, -1], [1, 1, -1], [-1, 0, 0]])
    twice = [0, 1, 1, 3]
    weight = [1, 2, 0, 1]
    for loss, arrays in (
        (F.triplet_margin_loss, (x, y, rng.standard_normal((4, 3)))),
        (F.cosine_embedding_loss, (x, y, signs)),
        (F.hinge_embedding_loss, (x[:, 0], signs)),
        (F.margin_ranking_loss, (x[:, 0], y[:, 0], signs)),
        (F.multilabel_margin_loss, (x, labels)),
        (F.multilabel_soft_margin_loss, (x, labels > 0)),
        (F.gaussian_nll_loss, (x, y, np.abs(y))),
        (F.poisson_nll_loss, (x, np.abs(y))),
    ):
        repeated = loss(*(a[twice] for a in arrays))
        np.testing.assert_allclose(loss(*arrays, sample_weight=weight), repeated, err_msg=loss.__name__)


def test_the_variance_below_eps_has_the_derivative_at_eps():
    var = ad.Tensor(np.array([0.0, 0.5]))
    loss = F.gaussian_nll_loss([1.0, 1.0], [1.0, 1.0], var, eps=0.1, reduction="none")
    np.testing.assert_allclose(loss.value, [0.5 * math.log(0.1), 0.5 * math.log(0.5)])
    np.testing.assert_allclose(loss.adjoints(np.ones(2))[var], [5, 1])


def test_vectors_of_length_0_have_no_direction_and_finite_derivatives():
    x = ad.Tensor(np.zeros((2, 3)))
    y = F.normalize(x)
    assert not y.value.any()
    assert np.isfinite(y.adjoints(np.ones((2, 3)))[x]).all()
    assert np.isfinite(F.cosine_similarity(x, np.ones((2, 3))).adjoints(np.ones(2))[x]).all()
    assert np.isfinite(F.pairwise_distance(x, x, eps=0.0).adjoints(np.ones(2))[x]).all()


def test_empty_bags_are_0_and_bags_in_a_row_are_those_of_a_matrix():
    table = rng.standard_normal((6, 3))
    bags = np.array([[0, 2, 5], [1, 1, 4]])
    for mode in ("sum", "mean", "max"):
        whole = F.embedding_bag(bags, table, mode=mode)
        np.testing.assert_allclose(whole, getattr(np, mode)(table[bags], axis=1))
        np.testing.assert_array_equal(F.embedding_bag(bags.ravel(), table, [0, 3], mode=mode), whole)
        y = F.embedding_bag([3, 3], table, [0, 0, 2, 2], mode=mode)
        assert not y[[0, 2, 3]].any()
        assert y[1].all()
        assert F.embedding_bag(np.zeros((0, 3), int), table, mode=mode).shape == (0, 3)


# -- errors and texts ------------------------------------------------------------------------------------------------

W1, W2, B = np.ones((3, 4, 2)), np.ones((4, 3, 2, 2)), np.ones((2, 3))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: F.conv1d(IMAGES, W1), ValueError, r"conv1d takes signals.*received shape \(2, 4, 6, 7\)"),
        (lambda: F.conv1d(SIGNALS, W2), ValueError, r"kernel length\).*weight of shape \(4, 3, 2, 2\)"),
        (lambda: F.conv1d(SIGNALS.swapaxes(1, 2), W1), ValueError, r"np.transpose\(x, \(0, 2, 1\)\)"),
        (lambda: F.conv1d(SIGNALS, W1, stride=(1, 2)), ValueError, r"stride is an int or \(int,\); received \(1, 2\)"),
        (
            lambda: F.conv1d(SIGNALS[:, :, :1], W1),
            ValueError,
            "window of 2 .dilation included. on signals.*signals of 1",
        ),
        (lambda: F.conv3d(VOLUMES, np.ones((3, 4, 5, 1, 1))), ValueError, "window of 5x1x1.*volumes of 4x5x4"),
        (lambda: F.conv3d(VOLUMES, np.ones((3, 4, 1, 1, 1)), padding=(1, 2)), ValueError, "a triple"),
        (lambda: F.conv_transpose2d(IMAGES, np.ones((3, 4, 2, 2))), ValueError, r"3 channel\(s\).*pass images of 3"),
        (lambda: F.conv_transpose2d(IMAGES, W2, np.ones(4)), ValueError, r"bias of shape \(3,\).*bias of shape \(4,\)"),
        (lambda: F.conv_transpose2d(IMAGES, W2, groups=3), ValueError, "4 inputs, which 3 group"),
        (lambda: F.conv_transpose2d(IMAGES, W2, output_padding=1), ValueError, "output_padding=1, stride=1"),
        (lambda: F.conv_transpose2d(IMAGES, W2, padding=9), ValueError, "padding=9. Take less padding"),
        (lambda: F.conv_transpose2d(IMAGES, W2.astype(int)), TypeError, "float32 or float64; received int64"),
        (lambda: nn.ConvTranspose2d(4, 3, 2, groups=2), ValueError, "out_channels=3 and groups=2"),
        (lambda: nn.Conv2d(4, 3, 2, padding_mode="mirror"), ValueError, "'circular'; received 'mirror'"),
        (lambda: nn.Conv1d(4, 3, 2, padding=20, padding_mode="reflect")(SIGNALS), ValueError, "20 and 20 for axis 2"),
        (lambda: F.max_pool1d(SIGNALS, 2, padding=2), ValueError, "padding=2 for windows of 2"),
        (lambda: F.max_pool3d(IMAGES[0], 2), ValueError, r"takes volumes of shape.*received shape \(4, 6, 7\)"),
        (lambda: F.avg_pool2d(IMAGES, 2, divisor_override=0), ValueError, "divisor_override is an int from 1"),
        (lambda: F.adaptive_avg_pool2d(IMAGES, (1, 2, 3)), ValueError, r"or 2 of them; received \(1, 2, 3\)"),
        (lambda: F.adaptive_max_pool1d(SIGNALS, 0), ValueError, "output_size is an int from 1; received 0"),
        (lambda: F.adaptive_avg_pool2d(IMAGES[:, :, :0], 1), ValueError, "at least one pixel"),
        (lambda: F.adaptive_avg_pool1d(SIGNALS * 1j, 1), TypeError, "received dtype complex128"),
        (lambda: F.unfold(SIGNALS[0], 2), ValueError, r"unfold takes images.*received shape \(4, 9\)"),
        (lambda: F.fold(np.ones((2, 8, 5)), (3, 3), 2), ValueError, r"channels · 4, 4\).*received shape \(2, 8, 5\)"),
        (lambda: F.pad(IMAGES, (1, 2, 3)), ValueError, "received 3 numbers for x of shape"),
        (lambda: F.pad(IMAGES, (1, 2), "mirror"), ValueError, "'circular'; received 'mirror'"),
        (lambda: F.pad(IMAGES, (7, 0), "reflect"), ValueError, "from 0 to 6 elements on an axis of length 7"),
        (lambda: F.pad(IMAGES, (-4, -4)), ValueError, "cuts 4 and 4 off from an axis of length 7"),
        (lambda: nn.ZeroPad2d((1, 2)), ValueError, r"ZeroPad2d's padding is an int, or 4 of them; received \(1, 2\)"),
        (lambda: F.interpolate(IMAGES), ValueError, "one of the two; received size=None and scale_factor=None"),
        (lambda: F.interpolate(IMAGES, 3, 2), ValueError, "received size=3 and scale_factor=2"),
        (lambda: F.interpolate(IMAGES, (1, 2, 3)), ValueError, "one number for each of 2 axes"),
        (
            lambda: F.interpolate(IMAGES, 3, mode="linear"),
            ValueError,
            r"received 'linear' for x of shape \(2, 4, 6, 7\)",
        ),
        (lambda: F.interpolate(IMAGES, 3, align_corners=True), ValueError, "with mode='nearest'"),
        (lambda: F.interpolate(IMAGES, scale_factor=0.1), ValueError, "no pixel of 6x7; received 0.1"),
        (lambda: F.interpolate(IMAGES[0, 0], 3), ValueError, r"received shape \(6, 7\)"),
        (lambda: F.pixel_shuffle(IMAGES, 3), ValueError, r"received shape \(2, 4, 6, 7\) and r=3.*9 times"),
        (lambda: F.pixel_unshuffle(IMAGES, 4), ValueError, "and r=4"),
        (lambda: nn.GroupNorm(3, 4), ValueError, "num_channels=4 and num_groups=3"),
        (lambda: nn.GroupNorm(2, 6)(IMAGES), ValueError, r"shape \(batch, 6, ...\); received shape \(2, 4, 6, 7\)"),
        (lambda: F.group_norm(IMAGES, 3), ValueError, r"3 group\(s\) share.*received x of shape \(2, 4, 6, 7\)"),
        (lambda: F.group_norm(IMAGES, 2, np.ones(3)), ValueError, r"weight of shape \(3,\)"),
        (lambda: F.instance_norm(SIGNALS[..., :1]), ValueError, "at least two pixels"),
        (lambda: nn.InstanceNorm2d(3)(IMAGES), ValueError, "with 3 channels; received shape"),
        (lambda: F.rms_norm(B, 4), ValueError, r"received x of shape \(2, 3\), normalized_shape \(4,\)"),
        (lambda: nn.spectral_norm(nn.ReLU()), TypeError, "spectral_norm takes a layer"),
        (lambda: nn.spectral_norm(nn.Linear(3, 2), "bias"), ValueError, "bias of shape .2,. must have two axes"),
        (lambda: F.dropout2d(B), ValueError, "dropout2d takes images"),
        (lambda: nn.Dropout2d(1.5), ValueError, "Dropout2d: p, the probability of 0, is a number from 0 to 1"),
        (lambda: F.bilinear(B, B, np.ones((5, 3, 2))), ValueError, r"received shapes \(2, 3\), \(2, 3\), \(5, 3, 2\)"),
        (lambda: F.cosine_similarity(B, np.ones((4, 3))), ValueError, r"shapes \(2, 3\) and \(4, 3\).*x1\[:, None\]"),
        (lambda: F.normalize(B, p=-1), ValueError, "p is a number from 0, or math.inf; received -1"),
        (lambda: F.embedding_bag([0, 1], B), ValueError, r"indices of shape \(2,\) and offsets=None"),
        (lambda: F.embedding_bag([0, 1], B, [1, 2]), ValueError, "begin at 0"),
        (lambda: F.embedding_bag([0, 2], B, [0]), ValueError, r"from 0 to 1 .*received 2"),
        (lambda: F.embedding_bag([[0, 1]], B, mode="min"), ValueError, "'sum', 'mean', 'max'; received 'min'"),
        (lambda: F.embedding_bag([[0]], B, per_sample_weights=[[1.0]]), ValueError, "go with mode='sum'"),
        (lambda: F.margin_ranking_loss([1.0], [2.0], [0]), ValueError, "labels -1 and 1; received 0"),
        (lambda: F.cosine_embedding_loss(B, B, [1]), ValueError, r"labels of shape \(1,\)"),
        (lambda: F.hinge_embedding_loss(B, [1, 1]), ValueError, "hinge_embedding_loss compares"),
        (lambda: F.triplet_margin_loss(B, B, B[:1]), ValueError, "triplet_margin_loss compares"),
        (lambda: nn.TripletMarginLoss(0), ValueError, "margin is a number above 0; received 0"),
        (lambda: F.multilabel_margin_loss(B, [[0, 1]] * 2), ValueError, r"received shapes \(2, 3\) and \(2, 2\)"),
        (lambda: F.multilabel_margin_loss(B, [[0, 3, -1]] * 2), ValueError, "from 0 to 2.*-1 to 3"),
        (lambda: F.gaussian_nll_loss(B, B, np.ones(5)), ValueError, r"received shape \(5,\)"),
        (lambda: F.gaussian_nll_loss(B, B, -B), ValueError, "not negative; received -1"),
        (lambda: F.ctc_loss(np.ones(3), [1], [1], [1]), ValueError, r"\(time, batch, classes\); received shape \(3,\)"),
        (lambda: F.ctc_loss(np.ones((4, 1, 3)), [[1]], [5], [1]), ValueError, "at most the time, 4; received 5"),
        (
            lambda: F.ctc_loss(np.ones((4, 1, 3)), [[1]], [4, 4], [1]),
            ValueError,
            r"1 sample\(s\); received shape \(2,\)",
        ),
        (lambda: F.ctc_loss(np.ones((4, 1, 3)), [[0]], [4], [1]), ValueError, "other than the blank, 0; received 0"),
        (
            lambda: F.ctc_loss(np.ones((4, 1, 3)), [[1]], [4], [2]),
            ValueError,
            r"\(1, 2\) or \(2,\); received shape \(1, 1\)",
        ),
        (
            lambda: F.ctc_loss(np.ones((4, 1, 3)), [[1.0]], [4], [1]),
            TypeError,
            "integer labels; received dtype float64",
        ),
    ],
)
def test_what_does_not_fit_together_is_an_error(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize(
    "text",
    [
        "Conv1d(4, 6, 3, padding=1)",
        "Conv3d(4, 6, (1, 2, 3), stride=2, bias=False)",
        "Conv2d(4, 6, 3, padding=1, padding_mode='reflect')",
        "ConvTranspose1d(4, 6, 3)",
        "ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, dilation=(1, 2), groups=2)",
        "MaxPool1d(2, return_indices=True)",
        "MaxPool3d((2, 1, 2), stride=2, ceil_mode=True)",
        "AvgPool1d(3, stride=1, padding=1)",
        "AvgPool3d(2, divisor_override=3)",
        "AdaptiveAvgPool2d((2, None))",
        "AdaptiveMaxPool1d(3)",
        "Upsample(scale_factor=2, mode='bilinear')",
        "PixelShuffle(2)",
        "Unfold(3, padding=1)",
        "Fold((4, 5), 2, stride=2)",
        "ZeroPad2d((1, 2, 3, 4))",
        "ConstantPad1d(2, 0.5)",
        "ReflectionPad2d(1)",
        "GroupNorm(2, 4, affine=False)",
        "InstanceNorm2d(4, affine=True, track_running_stats=True)",
        "RMSNorm((2, 3), eps=0.1)",
        "RMSNorm(4, elementwise_affine=False)",
        "Bilinear(2, 3, 4, bias=False)",
        "CosineSimilarity(dim=2)",
        "PairwiseDistance(p=1)",
        "EmbeddingBag(5, 3, mode='sum', padding_idx=0)",
        "SoftMarginLoss()",
        "GaussianNLLLoss(full=True)",
        "PoissonNLLLoss(log_input=False, reduction='sum')",
        "MarginRankingLoss(margin=0.5)",
        "HingeEmbeddingLoss()",
        "CosineEmbeddingLoss(reduction='none')",
        "TripletMarginLoss(p=1, swap=True)",
        "MultiLabelMarginLoss()",
        "CTCLoss(blank=2, zero_infinity=True)",
    ],
)
def test_a_layer_is_shown_as_its_call(text: str):
    assert repr(eval(f"nn.{text}")) == text  # noqa: S307  # the texts above


def test_a_network_of_them_is_trained_saved_and_shown(tmp_path):
    generator = np.random.default_rng(0)

    def made() -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1, padding_mode="circular", rng=generator),
            nn.GroupNorm(2, 4),
            nn.PReLU(4),
            nn.MaxPool2d(2),
            nn.ConvTranspose2d(4, 4, 2, stride=2, rng=generator),
            nn.InstanceNorm2d(4, affine=True, track_running_stats=True),
            nn.Hardswish(),
            nn.Dropout2d(0.1, rng=0),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(16, 2, rng=generator),
        )

    lines = generator.standard_normal((40, 1, 6)).astype(np.float32)
    x = np.where(np.arange(40)[:, None, None] % 2, np.repeat(lines, 6, 1), np.repeat(lines, 6, 1).swapaxes(1, 2))
    x, y = x[:, None], np.arange(40) % 2
    model = made()
    optimizer = nn.optim.RAdam(model.parameters(), lr=0.03)
    for _ in range(80):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.3
    assert loss.dtype == np.float32
    nn.save(model, tmp_path / "model.safetensors")
    again = made()
    again.load_state_dict(nn.load(tmp_path / "model.safetensors"))
    np.testing.assert_array_equal(nn.predict(again, x), nn.predict(model, x))
    assert "GroupNorm" in str(model.summary((1, 6, 6)))
