"""The topics of the help: each is a Markdown file in `topics`, and every file there is one.

A file begins with what is listed of it, between two lines of `---`:

    ---
    title: Language models
    summary: Let a model write the answers, and check first whether it reads well enough.
    order: 40
    ---
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from index.errors import MissingPathError

FOLDER = Path(__file__).parent / "topics"

_COMMENT = re.compile(r"^[ \t]*<!--.*?-->[ \t]*\n", re.DOTALL | re.MULTILINE)  # for the tests


@dataclass(frozen=True)
class Topic:
    """A topic of the help.

    Attributes:
        name: the name of its file, without `.md`.
        title: the title for people.
        summary: a sentence on what it tells.
        text: all of it in Markdown, its title included. A link to `NAME.md` is to another topic.
    """

    name: str
    title: str
    summary: str
    text: str


@cache
def topics() -> tuple[Topic, ...]:
    """Return all topics, in the order in which they are best read."""
    found = []
    for path in FOLDER.glob("*.md"):
        _, front, text = path.read_text(encoding="utf-8").split("---\n", 2)
        told = dict(line.split(": ", 1) for line in front.splitlines())
        text = _COMMENT.sub("", text).strip() + "\n"
        found.append((int(told["order"]), Topic(path.stem, told["title"], told["summary"], text)))
    return tuple(topic for _, topic in sorted(found, key=lambda pair: pair[0]))


def topic(name: str) -> Topic:
    """Return the topic of a name; case, spaces and `.md` do not matter.

    Raises:
        MissingPathError: there is no such topic; names all topics.
    """
    known = {each.name: each for each in topics()}
    wanted = hyphenated(name.casefold().removesuffix(".md"))
    if wanted in known:
        return known[wanted]
    near = get_close_matches(wanted, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise MissingPathError(f"There is no help on {name!r}.{hint} There are: {', '.join(known)}.")


def hyphenated(text: str) -> str:
    """Return the words of a text as names of files and anchors have them."""
    return "-".join(re.findall(r"[^\W_]+", text.casefold()))
