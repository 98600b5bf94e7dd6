"""Questions that documents are likely to answer, put as a person would: made of headings that are
questions or tasks, of sentences that define something, and of the documents' own terms.

A heading that makes no natural question makes none. Whether they are answered is tried elsewhere.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import TypeVar

from assistant.query.english import (
    ARTICLES,
    ASKING,
    AUXILIARIES,
    EMPTY,
    PREPOSITIONS,
    PRONOUNS,
    alternatives,
)
from index import Document, Paragraph
from index.models import ENGLISH
from index.terms.analysis import QUESTION_WORDS

_Item = TypeVar("_Item")

#: The headings above a paragraph, outermost first.
Heading = tuple[str, ...]

#: The first suggestion.
OVERVIEW = "What are the main points?"
#: Documents of which questions are made, where there are more.
MAX_DOCUMENTS = 12
#: Words of a question, of a task or a main heading, and of a term at most; and how often a document
#: has a term at least. Chosen by looking at what is made of 28 documents.
LONGEST, LONGEST_TASK, LONGEST_TERM, OFTEN = 14, 8, 3, 3
SHORTEST_DEFINITION = 8
#: Paragraphs of a document that are looked at, and questions of a kind that are made of it.
MAX_PARAGRAPHS, MAX_OF_A_KIND = 2000, 8
#: The share of letters above which a heading is words, not a version, a date or a code.
LETTERS = 0.6

#: Emoji and bullets; "5.6.27.", "A.1", "§ 7", "Q:", "Question 3."
_SIGNS = re.compile(r"^[^\w(\[\"'\u00a7\u201c-\u201e\u00ab\u00bf\u00a1]+")
_NUMBER = re.compile(
    r"^(?:(?:(?:[A-Z]|\d+)(?:\.\d+)+\.?|\d+\.|§++\s*+(?=\S*\d)\S++|"
    r"(?:Q|FAQ|Question|Frage)\s*+(?:\d+\s*+)?[.:)])\s+)+"
)
#: What no topic has: signs of a cry, a row or a pair, and codes; and what it has: a word.
_CODE = re.compile(r"[!|`<>]|:\s|\d[A-Z]|[A-Z]-?\d")
_NAME = re.compile(r"[^\W\d_]{3}|[\u3040-\u9fff\uac00-\ud7af]")
#: Names of the parts of any text.
_PARTS = frozenset(
    "abstract|acknowledgements|acknowledgments|appendix|background|bibliography|conclusion|"
    "conclusions|contents|discussion|foreword|for further reading|further reading|general|glossary|"
    "index|introduction|methods|notes|other|overview|preface|references|remarks|results|scope|"
    "see also|source|sources|summary|table of contents".split("|")
)
_WORD = re.compile(r"\w+(?:['\u2019-]\w+)*")
_ASKS = re.compile(
    rf"(?:(?:{alternatives(PREPOSITIONS)}) )?(?:{alternatives((*ASKING, 'am'))})\b", re.IGNORECASE
)
#: Words that point to what is not in the question.
_POINTING = (PRONOUNS - {"that", "both"}) | frozenset(
    "above another below else following here next one ones other others same so such then there we "
    "our us ours".split()
)
_DETERMINERS = ARTICLES | {"your", "my"}
_HOW_TO = re.compile(r"How to (?=[a-z]+ )", re.IGNORECASE)
_DEFINES = re.compile(
    r"(?P<article>An? )?(?P<quote>[\"'\u201c\u2018]?)(?P<term>[^\W\d_][\w' \u2019-]*?)"
    r"[\"'\u201d\u2019]? (?P<says>is|are|means?) (?P<what>an?|any|the) ",
)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A question that a document is likely to answer.

    Attributes:
        question: as a person would ask it.
        document: the id of the document; of the overview, which is of all, "".
        section: the headings above the part of the document that it is about, down to `level`.
        level: how many headings tell which part of the document something is in.
        numbers: of the paragraphs in one of which a right answer begins.
    """

    question: str
    document: str = ""
    section: Heading = ()
    level: int = 0
    numbers: frozenset[int] = frozenset()

    def is_near(self, paragraph: Paragraph) -> bool:
        """Whether a paragraph stands in the same section."""
        same = paragraph.heading[: self.level] == self.section
        return same and paragraph.document_id == self.document


