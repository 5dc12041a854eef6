from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodiff as ad
import nn
import nn.functional as F

REFERENCE = nn.load(Path(__file__).parent / "references/sequences.safetensors")
PRECISE = {"rtol": 1e-9, "atol": 1e-10}
rng = np.random.default_rng(0)


def normal(*shapes: tuple[int, ...]) -> list[Any]:
    return [rng.standard_normal(shape) for shape in shapes]


def state(case: str) -> dict[str, Any]:
    return {name.removeprefix(f"{case}."): x for name, x in REFERENCE.items() if name.startswith(f"{case}.")}


def given(case: str, *names: str) -> list[ad.Tensor]:
    return [ad.Tensor(REFERENCE[f"{case}/{name}"]) for name in names]


def check(case: str, results: Any, named: dict[str, ad.Tensor], **tolerance: float) -> None:
    """Results, and the adjoints of what has these names, against PyTorch's."""
    for k, y in enumerate(results):
        np.testing.assert_allclose(y.value, REFERENCE[f"{case}/y{k}"], **tolerance)
    sum(np.sum(y * REFERENCE[f"{case}/seed{k}"]) for k, y in enumerate(results)).backward()
    for name, tensor in named.items():
        np.testing.assert_allclose(tensor.grad, REFERENCE[f"{case}/adjoint of {name}"], err_msg=name, **tolerance)


@pytest.mark.parametrize(
    ("case", "options"),
    [
        ("attention", {}),
        ("attention seen", {"scale": 0.7}),
        ("attention added", {}),
        ("attention causal", {"is_causal": True}),
    ],
)
def test_attention_is_pytorchs(case: str, options: dict[str, Any]):
    q, k, v = given(case, "q", "k", "v")
    mask = REFERENCE.get(f"{case}/mask")
    check(case, [F.scaled_dot_product_attention(q, k, v, mask, **options)], {"q": q, "k": k, "v": v}, **PRECISE)
    if case == "attention added":  # a mask that is learned
        q, k, v, learned = given(case, "q", "k", "v", "mask")
        y = F.scaled_dot_product_attention(q, k, v, learned)
        check(case, [y], {"q": q, "k": k, "v": v, "mask": learned}, **PRECISE)


def test_heads_are_pytorchs():
    masks = {"key_padding_mask": REFERENCE["heads/padding"], "attn_mask": REFERENCE["heads/mask"]}
    for case, average in (("heads", True), ("heads apart", False)):
        layer = nn.MultiheadAttention(6, 2, batch_first=True, dtype=np.float64)
        assert layer.load_state_dict(state(case)) == ([], [])
        (x,) = given(case, "x")
        found = layer(x, x, x, **masks, average_attn_weights=average)
        check(case, found, {"x": x} | dict(layer.named_parameters()), **PRECISE)
        y, weights = layer(x, x, x, need_weights=False, **masks)
        assert weights is None
        np.testing.assert_array_equal(y.value, found[0].value)
        # The same from three arrays, as if they were three sequences, and of a sequence without a batch.
        apart, _ = layer(x.value, x.value.copy(), x.value.copy(), **masks)
        np.testing.assert_allclose(apart.value, y.value, **PRECISE)
        alone, of_one = layer(*(x.value[1],) * 3, masks["key_padding_mask"][1], attn_mask=masks["attn_mask"])
        np.testing.assert_allclose(alone.value, y.value[1], **PRECISE)
        assert of_one.shape == (4, 4)


def test_attention_across_two_sequences_is_pytorchs():
    case = "heads across"
    layer = nn.MultiheadAttention(6, 3, bias=False, kdim=3, vdim=4, dtype=np.float64)
    assert layer.load_state_dict(state(case)) == ([], [])
    q, k, v = given(case, "q", "k", "v")
    check(case, layer(q, k, v), {"q": q, "k": k, "v": v} | dict(layer.named_parameters()), **PRECISE)


@pytest.mark.parametrize(
    ("case", "options"),
    [
        ("encoder", {"activation": "gelu", "norm_first": True, "batch_first": True}),
        ("encoder norm last", {"bias": False}),
    ],
)
def test_the_encoder_is_pytorchs(case: str, options: dict[str, Any], tmp_path: Path):
    layer = nn.TransformerEncoderLayer(6, 2, 5, dropout=0.0, **options, dtype=np.float64)
    encoder = nn.TransformerEncoder(layer, 2, nn.LayerNorm(6, dtype=np.float64))
    assert list(encoder.state_dict()) == sorted(state(case), key=list(encoder.state_dict()).index)
    encoder.load_state_dict(state(case))
    (x,) = given(case, "x")
    y = encoder(x, is_causal=True)
    check(case, [y], {"x": x} | dict(encoder.named_parameters()), rtol=1e-7, atol=1e-8)
    later = np.where(np.tri(4, dtype=bool), 0.0, -np.inf)
    np.testing.assert_allclose(encoder(x, mask=later).value, y.value)
    np.testing.assert_allclose(encoder(x, mask=~np.tri(4, dtype=bool)).value, y.value)
    nn.save(encoder, tmp_path / "file")
    assert {n: x.shape for n, x in nn.load(tmp_path / "file").items()} == {n: x.shape for n, x in state(case).items()}


