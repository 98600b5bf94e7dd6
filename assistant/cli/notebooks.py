"""The notebooks of whoever sits at this machine: which there are, and what is in one as what is
asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from assistant.cli.options import (
    INDEX,
    opened_assistant,
    print_json,
    print_text,
    settings_of,
    takes,
)
from index.errors import SettingsError

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.settings import Settings
    from assistant.workspace.library import Library


@takes(INDEX, "as_json")
def notebooks(context: typer.Context, as_json: bool) -> None:
    """List the notebooks that were made on the page, or by a program without a key."""
    from assistant.access.callers import MACHINE
    from assistant.workspace.notebooks import Space

    with opened_assistant([], settings_of(context)) as assistant:
        library = _library(assistant)
        found = [
            (one, len(library.conversations.all(Space(MACHINE, one))))
            for one in library.notebooks_of(MACHINE).notebooks
        ]
    if as_json:
        print_json([{**one.model_dump(), "conversations": count} for one, count in found])
        return
    if not found:
        print_text("There is no notebook. Make one on the page: footnote chat")
        return
    print_text(f"{'id':<16}  {'documents':>9}  {'conversations':>13}  name")
    for one, count in found:
        print_text(f"{one.id:<16}  {len(one.documents):>9}  {count:>13}  {one.name}")


@contextmanager
def opened_to_ask(context: typer.Context, settings: Settings) -> Iterator[Assistant]:
    """An assistant on what a command is to ask: the documents of a notebook, or where none is named
    as `opened_assistant`.

    Raises:
        SettingsError: both are given.
        MissingPathError: there is no such notebook, or nothing in it.
    """
    source, notebook = context.params["source"] or [], context.params["notebook"]
    if source and notebook is not None:
        raise SettingsError(
            "--notebook asks documents that are in the index already, and --source others. Give "
            "one of them."
        )
    with opened_assistant(source, settings) as assistant:
        if notebook is None:
            yield assistant
        else:
            from assistant.access.callers import MACHINE

            yield _library(assistant).asking(MACHINE, notebook=notebook)


def _library(assistant: Assistant) -> Library:
    """What is kept beside the index of an assistant; nothing is added here."""
    from assistant.workspace.library import Library

    return Library(assistant, max_bytes=0)
