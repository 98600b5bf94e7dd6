"""The figures to publish: one command makes them of all sets of a folder, the same every time."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from helpers import ROOT
from model_servers import knows, serving
from playwright.sync_api import Page
from question_sets import TOWN, Eval, read, write

from assistant.settings import load_settings
from evals.datasets.loader import read_set
from evals.reporting.figures import SHOWN
from evals.running import runner
from index.errors import QuestionSetError


@pytest.fixture(scope="module")
def folder(town: Path, passages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of one file with its document, one of passages, and a file that is none."""
    whole = tmp_path_factory.mktemp("sets")
    shutil.copytree(town.parent, whole / "town")
    shutil.copytree(passages, whole / passages.name)
    write(whole / "claims.jsonl", {"claim": "<b>It burned.</b>"})
    return whole


@pytest.fixture(scope="module")
def made(footnote_eval: Eval, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where page, table and JSON of that folder are."""
    out = tmp_path_factory.mktemp("figures")
    files = [
        part for end in ("html", "markdown", "json") for part in (f"--{end}", out / f"f.{end}")
    ]
    footnote_eval("figures", folder, *files)
    return out


def test_the_figures_are_those_of_a_run(
    footnote_eval: Eval, made: Path, town: Path, tmp_path: Path
) -> None:
    footnote_eval(town, "--json", tmp_path / "run.json")
    run = read(tmp_path / "run.json")
    own = next(own for own in read(made / "f.json")["sets"] if own["name"] == "town")
    known = own["ways"]["quoting"]["figures"]
    assert known == {name: run["figures"][name] for name in SHOWN}
    assert known["aurc"]["value"] is not None
    assert (own["answerable"], own["unanswerable"], own["of"]) == (4, 2, 6)
    assert own["files"] == [
        {"name": "town", "format": "native", "sha256": run["sets"][0]["sha256"], "asked": 6}
    ]
    assert own["ways"]["quoting"]["risk_coverage"] == {
        name: pytest.approx(run["risk_coverage"][name], abs=1e-6) for name in ("coverage", "risk")
    }


def test_the_table_names_all_that_makes_it_again(made: Path, folder: Path) -> None:
    text = (made / "f.markdown").read_text()
    told = read(made / "f.json")
    assert told["made"].keys() == {"date", "commit", "version", "machine"}
    assert told["made"]["date"] in text
    if (ROOT / ".git").exists():
        assert f"commit {told['made']['commit']}" in text
    for own in told["sets"]:
        value = own["ways"]["quoting"]["figures"]["hit@1"]
        assert (
            f"| {own['name']} | {own['answerable']} + {own['unanswerable']} | {value['value']:.2f}"
            in text
        )
        assert own["files"][0]["sha256"][:16] in text
    assert "- claims.jsonl: line 1: there is no 'id'." in text
    assert "make figures SETS=FOLDER\n" in text
    assert "no language model was set" in text
    assert str(folder) not in text


def test_a_language_model_has_figures_beside(
    footnote_eval: Eval, folder: Path, tmp_path: Path
) -> None:
    quotes = {question: f"{quote} [1][2][3]" for question, quote in TOWN.items() if quote}
    out = tmp_path / "f.json"
    with serving(knows(quotes), "tiny") as (address, _):
        files = ("--json", out, "--markdown", tmp_path / "f.md", "--html", tmp_path / "f.html")
        footnote_eval("figures", folder / "town", *files, "--llm", address)
    (own,) = read(out)["sets"]
    assert own["ways"].keys() == {"quoting", *read(out)["ways"]}
    (model,) = own["ways"].keys() - {"quoting"}
    theirs, ours = own["ways"][model], own["ways"]["quoting"]
    assert "aurc" in ours["figures"] and "aurc" not in theirs["figures"]
    assert theirs["figures"]["hit@1"] == ours["figures"]["hit@1"]
    assert theirs["risk_coverage"] == {"coverage": [], "risk": []}
    text = (tmp_path / "f.md").read_text()
    assert f"| town | 4 + 2 | {model} |" in text and "| town | 4 + 2 | quoting |" in text
    # Where it is may hold a secret.
    assert address not in text + (tmp_path / "f.html").read_text() + out.read_text()


def test_what_cannot_be_measured_is_named_and_the_rest_goes_on(
    footnote_eval: Eval, folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder / "mills", tmp_path / "mills")
    asked = {"id": "q", "question": "Who?", "answerable": True, "evidence": ["Nobody said this."]}
    write(tmp_path / "lost.jsonl", asked)
    table = tmp_path / "f.md"
    files = ("--json", tmp_path / "f.out", "--markdown", table)
    told = footnote_eval("figures", tmp_path, "--limit", "2", *files)
    assert "Not measured: lost: " in told
    # The limit is told, too.
    assert "make figures SETS=FOLDER ARGS='--limit 2'" in table.read_text()
    assert "At most 2 questions of a set" in table.read_text()
    data = read(tmp_path / "f.out")
    assert [own["name"] for own in data["sets"]] == ["mills"]
    assert data["left_out"][0]["name"] == "lost"
    (tmp_path / "alone").mkdir()
    shutil.move(tmp_path / "lost.jsonl", tmp_path / "alone")
    with pytest.raises(QuestionSetError, match="could be measured"):
        footnote_eval("figures", tmp_path / "alone")


def test_what_was_asked_is_kept_until_all_is_done(town: Path, tmp_path: Path) -> None:
    """So that figures of many sets go on where they were, whichever set that is."""
    questions, settings = read_set(town), load_settings(index_dir=tmp_path, reader="none")

    def asked() -> runner.SetRun:
        with runner.open_set(questions, [], settings) as assistant:
            system = runner.AssistantSystem(assistant, questions)
            return runner.run_set(system, tmp_path, leave_journal=True)

    first = asked()
    second = asked()
    assert (first.resumed, second.resumed) == (0, 6)
    assert first.records == second.records
    assert second.journal.is_file()


def test_the_page_fits_a_phone_and_loads_nothing(page: Page, made: Path) -> None:
    page.goto((made / "f.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    rows = page.locator(".figures tbody tr")
    assert rows.count() == 2
    assert "4 answerable, 2 not" in rows.last.inner_text()
    assert page.locator("#risk svg").count() == 2
    assert "claims.jsonl" in page.locator("#left").inner_text()
    assert "make figures SETS=FOLDER" in page.locator("#again").inner_text()
