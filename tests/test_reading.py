"""Whatever is wrong with a file is said in one line that names it; nothing is believed unseen."""

import gzip
import io
import json
import random
import resource
import struct
import zipfile

import numpy as np
import pytest

import textgate as tg
from textgate import _reading as reading
from textgate._files import write_arrays, write_json
from textgate.datasets import EncodedText
from textgate.datasets.pair_files import read as read_pairs
from textgate.tokenizers import WordTokenizer

NOT_JSON = {
    "empty": b"",
    "garbage": random.Random(0).randbytes(300),
    "cut": b'{"a": [1, 2',
    "deep": b"[" * 100_000,
    "deep object": b'{"a":' * 100_000,
    "long number": b"1" * 5000,
    "half a pair": b'{"a": "\\ud800"}',
    "a list": b"[1]",
    "null": b"null",
}


def refused(path, kind=ValueError):
    """What the block raises is one line that ends with the file's name."""
    return pytest.raises(kind, match=rf"(?s)\A[^\n]*Received: [^\n]*{path.name}[^\n]*\Z")


def outcome(read, path):
    """What a `ValueError` says, or what was read."""
    try:
        return None, read(path)
    except ValueError as error:
        return str(error), None


@pytest.mark.parametrize("content", NOT_JSON.values(), ids=NOT_JSON)
@pytest.mark.parametrize("read", [reading.read_json, WordTokenizer.load])
def test_what_is_no_json_is_named(tmp_path, content, read):
    path = tmp_path / "vocabulary.json"
    path.write_bytes(content)
    with refused(path):
        read(path)


def test_a_damaged_file_of_each_room_is_named(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    recipe = tg.training.Recipe(units=(2,))
    for content in NOT_JSON.values():
        for name in ("config.json", "finding.json"):
            (run / "units").mkdir(exist_ok=True)
            (run / "config.json").write_text("{}")
            (run / ("units/finding.json" if "f" in name[:1] else name)).write_bytes(content)
            with refused(run / name):
                tg.report.read(run)
        (run / "config.json").write_bytes(content)
        (run / "model.keras").write_bytes(content)
        with refused(run / "config.json"):
            tg.models.load_run(run)
        with refused(run / "model.keras"):
            tg.load(run)
        with refused(run, FileExistsError):
            tg.training.train(recipe, run, progress=False)
        with pytest.raises(ValueError, match=r"Received: "):
            tg.interventions.from_json(content.decode("latin-1"))
        (run / "units" / "finding.json").unlink()


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"units": [[1], [2, 3]]}, "units"),
        ({"units": [10**400]}, "units"),
        ({"value": 10**400}, "finite"),
        ({"value": [1, [2]]}, "value"),
        ({"signal": ["cell_state"]}, "signal"),
        ({"layer": {"a": 1}}, "Steps"),
        ({"layer": [1]}, "layer"),
        ({"steps": {"rows": [], "steps": 10**400}}, "Steps"),
        ({"steps": [[True], [True, False]]}, "steps"),
        ({"subspace": [[10**400]]}, "subspace"),
    ],
)
def test_interventions_of_the_wrong_form_are_named(entries, said):
    clamp = {"intervention": "Clamp", "layer": "lstm", "signal": "cell_state", "value": 0.5}
    with pytest.raises(ValueError, match=f"{said}.*Received: "):
        tg.interventions.from_json(json.dumps(clamp | entries))


@pytest.mark.parametrize("place", ["x" * 5000, "a/" * 3000, "\0", 3, [1]])
def test_a_path_that_no_trace_can_have(place):
    patch = {"intervention": "Patch", "layer": "lstm", "signal": "cell_state"}
    source = {"path": place, "fingerprint": "0"}
    with pytest.raises((ValueError, FileNotFoundError), match=r"Received: "):
        tg.interventions.from_json(json.dumps(patch | {"source": source}))


def test_a_path_that_no_file_can_have():
    for path in ("x" * 5000, "a\0b"):
        for read in (tg.load, WordTokenizer.load, read_pairs, tg.tracing.open, tg.export.restore):
            with pytest.raises(FileNotFoundError, match=r"Received: "):
                read(path)


def arrays_file(path):
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.asfortranarray(np.ones((2, 3), "int8"))}
    write_arrays(path, arrays, {"step": 3})
    return arrays


def test_arrays_come_back(tmp_path):
    path = tmp_path / "checkpoint.npz"
    wanted = arrays_file(path)
    arrays, state = reading.read_arrays(path)
    assert state == {"step": 3}
    for name, array in wanted.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype


def test_no_byte_of_a_checkpoint_changes_what_is_read_unnoticed(tmp_path, rng):
    path = tmp_path / "checkpoint.npz"
    wanted = arrays_file(path)
    whole = path.read_bytes()
    refusals = 0
    for place in rng.integers(len(whole), size=200):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        said, found = outcome(reading.read_arrays, path)
        if said is not None:
            assert said.endswith(f"Received: {path}")
            refusals += 1
            continue
        arrays, state = found
        assert state == {"step": 3}  # a byte of ZIP that nobody reads
        assert all(np.array_equal(array, wanted[name]) for name, array in arrays.items())
    assert refusals > 100
    for length in range(0, len(whole), 37):
        path.write_bytes(whole[:length])
        with refused(path):
            reading.read_arrays(path)


