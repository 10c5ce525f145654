"""The README's lines on a model of one's own do what they say."""

import re
from pathlib import Path

import textgate as tg
from tests.unit_search.planted_models import classifier, texts

README = Path(__file__).parents[2] / "README.md"


def test_the_lines_on_a_model_of_your_own(capsys):
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)
    (block,) = [block for block in blocks if "tg.contrasts(model" in block]
    model = classifier("lstm", [5], size=8)
    reviews, negated, table = texts(count=160)
    names = {"tg": tg, "model": model, "reviews": reviews, "negated": negated, "table": table}
    names |= {"x": reviews, "y": table["word"].to_numpy() * 0 + 1, "labels": table["word"]}
    exec(block.replace('"lstm"', '"rnn"'), names)
    assert names["finding"].both == (5,)
    assert "sufficient and necessary for negation" in capsys.readouterr().out
    assert names["table"]["share"].idxmax() == 5
    assert names["costs"]["loss_added"].idxmax() % 8 == 5
