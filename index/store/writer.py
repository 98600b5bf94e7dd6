"""Encoding paragraphs while what was encoded before is stored."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

from index.encoder import Encoder, Vectors
from index.errors import IndexChangedError
from index.store.manifest import ParagraphText

CHUNK = 64  # paragraphs embedded and stored at a time

#: Called while indexing with (paragraphs done, paragraphs in all).
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Paragraphs with their vectors, and how many more documents are whole with them."""

    paragraphs: Sequence[ParagraphText]
    vectors: Sequence[Vectors]
    whole: int


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
        if not paragraphs:
            return []
        return encoder.encode_paragraphs([(p.text, p.spans) for p in paragraphs])

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
