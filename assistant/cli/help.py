"""The command `footnote help`: what there is to know, by topic."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from assistant.cli.options import print_text
from index.errors import QuestionError, SettingsError

if TYPE_CHECKING:
    from assistant.help.topics import Found, Topic

NOTHING = 3  # as where no answer was found

_MAX_WIDTH = 100  # columns: longer lines are hard to read
_TO_TOPIC = re.compile(r"\[([^\[\]]+)\]\(([\w-]+)\.md(?:#[\w-]*)?\)")


def help_(
    context: typer.Context,
    topic: Annotated[list[str] | None, typer.Argument(help="What to read about.")] = None,
    find: Annotated[
        str | None, typer.Option("--find", help="Say where these words stand.", metavar="WORDS")
    ] = None,
) -> None:
    """Read about Footnote: what topics there are, one of them, or where words stand."""
    from assistant.help import topics

    if topic and find is not None:
        raise SettingsError("Give a topic, or --find WORDS, which looks in all of them.")
    if find is not None:
        _tell_found(find, topics.find(find))
    elif topic:
        try:
            _show(topics.topic(" ".join(topic)))
        except QuestionError as error:
            command, root = " ".join(topic), context.find_root().command
            if not (isinstance(root, TyperGroup) and command in root.commands):
                raise
            raise QuestionError(
                f"{error} What the command takes is told by: footnote {command} --help"
            ) from None
    else:
        width = max(len(one.name) for one in topics.topics())
        for one in topics.topics():
            print_text(f"{one.name:<{width}}  {one.summary}")
        print_text("\nRead one: footnote help TOPIC. Look for words: footnote help --find WORDS.")


def _tell_found(words: str, found: tuple[Found, ...]) -> None:
    if not found:
        print_text(f"Nothing in the help has {words!r}. Try fewer words, or others.")
        raise typer.Exit(NOTHING)
    for topic in dict.fromkeys(one.topic for one in found):
        places = [one for one in found if one.topic == topic]
        for heading in dict.fromkeys(one.heading for one in places):
            under = "" if heading == topic.title else f" › {heading}"
            print_text(f"{topic.name}{under}")
            for one in places:
                if one.heading == heading:
                    print_text(f"    {one.line}")


def _show(topic: Topic) -> None:
    """A topic as a terminal shows it, or in Markdown where it goes elsewhere."""
    if not sys.stdout.isatty():
        print_text(topic.text.rstrip())
        return
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.theme import Theme

    # On light terminals and dark ones.
    console = Console(theme=Theme({"markdown.code": "bold", "markdown.code_block": "none"}))
    text = _TO_TOPIC.sub(_way_to, topic.text)
    console.print(
        Markdown(text, code_theme="ansi_dark", hyperlinks=False),
        width=min(console.width, _MAX_WIDTH),
    )


def _way_to(link: re.Match[str]) -> str:
    """What a link to another topic says on a terminal: what to type, after other words than the
    topic's own name."""
    words, name = link.groups()
    command = f"`footnote help {name}`"
    return command if words.casefold().replace(" ", "-") == name else f"{words} ({command})"
