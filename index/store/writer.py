"""Filling a space with documents, so that a kill at any instant costs one chunk at most."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from index.encoder import Encoder
from index.store.collections import Space
from index.store.manifest import Manifest, Passage
from index.store.snapshot import lost_paragraphs

CHUNK = 64  # paragraphs embedded and stored at a time: what a kill can cost

#: Called while indexing with (paragraphs done, paragraphs in all).
Progress = Callable[[int, int], None]


def fill(
    space: Space,
    manifests: Sequence[Manifest],
    passages_of: Callable[[Sequence[str]], Mapping[str, Passage]],
    encoder: Encoder,
    progress: Progress | None,
) -> int:
    """Store documents; returns how many paragraphs were embedded.

    Paragraphs are stored CHUNK at a time, whichever documents they are of, and after each chunk the
    documents that are whole by then.

    Args:
        space: where to.
        manifests: of the documents.
        passages_of: where their texts are had from, by id; it leaves out what is not to be had.
        encoder: embeds what the space does not hold.
        progress: called as paragraphs are done.

    Raises:
        IndexCorruptedError: a text is not to be had.
    """
    stored = space.paragraph_ids()
    total = sum(len(manifest.places) for manifest in manifests)
    fresh = {place.id for manifest in manifests for place in manifest.places} - stored
    done, embedded = total - len(fresh), 0
    if progress:
        progress(done, total)
    for ids, whole in _chunks(manifests, fresh):
        passages = passages_of(ids)
        if len(passages) < len(ids):
            raise lost_paragraphs(space.path, set(ids) - passages.keys())
        if passages:
            own = list(passages.values())
            space.add(own, encoder.encode_paragraphs([(p.text, p.spans) for p in own]))
        space.put_manifests(whole)
        embedded += len(ids)
        if progress and ids:
            progress(done + embedded, total)
    return embedded


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
