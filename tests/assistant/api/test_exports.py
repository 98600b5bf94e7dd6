"""What is kept goes along as files, by HTTP: who may have which, and what is in them."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from browsing import QUESTION, UNANSWERABLE
from services import client_of, problem

from assistant.access.callers import MACHINE
from assistant.exporting.wording import ENGLISH, GERMAN
from assistant.schemas.answers import AnswerValue
from assistant.workspace.turns import keep_answer
from index.database.database import Database

FORMATS = ("docx", "md", "bib", "csl")
CONVERSATION = "talk-0001"


@pytest.fixture(scope="module")
def answer(api_url: str) -> dict[str, Any]:
    """That of a question which is kept in a conversation, with a note, before one that was not
    answered."""
    with client_of(api_url) as client:
        answered = client.post("api/ask", json={"question": QUESTION}).json()
        refused = client.post("api/ask", json={"question": UNANSWERABLE}).json()
        for number, own in enumerate((answered, refused), start=1):
            turn = {
                "id": f"turn-000{number}",
                "asked": 1_700_000_000_000 + number,
                "question": own["question"],
                "state": own["status"],
                "answer": own,
            }
            keep(client, CONVERSATION, turn, "What we asked: a/b")
        note = {
            "id": "turn-0001", "kind": "answer", "text": "Ask Eve.", "created": 1,
            "conversation": CONVERSATION, "turn": "turn-0001", "answer": answered,
        }  # fmt: skip
        assert client.put("api/notes", json=note).status_code == 204
        found: dict[str, Any] = answered
        return found


def exported(client: httpx.Client, path: str, format_: str, **more: str) -> httpx.Response:
    response = client.get(f"api/{path}/export", params={"format": format_, **more})
    assert response.status_code == 200, response.text
    return response


def name_of(response: httpx.Response) -> str:
    return unquote(response.headers["content-disposition"].partition("utf-8''")[2])


def keep(client: httpx.Client, conversation: str, turn: dict[str, Any], title: str = "") -> None:
    told = client.put(
        f"api/conversations/{conversation}/turns", json={"title": title, "turn": turn}
    )
    assert told.status_code == 204, told.text


def test_a_conversation_goes_along_with_its_notes(
    client: httpx.Client, answer: dict[str, Any]
) -> None:
    files = {kind: exported(client, f"conversations/{CONVERSATION}", kind) for kind in FORMATS}
    assert name_of(files["docx"]) == "What we asked a b.docx"
    assert name_of(files["csl"]) == "What we asked a b.json"
    with zipfile.ZipFile(io.BytesIO(files["docx"].content)) as word:
        footnotes = word.read("word/footnotes.xml").decode()
    text = files["md"].text
    for own in answer["citations"]:
        assert own["quote"] in footnotes
        assert f"paragraph {own['paragraph']}" in footnotes
    assert text.index(QUESTION) < text.index("Ask Eve.") < text.index(UNANSWERABLE)
    assert "Asked on 2023-11-14" in text
    [work] = json.loads(files["csl"].text)
    assert work["title"] == answer["citations"][0]["document"]
    assert work["note"].endswith(".txt")
    assert files["bib"].text.startswith("@misc{")
    assert "Ask Eve." in exported(client, "notes", "md").text


def test_one_answer_goes_along_alone(client: httpx.Client, answer: dict[str, Any]) -> None:
    path, of = f"conversations/{CONVERSATION}", {"turn": "turn-0002"}
    text = exported(client, path, "md", **of).text
    assert "Not found in your documents" in text
    assert QUESTION not in text
    gone = {"format": "md", "turn": "turn-0003"}
    problem(client.get(f"api/{path}/export", params=gone), 404)
    problem(client.get(f"api/{path}/export", params={"format": "pdf"}), 422)


def test_a_notebook_goes_along_whole_to_who_may_read_it(
    client: httpx.Client, answer: dict[str, Any]
) -> None:
    made = client.post("api/notebooks", json={"name": "Trade"}).json()
    notebook, of = f"notebooks/{made['id']}", {"notebook": made["id"]}
    turn = {"id": "turn-0001", "question": QUESTION, "state": "answered", "answer": answer}
    kept = {"title": "Begun", "turn": turn}
    client.put("api/conversations/talk-0002/turns", params=of, json=kept)
    place = answer["citations"][-1]
    highlight = {"id": "note-0001", "kind": "highlight", "created": 1, "citation": place}
    client.put("api/notes", params=of, json=highlight | {"text": "Look again."})
    text = exported(client, notebook, "md").text
    assert text.startswith("# Trade\n")
    assert text.index(QUESTION) < text.index("Look again.")
    client.delete(f"api/{notebook}")
    problem(client.get(f"api/{notebook}/export", params={"format": "md"}), 404)


def test_places_are_cited(client: httpx.Client, answer: dict[str, Any]) -> None:
    places = [
        {"document": own["document_id"]} | {k: own[k] for k in ("paragraph", "start", "end")}
        for own in answer["citations"]
    ]
    wanted = {"format": "csl", "citations": places}
    found = json.loads(client.post("api/cite", json=wanted).text)
    quotes = [own["quote"] for own in answer["citations"]]
    assert all(quote in own["note"] for own, quote in zip(found, quotes, strict=True))
    [first, *_] = json.loads(client.post("api/cite", json=wanted | {"lang": "de"}).text)
    assert first["note"].endswith(f"Absatz {places[0]['paragraph']}: „{quotes[0]}“")
    problem(client.post("api/cite", json=wanted | {"lang": "xx"}), 422)
    gone = wanted | {"citations": [places[0] | {"start": 0, "end": 1}]}
    problem(client.post("api/cite", json=gone), 404)


OLD = "# Port rules\n\nBerth four is closed in March.\n\nThe lamp at the pier is green.\n"
NEW = (
    "# Port rules\n\nA word before.\n\nBerth four is closed in June.\n\n"
    "The lamp at the pier is green.\n"
)


def test_a_quote_that_no_longer_stands_is_told(client: httpx.Client) -> None:
    added = client.post("api/documents", files={"file": ("rules.md", OLD)}).json()
    questions = ("When is berth four closed?", "Which colour has the lamp at the pier?")
    for number, question in enumerate(questions, start=1):
        asked = {"question": question, "documents": [added["id"]]}
        told = client.post("api/ask", json=asked).json()
        turn = {"id": f"turn-010{number}", "question": question, "answer": told}
        turn |= {"state": told["status"], "asked": 1_700_000_000_000 + number}
        keep(client, "talk-0010", turn, questions[0])
        note = {"id": turn["id"], "kind": "answer", "created": 5, "answer": told}
        assert client.put("api/notes", json=note).status_code == 204
    paths = ("conversations/talk-0010", "notes")
    highlight = {"id": "note-0100", "kind": "highlight", "created": 6}
    client.put("api/notes", json=highlight | {"citation": told["citations"][0]})
    assert not any("No longer" in exported(client, path, "md").text for path in paths)
    file = {"file": ("rules.md", NEW)}
    assert client.put(f"api/documents/{added['id']}", files=file).status_code == 200

    for path in paths:
        lines = exported(client, path, "md").text.splitlines()
        [changed] = [line for line in lines if "in March.”" in line and line.startswith("[^")]
        assert changed.endswith(
            " **No longer in the document: the paragraph reads otherwise now.**"
        )
        lamp = [line for line in lines if "green.”" in line and line.startswith("[^")]
        assert all("paragraph 3: “" in line and line.endswith("green.”") for line in lamp)
        assert any(line.startswith("*Quotes that do not stand in the documents") for line in lines)
    assert "## Port rules › paragraph 3" in lines  # where the highlight stands by now
    with zipfile.ZipFile(io.BytesIO(exported(client, paths[0], "docx").content)) as word:
        assert "the paragraph reads otherwise now." in word.read("word/footnotes.xml").decode()
    [work] = json.loads(exported(client, paths[0], "csl").text)
    assert work["annote"] == ENGLISH.lapsed_work and work["note"] == "rules.md"

    client.delete(f"api/documents/{added['id']}")
    text = exported(client, paths[0], "md", lang="de").text
    assert text.count(f"**{GERMAN.lapses['missing']}**") == 2
    # Nobody has named it: it is not called by a question that stands in it.
    assert text.startswith("# Gespräch vom 14. November 2023\n")
    assert text.count(questions[0]) == 1
    assert name_of(exported(client, paths[0], "md")) == "When is berth four closed.md"


def test_of_passages_those_go_along_that_answer(
    client: httpx.Client, api_folder: Path, answer: dict[str, Any]
) -> None:
    found = [*answer["citations"], *answer["closest"]]
    passages = [own | {"marker": number} for number, own in enumerate(found, start=1)]
    plain = {"verdict": "quoted", "conflicts": [], "item": False, "about": ""}
    said = [{"text": own["quote"], "markers": [own["marker"]], **plain} for own in passages]
    told = answer | {"status": "unsure", "sentences": said, "citations": passages}
    understood = "What happened in the end?"
    told |= {"standalone_question": understood, "context": "Who began it?", "closest": []}
    told |= {"question": "And then?"}
    with closing(Database(api_folder / "index")) as database:  # as if it had been given
        told["id"] = keep_answer(database, MACHINE, AnswerValue.model_validate(told))
    turn = {"id": "turn-0020", "question": "And then?", "state": "unsure", "answer": told}
    keep(client, "talk-0020", turn)

    def lines() -> list[str]:
        return exported(client, "conversations/talk-0020", "md").text.splitlines()

    all_ = lines()
    # The only question is the title.
    assert all_[0] == "# And then?" and "## And then?" not in all_
    assert f"*Understood as: “{understood}”*" in all_
    assert sum(line.startswith("“") for line in all_) == len(passages) > 2

    name = f"{passages[1]['document_id']}/{passages[1]['start']}"
    keep(client, "talk-0020", turn | {"noted": [name]})
    chosen = lines()
    assert f"*{ENGLISH.leads['chosen']}*" in chosen
    [passage] = [line for line in chosen if line.startswith("“")]
    assert passage.startswith(f"“{passages[1]['quote'][:20]}")
    assert sum(line.startswith("[^") for line in chosen) == 1

    # So is one that was found besides them.
    start = passages[0]["paragraph_start"] + 2
    beside = {"marker": 0, "start": start, "end": passages[0]["paragraph_end"]}
    beside = passages[0] | beside | {"quote": passages[0]["paragraph_text"][2:]}
    further = [{"searches": [], "passages": [beside]}]
    marked = f"{beside['document_id']}/{start}"
    keep(client, "talk-0020", turn | {"further": further, "noted": [marked]})
    [item] = [line for line in lines() if line.startswith("“")]
    assert item.startswith(f"“{beside['quote'][:20]}")

    keep(client, "talk-0020", turn | {"noted": []})
    none = lines()
    assert f"*{ENGLISH.leads['dismissed']}*" in none
    assert not any(line.startswith(("“", "- “", "[^")) for line in none)


HOUSE = """# House rules

