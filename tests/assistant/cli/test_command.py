"""The command `footnote`, as it is installed."""

from __future__ import annotations

import json
import os
import subprocess
import tomllib
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from helpers import FOOTNOTE, ROOT, footnote, ran, run_footnote

from assistant.schemas.answers import AnswerValue
from assistant.settings import load_settings
from index.about import DISTRIBUTION
from index.errors import SettingsError

QUESTION = "When was the US Indo-Pacific strategy released?"
QUOTE = "The US Indo-Pacific strategy was released on February 11."

HIT_KEYS = "paragraph document source heading locator uncertain score start end text".split()


def test_ask_answers_from_the_shipped_document(tmp_path: Path) -> None:
    done = run_footnote("ask", QUESTION, "--json", "--index-dir", tmp_path)
    answer = json.loads(done.stdout)
    assert AnswerValue.model_validate(answer).status == "answered"  # it has all names and no others
    assert QUOTE in answer["text"]
    assert QUOTE in [citation["quote"] for citation in answer["citations"]]
    text = Path(answer["citations"][0]["source"]).read_text(encoding="utf-8")
    for citation in answer["citations"]:
        assert text[citation["start"] : citation["end"]] == citation["quote"]
    # Progress is told beside the output, and nothing else is.
    assert done.stderr.splitlines() == ["Indexing 32 paragraphs …"]


@pytest.mark.parametrize(
    ("flags", "code", "begins", "holds"),
    [
        ((QUESTION,), 0, f"{QUOTE} [1]", "\nSources:\n[1] "),
        ((QUESTION, "--passages"), 0, f"{QUOTE} [1]", "\nOther possible answers:\n[1] "),
        (("Thanks!",), 0, "Glad to help. Ask anything about the documents.\n", ""),
        (
            ("Summarize the section on India in two sentences.",),
            0,
            "India and the Quad\n- ",
            "",
        ),
        (
            (QUESTION, "--refuse-below", "0", "--answer-from", "1"),
            4,
            "Possible answers:\nNortheast Asia in early 2022 › ",
            f"\n- {QUOTE} [1]\n",
        ),
        (
            (QUESTION, "--refuse-below", "1", "--reader", "none"),
            3,
            "Not found in your documents.\n\nClosest paragraphs:\n[1] ",
            "\n[3] ",
        ),
    ],
)
def test_ask_prints_for_people_and_for_programs(
    folder: Path, flags: tuple[str, ...], code: int, begins: str, holds: str
) -> None:
    done = footnote("ask", *flags, "--index-dir", folder, code=code)
    assert done.stdout.startswith(begins)
    assert holds in done.stdout
    assert ("--passages" in flags) == ("\nOther possible answers" in done.stdout)
    assert done.stderr == ""
    told = footnote("ask", *flags, "--index-dir", folder, "--json", code=code)
    answer = json.loads(told.stdout)
    assert AnswerValue.model_validate(answer)
    assert (answer["status"], answer["refused"]) == (
        {0: "answered", 3: "refused", 4: "unsure"}[code],
        code == 3,
    )
    assert len(answer["closest"]) <= {0: 5, 3: 3, 4: 0}[code]


def test_search_prints_paragraphs(folder: Path) -> None:
    arguments = ("search", "missile defense", "-k", "4", "--index-dir", folder)
    found = json.loads(footnote(*arguments, "--json").stdout)
    assert [list(hit) for hit in found] == [HIT_KEYS] * 4
    text = Path(found[0]["source"]).read_text(encoding="utf-8")
    for hit in found:
        assert text[hit["start"] : hit["end"]] == hit["text"]
    assert f"paragraph {found[0]['paragraph']}\n" in footnote(*arguments).stdout


def names_of(done: subprocess.CompletedProcess[str]) -> set[str]:
    """The names of the files that hits are of."""
    return {Path(hit["source"]).name for hit in json.loads(done.stdout)}


