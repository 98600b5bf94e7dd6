"""The tables of documents and their paragraphs.

A document has one current *version*, which is replaced as a whole; a version that is not (yet)
current is *pending*. Paragraphs are stored once for all documents that hold the same text. Rows are
numbered and no number is used twice, so that a vector's id, made of it, never comes to mean another
text.
"""

from __future__ import annotations

import sqlalchemy as sa

from index.database.columns import ExactText, metadata, text

_ROW = sa.BigInteger().with_variant(sa.Integer, "sqlite")

#: Counters and settings of the index as a whole, by name:
#: `revision` grows with each change of documents; `position` is where the next vectors go.
counters = sa.Table(
    "counters",
    metadata,
    text("name", primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)

#: For which encoders vectors were made: the highest whole one is in use.
generations = sa.Table(
    "generations",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    text("fingerprint"),
    sa.Column("whole", sa.Boolean, nullable=False),
)

versions = sa.Table(
    "versions",
    metadata,
    sa.Column("row", _ROW, primary_key=True),
    text("document", index=True),
    text("hash"),  # of the manifest: names this version
    text("title"),
    text("text_hash"),
    text("reading"),
    sa.Column("kept", sa.Boolean, nullable=False),
    text("content"),
    text("language"),
    text("metadata"),  # JSON
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("unread", sa.Integer, nullable=False),
    text("added"),
    text("gaps"),  # JSON: the text before each paragraph, and after the last
    sa.Column("pending", sa.Double, index=True),  # since when, in seconds since 1970
    sqlite_autoincrement=True,
)

documents = sa.Table(
    "documents",
    metadata,
    text("id", primary_key=True),
    text("source"),
    text("custom_title", server_default=""),  # that its owner gave it, whatever its version
    sa.Column("version", _ROW, sa.ForeignKey("versions.row"), nullable=False, unique=True),
)

#: PENDING: its vectors may not be there yet. READY: they are. UNUSED: no document has it any more.
#: DYING: nor will one have it again, for its vectors are being deleted, and then it is.
PENDING, READY, UNUSED, DYING = range(4)

paragraphs = sa.Table(
    "paragraphs",
    metadata,
    sa.Column("row", _ROW, primary_key=True),
    text("id", index=True),  # of the next three columns: see `models.paragraph_id`
    text("text"),
    text("spans"),  # JSON
    text("context", server_default=""),  # see `models.context_of`
    sa.Column("sentences", sa.Integer, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),  # of its first vector
    sa.Column("state", sa.SmallInteger, nullable=False),
    sa.Column("unused", sa.Double),  # since when, in seconds since 1970
    sa.Column("graph", sa.Integer),  # the generation in whose Chroma of this folder it is
    sa.Index(
        "ix_paragraphs_state",
        "state",
        sqlite_where=sa.text("state <> 1"),
        postgresql_where=sa.text("state <> 1"),
    ),
    sqlite_autoincrement=True,
)

places = sa.Table(
    "places",
    metadata,
    sa.Column("version", _ROW, sa.ForeignKey("versions.row", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),  # from 1
    sa.Column("paragraph", _ROW, sa.ForeignKey("paragraphs.row"), nullable=False, index=True),
    text("heading"),  # JSON
    sa.Column("page", sa.Integer),
    sa.Column("start", sa.BigInteger, nullable=False),
    sa.Column("end", sa.BigInteger, nullable=False),
    text("locator"),
    text("kind"),
    sa.Column("ocr_confidence", sa.Double),
    sa.Column("lead", ExactText),  # JSON: where it begins, and its text
)

#: The originals of documents and where their words are printed, in pieces, where machines share an
#: index; of an index in a folder these are files (see `pages`).
files = sa.Table(
    "files",
    metadata,
    text("content", primary_key=True),  # the hash of the original
    text("part", primary_key=True),
    sa.Column("piece", sa.Integer, primary_key=True),
    text("hash"),  # of the whole part
    sa.Column("since", sa.Double, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
)
