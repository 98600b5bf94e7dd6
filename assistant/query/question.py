"""The question as every later stage takes it: understood once, when it arrives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from assistant.query.cleaning import (
    MAX_QUESTION,
    check_question,
    without_surrogates,
)
from assistant.query.decomposition import Part, decompose
from assistant.query.english import content_stems
from assistant.query.kinds import ACTS, FACT, Kind, length_of, load_kinds
from assistant.query.pointing import NO_PART, Pointed, pointed_at, points_of
from assistant.query.rewriting import (
    Turn,
    asked_before,
    check_roles,
    in_context,
    leans,
    substituted,
    topic_of,
)
from index.chunking.language import language_of
from index.encoder import Encoder, Vectors
from index.models import ENGLISH

#: Earlier questions that are understood anew, for what the last of them was about. Not tuned.
CHAIN = 8
#: What asks nothing of the documents.
REPLIED: frozenset[Kind] = frozenset({"courtesy", "about"})
#: The share of what an answer says that is left where it is to be shorter, and it is not told how
#: much. Not tuned.
SHORTER = 0.5


@dataclass(frozen=True, slots=True)
class Question:
    """A question, ready to be looked up.

    Attributes:
        asked: as it was asked, without white space around it.
        standalone: as it was understood: itself, or what it makes of the question before it; this
            is looked up, and sentences are told apart by it.
        vector: the encoder's, of `standalone`; of shape (dimension,).
        kind: of answer that it asks for.
        before: the last question before it that names what it asks for, as it was understood; ""
            where there is none.
        context: it after the questions before it; None where there is none, or where it was made of
            the one before.
        leans: whether it may lean on those, so that it is looked up in their context as well.
        parts: where it asks several things, each of them.
        history: the conversation before it.
        said: what was answered in it.
        more: whether only what was not said yet is asked for.
        again: whether only what was said last is.
        part: of the last answer, which is pointed at; "" where none is.
        note: what cannot be understood, for the person who asked: passages are shown at most; ""
            where all can.
        length: sentences that are asked for; None where it does not say.
        section: the heading of the part of a document that it is about, of which an overview is
            that names nothing itself; "" where it is about none.
        instead: what the question before is asked of instead; "" where it is not.
    """

    asked: str
    standalone: str
    vector: Vectors
    kind: Kind = FACT
    before: str = ""
    context: str | None = None
    leans: bool = False
    parts: tuple[Part, ...] = ()
    history: tuple[Turn, ...] = ()
    said: tuple[str, ...] = ()
    more: bool = False
    again: bool = False
    part: str = ""
    note: str = ""
    length: int | None = None
    instead: str = ""
    section: str = ""


def understand(text: str, history: Sequence[Turn], encoder: Encoder, section: str = "") -> Question:
    """Make a question of what a person typed.

    Args:
        text: as it was typed.
        history: the conversation before it, oldest first.
        encoder: tells what kind of answer is asked for.
        section: see `Question`.

    Raises:
        QuestionError: it is empty or too long, or a turn is neither the user's nor the assistant's.
    """
    asked = check_question(text)
    check_roles(history)
    chain = [
        (_fitting(earlier), without_surrogates(answer))
        for earlier, answer in asked_before(history)[-CHAIN:]
    ]
    vectors = QueryVectors(encoder)
    vectors.of([*(earlier for earlier, _ in chain), asked])  # in one go
    before: list[Question] = []
    for earlier, answer in chain:
        said = _understood(earlier, before, answer, vectors)
        if said.kind not in REPLIED:  # "thank you" is no question
            before.append(said)
    answers = [without_surrogates(t["content"]) for t in history if t["role"] == "assistant"]
    found = _understood(asked, before, answers[-1] if answers else "", vectors)
    if section and found.again:  # "summarise that": it was not said, but is looked at
        [vector] = vectors.of([asked])
        found = Question(asked, asked, vector, kind="overview", length=length_of(asked))
    return replace(
        found, history=tuple(history), said=tuple(answers), section=without_surrogates(section)
    )


@dataclass(frozen=True, slots=True)
class QueryVectors:
    """The encoder's vectors of texts, each made once for the question at hand.

    Attributes:
        encoder: makes them.
        known: those that there are, by their texts.
    """

    encoder: Encoder
    known: dict[str, Vectors] = field(default_factory=dict)

    def of(self, texts: Sequence[str]) -> list[Vectors]:
        """Their vectors; what is not known yet is encoded in one go."""
        if left := [text for text in dict.fromkeys(texts) if text not in self.known]:
            self.known.update(zip(left, self.encoder.encode_queries(left), strict=True))
        return [self.known[text] for text in texts]


def _understood(
    asked: str, before: Sequence[Question], answer: str, vectors: QueryVectors
) -> Question:
    """A question after those before it, each as it was understood.

    Args:
        asked: the question.
        before: oldest first.
        answer: to the last of them.
        vectors: tell what kind of answer is asked for.
    """
    naming = [
        earlier for earlier in before if earlier.kind != FACT or content_stems(earlier.standalone)
    ]
    last = next(reversed(naming or before), None)
    kinds = load_kinds(vectors.encoder.fingerprint)
    pointed = pointed_at(asked, answer, last.standalone, kinds.pointing) if last else None
    if last and pointed and pointed.alone:
        return _about_part(asked, pointed, last, vectors)
    [vector] = vectors.of([asked])
    # What has no letter ("?", "42") has a vector that means nothing.
    spoken = any(map(str.isalpha, asked))
    kind = kinds.plain(kinds.kind(vector, follows=last is not None), asked) if spoken else FACT
    length = length_of(asked)
    if last and not pointed:
        kind = kinds.after_another(kind, asked, last.standalone)
        if kind in ("more", "shorten", "source"):
            least = (length or _shorter(answer)) if kind == "shorten" else None
            return _of_answer(asked, kind, least, last)
    made, instead = pointed.text if pointed else None, ""
    if kind in ("where", "instead") and not pointed:
        topic = topic_of(asked, kinds.request[kind])
        made = topic.text
        if last and kind == "instead" and made:
            made = substituted(topic, last.standalone, vectors.of)
            instead = topic.text if made else ""
    if last and kind == "instead" and made:
        kind = last.kind
    standalone = _fitting(made or asked)
    # What was made of the question before has from it what it needs.
    rewritten = last is not None and standalone != asked
    context = None if rewritten else in_context(asked, [earlier.standalone for earlier in before])
    return Question(
        asked,
        standalone,
        vectors.of([standalone])[0],
        FACT if kind in ACTS else kind,
        last.standalone if last else "",
        None if context is None else _fitting(context),
        context is not None and (leans(asked) or language_of(asked) != ENGLISH),
        _parts(made or asked, kind),
        length=length,
        instead=instead,
    )


def _of_answer(asked: str, act: Kind, length: int | None, last: Question) -> Question:
    """The question before, of whose answer more, less (`length` sentences) or the source is asked
    for."""
    arranged = last.kind if last.kind in ("overview", "where") else FACT
    return replace(
        last,
        asked=asked,
        kind="source" if act == "source" else arranged,
        more=act == "more",
        again=act == "shorten",
        part="",
        note="",
        length=length,
    )


def _shorter(answer: str) -> int:
    """How many sentences make an answer shorter."""
    return max(1, int(len(points_of(answer)) * SHORTER))


def _about_part(asked: str, part: Pointed, last: Question, vectors: QueryVectors) -> Question:
    """What else there is about a part of the answer before; where it has no such part, the question
    before once more."""
    if not part.text:
        return replace(_of_answer(asked, FACT, None, last), note=NO_PART)
    text = _fitting(part.text)
    return Question(
        asked, text, vectors.of([text])[0], before=last.standalone, more=True, part=text
    )


def _parts(question: str, kind: Kind) -> tuple[Part, ...]:
    """The questions that it asks at once. The rules for that are English."""
    parts = decompose(question, kind)
    return parts if parts and language_of(question) == ENGLISH else ()


def _fitting(question: str) -> str:
    """As much as may be asked, from the end: what was asked last stands there."""
    return without_surrogates(question)[-MAX_QUESTION:]
