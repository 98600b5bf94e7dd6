"""Some documents, as if they alone were the index: their paragraphs in order, and their terms."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np

from index.bm25 import BM25Index, Positions
from index.models import Paragraph
from index.store.manifest import NO_ROWS, Manifest, ParagraphText
from index.terms.hashes import Keys, Numbers
from index.terms.lexical import LexicalIndex
from index.terms.segment import sums

#: Reads paragraphs by id, all of them or raises.
Reader = Callable[[Sequence[str]], Mapping[str, ParagraphText]]


class Scope:
    """What may be found in some documents. A paragraph is known by its position: a text that stands
    in several places is one, where it stands first. Compact, for there may be millions.

    Args:
        manifests: of the documents, in their order.
        index: where the terms are kept.
        read: where the texts are had from.

    Attributes:
        languages: those of the documents.
        terms: the terms of the paragraphs, by position.
    """

    def __init__(self, manifests: Sequence[Manifest], index: LexicalIndex, read: Reader) -> None:
        self._manifests = manifests
        counts = np.array([len(manifest.places) for manifest in manifests], dtype=np.int32)
        #: The places of the documents one after the other: where those of each begin.
        self._starts = sums(counts)
        own = [np.empty(0, dtype=np.uint64), *(manifest.keys[0] for manifest in manifests)]
        keys = np.concatenate(own)
        self._keys = Keys(keys)
        #: For each row of a paragraph a place that has it, and the key of that place.
        self._rows = Keys(
            np.concatenate([NO_ROWS.rows, *(m.rows.rows for m in manifests)]).astype(np.uint64)
        )
        self._key_of_place = keys
        #: By position, which of these places it is.
        self._places = np.sort(self._keys.firsts)
        self.size = len(self._places)
        self.languages = tuple(dict.fromkeys(manifest.language for manifest in manifests))

        segments, firsts = index.cover(
            keys_of(manifests), counts, lambda numbers: self._texts(numbers, read)
        )
        rows = np.repeat(firsts - self._starts[:-1], counts)[self._places] + self._places
        self.terms = BM25Index(segments, rows, self._by_language())

    def paragraphs(
        self, ids: Mapping[int, str], texts: Mapping[str, ParagraphText]
    ) -> list[Paragraph]:
        """Paragraphs, each where it stands first.

        Args:
            ids: of them, by position.
            texts: by id.
        """
        found = []
        for position, identity in ids.items():
            manifest, number = self._place(int(self._places[position]))
            found.append(manifest.paragraph(number, texts[identity]))
        return found

    def ids(self, positions: Iterable[int]) -> dict[int, str]:
        """The ids of paragraphs, by position."""
        found = {}
        for position in positions:
            manifest, number = self._place(int(self._places[position]))
            found[position] = manifest.places[number - 1].id
        return found

    @cached_property
    def all_ids(self) -> list[str]:
        """The ids of all paragraphs, by position; of a scope of few."""
        return list(self.ids(range(self.size)).values())

    def positions(self, rows: Sequence[int]) -> list[int | None]:
        """Where paragraphs are, by their rows; None of those that are not in the scope."""
        any_place = self._rows.find(np.array(rows, dtype=np.uint64))
        # The same text may have several rows, of documents that were added at the same time.
        places = np.where(any_place < 0, -1, self._keys.find(self._key_of_place[any_place]))
        positions = np.searchsorted(self._places, places).tolist()
        return [
            None if place < 0 else position
            for place, position in zip(places.tolist(), positions, strict=True)
        ]

    def _place(self, place: int) -> tuple[Manifest, int]:
        """The document of a place, and the paragraph's number in it, from 1."""
        document = int(np.searchsorted(self._starts, place, "right")) - 1
        return self._manifests[document], place - int(self._starts[document]) + 1

    def _texts(self, numbers: Sequence[int], read: Reader) -> tuple[list[str], list[str]]:
        """What each paragraph of documents is found by, the words of its headings too, and its
        language."""
        own = [self._manifests[number] for number in numbers]
        places = [place for manifest in own for place in manifest.places]
        texts = read([place.id for place in places])
        return (
            [f"{' '.join(place.heading)} {texts[place.id].text}" for place in places],
            [manifest.language for manifest in own for _ in manifest.places],
        )

    def _by_language(self) -> dict[str, Positions]:
        if len(self.languages) < 2:
            return dict.fromkeys(self.languages, slice(None))
        code = {language: n for n, language in enumerate(self.languages)}
        of_document = np.array([code[m.language] for m in self._manifests], dtype=np.int32)
        own = np.repeat(of_document, np.diff(self._starts))[self._places]
        return {language: np.flatnonzero(own == n) for language, n in code.items()}


def keys_of(manifests: Collection[Manifest]) -> Numbers:
    """The keys of what the terms of documents depend on, uint64 [documents]."""
    return np.fromiter((manifest.keys[1] for manifest in manifests), np.uint64, len(manifests))
