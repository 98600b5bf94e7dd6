"""Some documents, as if they alone were the index: their paragraphs in order, and their terms."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from index.bm25 import BM25Index
from index.models import Paragraph, text_hash
from index.store.manifest import Manifest, ParagraphText

TERMS_VERSION = "2"  # of how texts become terms; another makes the cache anew

#: Reads paragraphs by id, all of them or raises.
Reader = Callable[[Sequence[str]], Mapping[str, ParagraphText]]


class Scope:
    """What may be found in some documents.

    Args:
        manifests: of the documents, in their order.
        read: where the texts are had from.
        cache: folder in which the terms of a large scope are kept, for the next process.

    Attributes:
        order: ids of the paragraphs; a text that stands in several places is one, where it stands
            first.
        positions: where each is in `order`.
        places: the document and the paragraph's number in it, by paragraph.
        languages: those of the documents.
        terms: the terms of the paragraphs, by position.
    """

    def __init__(self, manifests: Sequence[Manifest], read: Reader, cache: Path) -> None:
        """Load or build the terms."""
        self.manifests = {manifest.id: manifest for manifest in manifests}
        self.places: dict[str, tuple[str, int]] = {}
        for manifest in manifests:
            for number, place in enumerate(manifest.places, start=1):
                self.places.setdefault(place.id, (manifest.id, number))
        self.order = list(self.places)
        self.positions = {identity: position for position, identity in enumerate(self.order)}
        self.languages = tuple(dict.fromkeys(manifest.language for manifest in manifests))
        self.terms = self._load_terms(read, cache)

    def paragraph(self, text: ParagraphText) -> Paragraph:
        """A paragraph of the scope where it stands first."""
        document_id, number = self.places[text.id]
        return self.manifests[document_id].paragraph(number, text)

    def _heading(self, identity: str) -> str:
        document_id, number = self.places[identity]
        return " ".join(self.manifests[document_id].places[number - 1].heading)

    def _load_terms(self, read: Reader, folder: Path) -> BM25Index:
        # What the terms depend on: a paragraph is found by the words of its headings too.
        languages = [self.manifests[self.places[identity][0]].language for identity in self.order]
        named = [
            f"{identity} {language} {self._heading(identity)}"
            for identity, language in zip(self.order, languages, strict=True)
        ]
        cache = folder / text_hash("\n".join([TERMS_VERSION, *named]))[:16]
        if cache.is_dir():
            try:
                return BM25Index.load(cache, languages)
            except (OSError, ValueError, LookupError, TypeError):
                shutil.rmtree(cache, ignore_errors=True)
        paragraphs = read(self.order)
        terms = BM25Index.build(
            [f"{self._heading(identity)} {paragraphs[identity].text}" for identity in self.order],
            languages,
        )
        if len(self.order) >= 1000:  # a smaller one is built faster than it is read
            _keep(terms, cache)
        return terms


def _keep(terms: BM25Index, cache: Path) -> None:
    """Write the terms in place of others, if that is possible."""
    folder = cache.parent
    try:
        if folder.is_file():
            folder.unlink()
        for old in folder.glob("*"):
            shutil.rmtree(old, ignore_errors=True)
        folder.mkdir(exist_ok=True)
        terms.save(cache)
    except OSError:
        # The cache only saves time, and the terms are in memory. It is written beside and renamed,
        # so that half a cache is never found.
        shutil.rmtree(cache.with_name(cache.name + ".part"), ignore_errors=True)
