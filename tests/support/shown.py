"""Compares what the page shows with the documents and the database, without the page's own code.
Checks return the differences, one per line.

Each statement that the page can make below an answer is recognised by its string and has a check
here. A statement without one is reported too: it would go unchecked. What an answer says is
missing, and what it offers, is checked by asking again.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import unescape
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import assistant.web
from assistant import Assistant
from assistant.answering.decision import FOREIGN, NOTHING_MORE, WORDLESS
from assistant.settings import load_settings
from assistant.tables import (
    answers,
    conversations,
    deleted_documents,
    notebook_documents,
    notes,
    turns,
)
from index import Document, Index, Paragraph
from index.chunking.language import language_of

#: Asks by the page's own code, and reads what stands on it.
SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
WORDS = Path(assistant.web.__file__).parent / "static" / "words"

#: Words that name nothing, and the ends in which the others differ.
SAYING_NOTHING = frozenset(
    "a an and are as at by for from has in is it of on or than that the to".split()
)
ENDS = re.compile(r"(?:ness|'s|ies|es|s|y)$")
NUMBERS = "zero one two three four five six seven eight nine ten".split()
#: Of the words of two paragraphs, the share from which one is the other as it reads now.
ALIKE = 0.5

#: Characters of a paragraph up to which all of it is shown at first.
TWO_LINES = 120

MONTHS = (
    "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split()
)

JSON = Mapping[str, Any]
#: A kind, a question, and the ids of the documents that it is asked.
Claim = tuple[str, str, tuple[str, ...]]


class Words:
    """What the page says in a language: said, and recognised."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._words: dict[str, Any] = json.loads((WORDS / f"{language}.json").read_text("utf-8"))

    def say(self, key: str, **values: object) -> str:
        """The sentence of a key with these values; `count` chooses its form."""
        said = self._words[key]
        if not isinstance(said, str):
            said = said["one" if values["count"] == 1 else "other"]
        return str(said.format(**values))

    def values(self, key: str, text: str) -> dict[str, str] | None:
        """The values with which a text is the sentence of a key; None if it is not."""
        said = self._words[key]
        for form in [said] if isinstance(said, str) else said.values():
            literal, *rest = re.split(r"\{(\w+)\}", form)
            places = zip(rest[::2], map(re.escape, rest[1::2]), strict=True)
            pattern = "".join(f"(?P<{name}>.+?){after}" for name, after in places)
            if found := re.fullmatch(re.escape(literal) + pattern, text, re.DOTALL):
                return found.groupdict()
        return None

    def place(self, paragraph: Paragraph, title: str = "") -> str:
        """Where a paragraph stands: in a document of this title, or by itself."""
        locator = paragraph.locator
        for sign, key in (("p.", "page"), ("slide", "slide"), ("row", "row")):
            if found := re.fullmatch(rf"(.*, )?{re.escape(sign)} ([^,]+)", locator):
                locator = (found[1] or "") + self.say(f"place.{key}", label=found[2])
        headings = [one for one in paragraph.heading if one != title]
        number = self.say("source.paragraph", number=paragraph.number)
        return " › ".join(filter(None, [title, *headings, locator, number]))


def differing(of: object, shown: JSON, so: JSON) -> list[str]:
    """What of what is shown is otherwise."""
    return [
        f"{of}: shows as {name} {shown[name]!r}, which is {truth!r}"
        for name, truth in so.items()
        if shown[name] != truth
    ]


def one_line(text: str) -> str:
    return " ".join(text.split())


def in_lines(paragraph: Paragraph, text: str) -> str:
    """Text of a paragraph as the page shows it: of a row a cell a line."""
    return text.replace(" | ", "\n") if paragraph.kind == "row" else text


def told(document: Document) -> str:
    """What a document tells its reader, in small letters: its headings, each where it begins, and
    its paragraphs."""
    lines: list[str] = []
    above: tuple[str, ...] = ()
    for paragraph in document.paragraphs:
        same = 0
        while same < len(above) and above[: same + 1] == paragraph.heading[: same + 1]:
            same += 1
        lines += [*paragraph.heading[same:], paragraph.text]
        above = paragraph.heading
    return one_line("\n".join(lines)).lower()


