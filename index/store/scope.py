"""Some documents, as if they alone were the index: their paragraphs in order, and their terms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np

from index.bm25 import BM25Index, Positions
from index.models import Paragraph
from index.store.manifest import Manifest, ParagraphText
from index.terms.keys import Keys, halves, packed
from index.terms.lexical import LexicalIndex
from index.terms.runs import Runs
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
        runs = joined_runs(manifests)
        self._keys = Keys(halves(runs.paragraphs))
        #: The places of the documents one after the other: where those of each begin.
        self._starts = sums(np.array([len(m.places) for m in manifests], dtype=np.int64))
        #: By position, which of these places it is.
        self._places = np.flatnonzero(self._keys.firsts())
        self.size = len(self._places)
        self.languages = tuple(dict.fromkeys(manifest.language for manifest in manifests))

        counts = runs.sizes()
        starts = sums(counts)
        segments, first_rows = index.cover(
            runs, lambda numbers: self._texts(starts[[[n, n + 1] for n in numbers]].tolist(), read)
        )
        rows = np.repeat(first_rows - starts[:-1], counts) + np.arange(len(runs))
        self.terms = BM25Index(segments, rows[self._places], self._by_language())

    def paragraph(self, position: int, text: ParagraphText) -> Paragraph:
        """A paragraph where it stands first."""
        manifest, number = self._place(int(self._places[position]))
        return manifest.paragraph(number, text)

    def identity(self, position: int) -> str:
        """The id of a paragraph."""
        manifest, number = self._place(int(self._places[position]))
        return manifest.places[number - 1].id

    @cached_property
    def identities(self) -> list[str]:
        """The ids of all paragraphs, by position; of a scope of few."""
        return [self.identity(position) for position in range(self.size)]

    def positions(self, identities: Sequence[str]) -> list[int | None]:
        """Where paragraphs are, by id; None of those that are not in the scope."""
        places = self._keys.find(halves(packed(identities)))
        positions = np.searchsorted(self._places, places).tolist()
        return [
            None if place < 0 else position
            for place, position in zip(places.tolist(), positions, strict=True)
        ]

    def _place(self, place: int) -> tuple[Manifest, int]:
        """The document of a place, and the paragraph's number in it, from 1."""
        document = int(np.searchsorted(self._starts, place, "right")) - 1
        return self._manifests[document], place - int(self._starts[document]) + 1

    def _texts(
        self, stretches: Sequence[Sequence[int]], read: Reader
    ) -> list[tuple[str, list[str]]]:
        """The language of places from one on and before another, all of one document, and what each
        is found by: the words of its headings too."""
        stood = []
        for start, end in stretches:
            manifest, number = self._place(start)
            stood.append((manifest.language, manifest.places[number - 1 :][: end - start]))
        texts = read([place.id for _, places in stood for place in places])
        return [
            (language, [f"{' '.join(p.heading)} {texts[p.id].text}" for p in places])
            for language, places in stood
        ]

    def _by_language(self) -> dict[str, Positions]:
        if len(self.languages) < 2:
            return dict.fromkeys(self.languages, slice(None))
        code = {language: n for n, language in enumerate(self.languages)}
        of_document = np.array([code[m.language] for m in self._manifests], dtype=np.int32)
        own = np.repeat(of_document, np.diff(self._starts))[self._places]
        return {language: np.flatnonzero(own == n) for language, n in code.items()}


def joined_runs(manifests: Iterable[Manifest]) -> Runs:
    """The runs of documents, one document after the other."""
    return Runs.joined(manifest.runs for manifest in manifests)
