"""The README's lines on layers do what they say."""

import re
from pathlib import Path

import keras
import numpy as np

import textgate as tg

README = Path(__file__).parents[2] / "README.md"


def test_the_lines_on_layers():
    blocks = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), flags=re.DOTALL)
    (block,) = [b for b in blocks if "return_gates=True" in b]
    x = np.zeros((2, 5, 3), "float32")
    model = keras.Sequential([keras.Input((5, 3)), keras.layers.GRU(4)])
    names = {"tg": tg, "x": x, "model": model}
    exec(block, names)
    assert names["gates"]["input_gate"].shape == (2, 5, 64)
    assert isinstance(names["ours"].layers[0], tg.layers.GRU)
