"""Prose into sentences: the boundaries of a segmenter, repaired where it is known to err.

The only module that imports sentencex.
"""

# Typographic quotes, dashes and full-width marks are meant as they stand.
# ruff: noqa: RUF001

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import sentencex

from index.models import ENGLISH

LONG_ITEM = 300
"""A list item is one sentence up to this length; a longer one is prose with sentences of its own.
The same length is where a quotation stops being one sentence (see `_library_cuts`)."""

LONG_SENTENCE, MIN_PROVISION = 600, 40
"""Characters from which on a sentence is cut into its provisions, and that each piece has at least.
"""

_WINDOW = 8000
"""Characters given to the sentence segmenter at once: its time is quadratic in runs of quotes."""

_LOOKAHEAD = 300
"""A boundary this close to the end of a window is judged again in the next one."""

Span = tuple[int, int]


def trim(text: str, start: int, end: int) -> Span:
    """The span without whitespace at its ends; empty if it holds nothing else."""
    # By character: a slice of a long rest of text at each step would make that quadratic.
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def lines(text: str) -> Iterator[Span]:
    """Span of each line without surrounding whitespace (empty for a blank line), as str.splitlines
    counts lines."""
    at = 0
    for line in text.splitlines(keepends=True):
        yield trim(text, at, at + len(line))
        at += len(line)


def has_word(text: str, start: int, end: int) -> bool:
    """Whether the span holds a letter or digit, of any script."""
    return any(map(str.isalnum, text[start:end]))


def merge_wordless(text: str, spans: Iterable[Span]) -> list[Span]:
    """Join spans without a letter or digit (a closing quote, a table rule) to the one before them,
    or after them at the start."""
    merged: list[Span] = []
    held: int | None = None
    for start, end in spans:
        if start == end:
            continue
        if has_word(text, start, end):
            merged.append((start if held is None else held, end))
            held = None
        elif merged:
            merged[-1] = (merged[-1][0], end)
        elif held is None:
            held = start
        last = end
    if held is not None:
        merged.append((held, last))
    return merged


def sentence_spans(text: str, start: int, end: int, language: str = ENGLISH) -> list[Span]:
    """The sentences of prose: every non-whitespace character of `text[start:end]` is in one.

    Args:
        text, start, end: the prose.
        language: what it is written in; its abbreviations end no sentence.
    """
    spans: list[Span] = []
    start, end = trim(text, start, end)
    while start < end:
        stop = min(end, start + _WINDOW)
        window = text[start:stop]
        cuts = _cuts(window, language)
        if stop < end:
            settled = [cut for cut in cuts if cut <= _WINDOW - _LOOKAHEAD]
            # Without a boundary in all the window the text is cut by length anyway.
            rest = settled.pop() if settled else len(window) - len(window.split()[-1])
            cuts, window = settled, window[: rest or len(window)]
        for a, b in zip([0, *cuts], [*cuts, len(window)], strict=True):
            spans.append(trim(text, start + a, start + b))
        start, _ = trim(text, start + len(window), end)
    return merge_wordless(text, [part for span in spans for part in _provisions(text, span)])


def _provisions(text: str, span: Span) -> Iterator[Span]:
    """A sentence as it is, but one of LONG_SENTENCE or more cut before its "(a)", "(b)", ...: of a
    law or a contract, where each is a provision of its own."""
    start, end = span
    if end - start >= LONG_SENTENCE:
        for found in _PROVISION.finditer(text, start, end):
            if found.end() - start >= MIN_PROVISION and end - found.end() >= MIN_PROVISION:
                yield trim(text, start, found.end())
                start = found.end()
    yield trim(text, start, end)


_FOR_LIBRARY = str.maketrans({"…": ".", **dict.fromkeys("•‣◦▪●", "-")})
_MARKS = str.maketrans(dict.fromkeys('"“”„«»', " "))
OPENERS = "\"'“‘«„"
CLOSERS = ")]}*_”’»\"'"
ENDERS = ".!?…。！？"
_NUMBERED = re.compile(
    r"(?<!\w)(?:eqs?|secs?|vols?|chs?|figs?|approx|est|arts?|ed|pp?|ca|c)\.$", re.I
)
_CONTINUED = re.compile(r"(?:(?:and|or)\s+)?\(\d{1,2}\)\s+[a-z]")
# Behind "; ", ": " or "; and " and before "(b) " or "(iv) ".
_PROVISION = re.compile(r"[;:,]\s+(?:(?:and|or)\s+)?(?=\((?:[a-z]{1,2}|[ivx]{1,5}|[A-Z])\)\s)")
_CLOCK = re.compile(r"\d\s*[ap]\.m\.$", re.I)
_ZONE = re.compile(r"(?:[A-Z]{1,3}T|UTC|GMT|Eastern|Central|Mountain|Pacific)\b")
_ENUMERATOR = re.compile(r"\(?(?:\d{1,3}|[A-Za-z])[.)]")
_WORD = re.compile(
    r"\b([Nn]o|me|ok|art|may|con|miss|ill|ore|id|pa|fed|etc|min|hr)\.\s+(?=[^\W\d_]+\b)"
)


