"""What the help says can be done is done, and what it names is there."""

from __future__ import annotations

import io
import os
import re
import shlex
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from unittest.mock import patch

import pytest
from helpers import ROOT, footnote
from write_reference import commands, openapi, written

from assistant.help.topics import FOLDER, topic
from assistant.settings import PREFIX, RESERVED, Settings
from assistant.web.help import page_of

FILES = sorted(FOLDER.glob("*.md"))
OWN = "run by tests/test_help.py"
#: A block of code, with the comment before it that says how it is run.
BLOCK = re.compile(r"(?:<!-- ([^\n]*?) -->\n)?```(\w*)\n(.*?)```\n", re.DOTALL)

of_each = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def blocks(file: Path) -> list[tuple[str, str, str]]:
    """How each block is run, its language, and what it says."""
    return BLOCK.findall(file.read_text(encoding="utf-8"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the commands of a topic find the files that they name."""
    (tmp_path / "report.txt").write_text("The harbour\n\nThe ferry leaves at nine. It is blue.\n")
    (tmp_path / "summary.txt").write_text("The ferry leaves at nine.\n")
    (question,) = re.findall(
        r"```json\n(.*?)```", (FOLDER / "evaluation.md").read_text(), re.DOTALL
    )
    (tmp_path / "mine.jsonl").write_text(question)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "boats.txt").write_text("The ferry was built in 1911.\n")
    (tmp_path / "evals").symlink_to(ROOT / "evals")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "file",
    [file for file in FILES if any(how == OWN for how, _, _ in blocks(file))],
    ids=lambda file: file.stem,
)
def test_what_is_shown_runs_and_exits_as_it_says(file: Path, folder: Path) -> None:
    environment = {"FOOTNOTE_INDEX_DIR": str(folder / "index")}
    for how, language, text in blocks(file):
        if how != OWN:
            continue
        if language == "python":
            with patch.dict(os.environ, environment), redirect_stdout(io.StringIO()) as printed:
                exec(compile(text, file, "exec"), {"__name__": "__main__"})
            assert printed.getvalue().strip()
            continue
        assert language == "sh"
        for line in text.splitlines():
            told = re.search(r"# exits with (\d+)$", line)
            name, *arguments = shlex.split(line, comments=True)
            assert name == "footnote"
            footnote(*arguments, code=int(told[1]) if told else 0, **environment)


@of_each
def test_every_command_says_how_it_is_run(file: Path) -> None:
    for how, language, text in blocks(file):
        runs = language in ("python", "nginx") or re.search(
            r"^(footnote|curl) ", text, re.MULTILINE
        )
        if runs:
            assert re.match(r"run by tests/|not run: ", how), text
        for test in re.findall(r"tests/[\w/.]+", how):
            assert (ROOT / test).exists(), test
        if by := re.match(r"run by (tests/[\w/.]+)", how):
            source = (ROOT / by[1]).read_text(encoding="utf-8")
            assert how == OWN or "topic(" in source or "replicas" in source, by[1]


def shown_commands(file: Path) -> Iterator[str]:
    """Every command in a topic, in a block or in a line."""
    text = file.read_text(encoding="utf-8")
    yield from (shown.replace("\n", " ") for shown in re.findall(r"`(footnote [^`]+)`", text))
    yield from re.findall(r"^(footnote .*)$", text, re.MULTILINE)


@of_each
def test_commands_and_their_options_are_there(file: Path) -> None:
    known = commands()
    groups = {name.split()[0] for name in known}
    for shown in shown_commands(file):
        words = shlex.split(re.split(r" [|>&] ?", shown)[0], comments=True)[1:]
        names = [" ".join(words[:2]), words[0], f"{words[0]} run"]
        found = next((known[name] for name in names if name in known), None)
        if found is None:
            assert words[0] == "COMMAND" or (len(words) == 1 and words[0] in groups), shown
            continue
        options = {name for one in found.params for name in (*one.opts, *one.secondary_opts)}
        given = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert given <= options | {"--help"}, shown


@of_each
def test_what_is_linked_or_named_is_there(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    named = set(re.findall(rf"\b{PREFIX}[A-Z_]+\b", text))
    assert named <= {PREFIX + name.upper() for name in Settings.model_fields} | {*RESERVED, PREFIX}
    for method, path in re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/[^\s?`]+)", text):
        patterns = (p for p, methods in openapi()["paths"].items() if method.lower() in methods)
        assert any(
            re.fullmatch(re.sub(r"\{\w+\}", r"[^/]+", pattern), path) for pattern in patterns
        ), path
    for name, anchor in re.findall(r"\]\(([\w-]+)\.md(?:#([\w-]+))?\)", text):
        assert f'<a href="{name}{anchor and "#"}{anchor}">' in page_of(topic(file.stem))
        assert not anchor or f' id="{anchor}"' in page_of(topic(name)), (name, anchor)
    assert not re.findall(r"\]\((?![\w-]+\.md[#)]|https?://)", text)
    for name in re.findall(r"`((?:assistant|evals|index|tests)/[\w/]+\.\w+)`", text):
        assert (ROOT / name).is_file(), name


@of_each
def test_what_is_listed_of_the_code_is_what_the_code_has(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text == written(text), "Write it anew: python tests/support/write_reference.py"


def test_all_settings_and_routes_are_told() -> None:
    settings = (FOLDER / "settings.md").read_text(encoding="utf-8")
    assert set(re.findall(rf"^\| `{PREFIX}(\w+)`", settings, re.MULTILINE)) == {
        name.upper() for name in Settings.model_fields
    }
    api = (FOLDER / "api.md").read_text(encoding="utf-8")
    assert all(f" {path}`" in api for path in openapi()["paths"])
