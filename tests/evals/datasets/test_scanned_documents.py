"""Question sets whose documents are pictures of pages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evals.datasets.loader import read_set
from index.errors import DocumentError

LETTER = Path(__file__).parents[2] / "real_files" / "scanned_letter.pdf"


def test_a_scanned_document_of_a_set_is_read_if_text_is_to_be_recognised(tmp_path: Path) -> None:
    file = tmp_path / "set.jsonl"
    asked = {"id": "1", "question": "Who wrote?", "answerable": False}
    file.write_text("\n".join(map(json.dumps, ({"documents": [str(LETTER)]}, asked))))
    with pytest.raises(DocumentError, match="scanned_letter"):
        read_set(file)
    [document] = read_set(file, ocr=True).documents
    assert "RECEIVED" in document.text
