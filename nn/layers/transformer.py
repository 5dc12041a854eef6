"""The transformer: stacked layers of attention and dense layers (Vaswani et al. 2017)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from nn import functional, init
from nn.checked import switch, whole
from nn.functional.attention import causal_bias
from nn.layers.attention import MultiheadAttention
from nn.layers.dense import Linear
from nn.layers.dropout import Dropout
from nn.layers.normalisation import LayerNorm
from nn.model.module import Module


class TransformerEncoderLayer(Module):
    """Self-attention, then two dense layers at each position; both parts have a skip connection and a LayerNorm.

    Parameters
    ----------
    d_model, nhead : the width, and the number of heads, which must divide it
    dim_feedforward : the width between the two dense layers
    dropout : the probability, from 0 to 1, of being dropped in training, for the attention weights, the values between
        the dense layers, and the result of each part
    activation : between the dense layers: "relu", "gelu" or a function
    layer_norm_eps : the eps of the LayerNorms
    batch_first : whether arrays are (batch, steps, d_model), not (steps, batch, d_model)
    norm_first : whether the input of each part is normalised (Xiong et al. 2020), not the sum after it
    bias : whether dense layers and LayerNorms have biases
    rng, dtype : as in MultiheadAttention

    Source: Vaswani et al. 2017, section 3.1.

    >>> layer = nn.TransformerEncoderLayer(8, nhead=2, dim_feedforward=16, rng=0)
    >>> layer(np.zeros((7, 5, 8))).shape
    (7, 5, 8)
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
        self.activation = _activation(activation, "TransformerEncoderLayer")
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
        """The result for src, of shape (steps, batch, d_model), in its shape; masks are as in MultiheadAttention."""
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


