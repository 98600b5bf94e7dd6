"""What kind of answer a question asks for: learned from questions, not from a list of words.

A logistic regression over the vector that the encoder makes of a question. Its numbers lie in
`kinds.json`, by the encoder's fingerprint; `python -m evals.fitting.kinds` fits them, from the
questions in `evals/questions/kinds.jsonl`. With an encoder that it does not know every question
asks for a fact.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from assistant.query.cleaning import with_apostrophes
from assistant.query.english import CARDINALS, EMPTY, alternatives, content_stems, stem
from index.chunking.language import asked_in, stop_words_of
from index.models import ENGLISH
from index.terms.analysis import QUESTION_WORDS, terms_of

#: `overview`: what the documents, or a part of them, say as a whole. `list`: all that is of a kind.
#: `comparison`: what is said of each of two. `definition`: who or what something is. `where`: in
#: which paragraphs. `courtesy` ("thanks") and `about` (what the assistant is and can do): nothing
#: that the documents say. The acts lean on the conversation: `more` of an answer, to `shorten` it,
#: its `source`, or the question before of something else `instead`. `fact`: all else.
Kind = Literal[
    "fact",
    "overview",
    "list",
    "comparison",
    "definition",
    "where",
    "courtesy",
    "about",
    "more",
    "shorten",
    "source",
    "instead",
]
FACT: Kind = "fact"
#: What can only be meant where there was a question before.
ACTS: frozenset[Kind] = frozenset({"more", "shorten", "source", "instead"})

#: The least probability with which a question is taken to be of another kind than a fact. Of 2,000
#: questions of training data that nothing was fitted on, 1 % are then taken for an overview, .6 %
#: for a comparison, .6 % for a place, .4 % for one about the assistant. A courtesy takes more, for
#: nothing is looked up for it; for the others the same is looked up as for a fact.
SURE: Mapping[str, float] = {
    "overview": 0.6,
    "where": 0.5,
    "courtesy": 0.85,
    "about": 0.7,
    "source": 0.8,
    "more": 0.6,
    "shorten": 0.6,
    "instead": 0.5,
    "comparison": 0.5,
    "definition": 0.5,
    "list": 0.5,
}

#: What nothing is looked up for, or only what was said: taken for such, a question in another
#: language than English has no answer at all.
_UNSEARCHED = frozenset({"overview", "courtesy", "about", "more", "shorten", "source"})

#: By whom something is asked of the assistant itself: "your name", "tell me a joke".
_ADDRESSED = re.compile(
    r"\b(?:you|your|yours|yourself|assistant|chat|chatbot|bot|"
    r"(?:tell|write|give|explain|introduce) me|sing)\b",
    re.IGNORECASE,
)
_PLACE = "sections?|paragraphs?|passages?|chapters?|pages?|parts?|places?|documents?|files?|texts?"
#: What points to an answer, or to who gave it.
_THAT = re.compile(r"\b(?:that|it|your?)\b", re.IGNORECASE)
_MEANT = content_stems("mean")
#: How the question before is asked of something else; any other question word asks of its own.
_OF_ANOTHER = re.compile(r"\b(?:what|how)(?: about| is it with)\b", re.IGNORECASE)
_ASKS = re.compile(rf"\b(?:{alternatives(QUESTION_WORDS)})\b(?=\s+\w)", re.IGNORECASE)
_STATES = re.compile(r"\W*(?:is|are|was|were|do|does|did|has|have|had)\b", re.IGNORECASE)
#: How the places of something in the documents are asked for, and not where it is in the world.
_OF_PLACES = re.compile(
    rf"\b(?:which|what|the|a|any|every|all) (?:{_PLACE})\b|^\W*(?:{_PLACE})\b|"
    r"\b(?:mention(?:s|ed)?|discuss(?:es|ed)?|appears?|comes? up|brings? up|brought up|"
    r"(?:say|says|said|stated?|talks?|reads?|information|something|anything) (?:about|on))\b|"
    r"^\W*(?:please )?(?:find|search|locate|jump|go|take me|point me|show)\b",
    re.IGNORECASE,
)
#: "Does the document mention ...?", "Is there anything about ...?"
_MENTIONED = re.compile(
    r"^\W*(?:(?:do|does|did|is|are)\b[^?]{0,80}\b(?:mention(?:s|ed)?|"
    r"(?:say|contain|have|find) (?:anything|something) (?:about|on)|talk about)\b|"
    r"(?:(?:is|are) there )?(?:anything|something|any (?:mention|information|word)|"
    rf"an? (?:{_PLACE})|(?:{_PLACE})) (?:\w+ )?(?:about|on|of|regarding|concerning)\b)",
    re.IGNORECASE,
)
#: Words of what is asked for so, or of what is asked about instead; more are a question of their
#: own ("... how long it is held?").
MENTIONED = 3
#: Words of an act that it may have of its own: "Could you trim that?"
OWN = 1

#: Thanks, greetings and farewells in languages that people write in, and what goes with those.
_CIVIL = frozenset(
    "danke vielen dankeschön dankesehr hallo tschüss servus moin wiedersehen merci bonjour "
    "bonsoir salut gracias hola adiós buenos buenas grazie ciao buongiorno buonasera arrivederci "
    "obrigado obrigada olá tchau bedankt dankjewel hoi goedemorgen tack hej hejdå takk tak hei "
    "kiitos moi "
    "dziękuję dzięki cześć děkuji díky ahoj mulțumesc multumesc mersi köszönöm köszi szia "
    "teşekkürler teşekkür merhaba selam спасибо привет здравствуйте дякую ευχαριστώ γεια "
    "ありがとう ありがとうございます こんにちは 谢谢 你好 감사합니다 안녕하세요 شكرا مرحبا "
    "धन्यवाद नमस्ते תודה שלום "
    "terima halo xin cảm".split()
)
_WITH_CIVIL = frozenset(
    "dank schön sehr viel mal guten tag morgen abend auf bis bald beaucoup bien à vous au "
    "revoir muchas muchísimas por todo días tardes noches mille molte tante muito muita bom boa "
    "dia noite wel je u så mycket mange tusen for det hjelpen bardzo moc ederim за помощь большое "
    "kasih chào ơn bạn".split()
)
_LETTERS = re.compile(r"[^\W\d_]+")
_WORDS = re.compile(r"\w+")

#: As in "five bullets", "three short sentences" and "a sentence"; "a few sentences" has no number.
_COUNTS = "|".join(word for word in CARDINALS if word != "zero")
_LENGTH = re.compile(
    rf"\b(?:(\d{{1,2}}|{_COUNTS})\s+(?:[a-z]+\s+){{0,2}}?"
    r"(?:sentence|bullet|point|takeaway|line|item|highlight|thing|idea)s?|"
    r"an?\s+(?:single\s+)?sentence)\b",
    re.IGNORECASE,
)
#: "the seven themes", "name 3 reasons"; "one of them" and "2014" count nothing.
_NUMBER = re.compile(
    rf"\b(?:the |name |list |which |what )(?!one\b)(\d{{1,2}}|{_COUNTS})\s+[a-z]",
    re.IGNORECASE,
)
#: Sentences that an answer has at most, whatever was asked for.
MAX_LENGTH = 30


# How an overview is wished for in German, the second language of the page: by words, for the
# encoder that is shipped knows English.
_DE_ALL = (
    r"(?:(?:kurz)?(?:zusammenfassung|fassung)|inhaltsangabe|überblick|übersicht|"
    r"(?:haupt|kern)(?:punkte|aussagen?|inhalte?|themen|gedanken?)n?|"
    r"wichtigste[ns]?(?: (?:punkten?|aussagen|inhalte|themen))?|wesentliche)"
)
_DE_ASKING = (
    r"(?:gib|gebt|geben|zeig|zeige|schreib|schreibe|erstelle|erstell|mach|mache|nenn|nenne|"
    r"kannst du|können sie|könntest du|könnten sie|ich (?:brauche|möchte|will|hätte))"
)
#: "Fasse das zusammen", "Worum geht es?", "Was sind die Hauptpunkte?", "Gib mir einen Überblick",
#: "Kurze Zusammenfassung bitte".
_DE_WISH = re.compile(
    r"\W*(?:bitte )?(?:"
    rf"(?:{_DE_ASKING}\b.{{0,40}}?\b)?(?:fass(?:e|t|en)?\b.*\bzusammen|zusammenfassen)\b|"
    r"(?:worum|um was) geht(?:.?s| es)\b|(?:wovon|worüber|von was) handelt\b|"
    rf"(?:was (?:ist|sind|steht)|welches? sind|{_DE_ASKING})\b.{{0,40}}?\b{_DE_ALL}\b|"
    rf"(?:(?:eine?n?|kurze[rn]?|die|das) )*{_DE_ALL}\b(?! (?:ist|wird|muss|hat|kann)\b))",
    re.IGNORECASE,
)
#: Words of a wish that name nothing, and what all or any part of the documents is called.
_DE_UNNAMED = re.compile(
    rf"\b(?:bitte|kurz|kurze[rn]?|zusammen(?:fassen)?|fass(?:e|t|en)?|{_DE_ASKING}|{_DE_ALL}|"
    r"worum|wovon|worüber|geht(?:.?s)?|handelt|steht|mir|uns|"
    r"dies\w*|ganze[nrs]?|alle[nsr]?|hier|darin|drin|"
    r"dokument\w*|text(?:e[ns]?|s)?|datei(?:en)?|unterlagen?|abschnitt[es]*|absatz(?:es)?|kapitels?|teils?|"
    r"seiten?|inhalt[es]*)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Kinds:
    """Tells kinds of questions apart.

    Attributes:
        names: of the kinds, in the order of the rows of `weights`.
        weights: [kinds, dimension].
        intercepts: [kinds].
        request: by kind, stems of the words by which it is asked for, and not what of.
    """

    names: tuple[str, ...]
    weights: NDArray[np.float32]
    intercepts: NDArray[np.float32]
    request: Mapping[str, frozenset[str]]

    def kind(self, vector: NDArray[np.float32], *, follows: bool = True) -> Kind:
        """The kind of a question with this vector.

        Args:
            vector: the encoder's, of the question.
            follows: whether there was a question before it; the acts are no kinds otherwise.
        """
        if not self.names:
            return FACT
        logits = self.weights @ vector + self.intercepts
        odds = np.exp(logits - logits.max())
        if not follows:
            odds[[n for n, name in enumerate(self.names) if name in ACTS]] = 0
        best = int(odds.argmax())
        name: Any = self.names[best]
        return name if odds[best] / odds.sum() >= SURE.get(name, 0.0) else FACT

    def plain(self, kind: Kind, question: str) -> Kind:
        """The kind that a question is taken for by its words, where its vector tells this one.

        What asks for something of the documents is looked up in them, whatever it sounds like. Of
        5,456 questions about 155 documents 129 sounded as if they were about the assistant, 93 as
        if they asked for a place in the text and 15 as if they leant on a question before.
        """
        if is_civil(question):
            return "courtesy"
        if wishes_overview(question):
            return "overview"
        if kind in _UNSEARCHED and not self._is_english(kind, question):
            return FACT
        named = content_stems(question)
        left = named - self.request.get(kind, frozenset()) - self.request["courtesy"]
        if _MENTIONED.match(question) and len(named - self.request["where"]) <= MENTIONED:
            return "where"
        plain = {
            "about": not left and (_ADDRESSED.search(question) or len(named) <= 1),
            "where": _OF_PLACES.search(question),
            "courtesy": len(left) <= OWN,
            "more": len(left) <= OWN,
            "shorten": len(left) <= OWN,
            "source": len(left) <= OWN,
            "instead": len(left) <= MENTIONED,
        }
        return kind if plain.get(kind, True) else FACT

    def after_another(self, kind: Kind, question: str, before: str) -> Kind:
        """The kind of a question that has another one before it, by its words: what asks for a
        summary or the meaning of "that", and of nothing else, is about the answer; what asks of its
        own, in none of that question's words, is not that question of something else."""
        bare = with_apostrophes(_LENGTH.sub(" ", question))
        named = content_stems(bare) - self.request["courtesy"]
        if kind == "instead" and named != _MEANT and _ASKS.search(_OF_ANOTHER.sub(" ", question)):
            return kind if content_stems(question) & content_stems(before) else FACT
        if not named and kind == FACT and length_of(question):  # "in two sentences"
            return "shorten"
        if not named or not _THAT.search(question):
            return kind
        summing = (self.request["overview"] | self.request["shorten"]) - self.request["more"]
        asks = _ASKS.search(bare) or _STATES.match(bare)
        told = kind == FACT and named <= summing
        summed = kind == "overview" and len(named) == 1
        return "shorten" if named == _MEANT or (not asks and (told or summed)) else kind

    @property
    def pointing(self) -> frozenset[str]:
        """Stems of the words by which something is asked about a part of an answer, and not what
        of."""
        return frozenset().union(*(self.request[k] for k in ("more", "instead", "definition")))

    def named(self, question: str) -> str:
        """What a question names, without the words that ask for an overview."""
        if wishes_overview(question):
            return " ".join(w for w in _WORDS.findall(_named_in(question)) if terms_of(w, "de"))
        words = [(word, set(terms_of(word))) for word in _WORDS.findall(_LENGTH.sub(" ", question))]
        request = self.request.get("overview", frozenset())
        return " ".join(word for word, stems in words if stems - request)

    def _is_english(self, kind: Kind, question: str) -> bool:
        """Whether words mean what they mean in English ("brief" is a letter in German): it begins
        with one by which this kind is asked for, whatever language it names something in."""
        language = asked_in(question)
        if language == ENGLISH:
            return True
        begins = next(iter(_LETTERS.findall(question.lower())), "")
        asking = begins in EMPTY or stem(begins) in self.request.get(kind, frozenset())
        return asking and begins not in stop_words_of(language)


