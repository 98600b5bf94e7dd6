"""Keys: hashes of 64 bits, found among many.

Paragraphs, documents and terms are known by them where there may be millions, for which a Python
object each would be too much. Of ten million two are the same by chance in one of 370,000 indexes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.uint64]

#: Hexadecimal digits of a key.
_DIGITS = 16


def key_of(text: str) -> int:
    """The key of any text."""
    written = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(written, digest_size=_DIGITS // 2).digest(), "big")


def keys_of_ids(ids: Iterable[str]) -> Numbers:
    """The keys of what is named by a hash already: its first digits."""
    digits = "".join(identity[:_DIGITS] for identity in ids)
    return np.frombuffer(bytes.fromhex(digits), ">u8").astype(np.uint64)


class Keys:
    """Keys in an order, to be found by what they are.

    Attributes:
        firsts: where each different key stands first, in the order of the keys, int64 [different].
    """

    def __init__(self, keys: Numbers) -> None:
        self._different, self.firsts = np.unique(keys, return_index=True)

    def find(self, wanted: Numbers) -> NDArray[np.int64]:
        """Where each of these keys stands first, -1 where it does not, int64 [wanted]."""
        if not len(self._different):
            return np.full(len(wanted), -1, dtype=np.int64)
        at = np.searchsorted(self._different, wanted).clip(max=len(self._different) - 1)
        return np.where(self._different[at] == wanted, self.firsts[at], -1)