class TransformerDecoderLayer(Module):
    """A TransformerEncoderLayer with attention to the output of an encoder, the memory, between its two parts.

    The parameters are those of TransformerEncoderLayer (Vaswani et al. 2017, section 3.1).

    >>> layer = nn.TransformerDecoderLayer(8, nhead=2, dim_feedforward=16, batch_first=True, rng=0)
    >>> layer(np.zeros((5, 7, 8)), np.zeros((5, 3, 8))).shape
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
        self.norm_first = switch(norm_first, "TransformerDecoderLayer: norm_first")
        self.activation = _activation(activation, "TransformerDecoderLayer")
        made: dict[str, Any] = {"rng": shared, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **made)
        self.multihead_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **made)
        width = whole(dim_feedforward, "TransformerDecoderLayer's dim_feedforward")
        self.linear1 = Linear(d_model, width, bias, **made)
        self.dropout = Dropout(dropout, shared)
        self.linear2 = Linear(width, d_model, bias, **made)
        self.norm1, self.norm2, self.norm3 = (LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype) for _ in "123")
        self.dropout1, self.dropout2, self.dropout3 = (Dropout(dropout, shared) for _ in "123")

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Any:
        """The result for tgt, of shape (steps, batch, d_model), in its shape; memory is (keys, batch, d_model).

        The masks are as in MultiheadAttention: those that begin with tgt_ for the attention of tgt to itself, those
        that begin with memory_ for its attention to the memory.
        """
        itself = (tgt_key_padding_mask, False, tgt_mask, True, tgt_is_causal)
        across = (memory_key_padding_mask, False, memory_mask, True, memory_is_causal)
        parts: tuple[tuple[LayerNorm, Callable[[Any], Any]], ...] = (
            (self.norm1, lambda x: self.dropout1(self.self_attn(x, x, x, *itself)[0])),
            (self.norm2, lambda x: self.dropout2(self.multihead_attn(x, memory, memory, *across)[0])),
            (self.norm3, lambda x: self.dropout3(self.linear2(self.dropout(self.activation(self.linear1(x)))))),
        )
        x = tgt
        for norm, part in parts:
            x = x + part(norm(x)) if self.norm_first else norm(x + part(x))
        return x


class TransformerEncoder(Module):
    """A stack of encoder layers.

    Parameters
    ----------
    encoder_layer : a TransformerEncoderLayer, which is copied: all layers start with its weights, as in PyTorch
    num_layers : the number of copies
    norm : a LayerNorm for the result, needed after layers with norm_first; or None
    enable_nested_tensor, mask_check : have no effect; accepted for programs written for PyTorch

    >>> layer = nn.TransformerEncoderLayer(64, 4, 128, batch_first=True, rng=0)
    >>> encoder = nn.TransformerEncoder(layer, 2)
    >>> encoder(np.zeros((16, 32, 64)), is_causal=True).shape
    (16, 32, 64)
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        switch(enable_nested_tensor, "TransformerEncoder: enable_nested_tensor")
        switch(mask_check, "TransformerEncoder: mask_check")
        self.layers = _copies(encoder_layer, num_layers, "TransformerEncoder")
        self.norm = norm

    def forward(self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Any:
        """The result of all layers for src, each with these masks; shapes as in TransformerEncoderLayer."""
        for layer in self.layers:
            src = layer(src, src_mask=mask, src_key_padding_mask=src_key_padding_mask, is_causal=is_causal)
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """A stack of decoder layers; the parameters are those of TransformerEncoder.

    >>> decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(64, 4, 128, batch_first=True, rng=0), 2)
    >>> decoder(np.zeros((16, 32, 64)), np.zeros((16, 20, 64)), tgt_is_causal=True).shape
    (16, 32, 64)
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        self.layers = _copies(decoder_layer, num_layers, "TransformerDecoder")
        self.norm = norm

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Any:
        """The result of all layers for tgt; shapes and masks as in TransformerDecoderLayer."""
        masks = (tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask)
        for layer in self.layers:
            tgt = layer(tgt, memory, *masks, tgt_is_causal, memory_is_causal)
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """An encoder, and a decoder that attends to its output: from one sequence to another (Vaswani et al. 2017).

    Parameters
    ----------
    d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias : as in
        TransformerEncoderLayer
    num_encoder_layers, num_decoder_layers : the number of layers of each
    custom_encoder, custom_decoder : Modules to use instead
    rng, dtype : as in MultiheadAttention

    Weights start Xavier uniform, different in each layer.

    >>> model = nn.Transformer(64, 4, 2, 2, 128, batch_first=True, rng=0)
    >>> model(np.zeros((16, 20, 64)), np.zeros((16, 32, 64)), tgt_is_causal=True).shape
    (16, 32, 64)
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Any], Any] = "relu",
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        rng: init.Rng = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        shared = init.generator(rng)
        given = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)
        made: dict[str, Any] = {"rng": shared, "dtype": dtype}
        norm: dict[str, Any] = {"eps": layer_norm_eps, "bias": bias, "dtype": dtype}
        self.encoder: Module = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(*given, **made), num_encoder_layers, LayerNorm(d_model, **norm)
        )
        self.decoder: Module = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(*given, **made), num_decoder_layers, LayerNorm(d_model, **norm)
        )
        for tensor in self.parameters():
            if tensor.ndim > 1:
                tensor.value = init.xavier_uniform(tensor.shape, shared, tensor.dtype)

    def forward(
        self,
        src: Any,
        tgt: Any,
        src_mask: Any = None,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        src_is_causal: bool = False,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Any:
        """The decoder's result for tgt, of shape (steps, batch, d_model), in its shape; src is (keys, batch, d_model).

        The masks are as in MultiheadAttention; tgt_is_causal=True hides later steps from each step.
        """
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        padding = (tgt_key_padding_mask, memory_key_padding_mask)
        return self.decoder(tgt, memory, tgt_mask, memory_mask, *padding, tgt_is_causal, memory_is_causal)

    @staticmethod
    def generate_square_subsequent_mask(sz: int, *, dtype: npt.DTypeLike = np.float32) -> npt.NDArray[Any]:
        """The mask of is_causal=True, of shape (sz, sz), to add: 0 up to each row's step, -∞ for later steps."""
        size = whole(sz, "generate_square_subsequent_mask: sz")
        return causal_bias(size, size, init.floating(dtype)).copy()


def _copies(layer: Any, count: int, name: str) -> list[Module]:
    """Copies of a layer, all with the same weights."""
    if not isinstance(layer, Module):
        raise TypeError(
            f"{name} takes a layer, to be copied; received {layer!r:.80}. Write nn.{name}(nn.{name}Layer(64, 4), 2)."
        )
    # All layers share one generator: with copies of it, every layer would drop the same elements.
    shared = {id(rng): rng for _, rng in layer.named_generators()}
    return [copy.deepcopy(layer, dict(shared)) for _ in range(whole(count, f"{name}'s num_layers"))]


def _activation(activation: Any, layer: str) -> Callable[[Any], Any]:
    named = {"relu": functional.relu, "gelu": functional.gelu}
    found = named.get(activation) if isinstance(activation, str) else activation
    if callable(found):
        return found
    raise ValueError(f"{layer}'s activation is 'relu', 'gelu' or a function; received {activation!r:.80}.")
