"""Synonyms from the database files of WordNet (https://wordnet.princeton.edu), of its own licence.

Debian has them in the package `wordnet-base`, in /usr/share/wordnet.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path


def read_synonyms(folder: Path) -> dict[str, list[str]]:
    """For each single word, the others of its most frequent sense.

    A word is left out where its first sense in one part of speech was not found in WordNet's tagged
    texts, or where it is known in another part of speech as well: what it means would be a guess.

    Args:
        folder: holds `index.noun`, `data.noun` and the like.
    """
    found: dict[str, list[list[str]]] = defaultdict(list)
    for part in ("noun", "verb", "adj", "adv"):
        members = {}
        for line in _records(folder / f"data.{part}"):
            fields = line.partition("|")[0].split()
            words = [fields[4 + 2 * i].partition("(")[0] for i in range(int(fields[3], 16))]
            members[fields[0]] = words
        for line in _records(folder / f"index.{part}"):
            fields = line.split()
            tagged, offset = fields[5 + int(fields[3])], fields[6 + int(fields[3])]
            if int(tagged) and fields[0].isalpha():
                found[fields[0]].append([w for w in members[offset] if w.isalpha()])
    return {
        word: [other for other in senses[0] if other != word and other.islower()]
        for word, senses in found.items()
        if len(senses) == 1 and len(senses[0]) > 1
    }


def _records(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if not line.startswith("  ")]