def npy(shape, content=b""):
    file = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + content


@pytest.mark.parametrize("shape", [(10**7,), (10**12,), (2**62, 4), (10**30,)])
def test_an_array_is_no_larger_than_its_file(tmp_path, shape):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", npy(shape))
    with refused(path):
        reading.read_arrays(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", npy((2**17,), bytes(2**20)))
    with refused(path):
        reading.read_arrays(path)
    (tmp_path / "a.npy").write_bytes(npy(shape))
    with refused(tmp_path / "a.npy"):
        reading.read_array(tmp_path / "a.npy")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**14  # KiB


def test_what_numpy_would_unpickle_is_refused(tmp_path):
    file = io.BytesIO()
    np.save(file, np.array([print], dtype=object), allow_pickle=True)
    (tmp_path / "a.npy").write_bytes(file.getvalue())
    with refused(tmp_path / "a.npy"):
        reading.read_array(tmp_path / "a.npy")


def test_damaged_gzip_of_pairs_is_named(tmp_path, rng):
    path = tmp_path / "pairs.csv.gz"
    rows = "".join(f"The girl {n} lost,her,his\n" for n in range(50))
    whole = gzip.compress(("prefix,good,bad\n" + rows).encode(), mtime=0)
    path.write_bytes(whole)
    table = read_pairs(path)
    for place in rng.integers(len(whole), size=150):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        said, found = outcome(read_pairs, path)
        if said is None:
            assert found.equals(table)
        else:
            assert "Received: " in said
            assert path.name in said
    path.write_bytes(struct.pack("<I", 0x8088B1F))
    with refused(path):
        read_pairs(path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("p.csv", b"prefix,good,bad\n" + b"a" * 200_000 + b",her,his\n", None),
        ("p.csv", b"prefix,good,bad\n" + b"a" * 2_000_000 + b",her,his\n", "Line 2 has more than"),
        ("p.csv", b'prefix,good,bad\n"' + b"a\n" * 600_000 + b'",her,his\n', "field larger"),
        ("p.tsv", b"prefix\tgood\tbad\nA\x00\ther\this\n", "NUL"),
        ("p.csv", b"prefix,good,bad\r\n\r\nThe girl lost,her,his\r\n\r\n", None),
        ("p.csv", b'prefix,good,bad\n"The girl\xe2\x80\xa8 lost",her,his\n', None),
        ("p.jsonl", b"[" * 100_000 + b"\n", "Line 1 .*nested"),
        ("p.jsonl", b'{"sentence_good": "\\ud800", "sentence_bad": "b"}', "Line 1 .*surrogate"),
        ("p.jsonl", b"\xff\xfe", "UTF-8"),
        ("p.jsonl", b"", "empty"),
    ],
)
def test_absurd_pairs_are_named(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_bytes(content)
    if said is None:
        assert len(read_pairs(path)) == 1
        return
    with pytest.raises(ValueError, match=rf"{said}.*Received: .*{name}"):
        read_pairs(path)


def test_text_goes_by_in_bounded_memory(tmp_path):
    """A small file can be a gigabyte of text."""
    zeros = tmp_path / "zeros.txt.gz"
    with gzip.open(zeros, "wb", compresslevel=1) as file:
        for _ in range(64):
            file.write(b"0" * 2**20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match=r"word of more than .*Received: .*zeros"):
        WordTokenizer.train(tg.datasets.Corpus(zeros))
    pairs = zeros.rename(tmp_path / "pairs.csv.gz")
    with pytest.raises(ValueError, match=r"Line 1 has more than .*Received: .*pairs"):
        read_pairs(pairs)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**15  # KiB


def test_pairs_that_fit_into_no_memory_are_named(tmp_path, monkeypatch):
    path = tmp_path / "pairs.csv"
    path.write_text("prefix,good,bad\n" + "The girl lost,her,his\n" * 100)
    monkeypatch.setattr(tg.datasets.pair_files, "_MOST", 1000)
    with refused(path):
        read_pairs(path)


def test_no_flipped_bit_of_encoded_text_goes_unnoticed(tmp_path, rng):
    tokenizer = WordTokenizer(["a", "b", "c"])
    place = tmp_path / "text"
    EncodedText.encode(["a b", "c a b", "b"], tokenizer, place)
    for file in sorted(place.iterdir()):
        whole = file.read_bytes()
        for at in rng.integers(len(whole), size=8):
            file.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
            with pytest.raises(ValueError, match=r"Received: path="):
                EncodedText.load(place, tokenizer)
        for damage in (whole[:-1], b""):
            file.write_bytes(damage)
            with pytest.raises(ValueError, match=r"Received: path="):
                EncodedText.load(place, tokenizer)
        file.unlink()
        with pytest.raises(ValueError, match=r"Received: path="):
            EncodedText.load(place, tokenizer)
        file.write_bytes(whole)
    assert EncodedText.load(place, tokenizer).words == 6


def test_tables_that_are_none_are_named(tmp_path):
    path = tmp_path / "history.csv"
    for content in (b"", b"\xff\xfe", b'a,b\n"1', b"a,b\n1,2,3\n1,2,3,4\n", b"a\n", b"b\n1\n"):
        path.write_bytes(content)
        with refused(path):
            reading.read_table(path, ("a",))
    write_json(path, {"a": 1})
    with refused(path):
        reading.read_json(path, list)
