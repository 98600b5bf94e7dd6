"""Documents, their versions and paragraphs.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

from index.database.tables import ExactText

revision, down_revision = "0002", "0001"

_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "counters",
        sa.Column("name", ExactText(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.create_table(
        "files",
        sa.Column("content", ExactText(), nullable=False),
        sa.Column("part", ExactText(), nullable=False),
        sa.Column("piece", sa.Integer(), nullable=False),
        sa.Column("hash", ExactText(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("content", "part", "piece", name=op.f("pk_files")),
    )
    op.create_table(
        "generations",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("fingerprint", ExactText(), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_generations")),
    )
    op.create_table(
        "paragraphs",
        sa.Column("row", _ROW, nullable=False),
        sa.Column("id", ExactText(), nullable=False),
        sa.Column("text", ExactText(), nullable=False),
        sa.Column("spans", ExactText(), nullable=False),
        sa.Column("sentences", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("unused", sa.Double(), nullable=True),
        sa.Column("graph", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_paragraphs")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_paragraphs_id"), "paragraphs", ["id"], unique=False)
    op.create_index(
        "ix_paragraphs_state",
        "paragraphs",
        ["state"],
        unique=False,
        sqlite_where=sa.text("state <> 1"),
        postgresql_where=sa.text("state <> 1"),
    )
    op.create_table(
        "versions",
        sa.Column("row", _ROW, nullable=False),
        sa.Column("document", ExactText(), nullable=False),
        sa.Column("hash", ExactText(), nullable=False),
        sa.Column("title", ExactText(), nullable=False),
        sa.Column("text_hash", ExactText(), nullable=False),
        sa.Column("reading", ExactText(), nullable=False),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.Column("content", ExactText(), nullable=False),
        sa.Column("language", ExactText(), nullable=False),
        sa.Column("imprint", ExactText(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("unread", sa.Integer(), nullable=False),
        sa.Column("added", ExactText(), nullable=False),
        sa.Column("own", ExactText(), nullable=True),
        sa.Column("gaps", ExactText(), nullable=False),
        sa.Column("pending", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_versions")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_versions_document"), "versions", ["document"], unique=False)
    op.create_index(op.f("ix_versions_pending"), "versions", ["pending"], unique=False)
    op.create_table(
        "documents",
        sa.Column("id", ExactText(), nullable=False),
        sa.Column("source", ExactText(), nullable=False),
        sa.Column("version", _ROW, nullable=False),
        sa.ForeignKeyConstraint(["version"], ["versions.row"], name=op.f("fk_documents_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
        sa.UniqueConstraint("version", name=op.f("uq_documents_version")),
    )
    op.create_table(
        "places",
        sa.Column("version", _ROW, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("paragraph", _ROW, nullable=False),
        sa.Column("heading", ExactText(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=True),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("locator", ExactText(), nullable=False),
        sa.Column("kind", ExactText(), nullable=False),
        sa.Column("certainty", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["paragraph"], ["paragraphs.row"], name=op.f("fk_places_paragraph")
        ),
        sa.ForeignKeyConstraint(
            ["version"], ["versions.row"], name=op.f("fk_places_version"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("version", "number", name=op.f("pk_places")),
    )
    op.create_index(op.f("ix_places_paragraph"), "places", ["paragraph"], unique=False)
