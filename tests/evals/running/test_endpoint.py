"""Another system, asked over OpenAI's protocol, and judged as Footnote itself is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from model_servers import Handler, free_port, serving
from question_sets import MILL, TOWN, Eval, read
from services import api

from evals.running import endpoint
from index.errors import SettingsError

SCHOOL = "The school teaches reading and masonry."
#: Figures that an endpoint does not tell.
UNTOLD = ("hit@", "recall@", "mrr", "ndcg", "mean_confidence", "right_", "aurc", "refusal_auroc")


def message(text: str | None, *annotations: dict[str, Any], **more: Any) -> dict[str, Any]:
    told = {"role": "assistant", "content": text, "annotations": list(annotations), **more}
    return {"choices": [{"index": 0, "message": told, "finish_reason": "stop"}]}


def url_citation(quote: str, text: str, mark: str, **more: Any) -> dict[str, Any]:
    start = text.index(mark)
    own = {"start_index": start, "end_index": start + len(mark), "quote": quote, **more}
    return {"type": "url_citation", "url_citation": own}


def says(*replies: dict[str, Any]) -> Callable[[Handler], None]:
    """A system that replies so to one question after the other."""
    left = list(replies)
    return lambda handler: handler.reply(200, left.pop(0) if len(left) > 1 else left[0])


@pytest.fixture
def ask(footnote_eval: Eval, town: Path, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Asks a system the questions of the town, or the first of them: the records by question."""

    def asked(chat: Callable[[Handler], None], *flags: str, limit: int = 6) -> dict[str, Any]:
        out = tmp_path / "out.json"
        with serving(chat) as (address, _):
            given = ("--model", "other", "--json", out, "--limit", str(limit), *flags)
            footnote_eval("endpoint", address, town, *given, index_dir=tmp_path)
        return read(out)

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
    assert theirs == {name: f for name, f in own.items() if not name.startswith(UNTOLD)}
    assert theirs["answered_right"]["value"] > 0 and theirs["withheld"]["n"] > 0
    compared = footnote_eval("compare", result, out, "--json", tmp_path / "c.json")
    assert "Right in B alone: 0" in compared and "Right in A alone: 0" in compared
    assert read(tmp_path / "c.json")["alone"] == 0
    assert "Retrieved" not in page.read_text()


TEXT = "It burned down [1]. It was built anew."
QUOTED = f"As the report has it, “{MILL}”"


@pytest.mark.parametrize(
    "reply, outcome, validity",
    [
        # What an annotation quotes, in either form of the protocol.
        (message(TEXT, url_citation(MILL, TEXT, "[1]")), "right", 1),
        (message("Then.", {"type": "file_citation", "quote": MILL, "filename": "x"}), "right", 1),
        # Whatever white space and quotation marks are in it.
        (
            message("Then.", {"type": "file_citation", "quote": "The  mill\nburned down"}),
            "right",
            1,
        ),
        (message("Then.", {"type": "file_citation", "quote": "The mill … in 1871"}), "right", 1),
        (message("Then.", {"type": "file_citation", "quote": SCHOOL}), "wrong", 1),
        # Words that nobody wrote are no citation, and what cites nothing is no answer.
        (message("Then.", {"type": "file_citation", "quote": "It burned in 1999."}), "refused", 0),
        # Without any, quotes in the text, and without those its sentences.
        (message(QUOTED), "right", 1),
        (message('It says "The mill burned down in 1871." there.'), "right", 1),
        (message("“The mill burned down in 1999.”"), "refused", 0),
        (message(f"I have read it. {MILL}"), "right", 1),
        (message([{"type": "text", "text": MILL}]), "right", 1),  # type: ignore[arg-type]
        (message("It burned in the year of the war."), "refused", None),
        # What says that it is a refusal is one, whatever it cites.
        (message(f"I don\u2019t know. {MILL}"), "refused", 1),
        (message(None, refusal="I can't help with that."), "refused", None),
        (message(""), "refused", None),
    ],
)
def test_citations_are_found_and_refusals_told(
    ask: Callable[..., dict[str, Any]], reply: dict[str, Any], outcome: str, validity: float | None
) -> None:
    data = ask(says(reply), limit=1)
    assert data["records"][0]["outcome"] == outcome
    assert data["figures"]["citation_validity"]["value"] == validity


def test_each_is_judged_and_what_is_made_up_is_counted(ask: Callable[..., dict[str, Any]]) -> None:
    """A system that cites what answers, makes one quote up, and answers what it should not."""

    def chat(handler: Handler) -> None:
        asked = handler.said["messages"][-1]["content"]
        quote = TOWN[asked] or SCHOOL
        if asked.startswith("How long"):
            quote = "The bridge is 12 metres long, they say."
        handler.reply(200, message(f"I say: “{quote}”"))

    data = ask(chat)
    figures = {name: own["value"] for name, own in data["figures"].items() if own["n"]}
    assert figures["answered_right"] == 0.75
    assert figures["refused_answerable"] == 0.25
    assert figures["answer_precision"] == 0.6
    assert figures["withheld"] == 0
    assert figures["citation_validity"] == pytest.approx(5 / 6, abs=1e-5)


def test_a_passage_may_be_cited_by_its_name(
    footnote_eval: Eval, passages: Path, tmp_path: Path
) -> None:
    """Where the set is of passages, which are what is cited; elsewhere a name says too little."""
    cites = {"type": "file_citation", "file_citation": {"file_id": "f", "filename": "p0.txt"}}
    out = tmp_path / "out.json"
    with serving(says(message("In 1871.", cites))) as (address, _):
        footnote_eval("endpoint", address, passages, "--model", "m", "--json", out)
    outcomes = {record["id"]: record["outcome"] for record in read(out)["records"]}
    assert outcomes == {"q0": "right", "q1": "unfounded", "q2": "wrong"}


