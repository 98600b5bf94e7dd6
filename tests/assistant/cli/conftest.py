"""What tests of the command share."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import footnote


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index that the commands of a module share, with the shipped document in it."""
    folder = tmp_path_factory.mktemp("command")
    footnote("search", "Japan", "--index-dir", folder)
    return folder
