"""The emblem and a model against their golden pictures. After a wanted change: python tests/picture/test_emblem.py"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from models import loss_of_mlp

from autodiff.arrays.tensor import Tensor
from autodiff.picture import Picture, draw

GOLDEN = Path(__file__).with_name("emblem.svg")
GOLDEN_MODEL = Path(__file__).with_name("mlp.svg")

OTHER_GRAPHS = """
import hashlib, sys
import numpy as np
from autodiff.picture import draw, steps
from autodiff.arrays.tensor import Tensor
from models import loss_of_mlp, scalar_mlp

x, w = Tensor(0.3, name="x"), Tensor(np.linspace(-1, 1, 30).reshape(5, 6), name="w")
chain = x
for _ in range(20):
    chain = 4 * chain * (1 - x)
array = np.mean(np.tanh(np.linspace(0, 2, 20).reshape(4, 5) @ w + np.ones(6)) ** 2)
model = loss_of_mlp()
pictures = [draw(chain), draw(array), draw(array, theme="dark"), draw(w * 2), draw(model), draw(model, depth=0)]
pictures += [draw(scalar_mlp()), draw(chain, max_cards=20)]
page = steps(chain).html + steps(model).html
assert "graphviz" not in sys.modules, "drawing must not pay for the exporter"
text = page + "".join(p.svg + p.to_dot().source + p.to_mermaid() + p.to_json() + p.html for p in pictures)
text += "".join(str(p._repr_mimebundle_()) for p in pictures)
print(hashlib.sha256(text.encode()).hexdigest())
"""


def emblem() -> Picture:
    x1, x2 = Tensor(2.0, name="x1"), Tensor(5.0, name="x2")
    return draw(np.log(x1) + x1 * x2 - np.sin(x2))


def folded_model() -> Picture:
    return draw(loss_of_mlp(), depth=1, title="MLP 2-16-16-1, one step on 32 points")


def test_the_folded_model_is_the_golden_picture_byte_for_byte():
    assert folded_model().svg == GOLDEN_MODEL.read_text(encoding="utf-8")


def test_the_emblem_is_the_golden_picture_byte_for_byte():
    assert emblem().svg == GOLDEN.read_text(encoding="utf-8")


def test_the_golden_picture_shows_the_numbers_of_the_lectures():
    golden = GOLDEN.read_text(encoding="utf-8")
    for number in ("0.6931", "−0.9589", "10.6931", "11.6521", "5.5", "1.7163"):
        assert f">{number}</text>" in golden


def test_pictures_do_not_depend_on_the_hash_seed():
    root = os.pathsep.join(map(str, (Path(__file__).parents[2], Path(__file__).parent)))
    digests = {
        subprocess.run(
            [sys.executable, "-c", OTHER_GRAPHS],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": root},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "4242")
    }
    assert len(digests) == 1


if __name__ == "__main__":
    GOLDEN.write_text(emblem().svg, encoding="utf-8", newline="\n")
    GOLDEN_MODEL.write_text(folded_model().svg, encoding="utf-8", newline="\n")