def test_other_words_of_refusal_can_be_given(ask: Callable[..., dict[str, Any]]) -> None:
    reply = message(f"No idea at all. {MILL}")
    assert ask(says(reply), limit=1)["records"][0]["outcome"] == "right"
    found = ask(says(reply), "--refusal", "no IDEA", limit=1)
    assert found["records"][0]["outcome"] == "refused"


def test_what_fails_is_named_and_counts_as_nothing_else(
    footnote_eval: Eval, town: Path, tmp_path: Path
) -> None:
    def chat(handler: Handler) -> None:
        asked = handler.said["messages"][-1]["content"]
        if asked.startswith("When did"):
            handler.reply(500, {"error": {"message": "It fell over."}})
        elif asked.startswith("Who owns"):
            handler.close_connection = True  # without a word
        elif asked.startswith("How long"):
            handler.reply(200, {"choices": []})
        elif asked.startswith("When is"):
            handler.reply(200, message("The documents do not say."))
        else:
            handler.reply(200, message(TOWN[asked] or ""))

    out, page = tmp_path / "out.json", tmp_path / "out.html"
    with serving(chat) as (address, _):
        flags = ("--model", "m", "--json", out, "--html", page)
        told = footnote_eval("endpoint", address, town, *flags)
    assert "town: no reply came to 3 of 6 questions." in told
    assert "replied with 500: It fell over." in told
    assert "t3: The connection broke: " in told
    assert "no chat completion" in told
    data = read(out)
    assert [own["outcome"] for own in data["records"]] == [
        "failed", "right", "failed", "failed", "right", "right",
    ]  # fmt: skip
    figures = data["figures"]
    assert figures["no_reply"]["value"] == 0.5
    assert figures["answered_right"]["value"] == figures["withheld"]["value"] == 0.5
    assert figures["refused_answerable"]["value"] == figures["answered_unanswerable"]["value"] == 0
    assert "No reply came" in page.read_text() and "It fell over." in page.read_text()


def test_what_takes_too_long_has_failed(ask: Callable[..., dict[str, Any]]) -> None:
    data = ask(lambda handler: handler.over.wait() and None, "--timeout", "0.1", limit=1)
    assert data["records"][0]["note"] == "There was no reply within 0.1 s."
    assert data["figures"]["no_reply"] == {"value": 1.0, "n": 1, "low": None, "high": None}


def test_the_key_is_sent_and_never_shown(
    footnote_eval: Eval, town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER_KEY", "sk-very-secret")
    out = tmp_path / "out.json"
    fails = {"error": {"message": "The key sk-very-secret has no credit."}}
    with serving(lambda handler: handler.reply(402, fails)) as (address, server):
        flags = ("--model", "m", "--key-env", "OTHER_KEY", "--json", out, "--limit", "2")
        told = footnote_eval(
            "endpoint", address, town, *flags, "--system", "Quote.", "--body", '{"temperature": 0}'
        )
    assert server.keys == ["Bearer sk-very-secret"] * 2
    assert "has no credit" in told
    assert "sk-very-secret" not in told + out.read_text()
    first = server.asked[0]
    assert (first["model"], first["temperature"], first["stream"]) == ("m", 0, False)
    assert [own["role"] for own in first["messages"]] == ["system", "user"]


@pytest.mark.parametrize("wait", ["7", "nan", "inf", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_busy_server_is_asked_again(
    ask: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch, wait: str
) -> None:
    monkeypatch.setattr(endpoint, "MAX_WAIT", 0.0)
    left = [429, 503]

    def chat(handler: Handler) -> None:
        if left:
            handler.reply(left.pop(0), {"error": {"message": "later"}}, retry_after=wait)
        else:
            handler.reply(200, message(MILL))

    assert ask(chat, limit=1)["records"][0]["outcome"] == "right"


def test_what_is_wrong_for_all_questions_ends_it_and_it_goes_on_there(
    footnote_eval: Eval, town: Path, tmp_path: Path
) -> None:
    port = free_port()
    flags = ("--model", "m", "--json", tmp_path / "out.json")
    with pytest.raises(SettingsError, match="Nothing answers at"):
        footnote_eval("endpoint", f"http://127.0.0.1:{port}/v1", town, *flags)
    asked = []

    def chat(handler: Handler) -> None:
        asked.append(handler.said["messages"][-1]["content"])
        if len(asked) == 3:
            handler.reply(401, {"error": {"message": "Who are you?"}})
        else:
            handler.reply(200, message(MILL))

    with serving(chat, port=port) as (address, _):
        with pytest.raises(SettingsError, match=r"401: Who are you\?\. Look at the address"):
            footnote_eval("endpoint", address, town, *flags)
        told = footnote_eval("endpoint", address, town, *flags)
    assert "went on after 2 questions" in told
    assert len(asked) == 3 + 4


@pytest.mark.parametrize(
    "address, flags, reason",
    [
        ("localhost:1/v1", (), "no address"),
        ("http://me:secret@localhost/v1", (), "more than where"),
        ("http://localhost/v1?key=secret", (), "more than where"),
        ("http://localhost/v1", ("--body", "{"), "not JSON"),
        ("http://localhost/v1", ("--body", "[1]"), "must be like"),
    ],
)
def test_mistakes_are_told(
    footnote_eval: Eval, town: Path, address: str, flags: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(Exception, match=reason) as told:
        footnote_eval("endpoint", address, town, "--model", "m", *flags)
    assert "secret" not in str(told.value)
