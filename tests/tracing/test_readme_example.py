"""The README's ten lines for someone with a Keras model of their own do what they say."""

import re
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def test_the_ten_lines(tmp_path, monkeypatch):
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)
    blocks = [block for block in blocks if "tg.trace(model" in block and "heatmap" in block]
    (block,) = blocks
    assert len(block.strip().splitlines()) <= 12
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(block, names)
    assert names["trace"]["lstm"]["forget_gate"].dims == ("example", "time", "unit")
    assert (tmp_path / "gates.png").stat().st_size > 10_000
