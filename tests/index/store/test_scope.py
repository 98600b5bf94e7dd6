"""What is found in some documents by their terms, however the index has come to be as it is."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from math import log2
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from lexical import WORDS, Library, shares_by_bm25s

from index.store.manifest import Manifest
from index.store.snapshot import Scope, keys_of
from index.terms import lexical
from index.terms.lexical import LexicalIndex

SOURCES = "abcdef"
LANGUAGES = st.sampled_from(list(WORDS))
SENTENCES = LANGUAGES.flatmap(lambda own: st.lists(st.sampled_from(WORDS[own]), max_size=6)).map(
    " ".join
)
PARAGRAPHS = st.lists(
    st.tuples(st.sampled_from(["", "dogs", "Häuser"]), SENTENCES.map("§ {}".format)),
    min_size=1,
    max_size=8,
)


def expected(manifests: Iterable[Manifest], library: Library, query: str) -> dict[str, float]:
    """The shares of the paragraphs by id, in their order, by bm25s."""
    texts: dict[str, tuple[str, str]] = {}
    for manifest in manifests:
        for place in manifest.places:
            text = f"{' '.join(place.heading)} {library.texts[place.id].text}"
            texts.setdefault(place.id, (text, manifest.language))
    own, languages = zip(*texts.values(), strict=True)
    return dict(zip(texts, shares_by_bm25s(own, languages, query), strict=True))


class Growing(RuleBasedStateMachine):
    """Documents come, change and go, some of them are asked, and processes follow one another.

    Segments are kept, derived and merged as of millions of paragraphs.
    """

    @initialize()
    def start(self) -> None:
        self.place = TemporaryDirectory()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(lexical, "MIN_ROWS", 2)
        self.patch.setattr(lexical, "BATCH", 7)
        self.library = Library()
        self.documents: dict[str, Manifest] = {}
        self.index = LexicalIndex(Path(self.place.name) / "terms")

    @rule(source=st.sampled_from(SOURCES), paragraphs=PARAGRAPHS, language=LANGUAGES)
    def put(self, source: str, paragraphs: list[tuple[str, str]], language: str) -> None:
        self.documents[source] = self.library.manifest(source, paragraphs, language)
        self._follow()

    @rule(source=st.sampled_from(SOURCES), at=st.integers(0, 7), text=SENTENCES)
    def edit(self, source: str, at: int, text: str) -> None:
        if source in self.documents:
            former = self.documents[source]
            paragraphs = [
                (" ".join(place.heading), self.library.texts[place.id].text)
                for place in former.places
            ]
            paragraphs[at % len(paragraphs)] = ("", text)
            self.documents[source] = self.library.manifest(source, paragraphs, former.language)
            self._follow()

    @rule(source=st.sampled_from(SOURCES))
    def remove(self, source: str) -> None:
        self.documents.pop(source, None)
        self._follow()

    @rule()
    def start_anew(self) -> None:
        """What was kept is not derived again."""
        everything = self._scope(self.documents.values())
        segments = self.index.segments
        assert len(segments) <= 2 + log2(1 + sum(map(len, segments)))
        small = sum(len(s) for s in segments if len(s) < lexical.MIN_ROWS)
        self.index = LexicalIndex(Path(self.place.name) / "terms")
        self._follow()
        again = self._scope(self.documents.values())
        assert self.index.derived <= small
        assert np.array_equal(again.terms.shares("dog"), everything.terms.shares("dog"))

    @rule(chosen=st.sets(st.sampled_from(SOURCES), min_size=1), query=SENTENCES)
    def ask(self, chosen: set[str], query: str) -> None:
        manifests = [self.documents[s] for s in sorted(chosen) if s in self.documents]
        scope = self._scope(manifests)
        if not manifests:
            assert scope.size == 0
            return
        shares = expected(manifests, self.library, query)
        assert scope.all_ids == list(shares)
        rows = [*map(self.library.rows.__getitem__, shares), 10**6]
        assert scope.positions(rows) == [*range(scope.size), None]
        found = scope.terms.shares(query)
        assert found == pytest.approx(np.array(list(shares.values())), abs=1e-5)
        at_once = Scope(manifests, LexicalIndex(None), self.library).terms
        assert np.array_equal(found, at_once.shares(query))
        for word in query.split():
            assert scope.terms.weight(word) == at_once.weight(word)

    def teardown(self) -> None:
        if hasattr(self, "patch"):
            self.patch.undo()
            self.place.cleanup()

    def _follow(self) -> None:
        self.documents = dict(sorted(self.documents.items()))
        self.index.follow(partial(keys_of, list(self.documents.values())))

    def _scope(self, manifests: Iterable[Manifest]) -> Scope:
        return Scope(list(manifests), self.index, self.library)


TestGrowing = Growing.TestCase
TestGrowing.settings = settings(max_examples=40, stateful_step_count=20)
