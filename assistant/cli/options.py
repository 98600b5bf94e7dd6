"""What all commands share: options, how documents are opened, how results and remarks are printed.

What takes long to import is imported where it is first needed.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from assistant.cli.progress import IndexingProgress
from index.errors import FootnoteError

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.settings import Settings

LARGE = 5_000_000  # bytes to read that are worth a word

# Everything but results goes to standard error, so that `--json` can be piped.
# Paths and texts are shown as they are: no markup, no names of emoji.
notes = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)

# What would steer a terminal is not printed on it, whatever a document holds.
_CONTROLS = dict.fromkeys([*range(9), *range(11, 32), *range(127, 160)], "\ufffd")

Source = Annotated[
    list[Path] | None,
    typer.Option(
        "--source",
        "-s",
        help="File or folder to ask; may be given again.",
        metavar="PATH",
        readable=False,  # told when it is read, as for any other file
    ),
]
IndexDir = Annotated[
    Path | None,
    typer.Option(
        help="Where the index is kept; the user's data folder by default.", readable=False
    ),
]
EncoderName = Annotated[
    str | None, typer.Option("--encoder", help="A sentence-transformers model; all-MiniLM-L6-v2.")
]
ReaderName = Annotated[
    str | None, typer.Option("--reader", help="`shipped`, `none`, or a cross-encoder.")
]
MaxSentences = Annotated[int | None, typer.Option(help="Most sentences to quote.")]
Threshold = Annotated[float | None, typer.Option(help="Refuse below this confidence, 0 to 1.")]
LanguageModel = Annotated[
    str | None,
    typer.Option(
        "--llm", help="Address of an OpenAI-compatible server or a .gguf file, to write answers."
    ),
]
Unsupported = Annotated[
    str | None,
    typer.Option(help="`drop` or `flag` written sentences that nothing supports."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def settings_of(**given: Any) -> Settings:
    """The settings in force; see `assistant.settings.load`."""
    from assistant.settings import load

    return load(**given)


@contextmanager
def opened(source: list[Path] | None, settings: Settings) -> Iterator[Assistant]:
    """An assistant on the documents, with progress shown while they are indexed."""
    from assistant.assistant import Assistant

    announce(source or ())
    with IndexingProgress(notes) as progress:
        assistant = Assistant.open(
            *(source or ()),
            settings=settings,
            progress=progress,
            on_wait=notes.print,
            on_skip=skipped,
        )
    with assistant:
        yield assistant


def open_index(settings: Settings, kind: Any) -> Any:
    """An index of the kind; it says when it waits for another process."""
    return kind(
        settings.index_dir, encoder=settings.encoder, wait=settings.wait, on_wait=notes.print
    )


@contextmanager
def closing(index: Any) -> Iterator[Any]:
    """Close the index at the end."""
    try:
        yield index
    finally:
        index.close()


def announce(paths: Sequence[Path]) -> None:
    """Say what is read where that takes a while."""
    from index.chunking.loader import find_files

    sizes = {}
    for file in find_files(paths, lambda _: None):  # what is skipped is told when it is read
        try:
            sizes[file] = file.stat().st_size
        except OSError:
            continue  # told when it is read
    if sum(sizes.values()) > LARGE:
        what = next(iter(sizes)).name if len(sizes) == 1 else f"{len(sizes):,} files"
        notes.print(f"Reading {what}, {sum(sizes.values()) / 1e6:,.0f} MB …")


def skipped(error: FootnoteError) -> None:
    """Tell of a file that cannot be read."""
    notes.print(f"Skipped: {error}")


def print_text(text: str) -> None:
    """Print a result and end the line."""
    write_text(f"{text}\n")


def write_text(text: str) -> None:
    """Print a part of a result at once; the line goes on."""
    _write(text.translate(_CONTROLS), errors="replace")


def print_json(value: object) -> None:
    """Print a result as JSON, in ASCII where the terminal cannot show it otherwise."""
    text = json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2) + "\n"
    _write(text, errors="strict")


def _write(text: str, errors: str) -> None:
    encoding = sys.stdout.encoding
    try:
        sys.stdout.write(text.encode(encoding, errors).decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output, such as `head`, has gone; that is no mistake.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