def misplaced(
    words: Words, document: Document, wanted: str, places: Sequence[Sequence[str]]
) -> list[str]:
    """The places of a document that were found and do not have what was wanted, each as what is
    marked in it, all of it, and where it says that it stands; or how many there are otherwise."""
    having = {}
    for paragraph in document.paragraphs:
        text = one_line("\n".join([*paragraph.heading, paragraph.text]))
        having[text] = words.place(paragraph).split(" › ")
    wrong = [
        f"{document.title}: shows {text!r} as found in {where}, which marks {mark!r}"
        for mark, text, where in places
        if (mark or "").lower() != wanted
        or not any(text.strip("… ") in own and where in at for own, at in having.items())
    ]
    there = sum(wanted in paragraph.text.lower() for paragraph in document.paragraphs)
    if not min(there, 3) <= len(places) <= 3:
        wrong.append(f"{document.title}: shows {len(places)} places of {there}")
    return wrong


def stems(*texts: str) -> set[str]:
    """The words that name something."""
    words = re.findall(r"[^\W_]+", " ".join(texts).casefold())
    return {ENDS.sub("", word) for word in words if word not in SAYING_NOTHING}


class Store:
    """The documents and what is kept, in the folder of a server's index.

    Attributes:
        notebook: the id of the one that is open, in which all else is; None of none.
    """

    notebook: str | None = None

    def __init__(self, folder: Path) -> None:
        self.index = Index(folder)
        self._assistant = Assistant(self.index, [], load_settings())

    def close(self) -> None:
        self.index.close()

    def document(self, identity: str) -> Document:
        return self.index.document(identity)

    def there(self) -> dict[str, Document]:
        """The documents that nobody has deleted, by their ids."""
        with self.index.database.read() as connection:
            gone = set(connection.scalars(sa.select(deleted_documents.c.id)))
            held = sa.select(notebook_documents.c.document)
            inside = held.where(notebook_documents.c.notebook == self.notebook)
            own = {one.id for one in self.index.documents()} - gone
            if self.notebook:
                own &= set(connection.scalars(inside))
        return {identity: self.document(identity) for identity in own}

    def place(self, citation: JSON) -> tuple[Document, Paragraph]:
        """What a citation names."""
        document = self.document(citation["document_id"])
        return document, document.paragraphs[citation["paragraph"] - 1]

    def place_now(self, citation: JSON) -> tuple[Document, Paragraph, str] | None:
        """Where a quote stands now, under its own headings and in its own paragraph if it does so
        in several places; or else the paragraph that is like its own. And which of it; None where
        there is neither."""
        document = self.there().get(citation["document_id"])
        if document is None:
            return None
        was = citation["paragraph"], citation["heading"]
        stands = [p for p in document.paragraphs if citation["quote"] in p.text]
        if stands:
            paragraph = min(
                stands,
                key=lambda p: (
                    [*p.heading] != citation["heading"],
                    p.text != citation["paragraph_text"],
                ),
            )
            same = (paragraph.number, [*paragraph.heading]) == was
            return document, paragraph, "there" if same else "moved"
        before = set(citation["paragraph_text"].casefold().split())
        words = [set(p.text.casefold().split()) for p in document.paragraphs]
        like = [len(before & own) / len(before | own) for own in words]
        paragraph = document.paragraphs[like.index(max(like))]
        return (document, paragraph, "changed") if max(like) >= ALIKE else None

    def kept(self, conversation: str | None = None) -> list[dict[str, Any]]:
        """The turns of a conversation, or all, in the order in which they were asked, as JSON."""
        which = sa.true() if conversation is None else turns.c.conversation == conversation
        return self._rows(turns, which, turns.c.asked)

    def notes(self) -> list[dict[str, Any]]:
        """The notes that nobody has deleted, the newest first, likewise."""
        there = notes.c.deleted.is_(None) & (notes.c.notebook == self.notebook)
        return self._rows(notes, there, notes.c.created.desc(), notes.c.id)

    def _rows(self, table: sa.Table, which: Any, *order: Any) -> list[dict[str, Any]]:
        joined = sa.select(table.c.body, answers.c.body).outerjoin(
            answers, table.c.answer == answers.c.id
        )
        with self.index.database.read() as connection:
            rows = connection.execute(joined.where(which).order_by(*order)).all()
        return [json.loads(b) | {"answer": json.loads(answer or "null")} for b, answer in rows]

    def lit(self, document: str, start: int, end: int, by_words: bool = False) -> Any:
        """Where a part of a printed document's text is: of each of its lines, or words, the page,
        and left, top, width and height in hundredths of that."""
        boxes = self.index.boxes(document)
        assert boxes
        places = boxes.lines(start, end)
        if by_words:
            words = (word for page in range(len(boxes.sizes)) for word in boxes.words_on(page + 1))
            places = tuple(w.place for w in words if w.start < end and w.end > start)
        found: list[float] = []
        for at in places:
            width, height = boxes.sizes[at.page - 1].tolist()
            across = [at.left / width, (at.right - at.left) / width]
            down = [at.top / height, (at.bottom - at.top) / height]
            sides = zip(across, down, strict=True)
            found += [at.page, *(100 * side for pair in sides for side in pair)]
        return pytest.approx(found, abs=0.01)

    def conversations(self) -> list[str]:
        """The ids of those that nobody has deleted."""
        there = conversations.c.deleted.is_(None), conversations.c.notebook == self.notebook
        with self.index.database.read() as connection:
            return [*connection.scalars(sa.select(conversations.c.id).where(*there))]

    def disproved(self, claims: Iterable[Claim]) -> list[str]:
        """Which claims are not so, as asking again tells: a question that is offered is answered,
        what is said to be missing is not."""
        due = {"offered": "answered", "answer.unanswered": "refused", "answer.undecided": "unsure"}
        found = {
            claim: self._assistant.for_documents(claim[2]).ask(claim[1]).status
            for claim in dict.fromkeys(claims)
        }
        return [f"{claim}: {status}" for claim, status in found.items() if status != due[claim[0]]]