def suggestions(documents: Sequence[Document]) -> list[Suggestion]:
    """Questions about documents in one language, the likeliest to be good first; those about one
    after those about another."""
    made = [_Questions(document).made() for document in documents]
    each: dict[str, Suggestion] = {}
    rows: Iterator[tuple[Suggestion | None, ...]] = zip_longest(*made)
    for one in chain.from_iterable(rows):
        if one:
            each.setdefault(one.question.casefold(), one)
    return list(each.values())


def main_headings(document: Document, count: int) -> list[tuple[str, int]]:
    """The headings of a document's longest main parts, in reading order, each with the number of
    the first paragraph under it. A part that only holds another ("Article III") is called as that.

    Args:
        document: whose.
        count: how many at most.
    """
    paragraphs = [own for own in document.paragraphs if own.kind != "contents"]
    depth = depth_of([own.heading for own in paragraphs])
    first: dict[Heading, int] = {}
    lengths = Counter[Heading]()
    held = defaultdict[Heading, set[Heading]](set)
    for own in paragraphs:
        path = own.heading[: depth + 1]
        if len(path) > depth and 0 < len(topic_of(path[-1]).split()) <= LONGEST_TASK:
            first.setdefault(path, own.number)
            lengths[path] += len(own.text)
            held[path].add(own.heading[depth + 1 : depth + 2])
    longest = {path for path, _ in lengths.most_common(count)}
    return [
        (_called(path[-1], held[path]), number) for path, number in first.items() if path in longest
    ]


def _called(heading: str, held: Collection[Heading]) -> str:
    only, *others = held
    topic = topic_of(only[0]) if only and not others else ""
    return topic if 0 < len(topic.split()) <= LONGEST_TASK else topic_of(heading)


def depth_of(outline: Sequence[Heading]) -> int:
    """The first level of which there are two headings or more; that below all where none has."""
    deepest = max(map(len, outline), default=0)
    levels = ({above[level] for above in outline if len(above) > level} for level in range(deepest))
    return next((level for level, headings in enumerate(levels) if len(headings) > 1), deepest)


def topic_of(heading: str) -> str:
    """The topic that a heading names, without its number and its full stop; "" if it names none,
    like a date, a sentence or the name of a part of any text."""
    topic = _NUMBER.sub("", _SIGNS.sub("", heading)).rstrip(" .:;,")
    letters = sum(map(str.isalpha, topic))
    is_named = letters > len(topic) * LETTERS and topic.rstrip("?:.").casefold() not in _PARTS
    is_named = is_named and _CODE.search(topic) is None and _NAME.search(topic) is not None
    return topic if is_named and len(topic.split()) <= LONGEST else ""


