"""Running sets: the same figures each time, going on after an interrupt, comparing, reporting."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import chromium
from playwright.sync_api import Dialog, Page, Route
from rich.console import Console
from typer.testing import CliRunner

from assistant import Assistant
from assistant.settings import load
from evals.cli import app
from evals.datasets.loader import read_set
from evals.reporting import tables
from evals.running import runner
from evals.running.records import Record
from index.errors import FootnoteError, QuestionSetError

SEED = Path("evals/questions/seed.jsonl")
#: Plain questions, unanswerable ones and follow-ups of the shipped set.
CHOSEN = (*range(12), *range(78, 84), *range(116, 122))

MILL = "The mill burned down in 1871."

Eval = Callable[..., str]


def write(file: Path, *lines: Any) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    file.write_text("\n".join(texts) + "\n")
    return file


@pytest.fixture(scope="module")
def footnote_eval(tmp_path_factory: pytest.TempPathFactory) -> Eval:
    """The command, in this process; gives what it prints and checks its exit code."""
    index = tmp_path_factory.mktemp("evals")

    def call(*arguments: str | Path, code: int = 0, index_dir: Path = index) -> str:
        given = [str(argument) for argument in arguments]
        if given[0] not in ("compare", "add", "benchmark"):
            given += ["--index-dir", str(index_dir)]
        done = CliRunner().invoke(app, given)
        if isinstance(done.exception, FootnoteError):
            raise done.exception
        assert done.exit_code == code, (done.output, done.exception)
        return done.output

    return call


@pytest.fixture(scope="module")
def subset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some of the shipped questions."""
    lines = SEED.read_text(encoding="utf-8").splitlines()
    file = tmp_path_factory.mktemp("subset") / "subset.jsonl"
    file.write_text("\n".join(lines[n] for n in CHOSEN) + "\n", encoding="utf-8")
    return file


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def result(footnote_eval: Eval, subset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The result of the subset, beside its report."""
    folder = tmp_path_factory.mktemp("result")
    footnote_eval(subset, "--json", folder / "a.json", "--html", folder / "a.html")
    return folder / "a.json"


def without_times(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(path.read_text())
    del data["speed"]
    for record in data["records"]:
        del record["timings_ms"]
    return data


def test_run_twice_it_is_the_same_but_for_times(
    footnote_eval: Eval, subset: Path, result: Path, tmp_path: Path
) -> None:
    footnote_eval(subset, "--json", tmp_path / "b.json")
    assert without_times(tmp_path / "b.json") == without_times(result)


def test_what_the_json_holds(result: Path) -> None:
    data = json.loads(result.read_text())
    for name in ("hit@1", "mrr", "ndcg@10", "citation_precision", "refusal_auroc", "right"):
        figure = data["figures"][name]
        assert figure.keys() == {"value", "n", "low", "high"}
        assert figure["low"] <= figure["value"] <= figure["high"]
    assert data["figures"]["citation_validity"]["value"] == 1.0
    assert len(data["records"]) == data["sets"][0]["asked"] == len(CHOSEN)
    assert set(data["turns"]) > {"1", "2"}
    assert sum(own["hit@1"]["n"] for own in data["turns"].values()) == data["figures"]["hit@1"]["n"]
    assert data["speed"]["total"]["p95"]["value"] > data["speed"]["total"]["p50"]["value"] > 0
    made = data["provenance"]
    assert made["fingerprints"].keys() == {"encoder", "reader", "calibration", "code"}
    assert made["settings"]["legs"] == ["sentence", "terms"]
    for record in data["records"]:
        assert Record.from_dict(record).to_dict() == record


def test_retrieval_figures_are_those_of_an_independent_computation(
    result: Path, assistant: Assistant
) -> None:
    """Searched for and counted here, without anything of the evaluation."""
    lines = SEED.read_text(encoding="utf-8").splitlines()
    asked = [question for n in CHOSEN if (question := json.loads(lines[n]))["answerable"]]
    hits, reciprocal, gains = 0, 0.0, 0.0
    for question in asked:
        items = [item if isinstance(item, list) else [item] for item in question["evidence"]]
        answer = assistant.ask(question["question"], question["history"])
        texts = [hit.paragraph.text for hit in assistant.search(answer.standalone_question, 10)]
        of_item = [
            {rank for rank, text in enumerate(texts, 1) if any(quote in text for quote in item)}
            for item in items
        ]
        assert all(of_item)
        first = {min(ranks) for ranks in of_item}  # items of one paragraph are one
        hits += min(first) == 1
        reciprocal += 1 / min(first)
        ideal = sum(1 / math.log2(n + 1) for n in range(1, len(first) + 1))
        gains += sum(1 / math.log2(rank + 1) for rank in first) / ideal
    figures = json.loads(result.read_text())["figures"]
    assert figures["hit@1"]["value"] == pytest.approx(hits / len(asked), abs=5e-5)
    assert figures["mrr"]["value"] == pytest.approx(reciprocal / len(asked), abs=5e-5)
    assert figures["ndcg@10"]["value"] == pytest.approx(gains / len(asked), abs=5e-5)


def test_a_missed_floor_is_exit_code_1(footnote_eval: Eval, passages: Path) -> None:
    reached = footnote_eval(passages, "--min", "hit@1=0.9", "--min", "mrr=1")
    assert "refusal_auroc" in reached
    output = footnote_eval(passages, "--min", "right=1.01", "--limit", "1", code=1)
    assert "right of mills is" in output
    # With one question there is none to refuse: n/a reaches no floor.
    output = footnote_eval(passages, "--min", "refusal_recall=0", "--limit", "1", code=1)
    assert "refusal_recall is n/a" in output


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--min", "hit@1"], "metric=value"),
        (["--min", "hits=1"], "There is no figure 'hits'"),
        (["--legs", "all"], "there are sentence, terms"),
    ],
)
def test_mistakes_are_told(
    footnote_eval: Eval, passages: Path, arguments: list[str], reason: str
) -> None:
    with pytest.raises(FootnoteError, match=reason):
        footnote_eval(passages, "--limit", "1", *arguments)


def test_passages_are_found_as_wholes(footnote_eval: Eval, passages: Path) -> None:
    data = json.loads(footnote_eval(passages, "--json", "-", "-k", "3"))
    assert data["figures"]["recall@3"]["value"] == 1.0
    for record in data["records"]:
        units = [found["unit"] for found in record["retrieved"]]
        assert len(units) == len(set(units))
    # The evidence of a passage without a short answer is not told to the sentence.
    assert data["figures"]["evidence_in_answer"]["n"] == 1


def test_an_interrupted_run_goes_on_to_the_same(passages: Path, tmp_path: Path) -> None:
    questions, settings = read_set(passages), load(index_dir=tmp_path, reader="none")

    def stop(done: int, _: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runner.run(questions, [], settings, asking=stop)
    (journal,) = (tmp_path / "runs").iterdir()
    journal.write_text(journal.read_text() + '{"set": "mills", "id": "q2", "que')  # torn by a kill
    resumed = runner.run(questions, [], settings)
    whole = runner.run(questions, [], settings)
    assert (resumed.resumed, whole.resumed) == (2, 0)
    assert [r.outcome for r in resumed.records] == [r.outcome for r in whole.records]
    assert [r.retrieved for r in resumed.records] == [r.retrieved for r in whole.records]
    assert not list((tmp_path / "runs").iterdir())
    # Other settings are another run.
    with pytest.raises(KeyboardInterrupt):
        runner.run(questions, [], settings, asking=stop)
    assert runner.run(questions, [], settings, legs=["terms"]).resumed == 0


def test_a_dropped_leg_is_worse_and_the_same_run_is_not(
    footnote_eval: Eval, tmp_path: Path
) -> None:
    whole, broken, out = tmp_path / "whole.json", tmp_path / "broken.json", tmp_path / "out.json"
    footnote_eval(SEED, "--reader", "none", "--limit", "90", "--json", whole)
    footnote_eval(SEED, "--reader", "none", "--limit", "90", "--legs", "sentence", "--json", broken)
    text = footnote_eval("compare", whole, broken, "--json", out)
    found = json.loads(out.read_text())
    assert found["differences"]["mrr"]["difference"] < 0
    assert found["differences"]["mrr"]["p"] < 0.01
    assert found["differences"]["mrr"]["high"] < 0
    assert found["settings"] == {"settings.legs": [["sentence", "terms"], ["sentence"]]}
    assert found["lost"] and found["lost"][0]["question"] in text
    footnote_eval("compare", whole, whole, "--json", out)
    same = json.loads(out.read_text())
    assert {own["p"] for own in same["differences"].values()} == {1.0}
    assert same["gained"] == same["lost"] == []


def test_results_of_other_questions_do_not_compare(
    footnote_eval: Eval, passages: Path, result: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    footnote_eval(passages, "--json", first)
    data = json.loads(first.read_text())
    data["sets"][0]["sha256"] = "0" * 64
    second.write_text(json.dumps(data))
    for other, reason in (
        (result, "different sets"),
        (second, "are not the same"),
        (passages / "corpus.jsonl", "not a result"),
    ):
        with pytest.raises(QuestionSetError, match=reason):
            footnote_eval("compare", first, other)


# --- the report ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A page in a real browser, which fails on any request but for the file itself."""
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 360, "height": 780})

        def refuse(route: Route) -> None:
            raise AssertionError(f"the report asked for {route.request.url}")

        page.route(re.compile(r"^(?!file:)"), refuse)
        yield page


