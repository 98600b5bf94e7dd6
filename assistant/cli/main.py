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

from assistant.cli import index, keys, llm
from assistant.cli.help import help_
from assistant.cli.notebooks import notebooks, opened_to_ask
from assistant.cli.options import (
    ANSWERING,
    DOCUMENTS,
    INDEX,
    SERVING,
    Log,
    notes,
    opened_assistant,
    print_json,
    print_text,
    settings_of,
    takes,
    tell_check,
    tell_searches,
    write_text,
)
from assistant.cli.system import doctor
from assistant.llm.discovery import SERVERS, Server, is_loopback
from index.errors import DocumentError, FootnoteError

REFUSED, UNSURE, MISTAKE, INTERRUPTED = 3, 4, 2, 130

app = typer.Typer(
    help="Answers questions about your documents; every sentence cites its source paragraph.",
    epilog="Read about all of it: footnote help. One topic: footnote help TOPIC.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(index.app, name="index")
app.add_typer(keys.app, name="keys")
app.add_typer(llm.app, name="llm")
app.command()(notebooks)
app.command()(index.backup)
app.command()(index.restore)


@app.command()
@takes("question", DOCUMENTS, "notebook", INDEX, ANSWERING, "passages as_json")
def ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="What to ask.")],
    passages: bool,
    as_json: bool,
) -> None:
    """Answer a question. Without --source: about the documents in the index, or the shipped one.

    Exits with 0 if it is answered, with 3 if it is refused, and with 4 where no answer is sure:
    then up to five passages are shown that may answer.
    """
    from assistant.answer import LEADS, Layout
    from assistant.events import Decided, Done, LookedAgain, SentenceReady
    from assistant.query.cleaning import check_question

    question = check_question(question)  # before anything long
    settings = settings_of(context)
    with opened_to_ask(context, settings) as assistant:
        if as_json:
            answer = assistant.ask(question)
            print_json(answer.to_dict())
        else:
            layout = None
            for event in assistant.stream(question):
                if isinstance(event, LookedAgain) and layout is None:  # no line is being written
                    tell_searches(event.searches)
                elif isinstance(event, Decided):
                    layout = Layout(event.kind, event.status)
                    write_text(LEADS[event.status])
                elif isinstance(event, SentenceReady) and layout:
                    write_text(layout.add(event.sentence, event.citations))
                elif isinstance(event, Done):
                    answer = event.answer
                    print_text(answer.below)
                    if passages and answer.others:
                        print_text(answer.others)
    if not answer.writing or answer.writing.outcome != "untrusted":  # which the answer tells
        tell_check(settings)
    raise typer.Exit({"answered": 0, "unsure": UNSURE, "refused": REFUSED}[answer.status])


@app.command()
@takes("file question", DOCUMENTS, "notebook", INDEX, "reader as_json")
def verify(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="Text to check, whoever wrote it; `-` for input.", readable=False)
    ],
    as_json: bool,
    question: Annotated[str | None, typer.Option(help="The question that it answers.")] = None,
) -> None:
    """Say of each sentence of a text whether the documents support it. Exits with 3 if not all."""
    from index import read_document

    text = sys.stdin.read() if str(file) == "-" else read_document(file).text
    settings = settings_of(context)
    with opened_to_ask(context, settings) as assistant:
        verification = assistant.verify(text, question)
    if as_json:
        print_json(verification.to_dict())
    else:
        print_text(str(verification))
    raise typer.Exit(0 if verification.supported else REFUSED)


@app.command()
@takes("query", DOCUMENTS, "notebook k", INDEX, "reader as_json")
def search(
    context: typer.Context,
    query: Annotated[str, typer.Argument(help="What to look for.")],
    k: int,
    as_json: bool,
) -> None:
    """Find the paragraphs that match best."""
    from assistant.places import place_of
    from assistant.query.cleaning import check_question

    query = check_question(query)
    with opened_to_ask(context, settings_of(context)) as a:
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
                "uncertain": hit.paragraph.is_uncertain,
                "score": round(hit.score, 6),
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
@takes(DOCUMENTS, INDEX, ANSWERING, SERVING, "open_browser watch fetch mcp log")
def chat(context: typer.Context, open_browser: bool) -> None:
    """Open the web page. The API is at the same address; /api/docs describes it."""
    _serve(context, open_browser=open_browser)


@app.command()
@takes(DOCUMENTS, INDEX, ANSWERING, SERVING, "page watch fetch mcp log")
def serve(context: typer.Context, page: bool, log: Log = "text") -> None:
    """Serve the API, and the page with it, until that is ended.

    On other hosts than this machine's own, keys are demanded (`footnote keys`), and for the page a
    login.
    """
    _serve(context, page=page)


@app.command()
@takes(DOCUMENTS, INDEX, ANSWERING)
def mcp(context: typer.Context) -> None:
    """Answer an MCP client, such as a desktop chat program, on standard input and output."""
    from assistant.llm.client import check_setting
    from assistant.mcp.stdio import serve_stdio
    from index.readers.files import mode_of

    settings, source = settings_of(context), context.params["source"] or []
    check_setting(settings)
    for path in source:
        mode_of(path)  # what is missing is told at once, while whoever set it up may still look
    if sys.stdin.isatty():
        notes.print("This is for MCP clients, which start it themselves. Ctrl-C ends it.")
    is_fine = serve_stdio(
        lambda: opened_assistant(source, settings),
        lambda error: notes.print(f"footnote: {error}"),
    )
    # Clients kill what has not ended two seconds after they close its input, and looking through
    # all that is loaded for garbage, as Python does at its end, may take longer.
    gc.freeze()
    raise typer.Exit(0 if is_fine else MISTAKE)


app.command("help")(help_)
app.command()(doctor)


def _serve(context: typer.Context, *, page: bool = True, open_browser: bool = False) -> None:
    from assistant.access.api_keys import Keys
    from assistant.access.logins import check_host, read_logins
    from assistant.service.service import Service
    from assistant.service.watching import FolderWatch, check_folders, unread_of
    from assistant.serving.logs import set_up

    given = context.params
    host, port, mcp, folders = given["host"], given["port"], given["mcp"], given["source"] or []
    logins = read_logins(given["auth"])
    if page:
        check_host(host, logins)  # before anything long
    if mcp:
        import_module("assistant.mcp.server")  # says likewise if its package is missing
    if given["watch"]:
        check_folders(folders)
    settings = settings_of(context)
    set_up(given["log"])
    unread: list[DocumentError] = []
    with opened_assistant(folders, settings, unread.append) as assistant:
        follow = FolderWatch(assistant, folders, unread) if given["watch"] else None
        tell_check(assistant.settings)
        if page:
            from assistant.web.app import serve as serve_page

            serve_page(
                assistant,
                host=host,
                port=port,
                auth=logins,
                open_browser=open_browser,
                mcp=mcp,
                unread=unread_of(unread, folders),
                watch=follow,
                servers=context.obj,
            )
            return
        from assistant.api.runner import serve as serve_api

        if not (is_loopback(host) or logins or Keys(assistant.index.database).exist()):
            notes.print(
                "Nobody is let in before there is a key. Make one, any time: footnote keys create "
                "NAME --scope ask"
            )
        service, tools = Service(assistant, host, logins), None
        if mcp:
            from assistant.mcp.server import server_of

            tools = server_of(service)
        serve_api(service, host, port, tools=tools, watch=follow)


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
