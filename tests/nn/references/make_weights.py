"""Write weights.safetensors: a PyTorch model's state dict, an input, and what the model makes of it in evaluation.

Needs PyTorch and safetensors; run once: `python tests/nn/references/make_weights.py`.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file


def convolutional() -> torch.nn.Module:
    return torch.nn.Sequential(
        torch.nn.Conv2d(2, 4, 3, padding=1, stride=2),
        torch.nn.BatchNorm2d(4),
        torch.nn.ReLU(),
        torch.nn.Conv2d(4, 4, (1, 3), groups=2, bias=False),
        torch.nn.MaxPool2d(2, 1),
        torch.nn.Flatten(),
        torch.nn.Linear(4 * 3 * 1, 5),
        torch.nn.BatchNorm1d(5),
        torch.nn.GELU(),
        torch.nn.LayerNorm(5),
        torch.nn.Linear(5, 3),
        torch.nn.LogSoftmax(dim=1),
    )


def words() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Embedding(7, 4), torch.nn.Flatten(), torch.nn.Linear(12, 2))


def family() -> torch.nn.Module:
    return torch.nn.Sequential(
        torch.nn.ConvTranspose2d(2, 4, 3, stride=2, padding=1, output_padding=1),
        torch.nn.GroupNorm(2, 4),
        torch.nn.PReLU(4),
        torch.nn.Conv2d(4, 3, 3, padding=1, padding_mode="circular"),
        torch.nn.InstanceNorm2d(3, affine=True, track_running_stats=True),
        torch.nn.Mish(),
        torch.nn.AdaptiveMaxPool2d(2),
        torch.nn.Flatten(2),
        torch.nn.Conv1d(3, 2, 2, groups=1, bias=False),
        torch.nn.Flatten(),
        torch.nn.RMSNorm(6),
        torch.nn.Linear(6, 3),
    )


if __name__ == "__main__":
    torch.manual_seed(0)
    tensors = {}
    for name, model, x in (
        ("convolutional", convolutional(), torch.randn(6, 2, 8, 7)),
        ("words", words(), torch.randint(0, 7, (5, 3))),
        ("family", family(), torch.randn(4, 2, 5, 4)),
    ):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(3):  # so that running averages and affine parameters are not what they started from
            optimizer.zero_grad()
            model(x).square().sum().backward()
            optimizer.step()
        tensors |= {f"{name}.{key}": value.contiguous() for key, value in model.state_dict().items()}
        tensors[f"{name}/input"], tensors[f"{name}/output"] = x, model.eval()(x).detach().contiguous()
    save_file(tensors, Path(__file__).with_name("weights.safetensors"))
