"""Derives `words.txt` from the database files of WordNet (https://wordnet.princeton.edu).

    python -m evals.training.lexicon WORDNET_DICT_FOLDER

One line a word that WordNet's tagged corpus knows, in order: `word|synonyms|opposites`. Synonyms
are those of the word's tagged senses, at most three; opposites are WordNet's antonyms where both
words are among their first four senses.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

PARTS = {"n": "noun", "v": "verb", "a": "adj", "s": "adj", "r": "adv"}
SENSES, OPPOSITE_SENSES = 3, 4

Synset = tuple[str, str]  # part of speech, offset


def derive(folder: Path) -> list[str]:
    """The lines of `words.txt`."""
    senses: dict[tuple[str, str], tuple[int, list[str]]] = {}
    for part in sorted(set(PARTS.values())):
        for line in _records(folder / f"index.{part}"):
            fields = line.split()
            rest = fields[4 + int(fields[3]) :]
            senses[part, fields[0]] = int(rest[1]), rest[2:]
    members: dict[Synset, list[str]] = {}
    opposed: list[tuple[Synset, int, Synset, int]] = []
    for part in sorted(set(PARTS.values())):
        for line in _records(folder / f"data.{part}"):
            fields = line.partition("|")[0].split()
            count = int(fields[3], 16)
            words = [fields[4 + 2 * i].lower().partition("(")[0] for i in range(count)]
            members[part, fields[0]] = words
            pointers = fields[5 + 2 * count :]
            for symbol, offset, kind, between in zip(*[iter(pointers)] * 4, strict=False):
                if symbol == "!":
                    other = (PARTS[kind], offset)
                    opposed.append(
                        ((part, fields[0]), int(between[:2], 16), other, int(between[2:], 16))
                    )
    tagged = {word for (_, word), (count, _) in senses.items() if count and word.isalpha()}
    synonyms: dict[str, set[str]] = defaultdict(set)
    for (part, word), (count, offsets) in senses.items():
        if word in tagged:
            for offset in offsets[: min(count, SENSES)]:
                synonyms[word] |= {w for w in members[part, offset] if w in tagged and w != word}
    opposites: dict[str, set[str]] = defaultdict(set)
    for one, first, other, second in opposed:
        word, opposite = members[one][first - 1], members[other][second - 1]
        near = all(
            synset[1] in senses[synset[0], own][1][:OPPOSITE_SENSES]
            for synset, own in ((one, word), (other, opposite))
            if (synset[0], own) in senses
        )
        if near and word.isalpha() and opposite.isalpha() and tagged & {word, opposite}:
            opposites[word].add(opposite)
    return [
        f"{word}|{' '.join(sorted(synonyms[word]))}|{' '.join(sorted(opposites[word]))}"
        for word in sorted(tagged | opposites.keys())
    ]


def _records(file: Path) -> Iterator[str]:
    with file.open(encoding="utf-8") as stream:
        yield from (line for line in stream if not line.startswith(" "))  # the licence is indented


if __name__ == "__main__":
    Path(__file__).with_name("words.txt").write_text(
        "\n".join(derive(Path(sys.argv[1]))) + "\n", encoding="utf-8"
    )
