"""Who was given an answer, and its bytes.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

from index.database.tables import text

revision, down_revision = "0004", "0003"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("answers", text("owner", server_default=""))
    op.add_column("answers", sa.Column("size", sa.Integer, nullable=False, server_default="0"))
