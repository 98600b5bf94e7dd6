"""The page with a real language model (SmolLM2-135M) writing: what it invents is left out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browsing import Visit, ask, lit, picture, serving
from helpers import PATIENCE
from model_servers import gguf
from playwright.sync_api import expect

#: What the model writes to it is supported in part.
QUESTION = "What does India want from the Quad?"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("writing")
    with serving(
        folder, "--llm", gguf(), FOOTNOTE_LLM_CONTEXT="2048", FOOTNOTE_LLM_TIMEOUT=str(PATIENCE)
    ) as address:
        yield address


def test_what_a_model_writes_is_cited(visit: Visit) -> None:
    page = visit.page
    set_one = page.get_by_label("How answers are worded").locator("option").first
    expect(set_one).to_contain_text("Written by")
    turn = ask(page, QUESTION)
    assert turn.get_attribute("data-state") == "answered"
    sentences = turn.locator(".sentence")
    picture(page, "written")
    assert sentences.count() >= 1
    for sentence in sentences.all():
        assert sentence.get_attribute("data-verdict") in ("supported", "quoted")
        marker = sentence.locator(".marker").first
        marker.hover()
        quote = page.locator("#tooltip q").inner_text()
        marker.click()
        assert lit(page) == quote
    print(turn.locator(".answer").inner_text(), turn.locator(".after").inner_text())
