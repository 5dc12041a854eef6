"""Data to train on: mini-batches, splits, synthetic and shipped sets, text, windows, and readers of files.

>>> X, y = nn.data.moons(500, noise=0.1, rng=0)
>>> X_train, X_test, y_train, y_test = nn.data.train_test_split(X, y, stratify=y, rng=0)
>>> for x, y in nn.data.DataLoader(X_train, y_train, batch_size=32, shuffle=True, rng=0):
...     assert x.shape[1:] == (2,)
"""

from typing import NoReturn

from nn import hints
from nn.data.dataset import TensorDataset, random_split
from nn.data.idx import mnist, read_idx
from nn.data.loader import DataLoader
from nn.data.pictures import image_folder
from nn.data.sequence import windows
from nn.data.shipped import breast_cancer, diabetes, digits, iris, wine
from nn.data.splitting import train_test_split
from nn.data.standardising import Standardiser, standardise
from nn.data.synthetic import blobs, circles, gauss, moons, spirals, waves, xor
from nn.data.table import Table, read_csv
from nn.data.text import Vocabulary

__all__ = [
    "DataLoader",
    "Standardiser",
    "Table",
    "TensorDataset",
    "Vocabulary",
    "blobs",
    "breast_cancer",
    "circles",
    "diabetes",
    "digits",
    "gauss",
    "image_folder",
    "iris",
    "mnist",
    "moons",
    "random_split",
    "read_csv",
    "read_idx",
    "spirals",
    "standardise",
    "train_test_split",
    "waves",
    "windows",
    "wine",
    "xor",
]


def __getattr__(name: str) -> NoReturn:
    raise hints.missing("nn.data", name, hints.DATA)
