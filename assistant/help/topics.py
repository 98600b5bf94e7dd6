"""The topics of the help: each is a Markdown file in `topics`, and every file there is one.

A file may begin with what is told of it, between two lines of `---`:

    ---
    title: Language models
    summary: Let a model write the answers, and check first whether it reads well enough.
    order: 40
    ---

Topics come in the order of these numbers, then those without one, by name. A file that tells
nothing of itself has its first heading as its title and its first sentence as its summary.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from index.errors import QuestionError

FOLDER = Path(__file__).parent / "topics"

#: Characters of a line that is shown as found.
EXCERPT = 160

_LAST = 1_000_000  # what is told no place comes after all that is
_FRONT = re.compile(r"\A---\n(.*?\n)?---\n", re.DOTALL)
_COMMENT = re.compile(r"^[ \t]*<!--.*?-->[ \t]*\n", re.DOTALL | re.MULTILINE)  # for the tests
_HEADING = re.compile(r"#{1,6} ++(.+)")
_FENCE = re.compile(r"(```|~~~)")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
_STRONG = re.compile(r"\*{1,3}(\S[^*`]*)\*{1,3}")
_ITEM = re.compile(r"\s*([-*]|\d+\.) +")
_RULE = re.compile(r"[\s|:-]+")  # between the head of a table and its rows


@dataclass(frozen=True)
class Topic:
    """One topic.

    Attributes:
        name: what it is asked for by: the name of its file, without `.md`.
        title: for people.
        summary: a sentence on what it tells.
        text: all of it in Markdown, its title included. A link to `NAME.md` is to another topic.
        path: its file.
    """

    name: str
    title: str
    summary: str
    text: str
    path: Path


@dataclass(frozen=True)
class Found:
    """A place in the help that has the words looked for.

    Attributes:
        topic: where it is.
        heading: the nearest heading above it, plain; of what stands above all others the title.
        line: what it says, plain, shortened around the words to about `EXCERPT` characters.
    """

    topic: Topic
    heading: str
    line: str


@cache
def topics() -> tuple[Topic, ...]:
    """All topics, in the order in which they are best read."""
    placed = sorted(map(_read, FOLDER.glob("*.md")), key=lambda pair: (pair[0], pair[1].name))
    return tuple(topic for _, topic in placed)


def topic(name: str) -> Topic:
    """The topic of this name, or of this title; case, spaces and `.md` do not matter, and the
    beginning of a name will do where no other has it.

    Raises:
        QuestionError: there is none; names those that there are.
    """
    known = {each.name: each for each in topics()}
    wanted = hyphenated(name.strip().casefold().removesuffix(".md"))
    titles = {hyphenated(each.title): each for each in known.values()}
    if found := known.get(wanted) or titles.get(wanted):
        return found
    begun = [each for each in known.values() if wanted and each.name.startswith(wanted)]
    if len(begun) == 1:
        return begun[0]
    near = get_close_matches(wanted, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise QuestionError(f"There is no help on {name!r}.{hint} There are: {', '.join(known)}.")


def find(words: str) -> tuple[Found, ...]:
    """The places that have all of these words, or their beginnings, in the text, its heading or
    the title of its topic: those first that have most of them themselves, in the order of topics.

    Args:
        words: apart by spaces; case does not matter.

    Raises:
        QuestionError: there is no word.
    """
    # Without its s a word of many is found as one of one.
    wanted = [re.sub(r"(?<=...)s$", "", word) for word in re.findall(r"\w+", words.casefold())]
    if not wanted:
        raise QuestionError("Say which words to look for in the help.", code="question_empty")
    patterns = [re.compile(rf"\b{re.escape(word)}") for word in wanted]
    found = []
    for topic in topics():
        for heading, block in _blocks(topic):
            here = sum(1 for pattern in patterns if pattern.search(block.casefold()))
            around = f"{topic.title} {heading} {block}".casefold()
            if here and all(pattern.search(around) for pattern in patterns):
                found.append((-here, Found(topic, heading, _excerpt(block, patterns))))
    found.sort(key=lambda pair: pair[0])
    return tuple(place for _, place in found)


def hyphenated(text: str) -> str:
    """The words of a text as names of files and anchors have them."""
    return "-".join(re.findall(r"[^\W_]+", text.casefold()))


def _read(path: Path) -> tuple[int, Topic]:
    """A topic, and its place among the others."""
    text = path.read_text(encoding="utf-8")
    told = {}
    if front := _FRONT.match(text):
        lines = (line.partition(":") for line in (front[1] or "").splitlines())
        told = {key.strip(): value.strip() for key, _, value in lines}
    text = _COMMENT.sub("", text[front.end() if front else 0 :]).strip() + "\n"
    blocks = re.split(r"\n\s*\n", text.strip())
    heading = _HEADING.fullmatch(blocks[0].strip())
    title = told.get("title") or (heading and _plain(heading[1])) or path.stem.replace("-", " ")
    if heading is None:
        text = f"# {title}\n\n{text}"
    first = next((_plain(block) for block in blocks if not _HEADING.match(block)), "")
    summary = told.get("summary") or re.split(r"(?<=[.!?])\s", first, maxsplit=1)[0]
    order = told.get("order", "")
    place = int(order) if order.isdecimal() else _LAST
    return place, Topic(path.stem, title, summary, text, path)


def _blocks(topic: Topic) -> Iterator[tuple[str, str]]:
    """What stands by itself in a topic, plain, with its heading: a paragraph, an item of a list, a
    row of a table, a line of code, a heading."""
    heading, block, code = topic.title, "", False
    for line in [*topic.text.splitlines(), ""]:
        if fence := _FENCE.match(line.lstrip()):
            code = not code
        if code:
            yield from [] if fence else [(heading, line.strip())]
            continue
        head = _HEADING.fullmatch(line.strip())
        item = _ITEM.match(line)
        if block and (fence or head or item or not line.strip() or line.startswith("|")):
            yield heading, _plain(block)
            block = ""
        if head:
            heading = _plain(head[1])
            if heading != topic.title:
                yield heading, heading
        elif not fence and not _RULE.fullmatch(line):
            block = f"{block} {line[item.end() :] if item else line}"


def _plain(text: str) -> str:
    """Text of Markdown without its marks, on one line."""
    text = _STRONG.sub(r"\1", _LINK.sub(r"\1", text)).replace("`", "")
    text = " – ".join(cell.strip() for cell in text.strip().strip("|").split(" | "))
    return " ".join(text.split())


def _excerpt(block: str, patterns: list[re.Pattern[str]]) -> str:
    """What a block says around the first of the words."""
    if len(block) <= EXCERPT:
        return block
    found = [match.start() for pattern in patterns if (match := pattern.search(block.casefold()))]
    start = max(0, min(min(found, default=0) - EXCERPT // 3, len(block) - EXCERPT))
    # Whole words only, but for what is itself longer.
    begin = block.find(" ", start - 1) + 1 if start else 0
    end = len(block) if start + EXCERPT >= len(block) else block.rfind(" ", begin, start + EXCERPT)
    shown = block[begin : end if end > begin else start + EXCERPT]
    return f"{'… ' if begin else ''}{shown}{' …' if end < len(block) else ''}"