def is_civil(question: str) -> bool:
    """Whether it is thanks or a greeting in another language than English."""
    words = {word.lower() for word in _LETTERS.findall(question)}
    return bool(words & _CIVIL) and words <= _CIVIL | _WITH_CIVIL


def length_of(question: str) -> int | None:
    """How many sentences a question asks for ("in five bullets"); None where it does not say."""
    found = _LENGTH.search(question)
    return min(max(1, _count(found[1] or "one")), MAX_LENGTH) if found else None


def number_of(question: str) -> int | None:
    """How many things a question speaks of ("the seven themes"); None where it does not say."""
    found = _NUMBER.search(question)
    return _count(found[1]) if found else None


def _count(word: str) -> int:
    return int(word) if word.isdigit() else CARDINALS[word.lower()]


def wishes_overview(question: str) -> bool:
    """Whether a question wishes for an overview, in German."""
    return _DE_WISH.match(question) is not None


def _named_in(wish: str) -> str:
    """What an overview is wished of; words without meaning may stand around it."""
    return " ".join(_DE_UNNAMED.sub(" ", wish).split())


@cache
def load_kinds(fingerprint: str, file: Path | None = None) -> Kinds:
    """The kinds as an encoder tells them apart; none for one that the file does not know."""
    content = json.loads(kinds_file(file).read_text(encoding="utf-8"))
    fitted = content["encoders"].get(fingerprint)
    request = {kind: frozenset(stems) for kind, stems in content["request"].items()}
    if fitted is None:
        return Kinds((), np.zeros((0, 0), np.float32), np.zeros(0, np.float32), request)
    return Kinds(
        tuple(fitted["kinds"]),
        np.array(fitted["weights"], dtype=np.float32),
        np.array(fitted["intercepts"], dtype=np.float32),
        request,
    )


def kinds_file(file: Path | None = None) -> Path:
    """The file itself, or the shipped one."""
    return file or Path(str(files("assistant.query") / "kinds.json"))
