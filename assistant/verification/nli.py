"""A natural-language-inference model as the judge of meaning: a sentence-transformers cross-encoder
set by name (`FOOTNOTE_VERIFIER`)."""

from __future__ import annotations

import numpy as np

from assistant.retrieval.reading_model import CrossEncoderModel
from index.errors import ReaderError


class InferenceModel(CrossEncoderModel):
    """A cross-encoder of sentence-transformers over (premise, claim).

    Its logit of entailment: where it has labels, that of the one called entailment against the
    others; where it has one output, that output.

    Raises:
        ReaderError: the model cannot be loaded, or none of its labels is entailment.
    """

    def __init__(self, name: str) -> None:
        super().__init__(
            name,
            "verifier",
            "FOOTNOTE_VERIFIER takes the name or folder of a cross-encoder for natural language "
            "inference; leave it out for the shipped one.",
        )
        labels = self.labels
        if len(labels) > 1 and "entailment" not in labels:
            raise ReaderError(
                f"The verifier {name!r} has the labels {', '.join(labels)}; none is entailment. "
                "Give a model for natural language inference."
            )
        self._column = labels.index("entailment") if len(labels) > 1 else 0

    def entails(self, premise: str, claim: str) -> float:
        """The logit of whether the premise entails the claim."""
        [output] = self.logits([(premise, claim)])
        others = np.delete(output, self._column)
        against = float(np.logaddexp.reduce(others)) if others.size else 0.0
        return float(output[self._column]) - against
