"""Questions and claims by a language model: `python -m evals.training.writing MODEL DATA OUTPUT`.

For a sentence of a paragraph it writes a question that the sentence answers, in other words than
the sentence's; the sentence in other words; and a statement close to it that the paragraph does
not support. Interrupted, the same command goes on where it was. `making` takes the file by
`--written`.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from assistant.llm.client import LanguageModel, LanguageModelError, load_model
from assistant.settings import load_settings
from evals.training.examples import MASKED, Example, Pair, Passage
from index.chunking.sentences import sentence_spans
from index.terms.analysis import terms_of

SYSTEM = """You write test material for reading. You get a passage and one sentence of it. Answer \
with exactly three lines:
Question: a question that the sentence answers, as somebody would ask who has not read it. Use \
other words than the sentence wherever you can.
True: what the sentence says, in other words.
False: a statement about the same things that the passage does not support. Change one detail."""
SHOWN = (
    "Passage: The bridge was closed in March after cracks were found in two of its piers. Repairs "
    "will cost the county 4 million euros. Lorries take the ferry meanwhile.\n"
    "Sentence: The bridge was closed in March after cracks were found in two of its piers.",
    "Question: Why can nobody drive across the river there any more?\n"
    "True: Damage to a pair of supports led to the crossing being shut in March.\n"
    "False: The bridge was closed in March because a lorry had struck it.",
)
_LINES = re.compile(r"Question:\s*(.+\?)\s*\n+True:\s*(.+)\s*\n+False:\s*(.+)")
#: Characters of a sentence that is written about, and sentences around it that are shown.
SHORTEST, LONGEST, AROUND = 50, 320, 2
#: A question that holds more of the sentence's terms than this is in the sentence's words.
MOST_SHARED = 0.5


def write(
    model: Annotated[str, typer.Argument(help="A GGUF file, or as FOOTNOTE_LLM takes it.")],
    data: Annotated[Path, typer.Argument(help="Folder with qa.jsonl.gz, whose contexts are used.")],
    output: Annotated[Path, typer.Argument(help="Where the examples go, .jsonl.")],
    count: Annotated[int, typer.Option(min=1, help="Sentences to write about.")] = 1000,
    seed: int = 1,
) -> None:
    """Write three examples a sentence."""
    llm = load_model(load_settings(llm=model, llm_timeout=120))
    done = output.read_text(encoding="utf-8").count("\n") if output.exists() else 0
    started = time.monotonic()
    with output.open("a", encoding="utf-8") as lines:
        for number, (sentences, target) in enumerate(_places(data, seed)):
            if number >= count:
                break
            if number < done:
                continue
            made = _written(llm, sentences, target)
            lines.write(json.dumps(made, ensure_ascii=False) + "\n")
            lines.flush()
            if number % 20 == 19:
                seconds = (time.monotonic() - started) / (number + 1 - done)
                print(f"{number + 1:,} sentences, {seconds:.1f} s each", flush=True)  # noqa: T201


def _places(data: Path, seed: int) -> Iterator[tuple[list[str], int]]:
    """Sentences of the texts with those around them, at random."""
    with gzip.open(data / "qa.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = list(dict.fromkeys(json.loads(line)["context"] for line in lines))
    chance = random.Random(seed)  # noqa: S311 (not for secrets)
    chance.shuffle(texts)
    for text in texts:
        sentences = [text[a:b] for a, b in sentence_spans(text, 0, len(text))]
        fit = [i for i, s in enumerate(sentences) if SHORTEST <= len(s) <= LONGEST]
        if len(sentences) > 1 and fit and "<" not in text:
            target = chance.choice(fit)
            first = max(0, target - AROUND)
            yield sentences[first : target + AROUND + 1], target - first


def _written(llm: LanguageModel, sentences: list[str], target: int) -> dict[str, object]:
    """What was written about a sentence; without `question` where it cannot be used."""
    record: dict[str, object] = {"sentences": sentences, "target": target}
    told = f"Passage: {' '.join(sentences)}\nSentence: {sentences[target]}"
    messages = [("system", SYSTEM), ("user", SHOWN[0]), ("assistant", SHOWN[1]), ("user", told)]
    try:
        found = _LINES.search(llm.complete(messages, 120))
    except LanguageModelError as error:
        return record | {"error": str(error)}
    if found is None:
        return record
    question, true, false = (part.strip() for part in found.groups())
    return record | {"question": question, "true": true, "false": false}


def read_written(path: Path) -> Iterator[Example]:
    """The examples of what was written: a passage and two pairs for each sentence."""
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if "question" not in record:
            continue
        sentences, target = record["sentences"], record["target"]
        own = set(terms_of(sentences[target]))
        shared = len(own & set(terms_of(record["question"]))) / max(1, len(own))
        if shared <= MOST_SHARED:
            labels = [MASKED] * len(sentences)
            labels[target] = 1
            yield Passage(record["question"], tuple(sentences), tuple(labels), 1, "written")
        premise = " ".join(sentences)
        yield Pair(record["true"], premise, 1, "written true")
        if record["false"] not in premise:
            yield Pair(record["false"], premise, 0, "written false")


if __name__ == "__main__":
    typer.run(write)
