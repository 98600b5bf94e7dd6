"""What the tests of training share."""

from __future__ import annotations

from pathlib import Path

import pytest
from training_data import write_data


@pytest.fixture(scope="package")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of data of others, made up."""
    folder = tmp_path_factory.mktemp("data")
    write_data(folder)
    return folder
