"""What an installed package has to do at least: derivatives, a table, pictures with their scripts, a network."""

import tempfile
from pathlib import Path

import numpy as np

import autodiff as ad
import nn

x1, x2 = ad.Tensor(2.0, name="x1"), ad.Tensor(5.0, name="x2")
y = np.log(x1) + x1 * x2 - np.sin(x2)
y.backward()
assert x1.grad == 5.5
assert "reverse adjoint trace" in str(ad.trace(y))
with tempfile.TemporaryDirectory() as folder:
    for name in ("trace.svg", "trace.html", "trace.dot"):
        ad.draw(y).save(f"{folder}/{name}")
    ad.steps(y).save(f"{folder}/steps.html")
    assert all(path.stat().st_size > 200 for path in Path(folder).iterdir())
X, labels = nn.data.moons(200, rng=0)
model = nn.MLP(2, 16, 2, rng=0)
history = nn.fit(model, X, labels, loss="cross_entropy", optimizer="adam", epochs=3, rng=0, verbose=False)
assert history["loss"][-1] < history["loss"][0]
assert (Path(ad.__file__).parent / "py.typed").exists()
print("an installed package works:", ad.__file__)
