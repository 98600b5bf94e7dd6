"""What kind of answer a question asks for."""

from __future__ import annotations

import re

_SEVERAL = re.compile(
    r"\b(two|three|four|five|six|seven|eight|nine|ten|several|list|all|both|each|main|themes?|"
    r"ways|reasons|factors|examples|kinds|types|signs|aims|goals|steps|concerns|differ\w*|compar\w*|"
    r"contrast\w*|versus|vs|between|what are|which are|and (how|what|why|when|who))\b",
    re.IGNORECASE,
)


def asks_for_several(question: str) -> bool:
    """Whether the question asks for a list, a comparison, or more than one thing."""
    return _SEVERAL.search(question) is not None
