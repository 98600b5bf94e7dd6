"""What is told is what can be shown: every name is described, and every text can be sent."""

from __future__ import annotations

from assistant.schemas.answers import CitationValue
from assistant.schemas.documents import ReadValue
from index import document_from_text


def test_what_no_output_takes_is_replaced() -> None:
    document = document_from_text("The caf\udce9 opens at nine.", "caf\udce9.txt")
    told = ReadValue.numbered(document, 1)
    assert told.text == "The caf\ufffd opens at nine."
    assert "caf\udce9" not in told.document
    assert told.model_dump_json()  # which takes no lone surrogate


def test_every_name_is_described_where_it_does_not_say_enough() -> None:
    schema = CitationValue.model_json_schema()
    bare = {name for name, own in schema["properties"].items() if "description" not in own}
    assert bare <= {"quote", "paragraph_text"}
