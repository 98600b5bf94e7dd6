"""Brings a database to the newest migration. The only module that imports Alembic, apart from the
migrations themselves."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config


def upgrade(connection: sa.Connection) -> None:
    """Run what is missing, in the transaction of this connection."""
    config = Config()  # without a file: all of it is here
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
