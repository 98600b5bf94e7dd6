"""Synonyms from the database files of WordNet (https://wordnet.princeton.edu), of its own licence.

Debian has them in the package `wordnet-base`, in /usr/share/wordnet.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path


def read_synonyms(folder: Path) -> dict[str, list[str]]:
    """For each single word that WordNet knows in one sense only, the others of that sense that it
    knows in no other either.

    Of words with several senses the wrong one was put in about every other time. Those that are a
    form of another word are left out too, though they be words of their own ("built").

    Args:
        folder: holds `index.noun`, `data.noun`, `noun.exc` and the like.
    """
    senses: dict[str, list[list[str]]] = defaultdict(list)
    forms = set()
    for part in ("noun", "verb", "adj", "adv"):
        members = {}
        for line in _records(folder / f"data.{part}"):
            fields = line.partition("|")[0].split()
            words = [fields[4 + 2 * i].partition("(")[0] for i in range(int(fields[3], 16))]
            members[fields[0]] = words
        for line in _records(folder / f"index.{part}"):
            fields = line.split()
            for offset in fields[6 + int(fields[3]) :]:
                senses[fields[0]].append(members[offset])
        forms |= {line.split()[0] for line in _records(folder / f"{part}.exc")}
    found = {}
    for word, own in senses.items():
        if len(own) == 1 and word.isalpha() and word not in forms:
            others = [
                o for o in own[0] if o != word and o.isalpha() and len(senses.get(o, ())) == 1
            ]
            if others:
                found[word] = others
    return found


def _records(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if not line.startswith("  ")]
