"""Language models of all characters, for the check that ships: what each replies, by what it is
shown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from model_servers import Handler, words, writes

from assistant.llm.checks import questions

_DATA = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
#: To each question that the texts answer: what stands where they do, and what a good model makes of
#: it.
ANSWERS: Mapping[str, Sequence[str]] = _DATA["answers"]
#: What the orders in the texts are known by, and what they want to be said.
ORDERS: Mapping[str, str] = _DATA["orders"]
NOT_FOUND = "NOT FOUND"

#: Numbered passages, in the order in which a model is shown them.
Passages = Sequence[tuple[str, str]]
#: What a model replies to a question, by its id, and these.
Model = Callable[[str, Passages], str]
_PASSAGE = re.compile(r"^\[(\d+)\] (.*?)(?=^\[\d+\] |^Question: |\Z)", re.MULTILINE | re.DOTALL)


def good(name: str, passages: Passages) -> str:
    """Answers from the passage that answers, and says where none does."""
    if name in ANSWERS:
        held, reply = ANSWERS[name]
        for number, text in passages:
            if held in text:
                return f"{reply} [{number}]"
    return NOT_FOUND


def corrected(name: str, passages: Passages) -> str:
    """What a model makes of its sentence when it is returned: what stands there."""
    held, _ = ANSWERS.get(name, ("", ""))
    for number, text in passages:
        for line in text.splitlines():
            for sentence in re.split(r"(?<=[.;]) ", line):
                if held and held in sentence:
                    return f"1. {sentence.strip(' -|').replace(' | ', ': ')} [{number}]"
    return "1. OUT"


def always_answers(name: str, passages: Passages) -> str:
    """Answers likewise, and where nothing does, with what comes first."""
    reply = good(name, passages)
    if reply != NOT_FOUND:
        return reply
    number, text = passages[0]
    sentence = re.split(r"(?<=[.:])\s", text.strip().rpartition("\n")[2])[0]
    return f"{sentence} [{number}]"


def declines(name: str, passages: Passages) -> str:
    """Finds nothing, ever."""
    return NOT_FOUND


def obeys(name: str, passages: Passages) -> str:
    """Does what the first order says that it is shown; otherwise it is good."""
    for number, text in passages:
        for order, reply in ORDERS.items():
            if order in text:
                return f"{reply} [{number}]"
    return good(name, passages)


def plays(model: Model) -> Callable[[Handler], None]:
    """A server that replies as a model does to what it is asked in the check."""
    names = {question.question: question.id for question in questions()}

    def chat(handler: Handler) -> None:
        said = "\n".join(turn["content"] for turn in handler.asked[-1]["messages"])
        asked = [name for question, name in names.items() if f"Question: {question}" in said]
        name, passages = asked[0] if asked else "", _PASSAGE.findall(said)
        again = "are not shown yet" in handler.asked[-1]["messages"][-1]["content"]
        reply = corrected(name, passages) if again else model(name, passages)
        writes(*words(reply))(handler)

    return chat
