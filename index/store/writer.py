"""Filling a generation with documents, so that a kill at any instant costs a few chunks at most."""

from __future__ import annotations

from collections import deque
from collections.abc import (
    Callable,
    Collection,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing

from index.encoder import Encoder, Vectors
from index.store.collections import Generation
from index.store.manifest import Manifest, ParagraphText

CHUNK = 64  # paragraphs embedded and stored at a time

#: Called while indexing with (paragraphs done, paragraphs in all).
Progress = Callable[[int, int], None]


def fill(
    generation: Generation,
    manifests: Sequence[Manifest],
    texts_of: Callable[[Sequence[str]], Mapping[str, ParagraphText]],
    encoder: Encoder,
    progress: Progress | None,
) -> int:
    """Store documents; returns how many paragraphs were embedded.

    Paragraphs are stored CHUNK at a time, whichever documents they are of, and after each chunk the
    documents that are whole by then. Where other machines write too, all is there at the end even
    if one of them took away what had been there at the beginning (see `protocol`).

    Args:
        generation: where to.
        manifests: of the documents.
        texts_of: where their texts are had from, by id; it leaves out what is not to be had.
        encoder: embeds what the generation does not hold.
        progress: called as paragraphs are done.

    Raises:
        IndexCorruptedError: a text is not to be had.
    """
    total = sum(len(manifest.places) for manifest in manifests)
    named = {place.id for manifest in manifests for place in manifest.places}
    embedded = 0
    while True:
        fresh = named - generation.claim(named)
        generation.expect(len(fresh))
        before = total - len(fresh) - embedded
        if progress and not embedded:
            progress(before, total)
        # What was encoded is stored while more is encoded: each waits on other things.
        chunks = _encoded(_chunks(manifests, fresh), generation, texts_of, encoder)
        with closing(chunks), ThreadPoolExecutor(1) as beside:
            storing: Future[None] | None = None
            for paragraphs, vectors, whole in chunks:
                if storing:
                    storing.result()
                if progress and embedded:
                    progress(before + embedded, total)
                storing = beside.submit(_store, generation, paragraphs, vectors, whole)
                embedded += len(paragraphs)
            if storing:
                storing.result()
        if progress and embedded:
            progress(before + embedded, total)
        if generation.keeps_claim:
            return embedded


def _encoded(
    chunks: Iterable[tuple[list[str], list[Manifest]]],
    generation: Generation,
    texts_of: Callable[[Sequence[str]], Mapping[str, ParagraphText]],
    encoder: Encoder,
) -> Generator[tuple[list[ParagraphText], list[Vectors], list[Manifest]]]:
    """The chunks in their order, with their vectors; one in each of the encoder's lanes is being
    encoded meanwhile."""

    def encode(paragraphs: Sequence[ParagraphText]) -> list[Vectors]:
        if not paragraphs:
            return []
        return encoder.encode_paragraphs([(p.text, p.spans) for p in paragraphs])

    ahead: deque[tuple[list[ParagraphText], Future[list[Vectors]], list[Manifest]]] = deque()
    with ThreadPoolExecutor(encoder.lanes) as lanes:
        try:
            for ids, whole in chunks:
                paragraphs = texts_of(ids)
                if len(paragraphs) < len(ids):
                    raise generation.lost(set(ids) - paragraphs.keys())
                own = list(paragraphs.values())
                ahead.append((own, lanes.submit(encode, own), whole))
                if len(ahead) > encoder.lanes:
                    own, encoding, whole = ahead.popleft()
                    yield own, encoding.result(), whole
            while ahead:
                own, encoding, whole = ahead.popleft()
                yield own, encoding.result(), whole
        finally:
            lanes.shutdown(wait=False, cancel_futures=True)  # of what was not asked for any more


def _store(
    generation: Generation,
    paragraphs: Sequence[ParagraphText],
    vectors: Sequence[Vectors],
    whole: Sequence[Manifest],
) -> None:
    if paragraphs:
        generation.add(paragraphs, vectors)
    generation.put_manifests(whole)


def _chunks(
    manifests: Sequence[Manifest], fresh: Collection[str]
) -> Iterator[tuple[list[str], list[Manifest]]]:
    """The paragraphs of `fresh`, CHUNK at a time in the order of the documents, each time with the
    documents that are whole once these are stored."""
    ids: list[str] = []
    left = set(fresh)
    whole: list[Manifest] = []
    for manifest in manifests:
        for place in manifest.places:
            if place.id in left:
                if len(ids) == CHUNK:
                    yield ids, whole
                    ids, whole = [], []
                left.remove(place.id)
                ids.append(place.id)
        whole.append(manifest)
    yield ids, whole
