"""Made by version 0.2.0 at a948550, and kept for the record: it wrote the index that
`former_index.py` opens, and what that version told of it. Later versions keep things otherwise, and
what they would write is not what people have. Run by hand, at that commit:

    python tests/support/write_former_index.py

Everything goes through the addresses of the API and of the page, or through commands, but for what
only an older version did (a browser that was an owner, a file of drafts) and a key that is over,
which no command makes.
"""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from docx import Document as WordDocument
from fastapi.testclient import TestClient
from former_index import (
    ARCHIVE,
    BROWSERS,
    DATA,
    EXPECTED,
    FERRY,
    LOGINS,
    NOBODY,
    answers_of,
    interfaces,
    processor,
    restored,
    told_of_all,
    unpacked,
)
from helpers import SEEDS, footnote

from assistant import Assistant
from assistant.access.api_keys import Keys
from assistant.access.callers import owner_of_browser
from assistant.workspace.feedback import EARLIER, draft_id, put_line
from index import Index
from index.about import VERSION
from index.models import CERTAIN
from index.readers.loader import read_document, read_raw

#: Where the files lie that are everyone's while they are indexed: the index has their paths.
LIBRARY = Path("/tmp/former-library")

HANDBOOK = """# Harbour handbook

## The harbour master

The harbour master assigns the berths, collects the dues and keeps the log of all arrivals. Whoever
arrives after dark reports to the night guard first.

## Dues

| Boat | Per day | Per month |
|------|---------|-----------|
| up to 8 m | 12 euros | 240 euros |
| up to 12 m | 19 euros | 380 euros |

What is not allowed in the harbour:

- Washing decks with soap.
- Lighting open fires on the quay.
- Leaving nets on the slipway overnight.
"""
BIBLIOGRAPHY = """@book{solheim2021,
  title = {The Handbook of {Brenna} Harbour},
  author = {Solheim, Ann A. and van der Berg, J{\\"u}rgen},
  date = {2021-03}, publisher = {Harbour Board}, location = {Brenna}, isbn = {978-3-16-148410-0},
  url = {https://example.org/handbook}, file = {handbook.md}
}
"""
NOTICE = "Notice to all\n\nThe lock is closed on the first Monday of each month for cleaning.\n"
TIDES = "High water at Brenna is at noon on Sunday.\n\nThe spring tide rises to 4 metres 70.\n"
PAGES = (
    (
        "Ferries of the sound",
        "In winter the ferry to Brenna leaves at half past nine in the morning.",
        "The crossing takes two hours and twenty minutes when the sea is calm.",
        "Bicycles travel free of charge on every crossing.",
    ),
    (
        "Summer timetable",
        "From June to August the ferry to Brenna leaves at seven and at noon.",
        "Seats in the saloon are booked at the pier of Aldhaven.",
    ),
)
HOUSE = """The kitchen

The kitchen opens at eight and closes at noon on Sundays in winter.

Walnuts float in brine. Hazelnuts sink in it.

The cellar holds forty casks of cider from the orchard behind the barn.
"""
HOUSE_LATER = """The kitchen

A new beginning was made in spring.

The kitchen opens at nine and closes at noon on Sundays in winter.

Walnuts float in brine. Hazelnuts sink in it.
"""
PRICES = """fruit,price per kilo,from
plums,2.40 euros,Aldhaven
quinces,3.10 euros,Brenna
medlars,4.75 euros,the orchard
"""
GARDEN = """# Der Garten

## Tomaten

Die Tomaten werden nach den Eisheiligen Mitte Mai gepflanzt. Sie brauchen viel Sonne und täglich
Wasser.

## Äpfel

Die Äpfel des alten Baumes werden Ende September geerntet und im Keller gelagert.
"""
RULES = """# House rules

The tenant pays for the repair of a broken bicycle from the shared shed.

Quiet hours are from ten in the evening to six in the morning.
"""
HIKE = """# Wanderung – ünïcode 🥾

Der Weg über den Grat dauert fünf Stunden 🏔️ und ist nur für Schwindelfreie.

The hut at the top (λιμάνι, 山小屋, كوخ) serves soup until 15:00. 👩‍👩‍👧 Families get a discount.
"""
DIARY = "On Tuesday the heron came back to the pond and stood there for an hour.\n"
OLD = "The old shed was torn down in 1998 and its beams were burnt in the stove.\n"
PEARS = "Pears sink in brine, as quinces do, and are boiled with cloves.\n"
NUL = (
    rb"{\rtf1\ansi This is a text with a sign that is none: nul \u0? inside it, as a reader of RTF"
    rb" lets through.\par The last paragraph has no such sign and speaks of otters.}"
)
BEES = """<!doctype html><html><head><title>Bees</title></head><body><h1>Bees</h1>
<p>A hive in summer has about fifty thousand bees, nearly all of them workers.</p>
<h2>Swarms</h2><p>A swarm leaves in May on a warm and windless morning.</p>
<ul><li>Put a box below the swarm.</li><li>Shake the branch once.</li></ul></body></html>"""
LOCK = "At the lock the level of the water is measured every six hours and sent to Aldhaven.\n"
MACHINE = "The machine in the workshop is oiled on Fridays by whoever leaves last.\n"
WALNUTS = "Walnuts are gathered in October and dried on racks in the loft.\n"
UNANSWERABLE = ("How many moons does Jupiter have?", "What is the capital of Mongolia?")
SLEDGES = "The sledges hang in the barn from March to November.\n"


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "index"
        keys = fill(folder)
        with closing(Index(folder)) as index:
            secrets = index.records("logins", private=True).all()
        pack(folder)
    told: dict[str, Any] = {"made_by": f"{VERSION} at a948550", "processor": processor()}
    told |= {"keys": keys, "logins": secrets}
    for part, of in (("kept", told_of_all), ("answered", answers_of), ("restored", restored)):
        with tempfile.TemporaryDirectory() as temporary:
            told[part] = of(unpacked(Path(temporary)), keys)
    EXPECTED.write_text(
        json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8"
    )


