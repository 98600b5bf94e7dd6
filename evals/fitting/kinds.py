"""Fits what tells kinds of questions apart (see `assistant.query.kinds`) for the encoder in use,
FOOTNOTE_ENCODER: `python -m evals.fitting.kinds FACTS... --output FILE`.

The questions are in `evals/questions/kinds.jsonl`, most with `{topic}` where a topic of its first
line is put in; beside them questions of any other set count as asking for a fact, which are what
is asked most. Forms of questions are left out by folds, each with all that was made of it, to tell
how well the others tell their kinds.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.utils.class_weight import compute_sample_weight

from assistant.query.kinds import FACT, Kinds
from assistant.settings import load_settings
from evals.datasets.json_lines import read_objects
from index.encoder import Encoder, load_encoder
from index.terms.analysis import terms_of

#: Forms of questions by kind, and topics to put into them.
FORMS = Path(str(files("evals.questions") / "kinds.jsonl"))
#: Topics that are put into a form, how often one without counts, and how many facts are taken, by
#: chance. Not tuned.
TOPICS, TIMES, FACTS = 8, 3, 1500
#: Of the cross-validation, and the seed that everything by chance hangs on. Not tuned.
FOLDS, SEED = 5, 0
#: Slots for a topic, and for another one.
TOPIC, OTHER = "{topic}", "{other}"
#: Inverse of the penalty on the weights. With 10 and 40 as many forms that were left out are told
#: apart, to within 3 of 100 in the mean.
INVERSE_PENALTY = 20.0


def main(facts: list[Path], output: Annotated[Path, typer.Option()]) -> None:
    """Fit, and print how many of the forms that were left out are taken for what they are.

    Args:
        facts: question sets, JSON Lines, all of which ask for facts.
        output: file to write beside what it holds of other encoders.
    """
    lines = [data for _, data in read_objects(FORMS)]
    topics = [topic for data in lines for topic in data.get("topics", ())]
    known = [(data["kind"], data["question"]) for data in lines if "topics" not in data]
    rows = [data for path in facts for _, data in read_objects(path)]
    asked = list(dict.fromkeys(data["question"] for data in rows if "question" in data))
    random.Random(SEED).shuffle(asked)
    encoder = load_encoder(load_settings().encoder)
    entry, shares = fit_kinds(known, topics, asked[:FACTS], encoder)
    for kind, share in shares.items():
        typer.echo(f"{kind}: {share:.3f} of the forms that were left out")
    # Stems of what stands around the topic where something is asked about it.
    request: dict[str, set[str]] = defaultdict(set)
    for kind, form in known:
        if kind != FACT:
            request[kind].update(terms_of(form.replace(TOPIC, " ").replace(OTHER, " ")))
    before = json.loads(output.read_text(encoding="utf-8"))["encoders"] if output.exists() else {}
    content = {
        "encoders": {**before, encoder.fingerprint: entry},
        "request": {kind: sorted(stems) for kind, stems in request.items()},
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    output.write_text(text.replace("], [", "],\n[") + "\n", encoding="utf-8")


def fit_kinds(
    forms: Sequence[tuple[str, str]], topics: Sequence[str], facts: Sequence[str], encoder: Encoder
) -> tuple[dict[str, Any], dict[str, float]]:
    """Fit, and measure how well each kind is recognised where its form was left out.

    Args:
        forms: kind and form, with TOPIC, and OTHER, where a topic goes.
        topics: topics to put there.
        facts: questions that ask for a fact.
        encoder: makes their vectors.

    Returns:
        What `kinds.json` keeps of the encoder; and by kind the share of the forms that were left
        out and taken for what they are (all that was made of a form counts as one).
    """
    chance = random.Random(SEED)
    made: list[tuple[int, str, str]] = []  # the form's number, its kind, the question
    for number, (kind, form) in enumerate(forms):
        chosen = [""] * TIMES
        if TOPIC in form:
            chosen = chance.sample(topics, min(TOPICS, len(topics)))
        for topic, other in zip(chosen, chosen[1:] + chosen[:1], strict=True):
            made.append((number, kind, form.replace(TOPIC, topic).replace(OTHER, other)))
    made += [(n, FACT, fact) for n, fact in enumerate(facts, start=len(forms))]
    vectors = np.array([encoder.encode_query(text) for *_, text in made])
    form_of, labels = np.array([own[0] for own in made]), np.array([own[1] for own in made])
    right = np.zeros(len(made))
    folds = GroupKFold(FOLDS, shuffle=True, random_state=SEED)
    for outside, inside in folds.split(vectors, groups=form_of):
        own = _fit(vectors[outside], labels[outside])
        right[inside] = [own.kind(vectors[n]) == labels[n] for n in inside]
    each = compute_sample_weight("balanced", form_of)
    shares = {
        str(kind): float(np.average(right[labels == kind], weights=each[labels == kind]))
        for kind in np.unique(labels)
    }
    fitted = _fit(vectors, labels)
    entry = {
        "kinds": list(fitted.names),
        "weights": np.round(fitted.weights, 3).tolist(),
        "intercepts": np.round(fitted.intercepts, 3).tolist(),
    }
    return entry, shares


def _fit(vectors: NDArray[np.float32], labels: NDArray[np.str_]) -> Kinds:
    model = LogisticRegression(C=INVERSE_PENALTY, max_iter=5000, class_weight="balanced")
    model.fit(vectors, labels)
    weights, intercepts = model.coef_.astype(np.float32), model.intercept_.astype(np.float32)
    return Kinds(tuple(model.classes_.tolist()), weights, intercepts, {})


if __name__ == "__main__":
    typer.run(main)
