"""Captions, in whatever words they call figures and tables."""

from __future__ import annotations

import pytest

from index.readers.captions import is_caption, is_table_caption


@pytest.mark.parametrize(
    ("text", "is_any", "is_tables"),
    [
        ("Table 3. Accounts", True, True),
        ("TABLE 1-3: AC test conditions", True, True),
        ("Table A.2: Census", True, True),
        ("Tabelle IV", True, True),
        ("Exhibit 19 Schools", False, True),
        ("Fig. 2", True, False),
        ("Abb.: 7", True, False),
        ("TABLE OF CONTENTS", False, False),
        ("Tablets 5 mg", False, False),
        ("Figure out what is new", False, False),
    ],
)
def test_captions_are_told(text: str, is_any: bool, is_tables: bool) -> None:
    assert (is_caption(text), is_table_caption(text)) == (is_any, is_tables)