class Shown:
    """What a turn shows, held against what is so.

    Args:
        store: the documents and what is kept.
        words: of the page's language.
        shown: what stands on the page.
        kept: what the database has of it.
        before: likewise of the questions before.

    Attributes:
        false: what is not so.
        claims: what only asking again can tell; see `Store.disproved`.
    """

    def __init__(
        self, store: Store, words: Words, shown: JSON, kept: JSON, before: Sequence[JSON]
    ) -> None:
        self.store, self.words, self.shown, self.kept = store, words, shown, kept
        self.answer: dict[str, Any] = kept["answer"]
        self.status, self.kind = self.answer["status"], self.answer["kind"]
        self.before = {
            q for one in before for q in (one["question"], one["answer"]["standalone_question"])
        }
        if kept.get("about"):
            self.before.add(kept["about"]["text"])
        self.asked = tuple(kept["documents"])
        self.false: list[str] = []
        self.claims: list[Claim] = []
        self._question()
        self._places()
        self._sentences()
        self._cards()
        self._below()
        self._offers()

    def so(self, is_so: object, *told: object) -> None:
        if not is_so:
            self.false.append(" ".join(map(str, (f"{self.shown['question']!r}:", *told))))

    def same(self, shown: object, truth: object, *told: object) -> None:
        self.so(shown == truth, *told, repr(shown), "is", repr(truth))

    def _question(self) -> None:
        self.same(self.shown["question"], self.kept["question"], "the question")
        self.same(self.shown["state"], self.kept["state"], "the state")
        about, within, there = self.kept.get("about"), self.kept.get("within"), self.store.there()
        told = []
        if about:
            key = "question.about" if about["number"] else "question.about_part"
            told.append(self.words.say(key, number=about["number"], title=about["title"]))
            self.same(self.kept["documents"], [about["document"]], "the documents that it is about")
            own = self.store.document(about["document"])
            heading = own.paragraphs[about["number"] - 1].heading if about["number"] else ()
            self.same(about["title"], [own.title, *heading][-1], "the heading that it is about")
        if within and len(within) < len(there):
            self.same(sorted(self.kept["documents"]), sorted(within), "the documents it is of")
            titles = sorted(one.title for identity, one in there.items() if identity in within)
            told.append(self.words.say("turn.within", titles=", ".join(titles)))
        answer = self.answer
        if answer["standalone_question"] != answer["question"] and self.kind != "where":
            told.append(self.words.say("answer.understood", question=answer["standalone_question"]))
        if context := answer["context"]:
            self.so(context in self.before, "is in no context of", context)
            told.append(self.words.say("answer.context", question=context))
        self.same(self.shown["about"], " · ".join(told), "what it is asked about")
        head = []
        if self.status == "answered" and self.kind not in ("chat", "help"):
            head.append([self.words.say("answer.answer"), *self._sure()])
        self.same(self.shown["head"], head, "whether it is an answer, and how sure")

    def _sure(self) -> tuple[str | None, str | None]:
        """How sure an answer is, in words and in a figure. That says nothing of what was chosen."""
        if self.kind in ("overview", "where"):
            return None, None
        confidence = self.answer["confidence"]
        level = "high" if confidence >= 0.9 else "medium" if confidence >= 0.8 else "low"
        percent = self.words.say("answer.confidence", percent=int(confidence * 100 + 0.5))
        return f" · {self.words.say(f'answer.{level}')}", percent

    def _places(self) -> None:
        """What it has read are paragraphs of the documents that were asked."""
        asked = [self.store.document(identity) for identity in self.kept["documents"]]
        paths = {self.words.place(p, one.title): (one, p) for one in asked for p in one.paragraphs}
        last = None
        for place in self.shown["places"]:
            found = paths.get(place["path"])
            self.so(found, "has read what is not there:", place["path"])
            if found:
                document, paragraph = found
                self.same(place["said"], f"¶ {paragraph.number}", "the number of", place["path"])
                title = document.title if document is not last and len(asked) > 1 else None
                self.same(place["of"], title, "the document of", place["path"])
                last = document
        self.same(self.shown["read"] is not None, last is not None, "whether it has read")

    # --- the answer -------------------------------------------------------------------------------

    def _sentences(self) -> None:
        kept = self.answer["sentences"] if self.status == "answered" else []
        texts = [sentence["text"] for sentence in kept]
        self.same([one["words"] for one in self.shown["sentences"]], texts, "the sentences")
        citations = {c["marker"]: c for c in self.answer["citations"]}
        numbers: dict[int, None] = {}
        for shown in self.shown["sentences"]:
            quotes, places = [], []
            for text, label in shown["markers"]:
                numbers[number := int(text.strip("[]"))] = None
                document, paragraph = self.store.place(citations[number])
                quotes.append(self.quote(citations[number]))
                places.append((document, paragraph))
                at = self.words.place(paragraph)
                said = {"marker": number, "document": document.title, "place": at}
                self.same(label, self.words.say("source.marker", **said), "a source")
            verdict = "quoted" if quotes else "own"
            self.same(shown["verdict"], verdict, "the verdict")
            self.same(
                shown["unseen"], [f" ({self.words.say(f'sentence.{verdict}')})"], "the verdict"
            )
            self.so(not quotes or shown["words"] in quotes, "does not stand there:", shown["words"])
            if places:
                self._heading(shown, *places[0])
        due = sorted(citations) if self.status == "answered" else []
        self.same([*numbers], due, "the numbers of the sources")

    def _heading(self, shown: JSON, document: Document, paragraph: Paragraph) -> None:
        """A sentence stands under its own heading; or in the column of what it names, or else the
        headings above it do."""
        if self.kind in ("overview", "where"):
            heading = (document.title, *paragraph.heading)[-1]
            self.same(shown["heading"], heading, "the heading above", shown["words"])
        if self.kind != "comparison":
            return
        subjects = [*dict.fromkeys(s["about"] for s in self.answer["sentences"] if s["about"])]
        asked = self.answer["standalone_question"].casefold()
        self.so(
            len(subjects) == 2 and all(one.casefold() in asked for one in subjects),
            "compares",
            subjects,
        )

        def named(*texts: str) -> list[str]:
            return [
                one
                for one in subjects
                if (stems(one) - stems(*(other for other in subjects if other != one)))
                & stems(*texts)
            ]

        found = named(shown["words"]) or named(*paragraph.heading, paragraph.introduction)
        column = subjects.index(found[0]) if len(found) == 1 else -1
        self.same(shown["column"], column, "the column of", repr(shown["words"]))
        if column >= 0:
            self.same(shown["heading"], found[0], "the head of a column")

    def quote(self, citation: JSON) -> str:
        """What is quoted, which stands where it is said to."""
        document, paragraph = self.store.place(citation)
        start, end = citation["start"], citation["end"]
        self.same(citation["quote"], document.text[start:end], "a quote")
        self.so(paragraph.start <= start < end <= paragraph.end, "quotes outside of", paragraph)
        return one_line(document.text[start:end])

    # --- cards ------------------------------------------------------------------------------------

    def _cards(self) -> None:
        cited = self.answer["citations"]
        grouped: dict[tuple[str, int], list[JSON]] = {}
        for citation in cited if self.status == "answered" else ():
            grouped.setdefault((citation["document_id"], citation["paragraph"]), []).append(
                citation
            )
        self._list(
            "sources", self.shown["sources"] and self.shown, grouped.values(), "source.title"
        )
        # Where somebody has said that none answers, the next ones stand below them.
        more = [
            c
            for one in self.kept.get("further") or ()
            if not one["searches"]
            for c in one["passages"]
        ]
        unsure = [[c] for c in (*cited, *more)] if self.status == "unsure" else []
        self._list("cards", self.shown["unsure"], unsure, "answer.unsure")
        key = "answer.closest" if self.status == "refused" else "answer.others"
        closest = self.answer["closest"]
        self._list("cards", self.shown["closest"], [[c] for c in closest], key)
        others = self.words.say("answer.others") if closest and self.status == "answered" else None
        self.same(self.shown["others"], others, "the head of others")
        apart = {(c["document_id"], c["paragraph"]) for c in closest}
        self.so(not apart & grouped.keys(), "tells as another passage what it cites")

    def _list(
        self, name: str, shown: JSON | None, groups: Iterable[Sequence[JSON]], key: str
    ) -> None:
        groups, cards = [*groups], shown[name] if shown else []
        if key != "source.title" and self.kept.get("noted"):
            key = "answer.others"
        head = self.words.say(key) if groups else None
        self.same(shown["heading"] if shown else None, head, "a head")
        self.same(len(cards), len(groups), "the number of", key)
        for number, (card, group) in enumerate(zip(cards, groups, strict=False), start=1):
            self._card(card, group)
            if name == "cards":
                self.same(card["size"], [str(number), str(len(groups))], "which passage it is")
                noted = card["passage"] in (self.kept.get("noted") or ())
                self.same(card["isNoted"], noted, "whether it is marked:", card["said"])

    def _card(self, shown: JSON, group: Sequence[JSON]) -> None:
        document, paragraph = self.store.place(group[0])
        markers = {c["marker"] for c in group} - {0}
        so = {
            "said": self.words.place(paragraph, document.title),
            "doubt": paragraph.is_uncertain,
            "introduction": paragraph.introduction or None,
            "keys": [f"[{marker}]" for marker in sorted(markers)],
            # A row has a cell a line.
            "whole": in_lines(paragraph, paragraph.text),
        }
        if shown["whole"] is None:  # it is told above, every word
            told = [s["text"] for s in self.answer["sentences"] if markers & {*s["markers"]}]
            self.so(one_line(paragraph.text) in told, "is not told above:", paragraph.text)
            del so["whole"]
        else:
            bare = shown["excerpt"].removeprefix("… ").removesuffix(" …")
            text = in_lines(paragraph, paragraph.text)
            self.so(bare in text, "no excerpt of its paragraph:", shown["excerpt"])
            is_all = bare == text and len(paragraph.text) <= TWO_LINES
            self.same(not shown["isCut"], is_all, "whether all is shown of", bare)
            for citation in group:
                key = str(citation["marker"])
                for lit in (shown["lit"], shown["litInWhole"]):
                    text = "".join(piece for keys, piece in lit if key in keys.split())
                    quote = one_line(in_lines(paragraph, self.quote(citation)))
                    self.same(one_line(text), quote, "what is lit up")
        self.false += differing(f"{self.shown['question']!r}, {so['said']}", shown, so)

    # --- below ------------------------------------------------------------------------------------

    def _below(self) -> None:
        answer, said = self.answer, set()
        for text, time in self.shown["below"]:
            if text == answer["note"]:
                said.add("note")
                self._note(text)
            elif missing := self._missing(text):
                said.add("missing")
                self._parts(missing)
            else:
                for piece in text.split(" · "):
                    said |= self._stated(piece)
            if time:
                self._time(time)
        due = {
            "note": answer["note"],
            "missing": answer["unanswered"] or answer["undecided"],
            "answer.partly": answer["unanswered"] or answer["undecided"],
            "answer.refused": self.status == "refused" and answer["closest"],
        }
        for key, is_due in due.items():
            self.so(not is_due or key in said, "does not say", key)

    def _stated(self, text: str) -> set[str]:
        """Which statement a text is, proved."""
        known = ((key, self.words.values(key, text)) for key in STATEMENTS)
        found = {key: values for key, values in known if values is not None}
        self.so(found, "nobody can tell whether this is so:", text)
        for key, values in found.items():
            self.so(STATEMENTS[key](self, values), "is not so:", text)
        return {*found}

    def _missing(self, text: str) -> dict[str, str]:
        """What a text says to be missing, by the key that it says it by."""
        for at in [len(text), *(space.start() for space in re.finditer(" ", text))]:
            for keys in (("unanswered", "undecided"), ("unanswered",), ("undecided",)):
                pieces = filter(None, (text[:at], text[at + 1 :]))
                found = [
                    self.words.values(f"answer.{k}", p) for k, p in zip(keys, pieces, strict=False)
                ]
                if all(found) and len(found) == len(keys) == 1 + (at < len(text)):
                    return {key: one["things"] for key, one in zip(keys, found, strict=True) if one}
        return {}

    def _parts(self, missing: Mapping[str, str]) -> None:
        parts = {key: self.answer[key] for key in ("unanswered", "undecided") if self.answer[key]}
        self.same(missing, {key: " ".join(own) for key, own in parts.items()}, "what is missing")
        every = [part for own in parts.values() for part in own]
        for part in every:
            asked = self.answer["standalone_question"].casefold()
            self.so(part.rstrip("?").casefold() in asked, "was not asked:", part)
        self.so(len({*every}) == len(every), "is missing twice:", every)
        self.claims += [
            (f"answer.{key}", part, self.asked) for key, own in parts.items() for part in own
        ]

    def _note(self, note: str) -> None:
        """What is noted on an answer is so of the documents that were asked."""
        question = self.shown["question"].lower()
        asked = [p for one in self.kept["documents"] for p in self.store.document(one).paragraphs]
        text = " ".join(p.text.casefold() for p in asked)
        if counted := re.fullmatch(
            r"The question speaks of (\d+); (\d+) (?:is|are) listed.+", note
        ):
            items = sum(one["isPoint"] for one in self.shown["sentences"])
            self.same(int(counted[2]), items, "what is listed")
            self.so(
                {counted[1], NUMBERS[int(counted[1])]} & {*question.split()},
                "speaks of",
                counted[1],
            )
        elif found := re.match(r"The documents do not (?:mention|have) (.+?”)(?= in|\. Ask)", note):
            for words in re.findall("“(.+?)”", found[1]):
                self.so(words.casefold() not in text, "is there:", words)
        elif note in FOREIGN.values():
            languages = {paragraph.language for paragraph in asked}
            self.so(language_of(question) not in languages, "is in one of", languages)
        else:
            self.so(note in (WORDLESS, NOTHING_MORE), "nobody can tell whether this is so:", note)

    def _time(self, time: str) -> None:
        """How long it took."""
        total = self.answer["timings_ms"]["total"]
        is_german = self.words.language == "de"
        number = float(re.sub(r"[^\d.]", "", time.replace(",", "." if is_german else "")))
        is_short = self.words.values("answer.milliseconds", time)
        self.so(
            abs(number - total) < 0.6 if is_short else abs(number * 1000 - total) < 51, time, total
        )

    def _offers(self) -> None:
        say, there, asked = self.words.say, self.store.there(), self.kept["documents"]
        passages = self.answer["citations"] or self.answer["closest"]
        of = {passage["document_id"] for passage in passages}
        self.so(of <= {*asked}, "cites documents that were not asked:", of)
        so = {say("going.words"), say("going.all", count=len(there))}
        if len(asked) == len(there):
            so.remove(say("going.all", count=len(there)))
        if self.store.notebook:
            so.add(say("going.outside"))
        if passages and len(asked) > 1:
            so.add(say("going.only", title=self.store.place(passages[0])[0].title))
        self.same(
            {*self.shown["offers"]}, so if self.status != "answered" else set(), "the ways on"
        )
        questions, key = self.shown["offered"], "instead" if self.status == "refused" else "next"
        self.same(
            self.shown["offering"], say(f"answer.{key}") if questions else None, "what is offered"
        )
        # What is offered is asked of the documents that are chosen by now, or of those alone that
        # this was asked of.
        within = self.kept.get("within") or self.kept.get("about")
        chosen = self.asked if within else tuple(there)
        self.claims += [("offered", question, chosen) for question in questions]
        if self.shown["announced"] is not None and self.status == "refused":
            listed = say("answer.closest_listed") in self.shown["announced"]
            self.same(listed, bool(self.answer["closest"]), "whether passages are listed, aloud:")


