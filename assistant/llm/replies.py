"""A language model's reply, taken apart as it comes: sentences with the passages that they name,
and the lines by which it says that something is not there (see `prompts`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from assistant.llm.client import ENDLESS, LanguageModelError
from assistant.llm.sanitising import declines, markers_in, plain_sentence
from index.chunking.sentences import sentence_spans

MAX_SENTENCES = 30  # sentences that are taken at most
MAX_UNENDED = 1500  # characters without the end of a sentence
MAX_SEARCHES = 3  # that are taken at most, and the characters of one
MAX_SEARCH = 120

NOTHING = "it wrote nothing"
AGAIN = "it repeated itself"
UNENDING = "it did not come to the end of a sentence"
#: What is wrong with what a model writes. All else that fails is its server's, or the machine's.
NONSENSE = (NOTHING, AGAIN, UNENDING, ENDLESS)

_ENDED = re.compile(r"[.!?][\"\u201d\u2019)\]*]*(\s|$)")
_WORD = re.compile(r"\w+")
_LINES = ("NOT FOUND", "MISSING:", "SEARCH:", "ASSISTANT")
_LINE = re.compile(rf"[\s*_#>`-]*({'|'.join(_LINES)})(?!\w)[*_`.]*\s*(.*)", re.IGNORECASE)
_ITEM = re.compile(r"\s*(?:[-*\u2022]|\d{1,2}[.)])\s+\S")
#: A marker, whole or not yet: it belongs to the sentence before it.
_MARKS = re.compile(r"\s*[\[(\u3010]")
_NUMBERED = re.compile(r"\W*(\d{1,2})[.):]*\s+(.+)")
_OUT = re.compile(r"\W*OUT\b[\s:*_.-]*(.*)")
_QUOTE = re.compile(r"\W*QUOTE\b[\s:*_.-]*(.+)")


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence, or an item of a list.

    Attributes:
        text: without markers.
        named: the numbers of the passages that it names.
        item: whether it is one of a list.
    """

    text: str
    named: tuple[int, ...] = ()
    item: bool = False


@dataclass(frozen=True, slots=True)
class NotFound:
    """The passages do not answer."""


@dataclass(frozen=True, slots=True)
class OfAssistant:
    """The assistant is asked about itself."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What of the question they do not say."""

    text: str


@dataclass(frozen=True, slots=True)
class Search:
    """What is to be looked up."""

    words: str


@dataclass(frozen=True, slots=True)
class Quoted:
    """Words of the passages that are to say what a sentence says.

    Attributes:
        words: without markers.
        named: the numbers of the passages that it names.
    """

    words: str
    named: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A sentence is taken back; what of the question that leaves open, if that is told."""

    missing: str = ""


Correction = Said | Quoted | Withdrawn
Part = Said | NotFound | OfAssistant | Missing | Search


def parts_of(pieces: Iterable[str]) -> Iterator[Part]:
    """The parts of a reply, each as soon as it is whole.

    Raises:
        LanguageModelError: it is empty, repeats itself, or does not come to an end.
    """
    seen: set[str] = set()
    excused = False
    for text, begins in _units(pieces):
        line = _LINE.match(text) if begins else None
        if line:
            yield from _told(line[1].upper(), plain_sentence(line[2]))
            seen.add(line[1])
            continue
        plain, named = plain_sentence(text), markers_in(text)
        if not _WORD.search(plain):
            continue
        if not named and declines(plain):  # an excuse; or a reservation, where it goes on
            excused = True
            continue
        key = " ".join(_WORD.findall(plain.lower()))
        if key in seen:
            raise LanguageModelError(AGAIN)
        seen.add(key)
        yield Said(plain, named, begins and _ITEM.match(text) is not None)
        if len(seen) == MAX_SENTENCES:
            return
    if not seen:
        if not excused:
            raise LanguageModelError(NOTHING)
        yield NotFound()


def corrections_in(reply: str) -> dict[int, Correction]:
    """What a reply says of the sentences that went back, by the numbers with which its lines
    begin."""
    found: dict[int, Correction] = {}
    for line in reply.splitlines():
        numbered = _NUMBERED.match(line)
        if not numbered:
            continue
        text, named = plain_sentence(numbered[2]), markers_in(numbered[2])
        if out := _OUT.match(text):
            found[int(numbered[1])] = Withdrawn(out[1])
        elif quote := _QUOTE.match(text):
            found[int(numbered[1])] = Quoted(quote[1].strip("\"'\u201c\u201d "), named)
        elif _WORD.search(text):
            found[int(numbered[1])] = Said(text, named)
    return found


def _told(kind: str, text: str) -> Iterator[Part]:
    if kind == "NOT FOUND":
        yield NotFound()
    elif kind == "ASSISTANT":
        yield OfAssistant()
    elif _WORD.search(text):
        yield (Missing(text) if kind == "MISSING:" else Search(text.strip("\"'")[:MAX_SEARCH]))


def _units(pieces: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Whole sentences, and whole lines where one may be of the protocol, each with whether a line
    begins with it."""
    text, begins = "", True
    for piece in chain(pieces, ["\n"]):
        text += piece
        while "\n" in text:
            line, _, text = text.partition("\n")
            whole = begins and _LINE.match(line)
            spans = [(0, len(line))] if whole else sentence_spans(line, 0, len(line))
            for start, end in spans:
                yield line[start:end], begins
                begins = False
            begins = True
        if len(text) > MAX_UNENDED:
            raise LanguageModelError(UNENDING)
        if _ENDED.search(text) and not (begins and _may_be_line(text)):
            *closed, last = sentence_spans(text, 0, len(text)) or [(0, 0)]
            if closed and not _MARKS.match(text[closed[-1][1] :]):
                for start, end in closed:
                    yield text[start:end], begins
                    begins = False
                text = text[last[0] :]


def _may_be_line(text: str) -> bool:
    bare = text.lstrip(" *_#>`-").upper()
    return any(bare.startswith(line) or line.startswith(bare) for line in _LINES)
