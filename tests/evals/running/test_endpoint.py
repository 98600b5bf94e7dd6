"""Another system, asked over OpenAI's protocol, and judged as Footnote itself is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from model_servers import Handler, free_port, serving
from question_sets import MILL, TOWN, Eval, read
from services import api

from evals.metrics.metrics import GROUPS
from evals.running import endpoint
from index.errors import SettingsError

SCHOOL = "The school teaches reading and masonry."
Ask = Callable[..., dict[str, Any]]


def message(text: Any, *annotations: dict[str, Any], **more: Any) -> dict[str, Any]:
    told = {"role": "assistant", "content": text, "annotations": list(annotations), **more}
    return {"choices": [{"index": 0, "message": told, "finish_reason": "stop"}]}


def cites(quote: str) -> dict[str, Any]:
    return {"type": "url_citation", "url_citation": {"start_index": 0, "quote": quote}}


@pytest.fixture
def ask(footnote_eval: Eval, town: Path, tmp_path: Path) -> Ask:
    """Asks a system the questions of the town, or the first of them: the result, and under `said`
    what was printed."""

    def asked(chat: Callable[[Handler], None], *flags: str, limit: int = 6) -> dict[str, Any]:
        out = tmp_path / "out.json"
        with serving(chat) as (address, _):
            given = ("--model", "other", "--json", out, "--limit", str(limit), *flags)
            said = footnote_eval("endpoint", address, town, *given, index_dir=tmp_path)
        return read(out) | {"said": said}

    return asked


def test_footnote_has_the_same_figures_through_its_endpoint(
    footnote_eval: Eval, subset: Path, result: Path, tmp_path: Path
) -> None:
    """Asked by a client of its own server, follow-ups included, that knows nothing of Footnote."""
    out, page = tmp_path / "b.json", tmp_path / "b.html"
    with api(tmp_path) as url:
        flags = ("--model", "footnote", "--json", out, "--html", page)
        footnote_eval("endpoint", f"{url}v1", subset, *flags)
    own, theirs = read(result)["figures"], read(out)["figures"]
    told = {*GROUPS["Answers"], *GROUPS["Citations"]}
    assert {name: f for name, f in theirs.items() if name != "answer_ms"} == {
        name: f for name, f in own.items() if name in told
    }
    assert theirs["answered_right"]["value"] > 0 and theirs["withheld"]["n"] > 0
    assert theirs["answer_ms"]["value"] > 0
    compared = footnote_eval("compare", result, out)
    assert "Right in B alone: 0" in compared and "Right in A alone: 0" in compared
    assert "in one of them alone" not in compared
    assert "Retrieved" not in page.read_text()


@pytest.mark.parametrize(
    "reply, outcome, validity",
    [
        # What an annotation quotes, in either form of the protocol, whatever white space is in it.
        (message("It burned down [1].", cites(MILL)), "right", 1),
        (
            message("Then.", {"type": "file_citation", "quote": "The  mill\nburned down"}),
            "right",
            1,
        ),
        (message("Then.", cites(SCHOOL)), "wrong", 1),
        # Words that nobody wrote are no citation, and what cites nothing is no answer.
        (message("Then.", cites("It burned in 1999.")), "refused", 0),
        # Without any, quotes in the text.
        (message(f"As the report has it, “{MILL}”"), "right", 1),
        (message('It says "The mill burned down in 1871." there.'), "right", 1),
        (message("“The mill burned down in 1999.”"), "refused", 0),
        (message("It burned in “1871”."), "refused", None),
        # What says that it is a refusal is one, whatever it cites.
        (message(f"Not found in your documents. “{MILL}”"), "refused", 1),
        (message(None, refusal="I can't help with that."), "refused", None),
        (message("Possible answers:\nIt burned [1].", cites(MILL)), "unsure", 1),
        (message(""), "refused", None),
    ],
)
def test_citations_are_found_and_refusals_told(
    ask: Ask, reply: dict[str, Any], outcome: str, validity: float | None
) -> None:
    data = ask(lambda handler: handler.reply(200, reply), limit=1)
    assert data["records"][0]["outcome"] == outcome
    assert data["figures"]["citation_validity"]["value"] == validity


def test_what_fails_is_told_and_counts_as_nothing_else(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system that cites what answers, answers what it should not, and breaks down."""
    monkeypatch.setattr(endpoint, "WAITS", (0.0, 0.0, 0.0))
    busy = [429, 503]

    def chat(handler: Handler) -> None:
        asked = handler.said["messages"][-1]["content"]
        if busy:
            handler.reply(busy.pop(), {"error": {"message": "later"}})
        elif asked.startswith("When did"):
            handler.reply(500, {"error": {"message": "It fell over."}})
        elif asked.startswith("Who owns"):
            handler.close_connection = True  # without a word
        elif asked.startswith("How long"):
            handler.reply(200, {"choices": []})
        else:
            handler.reply(200, message("So.", cites(TOWN[asked] or SCHOOL)))

    data = ask(chat)
    outcomes = [own["outcome"] for own in data["records"]]
    assert outcomes == ["failed", "right", "failed", "failed", "right", "unfounded"]
    assert data["outcomes"] == {
        "answerable": {"failed": 2, "right": 2},
        "unanswerable": {"failed": 1, "unfounded": 1},
    }
    figures = data["figures"]
    assert figures["answered_right"]["value"] == 0.5
    assert figures["answer_precision"]["value"] == pytest.approx(2 / 3, abs=1e-5)
    assert figures["withheld"]["value"] == 0
    for reason in ("replied with 500: ", "It fell over.", "No reply came: ", "no chat completion"):
        assert reason in data["said"]


