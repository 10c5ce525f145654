"""The built wheel works on its own: no checkout, no `data/` beside it."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

import textgate

ROOT = Path(textgate.__file__).parents[1]

pytestmark = pytest.mark.skipif(
    not (ROOT / "pyproject.toml").exists(), reason="needs a checkout to build from"
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    command = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.glob("*.whl")
    return built


def test_it_carries_the_tables(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for path in (ROOT / "data").iterdir():
        assert f"textgate/_data/{path.name}" in names
    assert not [name for name in names if name.startswith(("tests", "scripts"))]


def test_it_carries_what_type_checkers_and_late_imports_read(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    stubs = {path.relative_to(ROOT).as_posix() for path in (ROOT / "textgate").rglob("*.pyi")}
    assert "textgate/__init__.pyi" in stubs
    assert names >= stubs | {"textgate/py.typed"}


def test_it_works_in_an_environment_of_its_own(wheel, tmp_path):
    """The wheel alone is installed; its dependencies come from this environment by a path file.

    Without the checkout, that is: the editable install's own path file isn't taken along.
    """
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run(install, check=True)
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    # A path file's lines are added without reading the path files there.
    Path(site, "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    code = """
import textgate as tg, numpy as np, pathlib
assert pathlib.Path(tg.__file__).is_relative_to(pathlib.Path(__import__("sys").prefix)), tg.__file__
outputs, gates = tg.layers.LSTM(3, return_gates=True)(np.zeros((2, 4, 5)))
assert gates["forget_gate"].shape == (2, 4, 3)
pairs = tg.datasets.minimal_pairs("pronoun_agreement", split="test")
assert len(pairs) > 100
print("works")
"""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        [python, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        check=False,
    )
    assert done.stdout.strip() == "works", done.stderr
