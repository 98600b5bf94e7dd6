"""A question made fit to be asked, without what people say around it: a search takes every word for
one that matters."""

from __future__ import annotations

import re

from assistant.english import content_stems
from index.errors import QuestionError

MAX_QUESTION = 4000  # characters; the encoder reads about a quarter of that
#: Words that carry meaning: what has fewer says nothing to go on with.
SAYS = 2
CLOSING = 200  # characters in which a question comes to its end

# What is answered from. "The article" may be one that it tells of; "this article" is the document.
_THIS = (
    r"(?:(?:this|these|your|my) (?:\w+ )?(?:article|report|paper|book|source|material|note)s?|"
    r"(?:the|this|that|these|those|your|my) (?:\w+ )?(?:text|document|passage|file|page|pdf)s?)"
)
_BEFORE = re.compile(
    r"\W*(?:"
    # "Hello there!", "I have a question about this text:"
    r"(?:hi|hello|hey|good (?:morning|afternoon|evening)|thanks|thank you|please|ok|okay|sorry|"
    r"excuse me)(?: there| all| everyone)?[\s,.!:;-]+|"
    r"(?:just )?(?:i have |i['\u2019]ve got |here(?: is|['\u2019]s) )?(?:an? |one |another |my )?"
    rf"(?:quick |short |last )?question(?: (?:about|on|regarding) {_THIS})?\s*[,.!:;-]\s*|"
    # "Could you please tell me about", "I would like to know", "do you know"
    r"(?:(?:can|could|would|will) (?:you|u)(?: please| kindly)? (?:tell|show|explain|describe|say|"
    r"help|let|remind)|(?:tell|show|explain|remind|give)(?=(?: to)? (?:me|us)\b)|"
    r"(?:i|we)(?:['\u2019]d| would)?(?: really)? (?:like|want|need|wish|love) to (?:know|ask|learn|"
    r"understand|find out|hear))\b(?: to)?(?: me| us| you)?(?: know| understand)?"
    r"(?: (?:a|a little|some|something|more)(?: bit| more)?(?= about))?(?: about)?[\s,:]+|"
    r"(?:i(?: was|['\u2019]m| am)? wonder(?:ing|ed)?|do you (?:happen to )?know|may i ask|"
    r"let me ask|can i ask)(?: you)?(?: about)?[\s,:]+|"
    # "according to this report", "what does the text say about"
    rf"(?:according to|in|from|based on|as per|going by) {_THIS}[\s,:]+|"
    rf"what (?:does|do|did) {_THIS} (?:say|tell(?: me| us)?|mention|state|explain|have to say)"
    r" (?:about|on|of|regarding)(?: (?:this|the following):)?\s+)+",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"(?:[\s,;.!?]+(?:(?:many )?thanks(?: a lot| in advance)?|thank you(?: (?:very|so) much)?|"
    r"cheers|(?<!they )(?<!you )(?<!we )(?<!he )(?<!one )please)|"
    r"[,;.!?]\s*(?:please )?(?:answer|reply|respond|explain|keep it|be)\b[^.?!]{0,80}+|"
    rf"[\s,]+(?:according to|in) {_THIS})+\W*$",
    re.IGNORECASE,
)


def check_question(question: str) -> str:
    """A question that can be asked: without white space around it and without halves of characters.

    Raises:
        QuestionError: it is empty or too long.
    """
    if not question.strip():
        raise QuestionError("The question is empty. Ask something about the documents.")
    if len(question) > MAX_QUESTION:
        raise QuestionError(
            f"The question has {len(question):,} characters; at most {MAX_QUESTION:,} are taken. "
            "Ask about one thing at a time."
        )
    return without_surrogates(question.strip())


def without_surrogates(text: str) -> str:
    """Lone surrogates (bytes that the terminal's encoding does not have) replaced: no tokenizer
    and no output takes them."""
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)


def without_courtesies(question: str) -> str:
    """What is asked, without the courtesies around it ("Could you tell me ..., please?") and
    without the document being pointed at ("according to the text"). What says too little without
    them stays as it is.
    """
    before = _BEFORE.match(question)
    after = _AFTER.search(question, max(0, len(question) - CLOSING))
    bare = question[before.end() if before else 0 : after.start() if after else None].strip()
    if not (before or after) or len(content_stems(bare)) < SAYS:
        return question
    end = "" if bare.endswith(("?", ".", "!")) else "?"
    return bare[0].upper() + bare[1:] + end
