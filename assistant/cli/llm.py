"""The command `footnote llm`: language models that write."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.options import notes, print_text, settings_of, takes
from index.errors import SettingsError

if TYPE_CHECKING:
    from assistant.llm.checks import Asked
    from assistant.settings import Settings

FAILED = 3

app = typer.Typer(help="Language models that write.", no_args_is_help=True)


@app.command("check")
@takes("llm")
def llm_check(
    context: typer.Context,
    llm: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODEL]",
            help="Which, as --llm takes it: `ollama:NAME` or the like, the address of an "
            "OpenAI-compatible server, a .gguf file. By default the one that is set.",
        ),
    ] = None,
) -> None:
    """Check whether a language model reads well enough, by questions about texts that ship.

    Some of the texts do not answer, and some give orders. How it ended is kept: a model that failed
    does not read, but with --trust-llm. Exits with 0 if it passed and with 3 if it failed.
    """
    from assistant.llm.check_results import keep
    from assistant.llm.checks import TOKENS, questions, result_of, texts
    from assistant.llm.client import check_setting, is_set, name_of

    settings = settings_of(context)
    if not is_set(settings):
        raise SettingsError(
            "No language model is set. Say which is to be checked: footnote llm check MODEL"
        )
    check_setting(settings)
    name = name_of(settings)
    notes.print(
        f"Checking {name}: {len(questions())} questions about {len(texts())} short texts, each "
        f"with some {TOKENS:,} tokens to read. On a small machine that takes many minutes; where "
        "tokens are paid for it costs money. Ctrl-C ends it, and nothing is kept then."
    )
    result = result_of(_run(settings), settings)
    print_text(f"{name}: {result.counts}. {result.median_seconds:.1f} s a question (median).")
    print_text(result.counts.rule)
    print_text(
        "It passed."
        if result.passed
        else "It failed: with it set, the documents are quoted. To let it read all the same: "
        "--trust-llm, or FOOTNOTE_TRUST_LLM=true."
    )
    keep(result)
    raise typer.Exit(0 if result.passed else FAILED)


def _run(settings: Settings) -> list[Asked]:
    from assistant.assistant import Assistant
    from assistant.llm.checks import check, questions, settings_for, texts

    done: list[Asked] = []
    with (
        TemporaryDirectory(prefix="footnote-check-") as folder,
        Assistant.open(*texts(), settings=settings_for(settings, Path(folder))) as assistant,
    ):
        for one in check(assistant.ask):
            done.append(one)
            notes.print(
                f"{len(done):>2} of {len(questions())}  {one.verdict:<8}  {one.seconds:5.1f} s"
                f"  {one.question.question}"
            )
            if one.verdict in ("partly", "wrong", "answered"):
                notes.print(f"    It said: {one.answer.text}")
    return done
