"""The tables of what people keep: notebooks, conversations, notes, answers, keys and logins.

A conversation or a note is in a *space*: that of its owner, or of a notebook, whose readers share
it. Ids of conversations, turns and notes are chosen by the page that begins them, so they are only
unique in their space. An *owner* is made of a login's name, or of nothing where nobody logs in (see
`assistant.access.callers.owner_of_login`).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from index.database.columns import ExactText, deleted, metadata, text, time


def _of_notebook(**options: Any) -> sa.Column[str]:
    return sa.Column(
        "notebook", ExactText, sa.ForeignKey("notebooks.id", ondelete="CASCADE"), **options
    )


notebooks = sa.Table(
    "notebooks",
    metadata,
    text("id", primary_key=True),
    text("name"),
    text("owner", index=True),
    text("login"),  # of its owner, as others see it
    time("created"),
    deleted(),
)

notebook_shares = sa.Table(
    "notebook_shares",
    metadata,
    _of_notebook(primary_key=True),
    text("login", primary_key=True),
    text("owner", index=True),  # who that login is
    text("may"),  # "read" or "write"
)

#: Neither this nor `deleted_documents` has a foreign key to the documents: one whose file was away
#: while a folder was indexed anew, and so was removed, is in its notebooks again when it is back.
notebook_documents = sa.Table(
    "notebook_documents",
    metadata,
    _of_notebook(primary_key=True),
    text("document", primary_key=True, index=True),
    time("added"),
    sa.Column("taken", sa.Double),  # when somebody else than its owner took it out
)

conversations = sa.Table(
    "conversations",
    metadata,
    text("space", primary_key=True),
    text("id", primary_key=True),
    _of_notebook(nullable=True, index=True),
    text("title"),
    sa.Column("named", sa.Boolean, nullable=False),  # whether a person gave it this title
    text("by"),  # the login of who began it
    sa.Column("updated", sa.Double, nullable=False),  # milliseconds, as the page counts
    sa.Column("pinned", sa.Boolean, nullable=False, server_default=sa.false()),
    deleted(),
)

#: Answers that this server gave: what is kept of a question is never what a browser says it was.
answers = sa.Table(
    "answers",
    metadata,
    text("id", primary_key=True),
    # Or when a question that it was kept with was removed.
    sa.Column("created", sa.Double, nullable=False, index=True),
    text("body"),  # JSON of `turns.KeptAnswer`
    text("owner", server_default=""),  # who was given it
    sa.Column("size", sa.Integer, nullable=False, server_default="0"),  # bytes
)

turns = sa.Table(
    "turns",
    metadata,
    text("space", primary_key=True),
    text("conversation", primary_key=True),
    text("id", primary_key=True),
    text("owner"),  # who asked
    sa.Column("asked", sa.Double, nullable=False),  # milliseconds
    sa.Column("size", sa.Integer, nullable=False),  # bytes, with its answer
    text("body"),  # JSON of `turns.KeptTurn` without its answer
    sa.Column("answer", ExactText, sa.ForeignKey("answers.id"), index=True),
    sa.ForeignKeyConstraint(
        ["space", "conversation"],
        ["conversations.space", "conversations.id"],
        ondelete="CASCADE",
    ),
)

notes = sa.Table(
    "notes",
    metadata,
    text("space", primary_key=True),
    text("id", primary_key=True),
    _of_notebook(nullable=True, index=True),
    text("by"),  # the login of who keeps it
    sa.Column("created", sa.Double, nullable=False),  # milliseconds
    sa.Column("size", sa.Integer, nullable=False),  # bytes, with its answer
    text("body"),  # JSON of `notes.KeptNote` without its answer
    sa.Column("answer", ExactText, sa.ForeignKey("answers.id"), index=True),
    deleted(),
)

#: Documents that were deleted and can still be restored.
deleted_documents = sa.Table(
    "deleted_documents", metadata, text("id", primary_key=True), time("deleted")
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    text("digest", primary_key=True),  # sha256 of the key
    text("name", unique=True),
    sa.Column("scopes", sa.JSON, nullable=False),
    text("created"),  # ISO 8601, in UTC
    sa.Column("expires", ExactText),
)

#: What signs logins; see `logins`.
login_secrets = sa.Table("login_secrets", metadata, text("name", primary_key=True), text("secret"))

#: Readers' votes on answers; see `assistant.workspace.feedback`.
feedback = sa.Table(
    "feedback",
    metadata,
    text("id", primary_key=True),
    time("added"),
    text("vote"),  # JSON
)
