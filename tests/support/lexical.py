"""What the lexical leg is held against: bm25s, built over the texts that are asked alone."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest.mock import patch

import bm25s
import numpy as np
from numpy.typing import NDArray

from index.models import paragraph_id
from index.store.manifest import Manifest, ParagraphText, Place, Rows
from index.store.snapshot import Scope, keys_of
from index.terms.analysis import terms_of
from index.terms.bm25 import K1, B
from index.terms.lexical import LexicalIndex

#: In the languages that have stemmers and stop words of their own, and one without spaces.
WORDS = {
    "en": "the dog dogs cat ran running home houses of it naïve 12".split(),
    "de": "der Hund Hunde Katze lief nach Hause Häuser und es dog 12".split(),
    "ja": "犬は家に走った。 猫 家 dog 12".split(),
}


def shares_by_bm25s(
    texts: Sequence[str], languages: Sequence[str], query: str
) -> NDArray[np.float64]:
    """The shares of the texts by bm25s, built over these alone."""
    tokens = [terms_of(text, language) for text, language in zip(texts, languages, strict=True)]
    shares = np.zeros(len(texts))
    if not any(tokens):
        return shares
    scorer = bm25s.BM25(k1=K1, b=B, method="lucene")
    scorer.index(tokens, show_progress=False)
    for language in set(languages):
        terms = list(dict.fromkeys(terms_of(query, language)))
        known = [term for term in terms if any(term in own for own in tokens)]
        if known:
            total = 0.0
            for term in terms:
                frequency = sum(term in own for own in tokens)
                total += np.log(1 + (len(texts) - frequency + 0.5) / (frequency + 0.5))
            scores = scorer.get_scores(known) / total
            own = [n for n, other in enumerate(languages) if other == language]
            shares[own] = scores[own]
    return shares


class Library:
    """Texts of documents by id and the rows of paragraphs, as the store has them, and how often
    each was read."""

    def __init__(self) -> None:
        self.texts: dict[str, ParagraphText] = {}
        self.rows: dict[str, int] = {}
        self.read = 0

    def manifest(
        self, source: str, paragraphs: Sequence[tuple[str, str]], language: str = "en"
    ) -> Manifest:
        """A document of paragraphs, each a heading and a text."""
        places = []
        for heading, text in paragraphs:
            spans = ((0, len(text)),)
            own = ParagraphText(paragraph_id(text, spans), text, spans)
            self.texts[own.id] = own
            self.rows.setdefault(own.id, len(self.rows) + 1)
            places.append(Place(own.id, (heading,) if heading else (), None, 0, len(text)))
        rows = Rows.of((row := self.rows[place.id], row, 1) for place in places)
        made = Manifest(source, source, source, "", "", tuple(places), (), language=language)
        return replace(made, rows=rows)

    def __call__(self, identities: Sequence[str]) -> dict[str, ParagraphText]:
        self.read += len(identities)
        return {identity: self.texts[identity] for identity in identities}


class _Refusing(logging.Handler):
    """Takes whatever is logged for a fault."""

    def emit(self, record: logging.LogRecord) -> None:
        raise AssertionError(record.getMessage())


def derive(folder: Path, name: str, stops_at: int, told: Connection) -> None:
    """Derive, merge and keep terms without end, as a process of its own. In the middle of writing
    the array of that number it stops."""
    save, saved = np.save, count()

    def stopping(stream: Any, array: NDArray[Any]) -> None:
        if next(saved) == stops_at:
            stream.write(array.tobytes()[: array.nbytes // 2])
            stream.flush()
            told.send("writing")
            told.recv()
        save(stream, array)

    logging.getLogger().addHandler(_Refusing(logging.WARNING))
    library, documents = Library(), list[Manifest]()
    index = LexicalIndex(folder)
    with patch.object(np, "save", stopping):
        for turn in count():
            paragraphs = [("", f"barn {name} {turn} of {n}") for n in range(1500)]
            documents = [*documents[-11:], library.manifest(f"{turn:09}", paragraphs)]
            index.follow(partial(keys_of, documents))
            Scope(documents, index, library)
            told.send(turn)
