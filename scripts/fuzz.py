"""Throws damaged and absurd input at whatever reads input, and looks at what is raised.

    python scripts/fuzz.py                          # 2,000 inputs, seed 0
    python scripts/fuzz.py --seed 1 --inputs 100000
    python scripts/fuzz.py --only pairs json        # some of the targets

What a user can get wrong may raise `ValueError`, `TypeError` or `FileNotFoundError`
(`FileExistsError`, where something is in the way), in one line that ends in `Received: …`. Anything
else is printed with the input's number, which gives the same input again, and the exit code is 1.
"""

import argparse
import contextlib
import gzip
import io
import json
import random
import shutil
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ALLOWED = (ValueError, TypeError, FileNotFoundError, FileExistsError)

Target = Callable[[random.Random, Path], None]
TARGETS: dict[str, Target] = {}


def target(function: Target) -> Target:
    """Register a target: a function that makes one input and reads it."""
    TARGETS[function.__name__] = function
    return function


# -- inputs --------------------------------------------------------------------------------------

ODD = [
    "",
    " ",
    "\0",
    "\ud800",
    "é",
    "\u2028",
    "=1+1",
    "<unk>",
    "<pad>",
    "she",
    "n't",
    "\ufeff",
    "'",
]
LONG = 3000


def text_of(rng: random.Random) -> str:
    """Return a text: words, odd characters, or a long one."""
    kind = rng.randrange(4)
    if kind == 0:
        return " ".join(rng.choices(["She", "lost", "her", "way", ".", *ODD], k=rng.randrange(8)))
    if kind == 1:
        return "".join(chr(rng.randrange(0x110000)) for _ in range(rng.randrange(20)))
    if kind == 2:
        return rng.choice(ODD) * rng.randrange(LONG)
    return rng.choice(ODD)