def pack(folder: Path) -> None:
    """Write the archive, in which nothing tells of the machine that made it."""

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if (
            member.name == "index/help.npz"
        ):  # of the help, large, and made again where it is missing
            return None
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        return member

    DATA.mkdir(exist_ok=True)
    with tarfile.open(ARCHIVE, "w:gz", compresslevel=9) as archive:
        archive.add(folder, "index", filter=plain)


def fill(folder: Path) -> dict[str, str]:
    """Make the index; gives the keys of programs, by name."""
    with library():
        footnote("index", "add", LIBRARY, "--index-dir", folder)
        uncertain_document(folder)
    keys = {
        name: footnote(
            "keys", "create", name, *(f"--scope={one}" for one in scopes), "--index-dir", folder
        ).stdout.strip()
        for name, scopes in (("program", ["ask", "write"]), ("observer", ["metrics"]))
    }
    with closing(Index(folder)) as index:
        over = datetime(2024, 2, 29, tzinfo=UTC)
        keys["over"] = Keys(index.records("keys")).create("over", ["ask"], over)
        former_documents(index)
    with Assistant.open(index_dir=folder) as assistant, interfaces(assistant, keys) as clients:
        Life(clients).lead()
    earlier_drafts(folder)
    return keys


@contextmanager
def library() -> Iterator[None]:
    """The files that are everyone's; gone when they are indexed, as on another machine."""
    LIBRARY.mkdir()
    try:
        (LIBRARY / "handbook.md").write_text(HANDBOOK)
        (LIBRARY / "notice.txt").write_text(NOTICE)
        (LIBRARY / "library.bib").write_text(BIBLIOGRAPHY)
        yield
    finally:
        shutil.rmtree(LIBRARY)


def uncertain_document(folder: Path) -> None:
    """One that is everyone's, as if one of its paragraphs had been read from a picture, and not
    surely: how surely a real one is read differs from machine to machine."""
    file = LIBRARY / "tides.txt"
    file.write_text(TIDES)
    document = read_document(file)
    first, second = document.paragraphs
    read = (first, replace(second, certainty=CERTAIN / 2))
    with closing(Index(folder)) as index:
        index.sync([replace(document, paragraphs=read)], keep=True)


def former_documents(index: Index) -> None:
    """What browsers added when they were owners, as they did it then."""
    with tempfile.TemporaryDirectory() as temporary:
        for login, name, text, keep in (
            ("ann", "walnuts.txt", WALNUTS, False),
            ("bob", "sledges.txt", SLEDGES, True),
        ):
            file = Path(temporary) / name
            file.write_text(text)
            owner = owner_of_browser(login, BROWSERS[login])
            index.sync([replace(read_raw(file), source=f"upload:{owner}/{name}")], keep=keep)


