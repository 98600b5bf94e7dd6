"""How an overview is wished for in German, the second language of the page: by words, for the
encoder that is shipped knows English."""

from __future__ import annotations

import re

_ALL = (
    r"(?:(?:kurz)?(?:zusammenfassung|fassung)|inhaltsangabe|überblick|übersicht|"
    r"(?:haupt|kern)(?:punkte|aussagen?|inhalte?|themen|gedanken?)n?|"
    r"wichtigste[ns]?(?: (?:punkten?|aussagen|inhalte|themen))?|wesentliche)"
)
_ASKING = (
    r"(?:gib|gebt|geben|zeig|zeige|schreib|schreibe|erstelle|erstell|mach|mache|nenn|nenne|"
    r"kannst du|können sie|könntest du|könnten sie|ich (?:brauche|möchte|will|hätte))"
)
#: "Fasse das zusammen", "Worum geht es?", "Was sind die Hauptpunkte?", "Gib mir einen Überblick",
#: "Kurze Zusammenfassung bitte".
_WISH = re.compile(
    r"\W*(?:bitte )?(?:"
    rf"(?:{_ASKING}\b.{{0,40}}?\b)?(?:fass(?:e|t|en)?\b.*\bzusammen|zusammenfassen)\b|"
    r"(?:worum|um was) geht(?:.?s| es)\b|(?:wovon|worüber|von was) handelt\b|"
    rf"(?:was (?:ist|sind|steht)|welches? sind|{_ASKING})\b.{{0,40}}?\b{_ALL}\b|"
    rf"(?:(?:eine?n?|kurze[rn]?|die|das) )*{_ALL}\b(?! (?:ist|wird|muss|hat|kann)\b))",
    re.IGNORECASE,
)
#: Words of a wish that name nothing, and what all or any part of the documents is called.
_UNNAMED = re.compile(
    rf"\b(?:bitte|kurz|kurze[rn]?|zusammen(?:fassen)?|fass(?:e|t|en)?|{_ASKING}|{_ALL}|"
    r"worum|wovon|worüber|geht(?:.?s)?|handelt|steht|mir|uns|"
    r"dies\w*|ganze[nrs]?|alle[nsr]?|hier|darin|drin|"
    r"dokument\w*|text(?:e[ns]?|s)?|datei(?:en)?|unterlagen?|abschnitt[es]*|absatz(?:es)?|kapitels?|teils?|"
    r"seiten?|inhalt[es]*)\b",
    re.IGNORECASE,
)


def wishes_overview(question: str) -> bool:
    """Whether a question wishes for an overview, in German."""
    return _WISH.match(question) is not None


def named_in(wish: str) -> str:
    """What an overview is wished of; words without meaning may stand around it."""
    return " ".join(_UNNAMED.sub(" ", wish).split())
