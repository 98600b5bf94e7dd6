"""What people keep: notebooks, conversations, notes, answers, keys and logins.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

from index.database.tables import ExactText

revision, down_revision = "0001", None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "answers",
        sa.Column("id", ExactText(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("body", ExactText(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answers")),
    )
    op.create_index(op.f("ix_answers_created"), "answers", ["created"], unique=False)
    op.create_table(
        "api_keys",
        sa.Column("digest", ExactText(), nullable=False),
        sa.Column("name", ExactText(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created", ExactText(), nullable=False),
        sa.Column("expires", ExactText(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("name", name=op.f("uq_api_keys_name")),
    )
    op.create_table(
        "deleted_documents",
        sa.Column("id", ExactText(), nullable=False),
        sa.Column("deleted", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deleted_documents")),
    )
    op.create_table(
        "feedback",
        sa.Column("id", ExactText(), nullable=False),
        sa.Column("added", sa.Double(), nullable=False),
        sa.Column("draft", ExactText(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
    )
    op.create_table(
        "login_secrets",
        sa.Column("name", ExactText(), nullable=False),
        sa.Column("secret", ExactText(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_login_secrets")),
    )
    op.create_table(
        "notebooks",
        sa.Column("id", ExactText(), nullable=False),
        sa.Column("name", ExactText(), nullable=False),
        sa.Column("owner", ExactText(), nullable=False),
        sa.Column("login", ExactText(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("deleted", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notebooks")),
    )
    op.create_index(op.f("ix_notebooks_owner"), "notebooks", ["owner"], unique=False)
    op.create_table(
        "successors",
        sa.Column("former", ExactText(), nullable=False),
        sa.Column("owner", ExactText(), nullable=False),
        sa.PrimaryKeyConstraint("former", name=op.f("pk_successors")),
    )
    op.create_index(op.f("ix_successors_owner"), "successors", ["owner"], unique=False)
    op.create_table(
        "taken_over",
        sa.Column("place", ExactText(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_taken_over")),
    )
    op.create_table(
        "conversations",
        sa.Column("space", ExactText(), nullable=False),
        sa.Column("id", ExactText(), nullable=False),
        sa.Column("notebook", ExactText(), nullable=True),
        sa.Column("title", ExactText(), nullable=False),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.Column("by", ExactText(), nullable=False),
        sa.Column("updated", sa.Double(), nullable=False),
        sa.Column("deleted", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["notebook"],
            ["notebooks.id"],
            name=op.f("fk_conversations_notebook"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("space", "id", name=op.f("pk_conversations")),
    )
    op.create_index(op.f("ix_conversations_notebook"), "conversations", ["notebook"], unique=False)
    op.create_table(
        "notebook_documents",
        sa.Column("notebook", ExactText(), nullable=False),
        sa.Column("document", ExactText(), nullable=False),
        sa.Column("added", sa.Double(), nullable=False),
        sa.Column("taken", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["notebook"],
            ["notebooks.id"],
            name=op.f("fk_notebook_documents_notebook"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("notebook", "document", name=op.f("pk_notebook_documents")),
    )
    op.create_index(
        op.f("ix_notebook_documents_document"), "notebook_documents", ["document"], unique=False
    )
    op.create_table(
        "notebook_shares",
        sa.Column("notebook", ExactText(), nullable=False),
        sa.Column("login", ExactText(), nullable=False),
        sa.Column("owner", ExactText(), nullable=False),
        sa.Column("may", ExactText(), nullable=False),
        sa.ForeignKeyConstraint(
            ["notebook"],
            ["notebooks.id"],
            name=op.f("fk_notebook_shares_notebook"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("notebook", "login", name=op.f("pk_notebook_shares")),
    )
    op.create_index(op.f("ix_notebook_shares_owner"), "notebook_shares", ["owner"], unique=False)
    op.create_table(
        "notes",
        sa.Column("space", ExactText(), nullable=False),
        sa.Column("id", ExactText(), nullable=False),
        sa.Column("notebook", ExactText(), nullable=True),
        sa.Column("by", ExactText(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("body", ExactText(), nullable=False),
        sa.Column("answer", ExactText(), nullable=True),
        sa.Column("deleted", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["answer"], ["answers.id"], name=op.f("fk_notes_answer")),
        sa.ForeignKeyConstraint(
            ["notebook"], ["notebooks.id"], name=op.f("fk_notes_notebook"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("space", "id", name=op.f("pk_notes")),
    )
    op.create_index(op.f("ix_notes_answer"), "notes", ["answer"], unique=False)
    op.create_index(op.f("ix_notes_notebook"), "notes", ["notebook"], unique=False)
    op.create_table(
        "turns",
        sa.Column("space", ExactText(), nullable=False),
        sa.Column("conversation", ExactText(), nullable=False),
        sa.Column("id", ExactText(), nullable=False),
        sa.Column("owner", ExactText(), nullable=False),
        sa.Column("asked", sa.Double(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("body", ExactText(), nullable=False),
        sa.Column("answer", ExactText(), nullable=True),
        sa.ForeignKeyConstraint(["answer"], ["answers.id"], name=op.f("fk_turns_answer")),
        sa.ForeignKeyConstraint(
            ["space", "conversation"],
            ["conversations.space", "conversations.id"],
            name=op.f("fk_turns_space"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("space", "conversation", "id", name=op.f("pk_turns")),
    )
    op.create_index(op.f("ix_turns_answer"), "turns", ["answer"], unique=False)