def earlier_drafts(folder: Path) -> None:
    """The file of an earlier version: a draft, and one that a person has completed since, of which
    the records have an older state."""
    completed = draft_id(FERRY)
    for line in (
        {
            "id": "draft-0000000001",
            "draft": True,
            "question": "Was fragt jemand? 🐝",
            "history": [],
        },
        {"id": completed, "question": FERRY, "answerable": True, "evidence": [["half past nine"]]},
    ):
        put_line(folder / EARLIER, line)


def pdf() -> bytes:
    """Two pages, with a title, an author and an outline-free text that knows where it stands."""
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    kids = []
    for title, *lines in PAGES:
        shown = f"BT /F1 20 Tf 40 340 Td ({title}) Tj ET\n" + "\n".join(
            f"BT /F1 11 Tf 40 {300 - 60 * number} Td ({line}) Tj ET"
            for number, line in enumerate(lines)
        )
        objects.append(f"<</Length {len(shown)}>>stream\n{shown}\nendstream")
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 500 400]/Contents {len(objects)} 0 R"
            "/Resources<</Font<</F1 3 0 R>>>>>>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<</Type/Pages/Kids[{' '.join(kids)}]/Count {len(kids)}>>"
    objects.append("<</Title(Ferries of the sound)/Author(Ida Ferryman)/CreationDate(D:20220307)>>")
    made, starts = "%PDF-1.4\n", ""
    for number, own in enumerate(objects, start=1):
        starts += f"{len(made):010} 00000 n \n"
        made += f"{number} 0 obj{own}endobj\n"
    size = len(objects) + 1
    trailer = f"trailer<</Size {size}/Root 1 0 R/Info {size - 1} 0 R>>"
    table = f"xref\n0 {size}\n0000000000 65535 f \n{starts}{trailer}\n"
    return f"{made}{table}startxref\n{len(made)}\n%%EOF".encode("ascii")


def word() -> bytes:
    document = WordDocument()
    document.add_heading("Harbour report", 0)
    document.add_heading("Dredging", 1)
    document.add_paragraph("The harbour master had berth four dredged in March. Nothing was found.")
    for item in ("Two cranes were painted.", "One buoy was lost in a storm."):
        document.add_paragraph(item, style="List Bullet")
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