def _is_refused(its: Shown, _: object) -> bool:
    """Where nothing was weighed, nobody knows what the documents say."""
    return its.status == "refused" and bool(its.answer["closest"])


def _lacks_parts(its: Shown, _: object) -> bool:
    return bool(its.answer["unanswered"] or its.answer["undecided"])


#: The statements below an answer, by the keys of the page's words; each with its proof.
STATEMENTS: dict[str, Callable[[Shown, Mapping[str, str]], bool]] = {
    "answer.refused": _is_refused,
    "answer.refused_because": _is_refused,
    "answer.partly": _lacks_parts,
    "answer.overview": lambda its, _: its.kind == "overview",
    "answer.where": lambda its, _: its.kind == "where",
    "answer.quoted": lambda its, _: {s["verdict"] for s in its.shown["sentences"]} == {"quoted"},
}


# --- taken along ----------------------------------------------------------------------------------


def named(document: Document, language: str) -> str:
    """A document as a bibliography names it, with its file."""
    date = document.metadata.date
    if language == "de" and (parts := re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", date)):
        year, month, day = map(int, parts.groups())
        date = f"{day}. {MONTHS[month - 1]} {year}"
    dated = ", ".join(filter(None, [document.title, date]))
    file = document.source.rpartition("/")[2]
    if file != document.title:
        dated += f" ({file})"
    return ": ".join(filter(None, ["; ".join(document.metadata.authors), dated]))


def quoted_of(document: Document, paragraph: Paragraph, start: int, end: int) -> str:
    """What a footnote quotes: of a list, its items with a stroke between them."""
    items, last = [""], start
    for at in range(start, end):
        begins = any(sentence.start == at for sentence in paragraph.sentences)
        if paragraph.kind == "list" and begins and "\n" in document.text[last:at]:
            items.append("")
        last = last if document.text[at].isspace() else at
        items[-1] += document.text[at]
    if len(items) == 1:
        return one_line(items[0])
    return " / ".join(re.sub(r"^[-*•–]\s+", "", one_line(one)) for one in items)


def carried(
    store: Store,
    words: Words,
    kept: Sequence[JSON],
    copies: Sequence[str],
    files: Mapping[str, bytes],
) -> list[str]:
    """What is not so in what is taken along of a conversation.

    Args:
        store, words: see `Shown`.
        kept: its turns, in the database.
        copies: what is copied of each.
        files: of all, by their formats.
    """
    quoted = "„{}“" if words.language == "de" else "“{}”"
    false: list[str] = []
    once: list[str] = []  # the footnotes, each once for an answer
    each: list[str] = []
    works: dict[str, None] = {}
    for turn, copy in zip(kept, copies, strict=True):
        answer, noted = turn["answer"], turn.get("noted")
        copied, footnotes, names, keys = [], {}, {}, {}
        for citation in answer["citations"]:
            document, paragraph = store.place(citation)
            place = words.place(paragraph, document.title)
            quote = quoted.format(one_line(document.text[citation["start"] : citation["end"]]))
            marker = citation["marker"]
            copied.append(f"[{marker}] {place}: {quote}")
            below = place.removeprefix(f"{document.title} › ")
            quote = quoted.format(
                quoted_of(document, paragraph, citation["start"], citation["end"])
            )
            footnotes[marker] = f"{named(document, words.language)}, {below}: {quote}"
            names[marker] = named(document, words.language)
            keys[marker] = f"{citation['document_id']}/{citation['start']}"
        if answer["status"] == "answered":
            told = [line for line in copy.splitlines() if re.match(r"\[\d+\] ", line)]
            false += differing(turn["question"], {"copied": told}, {"copied": copied})
        # Of passages that may answer, those that do, where their reader has said which.
        chosen = noted if noted is not None and answer["status"] == "unsure" else keys.values()
        markers = [m for s in answer["sentences"] for m in s["markers"] if keys[m] in chosen]
        each += [footnotes[marker] for marker in markers]
        once += [footnotes[marker] for marker in dict.fromkeys(markers)]
        works |= dict.fromkeys(names[marker] for marker in markers)
    markdown = unescape(re.sub(r"\\([^\w\s])", r"\1", files["md"].decode()))
    with zipfile.ZipFile(io.BytesIO(files["docx"])) as word:
        below, body = (word.read(f"word/{part}.xml").decode() for part in ("footnotes", "document"))
    listed = re.findall(r"(?m)^- (.*)$", markdown)[-len(works) :] if works else []
    shown = {
        "footnotes of Markdown": re.findall(r"(?m)^\[\^\d+\]: (.*)$", markdown),
        "sources of Markdown": listed,
        "footnotes of Word": _written(below, "FootnoteText"),
        "sources of Word": _written(body, "Bibliography"),
    }
    so = dict(zip(shown, (once, [*works], each, [*works]), strict=True))
    for name, lines in shown.items():
        for told, due in zip_longest(lines, so[name]):
            false += differing("taken along", {name: told}, {name: due})
    return false


def _written(xml: str, style: str) -> list[str]:
    """The paragraphs of a Word file that have a style."""
    found = re.findall(rf'<w:p><w:pPr><w:pStyle w:val="{style}"/>.*?</w:p>', xml)
    return [one_line(unescape("".join(re.findall(r"<w:t [^>]*>(.*?)</w:t>", p)))) for p in found]


# --- in the document ------------------------------------------------------------------------------


def followed(
    store: Store, words: Words, kept: Sequence[JSON], citation: JSON, shown: JSON
) -> list[str]:
    """What is not so in the document, as it is now, when a citation is followed there.

    Args:
        store, words: see `Shown`.
        kept: the turns of the conversation that is open.
        citation: of one of them.
        shown: what stands in the document.
    """
    now = store.place_now(citation)
    if now is None or now[2] == "changed":
        key = "changed" if citation["document_id"] in store.there() else "gone"
        return differing(citation["quote"], shown, {"note": words.say(f"reader.{key}")})
    document, paragraph, standing = now
    note = words.say("reader.moved") if standing == "moved" else ""
    so: dict[str, Any] = {"document": document.id, "note": note}
    if shown["isPrinted"]:
        boxes = store.index.boxes(document.id)
        assert boxes and paragraph.page
        so |= {"number": boxes.labels[paragraph.page - 1], "kind": words.say("reader.place.page")}
        so |= {"of": words.say("reader.place.of", count=document.pages)}
        so |= {"lights": store.lit(document.id, citation["start"], citation["end"])}
    else:
        lit = citation["quote"]
        if paragraph.kind == "row":  # the names stand above the columns
            lit = "".join(cell.partition(": ")[2] for cell in lit.split(" | "))
        so |= {
            "number": str(paragraph.number),
            "kind": words.say("reader.place.paragraph"),
            "lit": lit,
        }
        so |= {"of": words.say("reader.place.of", count=len(document.paragraphs))}
    citing = [
        f"[{own['marker']}] {turn['question']}"
        for turn in kept
        for own in turn["answer"]["citations"]
        if (own["document_id"], own["paragraph"]) == (document.id, paragraph.number)
    ]
    if not shown["isPrinted"]:
        so["paragraph"] = paragraph.number
    if standing == "there" and not shown["isPrinted"]:
        so |= {"citing": citing, "none": None if citing else words.say("reader.citing_none")}
    return differing(words.place(paragraph, document.title), shown, so)


def uncited(store: Store, shown: JSON, document: str, number: int) -> list[str]:
    """What is not so in what is said of a paragraph that no answer of this conversation cites."""
    citing = [
        turn["question"]
        for turn in store.kept()
        for own in turn["answer"]["citations"]
        if (own["document_id"], own["paragraph"]) == (document, number)
    ]
    assert citing
    is_so = "conversation" in (shown["none"] or "")
    return [] if is_so else [f"{shown['none']!r}, and these do: {citing}"]


# --- notes ----------------------------------------------------------------------------------------


def noted(store: Store, words: Words, shown: Sequence[JSON]) -> list[str]:
    """What is not so in the panel of notes."""
    false: list[str] = []
    for note, its in zip_longest(store.notes(), shown):
        if note is None or its is None:
            return [f"{len(shown)} notes are shown, and there are {len(store.notes())}"]
        answer = note["answer"]
        citations = answer["citations"] if answer else [note["citation"]]
        title = answer["question"] if answer else note["citation"]["document"]
        more = words.say("notes.more", count=len(citations) - 3) if len(citations) > 3 else None
        false += differing("a note", its, {"title": title, "more": more})
        for citation, quote in zip(citations, its["quotes"], strict=True):
            document, paragraph, standing = store.place_now(citation) or (None, None, "gone")
            said = words.say(f"notes.{standing}")
            so = {"quote": citation["quote"], "standing": said, "isLink": document is not None}
            if document and paragraph:
                so["place"] = words.place(paragraph, document.title)
            false += differing(f"a note on {title!r}", quote, so)
    return false


def lapsed(
    store: Store, words: Words, kept: Sequence[JSON], shown: Sequence[str | None]
) -> list[str]:
    """What is not so in what is said of quotes of a conversation that do not stand any more."""
    false = []
    for turn, told in zip(kept, shown, strict=True):
        now = {c["marker"]: store.place_now(c) for c in turn["answer"]["citations"]}
        gone = [f"[{m}]" for m, place in now.items() if place is None or place[2] == "changed"]
        due = words.say("answer.lapsed", markers=" ".join(gone)) if gone else None
        false += differing(turn["question"], {"since": told}, {"since": due})
    return false
