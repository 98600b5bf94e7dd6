"""Former names of public attributes: each still works, with a warning that says the present one."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant import Assistant
from index.models import DocumentMetadata


def test_former_names_work_with_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "ferry.txt"
    file.write_text("The ferry leaves at nine.")
    with Assistant.open(file, index_dir=tmp_path / "index") as assistant:
        (identity,) = assistant.document_ids
        with pytest.warns(DeprecationWarning, match="`reindex`"):
            assert not assistant.index.read_anew(identity)
        with pytest.warns(DeprecationWarning, match="`metadata`"):
            assert assistant.index.documents()[0].imprint == DocumentMetadata()
        with pytest.warns(DeprecationWarning, match="`ocr_confidence`"):
            assert assistant.index.document(identity).paragraphs[0].certainty is None
