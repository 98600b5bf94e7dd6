"""Pages are drawn in a process of their own; those that there are not are told."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pypdfium2
import pytest
from browsing import print_pdf
from PIL import Image
from playwright.sync_api import Browser

from assistant.web.rendering import SIDE, PageRenderer
from index.errors import UnreadableError


def test_only_pages_that_there_are_are_drawn(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "two.pdf"
    print_pdf(browser, "<p>one</p><p style='break-before: page'>two</p>", file)
    renderer = PageRenderer()
    try:
        assert Image.open(BytesIO(renderer.draw(file, 2, 700))).width == 800
        for page in (0, -1, 3):
            with pytest.raises(UnreadableError, match=f"Page {page} cannot be drawn"):
                renderer.draw(file, page, 700)
        assert renderer.draw(file, 1, 700) != renderer.draw(file, 2, 700)
        # A page that is far higher than wide takes no more than another.
        tall = pypdfium2.PdfDocument.new()
        tall.new_page(10, 14_400)
        tall.save(tmp_path / "tall.pdf")
        assert Image.open(BytesIO(renderer.draw(tmp_path / "tall.pdf", 1, 700))).height <= SIDE
    finally:
        renderer.close()
