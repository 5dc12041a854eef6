"""Attention with several heads, and the encoding of positions in a sequence (Vaswani et al. 2017)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn import functional, init
from nn.checked import real, switch, whole
from nn.functional.attention import additive, attend, causal_bias
from nn.functional.dense import linear
from nn.functional.normalisation import of_dtype
from nn.layers.dense import Linear
from nn.layers.dropout import Dropout
from nn.model.module import Module


class MultiheadAttention(Module):
    """Attention in several subspaces, whose results are joined (Vaswani et al. 2017, section 3.2.2).

    Parameters
    ----------
    embed_dim : the width of queries and of the result, a multiple of num_heads
    num_heads : the number of subspaces
    dropout : the probability, from 0 to 1, that a weight is dropped in training
    bias : whether the four projections have biases, which start at 0
    add_bias_kv : whether to append a learned key and value, `bias_k` and `bias_v`, to those of the sequence
    add_zero_attn : whether to append a key and a value of zeros, so that a query may attend to nothing
    kdim, vdim : the widths of keys and values, embed_dim by default
    batch_first : whether arrays are (batch, steps, width), not (steps, batch, width)
    rng : the generator of weights and dropout: a numpy.random.Generator, an int seed, or None
    dtype : float32 or float64; the layer computes in it, whatever its input

    `in_proj_weight` of shape (3 embed_dim, embed_dim) computes queries, keys and values, and starts Xavier uniform. If
    kdim or vdim differs from embed_dim there are `q_proj_weight`, `k_proj_weight` and `v_proj_weight` instead.
    `in_proj_bias` has the shape (3 embed_dim,); `out_proj` is a Linear.

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
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
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
        self.bias_k = self.bias_v = None
        if switch(add_bias_kv, "MultiheadAttention: add_bias_kv"):
            for name in ("bias_k", "bias_v"):
                setattr(self, name, ad.Tensor(init.xavier_normal((1, 1, width), self.rng, dtype), name=name))
        self.add_zero_attn = switch(add_zero_attn, "MultiheadAttention: add_zero_attn")

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
        query : of shape (queries, batch, embed_dim), with batch_first (batch, queries, embed_dim); or without a batch,
            like all other arguments
        key, value : of shape (keys, batch, kdim) and (keys, batch, vdim), or with the batch first
        key_padding_mask : of shape (batch, keys): booleans, True for ignored keys, or numbers added to the scores
        need_weights : whether to return the weights as well
        attn_mask : of shape (queries, keys) or (batch num_heads, queries, keys): booleans, True where a query may not
            see a key (in `functional.scaled_dot_product_attention` True means that it may; both are as in PyTorch), or
            numbers added to the scores
        average_attn_weights : False returns the weights of each head: (batch, num_heads, queries, keys)
        is_causal : whether query k sees only the keys up to k, with or without attn_mask
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
        if self.bias_k is not None or self.add_zero_attn:
            k, v, mask = self._with_more(k, v, mask, q.shape[2], is_causal)
            is_causal = False
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

    def _with_more(self, k: Any, v: Any, mask: Any, queries: int, is_causal: bool) -> tuple[Any, Any, Any]:
        """Keys and values followed by the learned ones and zeros, and the mask, which lets all queries see these."""
        batch, heads, keys, width = k.shape
        if is_causal:
            causal = causal_bias(queries, keys, self.dtype)
            mask = causal if mask is None else mask + causal
        added = [] if self.bias_k is None else [(self.bias_k, self.bias_v)]
        added += [(np.zeros(self.embed_dim, self.dtype),) * 2] * self.add_zero_attn
        for pair in added:
            one, other = (np.broadcast_to(np.reshape(x, (1, heads, 1, width)), (batch, heads, 1, width)) for x in pair)
            k, v = np.concatenate([k, one], axis=2), np.concatenate([v, other], axis=2)
        if mask is not None:
            mask = np.concatenate([mask, np.zeros((*mask.shape[:-1], len(added)), self.dtype)], axis=-1)
        return k, v, mask

    def _split(self, x: Any, count: int) -> list[Any]:
        batch, steps, _ = x.shape
        apart = np.reshape(x, (batch, steps, count, self.num_heads, -1))
        return [np.swapaxes(apart[:, :, k], 1, 2) for k in range(count)]

    def _mask(self, mask: Any, padding: Any, queries: tuple[int, ...], keys: int, single: bool) -> Any:
        """The two masks as one to add, which broadcasts to (batch, heads, queries, keys); None if there is no mask."""
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
        given = {"add_bias_kv": self.bias_k is not None, "add_zero_attn": self.add_zero_attn}
        options = "".join(f", {name}=True" for name, v in (given | {"batch_first": self.batch_first}).items() if v)
        return f"MultiheadAttention({self.embed_dim}, {self.num_heads}{options})"


class PositionalEncoding(Module):
    """x plus a vector for each position, functional.positional_encoding; then dropout (Vaswani et al. 2017).

    Parameters
    ----------
    d_model : the last axis of x
    dropout : the probability, from 0 to 1, that an element is dropped in training
    batch_first : whether x is (batch, steps, d_model), not (steps, batch, d_model)
    rng : the generator of dropout, as in Dropout

    >>> nn.PositionalEncoding(4, dropout=0.0)(np.zeros((2, 1, 4), np.float32))[:, 0].round(3)
    array([[0.   , 1.   , 0.   , 1.   ],
           [0.841, 0.54 , 0.01 , 1.   ]], dtype=float32)
    """

    def __init__(self, d_model: int, dropout: float = 0.1, batch_first: bool = False, *, rng: init.Rng = None) -> None:
        self.d_model = whole(d_model, "PositionalEncoding's d_model")
        self.batch_first = switch(batch_first, "PositionalEncoding: batch_first")
        self.dropout = Dropout(dropout, rng)

    def forward(self, x: Any) -> Any:
        """x plus the encoding, in the shape of x."""
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
