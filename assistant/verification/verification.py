"""What the documents say to a text that somebody wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from assistant.answer import AnswerSentence, Citation, listing


@dataclass(frozen=True, slots=True)
class Verification:
    """What the documents say to a text that somebody wrote.

    Attributes:
        sentences: all of the text, in order; each `supported`, `unconfirmed` or `unsupported`.
        citations: by marker; every marker of a sentence is among them.
    """

    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]

    @property
    def supported(self) -> bool:
        """Whether every sentence is."""
        return all(sentence.verdict == "supported" for sentence in self.sentences)

    def __str__(self) -> str:
        """One sentence a line with its markers or what speaks against it; the sources below."""
        lines = []
        for sentence in self.sentences:
            against = f" ({', '.join(sentence.conflicts)})" if sentence.conflicts else ""
            end = "".join(f" [{marker}]" for marker in sentence.markers)
            lines.append(f"{sentence.verdict + against:<12}  {sentence.text}{end}")
        return "\n".join([*lines, *listing("Sources:", self.citations)])

    def to_dict(self) -> dict[str, Any]:
        """The verification as plain values, ready for JSON."""
        return {
            "supported": self.supported,
            "sentences": [
                {
                    "text": s.text,
                    "verdict": s.verdict,
                    "markers": list(s.markers),
                    "conflicts": list(s.conflicts),
                }
                for s in self.sentences
            ],
            "citations": [citation.to_dict() for citation in self.citations],
        }
