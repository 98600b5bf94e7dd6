"""The command `footnote`. Exit codes: 0 answered or done, 3 refused, 4 not sure, 2 user's mistake.

What takes long to import is imported where it is first needed.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.answer import place_of
from assistant.cli import index
from assistant.cli.options import (
    AnswerFrom,
    EncoderName,
    Ignore,
    IndexDir,
    Json,
    LanguageModel,
    MaxSentences,
    ReaderName,
    RefuseBelow,
    Source,
    Unsupported,
    notes,
    opened_assistant,
    print_json,
    print_text,
    settings_of,
    tell_offer,
    write_text,
)
from assistant.llm.servers import SERVERS, Server
from index import read_document
from index.errors import DocumentError, FootnoteError

REFUSED, UNSURE, MISTAKE, INTERRUPTED = 3, 4, 2, 130

app = typer.Typer(
    help="Answers questions about your documents; every sentence cites its source paragraph.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(index.app, name="index")


@app.command()
def ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="What to ask.")],
    source: Source = None,
    ignore: Ignore = None,
    index_dir: IndexDir = None,
    encoder: EncoderName = None,
    reader: ReaderName = None,
    max_sentences: MaxSentences = None,
    refuse_below: RefuseBelow = None,
    answer_from: AnswerFrom = None,
    llm: LanguageModel = None,
    unsupported: Unsupported = None,
    as_json: Json = False,
) -> None:
    """Answer a question. Without --source: about the documents in the index, or the shipped one.

    Exits with 0 if it is answered, with 3 if it is refused, and with 4 where it is not sure that
    the documents answer: then what comes closest is shown.
    """
    from assistant.answer import LEADS, Citation, Decided, Done, Layout, SentenceReady, marked
    from assistant.query.cleaning import check_question

    question = check_question(question)  # before anything long
    settings = settings_of(context)
    code = 0
    with opened_assistant(source, settings) as assistant:
        layout, cited = Layout("fact"), dict[int, Citation]()
        for event in assistant.stream(question):
            if isinstance(event, Decided):
                layout = Layout(event.kind)
                code = {"answered": 0, "unsure": UNSURE, "refused": REFUSED}[event.status]
                if not as_json:
                    write_text(LEADS[event.status])
            elif isinstance(event, SentenceReady) and not as_json:
                cited |= {citation.marker: citation for citation in event.citations}
                first = cited[event.sentence.markers[0]] if event.sentence.markers else None
                write_text(layout.before(event.sentence, first) + marked(event.sentence))
            elif isinstance(event, Done):
                if as_json:
                    print_json(event.answer.to_dict())
                else:
                    print_text(event.answer.below)
    if not as_json:
        tell_offer(settings, context.obj)
    raise typer.Exit(code)


@app.command()
def verify(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="Text to check, whoever wrote it; `-` for input.", readable=False)
    ],
    question: Annotated[str | None, typer.Option(help="The question that it answers.")] = None,
    source: Source = None,
    ignore: Ignore = None,
    index_dir: IndexDir = None,
    encoder: EncoderName = None,
    reader: ReaderName = None,
    as_json: Json = False,
) -> None:
    """Say of each sentence of a text whether the documents support it. Exits with 3 if not all."""
    text = sys.stdin.read() if str(file) == "-" else read_document(file).text
    settings = settings_of(context)
    with opened_assistant(source, settings) as assistant:
        verification = assistant.verify(text, question)
    if as_json:
        print_json(verification.to_dict())
    else:
        print_text(str(verification))
    raise typer.Exit(0 if verification.supported else REFUSED)


@app.command()
def search(
    context: typer.Context,
    query: Annotated[str, typer.Argument(help="What to look for.")],
    source: Source = None,
    ignore: Ignore = None,
    k: Annotated[int, typer.Option("-k", min=1, help="How many paragraphs.")] = 10,
    index_dir: IndexDir = None,
    encoder: EncoderName = None,
    reader: ReaderName = None,
    as_json: Json = False,
) -> None:
    """Find the paragraphs that match best."""
    from assistant.query.cleaning import check_question

    query = check_question(query)
    with opened_assistant(source, settings_of(context)) as a:
        infos = {info.id: info for info in a.index.documents()}
        hits = [(infos[hit.paragraph.document_id], hit) for hit in a.search(query, k)]
    if as_json:
        found: list[dict[str, Any]] = [
            {
                "paragraph": hit.paragraph.number,
                "document": info.title,
                "source": info.source,
                "heading": list(hit.paragraph.heading),
                "locator": hit.paragraph.locator,
                "score": round(hit.score, 6),
                "legs": hit.legs,
                "start": hit.paragraph.start,
                "end": hit.paragraph.end,
                "text": hit.paragraph.text,
            }
            for info, hit in hits
        ]
        print_json(found)
        return
    for info, hit in hits:
        place = place_of(info.title, hit.paragraph)
        print_text(f"{hit.score:.3f}  {place}\n    {' '.join(hit.paragraph.text.split())}\n")


@app.command()
def chat(
    context: typer.Context,
    source: Source = None,
    ignore: Ignore = None,
    index_dir: IndexDir = None,
    encoder: EncoderName = None,
    reader: ReaderName = None,
    max_sentences: MaxSentences = None,
    refuse_below: RefuseBelow = None,
    answer_from: AnswerFrom = None,
    llm: LanguageModel = None,
    unsupported: Unsupported = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port; the first free one from 7860.")
    ] = None,
    auth: Annotated[
        Path | None,
        typer.Option(
            help="File of logins that the page asks for, one name:password a line; or set "
            "FOOTNOTE_AUTH to one.",
            metavar="FILE",
            readable=False,
        ),
    ] = None,
    open_browser: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page in a browser.")
    ] = True,
    watch: Annotated[
        bool, typer.Option("--watch", help="Follow the folders given by --source as they change.")
    ] = False,
    mcp: Annotated[
        bool, typer.Option("--mcp", help="Offer the same to MCP clients, at /mcp of the page.")
    ] = False,
) -> None:
    """Open the web page."""
    from assistant.watching import FolderWatch, check_folders, unread_of
    from assistant.web.security import check_host, read_logins

    logins = read_logins(auth)
    check_host(host, logins)  # before anything long
    settings = settings_of(context)
    folders = source or []
    if watch:
        check_folders(folders)
    if mcp:
        import_module("assistant.web.mcp")  # says before anything long if its package is missing
    unread: list[DocumentError] = []
    with opened_assistant(source, settings, unread.append) as assistant:
        from assistant.web.server import serve

        tell_offer(settings, context.obj)
        serve(
            assistant,
            host=host,
            port=port,
            auth=logins,
            open_browser=open_browser,
            mcp=mcp,
            unread=unread_of(unread, folders),
            watch=FolderWatch(assistant, folders, unread) if watch else None,
            servers=context.obj,
        )


@app.command()
def mcp(
    context: typer.Context,
    source: Source = None,
    ignore: Ignore = None,
    index_dir: IndexDir = None,
    encoder: EncoderName = None,
    reader: ReaderName = None,
    max_sentences: MaxSentences = None,
    refuse_below: RefuseBelow = None,
    answer_from: AnswerFrom = None,
    llm: LanguageModel = None,
    unsupported: Unsupported = None,
) -> None:
    """Answer an MCP client, such as a desktop chat program, on standard input and output."""
    from assistant.llm.client import check_setting
    from assistant.web.stdio import serve_stdio
    from index.chunking.files import mode_of

    settings = settings_of(context)
    check_setting(settings)
    for path in source or []:
        mode_of(path)  # what is missing is told at once, while whoever set it up may still look
    if sys.stdin.isatty():
        notes.print("This is for MCP clients, which start it themselves. Ctrl-C ends it.")
    is_fine = serve_stdio(
        lambda step: opened_assistant(source, settings, on_step=step),
        lambda error: notes.print(f"footnote: {error}"),
    )
    # Clients kill what has not ended two seconds after they close its input, and looking through
    # all that is loaded for garbage, as Python does at its end, may take longer.
    gc.freeze()
    raise typer.Exit(0 if is_fine else MISTAKE)


def main(servers: Sequence[Server] = SERVERS) -> None:
    """Run the command; a mistake is told in a sentence, without a traceback.

    Args:
        servers: where language models on this machine are looked for, to offer them.
    """
    for command in entry_points(group="footnote.commands"):
        # Only what is asked for is imported: a plain `ask` needs no evaluation.
        if sys.argv[1:2] in ([], ["--help"], [command.name]):
            app.add_typer(command.load(), name=command.name)
    try:
        app(obj=servers)
    except FootnoteError as error:
        notes.print(f"footnote: {error}")
        sys.exit(MISTAKE)
    except SystemExit as ending:
        if ending.code == INTERRUPTED:  # typer's code for Ctrl-C
            notes.print("Stopped.")
        raise


if __name__ == "__main__":
    main()