class Life:
    """What people do.

    Args:
        clients: of each.
    """

    def __init__(self, clients: dict[str, TestClient]) -> None:
        self.clients = clients
        self._numbers = count(1)

    def lead(self) -> None:
        """All of it."""
        self.log_in()
        self.add()
        self.make_notebooks()
        self.talk()
        self.note()
        self.say_of_answers()
        self.change_and_delete()

    # --- steps -------------------------------------------------------------------------------

    def log_in(self) -> None:
        """At the page; ann takes over what her browser has."""
        for name in LOGINS:
            headers = {"x-footnote-session": BROWSERS["ann"]} if name == "ann" else {}
            self._done(self.clients[name].get("/session", headers=headers))

    def add(self) -> None:
        """Documents."""
        seed = next(iter(sorted(SEEDS.glob("*.txt")))).read_text(encoding="utf-8")
        add, page = self._add, self._add_on_page
        self.ferries = add("ann", "ferries.pdf", pdf())
        self.house = add("ann", "house.txt", HOUSE)
        self.prices = add("ann", "prices.csv", PRICES)
        self.hike = add("ann", "wanderung – ünïcode 🥾.md", HIKE)
        self.rules = [add(name, "rules.md", RULES) for name in ("ann", "bob")]
        self.garden = page("ann", "garten.md", GARDEN, folder="Notizen/2024")
        self.kept = page("ann", "Die Fähre.txt", "Die Fähre fährt im Nebel nicht.\n")
        self._done(self.clients["ann"].post(f"/documents/{self.kept}/keep"))
        self.diary = page("ann", "diary.txt", DIARY)
        self.old = add("ann", "old.txt", OLD)
        self.seed = add("bob", "northeast.txt", "\n".join(seed.splitlines()[:9]))
        self.report = add("bob", "report.docx", word())
        self.bees = page("bob", "bees.html", BEES, address="https://example.org/bees", title="Bees")
        self.nul = add("cy", "nul.rtf", NUL)
        self.pears = add("cy", "pears.md", PEARS)
        self.lock = add("program", "lock.txt", LOCK)
        self.machine = page(NOBODY, "machine.txt", MACHINE)

    def make_notebooks(self) -> None:
        """Notebooks."""
        [handbook] = [one["id"] for one in self._documents("ann") if one["name"] == "handbook.md"]
        inside = [self.prices, handbook, self.ferries, self.house, self.old, self.hike]
        self.harbour = self._make("ann", "Harbour", *inside)
        self._share("ann", self.harbour, bob="write", cy="read")
        self._done(
            self.clients["bob"].put(f"/api/notebooks/{self.harbour}/documents/{self.report}")
        )
        self.mine = self._make("ann", "Nur für mich – λ 🌿", self.garden, self.diary)
        self.given_up = self._make("ann", "Given up", self.ferries)
        self._share("ann", self.given_up, cy="read", bob="write")
        self.bobs = self._make("bob", "Bees & co 🐝", self.bees, self.rules[1])
        self._share("bob", self.bobs, ann="read")
        self._make("cy", "Empty")
        self.workshop = self._make(NOBODY, "Workshop", self.machine)

    def talk(self) -> None:
        """Conversations."""
        keep, ask = self._keep, self._ask
        first = "talk-ann-first"
        self.answered = ask("ann", FERRY)
        self.turn = keep("ann", first, self.answered, vote="up", sources=[], within=[self.ferries])
        keep("ann", first, ask("ann", "How much is a kilo of plums?"))
        keep("ann", first, ask("ann", "Wann werden die Tomaten gepflanzt?"))
        keep("ann", first, ask("ann", "Who won the chess tournament of 1987?"))
        self.unsure = ask("ann", "Is the hut open late?")
        self.unsure_turn = keep("ann", first, self.unsure)
        for question in (
            "What is not allowed in the harbour?",
            "What are the main points?",
            "How do I add a document to Footnote?",
            "hello",
            "Compare plums and quinces.",
            "Wie lange dauert der Weg über den Grat? 🥾",
            "How high does the spring tide rise?",
        ):
            keep("ann", first, ask("ann", question))
        for question in UNANSWERABLE:
            keep("ann", first, ask("ann", question))
        keep("ann", first, state="failed", question="What failed?", failure="The server is away.")
        keep("ann", first, state="pending", question="What is not answered yet?")
        stopped = {
            "sentences": self.answered["sentences"][:1],
            "citations": self.answered["citations"],
        }
        keep("ann", first, state="stopped", question="What was stopped? nul \0 inside", **stopped)
        history = [
            {"role": "user", "content": FERRY},
            {"role": "assistant", "content": self.answered["text"]},
        ]
        self.follow_up = ask("ann", "And how long does it take?", history=history)
        keep("ann", first, self.follow_up, about={"document": self.ferries, "heading": "Ferries"})

        keep("ann", "talk-ann-renamed", ask("ann", "What floats in brine?"))
        self._done(
            self.clients["ann"].patch(
                "/api/conversations/talk-ann-renamed", json={"title": "Umbenannt 🌰 & <b>kept</b>"}
            )
        )
        keep("ann", "talk-ann-deleted", ask("ann", "What is sold by the kilo?"))
        keep("bob", "talk-bob-first", ask("bob", "When was the US Indo-Pacific strategy released?"))
        keep("bob", "talk-bob-first", ask("bob", "Who pays for a broken bicycle?"))
        keep("cy", "talk-cy-first-1", ask("cy", "What is said of otters?"))
        keep("program", "talk-of-program", ask("program", "What is measured at the lock?"))

        of = {"notebook": self.harbour}
        self.in_harbour = ask("ann", FERRY, **of)
        self.harbour_turn = keep("ann", "talk-harbour-ann", self.in_harbour, of=self.harbour)
        bobs = ask("bob", "Who keeps the log of all arrivals?", **of)
        keep("bob", "talk-harbour-ann", bobs, of=self.harbour)
        keep("bob", "talk-harbour-bob", ask("bob", "What was dredged?", **of), of=self.harbour)
        keep("cy", "talk-harbour-cy1", ask("cy", "What floats in brine?", **of), of=self.harbour)
        keep("bob", "talk-harbour-gone", ask("bob", "How dear are quinces?", **of), of=self.harbour)
        keep("ann", "talk-mine-0001", ask("ann", "Wann werden die Äpfel geerntet?"), of=self.mine)
        for name in ("ann", "cy"):
            asked = ask(name, FERRY, notebook=self.given_up)
            keep(name, f"talk-given-up-{name}", asked, of=self.given_up)
        keep("bob", "talk-bees-0001", ask("bob", "When does a swarm leave?"), of=self.bobs)
        keep(NOBODY, "talk-workshop-1", state="stopped", question="Who oils it?", of=self.workshop)
        keep(NOBODY, "talk-machine-01", state="failed", question="When?", failure="It was off.")

    def note(self) -> None:
        """Notes: answers, and places that are highlighted."""
        self._note(
            "ann", self.turn, answer=self.answered, conversation="talk-ann-first", turn=self.turn,
            text="Ask Eve.\n\n**Bold**, nul \0 inside, and a shoe: 🥾",
        )  # fmt: skip
        self._note(
            "ann", self.unsure_turn, answer=self.unsure, conversation="talk-ann-first",
            turn=self.unsure_turn,
        )  # fmt: skip
        # The document is changed afterwards: one still stands there, one does not, one is gone.
        for number, words in enumerate(("brine", "opens at eight", "forty casks")):
            citation = self._place("ann", self.house, words)
            self._note("ann", f"note-house-{number}", citation=citation, text=f"Mind {words}")
        self._note("ann", "note-gone-document", citation=self._place("ann", self.old, "shed"))
        self._note("ann", "note-deleted-own", citation=self._place("ann", self.hike, "soup"))
        self._note("ann", "note-only-text-1", text="Nothing is quoted here.")
        self._note("bob", "note-of-bob-0001", citation=self._place("bob", self.seed, "alliance"))
        self._note("cy", "note-of-cy-00001", citation=self._place("cy", self.nul, "nul"))
        of = self.harbour
        self._note(
            "ann", self.harbour_turn, answer=self.in_harbour, conversation="talk-harbour-ann",
            turn=self.harbour_turn, of=of,
        )  # fmt: skip
        cited = self.in_harbour["citations"][0]
        self._note("bob", "note-harbour-bob", citation=cited, text="Bring the tickets.", of=of)
        self._note("bob", "note-harbour-gone", citation=cited, text="Deleted by bob.", of=of)
        self._note("ann", "note-given-up-01", citation=cited, of=self.given_up)
        self._note(NOBODY, "note-workshop-01", text="Oil it.", of=self.workshop)

    def say_of_answers(self) -> None:
        """What readers say of answers."""
        chess = self._ask("ann", "Who won the chess tournament of 1987?")
        plums = self._ask("ann", "How much is a kilo of plums?")
        self._vote("ann", self.answered, "up")
        self._vote("ann", plums, "down", reason="incomplete", comment="Seit wann? 🤔")
        self._vote("ann", chess, "none")
        self._vote("ann", self.unsure, "up", chosen=self.unsure["citations"][:2])
        history = [{"role": "user", "content": FERRY}, {"role": "assistant", "content": "At nine."}]
        self._vote("ann", self.follow_up, "down", reason="source", history=history)
        taken_back = self._ask("bob", "Who pays for a broken bicycle?")
        self._vote("bob", taken_back, "up")
        self._vote("bob", taken_back, None)

    def change_and_delete(self) -> None:
        """What became of it."""
        ann, bob, cy = (self.clients[name] for name in LOGINS)
        done, harbour = self._done, {"notebook": self.harbour}
        sent = {"file": ("house.txt", HOUSE_LATER.encode())}
        done(ann.put(f"/api/documents/{self.house}", files=sent))
        done(ann.delete(f"/documents/{self.old}"))  # to the trash: the API removes for good
        done(cy.delete(f"/documents/{self.pears}"))
        done(bob.delete(f"/api/notebooks/{self.harbour}/documents/{self.prices}"))
        done(ann.delete(f"/api/notebooks/{self.harbour}/documents/{self.hike}"))
        done(ann.delete("/api/conversations/talk-ann-deleted"))
        done(bob.delete("/api/conversations/talk-harbour-gone", params=harbour))
        done(ann.delete("/api/notes/note-deleted-own"))
        done(bob.delete("/api/notes/note-harbour-gone", params=harbour))
        done(ann.delete(f"/api/notebooks/{self.given_up}"))

    # --- how ---------------------------------------------------------------------------------

    def _done(self, response: Any) -> Any:
        assert response.is_success, response.text
        return response

    def _at(self, name: str, path: str) -> str:
        return f"/{path}" if name == NOBODY else f"/api/{path}"

    def _documents(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.clients[name].get("/api/documents").json()["documents"]
        return found

    def _add(self, name: str, file: str, content: str | bytes) -> str:
        sent = content.encode() if isinstance(content, str) else content
        added = self.clients[name].post("/api/documents", files={"file": (file, sent)})
        return str(self._done(added).json()["id"])

    def _add_on_page(self, who: str, file: str, content: str, **more: str) -> str:
        """As the page does it, which keeps nothing unless that is asked for."""
        response = self.clients[who].post(
            "/uploads", params={"name": file, **more}, content=content.encode()
        )
        last = self._done(response).text.strip().split("\n\n")[-1]
        kind, _, data = last.partition("\ndata: ")
        assert kind == "event: done", last
        return str(json.loads(data)["id"])

    def _make(self, who: str, name: str, *documents: str) -> str:
        wanted = {"name": name, "documents": documents}
        made = self.clients[who].post(self._at(who, "notebooks"), json=wanted)
        return str(self._done(made).json()["id"])

    def _share(self, who: str, notebook: str, **shared: str) -> None:
        self._done(self.clients[who].patch(f"/api/notebooks/{notebook}", json={"shared": shared}))

    def _ask(self, who: str, question: str, **how: Any) -> dict[str, Any]:
        asked = {"question": question, **how}
        answer: dict[str, Any] = self._done(self.clients[who].post("/api/ask", json=asked)).json()
        print(f"{answer['status']:<9} {answer['kind']:<10} {answer['confidence']}  {question}")
        return answer

    def _keep(
        self,
        who: str,
        conversation: str,
        answer: dict[str, Any] | None = None,
        of: str | None = None,
        **turn: Any,
    ) -> str:
        """Keep a turn as the page does: with the answer, or what else became of it."""
        identity = f"turn-{next(self._numbers):06}"
        asked = {"id": identity, "asked": time.time() * 1000, **turn}
        if answer:
            asked |= {"question": answer["question"], "state": answer["status"], "answer": answer}
        kept = {"title": asked["question"][:80], "turn": asked}
        at = self._at(who, f"conversations/{conversation}/turns")
        self._done(self.clients[who].put(at, params={"notebook": of} if of else {}, json=kept))
        return identity

    def _note(self, who: str, identity: str, of: str | None = None, **note: Any) -> None:
        kind = "answer" if "answer" in note else "highlight"
        kept = {"id": identity, "kind": kind, "created": time.time() * 1000, **note}
        at, params = self._at(who, "notes"), {"notebook": of} if of else {}
        self._done(self.clients[who].put(at, params=params, json=kept))

    def _place(self, who: str, document: str, words: str) -> dict[str, Any]:
        """A place in a document as the page highlights it: the sentence with some words."""
        info = self.clients[who].get(f"/api/documents/{document}").json()
        at = f"/api/documents/{document}/paragraphs"
        for number in range(1, info["paragraphs"] + 1):
            found = self.clients[who].get(f"{at}/{number}").json()
            if words not in found["text"]:
                continue
            start = found["text"].rfind(". ", 0, found["text"].index(words)) + 1
            start += len(found["text"][start:]) - len(found["text"][start:].lstrip())
            end = found["text"].find(".", start + 1) + 1 or len(found["text"])
            return {
                "marker": 0, "document": info["title"], "document_id": document,
                "source": info["name"], "heading": found["heading"], "paragraph": number,
                "page": found["page"], "locator": found["locator"],
                "start": found["start"] + start, "end": found["start"] + end,
                "quote": found["text"][start:end], "paragraph_start": found["start"],
                "paragraph_end": found["end"], "paragraph_text": found["text"],
            }  # fmt: skip
        raise AssertionError(words)

    def _vote(self, who: str, answer: dict[str, Any], verdict: str | None, **how: Any) -> None:
        def cited(one: dict[str, Any]) -> dict[str, Any]:
            own = {name: one[name] for name in ("marker", "paragraph", "start", "end")}
            return {"document": one["document_id"], **own}

        vote = {
            "verdict": verdict,
            "question": answer["question"],
            "history": how.pop("history", []),
            "status": answer["status"],
            "confidence": answer["confidence"],
            "sentences": [
                {name: own[name] for name in ("text", "verdict", "markers")}
                for own in answer["sentences"]
            ],
            "citations": [cited(one) for one in answer["citations"]],
            "chosen": [cited(one) for one in how.pop("chosen", [])],
            **how,
        }
        self._done(self.clients[who].post("/api/feedback", json=vote))


if __name__ == "__main__":
    main()
