"""Write sequences.safetensors: what PyTorch's recurrent and attention layers make of small inputs, in double precision.

Of each case its state dict, inputs, seeds, results, and the adjoints of inputs and parameters. Needs PyTorch and
safetensors; run once: `python tests/nn/references/make_sequences.py`. Tests read the file only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

LENGTHS = [5, 2, 3]
RECURRENT: dict[str, tuple[type[nn.Module], dict[str, Any]]] = {
    "RNN": (nn.RNN, {}),
    "RNN of relu": (nn.RNN, {"nonlinearity": "relu", "num_layers": 2, "bias": False}),
    "LSTM": (nn.LSTM, {"num_layers": 2, "bidirectional": True}),
    "LSTM batch first": (nn.LSTM, {"batch_first": True, "bias": False}),
    "LSTM projected": (nn.LSTM, {"num_layers": 2, "bidirectional": True, "proj_size": 2}),
    "GRU": (nn.GRU, {"num_layers": 2, "batch_first": True}),
    "GRU both ways": (nn.GRU, {"bidirectional": True}),
}
CELLS: dict[str, tuple[type[nn.Module], dict[str, Any]]] = {
    "RNNCell": (nn.RNNCell, {"nonlinearity": "relu"}),
    "LSTMCell": (nn.LSTMCell, {}),
    "GRUCell": (nn.GRUCell, {"bias": False}),
}
ENCODERS: dict[str, dict[str, Any]] = {
    "encoder": {"activation": "gelu", "norm_first": True, "batch_first": True},
    "encoder norm last": {"bias": False},
}
kept: dict[str, torch.Tensor] = {}


def drawn(*shape: int) -> torch.Tensor:
    """Random numbers, to differentiate by."""
    return torch.randn(shape, dtype=torch.float64, requires_grad=True)


def filled(layer: Any) -> Any:
    """The layer in double precision, with numbers in every parameter."""
    with torch.no_grad():
        for p in layer.double().parameters():
            p.copy_(torch.randn_like(p) * 0.6)
    return layer


def keep(case: str, layer: nn.Module | None, inputs: dict[str, torch.Tensor], run: Callable[[], Any]) -> None:
    """The layer's state, inputs, results y0, y1 ..., seeds; and adjoints by names."""
    named = {} if layer is None else dict(layer.named_parameters())
    results = run()
    seeds = [torch.randn_like(y) for y in results]
    varied = {name: x for name, x in (inputs | named).items() if x.requires_grad}
    adjoints = torch.autograd.grad(results, list(varied.values()), seeds)
    kept.update({f"{case}/adjoint of {name}": g for name, g in zip(varied, adjoints, strict=True)})
    kept.update({f"{case}/{name}": x for name, x in inputs.items()})
    kept.update({f"{case}/{what}{k}": x for what, xs in (("y", results), ("seed", seeds)) for k, x in enumerate(xs)})
    if layer is not None:
        kept.update({f"{case}.{name}": x for name, x in layer.state_dict().items()})


def recurrent() -> None:
    """Layers with a first state, without and with lengths; cells."""
    for case, (kind, options) in RECURRENT.items():
        layer = filled(kind(2, 3, **options))
        first, ways = options.get("batch_first", False), options.get("num_layers", 1) * (1 + layer.bidirectional)
        x = drawn(3, 5, 2) if first else drawn(5, 3, 2)
        widths = {"h": options.get("proj_size", 3), "c": 3}
        states = {name: drawn(ways, 3, widths[name]) for name in ("h", "c")[: 2 if kind is nn.LSTM else 1]}
        hx = tuple(states.values()) if kind is nn.LSTM else states["h"]

        def run(packed: bool, layer: Any = layer, x: Any = x, hx: Any = hx, first: bool = first) -> list[torch.Tensor]:
            if packed:
                given = pack_padded_sequence(x, LENGTHS, batch_first=first, enforce_sorted=False)
                y, last = layer(given, hx)
                y, _ = pad_packed_sequence(y, batch_first=first)
            else:
                y, last = layer(x, hx)
            return [y, *(last if isinstance(last, tuple) else (last,))]

        keep(case, layer, {"x": x} | states, lambda run=run: run(packed=False))
        keep(f"{case} of lengths", layer, {"x": x} | states, lambda run=run: run(packed=True))
    for case, (kind, options) in CELLS.items():
        layer, x, h, c = filled(kind(2, 3, **options)), drawn(4, 2), drawn(4, 3), drawn(4, 3)
        if kind is nn.LSTMCell:
            keep(case, layer, {"x": x, "h": h, "c": c}, lambda x=x, h=h, c=c, layer=layer: list(layer(x, (h, c))))
        else:
            keep(case, layer, {"x": x, "h": h}, lambda x=x, h=h, layer=layer: [layer(x, h)])


