"""What all commands share: options, how documents are opened, how results and remarks are printed.

What takes long to import is imported where it is first needed.
"""

from __future__ import annotations

import inspect
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console

from assistant.cli.progress import IndexingProgress
from index.errors import DocumentError, FootnoteError

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.settings import Settings
    from index import Index

ANNOUNCED_BYTES = 5_000_000  # to read, from which on that is said

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
    str | None, typer.Option("--encoder", help="A sentence-transformers model; the shipped one.")
]
ReaderName = Annotated[str | None, typer.Option("--reader", help="`shipped`, `none`, or a folder.")]
LanguageModel = Annotated[
    str | None,
    typer.Option(
        "--llm",
        help="Language model to write answers: `ollama:NAME` (or `lmstudio:NAME`, `llamacpp:`, "
        "`vllm:NAME`), the address of an OpenAI-compatible server, a .gguf file; or `none`.",
    ),
]
LOCAL = "127.0.0.1"
Host = Annotated[str, typer.Option(help="Address to listen on.")]
Log = Annotated[
    Literal["text", "json"] | None,
    typer.Option(help="Tell each request on standard error: as `text` for people, or as `json`."),
]


def _option(kind: Any, text: str, *names: str, default: Any = None, **more: Any) -> tuple[Any, Any]:
    return kind, typer.Option(default, *names, help=text, **more)


#: Options by the name of their parameter: its type and its default.
OPTIONS: Mapping[str, tuple[Any, Any]] = {
    "source": (Source, None),
    "ignore": _option(
        list[str] | None,
        "What inside folders is not read, as in .gitignore; may be given again.",
        metavar="PATTERN",
    ),
    "ocr": _option(
        bool | None, "Read what stands in pictures, too: scans, photographs of text.", "--ocr"
    ),
    "notebook": _option(
        str | None, "Ask only what is in this notebook, by its name or id.", metavar="NAME"
    ),
    "index_dir": (IndexDir, None),
    "encoder": (EncoderName, None),
    "reader": (ReaderName, None),
    "refuse_below": _option(
        float | None, "Refuse where the documents answer with a probability below this, 0 to 1."
    ),
    "answer_from": _option(
        float | None, "Answer from this confidence on; below, passages that may answer are shown."
    ),
    "llm": (LanguageModel, None),
    "trust_llm": _option(
        bool | None, "Let a language model read that failed its check.", "--trust-llm"
    ),
    "passages": _option(
        bool, "Below an answer, other passages that may answer.", "--passages", default=False
    ),
    "k": _option(int, "How many paragraphs.", "-k", default=10, min=1),
    "as_json": _option(bool, "Print JSON.", "--json", default=False),
    "host": (Host, LOCAL),
    "port": _option(int | None, "Port; the first free one from 7860.", min=1, max=65535),
    "auth": _option(
        Path | None,
        "File of logins that the page asks for, one name:password a line; or set FOOTNOTE_AUTH to "
        "one.",
        metavar="FILE",
        readable=False,
    ),
    "open_browser": _option(bool, "Open the page in a browser.", "--open/--no-open", default=True),
    "page": _option(bool, "Serve the page beside the API.", "--page/--no-page", default=True),
    "watch": _option(
        bool, "Follow the folders given by --source as they change.", "--watch", default=False
    ),
    "fetch": _option(
        bool | None,
        "Let pages and PDFs be added by their address, which is fetched from here.",
        "--fetch",
    ),
    "mcp": _option(bool, "Offer the same to MCP clients, at /mcp.", "--mcp", default=False),
    "log": (Log, None),
}
DOCUMENTS = "source ignore ocr"
INDEX = "index_dir encoder"
ANSWERING = "reader refuse_below answer_from llm trust_llm"
SERVING = "host port auth"

_KEYWORD = inspect.Parameter.KEYWORD_ONLY


