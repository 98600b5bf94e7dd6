"""A question in, a cited answer out.

from assistant import Assistant

with Assistant.open("report.txt") as assistant:
    answer = assistant.ask("When was it released?")
    print(answer)
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.answer import Answer, AnswerSentence, Citation
    from assistant.assistant import Assistant
    from assistant.settings import Settings
    from index.errors import FootnoteError

__all__ = ["Answer", "AnswerSentence", "Assistant", "Citation", "FootnoteError", "Settings"]

_HOMES = {
    "assistant.answer": ("Answer", "AnswerSentence", "Citation"),
    "assistant.assistant": ("Assistant",),
    "assistant.settings": ("Settings",),
    "index.errors": ("FootnoteError",),
}


def __getattr__(name: str) -> object:
    """What is offered is imported when it is first asked for: the command's help needs none."""
    for home, names in _HOMES.items():
        if name in names:
            globals()[name] = found = getattr(import_module(home), name)
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
