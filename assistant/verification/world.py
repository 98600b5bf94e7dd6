"""Names across documents: which there are, and when two are of one thing."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.verification import words
from assistant.verification.claims import Word


@dataclass(frozen=True, slots=True)
class World:
    """What the documents as a whole say of names.

    Attributes:
        known: see `facts.names_in`.
        names: all names in them.
    """

    known: frozenset[str]
    names: frozenset[tuple[str, ...]]

    @property
    def words(self) -> frozenset[str]:
        """The words of all names."""
        return frozenset(word for name in self.names for word in name)


def agree(one: tuple[str, ...], other: tuple[str, ...], world: World) -> bool:
    """Whether two names can be of the same thing: one is part of the other and the documents have
    the longer one, or one is the other's initials, or a capital that the documents name is put for
    its country."""
    mine, theirs = _parts(one), _parts(other)
    if mine <= theirs:
        return True
    if theirs < mine:
        return any(mine <= _parts(name) for name in world.names)
    capitals = words.countries()[1]
    for a, b in ((one, other), (other, one)):
        if len(a) == 1 and len(b) > 1 and a[0] == "".join(word[0] for word in b):
            return True
        if len(a) == 1 and a[0] in capitals and a[0] in world.words:
            b = (capitals[b[0]],) if len(b) == 1 and b[0] in capitals else b
            if (capitals[a[0]],) == b:
                return True
    return False


def _parts(name: tuple[str, ...]) -> set[str]:
    return {part for word in name for part in word.split("_")}


def canonical(word: Word) -> tuple[str, ...]:
    """The name that a word is: a country by its one name."""
    return (words.countries()[0].get(word.lower, word.lower),)
