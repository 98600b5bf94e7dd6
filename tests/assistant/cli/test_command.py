"""The command `footnote`, as it is installed."""

from __future__ import annotations

import json
import os
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from helpers import FOOTNOTE, PATIENCE, ROOT, footnote, run_footnote

from assistant import Assistant
from assistant.cli.main import main
from assistant.settings import load_settings
from index.errors import SettingsError

QUESTION = "When was the US Indo-Pacific strategy released?"
QUOTE = "The US Indo-Pacific strategy was released on February 11."

ANSWER_KEYS = [
    "question",
    "standalone_question",
    "context",
    "status",
    "refused",
    "kind",
    "confidence",
    "text",
    "sentences",
    "citations",
    "closest",
    "unanswered",
    "undecided",
    "dropped",
    "note",
    "revision",
    "timings_ms",
]
SENTENCE_KEYS = ["text", "verdict", "markers", "item", "about"]
CITATION_KEYS = {
    "marker",
    "document",
    "document_id",
    "source",
    "heading",
    "paragraph",
    "page",
    "locator",
    "rectangles",
    "start",
    "end",
    "quote",
    "paragraph_start",
    "paragraph_end",
    "paragraph_text",
}
HIT_KEYS = [
    "paragraph",
    "document",
    "source",
    "heading",
    "locator",
    "score",
    "legs",
    "start",
    "end",
    "text",
]


def in_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str | Path
) -> tuple[int, str, str]:
    """Run the command in this process: its exit code, output and errors."""
    monkeypatch.setattr("sys.argv", ["footnote", *map(str, arguments)])
    with pytest.raises(SystemExit) as ending:
        main()
    output = capsys.readouterr()
    assert "Traceback" not in output.err
    assert isinstance(ending.value.code, int)
    return ending.value.code, output.out, output.err


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index that the commands of this module share, with the shipped document in it."""
    folder = tmp_path_factory.mktemp("command")
    footnote("search", "Japan", "--index-dir", folder)
    return folder


def test_ask_answers_from_the_shipped_document(tmp_path: Path) -> None:
    done = run_footnote("ask", QUESTION, "--json", "--index-dir", tmp_path)
    answer = json.loads(done.stdout)
    assert list(answer) == ANSWER_KEYS
    assert not answer["refused"]
    assert QUOTE in answer["text"]
    assert [list(sentence) for sentence in answer["sentences"]] == [SENTENCE_KEYS] * len(
        answer["sentences"]
    )
    assert all(set(citation) == CITATION_KEYS for citation in answer["citations"])
    assert QUOTE in [citation["quote"] for citation in answer["citations"]]
    text = Path(answer["citations"][0]["source"]).read_text(encoding="utf-8")
    for citation in answer["citations"]:
        assert text[citation["start"] : citation["end"]] == citation["quote"]
    # Progress is told beside the output, and nothing else is.
    assert done.stderr.splitlines() == ["Indexing 32 paragraphs …"]


def test_ask_prints_for_people(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = in_process(monkeypatch, capsys, "ask", QUESTION, "--index-dir", folder)
    assert code == 0
    assert f"{QUOTE} [" in out
    assert "\nSources:\n[1] " in out
    assert err == ""


def test_an_overview_is_laid_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As it streams and as the answer is printed from Python, it looks the same."""
    asked = "Summarize the section on India in two sentences."
    code, out, err = in_process(monkeypatch, capsys, "ask", asked, "--index-dir", folder)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "India and the Quad"
    assert [line[:2] for line in lines[1:4]] == ["- ", "- ", ""]
    with Assistant.open(index_dir=folder) as assistant:
        answer = assistant.ask(asked)
    assert f"{answer}\n" == out
    assert answer.to_dict()["kind"] == "overview"
    assert all(c.paragraph.heading == ("India and the Quad",) for c in answer.citations)


