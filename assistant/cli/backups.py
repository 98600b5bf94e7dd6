"""`footnote backup` and `footnote restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assistant.cli.options import (
    EncoderName,
    IndexDir,
    notes,
    opened_index,
    print_text,
    settings_of,
)


def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="File to write, FILE.zip say.")],
    index_dir: IndexDir = None,
    encoder: EncoderName = None,
) -> None:
    """Write a backup of everything that is kept: documents, notebooks, conversations, notes, keys.

    The index may be used meanwhile, by a server too; the backup is of one moment.
    """
    from index.backup import backup as write

    with opened_index(settings_of(context)) as index:
        print_text(f"{file}: {write(index, file) / 1e6:,.1f} MB")


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A backup.")],
    index_dir: IndexDir = None,
    encoder: EncoderName = None,
) -> None:
    """Make an index of a backup, in a folder that has none yet or in an empty database."""
    from index.backup import restore as read

    settings = settings_of(context)
    database = settings.database.get_secret_value() if settings.database else None
    read(file, settings.index_dir, database, settings.wait)
    notes.print("Restored. Vectors that are not in the backup are made now …")
    with opened_index(settings) as index:
        index.migrate()
        status = index.status()
    print_text(f"{status.documents:,} documents with {status.paragraphs:,} paragraphs are there.")
