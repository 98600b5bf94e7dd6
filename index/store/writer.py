"""Encoding paragraphs while what was encoded before is stored."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

from index.encoder import Encoder, Vectors, normalise
from index.errors import IndexChangedError
from index.store.manifest import ParagraphText

CHUNK = 64  # paragraphs embedded and stored at a time
#: How much of the vector of the context (the heading right above, and what leads into the
#: paragraph) is added to those of the sentences, for each of these; encoding all of it together
#: finds no more and takes twice as long. Right paragraph first, among five and among ten, without
#: the reading model, of 672 questions on 28 real documents: .589 .866 .926 without, .603 .871 .938
#: with it, .600 .872 .940 with the heading alone; of 144 on eight others: .431 .715 .826, .472 .757
#: .833 and .465 .757 .840; of 97 that were asked by the titles of ten: .505 .732 .835, .588 .794
#: .897 and .567 .773 .876.
CONTEXT_WEIGHT = 0.15

#: Called while indexing with (paragraphs done, paragraphs in all).
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Paragraphs with their vectors, and how many more documents are whole with them."""

    paragraphs: Sequence[ParagraphText]
    vectors: Sequence[Vectors]
    whole: int


def vectors_of(encoder: Encoder, paragraphs: Sequence[ParagraphText]) -> list[Vectors]:
    """The vectors of the sentences of paragraphs: unit vectors of shape (sentences, dimension)
    each. That of a paragraph's context is added to them, CONTEXT_WEIGHT times for each of its
    lines."""
    lines = {p.context: p.context.splitlines() for p in paragraphs if p.context}
    contexts = [". ".join(context) for context in lines.values()]
    vectors = encoder.encode_paragraphs(
        [(p.text, p.spans) for p in paragraphs] + [(text, [(0, len(text))]) for text in contexts]
    )
    added = {
        context: CONTEXT_WEIGHT * len(lines[context]) * rows
        for context, rows in zip(lines, vectors[len(paragraphs) :], strict=True)
    }
    return [
        normalise(rows + added[paragraph.context]) if paragraph.context else rows
        for paragraph, rows in zip(paragraphs, vectors, strict=False)
    ]


def encoded(
    documents: Iterable[Sequence[str]],
    fresh: Collection[str],
    texts_of: Callable[[Sequence[str]], Mapping[str, ParagraphText]],
    encoder: Encoder,
    store: Callable[[Chunk], None],
) -> Iterator[int]:
    """Encode paragraphs, CHUNK at a time, whichever documents they are of, and have each chunk
    stored while more is encoded: each waits on other things.

    Args:
        documents: of each the ids of its paragraphs, in order.
        fresh: ids of those that are to be encoded.
        texts_of: gives their texts.
        encoder: the embedding model.
        store: stores a chunk; called in another thread, for one chunk after the other.

    Yields:
        How many paragraphs of each chunk were encoded, once those of the one before are stored.
    """
    chunks = _encoded(_chunks(documents, fresh), texts_of, encoder)
    with closing(chunks), ThreadPoolExecutor(1) as beside:
        storing: Future[None] | None = None
        stored = 0
        for chunk in chunks:
            if storing:
                storing.result()
                yield stored
            storing, stored = beside.submit(store, chunk), len(chunk.paragraphs)
        if storing:
            storing.result()
            yield stored


def _encoded(
    chunks: Iterable[tuple[list[str], int]],
    texts_of: Callable[[Sequence[str]], Mapping[str, ParagraphText]],
    encoder: Encoder,
) -> Generator[Chunk]:
    """The chunks in their order, with their vectors; one in each of the encoder's lanes is being
    encoded meanwhile."""

    def encode(paragraphs: Sequence[ParagraphText]) -> list[Vectors]:
        return vectors_of(encoder, paragraphs) if paragraphs else []

    ahead: deque[tuple[list[ParagraphText], Future[list[Vectors]], int]] = deque()
    with ThreadPoolExecutor(encoder.lanes) as lanes:
        try:
            for ids, whole in chunks:
                texts = texts_of(ids)
                if len(texts) < len(ids):
                    raise IndexChangedError(
                        "Texts of a document are not stored any more, since it was changed "
                        "meanwhile. Do the same again."
                    )
                paragraphs = list(texts.values())
                ahead.append((paragraphs, lanes.submit(encode, paragraphs), whole))
                if len(ahead) > encoder.lanes:
                    paragraphs, encoding, whole = ahead.popleft()
                    yield Chunk(paragraphs, encoding.result(), whole)
            while ahead:
                paragraphs, encoding, whole = ahead.popleft()
                yield Chunk(paragraphs, encoding.result(), whole)
        finally:
            lanes.shutdown(wait=False, cancel_futures=True)  # of what was not asked for any more


def _chunks(
    documents: Iterable[Sequence[str]], fresh: Collection[str]
) -> Iterator[tuple[list[str], int]]:
    """The paragraphs of `fresh`, CHUNK at a time in the order of the documents, each time with how
    many more documents are whole once these are stored."""
    ids: list[str] = []
    left = set(fresh)
    whole = 0
    for paragraphs in documents:
        for identity in paragraphs:
            if identity in left:
                if len(ids) == CHUNK:
                    yield ids, whole
                    ids, whole = [], 0
                left.remove(identity)
                ids.append(identity)
        whole += 1
    yield ids, whole