def value_of(rng: random.Random, depth: int = 0) -> Any:
    """Return a value of any kind that JSON or Python has."""
    plain = [
        None, True, 0, -1, 3, 10**9, 10**400, -0.5, 1e308, float("nan"), float("inf"), [], {},
    ]  # fmt: skip
    kind = rng.randrange(4 if depth < 3 else 2)
    if kind == 0:
        return rng.choice(plain)
    if kind == 1:
        return text_of(rng)
    if kind == 2:
        return [value_of(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {text_of(rng)[:8]: value_of(rng, depth + 1) for _ in range(rng.randrange(4))}


def mutated(rng: random.Random, value: Any) -> Any:
    """Change one place of a value of JSON: another value, one less, or one more."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        kind = rng.randrange(8)
        if kind == 0:
            return {k: v for k, v in value.items() if k != key}
        if kind == 1:
            return {**value, text_of(rng)[:8]: value_of(rng)}
        return {**value, key: mutated(rng, value[key])}
    if isinstance(value, list) and value and rng.random() < 0.6:
        place = rng.randrange(len(value))
        return [*value[:place], mutated(rng, value[place]), *value[place + 1 :]]
    return value_of(rng)


def damaged(rng: random.Random, content: bytes) -> bytes:
    """Flip bits, cut, double or replace bytes."""
    kind = rng.randrange(6)
    place = rng.randrange(len(content) + 1)
    if kind == 0:
        return content[:place]
    if kind == 1:
        return content[:place] + rng.randbytes(rng.randrange(20)) + content[place:]
    if kind == 2:
        return rng.randbytes(rng.randrange(200))
    if kind == 3:
        return content[:place] + content[rng.randrange(len(content) + 1) :]
    changed = bytearray(content)
    for _ in range(rng.randrange(1, 4)):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


# -- targets -------------------------------------------------------------------------------------


@target
def tokenizer(rng: random.Random, folder: Path) -> None:
    """Texts, ids and vocabularies."""
    from textgate.tokenizers import WordTokenizer

    known = WordTokenizer(["she", "her", "n't", "."])
    kind = rng.randrange(6)
    if kind == 0:
        text = text_of(rng)
        assert len(known.encode(text)) == len(known.split(text))
    elif kind == 1:
        known.encode(value_of(rng))
    elif kind == 2:
        known.ids_to_tokens(rng.choice([[0, 5], [-1], [10**9], [10**400], [1.5]]))
    elif kind == 3:
        WordTokenizer([text_of(rng) for _ in range(rng.randrange(4))])
    elif kind == 4:
        texts = [text_of(rng) for _ in range(rng.randrange(4))]
        WordTokenizer.train(texts, size=rng.choice([None, 0, 5, 6, 1.5]))
    else:
        path = folder / "vocabulary.json"
        content = json.dumps(mutated(rng, known.get_config())).encode()
        path.write_bytes(rng.choice([content, damaged(rng, content)]))
        WordTokenizer.load(path)


PAIRS = {
    "pairs.csv": b'prefix,good,bad,note\nThe girl lost,her,his,"a, b"\nThe boy lost,his,her,\n',
    "pairs.tsv": b"prefix\tgood\tbad\nThe girl lost\ther\this\nThe boy lost\this\ther\n",
    "contexts.tsv": b"prefix\tpronoun\tgender\tattractors\nAnna lost\ther\tf\t0\n"
    b"Jim lost\this\tm\t1\n",
    "pairs.jsonl": b'{"sentence_good": "She lost her way.", "sentence_bad": "She lost his way."}\n'
    b'{"sentence_good": "He ran.", "sentence_bad": "He run.", "UID": "x", "pair_id": 3}\n',
}


@target
def pairs(rng: random.Random, folder: Path) -> None:
    """Files of minimal pairs and of contexts, also in gzip."""
    from textgate.datasets import minimal_pairs

    name = rng.choice(list(PAIRS))
    content = PAIRS[name]
    if rng.random() < 0.3:
        place = rng.randrange(len(content))
        content = content[:place] + text_of(rng).encode("utf-8", "surrogatepass") + content[place:]
    if rng.random() < 0.4:
        content, name = gzip.compress(content, mtime=0), f"{name}.gz"
    path = folder / name
    path.write_bytes(damaged(rng, content))
    minimal_pairs(path, size=rng.choice([None, 1, 0]))


@target
def corpora(rng: random.Random, folder: Path) -> None:
    """Files of plain text, also in gzip."""
    from textgate.datasets import Corpus

    content, name = b"She lost her way. He ran.\n\nIt rained.\n", "corpus.txt"
    if rng.random() < 0.5:
        content, name = gzip.compress(content, mtime=0), "corpus.txt.gz"
    (folder / name).write_bytes(damaged(rng, content))
    list(Corpus(folder / name, wrapped=rng.random() < 0.5))


INTERVENTIONS = [
    {"intervention": "Clamp", "layer": "lstm", "signal": "forget_gate", "units": [1], "value": 1.0},
    {"intervention": "ZeroAblation", "layer": "lstm", "signal": "cell_state", "units": [0, 2],
     "steps": {"slice": [0, 2, None]}},
    {"intervention": "ZeroAblation", "layer": "lstm", "signal": "cell_state",
     "steps": {"rows": ["0110"], "steps": 4}},
    {"intervention": "Steer", "layer": "lstm", "signal": "cell_state", "direction": [0.5, 1.0],
     "scale": 2.0},
    {"intervention": "Patch", "layer": "lstm", "signal": "cell_state",
     "source": {"path": "no.zarr", "fingerprint": "0"}},
]  # fmt: skip


@target
def interventions(rng: random.Random, folder: Path) -> None:
    """Interventions as JSON."""
    from textgate.interventions import from_json

    entries: Any = rng.choice(INTERVENTIONS)
    for _ in range(rng.randrange(1, 4)):
        entries = mutated(rng, entries)
    if rng.random() < 0.3:
        entries = [entries]
    text = json.dumps(entries)
    if rng.random() < 0.2:
        text = damaged(rng, text.encode()).decode("utf-8", "replace")
    from_json(text)


@target
def arguments(rng: random.Random, folder: Path) -> None:
    """Arguments of what a user calls."""
    import textgate as tg
    from textgate.study import Settings
    from textgate.training import Recipe

    def anything() -> Any:
        return value_of(rng)

    calls: list[Callable[[], Any]] = [
        lambda: tg.Clamp(
            "lstm", rng.choice(["forget_gate", anything()]), anything(), value=anything()
        ),
        lambda: tg.ZeroAblation(anything(), "cell_state", units=anything(), steps=anything()),
        lambda: tg.Steer("lstm", "cell_state", direction=anything(), scale=anything()),
        lambda: tg.datasets.minimal_pairs("number_agreement", split=anything(), size=1),
        lambda: tg.datasets.minimal_pairs(anything()),
        lambda: Recipe(**{rng.choice(["units", "cell", "dropout", "epochs", "seed"]): anything()}),
        lambda: Settings(cells=("lstm",), preset=text_of(rng)),
        lambda: tg.load(text_of(rng)),
        lambda: tg.tracing.open(text_of(rng)),
        lambda: tg.datasets.Corpus(text_of(rng)),
    ]
    rng.choice(calls)()


@target
def checkpoints(rng: random.Random, folder: Path) -> None:
    """Arrays and tables that a run holds."""
    import numpy as np

    from textgate import _reading
    from textgate._files import write_arrays

    if rng.random() < 0.7:
        path = folder / "checkpoint.npz"
        write_arrays(path, {"a": np.ones((2, 3)), "b": np.arange(4)}, {"step": 1})
        path.write_bytes(damaged(rng, path.read_bytes()))
        _reading.read_arrays(path)
    else:
        path = folder / "history.csv"
        path.write_bytes(damaged(rng, b"step,loss,words\n1,2.0,3\n2,1.5,6\n"))
        _reading.read_table(path, ("loss",))


@target
def runs(rng: random.Random, folder: Path) -> None:
    """The files of a run and of a study, as a report reads them."""
    import textgate as tg

    run = folder / "lstm"
    (run / "units").mkdir(parents=True)
    config = {"cell": "lstm", "units": [2], "data": "pronoun_agreement"}
    name = rng.choice(["config.json", "units/finding.json", "../study.json"])
    (run / "config.json").write_text(json.dumps(config))
    content = json.dumps(mutated(rng, config)).encode()
    (run / name).write_bytes(rng.choice([content, damaged(rng, content), b"[" * 100_000]))
    rng.choice([lambda: tg.report.read(folder), lambda: tg.models.load_run(run)])()


_traces: dict[str, Path] = {}


def _trace() -> Path:
    """Return a small stored trace, written once."""
    if not _traces:
        import keras
        import numpy as np

        import textgate as tg

        model = keras.Sequential([keras.Input((None, 2)), keras.layers.GRU(2, name="gru")])
        path = Path(tempfile.mkdtemp()) / "gates.zarr"
        tg.trace(model, np.ones((3, 4, 2)), labels={"sex": list("fmf")}, to=path)
        _traces["path"] = path
    return _traces["path"]


@target
def traces(rng: random.Random, folder: Path) -> None:
    """Zarr's metadata and chunks."""
    import textgate as tg

    path = folder / "gates.zarr"
    shutil.copytree(_trace(), path)
    kind = rng.choice(["zarr.json", "gru/zarr.json", "array", "chunk"])
    if kind == "array":
        file = rng.choice(sorted(path.glob("gru/*/zarr.json")))
    elif kind == "chunk":
        file = rng.choice(sorted(f for f in path.rglob("c/**/*") if f.is_file()))
    else:
        file = path / kind
    content = file.read_bytes()
    if kind == "chunk" or rng.random() < 0.3:
        file.write_bytes(damaged(rng, content))
    else:
        changed = json.loads(content)
        known = changed.get("attributes", {})
        if rng.random() < 0.7:
            changed["attributes"] = mutated(rng, known)
        else:
            changed = mutated(rng, changed)
        file.write_text(json.dumps(changed))
        if rng.random() < 0.8:  # somebody who means harm makes size and digest fit
            _sealed(path)
    tg.tracing.open(path).load()


def _sealed(path: Path) -> None:
    """Make a store say of itself what is so, as one of an earlier version does."""
    root = path / "zarr.json"
    with contextlib.suppress(Exception):  # if the root itself is spoilt, so it stays
        content = json.loads(root.read_text())
        files = [file for file in path.rglob("*") if file.is_file() and file.parent != path]
        content["attributes"] |= {
            "stored_files": len(files),
            "stored_bytes": sum(file.stat().st_size for file in files),
        }
        content["attributes"].pop("stored_metadata", None)
        root.write_text(json.dumps(content))


COMMANDS = ["train", "evaluate", "trace", "units", "report", "export", "study", "compare", "next"]
OPTIONS = ["--units", "--cell", "--seed", "--to", "--pairs", "--text", "--split", "--size", "--out",
           "--layer", "--stage", "--data", "--epochs", "--preset", "--cells", "--half",
           "--learning-rate", "--vocabulary", "--overwrite", "--validation", "--rungs"]  # fmt: skip


@target
def commands(rng: random.Random, folder: Path) -> None:
    """Command lines; nothing that they name is there, so that nothing is computed."""
    from textgate.cli import main as command_line

    def word() -> str:
        kinds = ["no/such/run", str(folder), "-1", "0", "1e400", "a,b", text_of(rng)]
        return rng.choice(kinds).replace("\0", "")

    first = rng.choice(["no/such/run", str(folder / "empty"), "x" * LONG])
    line = [rng.choice([*COMMANDS, word()]), first, "--data", str(folder / "no.txt")]
    if line[0] not in ("train",):
        line = line[:2]
    if line[0] in ("study", "compare"):
        line += ["--text", str(folder / "no.txt")] if line[0] == "study" else ["--seeds", "0"]
    for _ in range(rng.randrange(4)):
        line += [rng.choice(OPTIONS), word()]
    said, before = io.StringIO(), (sys.argv, sys.stdin)
    sys.argv, sys.stdin = ["textgate", *line], io.StringIO(text_of(rng))
    try:
        with (
            contextlib.chdir(folder),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(said),
        ):
            command_line()
    except SystemExit as left:
        last = said.getvalue().strip().splitlines()[-1:]
        if left.code == 2 and last and last[0].startswith("textgate: error: "):
            raise ValueError(last[0]) from None
    finally:
        sys.argv, sys.stdin = before


# -- running -------------------------------------------------------------------------------------


def wrong(error: BaseException) -> str | None:
    """Return what is wrong with an exception, `None` if it is as it should be."""
    if not isinstance(error, ALLOWED):
        return type(error).__name__
    if "Received: " not in str(error):
        return f"{type(error).__name__} without Received"
    return "several lines" if "\n" in str(error) else None


def fuzz(names: list[str], seed: int, inputs: int) -> Iterator[tuple[str, int, str, BaseException]]:
    """Try inputs, and yield the target, the number, what is wrong, and the exception."""
    for number in range(inputs):
        name = names[number % len(names)]
        rng = random.Random(f"{seed} {name} {number}")
        with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                with contextlib.redirect_stderr(io.StringIO()):
                    TARGETS[name](rng, Path(place))
            except Exception as error:
                what = wrong(error)
                if what is not None:
                    yield name, number, what, error


def main() -> int:
    """Parse the command line and print what is wrong."""
    parser = argparse.ArgumentParser(description="Fuzz whatever reads input.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--inputs", type=int, default=2000)
    parser.add_argument("--only", nargs="+", choices=sorted(TARGETS), default=sorted(TARGETS))
    options = parser.parse_args()
    counts: Counter[tuple[str, str, str]] = Counter()
    for name, number, what, error in fuzz(options.only, options.seed, options.inputs):
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if "textgate" in frame.filename] or frames
        place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"
        counts[name, what, place] += 1
        if counts[name, what, place] == 1:
            print(f"{name} {number}: {what} at {place}: {str(error)[:200]!r}", flush=True)
    total = sum(counts.values())
    print(f"{options.inputs} inputs with seed {options.seed}: {total} wrong")
    for (name, what, place), count in counts.most_common():
        print(f"  {count:6} {name}: {what} at {place}")
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