def test_small_talk_gets_a_reply(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = in_process(monkeypatch, capsys, "ask", "Thanks!", "--index-dir", folder)
    assert (code, err) == (0, "")
    assert out == "Glad to help. Ask anything about the documents.\n"


def test_ask_refuses_with_code_3_and_the_closest_paragraphs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "footnote.toml"
    file.write_text(f'refuse_below = 1.0\nreader = "none"\nindex_dir = "{folder}"\n')
    monkeypatch.setenv("FOOTNOTE_CONFIG", str(file))
    code, out, _ = in_process(monkeypatch, capsys, "ask", QUESTION)
    assert code == 3
    assert out.startswith("The documents do not say.\n\nClosest paragraphs:\n[1] ")
    code, out, err = in_process(monkeypatch, capsys, "ask", QUESTION, "--json")
    answer = json.loads(out)
    assert (code, err) == (3, "")
    assert list(answer) == ANSWER_KEYS
    assert answer["refused"]
    assert len(answer["closest"]) == 3
    assert all(set(citation) == CITATION_KEYS for citation in answer["closest"])


def test_ask_shows_the_closest_with_code_4_where_it_is_not_sure(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unsure = ("--refuse-below", "0", "--answer-from", "1", "--index-dir", folder)
    code, out, _ = in_process(monkeypatch, capsys, "ask", QUESTION, *unsure)
    assert code == 4
    assert out.startswith(f"The closest the documents come: {QUOTE} [1]")
    assert "\nSources:\n[1] " in out
    assert "do not say" not in out
    code, out, _ = in_process(monkeypatch, capsys, "ask", QUESTION, *unsure, "--json")
    answer = json.loads(out)
    assert (code, answer["status"], answer["refused"]) == (4, "unsure", False)
    assert QUOTE in [citation["quote"] for citation in answer["citations"]]


def test_search_prints_paragraphs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("search", "missile defense", "-k", "4", "--index-dir", folder)
    code, out, _ = in_process(monkeypatch, capsys, *arguments, "--json")
    found = json.loads(out)
    assert code == 0
    assert [list(hit) for hit in found] == [HIT_KEYS] * 4
    assert {"sentence", "terms"} <= set(found[0]["legs"])
    text = Path(found[0]["source"]).read_text(encoding="utf-8")
    for hit in found:
        assert text[hit["start"] : hit["end"]] == hit["text"]
    code, out, _ = in_process(monkeypatch, capsys, *arguments)
    assert code == 0
    assert f"paragraph {found[0]['paragraph']}\n" in out


def test_sources_are_files_and_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    notes = tmp_path / "notes"
    (notes / "deep").mkdir(parents=True)
    (notes / "ferry.txt").write_text("The ferry to Brenna leaves at nine.", encoding="utf-8")
    (notes / "deep" / "mill.md").write_text("# Mill\n\nThe mill of Corvane grinds rye.\n")
    (notes / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    lamp = tmp_path / "lamp.log"
    lamp.write_text("The lamp [red]of[/red] :smile: Corvane\x1b[31m burns oil.\n", encoding="utf-8")
    index = ("--index-dir", tmp_path / "index")
    search = ("search", "Corvane Brenna", "--json", *index)
    code, out, _ = in_process(monkeypatch, capsys, *search, "-s", notes, "--source", lamp)
    assert code == 0
    assert {Path(hit["source"]).name for hit in json.loads(out)} == {
        "ferry.txt",
        "mill.md",
        "lamp.log",
    }
    # What was asked before is not asked now.
    _, out, _ = in_process(monkeypatch, capsys, *search, "-s", notes / "ferry.txt")
    assert [Path(hit["source"]).name for hit in json.loads(out)] == ["ferry.txt"]
    # Texts are printed as they are, but steer no terminal.
    _, out, _ = in_process(monkeypatch, capsys, "search", "lamp", *index, "-s", lamp)
    assert "The lamp [red]of[/red] :smile: Corvane\ufffd[31m burns oil." in out


def test_what_is_added_to_the_index_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str | Path) -> tuple[int, str, str]:
        return in_process(monkeypatch, capsys, *arguments, "--index-dir", tmp_path / "index")

    name = "a rather long name of a file that fills more than the eighty columns of a terminal.txt"
    ferry, mill = tmp_path / name, tmp_path / "mill.txt"
    ferry.write_text("The ferry to Brenna leaves at nine.", encoding="utf-8")
    mill.write_text("The mill of Corvane grinds rye.", encoding="utf-8")
    assert run("index", "list")[:2] == (
        0,
        "The index is empty. Add documents with: footnote index add PATH\n",
    )
    code, out, err = run("index", "add", ferry, mill)
    assert (code, out) == (
        0,
        "2 documents: 2 paragraphs added, 0 removed, 0 unchanged; 2 embedded.\n",
    )
    assert err == "Indexing 2 paragraphs …\n"
    assert "0 added" in run("index", "add", ferry)[1].replace("0 paragraphs", "0")

    code, out, _ = run("search", "Brenna", "--json")
    assert {hit["source"] for hit in json.loads(out)} == {str(ferry), str(mill)}
    run("search", "oil", "--source", Path(__file__))  # asked once, not kept

    code, out, _ = run("index", "list", "--json")
    listed: list[dict[str, Any]] = json.loads(out)
    assert {entry["source"]: entry["kept"] for entry in listed} == {
        str(ferry): True,
        str(mill): True,
        __file__: False,
    }
    assert str(ferry) in run("index", "list")[1]

    code, out, _ = run("index", "status", "--json")
    status = json.loads(out)
    assert status["documents"] == 3
    assert status["bytes"] > 0
    assert "paragraphs" in run("index", "status")[1]

    [identity] = [entry["id"] for entry in listed if entry["source"] == str(ferry)]
    assert run("index", "remove", identity, str(mill))[0] == 0
    code, _, err = run("index", "remove", identity)
    assert code == 2
    assert identity in err
    assert ferry.exists()
    code, out, _ = run("search", "Brenna", "--json")  # nothing is kept: the shipped document
    assert {Path(hit["source"]).parent.name for hit in json.loads(out)} == {"seeds"}


def test_unknown_settings_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ask = ("ask", QUESTION, "--index-dir", tmp_path / "index")
    monkeypatch.setenv("FOOTNOTE_ENCODR", "x")
    code, out, err = in_process(monkeypatch, capsys, *ask)
    assert (code, out) == (2, "")
    assert "FOOTNOTE_ENCODR" in err
    assert "Did you mean FOOTNOTE_ENCODER?" in err
    monkeypatch.delenv("FOOTNOTE_ENCODR")
    monkeypatch.setenv("FOOTNOTE_IGNORE", "drafts/")
    assert '["drafts/"]' in footnote("ask", "x", code=2).stderr
    monkeypatch.delenv("FOOTNOTE_IGNORE")

    file = tmp_path / "footnote.toml"
    monkeypatch.setenv("FOOTNOTE_CONFIG", str(file))
    code, _, err = in_process(monkeypatch, capsys, *ask)
    assert code == 2
    assert f"FOOTNOTE_CONFIG names {str(file)!r}" in err
    for content, told in {
        "max_sentence = 2\n": "Did you mean max_sentences?",
        "max_sentences = 50\n": "max_sentences is 50",
        "max_sentences =": "cannot be read",
        "\xe9": "cannot be read",
    }.items():
        file.write_text(content, encoding="latin-1")
        code, _, err = in_process(monkeypatch, capsys, *ask)
        assert code == 2
        assert told in err
    code, _, err = in_process(monkeypatch, capsys, "ask", QUESTION, "--refuse-bellow", "1")
    assert code == 2
    assert "--refuse-below" in err
    file.write_text("refuse_below = 0.9\n", encoding="utf-8")
    code, _, err = in_process(monkeypatch, capsys, *ask, "--answer-from", "0.5")
    assert code == 2
    assert "refuse_below is 0.9 and answer_from 0.5" in err


def test_flags_go_before_the_environment_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "footnote.toml"
    file.write_text('max_sentences = 2\nreader = "none"\nwait = 7.5\n', encoding="utf-8")
    assert load_settings().max_sentences == 4
    monkeypatch.setenv("FOOTNOTE_CONFIG", str(file))
    monkeypatch.setenv("FOOTNOTE_AUTH", "name:password")  # the page's, and no setting
    assert load_settings().max_sentences == 2
    monkeypatch.setenv("FOOTNOTE_MAX_SENTENCES", "3")
    monkeypatch.setenv("FOOTNOTE_WAIT", "8")
    settings = load_settings(max_sentences=1, answer_from=None)
    assert (settings.max_sentences, settings.wait, settings.reader) == (1, 8.0, "none")
    assert settings.answer_from is None
    monkeypatch.setenv("FOOTNOTE_WAIT", "soon")
    with pytest.raises(SettingsError, match="wait is 'soon'"):
        load_settings()


@pytest.mark.long
def test_output_may_be_cut_off_and_of_any_encoding(folder: Path) -> None:
    pipeline = f'"{FOOTNOTE}" search Japan -k 10 --json --index-dir "{folder}" | head -n 1; '
    done = subprocess.run(
        ["bash", "-c", f"{pipeline} exit ${{PIPESTATUS[0]}}"],
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[\n", "")
    ask = ("ask", QUESTION, "--index-dir", folder)
    assert "“" not in run_footnote(*ask, PYTHONIOENCODING="ascii").stdout


def test_a_page_for_others_takes_a_login(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "index"
    chat = ("chat", "--no-open", "--index-dir", folder, "--host", "0.0.0.0")
    code, _, err = in_process(monkeypatch, capsys, *chat)
    assert code == 2
    assert "0.0.0.0" in err
    file = tmp_path / "logins"
    for variable, content in (("nameonly", ""), (":", ""), ("a:b", "# me\nname:\n"), ("a:b", "#")):
        monkeypatch.setenv("FOOTNOTE_AUTH", variable)
        file.write_text(content)
        code, _, err = in_process(
            monkeypatch, capsys, *chat, *(("--auth", file) if content else ())
        )
        assert code == 2
        assert "name:password" in err
    # A password that was written on the command line is not taken, nor shown again.
    code, _, err = in_process(monkeypatch, capsys, *chat, "--auth", "ann:s3cret")
    assert code == 2
    assert "s3cret" not in err
    assert "not taken from the command line" in err
    assert not (folder / "chroma").exists(), "it was refused before anything long"


def test_help_names_every_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = in_process(monkeypatch, capsys, "--help")
    assert code == 0
    for name in ("ask", "search", "chat", "index", "eval"):
        assert f" {name} " in out
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["scripts"] == {"footnote": "assistant.cli.main:main"}
