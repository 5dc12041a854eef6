"""Attention with several heads, and the encoder of the transformer (Vaswani et al. 2017)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn import functional, init
from nn.checked import real, switch, whole
from nn.functional.attention import additive, attend
from nn.functional.dense import linear
from nn.functional.normalisation import of_dtype
from nn.layers.dense import Linear
from nn.layers.dropout import Dropout
from nn.layers.normalisation import LayerNorm
from nn.model.module import Module


class MultiheadAttention(Module):
    """Attention in several subspaces at once, whose results are joined (Vaswani et al. 2017, section 3.2.2).

    Parameters
    ----------
    embed_dim : the width of queries and of the result; num_heads divides it
    num_heads : the number of subspaces
    dropout : the probability, from 0 to 1, that a weight is dropped in training
    bias : whether the four projections have biases, which start at 0
    kdim, vdim : the widths of keys and values, embed_dim by default
    batch_first : whether arrays are (batch, steps, width), not (steps, batch, width)
    rng : where weights, and later what dropout drops, are drawn from: a numpy.random.Generator, an int seed, or None
    dtype : float32 or float64; the layer computes in it, whatever its input

    `in_proj_weight` of shape (3 embed_dim, embed_dim) makes queries, keys and values, and starts Xavier uniform; with
    a kdim or vdim of their own there are `q_proj_weight`, `k_proj_weight` and `v_proj_weight` instead. `in_proj_bias`
    has the shape (3 embed_dim,); `out_proj` is a Linear.

    >>> attention = nn.MultiheadAttention(8, num_heads=2, batch_first=True, rng=0)
    >>> x = np.zeros((5, 7, 8))
    >>> output, weights = attention(x, x, x)
    >>> output.shape, weights.shape
    ((5, 7, 8), (5, 7, 7))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        *,
        rng: init.Rng = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        self.embed_dim = whole(embed_dim, "MultiheadAttention's embed_dim")
        self.num_heads = whole(num_heads, "MultiheadAttention's num_heads")
        if self.embed_dim % self.num_heads:
            raise ValueError(
                f"MultiheadAttention cuts embed_dim into num_heads equal parts; received embed_dim={embed_dim} and "
                f"num_heads={num_heads}. Let num_heads divide embed_dim."
            )
        self.dropout = real(dropout, "MultiheadAttention: dropout, the probability of 0,", most=1)
        self.batch_first = switch(batch_first, "MultiheadAttention: batch_first")
        bias = switch(bias, "MultiheadAttention: bias")
        self.dtype, self.rng, width = init.floating(dtype), init.generator(rng), self.embed_dim
        self.kdim = width if kdim is None else whole(kdim, "MultiheadAttention's kdim")
        self.vdim = width if vdim is None else whole(vdim, "MultiheadAttention's vdim")
        self._packed = self.kdim == self.vdim == width
        inputs = {"in": width} if self._packed else {"q": width, "k": self.kdim, "v": self.vdim}
        for name, size in inputs.items():
            weight = init.xavier_uniform((3 * width if self._packed else width, size), self.rng, dtype)
            setattr(self, f"{name}_proj_weight", ad.Tensor(weight, name=f"{name}_proj_weight"))
        zeros = init.zeros((3 * width,), dtype=dtype)
        self.in_proj_bias = ad.Tensor(zeros, name="in_proj_bias") if bias else None
        self.out_proj = Linear(width, width, bias, rng=self.rng, dtype=dtype)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:
        """(result, weights): of shape (queries, batch, embed_dim), and (batch, queries, keys), or None.

        Parameters
        ----------
        query : of shape (queries, batch, embed_dim), with batch_first (batch, queries, embed_dim); or all of them and
            the masks without a batch
        key, value : of shape (keys, batch, kdim) and (keys, batch, vdim), or with the batch first
        key_padding_mask : of shape (batch, keys): booleans, True for keys that nobody looks at, or numbers to be added
        need_weights : whether the weights are given as well
        attn_mask : of shape (queries, keys) or (batch num_heads, queries, keys): booleans, True where a query may not
            look (in `functional.scaled_dot_product_attention` it is the other way round, both as in PyTorch), or
            numbers to be added
        average_attn_weights : False gives each head's weights: (batch, num_heads, queries, keys)
        is_causal : whether query k looks only at the keys up to k, with or without attn_mask
        """
        one = query is key is value
        arrays = [of_dtype(x, self.dtype, "MultiheadAttention") for x in ((query,) if one else (query, key, value))]
        self._check(arrays)
        single = arrays[0].ndim == 2
        if single:
            arrays = [x[None] for x in arrays]
        elif not self.batch_first:
            arrays = [np.swapaxes(x, 0, 1) for x in arrays]
        q, k, v = self._projected(arrays)
        mask = self._mask(attn_mask, key_padding_mask, q.shape, k.shape[2], single)
        dropped = self.dropout if self.training else 0.0
        y, weights = attend(q, k, v, mask, dropped, is_causal, None, self.rng)
        batch, _, steps, _ = y.shape
        y = self.out_proj(np.reshape(np.swapaxes(y, 1, 2), (batch, steps, self.embed_dim)))
        y = y[0] if single else y if self.batch_first else np.swapaxes(y, 0, 1)
        if not need_weights:
            return y, None
        weights = np.mean(weights, axis=1) if average_attn_weights else weights
        return y, weights[0] if single else weights

    def _check(self, arrays: list[Any]) -> None:
        widths = (self.embed_dim, self.kdim, self.vdim)
        q, k, v = shapes = [x.shape for x in arrays * (1 if len(arrays) == 3 else 3)]
        fits = len(q) in (2, 3) and len(q) == len(k) == len(v) and tuple(s[-1] for s in shapes) == widths
        if not fits or k[:-1] != v[:-1] or (len(q) == 3 and q[1 - self.batch_first] != k[1 - self.batch_first]):
            first = "batch, steps" if self.batch_first else "steps, batch"
            raise ValueError(
                f"{self!r} takes query, key and value of shape ({first}, width), or (steps, width), of width {widths} "
                f"and one batch, and as many values as keys; received query of shape {q}, key of shape {k} and value "
                f"of shape {v}."
            )

    def _projected(self, arrays: list[Any]) -> list[Any]:
        """Queries, keys and values, each of shape (batch, heads, steps, width of a head)."""
        if len(arrays) == 1 and self._packed:
            return self._split(_linear(arrays[0], self.in_proj_weight, self.in_proj_bias), 3)
        n = self.embed_dim
        parts = [slice(k * n, (k + 1) * n) for k in range(3)]
        if self._packed:
            weights = [self.in_proj_weight[part] for part in parts]
        else:
            weights = [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight]
        biases = [None if self.in_proj_bias is None else self.in_proj_bias[part] for part in parts]
        given = arrays * (1 if len(arrays) == 3 else 3)
        return [self._split(_linear(*three), 1)[0] for three in zip(given, weights, biases, strict=True)]

    def _split(self, x: Any, count: int) -> list[Any]:
        batch, steps, _ = x.shape
        apart = np.reshape(x, (batch, steps, count, self.num_heads, -1))
        return [np.swapaxes(apart[:, :, k], 1, 2) for k in range(count)]

    def _mask(self, mask: Any, padding: Any, queries: tuple[int, ...], keys: int, single: bool) -> Any:
        """The two masks as one that is added, which broadcasts to (batch, heads, queries, keys); None for neither."""
        batch, heads, steps, _ = queries
        found = additive(mask, self.dtype, "MultiheadAttention: attn_mask", kept=False)
        if found is not None:
            if found.shape not in ((steps, keys), (batch * heads, steps, keys)):
                raise ValueError(
                    f"MultiheadAttention takes attn_mask of shape {(steps, keys)}, or {(batch * heads, steps, keys)} "
                    f"for (batch num_heads, queries, keys); received shape {found.shape}."
                )
            found = np.reshape(found, (-1, heads if found.ndim == 3 else 1, steps, keys))
        if padding is None:
            return found
        ignored = additive(padding, self.dtype, "MultiheadAttention: key_padding_mask", kept=False)
        if ignored.shape != ((keys,) if single else (batch, keys)):
            raise ValueError(
                f"MultiheadAttention takes key_padding_mask of shape {(batch, keys)} for (batch, keys), without batch "
                f"({keys},); received shape {ignored.shape}."
            )
        ignored = np.reshape(ignored, (-1, 1, 1, keys))
        return ignored if found is None else found + ignored

    def __repr__(self) -> str:
        return (
            f"MultiheadAttention({self.embed_dim}, {self.num_heads}{', batch_first=True' if self.batch_first else ''})"
        )


