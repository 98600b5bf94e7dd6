"""Compares what the page shows with the documents and the database, without the page's own code.
Checks return the differences, one per line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import assistant.web
from assistant.tables import answers, turns
from index import Document, Index, Paragraph

#: Asks by the page's own code, and reads what stands on it.
SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
WORDS = Path(assistant.web.__file__).parent / "static" / "words"

#: Characters of a paragraph up to which all of it is shown at first.
TWO_LINES = 120

JSON = Mapping[str, Any]


class Words:
    """What the page says in a language."""

    def __init__(self, language: str) -> None:
        self._words: dict[str, Any] = json.loads((WORDS / f"{language}.json").read_text("utf-8"))

    def say(self, key: str, **values: object) -> str:
        """The sentence of a key with these values; `count` chooses its form."""
        said = self._words[key]
        if not isinstance(said, str):
            said = said["one" if values["count"] == 1 else "other"]
        return str(said.format(**values))

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


class Store:
    """The documents and what is kept, in the folder of a server's index."""

    def __init__(self, folder: Path) -> None:
        self.index = Index(folder)

    def close(self) -> None:
        self.index.close()

    def document(self, identity: str) -> Document:
        return self.index.document(identity)

    def place(self, citation: JSON) -> tuple[Document, Paragraph]:
        """What a citation names."""
        document = self.document(citation["document_id"])
        return document, document.paragraphs[citation["paragraph"] - 1]

    def kept(self, conversation: str) -> list[dict[str, Any]]:
        """The turns of a conversation, in the order in which they were asked, as JSON."""
        joined = sa.select(turns.c.body, answers.c.body).outerjoin(
            answers, turns.c.answer == answers.c.id
        )
        joined = joined.where(turns.c.conversation == conversation).order_by(turns.c.asked)
        with self.index.database.read() as connection:
            rows = connection.execute(joined).all()
        return [json.loads(b) | {"answer": json.loads(answer or "null")} for b, answer in rows]

    def lit(self, document: str, start: int, end: int) -> Any:
        """Where a part of a printed document's text is: of each of its lines the page, and left,
        top, width and height in hundredths of that."""
        boxes = self.index.boxes(document)
        assert boxes
        found: list[float] = []
        for at in boxes.lines(start, end):
            width, height = boxes.sizes[at.page - 1].tolist()
            across = [at.left / width, (at.right - at.left) / width]
            down = [at.top / height, (at.bottom - at.top) / height]
            sides = zip(across, down, strict=True)
            found += [at.page, *(100 * side for pair in sides for side in pair)]
        return pytest.approx(found, abs=0.01)