def test_sources_are_files_and_folders(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    (notes / "deep").mkdir(parents=True)
    (notes / "ferry.txt").write_text("The ferry to Brenna leaves at nine.", encoding="utf-8")
    (notes / "deep" / "mill.md").write_text("# Mill\n\nThe mill of Corvane grinds rye.\n")
    (notes / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    lamp = tmp_path / "lamp.log"
    lamp.write_text("The lamp [red]of[/red] :smile: Corvane\x1b[31m burns oil.\n", encoding="utf-8")
    index = ("--index-dir", tmp_path / "index")
    search = ("search", "Corvane Brenna", "--json", *index)
    both = footnote(*search, "-s", notes, "--source", lamp)
    assert names_of(both) == {"ferry.txt", "mill.md", "lamp.log"}
    # What was asked before is not asked now.
    assert names_of(footnote(*search, "-s", notes / "ferry.txt")) == {"ferry.txt"}
    # Texts are printed as they are, but steer no terminal.
    out = footnote("search", "lamp", *index, "-s", lamp).stdout
    assert "The lamp [red]of[/red] :smile: Corvane\ufffd[31m burns oil." in out


def test_what_is_added_to_the_index_is_asked(tmp_path: Path) -> None:
    run = partial(footnote, FOOTNOTE_INDEX_DIR=str(tmp_path / "index"))
    name = "a rather long name of a file that fills more than the eighty columns of a terminal.txt"
    ferry, mill = tmp_path / name, tmp_path / "mill.md"
    ferry.write_text("The ferry to Brenna leaves at nine.", encoding="utf-8")
    about = "---\nauthors: [Ann, Bob, Cem, Dora]\ndate: 2022-03\n---\n"
    mill.write_text(f"{about}The mill of Corvane grinds rye.", encoding="utf-8")
    empty = "The index is empty. Add documents with: footnote index add PATH\n"
    assert run("index", "list").stdout == empty
    added = run("index", "add", ferry, mill)
    told = "2 documents: 2 paragraphs added, 0 removed, 0 unchanged; 2 embedded.\n"
    assert (added.stdout, added.stderr) == (told, "Indexing 2 paragraphs …\n")
    assert "1 documents: 0 paragraphs added" in run("index", "add", ferry).stdout
    assert names_of(run("search", "Brenna", "--json")) == {ferry.name, mill.name}
    run("search", "oil", "--source", Path(__file__))  # asked once, not kept

    other = {"FOOTNOTE_ENCODER": "all-MiniLM-L6-v2"}  # with which it is made anew by itself
    assert "Indexing" in run("index", "status", **other).stderr
    assert not run("index", "list", **other).stderr
    listed: list[dict[str, Any]] = json.loads(run("index", "list", "--json").stdout)
    kept = {entry["source"]: entry["kept"] for entry in listed}
    assert kept == {str(ferry): True, str(mill): True, __file__: False}
    [told] = [entry for entry in listed if entry["source"] == str(mill)]
    assert (told["authors"], told["date"]) == (["Ann", "Bob", "Cem", "Dora"], "2022-03")
    assert (told["address"], told["pages"], told["bytes"]) == ("", 0, mill.stat().st_size)
    assert datetime.fromisoformat(told["added"]).tzinfo == UTC
    shown = run("index", "list").stdout
    assert str(ferry) in shown and f"{mill}\n{'':<36}Ann et al. · 2022-03\n" in shown
    status = json.loads(run("index", "status", "--json").stdout)
    assert (status["documents"], status["bytes"] > 0) == (3, True)
    assert "paragraphs" in run("index", "status").stdout

    [identity] = [entry["id"] for entry in listed if entry["source"] == str(ferry)]
    run("index", "remove", identity, str(mill))
    assert identity in run("index", "remove", identity, code=2).stderr
    assert ferry.exists()
    [shipped] = (ROOT / "seeds").glob("*.txt")  # nothing is kept
    assert names_of(run("search", "Brenna", "--json")) == {shipped.name}


@pytest.mark.parametrize(
    ("flags", "environment", "content", "told"),
    [
        ((), {"FOOTNOTE_ENCODR": "x"}, "", "Did you mean FOOTNOTE_ENCODER?"),
        ((), {"FOOTNOTE_IGNORE": "drafts/"}, "", '["drafts/"]'),
        ((), {"FOOTNOTE_CONFIG": "none.toml"}, "", "FOOTNOTE_CONFIG names 'none.toml'"),
        ((), {}, "max_sentence = 2\n", "Did you mean max_sentences?"),
        ((), {}, "max_sentences = 50\n", "max_sentences is 50"),
        ((), {}, "max_sentences =", "cannot be read"),
        ((), {}, "\xe9", "cannot be read"),
        (("--refuse-bellow", "1"), {}, "", "--refuse-below"),
        (("--answer-from", "0.5"), {}, "refuse_below = 0.9\n", "0.9 and answer_from 0.5"),
    ],
)
def test_unknown_settings_are_refused(
    tmp_path: Path, flags: tuple[str, ...], environment: dict[str, str], content: str, told: str
) -> None:
    file = tmp_path / "footnote.toml"
    file.write_text(content, encoding="latin-1")
    ask = ("ask", QUESTION, "--index-dir", tmp_path / "index", *flags)
    done = footnote(*ask, code=2, **({"FOOTNOTE_CONFIG": str(file)} | environment))
    assert done.stdout == ""
    assert told in done.stderr


def test_flags_go_before_the_environment_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "footnote.toml"
    file.write_text('max_sentences = 2\nreader = "none"\nllm_timeout = 7.5\n', encoding="utf-8")
    assert load_settings().max_sentences == 4
    monkeypatch.setenv("FOOTNOTE_CONFIG", str(file))
    monkeypatch.setenv("FOOTNOTE_AUTH", "name:password")  # the page's, and no setting
    assert load_settings().max_sentences == 2
    monkeypatch.setenv("FOOTNOTE_MAX_SENTENCES", "3")
    monkeypatch.setenv("FOOTNOTE_LLM_TIMEOUT", "8")
    settings = load_settings(max_sentences=1, answer_from=None)
    assert (settings.max_sentences, settings.llm_timeout, settings.reader) == (1, 8.0, "none")
    assert settings.answer_from is None
    monkeypatch.setenv("FOOTNOTE_LLM_TIMEOUT", "soon")
    with pytest.raises(SettingsError, match="llm_timeout is 'soon'"):
        load_settings()


@pytest.mark.long
def test_output_may_be_cut_off_and_of_any_encoding(folder: Path) -> None:
    pipeline = f'"{FOOTNOTE}" search Japan -k 10 --json --index-dir "{folder}" | head -n 1; '
    done = ran(
        ["bash", "-c", f"{pipeline} exit ${{PIPESTATUS[0]}}"],
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[\n", "")
    ask = ("ask", QUESTION, "--index-dir", folder)
    assert "“" not in run_footnote(*ask, PYTHONIOENCODING="ascii").stdout


def test_a_page_for_others_takes_a_login(tmp_path: Path) -> None:
    folder, file = tmp_path / "index", tmp_path / "logins"
    chat = ("chat", "--no-open", "--index-dir", folder, "--host", "0.0.0.0")
    assert "0.0.0.0" in footnote(*chat, code=2).stderr
    for variable, content in (("nameonly", ""), (":", ""), ("a:b", "# me\nname:\n"), ("a:b", "#")):
        file.write_text(content)
        flags = ("--auth", file) if content else ()
        refused = footnote(*chat, *flags, code=2, FOOTNOTE_AUTH=variable)
        assert "name:password" in refused.stderr
    # A password that was written on the command line is not taken, nor shown again.
    refused = footnote(*chat, "--auth", "ann:s3cret", code=2)
    assert "s3cret" not in refused.stderr
    assert "not taken from the command line" in refused.stderr
    assert not (folder / "chroma").exists(), "it was refused before anything long"


def test_help_names_every_command() -> None:
    told = footnote("--help").stdout
    for name in ("ask", "search", "chat", "index", "notebooks", "doctor", "eval"):
        assert f" {name} " in told
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    main = "assistant.cli.main:main"
    assert project["project"]["scripts"] == {"footnote": main, DISTRIBUTION: main}
