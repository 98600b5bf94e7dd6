"""Files changed where their structure is are read, or refused in words, within bounds of time and
memory; nothing is left behind."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from mutated_files import mutated, read_within_bounds, reading_in

COUNT = int(os.environ.get("MUTATED_FILES", "300"))
"""Of which more are tried by `make soak`."""


def test_files_changed_where_their_structure_is_are_read_or_refused(tmp_path: Path) -> None:
    with reading_in(tmp_path) as folder:
        ended = Counter(read_within_bounds(folder, *mutated(seed)) for seed in range(COUNT))
    assert ended["read"] > COUNT / 4, "not all are refused at once"
    assert len(ended) > 2
