"""Answers as Markdown with footnotes (`[^1]`), which are numbered through the whole.

The page makes the same of a conversation by itself: see `exporting.js`.
"""

from __future__ import annotations

import re

from assistant.exporting.values import Block, Export, ExportedAnswer, Footnote, Work
from assistant.exporting.wording import (
    COMMENT,
    SOURCES,
    UNSUPPORTED,
    UNTITLED,
    accessed_on,
    address_of,
    asked_on,
    named,
    one_line,
    placed,
    quoted,
)

_MARKUP = re.compile(r"""[\\`*_{}\[\]()#+\-.!|~<>&^$:=@"'/]""")
_ENTITIES = {"<": "&lt;", "&": "&amp;"}


def as_markdown(export: Export) -> str:
    """An export as Markdown. What its texts say shows as it is: markup in them stays text.

    A footnote that several sentences of an answer have is there once.
    """
    parts = [f"# {_shown(export.title) or UNTITLED}"]
    count = 0
    for answer in export.answers:
        used = [own for s in answer.sentences for own in answer.footnotes_of(s)]
        numbers = {own: count + n for n, own in enumerate(dict.fromkeys(used), start=1)}
        count += len(numbers)
        parts += _answer(answer, numbers)
        parts.append("\n".join(_definition(export, own, n) for own, n in numbers.items()))
    if export.cited:
        works = (f"- {_shown(named(work))}{_address(work)}" for work in export.cited)
        parts += [f"## {SOURCES}", "\n".join(works)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _answer(answer: ExportedAnswer, numbers: dict[Footnote, int]) -> list[str]:
    """What stands between empty lines."""
    parts = [f"## {_shown(answer.question)}"]
    parts += (f"*{_shown(own)}*" for own in (asked_on(answer), answer.lead) if own)
    listed = False
    for block in answer.blocks():
        if block.heading:
            parts.append(f"**{_shown(block.heading)}**")
        said = _said(answer, block, numbers)
        if block.item and listed and not block.heading:
            parts[-1] += f"\n- {said}"
        else:
            parts.append(f"- {said}" if block.item else said)
        listed = block.item
    parts += (f"*{_shown(own)}*" for own in (answer.ending, *answer.notes) if one_line(own))
    comment = [_shown(line) for line in answer.comment.splitlines() if one_line(line)]
    if comment:
        parts.append(f"> **{COMMENT}** " + "\n>\n> ".join(comment))
    return parts


def _said(answer: ExportedAnswer, block: Block, numbers: dict[Footnote, int]) -> str:
    return " ".join(
        _shown(sentence.text)
        + (f" *{UNSUPPORTED}*" if sentence.unsupported else "")
        + "".join(f"[^{numbers[own]}]" for own in answer.footnotes_of(sentence))
        for sentence in block.sentences
    )


def _definition(export: Export, footnote: Footnote, number: int) -> str:
    work = export.works[footnote.document_id]
    text = f"{placed(work, footnote)}: {quoted(footnote)}"
    return f"[^{number}]: {_shown(text)}{_address(work)}"


def _address(work: Work) -> str:
    """A link to it, where it is on the web."""
    return f" <{address_of(work)}> {accessed_on(work)}".rstrip() if work.address else ""


def _shown(text: str) -> str:
    return _MARKUP.sub(lambda m: _ENTITIES.get(m[0], f"\\{m[0]}"), one_line(text))
