"""A folder that is followed while the page is open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import Visit, ask, picture, serving
from playwright.sync_api import expect

FERRY = "The ferry to Brenna leaves at nine in the morning."
NOON = "The ferry to Brenna leaves at noon."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("followed") / "papers"
    folder.mkdir()
    (folder / "ferry.txt").write_text(FERRY)
    (folder / "scan.pdf").write_bytes(b"%PDF-1.4 and nothing else")
    return folder


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with serving(folder.parent, "--source", folder, "--watch") as address:
        yield address


def test_what_changes_is_shown_and_asked(visit: Visit, folder: Path) -> None:
    page = visit.page
    toast = page.locator("#toast")
    assert FERRY in ask(page, "When does the ferry leave?").inner_text()

    (folder / "ferry.txt").write_text(NOON)
    expect(toast).to_contain_text("Changed: ferry.txt")
    assert NOON in ask(page, "When does the ferry to Brenna leave?").inner_text()

    (folder / "bakery.txt").write_text("The bakery in Tolvik bakes rye bread on Thursdays.")
    expect(toast).to_contain_text("Added: bakery.txt")
    page.locator("#open-library").click()
    expect(page.locator("#documents li")).to_have_count(2)

    # What cannot be read is listed with the reason, and without where it lies.
    unread = page.locator("#unread li")
    expect(unread).to_have_count(1)
    expect(unread).to_contain_text("scan.pdf")
    assert str(folder) not in page.locator("#library").inner_text()
    picture(page, "folder-followed")

    (folder / "scan.pdf").unlink()
    (folder / "bakery.txt").unlink()
    expect(page.locator("#documents li")).to_have_count(1)
    expect(unread).to_have_count(0)
    expect(page.locator("#activity-list li").first).to_contain_text("bakery.txt")
    expect(page.locator("#activity-list li").first).to_contain_text("Removed")
