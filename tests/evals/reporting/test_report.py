"""The report in a real browser, and tables on a terminal."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from model_servers import knows, serving
from playwright.sync_api import Dialog, Page
from question_sets import MILL, Eval
from rich.console import Console

from evals.reporting import tables


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


def test_the_report_sets_what_a_model_wrote_beside_what_it_rests_on(
    footnote_eval: Eval, town: Path, page: Page, tmp_path: Path
) -> None:
    question, sentence = "When did the mill burn down?", "The mill burned down in 1871 [1]."
    made_up = "Seven people lost their lives in it [1]."
    said = {
        question: f"{sentence} {made_up}\nMISSING: the <b>hour</b>\nSEARCH: fire, at night",
        "Who owns the ferry?": "NOT FOUND",
    }
    with serving(knows(said)) as (address, _):
        footnote_eval(town, "--llm", address, "--html", tmp_path / "report.html")
    page.goto((tmp_path / "report.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    case = page.locator("#written details", has_text=question)
    case.evaluate("node => node.open = true")
    shown = case.inner_text()
    assert "Searched again for: fire, at night" in shown
    assert "The documents do not say: the <b>hour</b>" in shown
    assert "1 dropped" in shown
    assert "Seven people" not in shown
    [row] = case.locator(".proofs tbody tr").all()
    assert row.locator("th").inner_text().split("\n") == [
        "The mill burned down in 1871.",
        "supported",
    ]
    assert row.locator("q").inner_text() == MILL
    assert case.locator(".excerpt mark.gold.cited").inner_text() == MILL
    declined = page.locator("#written details", has_text="Who owns the ferry?")
    assert "model: declined" in declined.inner_text()
    # All was decided by the model: there is no confidence to draw.
    assert "No figures of the confidence" in page.locator("#figures").inner_text()
    assert page.locator("#plots svg").count() == 1


@pytest.mark.parametrize("width", [50, 80, 120])
def test_a_table_with_little_room_folds_and_cuts_nothing(width: int) -> None:
    columns = ("way", "hit@1", "95 % interval", "mrr", "p")
    row = ("fusion, every paragraph scored", "0.863", "0.841 to 0.883", "0.910", "<.001")
    printed = io.StringIO()
    Console(width=width, file=printed).print(tables.rows_table("squad", columns, [row]))
    assert "\u2026" not in printed.getvalue()
    for word in " ".join(row).split():
        assert word in printed.getvalue()
