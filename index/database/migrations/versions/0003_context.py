"""What paragraphs are searched and read with: the heading right above, and what leads into them.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

from index.database.tables import ExactText, text

revision, down_revision = "0003", "0002"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("paragraphs", text("context", server_default=""))
    op.add_column("places", sa.Column("lead", ExactText))