def test_what_takes_too_long_has_failed(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "TIMEOUT", 0.1)
    data = ask(lambda handler: handler.over.wait() and None, limit=1)
    assert data["records"][0]["note"] == "No reply came: timed out."


def test_the_key_is_sent_and_never_shown(
    footnote_eval: Eval, town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENDPOINT_API_KEY", "sk-very-secret")
    out = tmp_path / "out.json"
    fails = {"error": {"message": "The key sk-very-secret has no credit."}}
    with serving(lambda handler: handler.reply(402, fails)) as (address, server):
        flags = ("--model", "m", "--json", out, "--limit", "2", "--system", "Quote.")
        told = footnote_eval("endpoint", address, town, *flags)
    assert server.keys == ["Bearer sk-very-secret"] * 2
    assert "has no credit" in told
    assert "sk-very-secret" not in told + out.read_text()
    first = server.asked[0]
    assert (first["model"], first["stream"]) == ("m", False)
    assert [own["role"] for own in first["messages"]] == ["system", "user"]


def test_what_is_wrong_for_all_questions_ends_it_and_it_goes_on_there(
    footnote_eval: Eval, town: Path, tmp_path: Path
) -> None:
    port = free_port()
    flags = ("--model", "m", "--json", tmp_path / "out.json")
    with pytest.raises(SettingsError, match="Nothing answers at"):
        footnote_eval("endpoint", f"http://127.0.0.1:{port}/v1", town, *flags)
    asked: list[str] = []

    def chat(handler: Handler) -> None:
        asked.append(handler.said["messages"][-1]["content"])
        if len(asked) == 3:
            handler.reply(401, {"error": {"message": "Who are you?"}})
        else:
            handler.reply(200, message("So.", cites(MILL)))

    with serving(chat, port=port) as (address, _):
        with pytest.raises(SettingsError, match=r"(?s)401: .*Who are you.*Look at the address"):
            footnote_eval("endpoint", address, town, *flags)
        told = footnote_eval("endpoint", address, town, *flags)
    assert "went on after 2 questions" in told
    assert len(asked) == 3 + 4


@pytest.mark.parametrize(
    "address",
    ["localhost:1/v1", "http://me:secret@localhost/v1", "http://localhost/v1?key=secret"],
)
def test_an_address_holds_no_more_than_where_it_is(
    footnote_eval: Eval, town: Path, address: str
) -> None:
    with pytest.raises(SettingsError, match="must be like http://host:port/v1") as told:
        footnote_eval("endpoint", address, town, "--model", "m")
    assert "secret" not in str(told.value)