def takes(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let a command take these options, in the order in which its help shows them.

    They are as OPTIONS has them, unless the command gives one a default of its own. It is called
    with those that are among its parameters; the others are read from its context, as `settings_of`
    does.
    """

    def taking(command: Callable[..., None]) -> Callable[..., None]:
        taken = inspect.signature(command, eval_str=True).parameters
        parameters = []
        for name in ["context", *" ".join(names).split()]:
            one = taken.get(name)
            if one is None or (name in OPTIONS and one.default is one.empty):
                kind, default = OPTIONS[name]
                one = inspect.Parameter(name, _KEYWORD, default=default, annotation=kind)
            parameters.append(one.replace(kind=_KEYWORD))

        @wraps(command)
        def run(context: typer.Context, **given: Any) -> None:
            context.params |= given  # what typer has made of words: paths
            command(context, **{name: value for name, value in given.items() if name in taken})

        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        return run

    return taking


def settings_of(context: typer.Context) -> Settings:
    """The settings in force, those options of the command included that are settings.

    Raises:
        SettingsError: see `assistant.settings.load_settings`.
    """
    from assistant.settings import Settings, load_settings

    given = {n: v for n, v in context.params.items() if n in Settings.model_fields and v != []}
    return load_settings(**given)


@contextmanager
def opened_assistant(
    source: Sequence[Path],
    settings: Settings,
    on_skip: Callable[[DocumentError], None] = lambda _: None,
) -> Iterator[Assistant]:
    """An assistant on the documents, with progress shown while they are indexed; files that cannot
    be read are told of, and given to `on_skip`."""
    from assistant.assistant import Assistant

    def skip(error: DocumentError) -> None:
        tell_skipped(error)
        on_skip(error)

    with IndexingProgress(notes) as progress:
        assistant = Assistant.open(
            *source,
            settings=settings,
            progress=progress,
            on_wait=notes.print,
            on_skip=skip,
            on_found=tell_found,
            on_page=progress.pages,
        )
    tell_languages(assistant)
    with assistant:
        yield assistant


@contextmanager
def opened_index(settings: Settings) -> Iterator[Index]:
    """The index by itself; it says when it waits for another process or is made anew."""
    with IndexingProgress(notes) as progress:
        index = settings.open_index(notes.print, progress=progress)
    with closing(index):
        yield index


def tell_found(files: Sequence[Path]) -> None:
    """Say what is read where that takes a while."""
    from assistant.settings import is_file

    size = sum(file.stat().st_size for file in files if is_file(file))
    if size > ANNOUNCED_BYTES:
        what = files[0].name if len(files) == 1 else f"{len(files):,} files"
        notes.print(f"Reading {what}, {size / 1e6:,.0f} MB …")


def tell_languages(assistant: Assistant) -> None:
    """Say once what it means that documents are in other languages than English."""
    from index.models import ENGLISH

    asked = set(assistant.document_ids)
    others = [
        info
        for info in assistant.index.documents()
        if info.id in asked and info.language != ENGLISH
    ]
    if others:
        what = f"{others[0].title} is" if len(others) == 1 else f"{len(others):,} documents are"
        languages = ", ".join(sorted({info.language for info in others}))
        notes.print(
            f"{what} not in English ({languages}), from which the models that ship have learned: "
            "answers are less sure there, and more is refused. A multilingual encoder finds more: "
            "FOOTNOTE_ENCODER, of which footnote help documents tells."
        )


def tell_searches(searches: Sequence[str]) -> None:
    """Say, to a person who waits, what a language model has looked up besides."""
    if sys.stderr.isatty():
        notes.print(f"Searched again for: {'; '.join(searches)} …".translate(_CONTROLS))


def tell_check(settings: Settings) -> None:
    """Say that the language model that is set has not been checked, or failed that.

    Args:
        settings: those in force.
    """
    from assistant.llm.check_results import kept
    from assistant.llm.client import is_set, name_of

    if settings.llm is None or not is_set(settings):
        return
    # An address may hold a password.
    given = "MODEL" if "@" in settings.llm else shlex.quote(settings.llm)
    name, check = name_of(settings), f"footnote llm check {given}"
    try:
        result = kept(settings)
    except FootnoteError as error:
        notes.print(str(error))
        return
    if result is None:
        notes.print(f"{name} has not been checked. To see whether it reads well enough: {check}")
    elif not result.passed:
        what = (
            "it reads all the same, as --trust-llm has it"
            if settings.trust_llm
            else "the documents are quoted. To let it read all the same: --trust-llm"
        )
        notes.print(f"{name} failed its check ({result.counts}); {what}")


def tell_skipped(error: DocumentError) -> None:
    """Tell of a file that cannot be read."""
    notes.print(f"Skipped: {error}")


def print_text(text: str) -> None:
    """Print a result and end the line."""
    write_text(f"{text}\n")


def write_text(text: str) -> None:
    """Print a part of a result at once; the line goes on."""
    _write(text.translate(_CONTROLS))


def print_json(value: object) -> None:
    """Print a result as JSON, in ASCII where the terminal cannot show it otherwise."""
    text = json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2) + "\n"
    _write(text)


def _write(text: str) -> None:
    encoding = sys.stdout.encoding
    try:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output, such as `head`, has gone; that is no mistake.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