## Leaving

### In the evening

Before you leave the house:

1. Close all of the
   windows.
2. Put out the lights.
3. Lock the door twice.

## Parties

Guests bring what they need:

- a blanket
- their own
  cup

Music ends at ten.
"""


def test_an_export_reads_as_a_document_does(client: httpx.Client, api_folder: Path) -> None:
    """Of passages, those that are lists are lists, whose items may go over lines; none stands below
    its headings."""
    added = client.post("api/documents", files={"file": ("house.md", HOUSE)}).json()
    numbers = range(2, added["paragraphs"] + 1)
    read = [client.get(f"api/documents/{added['id']}/paragraphs/{n}").json() for n in numbers]
    question = "When does the music end?"
    told = client.post("api/ask", json={"question": question, "documents": [added["id"]]}).json()
    passages = [
        told["citations"][0]
        | {key: own[key] for key in ("heading", "start", "end")}
        | {f"paragraph_{key}": own[key] for key in ("start", "end", "text", "kind")}
        | {"paragraph": own["number"], "quote": own["text"], "marker": marker}
        for marker, own in enumerate(read, start=1)
    ]
    plain = {"verdict": "quoted", "conflicts": [], "item": False, "about": ""}
    said = [
        {"text": " ".join(own["quote"].split()), "markers": [own["marker"]], **plain}
        for own in passages
    ]
    told |= {"status": "unsure", "confidence": 0.8, "sentences": said, "citations": passages}
    with closing(Database(api_folder / "index")) as database:
        told["id"] = keep_answer(database, MACHINE, AnswerValue.model_validate(told))
    turn = {"id": "turn-0030", "question": question, "state": "unsure", "answer": told}
    keep(client, "talk-0030", turn | {"asked": 1_700_000_000_000})
    place, evening = "House rules (house.md), ", "Leaving › In the evening › paragraph 2"
    listed = "1. Close all of the windows. / 2. Put out the lights. / 3. Lock the door twice."
    text = exported(client, "conversations/talk-0030", "md").text
    assert (
        text
        == f"""# {question}

*Possible answers · Medium confidence · Asked on 2023-11-14*

1. “Close all of the windows.
2. Put out the lights.
3. Lock the door twice.”[^1]

“Guests bring what they need:”[^2]

- “a blanket
- their own cup”[^3]

“Music ends at ten.”[^4]

[^1]: {place}{evening}: “{listed}”
[^2]: {place}Parties › paragraph 3: “Guests bring what they need:”
[^3]: {place}Parties › paragraph 4: “a blanket / their own cup”
[^4]: {place}Parties › paragraph 5: “Music ends at ten.”

## Sources

- House rules (house.md)
"""
    )
    client.delete(f"api/documents/{added['id']}")
    gone = exported(client, "conversations/talk-0030", "md", lang="de").text
    assert "*Mögliche Antworten · Verlässlichkeit: mittel · Gefragt am 14. November 2023*" in gone
    assert "\n2. Put out the lights.\n3. Lock the door twice.“[^1]\n" in gone
    assert gone.endswith("\n## Quellen\n\n- House rules (house.md)\n")
