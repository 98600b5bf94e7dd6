"""Keys of 128 bits, found among many: of paragraphs and of runs of them, which are named by hashes.

Compact, for there may be millions: no Python object a key.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

#: Of keys, their halves: uint64 [keys, 2].
Halves = NDArray[np.uint64]

#: Bytes of a key.
SIZE = 16


def halves(keys: bytes) -> Halves:
    """Keys that are written one after the other."""
    return np.frombuffer(keys, ">u8").astype(np.uint64).reshape(-1, 2)


def packed(names: Iterable[str]) -> bytes:
    """Keys as bytes, one after the other, from what they are written as: 32 hexadecimal digits."""
    return bytes.fromhex("".join(names))


class Keys:
    """Keys in an order, to be found by what they are. None is different from another by chance."""

    def __init__(self, keys: Halves) -> None:
        self._keys = keys
        order = np.argsort(keys[:, 0])
        high = keys[order, 0]
        # Equal keys in the order in which they stand; sorting all by that too takes four times as
        # long, and few are equal.
        next_is_equal = high[1:] == high[:-1]
        equal = np.zeros(len(keys), dtype=bool)
        equal[1:] |= next_is_equal
        equal[:-1] |= next_is_equal
        at = np.flatnonzero(equal)
        own = order[at]
        order[at] = own[np.lexsort((own, keys[own, 1], keys[own, 0]))]
        self._equal = order[at]
        self._high = high
        self._order = order.astype(np.int32)

    def __len__(self) -> int:
        return len(self._keys)

    def firsts(self) -> NDArray[np.bool_]:
        """Which keys no equal one stands before, bool [keys]."""
        first = np.ones(len(self._keys), dtype=bool)
        own = self._keys[self._equal]
        same = (own[1:, 0] == own[:-1, 0]) & (own[1:, 1] == own[:-1, 1])
        first[self._equal[1:][same]] = False
        return first

    def find(self, wanted: Halves) -> NDArray[np.int64]:
        """Where each of these keys stands first, -1 where it does not, int64 [wanted]."""
        found = np.full(len(wanted), -1, dtype=np.int64)
        if not len(self._keys):
            return found
        at = np.searchsorted(self._high, wanted[:, 0])
        left = np.arange(len(wanted))
        while len(left):  # once, unless two keys have the same first half
            inside = at[left] < len(self._keys)
            left = left[inside]
            own = self._order[at[left]]
            alike = self._keys[own, 0] == wanted[left, 0]
            left, own = left[alike], own[alike]
            same = self._keys[own, 1] == wanted[left, 1]
            found[left[same]] = own[same]
            left = left[~same]
            at[left] += 1
        return found