class Shown:
    """What a turn shows, held against what is so.

    Args:
        store: the documents and what is kept.
        words: of the page's language.
        shown: what stands on the page.
        kept: what the database has of it.

    Attributes:
        false: what is not so.
    """

    def __init__(self, store: Store, words: Words, shown: JSON, kept: JSON) -> None:
        self.store, self.words, self.shown, self.kept = store, words, shown, kept
        self.answer: dict[str, Any] = kept["answer"]
        self.status, self.kind = self.answer["status"], self.answer["kind"]
        self.false: list[str] = []
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
        told = []
        answer = self.answer
        if answer["standalone_question"] != answer["question"] and self.kind != "where":
            told.append(self.words.say("answer.understood", question=answer["standalone_question"]))
        if context := answer["context"]:
            told.append(self.words.say("answer.context", question=context))
        self.same(self.shown["about"], " · ".join(told), "what it is asked about")
        is_answer = self.status == "answered" and self.kind not in ("chat", "help")
        head = [self.words.say("answer.answer")] if is_answer else []
        self.same([one[0] for one in self.shown["head"]], head, "whether it is an answer")

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
            quotes = []
            for text, label in shown["markers"]:
                numbers[number := int(text.strip("[]"))] = None
                document, paragraph = self.store.place(citations[number])
                quotes.append(self.quote(citations[number]))
                said = {"document": document.title, "place": self.words.place(paragraph)}
                said |= {"marker": str(number)}
                self.same(label, self.words.say("source.marker", **said), "a source")
            verdict = "quoted" if quotes else "own"
            self.same(shown["verdict"], verdict, "the verdict")
            self.same(
                shown["unseen"], [f" ({self.words.say(f'sentence.{verdict}')})"], "the verdict"
            )
            self.so(not quotes or shown["words"] in quotes, "does not stand there:", shown["words"])
            if quotes and self.kind in ("overview", "where"):
                heading = (document.title, *paragraph.heading)[-1]
                self.same(shown["heading"], heading, "the heading above", shown["words"])
        due = sorted(citations) if self.status == "answered" else []
        self.same([*numbers], due, "the numbers of the sources")

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
        """What is said of the answer is so, and nothing is left out."""
        say, answer = self.words.say, self.answer
        missing = [
            say(f"answer.{key}", things=" ".join(answer[key]))
            for key in ("unanswered", "undecided")
            if answer[key]
        ]
        is_weighed = self.status == "refused" and bool(answer["closest"])
        verdicts = {sentence["verdict"] for sentence in self.shown["sentences"]}
        may = {
            "answer.refused": is_weighed,
            "answer.refused_because": is_weighed,
            "answer.partly": bool(missing),
            "answer.overview": self.kind == "overview",
            "answer.where": self.kind == "where",
            "answer.quoted": verdicts == {"quoted"},
        }
        due = {" ".join(missing), answer["note"] or ""}
        due |= {say(key) for key in ("answer.refused", "answer.partly") if may[key]}
        texts = [text for text, _ in self.shown["below"]]
        said = {piece for text in texts for piece in (text, *text.split(" · "))}
        self.so(due - {""} <= said, "does not say all of", due)
        so = {say(key) for key, is_so in may.items() if is_so} | due
        for text in texts:
            is_so = text in so or {*text.split(" · ")} <= so
            self.so(is_so, "nobody can tell whether this is so:", text)

    def _offers(self) -> None:
        say, asked = self.words.say, self.kept["documents"]
        passages = self.answer["citations"] or self.answer["closest"]
        of = {passage["document_id"] for passage in passages}
        self.so(of <= {*asked}, "cites documents that were not asked:", of)
        so = {say("going.words")}
        if passages and len(asked) > 1:
            so.add(say("going.only", title=self.store.place(passages[0])[0].title))
        self.same(
            {*self.shown["offers"]}, so if self.status != "answered" else set(), "the ways on"
        )
        questions, key = self.shown["offered"], "instead" if self.status == "refused" else "next"
        self.same(
            self.shown["offering"], say(f"answer.{key}") if questions else None, "what is offered"
        )
        if self.shown["announced"] is not None and self.status == "refused":
            listed = say("answer.closest_listed") in self.shown["announced"]
            self.same(listed, bool(self.answer["closest"]), "whether passages are listed, aloud:")


# --- in the document ------------------------------------------------------------------------------


def followed(
    store: Store, words: Words, kept: Sequence[JSON], citation: JSON, shown: JSON
) -> list[str]:
    """What is not so in the document when a citation is followed there.

    Args:
        store, words: see `Shown`.
        kept: the turns of the conversation that is open.
        citation: of one of them.
        shown: what stands in the document.
    """
    document, paragraph = store.place(citation)
    so: dict[str, Any] = {"document": document.id, "note": ""}
    if shown["isPrinted"]:
        boxes = store.index.boxes(document.id)
        assert boxes and paragraph.page
        lights = store.lit(document.id, citation["start"], citation["end"])
        so |= {"number": boxes.labels[paragraph.page - 1], "lights": lights}
        so |= {"kind": words.say("reader.place.page")}
        so |= {"of": words.say("reader.place.of", count=document.pages)}
        return differing(words.place(paragraph, document.title), shown, so)
    lit = citation["quote"]
    if paragraph.kind == "row":  # the names stand above the columns
        lit = "".join(cell.partition(": ")[2] for cell in lit.split(" | "))
    so |= {"number": str(paragraph.number), "paragraph": paragraph.number, "lit": lit}
    so |= {"kind": words.say("reader.place.paragraph")}
    so |= {"of": words.say("reader.place.of", count=len(document.paragraphs))}
    citing = [
        f"[{own['marker']}] {turn['question']}"
        for turn in kept
        for own in turn["answer"]["citations"]
        if (own["document_id"], own["paragraph"]) == (document.id, paragraph.number)
    ]
    so |= {"citing": citing, "none": None if citing else words.say("reader.citing_none")}
    return differing(words.place(paragraph, document.title), shown, so)
