"""A claim beside a source sentence whose wording it follows: what was put in another's place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal

from assistant.verification import words
from assistant.verification.claims import Facts, Word
from assistant.verification.world import World, agree, canonical

Conflict = Literal["number", "date", "name", "negation", "direction"]

#: Two texts are read side by side when at least this share of the claim's words is aligned.
ALIGNED = 0.7
REPLACED = 6  # words; a longer stretch was rewritten, not replaced


def side_by_side(claim: Facts, evidence: Facts, world: World) -> frozenset[Conflict]:
    """Conflicts of what was replaced, left out or put in; none where the wording differs much."""
    found: set[Conflict] = set()
    opcodes = aligned(claim, evidence)
    if opcodes is None:
        return frozenset()
    for kind, i1, i2, j1, j2 in opcodes:
        mine, theirs = claim.words[i1:i2], evidence.words[j1:j2]
        if kind == "equal" or len(mine) > REPLACED or len(theirs) > REPLACED:
            continue
        if kind == "replace":
            found.update(_replaced(mine, theirs, world))
        elif not any(word.stem for word in (*mine, *theirs)) and _negator(*mine, *theirs):
            found.add("negation")
    return frozenset(found)


def aligned(claim: Facts, evidence: Facts) -> Sequence[tuple[str, int, int, int, int]] | None:
    """How the claim's words lie along those of the evidence (as `difflib` has it); None where less
    than ALIGNED of them do."""
    mine, theirs = list(_keys(claim.words)), list(_keys(evidence.words))
    matcher = SequenceMatcher(None, mine, theirs, autojunk=False)
    blocks = matcher.get_matching_blocks()
    if sum(block.size for block in blocks) < ALIGNED * max(1, len(mine)):
        return None
    return matcher.get_opcodes()


def _keys(own: Iterable[Word]) -> Iterator[str]:
    names = words.countries()[0]
    for word in own:
        yield names.get(word.lower) or word.stem or word.lower


def _replaced(mine: Sequence[Word], theirs: Sequence[Word], world: World) -> Iterator[Conflict]:
    own, other = ([canonical(word) for word in side if word.name] for side in (mine, theirs))
    if own and other and not any(agree(a, b, world) for a in own for b in other):
        yield "name"
    digits, others = ([word for word in side if word.lower[0].isdigit()] for side in (mine, theirs))
    if digits and others and not {w.lower for w in digits} & {w.lower for w in others}:
        yield "number"
    bases = {base for word in theirs for base in words.bases(word.lower)}
    if any(words.opposed(word.lower) & bases for word in mine):
        yield "direction"
    denied = [_negator(*side) or any(w.lower in words.DENIALS for w in side)
              for side in (mine, theirs)]  # fmt: skip
    if denied[0] != denied[1] and sum(bool(word.stem) for word in (*mine, *theirs)) <= 1:
        yield "negation"


def _negator(*own: Word) -> bool:
    return any(word.lower in words.NEGATORS for word in own)
