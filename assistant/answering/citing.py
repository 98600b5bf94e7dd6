"""Citations of places in the documents of an index."""

from __future__ import annotations

from assistant.answer import Citation
from assistant.calibration import Logistic
from assistant.retrieval.evidence import Evidence
from index import DocumentInfo, Index, Paragraph

CLOSEST = 3


class Citer:
    """Makes citations; it knows the documents by their ids."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._infos: dict[str, DocumentInfo] = {}

    def cite(
        self, paragraph: Paragraph, start: int, end: int, score: float, marker: int
    ) -> Citation:
        """The citation of `start:end` (offsets in the document) of a paragraph."""
        if paragraph.document_id not in self._infos:
            self._infos = {info.id: info for info in self._index.documents()}
        info = self._infos[paragraph.document_id]
        return Citation(
            marker=marker,
            paragraph=paragraph,
            source=info.source,
            title=info.title,
            start=start,
            end=end,
            quote=paragraph.text[start - paragraph.start : end - paragraph.start],
            score=score,
        )

    def closest(self, evidence: Evidence, probability: Logistic) -> tuple[Citation, ...]:
        """The best paragraphs, each quoting its likeliest sentence, with marker 0."""
        found = []
        for hit in evidence.hits[:CLOSEST]:
            own = [c for c in evidence.candidates if c.hit.paragraph.id == hit.paragraph.id]
            best = max(own, key=lambda c: probability.probability(c.features)).sentence
            found.append(self.cite(hit.paragraph, best.start, best.end, hit.score, marker=0))
        return tuple(found)