def attention() -> None:
    """Attention with each kind of mask; several heads, on one sequence and across two; encoders."""
    q, k, v, wide = drawn(2, 4, 3), drawn(2, 5, 3), drawn(2, 5, 2), drawn(2, 5, 4)
    seen, added = torch.rand(4, 5) < 0.6, drawn(4, 5)
    attend = nn.functional.scaled_dot_product_attention
    shared = {"q": q, "k": k, "v": v}
    keep("attention", None, shared, lambda: [attend(q, k, v)])
    keep("attention seen", None, shared | {"mask": seen}, lambda: [attend(q, k, v, seen, scale=0.7)])
    keep("attention added", None, shared | {"mask": added}, lambda: [attend(q, k, v, added)])
    keep("attention causal", None, shared, lambda: [attend(q, k, v, is_causal=True)])

    x, padding = drawn(2, 4, 6), torch.tensor([[False, False, True, True], [False, True, False, False]])
    hidden = torch.rand(4, 4) < 0.4
    hidden[:, 0] = False  # a query that may look nowhere is NaN there
    layer = filled(nn.MultiheadAttention(6, 2, batch_first=True))
    given = {"x": x, "padding": padding, "mask": hidden}
    options = {"key_padding_mask": padding, "attn_mask": hidden}
    keep("heads", layer, given, lambda: list(layer(x, x, x, **options)))
    keep("heads apart", layer, given, lambda: list(layer(x, x, x, **options, average_attn_weights=False)))
    across = filled(nn.MultiheadAttention(6, 3, bias=False, kdim=3, vdim=4))
    query = drawn(4, 5, 6)
    a, b = k.detach().clone().requires_grad_(), wide  # (keys, batch, width)
    keep("heads across", across, {"q": query, "k": a, "v": b}, lambda: list(across(query, a, b)))

    longer = filled(nn.MultiheadAttention(6, 2, add_bias_kv=True, add_zero_attn=True, batch_first=True))
    keep("heads with more", longer, given, lambda: list(longer(x, x, x, **options)))

    causal = nn.Transformer.generate_square_subsequent_mask(4, dtype=torch.float64)
    for case, more in ENCODERS.items():
        one = nn.TransformerEncoderLayer(6, 2, 5, dropout=0.0, **more)
        encoder = filled(nn.TransformerEncoder(one, 2, nn.LayerNorm(6), enable_nested_tensor=False))
        src = drawn(4, 4, 6)
        keep(case, encoder, {"x": src}, lambda e=encoder, s=src: [e(s, mask=causal, is_causal=True)])
        whole = filled(nn.Transformer(6, 2, 1, 2, 5, dropout=0.0, **more))
        tgt, past = (
            drawn(4, 4, 6),
            {"tgt_mask": causal, "memory_key_padding_mask": torch.arange(4) >= torch.tensor([[4], [3], [2], [4]])},
        )
        keep(
            case.replace("encoder", "transformer"),
            whole,
            {"x": src, "tgt": tgt, "padding": past["memory_key_padding_mask"]},
            lambda m=whole, s=src, t=tgt, past=past: [m(s, t, **past)],
        )


if __name__ == "__main__":
    torch.manual_seed(0)
    recurrent()
    attention()
    tensors = {name: x.detach().contiguous().clone() for name, x in kept.items()}
    save_file(tensors, Path(__file__).with_name("sequences.safetensors"))
