"""Questions and claims in other words than those of short texts that were written for this.

What people ask of their own documents is seldom in the words of these, and seldom about an
encyclopaedia, as nearly all data to learn from is. The archive `texts.zip` holds documents of many
kinds with questions and claims about them, all of them invented. Each line begins with what it is:

    D a document's title
    H a heading in it
    P a paragraph | sentence by sentence
    2 a question that the second sentence answers
    2,4 a question that the second and the fourth sentence answer
    0 a question near to the paragraph that nothing in its document answers
    + a claim that the paragraph supports
    - a claim near to it that the paragraph does not support
"""

from __future__ import annotations

from importlib.resources import files
from zipfile import ZipFile

from evals.training.examples import LabelledDocument, LabelledParagraph


def read_authored(text: str | None = None) -> list[LabelledDocument]:
    """The documents.

    Args:
        text: in the format told above; None reads all that was written.

    Raises:
        ValueError: a line does not follow the format, or a sentence number is out of range.
    """
    if text is None:
        with ZipFile(str(files("evals.training") / "texts.zip")) as parts:
            text = "\n".join(parts.read(name).decode() for name in sorted(parts.namelist()))
    documents: list[LabelledDocument] = []
    heading = ""
    for line in text.splitlines():
        kind, _, told = line.partition(" ")
        own = documents[-1].paragraphs if documents else []
        if kind == "D":
            documents.append(LabelledDocument(told))
            heading = ""
        elif kind == "H":
            heading = told
        elif kind == "P" and documents:
            own.append(LabelledParagraph(heading, tuple(told.split(" | "))))
        elif own and (answers := _answers(kind, len(own[-1].sentences))) is not None:
            own[-1].questions.append((answers, told))
        elif kind in ("+", "-") and own:
            own[-1].claims.append((kind == "+", told))
        elif line and kind != "#":
            raise ValueError(f"A line of the texts says nothing: {line!r}")
    return documents


def _answers(kind: str, sentences: int) -> tuple[int, ...] | None:
    """The numbers of the answering sentences, () for 0; None if it is not a valid list of numbers
    up to `sentences`."""
    if kind == "0":
        return ()
    parts = kind.split(",")
    numbers = tuple(sorted(int(part) for part in parts if part.isdecimal()))
    whole = len(numbers) == len(parts) and all(0 < number <= sentences for number in numbers)
    return numbers if whole else None
