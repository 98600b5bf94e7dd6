"""A browser for the pages of the evaluation."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from browsing import SECONDS, chromium
from helpers import PATIENCE
from playwright.sync_api import Page, Route


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A page in a real browser, which fails on any request but for the file itself."""
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 360, "height": 780})
        page.set_default_timeout(PATIENCE * SECONDS)

        def refuse(route: Route) -> None:
            raise AssertionError(f"the page asked for {route.request.url}")

        page.route(re.compile(r"^(?!file:)"), refuse)
        yield page
