"""The command `footnote help`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from assistant.cli.options import print_text

_MAX_WIDTH = 100  # columns: longer lines are hard to read


def help_(
    topic: Annotated[list[str] | None, typer.Argument(help="What to read about.")] = None,
) -> None:
    """Show a topic of the help, or list all topics."""
    from assistant.help import topics

    if not topic:
        width = max(len(one.name) for one in topics.topics())
        for one in topics.topics():
            print_text(f"{one.name:<{width}}  {one.summary}")
        print_text("\nRead one: footnote help TOPIC. On the page: F1.")
        return
    text = topics.topic(" ".join(topic)).text
    if not sys.stdout.isatty():
        print_text(text.rstrip())
        return
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.theme import Theme

    # Legible on light terminals and dark ones.
    console = Console(theme=Theme({"markdown.code": "bold", "markdown.code_block": "none"}))
    shown = Markdown(text, code_theme="ansi_dark", hyperlinks=False)
    console.print(shown, width=min(console.width, _MAX_WIDTH))
