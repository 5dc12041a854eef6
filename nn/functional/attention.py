"""Attention (Vaswani et al. 2017): for each query a mean of the values, weighted by how well their keys match it."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff as ad
from nn import init
from nn.checked import array, real, switch, whole
from nn.functional.dropout import dropout
from nn.functional.normalisation import of_dtype
from nn.functional.rectifiers import broadcast_back

Array = npt.NDArray[Any]


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    *,
    rng: init.Rng = None,
) -> Any:
    """softmax(query keyᵀ scale + mask) value, of shape (..., queries, value width); Vaswani et al. 2017, equation 1.

    Parameters
    ----------
    query : of shape (..., queries, width)
    key : of shape (..., keys, width)
    value : of shape (..., keys, value width); the axes before broadcast
    attn_mask : an array that broadcasts to (..., queries, keys): booleans, True where a query may see a key, or numbers
        that are added to the scores. The result of a query that may see no key is 0
    dropout_p : the probability that a weight is dropped (at every call: pass 0 in evaluation)
    is_causal : whether query k sees only the keys up to k
    scale : 1 / √width by default
    enable_gqa : whether keys and values may have fewer heads than the queries; groups of query heads then share them
        (Ainslie et al. 2023)
    rng : the generator of dropout, as in `dropout`

    Raises ValueError for shapes that do not belong together.

    >>> query, key = np.array([[10.0, 0.0]]), np.array([[10.0, 0.0], [0.0, 10.0]])
    >>> F.scaled_dot_product_attention(query, key, np.array([[1.0], [2.0]])).round(4)
    array([[1.]])
    """
    if switch(enable_gqa, "attention: enable_gqa"):
        key, value = (_for_each_head(x, query) for x in (key, value))
    return attend(query, key, value, attn_mask, dropout_p, is_causal, scale, rng)[0]


def _for_each_head(x: Any, query: Any) -> Any:
    """Keys or values, of shape (..., heads, keys, width), repeated to the number of heads of the queries."""
    heads, shared = (np.shape(v)[-3] if np.ndim(v) > 2 else 0 for v in (query, x))
    if not shared or heads % shared:
        raise ValueError(
            "attention with enable_gqa takes query of shape (..., heads, queries, width), and key and value whose "
            f"heads divide those; received query of shape {np.shape(query)} and {np.shape(x)}."
        )
    return np.repeat(x, heads // shared, axis=-3)


def attend(
    query: Any,
    key: Any,
    value: Any,
    mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    rng: init.Rng = None,
) -> tuple[Any, Any]:
    """The result of `scaled_dot_product_attention`, and its weights, of shape (..., queries, keys)."""
    q, k, v = (of_dtype(x, getattr(query, "dtype", None), "attention") for x in (query, key, value))
    if min(q.ndim, k.ndim, v.ndim) < 2 or q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2]:
        raise ValueError(
            "attention takes query of shape (..., queries, width), key (..., keys, width) and value (..., keys, value "
            f"width); received query of shape {q.shape}, key of shape {k.shape} and value of shape {v.shape}."
        )
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else real(scale, "attention: scale", least=-math.inf)
    shape = q.shape[-2], k.shape[-2]
    bias = additive(mask, q.dtype, "attention: attn_mask")
    if is_causal:
        bias = causal_bias(*shape, q.dtype) if bias is None else bias + causal_bias(*shape, q.dtype)
    if bias is not None and any(n not in (1, m) for n, m in zip(bias.shape[::-1], shape[::-1], strict=False)):
        raise ValueError(
            f"attention takes attn_mask of a shape that broadcasts to (..., {shape[0]} queries, {shape[1]} keys); "
            f"received shape {np.shape(mask)}."
        )
    if isinstance(bias, ad.Tensor):  # learned: composed, so that a derivative reaches it
        weights = ad.softmax(np.matmul(q, np.swapaxes(k, -1, -2)) * scale + bias)
    else:
        weights = attention_weights(q, k, bias=bias, scale=scale)
    if dropout_p:
        weights = dropout(weights, dropout_p, True, rng)
    return np.matmul(weights, v), weights


@ad.primitive
def attention_weights(query: Any, key: Any, *, bias: Array | None, scale: float) -> Any:
    """softmax(query keyᵀ scale + bias) along the keys; 0 where the bias is -∞ for all keys."""
    scores = np.matmul(query, np.swapaxes(key, -1, -2))
    scores *= scale
    if bias is not None:
        scores = scores + bias
    if not scores.shape[-1]:
        return scores
    highest = np.max(scores, axis=-1, keepdims=True)
    if bias is not None:
        highest[np.isneginf(highest)] = 0
    scores -= highest
    np.exp(scores, out=scores)
    total = np.sum(scores, axis=-1, keepdims=True)
    if bias is not None:
        total[total == 0] = 1
    scores /= total
    return scores


def _weights_adjoints(g: Any, y: Any, query: Any, key: Any, *, bias: Any, scale: float) -> Any:
    """The adjoints of query and key: through the softmax, s = y (g - Σ g y), and the product."""
    s = y * ((g - np.sum(g * y, axis=-1, keepdims=True)) * scale)
    return broadcast_back(np.matmul(s, key), query), broadcast_back(np.matmul(np.swapaxes(s, -1, -2), query), key)


ad.lowered(attention_weights)
ad.adjoint(attention_weights, together=_weights_adjoints)


def additive(mask: Any, dtype: np.dtype[Any], what: str, kept: bool = True) -> Any:
    """A mask as numbers to add to scores; booleans become 0 where they equal `kept`, and -∞ elsewhere."""
    if mask is None or isinstance(mask, ad.Tensor):
        return mask
    found = array(mask)
    if found.dtype.kind == "b":
        return np.where(found == kept, 0.0, -math.inf).astype(dtype)
    if found.dtype.kind != "f":
        raise TypeError(f"{what} is an array of booleans, or of floats that are added; received dtype {found.dtype}.")
    return found.astype(dtype)


@functools.lru_cache(maxsize=16)
def causal_bias(queries: int, keys: int, dtype: np.dtype[Any]) -> Array:
    """0 for the keys up to each query's number, and -∞ for later ones: of shape (queries, keys), read-only."""
    found = additive(np.tri(queries, keys, dtype=bool), dtype, "")
    found.flags.writeable = False
    return np.asarray(found)


def positional_encoding(length: int, width: int, dtype: npt.DTypeLike = np.float32) -> Array:
    """A vector for each place in a sequence, of shape (length, width); Vaswani et al. 2017, section 3.5.

    Element 2k of place t is sin(t / 10000^(2k / width)), element 2k + 1 the cosine. So the vector of a place some steps
    later is a rotation of it, the same rotation at every place. Add it to the embeddings.

    >>> F.positional_encoding(2, 4).round(3)
    array([[0.   , 1.   , 0.   , 1.   ],
           [0.841, 0.54 , 0.01 , 1.   ]], dtype=float32)
    """
    length, width = whole(length, "positional_encoding: length"), whole(width, "positional_encoding: width")
    return _positions(length, width, init.floating(dtype)).copy()


@functools.lru_cache(maxsize=16)
def _positions(length: int, width: int, dtype: np.dtype[Any]) -> Array:
    angles = np.arange(length)[:, None] / 10000 ** (np.arange(0, width, 2) / width)
    table = np.empty((length, width))
    table[:, 0::2] = np.sin(angles)
    table[:, 1::2] = np.cos(angles[:, : width // 2])
    return table.astype(dtype)
