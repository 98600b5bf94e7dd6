"""What is installed: what the wheel holds, and what is told where an extra is lacking."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from helpers import PATIENCE, ROOT

from assistant.help.topics import topics

#: Bytes of the wheel: the reading model has 27 million of them, what the encoder has learned 10,
#: all the rest two.
LARGEST = 41_000_000
#: Runs the command as where the extra is not installed.
WITHOUT_EXTRA = """
import sys
sys.modules |= dict.fromkeys(("ir_measures", "matplotlib", "sklearn"))
from assistant.cli.main import main
sys.argv = ["footnote", "eval", *sys.argv[1:]]
main()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built of a copy of what is here, so that no earlier build gets into it."""
    copy, built = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("built")
    for name in ("index", "assistant", "evals", "seeds"):
        left_out = shutil.ignore_patterns("node_modules", "__pycache__")
        shutil.copytree(ROOT / name, copy / name, ignore=left_out)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    options = ("--quiet", "--no-build-isolation", "--no-deps", "--no-index", "--wheel-dir")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, built, copy],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (found,) = built.iterdir()
    return found


def test_the_wheel_has_what_ships_and_no_more(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for package in ("index", "assistant", "evals"):
        own = {str(file.relative_to(ROOT)) for file in (ROOT / package).rglob("*.py")}
        assert {name for name in own if "node_modules" not in name} <= names
    # Question sets with their documents, the models, the page, templates.
    folders = (ROOT / "evals" / "questions", ROOT / "assistant" / "llm" / "check")
    questions = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    assert ROOT / "assistant/llm/check/questions.jsonl" in questions
    questions = [file for file in questions if file.suffix in (".jsonl", ".md")]
    assert {str(file.relative_to(ROOT)) for file in questions} <= names
    assert {
        *(str(own.path.relative_to(ROOT)) for own in topics()),
        "assistant/retrieval/weights/reader.onnx",
        "assistant/web/static/page.html",
        "assistant/web/static/words/de.json",
        "evals/reporting/report.html",
        "seeds/000_4ee72bb1d8602485.txt",
    } <= names
    assert not [
        name
        for name in names
        if name.startswith(("evals/training/texts", "evals/training/real/", "tests"))
    ]
    assert wheel.stat().st_size < LARGEST


def test_only_the_extra_asks_for_what_only_the_evaluation_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        (metadata,) = (name for name in opened.namelist() if name.endswith("/METADATA"))
        lines = opened.read(metadata).decode().splitlines()
    for package in ("ir-measures", "matplotlib", "scikit-learn"):
        required = [line for line in lines if line.startswith(f"Requires-Dist: {package}")]
        assert len(required) == 1
        assert required[0].endswith('extra == "evals"')


@pytest.mark.parametrize("arguments", [["evals/questions/seed.jsonl"], ["compare", "a", "b"]])
def test_without_its_extra_the_evaluation_says_what_to_install(arguments: list[str]) -> None:
    done = without_extra(*arguments)
    assert done.returncode == 2
    assert "pip install 'footnote[evals]'" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_without_its_extra_there_is_help_and_a_question_is_kept(tmp_path: Path) -> None:
    assert "calibrate" in without_extra("--help").stdout
    file = tmp_path / "mine.jsonl"
    done = without_extra("add", "Who pays?", "--unanswerable", "--to", str(file))
    assert done.returncode == 0, done.stderr
    assert "Who pays?" in file.read_text(encoding="utf-8")


def without_extra(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRA, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
