"""Text in a document that speaks to a language model instead of to a reader.

Such a sentence can be quoted like any other. It is not put before a language model, and it is no
evidence for what one writes.
"""

from __future__ import annotations

import re

_TO_A_MODEL = re.compile(
    r"<\|[^|<>]*\|>|\[/?INST\]|<</?SYS>>|<(start|end)_of_turn>|"
    r"^\W*(system|assistant|user|developer|human|ai)( prompt| message)?\s*[:>\]]|"
    r"\b(ignore|disregard|forget|override|bypass)\b.{0,40}\b(instruction|rule|prompt|fact|above|"
    r"previous|prior|earlier|everything|document|text|evidence|constraint|polic)|"
    r"\b(new|updated|secret|hidden|system) (instructions?|prompt)\b|"
    r"\byou (are|must|should|will|have to|shall) (now|always|never|answer|reply|respond|say|"
    r"state|output|print|repeat|pretend|obey|an? (ai|assistant|model|chatbot))\b|"
    r"^\W*(please |now |then |instead |and )*(answer|reply|respond|say|write|output|print|repeat|"
    r"append|translate|tell|pretend|act|cite|begin|end)\b|"
    r"\b(as an ai|jailbreak|developer mode|your (system )?prompt|your instructions|"
    r"(to|for) the (ai|language model|assistant))\b|"
    r"\[\d+\]\s*(supports|confirms|says)",
    re.IGNORECASE,
)


def instructs(text: str) -> bool:
    """Whether a sentence tells a language model what to do, as far as its wording shows."""
    return _TO_A_MODEL.search(text) is not None