@pytest.mark.parametrize(
    ("case", "options"),
    [
        ("transformer", {"activation": "gelu", "norm_first": True, "batch_first": True}),
        ("transformer norm last", {"bias": False}),
    ],
)
def test_the_transformer_is_pytorchs(case: str, options: dict[str, Any]):
    model = nn.Transformer(6, 2, 1, 2, 5, dropout=0.0, **options, dtype=np.float64)
    assert list(model.state_dict()) == sorted(state(case), key=list(model.state_dict()).index)
    model.load_state_dict(state(case))
    x, tgt = given(case, "x", "tgt")
    y = model(x, tgt, tgt_is_causal=True, memory_key_padding_mask=REFERENCE[f"{case}/padding"])
    named = {"x": x, "tgt": tgt} | dict(model.named_parameters())
    check(case, [y], named, rtol=1e-7, atol=1e-8)
    mask = nn.Transformer.generate_square_subsequent_mask(4)
    np.testing.assert_array_equal(
        model(x, tgt, tgt_mask=mask, memory_key_padding_mask=REFERENCE[f"{case}/padding"]).value, y.value
    )


def test_the_layers_of_a_transformer_start_apart_and_its_parts_may_be_given():
    model = nn.Transformer(4, 2, 2, 1, 3, rng=0)
    first, second = model.encoder.layers
    assert np.all(first.linear1.weight.value != second.linear1.weight.value)
    x, tgt = normal((3, 2, 4), (5, 2, 4))
    assert nn.Transformer(4, 2, custom_encoder=Doubled(), num_decoder_layers=1, rng=0)(x, tgt).shape == (5, 2, 4)
    with pytest.raises(TypeError, match=r"Write nn.TransformerDecoder\(nn.TransformerDecoderLayer"):
        nn.TransformerDecoder("layer", 2)
    with pytest.raises(ValueError, match="TransformerDecoderLayer's activation is 'relu', 'gelu'"):
        nn.TransformerDecoderLayer(4, 2, activation="reul")


