"""The network of an experiment, neuron by neuron: every sum, value and adjoint, from the engine's passes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import autodiff as ad
import nn
from nn.playing import program
from nn.playing.settings import Settings

Array = npt.NDArray[Any]


class Layer:
    """One layer of neurons: a Linear and the layers after it; the last one, the output, is only a Linear."""

    def __init__(self, stage: program.Stage, rng: np.random.Generator) -> None:
        made = [(call, call.made(rng)) for call in stage.calls()]
        self.linear: nn.Linear = made[0][1]
        self.rest = [layer for _, layer in made[1:]]
        self.skip = stage.skip
        layers = [layer for _, layer in made]
        self.modules: list[nn.Module] = [nn.Residual(*layers)] if stage.skip else layers


class Passed(NamedTuple):
    """The results of a layer: the weighted sums z, and the neurons' values h."""

    sums: Any
    values: Any


class Network:
    """The model, and its layers of neurons in order."""

    def __init__(self, settings: Settings) -> None:
        self.rng = np.random.default_rng(settings.seed)
        self.layers = [Layer(stage, self.rng) for stage in program.stages(settings)]
        self.model = nn.Sequential(*(module for layer in self.layers for module in layer.modules))

    def weights(self) -> list[tuple[Array, Array]]:
        """Each layer's weight, of shape (neurons, neurons before), and bias; not copied."""
        return [(_value(linear.weight), _value(linear.bias)) for linear in self.linears]

    @property
    def linears(self) -> list[nn.Linear]:
        """The Linear of each layer."""
        return [layer.linear for layer in self.layers]

    def passed(self, x: Any) -> list[Passed]:
        """Every layer's sums and values for inputs of shape (samples, inputs); the last values are the output.

        The modules keep their mode: call `model.eval()` first if dropout should do nothing.
        """
        found = []
        for layer in self.layers:
            sums = layer.linear(x)
            values = sums
            for module in layer.rest:
                values = module(values)
            x = x + values if layer.skip else values
            found.append(Passed(sums, x))
        return found

    def sensitivity(self, x: Array) -> tuple[list[Array], list[Array]]:
        """The values of every layer, and the adjoints ∂output/∂h of each, both of shape (samples, neurons)."""
        found = self.passed(x)
        output = found[-1].values
        adjoints = output.adjoints(np.ones(output.shape, output.dtype))
        values = [layer.values for layer in found]
        return [h.value for h in values], [_adjoint(adjoints, h) for h in values]


class Adjoints(NamedTuple):
    """The adjoints of a loss: of each layer's weights and biases, sums, and values."""

    weights: list[Array]
    biases: list[Array]
    sums: list[Array]
    values: list[Array]


def of_loss(network: Network, found: list[Passed], loss: ad.Tensor) -> Adjoints:
    """The adjoints of a loss, for all that the layers computed; the model and its `.grad` stay as they are."""
    adjoints = loss.adjoints()
    return Adjoints(
        [_adjoint(adjoints, linear.weight) for linear in network.linears],
        [_adjoint(adjoints, linear.bias) for linear in network.linears],
        [_adjoint(adjoints, layer.sums) for layer in found],
        [_adjoint(adjoints, layer.values) for layer in found],
    )


def _value(parameter: Any) -> Array:
    return parameter.value


def _adjoint(adjoints: Any, tensor: Any) -> Array:
    """The adjoint of a tensor, 0 if the result does not depend on it."""
    found = adjoints.get(tensor)
    return np.zeros(tensor.shape, tensor.dtype) if found is None else np.asarray(found)
