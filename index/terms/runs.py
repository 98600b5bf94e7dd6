"""Runs: the paragraphs of a document in short rows, each named by what its terms depend on.

Where a run ends is told from the paragraphs alone (content-defined chunking, as rsync and its kin
have it), so that an edit changes the run that it is in, or two, however long the document is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from index.terms.analysis import analyser
from index.terms.keys import SIZE, Halves, halves, packed

#: Paragraphs that a run has in the mean; a power of two. Not tuned.
MEAN = 32


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of one document or of many, in order. Compact, for there may be millions.

    Attributes:
        paragraphs: the paragraphs' ids, 16 bytes each.
        keys: the runs' keys, 16 bytes each.
        counts: how many paragraphs each run has, four bytes each.
    """

    paragraphs: bytes
    keys: bytes
    counts: bytes

    def __len__(self) -> int:
        """How many paragraphs there are."""
        return len(self.paragraphs) // SIZE

    def halves(self) -> Halves:
        """The runs' keys."""
        return halves(self.keys)

    def sizes(self) -> NDArray[np.int32]:
        """How many paragraphs each run has."""
        return np.frombuffer(self.counts, np.int32)

    @classmethod
    def joined(cls, many: Iterable[Runs]) -> Runs:
        """Those of many documents."""
        own = list(many)
        return cls(
            b"".join(runs.paragraphs for runs in own),
            b"".join(runs.keys for runs in own),
            b"".join(runs.counts for runs in own),
        )


def runs_of(language: str, ids: Sequence[str], headings: Sequence[str]) -> Runs:
    """The runs of a document.

    Args:
        language: of the document.
        ids: of its paragraphs in order, each of 32 hexadecimal digits.
        headings: those above each, as one text.
    """
    paragraphs = packed(ids)
    last = np.frombuffer(paragraphs, np.uint8)[SIZE - 1 :: SIZE]
    ends = [*(np.flatnonzero(last[:-1] % MEAN == 0) + 1).tolist(), len(ids)] if ids else []
    keys = []
    for start, end in pairwise([0, *ends]):
        own = [analyser(), language, ids[start:end], headings[start:end]]
        keys.append(hashlib.blake2b(json.dumps(own).encode(), digest_size=SIZE).digest())
    counts = np.diff(np.array([0, *ends], dtype=np.int32))
    return Runs(paragraphs, b"".join(keys), counts.tobytes())