def test_the_report_fits_a_phone_and_shows_failures_first(page: Page, result: Path) -> None:
    data = json.loads(result.read_text())
    failed = [record for record in data["records"] if record["outcome"] != "right"]
    page.goto(result.with_suffix(".html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.locator("main > section").first.get_attribute("id") == "failures"
    assert page.locator("details.case").count() == len(failed)
    assert page.locator("#plots svg").count() == 3
    wrong = [record for record in failed if record["answerable"]]
    first = page.locator("details.case", has_text=wrong[0]["question"])
    first.evaluate("node => node.open = true")
    assert first.locator("mark.gold").first.is_visible()
    assert first.get_by_text("Retrieved", exact=True).is_visible()


def test_the_report_escapes_what_it_shows(
    footnote_eval: Eval, passages: Path, page: Page, tmp_path: Path
) -> None:
    footnote_eval(passages, "--html", tmp_path / "report.html")
    dialogs: list[Dialog] = []

    def seen(dialog: Dialog) -> None:
        dialogs.append(dialog)
        dialog.dismiss()

    page.on("dialog", seen)
    page.goto((tmp_path / "report.html").as_uri())
    shown = page.locator("main").text_content() or ""
    assert "<b>Who</b> is the pope?" in shown
    assert "<script>alert(1)</script> said the miller." in shown
    assert page.locator("script").count() == 0
    assert dialogs == []


# --- benchmark -------------------------------------------------------------------------------


def test_the_benchmark_measures_each_size(footnote_eval: Eval, tmp_path: Path) -> None:
    out, html = tmp_path / "out.json", tmp_path / "out.html"
    footnote_eval("benchmark", "--paragraphs", "40", "--rounds", "1", "--json", out, "--html", html)
    (size,) = json.loads(out.read_text())["sizes"]
    assert size["paragraphs"] == 40
    assert size["resync_paragraphs"] == 1
    assert all(value > 0 for value in size.values() if not isinstance(value, dict))
    assert "http" not in re.sub(r"http://www\.w3\.org/[\w/]+", "", html.read_text())


def test_a_corpus_too_small_for_the_size_is_told(footnote_eval: Eval, tmp_path: Path) -> None:
    file = write(tmp_path / "small.txt", "The mill burned down in eighteen seventy-one.")
    with pytest.raises(QuestionSetError, match="1 sentences make 1 different paragraphs, not 50"):
        from evals import benchmark

        documents, _ = benchmark.corpus_of([file])
        benchmark.recombined([s.text for p in documents[0].paragraphs for s in p.sentences], 50)


@pytest.mark.parametrize("width", [50, 80, 120])
def test_a_table_with_little_room_folds_and_cuts_nothing(width: int) -> None:
    columns = ("way", "hit@1", "95 % interval", "mrr", "p")
    row = ("fusion, every paragraph scored", "0.863", "0.841 to 0.883", "0.910", "<.001")
    printed = io.StringIO()
    Console(width=width, file=printed).print(tables.rows_table("squad", columns, [row]))
    assert "\u2026" not in printed.getvalue()
    for word in " ".join(row).split():
        assert word in printed.getvalue()
