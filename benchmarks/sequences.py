"""Sequences, float32: a recurrent layer forward and back, and an Adam step of a small transformer of characters."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

import autodiff as ad
import nn
import nn.functional as F
from benchmarks.operations import Row, installed

STEPS, WIDTH = 32, 64
CHARACTERS, HEADS = 64, 4


def sequences() -> Iterator[Row]:
    """GRU, LSTM and RNN of batches of 32; a transformer of two layers, batch 16, without and with dropout.

    PyTorch with its fastest Adam (fused).
    """
    nn.reuse_memory()  # PyTorch keeps its memory as well
    for kind in ("GRU", "LSTM", "RNN"):
        contestants: dict[str, Callable[[], object]] = {"autodiff": _our_layer(kind)}
        if installed("torch"):
            contestants["PyTorch"] = _pytorchs_layer(kind)
        yield f"{kind} {WIDTH} to {WIDTH}, {STEPS} steps, batch 32, forward and back", contestants, 1, 10
    for dropout in (0.0, 0.1):
        contestants = {"autodiff": _our_transformer(dropout)}
        if installed("torch"):
            contestants["PyTorch"] = _pytorchs_transformer(dropout)
        title = f"Adam step, transformer of 2 layers, {STEPS} characters, batch 16, dropout {dropout}"
        yield title, contestants, 1, 5


def _drawn(batch: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((STEPS, batch, WIDTH)).astype(np.float32)


def _our_layer(kind: str) -> Callable[[], object]:
    layer, x, seed = getattr(nn, kind)(WIDTH, WIDTH, rng=0), _drawn(32), _drawn(32)

    def step() -> object:
        layer.zero_grad()
        layer(x)[0].backward(seed)
        return layer.weight_hh_l0.grad

    return step


def _pytorchs_layer(kind: str) -> Callable[[], object]:
    import torch

    torch.set_num_threads(1)
    layer, x, seed = getattr(torch.nn, kind)(WIDTH, WIDTH), torch.from_numpy(_drawn(32)), torch.from_numpy(_drawn(32))

    def step() -> object:
        layer.zero_grad()
        layer(x)[0].backward(seed)
        return layer.weight_hh_l0.grad

    return step


def _text() -> tuple[np.ndarray, np.ndarray]:
    text = np.random.default_rng(0).integers(0, CHARACTERS, (16, STEPS + 1))
    return text[:, :-1].copy(), text[:, 1:].reshape(-1)


def _our_transformer(dropout: float) -> Callable[[], object]:
    rng = np.random.default_rng(0)
    layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 4 * WIDTH, dropout, batch_first=True, rng=rng)
    embedding, head = nn.Embedding(CHARACTERS, WIDTH, rng=rng), nn.Linear(WIDTH, CHARACTERS, rng=rng)
    encoder = nn.TransformerEncoder(layer, 2)
    parameters: list[ad.Tensor] = [p for part in (embedding, encoder, head) for p in part.parameters()]
    optimizer = nn.optim.Adam(parameters, lr=1e-3)
    places = F.positional_encoding(STEPS, WIDTH)
    x, y = _text()

    def step() -> object:
        optimizer.zero_grad()
        logits = head(encoder(embedding(x) + places, is_causal=True))
        loss = F.cross_entropy(logits.reshape(-1, CHARACTERS), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def _pytorchs_transformer(dropout: float) -> Callable[[], object]:
    import torch

    torch.set_num_threads(1)
    layers = torch.nn
    layer = layers.TransformerEncoderLayer(WIDTH, HEADS, 4 * WIDTH, dropout, batch_first=True)
    embedding, head = layers.Embedding(CHARACTERS, WIDTH), layers.Linear(WIDTH, CHARACTERS)
    encoder = layers.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    parameters = [p for part in (embedding, encoder, head) for p in part.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=1e-3, fused=True)
    places = torch.from_numpy(F.positional_encoding(STEPS, WIDTH))
    mask = layers.Transformer.generate_square_subsequent_mask(STEPS)
    x, y = map(torch.from_numpy, _text())

    def step() -> object:
        optimizer.zero_grad()
        logits = head(encoder(embedding(x) + places, mask=mask, is_causal=True))
        loss = layers.functional.cross_entropy(logits.reshape(-1, CHARACTERS), y)
        loss.backward()
        optimizer.step()
        return loss

    return step
