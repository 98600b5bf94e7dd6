"""The report in a real browser."""

from __future__ import annotations

import json
from pathlib import Path

from model_servers import knows, serving
from playwright.sync_api import Dialog, Page
from question_sets import MILL, Eval


def test_the_report_fits_a_phone_and_shows_failures_first(page: Page, result: Path) -> None:
    data = json.loads(result.read_text())
    outcomes = [record["outcome"] for record in data["records"]]
    page.goto(result.with_suffix(".html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    cases = page.locator("details.case")
    assert cases.count() == len(outcomes)
    classes = [case.get_attribute("class") for case in cases.all()]
    assert classes[0] != "case right" and classes[-1] == "case right"
    assert classes.count("case right") == outcomes.count("right")
    wrong = [own for own in data["records"] if own["answerable"] and own["outcome"] != "right"]
    first = page.locator("details.case", has_text=wrong[0]["question"])
    assert not first.locator("mark.gold").first.is_visible()
    first.locator("summary").click()
    assert first.locator("mark.gold").first.is_visible()
    assert first.get_by_text("Retrieved", exact=True).is_visible()
    assert "hit@1" in page.locator("#figures").inner_text()
    assert "fingerprints.encoder" in page.locator("#made").inner_text()


def test_the_report_escapes_what_it_shows(
    footnote_eval: Eval, passages: Path, page: Page, tmp_path: Path
) -> None:
    footnote_eval("run", passages, "--html", tmp_path / "report.html")
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
        footnote_eval("run", town, "--llm", address, "--html", tmp_path / "report.html")
    page.goto((tmp_path / "report.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    case = page.locator("details.case", has_text=question)
    case.locator("summary").click()
    shown = case.inner_text()
    assert "Searched again for: fire, at night" in shown
    assert "1 dropped" in shown
    assert "Seven people" not in shown
    answer = case.locator(".answer").inner_text()
    assert "The mill burned down in 1871. [1]" in " ".join(answer.split())
    assert "supported" in answer
    assert "The documents do not say: the <b>hour</b>" in answer
    assert case.locator(".cites mark.gold.cited").inner_text() == MILL
    declined = page.locator("details.case", has_text="Who owns the ferry?")
    assert "declined" in (declined.text_content() or "")
    figures = page.locator("#figures").inner_text()
    assert "sentences_supported" in figures
    # All was decided by the model: there is no confidence.
    assert "right_auroc" not in figures
