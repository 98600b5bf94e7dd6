"""What a claim states against its evidence: rules on numbers, dates, names, negation, direction.

Two readings. *Apart*: each fact of the claim has to be among the facts of the evidence. *Side by
side*: where the claim follows the wording of a source sentence, what stands in the place of a name,
a number or a word of direction there has to agree with it, even if it also stands elsewhere in the
evidence; so two names that have changed places are found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal

from assistant.english import NEGATORS, PRONOUNS
from assistant.verification import words
from assistant.verification.claims import Facts, Word, World, agree, canonical
from assistant.verification.quantities import Date, Number

Conflict = Literal["number", "date", "name", "negation", "direction"]

#: Two texts are read side by side when at least this share of the claim's words is aligned.
ALIGNED = 0.7
REPLACED = 6  # words; a longer stretch was rewritten, not replaced
# These too were chosen on the half of the shipped claims that is fitted on.
ROUNDING = 0.05  # of a number that is said to be "about" so much
NEAR = 0.35  # of the length of a sentence
_ABOUT = frozenset("about around nearly almost roughly approximately".split())
_PASSIVE = "by"


def conflicts(claim: Facts, evidence: Facts, around: Facts, world: World) -> frozenset[Conflict]:
    """What the claim states and the evidence does not, or states otherwise.

    Args:
        claim: what is judged.
        evidence: the sentences that are to support it.
        around: the headings above them and the sentences before them, for what these sentences
            only point at.
        world: of all documents.
    """
    found: set[Conflict] = set()
    if any(not _counted(n, claim, evidence, around) for n in claim.numbers):
        found.add("number")
    if any(not _dated(date, evidence, around) for date in claim.dates):
        found.add("date")
    if any(not _named(name, claim, evidence, around, world) for name in set(claim.names)):
        found.add("name")
    if _negates(claim, evidence) or _negates(evidence, claim) or _denies(claim, evidence):
        found.add("negation")
    if _opposes(claim, evidence) or _turns(claim, evidence, world):
        found.add("direction")
    return frozenset(found) | side_by_side(claim, evidence, world)


# --- apart -------------------------------------------------------------------------------------


def _counted(number: Number, claim: Facts, evidence: Facts, around: Facts) -> bool:
    if any(number.value in (date.day, date.year) for date in claim.dates):
        return True  # judged as a date
    same = [other for other in evidence.numbers if other.value == number.value]
    if number.unit and same:
        own = words.UNITS[number.unit]
        return any(
            other.unit is None or words.UNITS[other.unit] == own or not _comparable(own, other)
            for other in same
        )
    if same:
        return True
    year = 1000 <= number.value <= 2999 and number.unit is None
    if number.value >= 10 and not year and any(word.lower in _ABOUT for word in claim.words):
        return any(
            abs(other - number.value) <= ROUNDING * number.value for other in evidence.values
        )
    # "two" of what the evidence names one by one
    if number.value in (2, 3) and number.unit is None:
        return len(set(evidence.names)) == number.value
    return year and number.value in around.values


def _comparable(own: tuple[str, str], other: Number) -> bool:
    return other.unit is not None and words.UNITS[other.unit][0] == own[0]


def _dated(date: Date, evidence: Facts, around: Facts) -> bool:
    months = [other for other in evidence.dates if other.month == date.month]
    if not months:
        return False
    year = date.year is None or date.year in evidence.values or date.year in around.values
    bare = {number.value for number in evidence.numbers if number.unit is None}
    day = date.day is None or date.day in bare  # "April 11 or 15"
    return day and year


def _named(
    name: tuple[str, ...], claim: Facts, evidence: Facts, around: Facts, world: World
) -> bool:
    if _is_among(name, evidence, world):
        return True
    # What the evidence only points at, or is about without naming it, stands before it.
    more = len(set(claim.names)) > len(set(evidence.names))
    return (more or _pointed_at(name, claim, evidence)) and _is_among(name, around, world)


def _pointed_at(name: tuple[str, ...], claim: Facts, evidence: Facts) -> bool:
    """Whether the evidence has a pronoun about where the claim has the name."""
    names = words.countries()[0]
    places = [
        i / len(claim.words)
        for i, word in enumerate(claim.words)
        if names.get(word.lower, word.lower) == name[0]
    ]
    return any(
        abs(i / len(evidence.words) - place) < NEAR
        for i, word in enumerate(evidence.words)
        if word.lower in PRONOUNS
        for place in places
    )


def _is_among(name: tuple[str, ...], facts: Facts, world: World) -> bool:
    lower = {word.lower for word in facts.words}
    rest = tuple(word for word in name if not (word in lower and words.is_common(word))) or name
    return any(agree(rest, other, world) for other in facts.names) or (
        all(word in lower for word in name) and name[0] not in words.countries()[0]
    )


def _negates(one: Facts, other: Facts) -> bool:
    """Whether `one` negates what `other` states outright."""
    for negation in one.negations:
        for head in negation.heads:
            own = [word for word in other.words if word.stem == head]
            if own:
                if not any(word.negated or _denied_behind(other, word) for word in own):
                    return True
                break
    return False


def _denied_behind(facts: Facts, word: Word) -> bool:
    """Whether a negator stands close behind the word in its clause: "benefits nobody"."""
    place = next(i for i, own in enumerate(facts.words) if own is word)
    return any(
        other.lower in NEGATORS and other.clause == word.clause
        for other in facts.words[place + 1 : place + 5]
    )


def _denies(claim: Facts, evidence: Facts) -> bool:
    """Whether the claim negates something and nothing of the evidence is negative in any way."""
    if any(words.is_negative(word.lower) for word in evidence.words):
        return False
    there = {base for word in evidence.words for base in words.bases(word.lower)}
    return any(
        not any(words.opposites(stem) & there for stem in negation.reach)
        for negation in claim.negations
    )


def _opposes(claim: Facts, evidence: Facts) -> bool:
    """Whether a word of the claim has its opposite in the evidence, and not itself."""
    there = {base: word for word in evidence.words for base in words.bases(word.lower)}
    here = {base for word in claim.words for base in words.bases(word.lower)}
    for word in claim.words:
        own = words.bases(word.lower)
        directed = word.stem or word.lower in words.DIRECTIONS
        if word.name or not directed or own & there.keys():
            continue
        if words.synonyms(word.stem) & there.keys():
            continue
        for opposite in words.opposed(word.lower) & there.keys():
            both = words.opposites(opposite) & there.keys()  # "strengths and weaknesses"
            if opposite not in here and not both and there[opposite].negated == word.negated:
                return True
    return False


def _turns(claim: Facts, evidence: Facts, world: World) -> bool:
    """Whether two names stand the other way round about a word that both texts have."""
    for stem, before, after, passive in _about(claim):
        for other, earlier, later, other_passive in _about(evidence):
            if stem != other:
                continue
            straight = agree(before, earlier, world) and agree(after, later, world)
            crossed = agree(before, later, world) and agree(after, earlier, world)
            if (straight, crossed)[passive == other_passive] and straight != crossed:
                return True
    return False


def _about(facts: Facts) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...], bool]]:
    """Each word between two names: its stem, the nearest names, whether the voice is passive."""
    for i, word in enumerate(facts.words):
        if word.name or not word.stem:
            continue
        before = next((w for w in reversed(facts.words[:i]) if w.name), None)
        until = next((j for j in range(i + 1, len(facts.words)) if facts.words[j].name), None)
        if before is None or until is None:
            continue
        after = facts.words[until]
        if not before.clause == word.clause == after.clause:
            continue
        passive = any(w.lower == _PASSIVE for w in facts.words[i + 1 : until])
        yield word.stem, canonical(before), canonical(after), passive


# --- side by side ------------------------------------------------------------------------------


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
        elif not any(word.stem for word in (*mine, *theirs)) and _has_negator(*mine, *theirs):
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
    denied = [_has_negator(*side) or any(w.lower in words.DENIALS for w in side)
              for side in (mine, theirs)]  # fmt: skip
    if denied[0] != denied[1] and sum(bool(word.stem) for word in (*mine, *theirs)) <= 1:
        yield "negation"


def _has_negator(*own: Word) -> bool:
    return any(word.lower in NEGATORS for word in own)
