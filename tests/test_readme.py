"""Everything in the README that can be run is run, and what it shows is what comes."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

import pytest
from helpers import ROOT, footnote, ran

README = (ROOT / "README.md").read_text()
EXPECTED_CODES = {"What is the population of India?": 3}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {"FOOTNOTE_INDEX_DIR": str(tmp_path_factory.mktemp("readme"))}


def test_the_python_lines_print_what_is_shown(environment: dict[str, str], tmp_path: Path) -> None:
    (code,) = blocks("python")
    file = tmp_path / "new_file.py"
    file.write_text(code)
    done = ran([sys.executable, file], env=os.environ | environment)
    assert done.returncode == 0, done.stderr
    shown = README.split("```python")[1].split("```")[1].split("`answer.status")[0]
    assert done.stdout.split() == shown.split()


def commands() -> list[str]:
    return [line for block in blocks("sh") for line in block.splitlines() if line.strip()]


@pytest.mark.parametrize("command", commands())
def test_every_command_runs(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(ROOT)
    name, *arguments = shlex.split(command)
    assert name == "footnote"
    expected = next((code for text, code in EXPECTED_CODES.items() if text in arguments), 0)
    done = footnote(*arguments, code=expected, **environment)
    assert done.stdout.strip()


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("chat", "footnote chat"),
        ("test", "pytest"),
        ("check", "mypy"),
        ("eval", "footnote eval"),
    ],
)
def test_make_targets_are_there(target: str, command: str) -> None:
    """`make test` runs this; what each target would run is asked of make itself."""
    done = ran(["make", "--dry-run", target], cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert command in done.stdout


def test_it_is_short_for_the_help_tells_the_rest() -> None:
    assert len(README.split()) <= 1200
    named = re.findall(r"\]\(([^)#:]+)\)", README)
    assert all((ROOT / name).exists() for name in named), named
    assert len({name for name in named if name.startswith("assistant/help/topics/")}) > 10
