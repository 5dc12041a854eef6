"""Activations, elementwise or along an axis: those of autodiff under the names that networks use."""

from __future__ import annotations

import numpy as np

import autodiff as ad

relu = ad.relu
leaky_relu = ad.leaky_relu
elu = ad.elu
gelu = ad.gelu
silu = ad.silu
tanh = np.tanh
sigmoid = ad.sigmoid
softplus = ad.softplus
softmax = ad.softmax
log_softmax = ad.log_softmax
