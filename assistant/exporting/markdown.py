"""Answers as Markdown with footnotes (`[^1]`), which are numbered through the whole."""

from __future__ import annotations

import re
from itertools import repeat

from assistant.exporting.values import Block, Export, ExportedAnswer, Footnote, Work
from assistant.exporting.wording import WORDINGS, Wording, address_of, one_line
from assistant.workspace.turns import KeptSentence

# What CommonMark, GitHub or Pandoc would take for markup, wherever in a line it stands. Of a pair
# only what could close it is.
_MARKUP = re.compile(
    r"""
      [\\`{]                               # a backslash, code, attributes
    | (?<![ ])\*|\*(?![ ])                 # an asterisk, unless it stands alone
    | (?<![^\W_])_+|_+(?![^\W_]|_)         # underscores, unless they are within a word
    | (?<=\S)~                             # struck out, lowered
    | \^(?!\w+[.,;:)]?[ ])                 # raised, unless it is a "10^6"
    | \$(?!\d)                             # a formula, unless it is a "$5"
    | (?<![^\W_])@(?=[\w{*])               # a citation, unless it is an address of mail
    | <(?=[a-z/!?]|$)                      # a tag
    | &(?=\#?\w+;)                         # an entity
    | (?<!\S)\#(?=\#*$)                    # the end of a heading
    | :(?=//)|(?<=www)\.                   # an address: it would take in a footnote behind it
    | (?<=[!^\]])\[                        # a picture, a footnote, a link
    | \[(?!(?:[^\W\d_]+|\.\.\.|…)\][ .,;)])   # likewise, unless it is a "[sic]"
    """,
    re.VERBOSE | re.IGNORECASE,
)
# What they would where a block begins with it, each up to where a backslash helps.
_OPENING = re.compile(
    r"""
      (?=[>|\#\[])                         # a quotation, a table, a heading, a definition
    | (?=[-+](?:[ =+-]|$))                 # a list, a line, a table
    | (?=[:~](?:[ :~]|$))                  # the meaning of a term, code
    | (?=\((?:@\w*|\d+|[a-z]|[ivxlcdm]+)\)(?:[ ]|$))    # "(1)", "(iv)"
    | (?!(?-i:[A-Z])\.)(?:\d{1,9}|[a-z]|[ivxlcdm]+)(?=[.)](?:[ ]|$))    # "1.", "a)"; not "J. Doe"
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ENTITIES = {"<": "&lt;", "&": "&amp;"}


def as_markdown(export: Export) -> str:
    """An export as Markdown. What its texts say shows as it is: markup in them stays text.

    A footnote that several sentences of an answer have is there once.
    """
    say = WORDINGS[export.language]
    parts = [f"# {_shown(export.title) or say.untitled}", _emphasised(say.lapsed_in(export))]
    count = 0
    for answer in export.answers:
        numbers = {marker: count + n for n, marker in enumerate(answer.markers, start=1)}
        count += len(numbers)
        if not export.is_titled_by_question:
            parts.append(f"## {_shown(answer.question)}")
        parts += _answer(answer, numbers, say)
        definitions = (
            _definition(export, answer.footnotes[marker], number, say)
            for marker, number in numbers.items()
        )
        parts.append("\n".join(definitions))
    if cited := export.cited:
        works = (f"- {_begun(say.named(work))}{_address(work, say)}" for work in cited)
        parts += [f"## {say.sources}", "\n".join(works)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _answer(answer: ExportedAnswer, numbers: dict[int, int], say: Wording) -> list[str]:
    """What stands between empty lines, below a question."""
    parts = [_emphasised(line) for line in say.above(answer)]
    above, sign = -1, "."  # the number of the item right above; -1 where there is none
    for block in answer.blocks:
        if block.heading:
            parts.append(f"**{_shown(block.heading)}**")
            above = -1
        if not block.items:
            parts.append(_running(block, numbers, say))
            above = -1
            continue
        for number, said in _items(block, numbers, say):
            if above <= 0:
                sign = "."
            elif number != above + 1:  # behind another sign a list begins, which counts anew
                sign = ")" if sign == "." else "."
            line = f"{number}{sign} {said}" if number else f"- {said}"
            if above < 0:
                parts.append(line)
            else:
                parts[-1] += f"\n{line}"
            above = number
    parts += (_emphasised(line) for line in say.below(answer))
    first, *others = [line for line in answer.comment.splitlines() if one_line(line)] or [""]
    if first:
        comment = [_shown(first), *map(_begun, others)]
        parts.append(f"> **{say.comment}** " + "\n>\n> ".join(comment))
    return parts


def _running(block: Block, numbers: dict[int, int], say: Wording) -> str:
    """Running text with its footnotes."""
    shows = (_begun, *repeat(_shown, len(block.sentences) - 1))
    return " ".join(
        _noted(show(say.said(sentence)), sentence, numbers, say)
        for show, sentence in zip(shows, block.sentences, strict=True)
    )


def _items(block: Block, numbers: dict[int, int], say: Wording) -> list[tuple[int, str]]:
    """Number and text of each item of a list, the last with the footnotes of all."""
    *items, (number, last) = ((number, _begun(text)) for number, text in say.items(block))
    return [*items, (number, _noted(last, block.sentences[0], numbers, say))]


def _noted(text: str, sentence: KeptSentence, numbers: dict[int, int], say: Wording) -> str:
    """What is shown of a sentence, with its footnotes."""
    flagged = say.flags.get(sentence.verdict)
    flag = f" *{flagged}*" if flagged else ""
    markers = "".join(f"[^{numbers[marker]}]" for marker in sentence.markers)
    # With a bracket behind it, an exclamation mark is a picture.
    return re.sub(r"!$", r"\!", text) + flag + markers if markers else text + flag


def _definition(export: Export, footnote: Footnote, number: int, say: Wording) -> str:
    work = export.works[footnote.citation.document_id]
    text = f"{say.placed(work, footnote)} {say.quote(footnote.citation.quote)}"
    lapse = f" **{say.lapse(footnote)}**" if footnote.lapse else ""
    return f"[^{number}]: {_begun(text)}{lapse}{_address(work, say)}"


def _address(work: Work, say: Wording) -> str:
    """A link to it, where it is on the web."""
    return f" <{address_of(work)}> {say.accessed_on(work)}".rstrip() if work.address else ""


def _emphasised(text: str) -> str:
    return f"*{_shown(text)}*" if text else ""


def _begun(text: str) -> str:
    """A text with which a block begins."""
    shown = _shown(text)
    opening = _OPENING.match(shown)
    return f"{shown[: opening.end()]}\\{shown[opening.end() :]}" if opening else shown


def _shown(text: str) -> str:
    """A text within a line."""
    return _MARKUP.sub(
        lambda m: _ENTITIES.get(m[0]) or "".join(f"\\{sign}" for sign in m[0]), one_line(text)
    )
