"""The commands `footnote index`, `backup` and `restore`: what is in the index, and all that is kept
beside it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.options import (
    INDEX,
    notes,
    opened_index,
    print_json,
    print_text,
    settings_of,
    takes,
    tell_found,
    tell_skipped,
    write_text,
)
from assistant.cli.progress import IndexingProgress

if TYPE_CHECKING:
    from index import Index

app = typer.Typer(help="What is in the index.", no_args_is_help=True)


@app.command("add")
@takes("paths ignore ocr", INDEX)
def index_add(
    context: typer.Context,
    paths: Annotated[
        list[Path],
        typer.Argument(help="Files and folders to keep in the index.", readable=False),
    ],
) -> None:
    """Put documents into the index, or bring them up to date."""
    from assistant.documents import read_raw_documents, unless_named

    settings = settings_of(context)
    documents = read_raw_documents(
        paths, tell_skipped, tell_found, settings.ignore, ocr=settings.ocr
    )
    with opened_index(settings) as index, IndexingProgress(notes) as progress:
        skip = unless_named(paths, tell_skipped)
        report = index.sync(documents, progress, keep=True, on_skip=skip, on_page=progress.pages)
    print_text(
        f"{report.documents} documents: {report.added} paragraphs added, {report.removed} removed, "
        f"{report.unchanged} unchanged; {report.embedded} embedded."
    )


@app.command("list")
@takes(INDEX, "as_json")
def index_list(context: typer.Context, as_json: bool) -> None:
    """List the documents in the index."""
    with opened_index(settings_of(context)) as index:
        infos = index.documents()
    if as_json:
        hidden = {"hash", "metadata"}
        print_json(
            [
                {name: value for name, value in asdict(info).items() if name not in hidden}
                | asdict(info.metadata)
                for info in infos
            ]
        )
        return
    if not infos:
        print_text("The index is empty. Add documents with: footnote index add PATH")
        return
    print_text(f"{'id':<16}  {'paragraphs':>10}  {'kept':<4}  source, title · authors · date")
    for info in infos:
        kept = "kept" if info.kept else ""
        print_text(f"{info.id}  {info.paragraphs:>10,}  {kept:<4}  {info.source}")
        title = info.title if info.title not in info.source else ""
        authors = info.metadata.authors
        named = ", ".join(authors) if len(authors) <= 3 else f"{authors[0]} et al."
        about = (title, named, info.metadata.date)
        if any(about):
            print_text(f"{'':<36}{' · '.join(filter(None, about))}")


@app.command("remove")
@takes("documents", INDEX)
def index_remove(
    context: typer.Context,
    documents: Annotated[list[str], typer.Argument(help="Ids or sources, as `list` shows them.")],
) -> None:
    """Take documents out of the index. The files themselves are not touched."""
    with opened_index(settings_of(context)) as index:
        for document in documents:
            index.remove(_id_of(document, index))
            print_text(f"Removed {document}.")


@app.command("rename")
@takes("document title", INDEX)
def index_rename(
    context: typer.Context,
    document: Annotated[str, typer.Argument(help="Its id or source, as `list` shows them.")],
    title: Annotated[str, typer.Argument(help="Its new title; '' for its own.")],
) -> None:
    """Give a document another title, which stays when its file changes."""
    with opened_index(settings_of(context)) as index:
        identity = _id_of(document, index)
        index.rename(identity, title)
        print_text(f"Renamed {document}: {index.info(identity).title}")


def _id_of(document: str, index: Index) -> str:
    """The id of a document that is named by that or by its source."""
    from index.readers.files import source_of

    by_source = {info.source: info.id for info in index.documents()}
    resolved = source_of(Path(document).expanduser())
    return by_source.get(document) or by_source.get(resolved) or document


@app.command("rebuild")
@takes(INDEX)
def index_rebuild(context: typer.Context) -> None:
    """Make all vectors again from the texts in the database, beside those in use.

    Questions are answered meanwhile. Needed where vectors were lost; and where another encoder is
    to be used.
    """
    with opened_index(settings_of(context)) as index, IndexingProgress(notes) as progress:
        print_text(f"{index.rebuild(progress):,} paragraphs embedded.")


@app.command("votes")
@takes(INDEX)
def index_votes(context: typer.Context) -> None:
    """Print the votes of readers on answers, one JSON line each."""
    from assistant.workspace.feedback import votes_in

    with opened_index(settings_of(context)) as index:
        write_text(votes_in(index.database))


@app.command("status")
@takes(INDEX, "as_json")
def index_status(context: typer.Context, as_json: bool) -> None:
    """Show counts and size."""
    with opened_index(settings_of(context)) as index:
        status = asdict(index.status())
    if as_json:
        print_json(status)
        return
    for name, value in status.items():
        print_text(f"{name:<12} {value:,}" if isinstance(value, int) else f"{name:<12} {value}")


@takes("file", INDEX)
def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="File to write, FILE.zip say.")],
) -> None:
    """Write a backup of everything that is kept: documents, notebooks, conversations, notes, keys.

    The index may be used meanwhile, by a server too; the backup is of one moment.
    """
    from index.backup import backup as write

    with opened_index(settings_of(context)) as index:
        print_text(f"{file}: {write(index, file) / 1e6:,.1f} MB")


@takes("file", INDEX)
def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A backup.")],
) -> None:
    """Make an index of a backup, in a folder that has none yet or in an empty database."""
    from index.backup import restore as read

    settings = settings_of(context)
    read(file, settings.index_dir, settings.database_address)
    notes.print("Restored. Vectors that are not in the backup are made now …")
    with opened_index(settings) as index:
        index.migrate()
        status = index.status()
    print_text(f"{status.documents:,} documents with {status.paragraphs:,} paragraphs are there.")