class _Questions:
    """Makes the questions of one document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._paragraphs = [
            own for own in document.paragraphs[:MAX_PARAGRAPHS] if own.kind != "contents"
        ]
        told = [own for own in self._paragraphs if own.kind in ("prose", "list")]
        self._level = depth_of([own.heading for own in self._paragraphs]) + 1
        self._text = " ".join(" ".join(own.text for own in told).split())
        self._lower = self._text.lower()
        #: Words as they are written.
        self._words = Counter(_WORD.findall(self._text))

    def made(self) -> list[Suggestion]:
        """The questions, the likeliest to be good first."""
        under: dict[Heading, list[Paragraph]] = {}
        for own in self._paragraphs:
            for level in range(len(own.heading)):
                under.setdefault(own.heading[: level + 1], []).append(own)
        named = Counter(path[-1] for path in under)
        # What stands over most of a document is its title; one that comes again depends on what it
        # stands under.
        parts = {
            path: found
            for path, found in under.items()
            if named[path[-1]] == 1
            and path[-1] != self._document.title
            and 2 * len(found) <= max(len(self._paragraphs), 5)
        }
        english = self._document.language == ENGLISH
        kinds: list[Sequence[Suggestion | None]] = [
            [self._of(self._asked(path[-1]), found) for path, found in parts.items()],
            [self._of(english and self._task(path[-1]), found) for path, found in parts.items()],
            list(self._definitions()) if english else [],
        ]
        chosen = (spread([own for own in kind if own], MAX_OF_A_KIND) for kind in kinds)
        return [one for kind in chosen for one in kind]

    def _of(self, question: str | bool, paragraphs: Sequence[Paragraph]) -> Suggestion | None:
        if not question:
            return None
        section = paragraphs[0].heading[: self._level]
        numbers = frozenset(own.number for own in paragraphs)
        return Suggestion(str(question), self._document.id, section, self._level, numbers)

    def _asked(self, heading: str) -> str:
        """A heading that is a question, or would be with its mark."""
        topic = self._sentence_case(topic_of(heading))
        words = topic.split()
        is_english = self._document.language == ENGLISH
        last = re.split(r"(?<=[.?!])\s+", topic)[-1]
        if is_english and not (_ASKS.match(last) and _stands_alone(topic)):
            return ""
        if topic.endswith("?"):
            return topic if len(words) > 2 else ""
        is_asked = len(words) > 2 and words[0].lower() in QUESTION_WORDS and words[1] in AUXILIARIES
        return f"{topic}?" if is_asked and is_english and "and" not in words else ""

    def _task(self, heading: str) -> str:
        """Of a heading that names a task ("Replacing the filter", "Reset your password", "How to
        ...") how it is done."""
        topic = self._sentence_case(topic_of(heading))
        is_how = _HOW_TO.match(topic)
        verb, _, rest = _HOW_TO.sub("", topic).partition(" ")
        follows = rest.partition(" ")[0].lower()
        verb = verb.lower()
        if not rest or len(topic.split()) > LONGEST_TASK or re.search(r"[(/?]", topic):
            return ""
        if not is_how:
            is_done = follows in _DETERMINERS
            if verb.endswith("ing"):
                verb = self._base(verb)
                is_done = is_done or f" {verb} {rest.lower()}" in self._lower
            else:
                told = (f" {own} {verb} " in self._lower for own in ("to", "can", "must", "should"))
                is_done = is_done and any(told)
            if not verb or verb in EMPTY or not is_done:
                return ""
        rest = re.sub(r"\byour\b", "my", rest, flags=re.IGNORECASE)
        rest = re.sub(r"\byou\b", "I", rest, flags=re.IGNORECASE)
        return f"How do I {verb} {rest}?" if _stands_alone(rest) else ""

    def _base(self, gerund: str) -> str:
        """The verb of "replacing", as the document has it; "" where that cannot be told."""
        stem = gerund[:-3]
        forms = {stem, f"{stem}e", stem[:-1] if stem[-1:] == stem[-2:-1] else stem}
        known = [form for form in forms if len(form) > 2 and form in self._words]
        return known[0] if len(known) == 1 else ""

    def _definitions(self) -> Iterator[Suggestion]:
        """What the document says what it is, or means."""
        for own in self._paragraphs:
            for sentence in own.sentences if own.kind == "prose" else ():
                found = _DEFINES.match(sentence.text)
                says_enough = len(sentence.text.split()) >= SHORTEST_DEFINITION
                if found and says_enough and (made := self._of(self._defined(found), [own])):
                    yield made

    def _defined(self, found: re.Match[str]) -> str:
        article, term = found["article"] or "", found["term"]
        words = [word.lower() for word in term.split()]
        means = found["says"].startswith("mean")
        is_term = len(words) <= LONGEST_TERM and EMPTY.isdisjoint(words)
        if not is_term or self._lower.count(term.lower()) < OFTEN:
            return ""
        term = self._sentence_case(f" {term}").strip()
        if means:
            return f"What does \u201c{term}\u201d mean?"
        is_topic = any(
            term.lower() in name.lower()
            for own in self._paragraphs
            for name in (self._document.title, *own.heading)
        )
        if not (article or is_topic) or (found["what"] == "the" and not article):
            return ""
        return f"What {found['says']} {article.lower()}{term}?"

    def _sentence_case(self, text: str) -> str:
        """A text with capitals only where they are part of a name."""

        def written(names: re.Match[str]) -> str:
            words = [word for word in names[0].split() if word.lower() not in EMPTY]
            is_common = all(self._words[word] < self._words[word.lower()] for word in words)
            if not words or not is_common or names[0].isupper():
                return names[0]
            return re.sub(r"\bi\b", "I", names[0].lower())

        return re.sub(r"(?<=\s)[^\W\d_a-z][\w/-]*(?: [^\W\d_a-z][\w/-]*)*", written, text)


def _stands_alone(text: str) -> bool:
    words = _WORD.findall(text)
    # "IT" is no pronoun.
    lower = {word.lower() for word in words if len(word) == 1 or not word.isupper()}
    return _POINTING.isdisjoint(lower)


def spread(items: Sequence[_Item], count: int) -> Sequence[_Item]:
    """So many of the items at equal distances."""
    step = max(1, len(items) // count)
    return items[::step][:count]
