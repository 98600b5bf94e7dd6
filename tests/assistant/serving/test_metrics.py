"""What is counted of what a language model did."""

from __future__ import annotations

from dataclasses import replace

from assistant import Assistant
from assistant.answer import Outcome, Writing
from assistant.events import Done
from assistant.serving.metrics import Metrics


def test_what_a_language_model_did_is_counted(assistant: Assistant) -> None:
    metrics = Metrics(lambda: 0, lambda: 0, lambda: None)
    answer = assistant.ask("When was the US Indo-Pacific strategy released?")

    def done(outcome: Outcome, dropped: int, **more: int) -> Done:
        writing = Writing("tiny", "unchecked", outcome, **more)
        return Done(replace(answer, dropped=dropped, writing=writing))

    events = [
        Done(answer),  # quoted, where no model is set
        done("written", 1, returned=2, calls=2, prompt_tokens=4000, completion_tokens=90),
        done("written", 0, calls=1, prompt_tokens=3000, completion_tokens=10),
        done("failed", 0, calls=1),  # it has not told
    ]
    assert list(metrics.counted(events)) == events
    lines = metrics.text().decode().splitlines()
    for line in (
        'footnote_questions_total{status="answered"} 4.0',
        'footnote_llm_questions_total{outcome="written"} 2.0',
        'footnote_llm_questions_total{outcome="failed"} 1.0',
        'footnote_llm_questions_total{outcome="declined"} 0.0',
        "footnote_llm_calls_total 4.0",
        'footnote_llm_tokens_total{kind="prompt"} 7000.0',
        'footnote_llm_tokens_total{kind="completion"} 100.0',
    ):
        assert line in lines, line
