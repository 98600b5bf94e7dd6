"""What is indexed to be measured: paragraphs recombined from the sentences of a corpus."""

from __future__ import annotations

import random
from collections.abc import Sequence
from importlib.resources import files
from itertools import chain
from pathlib import Path

import numpy as np

from assistant.documents import read_all, shipped_documents
from evals.datasets.loader import read_set
from index import Document, document_from_text
from index.encoder import Encoder, Spans, Vectors
from index.errors import QuestionSetError

#: Paragraphs that a document has, at most. Not tuned.
PER_DOCUMENT = 1000
#: Questions that are asked, at most. Not tuned.
QUESTIONS = 40
#: In recombined vectors, how much of the mean of a paragraph's sentences each has. Not tuned.
NEIGHBOUR_WEIGHT = 0.5


def corpus_of(paths: Sequence[Path]) -> tuple[list[Document], list[str]]:
    """Documents to take sentences from, and questions about them.

    Args:
        paths: sets that bring their documents, and documents; the shipped document and its
            questions when there are none.

    Raises:
        FootnoteError: one cannot be read.
    """
    shipped = read_set(Path(str(files("evals.questions") / "seed.jsonl")))
    documents: list[Document] = [] if paths else shipped_documents()
    questions: list[str] = []
    for path in paths:
        names = {file.name for file in path.iterdir()} if path.is_dir() else set()
        if "corpus.jsonl" in names or path.suffix == ".json":
            read = read_set(path)
            documents += read.documents
            # Some of each set, so that every set is asked about.
            questions += [q.question for q in read.questions[: QUESTIONS // len(paths)]]
        else:
            documents += read_all([path])
    return documents, questions or [q.question for q in shipped.questions]


def sentences_of(corpus: Sequence[Document]) -> list[str]:
    """The different sentences of a corpus that make a paragraph: a short text without a full stop
    would be read as a heading."""
    texts = {
        " ".join(sentence.text.split())
        for document in corpus
        for paragraph in document.paragraphs
        for sentence in paragraph.sentences
    }
    return sorted(text for text in texts if len(text) > 20 and text.endswith("."))


def recombined(sentences: Sequence[str], size: int) -> list[Document]:
    """Documents of `size` different paragraphs of one to three sentences, the same each time.

    Raises:
        QuestionSetError: there are too few sentences.
    """
    generator = random.Random(size)  # noqa: S311 - no secret
    made: dict[str, None] = {}
    for _ in range(size * 20):
        if len(made) == size:
            break
        count = min(generator.randint(1, 3), len(sentences))
        made.setdefault(" ".join(generator.sample(sentences, count)))
    if len(made) < size:
        raise QuestionSetError(
            f"{len(sentences):,} sentences make {len(made):,} different paragraphs, not {size:,}. "
            "Give a larger --corpus, or fewer --paragraphs."
        )
    texts = list(made)
    return [
        document_from_text("\n\n".join(texts[first : first + PER_DOCUMENT]), f"part {first:07}")
        for first in range(0, size, PER_DOCUMENT)
    ]


def edited(documents: Sequence[Document], count: int) -> list[Document]:
    """The documents with `count` paragraphs of the first one changed."""
    first, *others = documents
    text = first.text
    for paragraph in reversed(first.paragraphs[:count]):
        text = f"{text[: paragraph.end]} It was changed.{text[paragraph.end :]}"
    return [document_from_text(text, first.source), *others]


class RecombiningEncoder(Encoder):
    """Encodes each sentence once, and of these makes the vectors of paragraphs. As in those that
    are encoded whole, a sentence's has something of the sentences around it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._known: dict[str, Vectors] = {}

    def encode_paragraphs(self, paragraphs: Sequence[tuple[str, Spans]]) -> list[Vectors]:
        """[sentences, dimension] of each paragraph."""
        texts = [[text[start:end] for start, end in spans] for text, spans in paragraphs]
        new = [one for one in dict.fromkeys(chain(*texts)) if one not in self._known]
        encoded = super().encode_paragraphs([(one, [(0, len(one))]) for one in new])
        self._known |= zip(new, (vectors[0] for vectors in encoded), strict=True)
        found = []
        for sentences in texts:
            vectors = np.stack([self._known[one] for one in sentences])
            vectors = vectors + NEIGHBOUR_WEIGHT * vectors.mean(axis=0)
            found.append(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
        return found
