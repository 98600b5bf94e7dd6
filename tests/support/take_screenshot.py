"""Takes the README's picture from the real page: `python tests/support/take_screenshot.py`.

Needs Playwright and Debian's Chromium, as the tests of the page do.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from browsing import ask, chromium, serving
from helpers import ROOT

PICTURE = ROOT / "assistant" / "screenshot.png"
ASKED = "What did Xi and Putin announce, and when was the US strategy released?"


def main() -> None:
    """Ask the shipped document a question, follow the first marker, save the picture."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder)) as url,
        chromium() as browser,
    ):
        page = browser.new_page(
            viewport={"width": 1280, "height": 760},
            device_scale_factor=1.5,
            color_scheme="light",
            reduced_motion="reduce",
        )
        page.goto(url)
        page.locator("body[data-ready]").wait_for()
        turn = ask(page, ASKED)
        turn.locator(".marker").first.click()
        page.mouse.move(0, 0)
        page.screenshot(path=PICTURE)


if __name__ == "__main__":
    main()
