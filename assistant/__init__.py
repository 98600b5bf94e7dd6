"""A question in, a cited answer out.

from assistant import Assistant

with Assistant.open("report.txt") as assistant:
    answer = assistant.ask("When was it released?")
    print(answer)
"""

from typing import TYPE_CHECKING

from index.public_names import lazy_names

if TYPE_CHECKING:
    from assistant.answer import Answer, AnswerSentence, Citation
    from assistant.assistant import Assistant
    from assistant.settings import Settings
    from index.errors import FootnoteError

__all__ = ["Answer", "AnswerSentence", "Assistant", "Citation", "FootnoteError", "Settings"]

__getattr__ = lazy_names(
    globals(),
    {
        "assistant.answer": ("Answer", "AnswerSentence", "Citation"),
        "assistant.assistant": ("Assistant",),
        "assistant.settings": ("Settings",),
        "index.errors": ("FootnoteError",),
    },
)
