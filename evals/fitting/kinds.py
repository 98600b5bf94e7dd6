"""Fits what tells kinds of questions apart (see `assistant.query.kinds`).

The questions are in `evals/questions/kinds.jsonl`, most with `{topic}` where a topic of its first
line is put in; beside them questions of any other set count as asking for a fact, which are what
is asked most. One form of question in FOLDS is left out in turn, with all that was made of it, to
tell how well the others tell its kind.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from assistant.query.kinds import FACT, Kinds
from evals.datasets.json_lines import read_objects
from index.encoder import Encoder
from index.errors import QuestionSetError
from index.terms.analysis import terms_of

#: Topics that are put into a form, and how often one without counts. Not tuned.
TOPICS, TIMES = 8, 3
#: Of the cross-validation, and the seed that everything by chance hangs on. Not tuned.
FOLDS, SEED = 5, 0
#: Slots for a topic, and for another one.
TOPIC, OTHER = "{topic}", "{other}"
#: Inverse of the penalty on the weights. With 10 and 40 as many forms that were left out are told
#: apart, to within 3 of 100 in the mean.
INVERSE_PENALTY = 20.0


@dataclass(frozen=True, slots=True)
class Forms:
    """Forms of questions, and what is put into them.

    Attributes:
        forms: (kind, form), with TOPIC, and OTHER, where a topic goes.
        topics: to put there.
    """

    forms: tuple[tuple[str, str], ...]
    topics: tuple[str, ...]


def read_forms(path: Path) -> Forms:
    """Read `kinds.jsonl`.

    Raises:
        QuestionSetError: it is malformed; names file and line.
    """
    forms: list[tuple[str, str]] = []
    topics: list[str] = []
    for number, data in read_objects(path):
        try:
            if "topics" in data:
                topics += [str(topic) for topic in data["topics"]]
            else:
                forms.append((str(data["kind"]), str(data["question"])))
        except (KeyError, TypeError) as error:
            raise QuestionSetError(
                f"{path}:{number}: not a form of a question ({error!r}): it is "
                '{"kind": "overview", "question": "Summarize {topic}."} or {"topics": [...]}.'
            ) from error
    if not topics or len({kind for kind, _ in forms}) < 2:
        raise QuestionSetError(f"{path} needs a line of topics, and forms of two kinds or more.")
    return Forms(tuple(forms), tuple(topics))


def fit_kinds(
    forms: Forms, facts: Sequence[str], encoder: Encoder
) -> tuple[dict[str, Any], dict[str, float]]:
    """Fit, and measure how well each kind is recognised where its form was left out.

    Args:
        forms: those that were written for it.
        facts: questions that ask for a fact.
        encoder: makes their vectors.

    Returns:
        What `kinds.json` keeps of the encoder; and by kind the share of the forms that were left
        out and taken for what they are (all that was made of a form counts as one).
    """
    chance = random.Random(SEED)  # noqa: S311 (not for secrets)
    made: list[tuple[int, str, str]] = []  # the form's number, its kind, the question
    for number, (kind, form) in enumerate(forms.forms):
        topics = [""] * TIMES
        if TOPIC in form:
            topics = chance.sample(forms.topics, min(TOPICS, len(forms.topics)))
        for topic, other in zip(topics, topics[1:] + topics[:1], strict=True):
            made.append((number, kind, form.replace(TOPIC, topic).replace(OTHER, other)))
    made += [(n, FACT, fact) for n, fact in enumerate(facts, start=len(forms.forms))]
    once = {text: encoder.encode_query(text) for text in dict.fromkeys(text for *_, text in made)}
    vectors = np.array([once[text] for *_, text in made])
    form_of, labels = np.array([own[0] for own in made]), np.array([own[1] for own in made])
    fitted = _fit(vectors, labels)
    right: dict[str, list[float]] = {}
    fold = np.array([random.Random(f"{SEED} {n}").randrange(FOLDS) for n in form_of])  # noqa: S311
    for number in range(FOLDS):
        inside = fold == number
        own = _fit(vectors[~inside], labels[~inside])
        for form_number in np.unique(form_of[inside]):
            rows = np.flatnonzero(form_of == form_number)
            told = [own.kind(vectors[row]) == labels[row] for row in rows]
            right.setdefault(str(labels[rows[0]]), []).append(float(np.mean(told)))
    entry = {
        "kinds": list(fitted.names),
        "weights": np.round(fitted.weights, 3).tolist(),
        "intercepts": np.round(fitted.intercepts, 3).tolist(),
    }
    return entry, {kind: float(np.mean(own)) for kind, own in sorted(right.items())}


def request_stems(forms: Forms) -> dict[str, list[str]]:
    """By kind, stems of what stands around the topic where something is asked about it."""
    found: dict[str, set[str]] = {}
    for kind, form in forms.forms:
        if kind != FACT:
            around = form.replace(TOPIC, " ").replace(OTHER, " ")
            found.setdefault(kind, set()).update(terms_of(around))
    return {kind: sorted(stems) for kind, stems in sorted(found.items())}


def read_facts(paths: Sequence[Path]) -> list[str]:
    """The questions of files of JSON lines that have one each, in order, each once.

    Raises:
        QuestionSetError: a line has none; names file and line.
    """
    found: dict[str, None] = {}
    for path in paths:
        for number, data in read_objects(path):
            if "question" not in data:
                raise QuestionSetError(f"{path}:{number}: there is no question.")
            found.setdefault(str(data["question"]))
    return list(found)


def write_kinds(
    encoder: str, entry: dict[str, Any], request: Mapping[str, list[str]], file: Path
) -> None:
    """Write what was fitted for an encoder, by its fingerprint, beside what there is for others."""
    known = {}
    if file.exists():
        known = json.loads(file.read_text(encoding="utf-8"))["encoders"]
    content = {"encoders": {**known, encoder: entry}, "request": request}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    file.write_text(text.replace("], [", "],\n[") + "\n", encoding="utf-8")


def _fit(vectors: NDArray[np.float32], labels: NDArray[np.str_]) -> Kinds:
    model = LogisticRegression(C=INVERSE_PENALTY, max_iter=5000, class_weight="balanced")
    model.fit(vectors, labels)
    return Kinds(
        tuple(model.classes_.tolist()),
        model.coef_.astype(np.float32),
        model.intercept_.astype(np.float32),
        {},
    )
