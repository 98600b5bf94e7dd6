"""The titles that owners of documents gave them.

Revision ID: 0005
"""

from alembic import op

from index.database.tables import text

revision, down_revision = "0005", "0004"


def upgrade() -> None:
    """Add the column."""
    op.add_column("documents", text("custom_title", server_default=""))