class TransformerEncoderLayer(Module):
    """Self-attention, then two dense layers at each place, each with a skip connection and a LayerNorm.

    Parameters
    ----------
    d_model, nhead : the width, and the number of heads, which divides it
    dim_feedforward : the width between the two dense layers
    dropout : the probability, from 0 to 1, in training: of the weights, between the dense layers, and of what is added
    activation : between the dense layers: "relu", "gelu" or a function
    layer_norm_eps : what the LayerNorms add to the variance
    batch_first : whether arrays are (batch, steps, d_model), not (steps, batch, d_model)
    norm_first : whether each part's input is normalised (Xiong et al. 2020), not the sum after it
    bias : whether dense layers and LayerNorms have biases
    rng, dtype : as in MultiheadAttention

    >>> layer = nn.TransformerEncoderLayer(8, nhead=2, dim_feedforward=16, batch_first=True, rng=0)
    >>> layer(np.zeros((5, 7, 8))).shape
    (5, 7, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Any], Any] = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        rng: init.Rng = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        shared = init.generator(rng)
        self.norm_first = switch(norm_first, "TransformerEncoderLayer: norm_first")
        self.activation = _activation(activation)
        made: dict[str, Any] = {"rng": shared, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **made)
        width = whole(dim_feedforward, "TransformerEncoderLayer's dim_feedforward")
        self.linear1 = Linear(d_model, width, bias, **made)
        self.dropout = Dropout(dropout, shared)
        self.linear2 = Linear(width, d_model, bias, **made)
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.dropout1, self.dropout2 = Dropout(dropout, shared), Dropout(dropout, shared)

    def forward(self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Any:
        """The layer of src, of shape (steps, batch, d_model), in its shape; the masks are MultiheadAttention's."""
        masks = (src_mask, src_key_padding_mask, is_causal)
        if self.norm_first:
            x = src + self._attended(self.norm1(src), *masks)
            return x + self._fed(self.norm2(x))
        x = self.norm1(src + self._attended(src, *masks))
        return self.norm2(x + self._fed(x))

    def _attended(self, x: Any, mask: Any, padding: Any, is_causal: bool) -> Any:
        y, _ = self.self_attn(
            x, x, x, key_padding_mask=padding, need_weights=False, attn_mask=mask, is_causal=is_causal
        )
        return self.dropout1(y)

    def _fed(self, x: Any) -> Any:
        return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class TransformerEncoder(Module):
    """A stack of encoder layers.

    Parameters
    ----------
    encoder_layer : a TransformerEncoderLayer, which is copied: all layers start with its numbers, as in PyTorch
    num_layers : how many copies
    norm : a LayerNorm of the result, which norm_first asks for; or None
    enable_nested_tensor : has no effect; accepted for programs written for PyTorch

    >>> layer = nn.TransformerEncoderLayer(64, 4, 128, batch_first=True, rng=0)
    >>> encoder = nn.TransformerEncoder(layer, 2)
    >>> encoder(np.zeros((16, 32, 64)), is_causal=True).shape
    (16, 32, 64)
    """

    def __init__(
        self, encoder_layer: Module, num_layers: int, norm: Module | None = None, enable_nested_tensor: bool = True
    ) -> None:
        switch(enable_nested_tensor, "TransformerEncoder: enable_nested_tensor")
        if not isinstance(encoder_layer, Module):
            raise TypeError(
                f"TransformerEncoder takes a layer, to be copied; received {encoder_layer!r:.80}. Write "
                "nn.TransformerEncoder(nn.TransformerEncoderLayer(64, 4), 2)."
            )
        # One generator for all: copies of it would drop the same elements in every layer.
        shared = {id(rng): rng for _, rng in encoder_layer.named_generators()}
        count = whole(num_layers, "TransformerEncoder's num_layers")
        self.layers = [copy.deepcopy(encoder_layer, dict(shared)) for _ in range(count)]
        self.norm = norm

    def forward(self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Any:
        """The layers of src one after the other, each with these masks; shapes as in TransformerEncoderLayer."""
        for layer in self.layers:
            src = layer(src, src_mask=mask, src_key_padding_mask=src_key_padding_mask, is_causal=is_causal)
        return src if self.norm is None else self.norm(src)


class PositionalEncoding(Module):
    """x plus a vector for each place, functional.positional_encoding; then dropout (Vaswani et al. 2017).

    Parameters
    ----------
    d_model : the last axis of x
    dropout : the probability, from 0 to 1, that an element is dropped in training
    batch_first : whether x is (batch, steps, d_model), not (steps, batch, d_model)
    rng : what dropout draws from, as in Dropout

    >>> nn.PositionalEncoding(4, dropout=0.0)(np.zeros((2, 1, 4), np.float32))[:, 0].round(3)
    array([[0.   , 1.   , 0.   , 1.   ],
           [0.841, 0.54 , 0.01 , 1.   ]], dtype=float32)
    """

    def __init__(self, d_model: int, dropout: float = 0.1, batch_first: bool = False, *, rng: init.Rng = None) -> None:
        self.d_model = whole(d_model, "PositionalEncoding's d_model")
        self.batch_first = switch(batch_first, "PositionalEncoding: batch_first")
        self.dropout = Dropout(dropout, rng)

    def forward(self, x: Any) -> Any:
        """x with its places, in its shape."""
        x = of_dtype(x, None, "PositionalEncoding")
        if x.ndim != 3 or x.shape[-1] != self.d_model:
            first = "batch, steps" if self.batch_first else "steps, batch"
            raise ValueError(f"{self!r} takes x of shape ({first}, {self.d_model}); received shape {x.shape}.")
        places = functional.positional_encoding(x.shape[1 if self.batch_first else 0], self.d_model, x.dtype)
        return self.dropout(x + (places if self.batch_first else places[:, None]))

    def __repr__(self) -> str:
        return f"PositionalEncoding({self.d_model}, {self.dropout.p:g}{', batch_first=True' * self.batch_first})"


def _linear(x: Any, weight: Any, bias: Any) -> Any:
    return linear(x, weight) if bias is None else linear(x, weight, bias)


def _activation(activation: Any) -> Callable[[Any], Any]:
    named = {"relu": functional.relu, "gelu": functional.gelu}
    found = named.get(activation) if isinstance(activation, str) else activation
    if callable(found):
        return found
    raise ValueError(
        f"TransformerEncoderLayer's activation is 'relu', 'gelu' or a function; received {activation!r:.80}."
    )