def test_heads_share_keys_in_groups():
    q, k, v = normal((2, 4, 3, 5), (2, 2, 6, 5), (2, 2, 6, 5))
    found = F.scaled_dot_product_attention(q, k, v, enable_gqa=True)
    for head in range(4):
        one = F.scaled_dot_product_attention(q[:, head], k[:, head // 2], v[:, head // 2])
        np.testing.assert_allclose(found[:, head], one)
    ad.check_grads(lambda *given: F.scaled_dot_product_attention(*given, enable_gqa=True), q, k, v, order=2)
    with pytest.raises(ValueError, match="enable_gqa takes query"):
        F.scaled_dot_product_attention(q[:, :3], k, v, enable_gqa=True)


class Doubled(nn.Module):
    def forward(self, src: Any, **masks: Any) -> Any:
        return 2 * src


def test_keys_of_no_place_are_pytorchs():
    case = "heads with more"
    layer = nn.MultiheadAttention(6, 2, add_bias_kv=True, add_zero_attn=True, batch_first=True, dtype=np.float64)
    assert layer.load_state_dict(state(case)) == ([], [])
    (x,) = given(case, "x")
    masks = {"key_padding_mask": REFERENCE[f"{case}/padding"], "attn_mask": REFERENCE[f"{case}/mask"]}
    check(case, layer(x, x, x, **masks), {"x": x} | dict(layer.named_parameters()), **PRECISE)
    causal, _ = layer(x, x, x, is_causal=True)
    np.testing.assert_array_equal(causal.value, layer(x, x, x, attn_mask=~np.tri(4, dtype=bool))[0].value)
    only = nn.MultiheadAttention(4, 2, add_zero_attn=True, rng=0)
    one = rng.standard_normal((1, 1, 4))
    assert np.all(np.abs(only(one, one, one)[1].value) < 1)
    assert repr(layer) == "MultiheadAttention(6, 2, add_bias_kv=True, add_zero_attn=True, batch_first=True)"


@pytest.mark.parametrize("mask", [None, "booleans", "numbers", "causal"])
def test_attention_to_third_order(mask: Any):
    options: dict[str, Any] = {"is_causal": mask == "causal"}
    options["attn_mask"] = {"booleans": rng.random((3, 4)) < 0.6, "numbers": rng.standard_normal((3, 4))}.get(mask)

    def attend(q: Any, k: Any, v: Any) -> Any:
        return F.scaled_dot_product_attention(q, k, v, **options)

    arrays = normal((2, 3, 2), (2, 4, 2), (2, 4, 3))
    ad.check_grads(attend, *arrays, order=3)
    ahead = ad.jvp(attend, arrays, arrays)[1]
    quotient = (attend(*(x * (1 + 1e-6) for x in arrays)) - attend(*(x * (1 - 1e-6) for x in arrays))) / 2e-6
    np.testing.assert_allclose(ahead, quotient, rtol=1e-6, atol=1e-8)


def test_leading_axes_broadcast_and_batches_are_batched():
    q, k, v = normal((2, 3, 4, 2), (3, 5, 2), (1, 1, 5, 3))
    assert F.scaled_dot_product_attention(q, k, v).shape == (2, 3, 4, 3)
    ad.check_grads(F.scaled_dot_product_attention, q, k, v)

    def loss(x: Any) -> Any:
        return np.sum(F.scaled_dot_product_attention(x, x, x, is_causal=True) ** 2)

    np.testing.assert_allclose(ad.vmap(ad.grad(loss))(q), [ad.grad(loss)(x) for x in q])


def test_heads_to_second_order():
    layer = nn.MultiheadAttention(4, 2, batch_first=True, dtype=np.float64, rng=0).freeze()
    ad.check_grads(lambda x: layer(x, x, x)[0], rng.standard_normal((2, 3, 4)))
    ad.check_grads(lambda x: layer(x, x, x)[1], rng.standard_normal((2, 3, 4)))


def test_weights_are_means_and_a_query_that_may_look_nowhere_gives_zero():
    q, k, v = normal((3, 2), (4, 2), (4, 5))
    nowhere = np.ones((3, 4), bool)
    nowhere[1] = False
    tensors = [ad.Tensor(x) for x in (q, k, v)]
    y = F.scaled_dot_product_attention(*tensors, nowhere)
    np.testing.assert_array_equal(y.value[1], 0)
    np.sum(y * y).backward()
    assert all(np.isfinite(t.grad).all() for t in tensors)
    np.testing.assert_allclose(F.scaled_dot_product_attention(0 * q, k, v), np.tile(v.mean(0), (3, 1)))
    np.testing.assert_allclose(F.scaled_dot_product_attention(1e4 * q, k, v), v[(q @ k.T).argmax(1)], rtol=1e-6)


def test_a_causal_network_does_not_see_what_comes_later():
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, rng=0), 2).eval()
    x = rng.standard_normal((1, 5, 4)).astype(np.float32)
    changed = x.copy()
    changed[:, 3:] += 1
    y, z = (encoder(a, is_causal=True).value for a in (x, changed))
    np.testing.assert_array_equal(y[:, :3], z[:, :3])
    assert not np.allclose(y[:, 3:], z[:, 3:])


def test_dropout_draws_from_the_modules_generator():
    def make() -> nn.Module:
        return nn.MultiheadAttention(4, 2, dropout=0.5, rng=0)

    x = np.ones((3, 2, 4), np.float32)
    layer, twin = make(), make()
    first, second = layer(x, x, x)[0].value, layer(x, x, x)[0].value
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(twin(x, x, x)[0].value, first)
    layer.eval()
    np.testing.assert_array_equal(layer(x, x, x)[0].value, layer(x, x, x)[0].value)
    seeded = [F.scaled_dot_product_attention(x, x, x, dropout_p=0.5, rng=0) for _ in range(2)]
    np.testing.assert_array_equal(*seeded)


def test_layers_of_an_encoder_start_alike_and_share_a_generator():
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.5, rng=0)
    encoder = nn.TransformerEncoder(layer, 3)
    assert len(list(encoder.named_generators())) == 1
    assert len(list(encoder.parameters())) == 3 * len(list(layer.parameters()))
    first, second = (list(encoder.layers[k].parameters()) for k in (0, 1))
    assert all(a is not b and np.array_equal(a.value, b.value) for a, b in zip(first, second, strict=True))


