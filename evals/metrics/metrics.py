"""Metrics over records. Where nothing applies a figure is None, never 0."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from evals.metrics.confidence import confidence_measures
from evals.metrics.kinds import kind_measures
from evals.metrics.outcomes import outcome_measures
from evals.metrics.short_answers import contains, f1
from evals.metrics.statistics import Figure, Measure, figure, mean, ratio
from evals.metrics.writing import writing_measures
from evals.running.records import DEPTH, RIGHT, Record

#: Figures in groups, as they are shown, each with what it is.
#:
#: Retrieval is of the units that were retrieved (see `datasets.gold`); of alternatives the one that
#: was retrieved first is the relevant one, or else the first named. A refusal says and cites
#: nothing, so that it scores 0 among answers.
#:
#: An unsure answer, which shows passages that may answer, is neither an answer nor a refusal. It is
#: never right; it scores 0 among answers, as a refusal does, and has no part in the length of
#: answers and the precision of their citations; it is no refusal, so that it is not recalled as
#: one. What it shows counts for `evidence_shown` and `citation_validity`, and it has figures of its
#: own. Figures of the confidence are the same whatever became of the question.
#:
#: Figures of overviews and lists are there only where a set asks for such (see `metrics.kinds`),
#: those of a language model where one had a part in the answers (see `metrics.writing`). Those of
#: retrieval and of the confidence are not there for an endpoint, which tells of neither, and
#: `no_reply` is only where a reply failed to come: that is no answer, and no refusal.
GROUPS: Mapping[str, Mapping[str, str]] = {
    "Outcomes": {
        "answered_right": "answerable questions answered with the evidence cited that they need",
        "answered_wrong": "answerable questions answered without; less is better",
        "passages_right": "answerable questions with passages shown, the right one among them",
        "passages_wrong": "answerable questions with passages shown, none of them the right one",
        "refused_answerable": "answerable questions that were refused; less is better",
        "refusal_recall": "unanswerable questions that were refused",
        "unsure_unanswerable": "unanswerable questions with passages shown",
        "answered_unanswerable": "unanswerable questions that were answered; less is better",
        "no_reply": "questions to which no reply came; less is better",
        "answer_precision": "answers that are right; those to unanswerable questions are not",
        "passages_precision": "pages of passages with the right one among them",
    },
    "Retrieval": {
        "hit@1": "answerable questions with a relevant paragraph first",
        "hit@3": "the same, among the first 3",
        "hit@10": "the same, among the first 10",
        "recall@5": "relevant paragraphs among the first 5",
        "recall@k": "relevant paragraphs among the first k",
        "mrr": "reciprocal rank of the first relevant paragraph, within 10",
        "ndcg@10": "normalised discounted cumulative gain of the first 10",
    },
    "Answers": {
        "right": "questions answered with the evidence cited that they need, or rightly refused",
        "evidence_cited": "answerable questions with some of their evidence cited",
        "evidence_cited_all": "the same, with all of it",
        "evidence_shown": "answerable questions with evidence cited, or lit in a passage",
        "evidence_in_answer": "evidence whose sentence stands in the answer",
        "answer_contains": "answers that hold a short answer of the set",
        "answer_f1": "token F1 with the nearest short answer, as SQuAD scores it",
        "answer_sentences": "sentences an answer",
        "answer_words": "words an answer",
    },
    "Citations": {
        "citation_validity": "citations whose offsets fit the document",
        "citation_precision": "citations that are evidence or support the answer, pooled",
        "citation_precision_mean": "the same, mean over answers",
        "citation_recall": "items of evidence that are cited, pooled",
        "citation_recall_mean": "the same, mean over questions",
    },
    "Overviews": {
        "overview_given": "questions for an overview that were answered with one",
        "section_coverage": "sections of what was asked for that are cited, mean over overviews",
        "redundancy": "ROUGE-L of every two sentences of an overview; less is better",
        "rouge1": "F1 of the words that overviews share with the abstract",
        "rouge2": "the same, of runs of two words",
        "rougeL": "the same, of the longest common subsequence",
    },
    "Lists": {
        "item_recall": "items of a list that are cited, mean over lists",
        "item_precision": "sentences of the answer that are items, mean over answers",
    },
    "Language model": {
        "to_read": "questions neither right nor withheld: somebody has to read the answers",
        "withheld_answerable": "answerable questions that were not answered: refused or unsure",
        "written": "it answered, and the documents support that",
        "declined": "it said that they do not answer",
        "unproved": "they do not support what it wrote as the answer",
        "failed": "it did not do its work; the documents were quoted",
        "untrusted": "it was not asked, for it failed its check; they were quoted",
        "partly": "answers that tell of a part that is not there",
        "searched_again": "questions for which it had more looked up",
        "returned": "questions of which a sentence went back to it",
        "dropped": "sentences that it wrote and that were left out, pooled",
        "calls": "calls of it a question",
        "prompt_tokens": "tokens that it read a question, where it tells",
        "completion_tokens": "tokens that it wrote a question, where it tells",
    },
    "Refusal": {
        "refusal_precision": "refusals that were of unanswerable questions",
        "refusal_f1": "harmonic mean of that and `refusal_recall`",
        "unsure_answerable": "answerable questions with passages shown",
        "withheld": "unanswerable questions that were not answered: refused or unsure",
    },
    "Confidence": {
        "mean_confidence": "the mean of it, of questions of which `right_if_answered` is known",
        "right_if_answered": "questions whose answer is right, or would be",
        "right_auroc": "how well confidence ranks right answers above all others",
        "right_calibration_error": "expected calibration error of being right; less is better",
        "right_brier": "mean squared error of being right; less is better",
        "aurc": "area under the risk-coverage curve; less is better",
        "refusal_auroc": "how well confidence ranks answerable above unanswerable",
    },
}


def all_measures(records: Sequence[Record], k: int = DEPTH) -> dict[str, Measure]:
    """Every measure of these records by the name of its figure, in the order of `GROUPS`; those of
    kinds of questions, of a language model and of confidence only where there are such."""
    found = {
        **outcome_measures(records),
        **_retrieval(records, k),
        **_answers(records),
        **_citations(records),
        **kind_measures(records),
        **writing_measures(records),
        **_refusal(records),
        **confidence_measures(records),
    }
    names = [name.replace("@k", f"@{k}") for group in GROUPS.values() for name in group]
    return {name: found[name] for name in names if name in found}


def part_figures(records: Sequence[Record], seed: int = 0) -> dict[str, Figure]:
    """The figures of what became of some of the questions, and of their confidence.

    Args:
        records: those that are asked of one document, say.
        seed: of the bootstrap.
    """
    measures = {**outcome_measures(records), **confidence_measures(records)}
    return {name: figure(measure, seed) for name, measure in measures.items()}


def all_figures(records: Sequence[Record], k: int = DEPTH, seed: int = 0) -> dict[str, Figure]:
    """Every figure by name.

    Args:
        records: of one set, or of several together.
        k: of `recall@k`.
        seed: of the bootstrap.
    """
    return {name: figure(measure, seed) for name, measure in all_measures(records, k).items()}


def _retrieval(records: Sequence[Record], k: int) -> dict[str, Measure]:
    import ir_measures
    from ir_measures import RR, R, Success, nDCG

    metrics = {
        **{f"hit@{depth}": Success @ depth for depth in (1, 3, 10)},
        **{f"recall@{depth}": R @ depth for depth in (5, k)},
        "mrr": RR @ DEPTH,
        "ndcg@10": nDCG @ DEPTH,
    }
    if records and all(record.retrieved is None for record in records):
        return {}
    judged = [
        str(n)
        for n, r in enumerate(records)
        if r.answerable and r.gold.relevant and r.retrieved is not None
    ]
    qrels = {query: _qrels(records[int(query)]) for query in judged}
    # By rank: scores may tie, and what was returned first was shown first.
    runs = {
        query: {f.unit: -float(rank) for rank, f in enumerate(records[int(query)].retrieved or ())}
        for query in judged
    }
    values: dict[str, dict[str, float]] = {str(metric): {} for metric in metrics.values()}
    if judged:
        for result in ir_measures.iter_calc(list(metrics.values()), qrels, runs):
            values[str(result.measure)][result.query_id] = result.value
    queries = [str(number) for number in range(len(records))]
    # A question for which nothing was retrieved is in no run, and scores 0.
    return {
        name: ratio(
            [values[str(metric)].get(query, 0.0) for query in queries],
            [float(query in qrels) for query in queries],
        )
        for name, metric in metrics.items()
    }


def _qrels(record: Record) -> dict[str, int]:
    rank = {
        found.unit: number for number, found in reversed(list(enumerate(record.retrieved or ())))
    }
    chosen: dict[str, int] = {}
    for item in record.gold.relevant:
        unit = min(item.units, key=lambda u: rank.get(u, len(rank)))
        chosen[unit] = max(item.grade, chosen.get(unit, 0))
    return chosen


def _answers(records: Sequence[Record]) -> dict[str, Measure]:
    with_gold = [r for r in records if r.answerable and r.gold.evidence]
    given = [r for r in records if r.answerable and r.answered]
    short = [r for r in records if r.answerable and r.answers]
    return {
        "right": _mean(records, records, lambda r: r.outcome == RIGHT),
        "evidence_cited": _mean(records, with_gold, lambda r: any(r.found)),
        "evidence_cited_all": _mean(records, with_gold, lambda r: all(r.found)),
        "evidence_shown": _mean(records, with_gold, lambda r: any(r.shown)),
        "evidence_in_answer": _pooled(r.in_answer for r in records),
        "answer_contains": _mean(records, short, lambda r: contains(r.text, r.answers)),
        "answer_f1": _mean(records, short, lambda r: f1(r.text, r.answers)),
        "answer_sentences": _mean(records, given, lambda r: len(r.sentences)),
        "answer_words": _mean(records, given, lambda r: len(r.text.split())),
    }


def _citations(records: Sequence[Record]) -> dict[str, Measure]:
    supported = [r.supported if r.answerable and r.gold.evidence else [] for r in records]
    found = [r.found for r in records]
    return {
        "citation_validity": _pooled([c.valid for c in r.citations] for r in records),
        "citation_precision": _pooled(supported),
        "citation_precision_mean": _per_question(supported),
        "citation_recall": _pooled(found),
        "citation_recall_mean": _per_question(found),
    }


def _refusal(records: Sequence[Record]) -> dict[str, Measure]:
    answerable = [r for r in records if r.answerable]
    others = [r for r in records if not r.answerable]
    refused = [r for r in records if r.refused]
    either = [float(r.refused) + float(not r.answerable) for r in records]
    # 2 TP / (2 TP + FP + FN): it applies where there is a question to refuse.
    rightly = [2.0 * (r.refused and not r.answerable) for r in records]
    f1_of = ratio(rightly, [e if others else 0.0 for e in either], len(records))
    return {
        "refusal_precision": _mean(records, refused, lambda r: not r.answerable),
        "refusal_f1": f1_of,
        "unsure_answerable": _mean(records, answerable, lambda r: r.unsure),
        "withheld": _mean(records, others, lambda r: r.refused or r.unsure),
    }


def _mean(
    records: Sequence[Record], own: Sequence[Record], value: Callable[[Record], float]
) -> Measure:
    """The mean over some of the records."""
    chosen = set(map(id, own))
    return mean([float(value(r)) if id(r) in chosen else None for r in records])


def _pooled(truths: Iterable[Sequence[bool]]) -> Measure:
    own = list(truths)
    return ratio([sum(t) for t in own], [len(t) for t in own])


def _per_question(truths: Iterable[Sequence[bool]]) -> Measure:
    return mean([sum(own) / len(own) if own else None for own in truths])
