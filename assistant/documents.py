"""The documents that are asked: the shipped one, those at given paths, and questions about them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.query.english import ASKING, AUXILIARIES, SUBJECTS
from index import Document, DocumentInfo, View, find_files
from index.bibliography.bibliography import find_exports, read_bibliography
from index.chunking.language import asked_in
from index.errors import DocumentError, EmptyDocumentError
from index.models import ENGLISH
from index.readers.files import OnSkip, source_of
from index.readers.loader import RawDocument, read_raw
from index.terms.analysis import QUESTION_WORDS, terms_of

if TYPE_CHECKING:
    from os import PathLike

#: The prefix of the sources of documents that people added: each is its owner's alone.
UPLOADED = "upload:"

#: The title of the shipped document; its file has none.
SHIPPED_TITLE = "Northeast Asia in early 2022"


@dataclass(frozen=True, slots=True)
class AskedDocument:
    """A document for somebody who may ask it.

    Attributes:
        info: the document.
        own: whether they added it.
        sample: whether it is the one that comes with Footnote.
    """

    info: DocumentInfo
    own: bool
    sample: bool = False

    @property
    def folder(self) -> str:
        """Its path in a folder that was added; empty for others."""
        is_added = self.info.source.startswith(UPLOADED)
        return "/".join(self.info.source.split("/")[1:-1]) if is_added else ""


class DocumentSet:
    """The documents that are asked, at one revision of the index.

    Args:
        view: the index at that revision.
        ids: the documents' ids.
    """

    def __init__(self, view: View, ids: Sequence[str]) -> None:
        self.view = view
        self.ids = ids

    @cached_property
    def infos(self) -> list[DocumentInfo]:
        """Without their texts."""
        infos = {info.id: info for info in self.view.documents()}
        return [infos[identity] for identity in self.ids if identity in infos]

    @cached_property
    def texts(self) -> list[Document]:
        """With their whole texts."""
        return [self.view.document(identity) for identity in self.ids]

    @property
    def size(self) -> int:
        """How many paragraphs they have."""
        return sum(info.paragraphs for info in self.infos)

    def stems(self, text: str) -> frozenset[str]:
        """The stems of a text, in each language that one of the documents is in."""
        languages = {ENGLISH, *(info.language for info in self.infos)}
        return frozenset(term for language in languages for term in terms_of(text, language))


def kept_in(view: View) -> list[str]:
    """Ids of the documents that were added to an index to stay, for everybody."""
    infos = view.documents()
    return [info.id for info in infos if info.kept and not info.source.startswith(UPLOADED)]


def shipped_documents() -> list[Document]:
    """The document that comes with the package."""
    return [raw.document() for raw in shipped_raw_documents()]


def shipped_raw_documents() -> list[RawDocument]:
    """The same, not yet split into paragraphs."""
    found = sorted(
        Path(str(file)) for file in files("seeds").iterdir() if file.name.endswith(".txt")
    )
    return [read_raw(path, title=SHIPPED_TITLE) for path in found]


def read_raw_documents(
    paths: Sequence[str | PathLike[str]],
    on_skip: OnSkip | None = None,
    on_found: Callable[[Sequence[Path]], None] = lambda _: None,
    ignore: Sequence[str] = (),
    *,
    ocr: bool = False,
) -> list[RawDocument]:
    """Read files and folders, not yet split into paragraphs; see `Assistant.open`. The exports of
    reference managers in or beside them describe them, and are not among them.

    Raises:
        DocumentError: a path that was named cannot be read, or none of a folder's files can.
        SettingsError: one of the patterns to `ignore` cannot be understood.
    """
    given = list(map(Path, paths))
    named = set(given)
    texts = {}
    skipped: DocumentError | None = None
    files = find_files(paths, on_skip, ignore, ocr=ocr)
    exports = find_exports(given, ignore)
    # Somebody may ask an export itself, alone.
    files = [file for file in files if file not in exports] or files
    on_found(files)
    bibliography = read_bibliography(exports, on_skip)
    for file in files:
        try:
            text = read_raw(file, ocr=ocr)
        except DocumentError as error:
            if on_skip is None or file in named:
                raise
            on_skip(error)
            skipped = error
            continue
        texts[text.id] = text
    if not texts:
        raise skipped or EmptyDocumentError("There is no document to read.")
    raws = list(texts.values())
    return bibliography.described(raws, files) if bibliography else raws


def unless_named(
    paths: Sequence[str | PathLike[str]], on_skip: OnSkip | None
) -> Callable[[RawDocument, DocumentError], None] | None:
    """The `on_skip` of `Index.sync` that still raises the error of a path that was named itself."""
    named = {source_of(path) for path in paths}

    def skip(document: RawDocument, error: DocumentError) -> None:
        if on_skip is None or document.source in named:
            raise error
        on_skip(error)

    return skip if on_skip else None


def read_all(paths: Sequence[str | PathLike[str]]) -> list[Document]:
    """As `read_raw_documents`, split into paragraphs; the shipped document without paths."""
    raws = read_raw_documents(paths) if paths else shipped_raw_documents()
    return [raw.document() for raw in raws]


#: The headings above a paragraph, outermost first.
Heading = tuple[str, ...]

#: The share of letters above which a heading is words, not a version, a date or a code.
LETTERS = 0.6

#: "5.6.27.", "A.1", "§ 7", "Q:", "Question 3."
_NUMBER = re.compile(
    r"^(?:(?:(?:[A-Z]|\d+)(?:\.\d+)+\.?|\d+\.|§++\s*+(?=\S*\d)\S++|"
    r"(?:Q|FAQ|Question|Frage)\s*+(?:\d+\s*+)?[.:)])\s+)+"
)
#: What no topic has: signs of a cry, a row or a pair, and codes; and what it has: a word.
_CODE = re.compile(r"[!|]|:\s|\d[A-Z]|[A-Z]-?\d")
_NAME = re.compile(r"[^\W\d_]{3}|[\u3040-\u9fff\uac00-\ud7af]")
#: Names of the parts of any text.
_PARTS = frozenset(
    "abstract|acknowledgements|acknowledgments|appendix|background|bibliography|conclusion|"
    "conclusions|contents|discussion|foreword|for further reading|further reading|general|glossary|"
    "index|introduction|methods|notes|other|overview|preface|references|remarks|results|scope|"
    "see also|source|sources|summary|table of contents".split("|")
)

#: The words of which an English question has one, and those that make a heading a statement, which
#: cannot become a question.
_ASKING = frozenset(ASKING)
_STATING = SUBJECTS | frozenset(AUXILIARIES)
_WORD = re.compile(r"\w+")

#: The first suggestion.
OVERVIEW = "What are the main points?"
#: The beginning of a question that is made of a heading.
SAID = "What is said about"


def suggestions(outlines: Iterable[tuple[str, Sequence[Heading]]], count: int) -> list[str]:
    """Questions about documents: for their main points, and others made from their headings.

    Args:
        outlines: for each document its title, and the headings of each of its paragraphs.
        count: how many questions.
    """
    if count < 1:
        return []
    made = dict.fromkeys(q for title, above in outlines for q in questions_of(title, above))
    topics = [question for question in made if question.startswith(SAID)]
    questions = [question for question in made if not question.startswith(SAID)]
    # Half of each where there are both, spread over the document.
    rest = count - 1
    half = rest - min(len(topics), rest // 2)
    picked = _spread(questions, half)
    return [OVERVIEW, *picked, *_spread(topics, rest - len(picked))]


def questions_of(title: str, outline: Iterable[Heading]) -> list[str]:
    """The questions that the headings of a document make, each once.

    Args:
        title: the document's, which makes no question.
        outline: the headings of each of its paragraphs.
    """
    paths = [above for above in outline if above]
    over = Counter(heading for above in paths for heading in set(above))
    # What stands over most of a document is its title too.
    headings = dict.fromkeys(
        above[-1]
        for above in paths
        if above[-1] != title and (2 * over[above[-1]] <= len(paths) or len(over) < 3)
    )
    return [question for heading in headings if (question := question_of(heading))]


def question_of(heading: str) -> str:
    """The question that a heading makes: itself if it is one, else what is said about it; "" if it
    names no topic, or no question can be made of it."""
    topic = topic_of(heading)
    # "IT" is no pronoun.
    words = [
        word if len(word) > 1 and word.isupper() else word.lower() for word in _WORD.findall(topic)
    ]
    if topic.endswith("?"):
        return topic if not _ASKING.isdisjoint(words) or asked_in(topic) != ENGLISH else ""
    if words and words[0] in QUESTION_WORDS:
        if not {*words[1:2]}.isdisjoint(AUXILIARIES):  # "How is salary calculated"
            return f"{topic}?"
        return f"{SAID} {topic[0].lower()}{topic[1:]}?"
    return f"{SAID} {topic}?" if words and _STATING.isdisjoint(words) else ""


def topic_of(heading: str) -> str:
    """The topic that a heading names, without its number and its full stop; "" if it names none,
    like a date or the name of a part of any text."""
    topic = _NUMBER.sub("", heading.strip()).rstrip(" .:;,")
    letters = sum(map(str.isalpha, topic))
    is_named = letters > len(topic) * LETTERS and topic.rstrip("?:.").casefold() not in _PARTS
    is_named = is_named and _CODE.search(topic) is None and _NAME.search(topic) is not None
    return topic if is_named else ""


def _spread(items: Sequence[str], count: int) -> list[str]:
    if count <= 0:
        return []
    step = max(1, len(items) // count)
    return list(items[::step][:count])