def test_places():
    table = F.positional_encoding(50, 8)
    assert table.shape == (50, 8)
    assert table.dtype == np.float32
    np.testing.assert_array_equal(table[0], [0, 1] * 4)
    np.testing.assert_allclose(table[3, :4], [np.sin(3), np.cos(3), np.sin(0.3), np.cos(0.3)], rtol=1e-6)
    assert F.positional_encoding(4, 5).shape == (4, 5)
    products = table @ table.T  # of two places: a function of their distance
    np.testing.assert_allclose(np.diag(products, 7), products[0, 7], rtol=1e-4)
    table[:] = 0
    assert F.positional_encoding(50, 8).any()
    x = rng.standard_normal((3, 2, 8)).astype(np.float32)
    layer = nn.PositionalEncoding(8).eval()
    np.testing.assert_allclose(layer(x), x + F.positional_encoding(3, 8)[:, None])
    first = nn.PositionalEncoding(8, batch_first=True).eval()
    np.testing.assert_allclose(first(x), x + F.positional_encoding(2, 8))
    assert first(x).dtype == np.float32


def test_float32_in_float32_out():
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, dropout=0.1, rng=0), 1, nn.LayerNorm(4))
    for x in (rng.standard_normal((3, 2, 4)), rng.standard_normal((3, 2, 4)).astype(np.float32)):
        encoder.zero_grad()
        y = encoder(ad.Tensor(x), is_causal=True)
        assert y.dtype == np.float32
        assert {n.dtype for n in y.adjoints(np.ones(y.shape)) if n.primitive} <= {np.dtype("f4"), x.dtype}
        y.backward(np.ones(y.shape))
        assert all(p.grad.dtype == np.float32 for p in encoder.parameters())


def test_a_transformer_learns_to_copy_backwards():
    source = np.random.default_rng(0)
    embedding, head = nn.Embedding(5, 16, rng=source), nn.Linear(16, 5, rng=source)
    layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True, norm_first=True, rng=source)
    parts = [embedding, nn.TransformerEncoder(layer, 2), head]
    optimizer = nn.optim.Adam([p for part in parts for p in part.parameters()], lr=0.005)
    places = F.positional_encoding(6, 16)
    for _ in range(150):
        words = source.integers(0, 5, (32, 6))
        optimizer.zero_grad()
        logits = head(parts[1](embedding(words) + places))
        loss = F.cross_entropy(np.reshape(logits, (-1, 5)), words[:, ::-1].reshape(-1))
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.3


x = np.ones((3, 2, 4))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: F.scaled_dot_product_attention(x, x[..., :3], x), ValueError, r"key of shape \(3, 2, 3\)"),
        (lambda: F.scaled_dot_product_attention(x, x, x[:, :1]), ValueError, r"value of shape \(3, 1, 4\)"),
        (lambda: F.scaled_dot_product_attention(x, x, x, np.ones((3, 3))), ValueError, r"2 keys\); received.*\(3, 3\)"),
        (lambda: F.scaled_dot_product_attention(x, x, x, np.ones((2, 2), int)), TypeError, "received dtype int"),
        (lambda: F.scaled_dot_product_attention(x, x, x, scale="a"), TypeError, "attention: scale"),
        (lambda: nn.MultiheadAttention(4, 3), ValueError, "embed_dim=4 and num_heads=3"),
        (lambda: nn.MultiheadAttention(4, 2)(x, x, x[:2]), ValueError, r"value of shape \(2, 2, 4\)"),
        (lambda: nn.MultiheadAttention(4, 2)(x, x[:, :1], x[:, :1]), ValueError, r"key of shape \(3, 1, 4\)"),
        (
            lambda: nn.MultiheadAttention(4, 2)(x, x, x, np.ones((3, 2), bool)),
            ValueError,
            r"\(2, 3\) for \(batch, k",
        ),
        (lambda: nn.MultiheadAttention(4, 2)(x, x, x, attn_mask=x), ValueError, r"\(4, 3, 3\) for.*\(3, 2, 4\)"),
        (lambda: nn.TransformerEncoderLayer(4, 2, activation="tan"), ValueError, "received 'tan'"),
        (lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer, 2), TypeError, "takes a layer, to be copied"),
        (lambda: nn.PositionalEncoding(3)(x), ValueError, r"\(steps, batch, 3\); received shape \(3, 2, 4\)"),
        (lambda: F.positional_encoding(0, 3), ValueError, "length"),
    ],
)
def test_wrong_arguments_are_errors(call: Any, error: type, words: str):
    with pytest.raises(error, match=words):
        call()


def test_representations():
    assert repr(nn.MultiheadAttention(4, 2, batch_first=True)) == "MultiheadAttention(4, 2, batch_first=True)"
    assert repr(nn.PositionalEncoding(4)) == "PositionalEncoding(4, 0.1)"
    assert repr(nn.TransformerEncoderLayer(4, 2)).startswith("TransformerEncoderLayer(\n    self_attn=Multihead")