def _plain(text: str) -> str:
    """The text as the segmenter takes it, character for character: every line break and other
    whitespace a space (it ends sentences at some line breaks and not at others), an ellipsis
    a full stop (it never ends a sentence for it), a bullet a hyphen (no sentence ends behind one),
    and no lone surrogates (they cannot reach it)."""
    if not text.isprintable():
        text = "".join(
            " " if c.isspace() else "\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text
        )
    return text.translate(_FOR_LIBRARY)


def _library_cuts(text: str, language: str) -> list[int]:
    """Where the segmenter begins a sentence, 0 excluded."""
    found = sentencex.get_sentence_boundaries(language, text)
    return [boundary["start_index"] for boundary in found[1:]]


def _cuts(window: str, language: str) -> list[int]:
    """Where a sentence begins inside the window: the segmenter's boundaries, repaired."""
    plain = _plain(window)
    raw = _library_cuts(plain, language)
    raw = sorted({*raw, *_inside_quotations(plain, raw, language)})
    raw = sorted({*raw, *_after_brackets(plain, raw), *_after_words(plain, raw)})
    cuts: list[int] = []
    for cut in raw:
        while cut < len(plain) and plain[cut] in CLOSERS and not plain[cut - 1].isspace():
            cut += 1
        if cut < len(plain) and not _joined(plain, cuts[-1] if cuts else 0, cut):
            cuts.append(cut)
    return sorted(set(cuts))


def _inside_quotations(text: str, cuts: Sequence[int], language: str) -> Iterator[int]:
    """Boundaries inside sentences longer than LONG_ITEM that hold quotation marks.

    The segmenter never ends a sentence between two quotation marks. That keeps a short quotation
    whole, but a long one, or the text between two marks that are not a pair, is many sentences.
    """
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        if end - start <= LONG_ITEM:
            continue
        piece = text[start:end]
        masked = piece.translate(_MARKS)
        if masked == piece:
            continue
        for cut in _library_cuts(masked, language):
            while cut > 1 and piece[cut - 1] != masked[cut - 1] and piece[cut - 2].isspace():
                cut -= 1
            yield start + cut


def _after_brackets(text: str, cuts: Sequence[int]) -> Iterator[int]:
    """The end of a bracketed sentence: "(See there.) Then" is two, where the segmenter sees one."""
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        if text[start] not in "([":
            continue
        close = text.find(")" if text[start] == "(" else "]", start, end)
        if close < 0 or text[close - 1] not in ENDERS:
            continue
        after, _ = trim(text, close + 1, end)
        if after > close + 1 and after < end and not text[after].islower():
            yield after


def _after_words(text: str, cuts: Sequence[int]) -> Iterator[int]:
    """The end of a sentence that ends in a word like "me", "ill" or "no", before a capital.

    The segmenter knows their capitalised forms as abbreviations (Maine, Illinois, Number) and does
    not look at case. "No." is an answer where it is a sentence; else it is before a number.
    """
    starts = {0, *cuts}
    for match in _WORD.finditer(text):
        start = match.start()
        while start > 0 and text[start - 1] in OPENERS:
            start -= 1
        ends = match[1] != "No" or start in starts
        if ends and not text[match.end()].islower():
            yield match.end()


def _goes_on_word(character: str) -> bool:
    """Whether it goes on what stands right before it: "foo/../bar", "comp.unix" and "#!/bin/sh" are
    each one word, "bad.It" lacks a space, and other scripts have none."""
    return character.isascii() and not character.isupper() and character not in f"{OPENERS}([ "


def _joined(text: str, start: int, cut: int) -> bool:
    """Whether the boundary at `cut`, of a sentence that began at `start`, is none."""
    if not text[cut - 1].isspace() and _goes_on_word(text[cut]):
        return True
    before = text[max(start, cut - 40) : cut].rstrip()
    if text[cut - 1] == ".":
        # "ASP.NET", "System.Text" and "/doc/log.Debian.gz" are names, "bad.It" is a missing space.
        word = before.split()[-1] if before.split() else ""
        after = text[cut : cut + 40].split(None, 1)[0].rstrip(ENDERS + CLOSERS)
        return any(map(str.isupper, word)) or "/" in word or "." in after
    if cut - start < 10 and _ENUMERATOR.fullmatch(text[start:cut].strip()):
        return True
    if text[cut].isdigit() and _NUMBERED.search(before):
        return True
    if _CONTINUED.match(text, cut):
        # "(1) how did it begin? (2) how did it end?" enumerates inside one sentence.
        return True
    return bool(_CLOCK.search(before) and _ZONE.match(text, cut))
