"""Fixtures of the evaluation: its command, small question sets, the result of one."""

from __future__ import annotations

from pathlib import Path

import pytest
from question_sets import CHOSEN, MILL, SEED, TOWN, Eval, write
from typer.testing import CliRunner

from evals.cli.main import app
from index.errors import FootnoteError


@pytest.fixture(scope="session")
def footnote_eval(tmp_path_factory: pytest.TempPathFactory) -> Eval:
    """The command, in this process; gives what it prints and checks its exit code."""
    index = tmp_path_factory.mktemp("evals")

    def call(*arguments: str | Path, code: int = 0, index_dir: Path = index) -> str:
        given = [str(argument) for argument in arguments]
        if given[0] in ("run", "endpoint"):
            given += ["--index-dir", str(index_dir)]
        done = CliRunner().invoke(app, given)
        if isinstance(done.exception, FootnoteError):
            raise done.exception
        assert done.exit_code == code, (done.output, done.exception)
        return done.output

    return call


@pytest.fixture(scope="session")
def subset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some of the shipped questions."""
    lines = SEED.read_text(encoding="utf-8").splitlines()
    file = tmp_path_factory.mktemp("subset") / "subset.jsonl"
    file.write_text("\n".join(lines[n] for n in CHOSEN) + "\n", encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def passages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of passages; the last has two paragraphs, the second question no answer."""
    folder = tmp_path_factory.mktemp("passages") / "mills"
    texts = [MILL, "Rain fell for a week.", "<script>alert(1)</script> said the miller.\n\nA dog."]
    write(folder / "corpus.jsonl", *({"id": f"p{n}", "text": t} for n, t in enumerate(texts)))
    write(
        folder / "questions.jsonl",
        {
            "id": "q0",
            "question": "When did the mill burn down?",
            "answerable": True,
            "gold": ["p0"],
            "answers": ["1871"],
        },
        {"id": "q1", "question": "<b>Who</b> is the pope?", "answerable": False},
        {"id": "q2", "question": "What did the miller say?", "answerable": True, "gold": ["p2"]},
    )
    return folder


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The questions of a town and its document, a set of six, in the order of TOWN."""
    folder = tmp_path_factory.mktemp("town")
    mill, anew, bridge, _, school, _ = TOWN.values()
    text = f"# Town\n\n{mill} {anew}\n\n{bridge} It leads to the school.\n\n{school}\n"
    write(folder / "town.md", text)
    lines = (
        {"id": f"t{n}", "question": question, "answerable": quote is not None}
        | ({"evidence": [quote], "answers": [quote.removesuffix(".")]} if quote else {})
        for n, (question, quote) in enumerate(TOWN.items())
    )
    return write(folder / "town.jsonl", {"documents": ["town.md"]}, *lines)


@pytest.fixture(scope="session")
def result(footnote_eval: Eval, subset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The result of the subset, next to its report."""
    folder = tmp_path_factory.mktemp("result")
    footnote_eval("run", subset, "--json", folder / "a.json", "--html", folder / "a.html")
    return folder / "a.json"
