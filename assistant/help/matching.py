"""Which place in the help answers a question, if that is one about Footnote.

Headings of the help that are questions are held against what is asked, and so are other ways to
ask the same, which stand below such a heading in its file, where no reader sees them:

    ### How do I add a document?
    <!-- or: how can I upload a pdf | can I add a whole folder at once? -->

Nothing of it is in an index of documents: it is one matrix, which is kept in a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from assistant.english import content_stems
from assistant.help.documents import document_of
from assistant.help.topics import Topic, topics
from index import Paragraph
from index.encoder import BASE_ENCODER, DEFAULT_ENCODER, Encoder, Vectors
from index.models import text_hash
from index.store.whole import write_whole

#: The encoders with which it was measured: cosines of others are on other scales.
MEASURED = frozenset({DEFAULT_ENCODER, BASE_ENCODER})

#: What the share of its words that the place is asked for by adds to the cosine of a question, and
#: what each word takes from it that stands nowhere in the help; how much is enough, and the least
#: cosine. Chosen on 46 questions about Footnote and on others: of 5,000 that were written for short
#: texts of all kinds 19 are taken for such ("How do I cancel?"); of 1,429 about the documents of
#: the sets that ship, and about real ones, none is, overviews aside, which are never asked here.
SHARE, UNKNOWN = 0.4, 0.05
ENOUGH, NEAR = 0.88, 0.55
#: What the probability that something else answers it adds to what is enough. Not tuned.
OTHERWISE = 0.2

_ASKED = re.compile(r"^#{2,6} +(.+)\n(?:<!-- or: (.+?) -->\n)?", re.MULTILINE)
_NAME = re.compile(r"[^\W\d_]+")
#: A footnote, and not Footnote.
_NOTE = re.compile(
    r"\bfootnotes\b|\bfootnote\s+\d|\b(?:an?|the|this|that|which|each|every|any|second|third|last|"
    r"next|\w+(?:st|nd|rd|th))\s+footnote\b(?! (?:command|page|program|app|server|help|index))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class HelpPlace:
    """A place in the help.

    Attributes:
        topic: where it is.
        heading: the question that it answers.
        words: stems of the words that it is asked for by.
    """

    topic: Topic
    heading: str
    words: frozenset[str]

    @property
    def paragraph(self) -> Paragraph:
        """The one that tells it."""
        paragraphs = document_of(self.topic).paragraphs
        return next(own for own in paragraphs if own.heading[-1:] == (self.heading,))


class HelpIndex:
    """All places of the help that answer a question. May be used from many threads.

    Args:
        encoder: makes the vectors of questions.
        file: where these are kept from one start to the next; they are made anew where it does not
            hold them.
    """

    def __init__(self, encoder: Encoder, file: Path) -> None:
        asked: list[str] = []
        self._places: list[HelpPlace] = []
        for topic in topics():
            for heading, ways in _questions(topic):
                words = frozenset().union(*map(content_stems, ways))
                asked += ways
                self._places += [HelpPlace(topic, heading, words)] * len(ways)
        texts = [*asked, *(topic.text for topic in topics())]
        key = text_hash("\n".join([encoder.fingerprint, *texts]))
        kept = _read(file, key)
        if kept is None:
            vectors = np.array(encoder.encode_queries(asked)).astype(np.float16)
            known = sorted(frozenset().union(*map(_stems, texts)))
            kept = {"vectors": vectors, "known": np.array(known), "key": np.array(key)}
            _write(file, kept)
        self._vectors = kept["vectors"].astype(np.float32)
        self._known = frozenset(kept["known"].tolist())

    def find(self, question: str, vector: Vectors, sure: float = 0.0) -> HelpPlace | None:
        """The place that answers a question; None where it is about something else.

        Args:
            question: as it was understood.
            vector: the encoder's, of it; of shape (dimension,).
            sure: the probability that something else answers it, 0..1.
        """
        words = content_stems(question)
        cosines = self._vectors @ vector
        best = int(cosines.argmax())
        place, cosine = self._places[best], float(cosines[best])
        shared = words & place.words
        if not shared or cosine < NEAR or _NOTE.search(question) or self._names_other(question):
            return None
        score = cosine + SHARE * len(shared) / len(words) - UNKNOWN * len(words - self._known)
        return place if score >= ENOUGH + OTHERWISE * sure else None

    def _names_other(self, question: str) -> bool:
        """Whether it has a name that the help has not."""
        names = [word for word in _NAME.findall(question)[1:] if word[0].isupper()]
        return any(not content_stems(name) <= self._known for name in names)


def _questions(topic: Topic) -> Iterator[tuple[str, list[str]]]:
    """The headings of a topic that are questions, each with all ways to ask it."""
    for found in _ASKED.finditer(topic.path.read_text(encoding="utf-8")):
        heading, others = found.groups()
        if others or heading.endswith("?"):
            yield heading, [heading, *(others.split(" | ") if others else ())]


def _stems(text: str) -> frozenset[str]:
    return content_stems(text.replace("_", " "))


def _read(file: Path, key: str) -> dict[str, np.ndarray] | None:
    """What a file holds, if it is of this key."""
    try:
        with np.load(file) as kept:
            return dict(kept) if str(kept["key"]) == key else None
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None  # it is not there, or is damaged: it is made anew


def _write(file: Path, content: dict[str, np.ndarray]) -> None:
    # Where nothing can be written it is made anew at each start, and works all the same.
    with suppress(OSError):
        stream = BytesIO()
        np.savez(stream, allow_pickle=False, **content)
        write_whole(file, stream.getvalue())
