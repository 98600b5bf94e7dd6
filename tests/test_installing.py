"""What is installed: what the wheel holds, and what is told where an extra is lacking."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest
from helpers import PATIENCE, ROOT, free_ports, ran, running

from assistant.settings import not_installed
from index.about import DISTRIBUTION, VERSION, install_command

#: Bytes of the wheel: the reading model and the checker have 26 million of them each, what the
#: encoder has learned 10, all the rest two.
MAX_WHEEL_BYTES = 65_000_000
PACKAGES = ("index", "assistant", "evals")
PIP = f"{sys.executable} -m pip"
QUESTION = "When was the US Indo-Pacific strategy released?"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built of a copy of what is here, so that no earlier build gets into it."""
    copy, built = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("built")
    for name in (*PACKAGES, "seeds"):
        left_out = shutil.ignore_patterns("node_modules", "__pycache__")
        shutil.copytree(ROOT / name, copy / name, ignore=left_out)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    options = ("--quiet", "--no-build-isolation", "--no-deps", "--no-index", "--wheel-dir")
    done = ran([sys.executable, "-m", "pip", "wheel", *options, built, copy])
    assert done.returncode == 0, done.stderr
    (found,) = built.iterdir()
    return found


def test_the_wheel_has_what_ships_and_no_more(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    shipped += [ROOT / package / "py.typed" for package in PACKAGES]
    # Question sets with their documents, the models, the page, templates.
    for folder in (ROOT / "evals" / "questions", ROOT / "assistant" / "llm" / "check"):
        shipped += [file for ending in ("jsonl", "md") for file in folder.rglob(f"*.{ending}")]
    shipped += [file for file in (ROOT / "assistant/web/static").rglob("*") if file.is_file()]
    shipped += (ROOT / "assistant" / "help" / "topics").glob("*.md")
    assert {
        *(str(file.relative_to(ROOT)) for file in shipped if "node_modules" not in file.parts),
        "assistant/exporting/words/de.json",
        "assistant/exporting/parts/styles.xml",
        "assistant/llm/check/questions.jsonl",
        "assistant/retrieval/weights/reader.onnx",
        "assistant/verification/weights/reader.onnx",
        "evals/reporting/report.html",
        "seeds/000_4ee72bb1d8602485.txt",
    } <= names
    left_out = ("evals/training/texts.zip", "evals/training/real.", "tests")
    assert not [name for name in names if name.startswith(left_out)]
    assert wheel.stat().st_size < MAX_WHEEL_BYTES


def test_the_wheel_tells_its_name_and_version_and_what_it_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        (name,) = (name for name in opened.namelist() if name.endswith("/METADATA"))
        metadata = message_from_bytes(opened.read(name))
    assert (metadata["Name"], metadata["Version"]) == (DISTRIBUTION, VERSION)
    # What only fitting and benchmarks need, only their extra asks for.
    lines = metadata.get_all("Requires-Dist", [])
    for package in ("pypdf", "scikit-learn"):
        required = [line for line in lines if re.match(rf"{package}\b", line)]
        assert required
        assert all(line.endswith('extra == "evals"') for line in required)
    # What asks for its own extras asks for itself.
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    ours = [one for asked in extras for one in asked if one.startswith("footnote")]
    assert ours
    assert all(one.startswith(f"{DISTRIBUTION}[") for one in ours)


@pytest.mark.parametrize(
    ("beside", "command"),
    [
        ("pipx_metadata.json", f"pipx inject {DISTRIBUTION} "),
        ("uv-receipt.toml", "uv tool install "),
        (None, f"{PIP} install "),
    ],
)
def test_an_extra_is_added_by_what_has_installed_the_rest(
    beside: str | None, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    if beside:
        (tmp_path / beside).touch()
    assert install_command("llm") == f"{command}'{DISTRIBUTION}[llm]'"
    assert not_installed("Writing", "llm").values["command"] == install_command("llm")


# --- the whole way, in an empty environment -------------------------------------------------------


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that is gone afterwards: an environment is large."""
    with tempfile.TemporaryDirectory(prefix="footnote-") as folder:
        yield Path(folder)


def made(place: Path, *packages: str) -> Path:
    """The programs of a new environment with these packages."""
    venv.create(place, with_pip=True)
    done = ran(
        [place / "bin" / "pip", "install", "--quiet", "--no-compile", *packages], env=apart(place)
    )
    assert done.returncode == 0, done.stderr
    return place / "bin"


def apart(place: Path) -> dict[str, str]:
    """An environment of variables in which nothing of this one is found, and all that is installed
    goes there. PyTorch is taken as it is here: the build without CUDA, where pip finds one."""
    constraints = place / "constraints.txt"
    constraints.write_text(f"torch=={version('torch')}\n")
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return own | {
        "HOME": str(place),
        "PIP_CONSTRAINT": str(constraints),
        "PIPX_HOME": str(place / "pipx"),
        "PIPX_BIN_DIR": str(place / "bin"),
        "UV_CACHE_DIR": str(place / "uv"),
        "UV_CONSTRAINT": str(constraints),
        "UV_FIND_LINKS": os.environ.get("PIP_FIND_LINKS", "").replace(" ", ","),
        "UV_PYTHON": sys.executable,
        "UV_PYTHON_DOWNLOADS": "never",
        "XDG_DATA_HOME": str(place / "data"),
        "XDG_CONFIG_HOME": str(place / "config"),
    }


@pytest.mark.long
@pytest.mark.parametrize("how", ["pip", "pipx", "uvx"])
def test_one_line_installs_what_answers(how: str, wheel: Path, place: Path) -> None:
    environment = apart(place)
    if how == "pip":
        command = [str(made(place / "empty", f"{wheel}[evals]") / "footnote")]
    elif how == "pipx":
        pipx = made(place / "tools", "pipx") / "pipx"
        install = [pipx, "install", "--pip-args=--no-compile", str(wheel)]
        subprocess.run(install, env=environment, timeout=PATIENCE, check=True)
        command = [str(place / "bin" / "footnote")]
    else:
        uvx = made(place / "tools", "uv") / "uvx"
        command = [str(uvx), "--from", str(wheel), "footnote"]

    def run(*arguments: str | Path) -> str:
        done = ran([*command, *map(str, arguments)], cwd=place, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "released on February 11" in run("ask", QUESTION)
    report = {one["about"]: one for one in json.loads(run("doctor", "--json"))["findings"]}
    assert report["libraries"]["state"] == "ok"
    refused = ran([*command, "mcp"], cwd=place, env=environment)
    assert refused.returncode != 0
    assert {"pip": " -m pip install ", "pipx": "pipx inject ", "uvx": "uv "}[how] in refused.stderr
    assert f"{DISTRIBUTION}[mcp]" in refused.stderr
    (port,) = free_ports(1)
    chat = [*command, "chat", "--no-open", "--port", str(port)]
    with running(chat, place / "log.txt", **environment, PYTHONPATH="") as (url, _):
        page = httpx.get(url, timeout=PATIENCE)
        assert page.status_code == 200
        assert "<title>Footnote" in page.text
        answer = httpx.post(f"{url}api/ask", json={"question": QUESTION}, timeout=PATIENCE).json()
        assert answer["status"] == "answered"
    if how == "pip":
        [packages] = (place / "empty").glob("lib/*/site-packages")
        questions = packages / "evals" / "questions" / "seed.jsonl"
        assert "hit@1" in run("eval", "run", questions, "--limit", "3")
