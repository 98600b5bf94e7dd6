"""The commands of `footnote eval` that compare ways of doing the same (retrieval, overviews,
conversations), and those that fit what decides (calibrate, verifier, kinds).

What takes long to import is imported where it is first needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.cli.options import EncoderName, IndexDir, ReaderName, Source, notes
from assistant.settings import load_settings
from evals.cli.options import (
    MISSED,
    JsonOut,
    Seed,
    Sets,
    opened_sets,
    out,
    progress,
    report,
    report_left_out,
)

if TYPE_CHECKING:
    from assistant.settings import Settings
    from evals.datasets.models import QuestionSet


#: What is told of follow-ups, and by turn.
FOLLOW_UPS = (
    "hit@1 recall@5 right evidence_cited citation_precision refused_answerable withheld"
).split()
BY_TURN = "recall@5 right refused_answerable".split()


def retrieval(
    sets: Sets,
    source: Source = None,
    index_dir: IndexDir = None,
    encoder: EncoderName = None,
    reader: ReaderName = None,
    seed: Seed = 0,
) -> None:
    """Compare ways of ranking paragraphs on question sets with the one that is used."""
    from evals.fitting.ways import ranking_ways
    from evals.reporting.compare import compared, compared_table

    settings = load_settings(index_dir=index_dir, encoder=encoder, reader=reader)
    for questions, assistant, _ in opened_sets(sets, source, settings):
        ways = ranking_ways(assistant, questions)
        found = list(compared(ways, ("hit@1", "hit@3", "mrr"), seed))
        out.print(compared_table(questions.name, found))


def overviews(
    sets: Annotated[
        list[Path] | None,
        typer.Argument(help="Sets that ask for overviews.", metavar="[SET...]", readable=False),
    ] = None,
    source: Source = None,
    json_out: JsonOut = None,
    index_dir: IndexDir = None,
    encoder: EncoderName = None,
    seed: Seed = 0,
) -> None:
    """Compare overviews with LexRank and with the first sentences of the sections, and time them.

    The plain ways choose as many sentences, and are told which part is asked for. Told is of all
    overviews that are wanted, and of those that are given. Without a set each document is asked
    for an overview, and the time alone is told.
    """
    from assistant import Assistant
    from evals.fitting import ways as plain
    from evals.reporting.compare import compared, compared_table, measured
    from evals.running.runner import ask_set

    settings = load_settings(index_dir=index_dir, encoder=encoder)
    data: dict[str, Any] = {"footnote_overviews": 1, "wanted": {}, "given": {}, "times": {}}
    tables = []
    wanted = opened_sets(sets or [], source, settings, plain.only_overviews)
    for questions, assistant, asking in wanted:
        run = ask_set(assistant, questions, settings.index_dir, asking=asking)
        ways = plain.overview_ways(assistant, run)
        times = plain.times_of(assistant, run)
        report_left_out(run.questions)
        for what, own in (("wanted", ways), ("given", plain.only_given(ways))):
            found = list(compared(measured(own), plain.SHOWN, seed))
            title = f"{questions.name}: {len(own[plain.OURS])} overviews {what}"
            tables.append(compared_table(title, found))
            data[what][questions.name] = [asdict(figure) for figure in found]
        tables.append(plain.times_table("Speed", times))
        data["times"][questions.name] = [asdict(own) for own in times]
    if not sets:
        with (
            progress("overviews") as (indexing, asking),
            Assistant.open(*source or [], settings=settings, progress=indexing) as assistant,
        ):
            times = plain.each_document(assistant, asking)
        tables.append(plain.times_table("An overview of each document", times))
        data["times"]["documents"] = [asdict(own) for own in times]
    report(data, json_out, lambda: out.print(*tables, sep=""))


def conversations(
    sets: Sets,
    source: Source = None,
    json_out: JsonOut = None,
    index_dir: IndexDir = None,
    encoder: EncoderName = None,
    reader: ReaderName = None,
    seed: Seed = 0,
) -> None:
    """Compare follow-ups asked with their conversation, put after the question before, and alone.

    The first questions of conversations are left out: they are asked alike.
    """
    from evals.datasets.models import HISTORIES
    from evals.reporting.compare import compared, compared_table, measured
    from evals.running.runner import ask_set, only

    settings = load_settings(index_dir=index_dir, encoder=encoder, reader=reader)
    data: dict[str, Any] = {"footnote_conversations": 2, "sets": {}, "turns": {}}
    tables = []
    # The ways are the same for the others.
    follow_ups = partial(
        only,
        asked=lambda question: question.history,
        lacking="has no conversation: no question has a history.",
    )
    for questions, assistant, asking in opened_sets(sets, source, settings, follow_ups):
        runs = {
            history: ask_set(
                assistant, questions, settings.index_dir, history=history, asking=asking
            )
            for history in HISTORIES
        }
        asked = runs["kept"].questions
        report_left_out(asked)
        ways = {str(history): run.records for history, run in runs.items()}
        found = list(compared(measured(ways), FOLLOW_UPS, seed))
        tables.append(compared_table(f"{asked.name}: {len(asked.questions)} follow-ups", found))
        data["sets"][asked.name] = [asdict(own) for own in found]
        data["turns"][asked.name] = {}
        for turn in sorted({question.turn for question in asked.questions}):
            found = list(compared(measured(ways, turn), BY_TURN, seed))
            tables.append(compared_table(f"Turn {turn}", found))
            data["turns"][asked.name][turn] = [asdict(own) for own in found]
    report(data, json_out, lambda: out.print(*tables, sep=""))


def calibrate(
    sets: Sets,
    output: Annotated[
        Path | None, typer.Option(help="Write the calibration to a file; FOOTNOTE_CALIBRATION.")
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write it in place of the one that is in use.")
    ] = False,
    risk: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=0.5,
            help="Fit nothing, and choose the threshold from which at most this share of answers "
            "is wrong; on questions that nothing was fitted on.",
        ),
    ] = None,
    confidence: Annotated[
        float, typer.Option(min=0.5, max=0.999, help="With which that is promised.")
    ] = 0.95,
    source: Source = None,
    index_dir: IndexDir = None,
    encoder: EncoderName = None,
    reader: ReaderName = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most this many questions a set, spread over it.")
    ] = None,
    json_out: JsonOut = None,
    seed: Seed = 0,
) -> None:
    """Fit the numbers that decide, for the reader in use and for none, and tell how they do.

    What is told of a set was decided by numbers that were fitted on the other sets. With --risk: a
    promise about answers instead.
    """
    from assistant.calibration import calibration_file
    from evals.datasets.loader import read_sets
    from evals.fitting import calibration
    from evals.fitting.validation import set_tables
    from evals.running.runner import limited

    settings = load_settings(index_dir=index_dir, encoder=encoder, reader=reader)
    read = [limited(own, limit) for own in read_sets(sets)]
    files = [output] if output else []
    if write:
        files.append(calibration_file(settings.calibration))
    if risk is not None:
        _promise(read, source or [], settings, risk, confidence, files, json_out)
        return
    # What is fitted anew may be of another version.
    settings = settings.model_copy(update={"calibration": None})
    fitted = calibration.calibrate(read, source or [], settings, progress)
    entries = {name: own.to_dict() for name, own in fitted.items()}
    ways = {f"reader {name}": own.left_out for name, own in fitted.items()}
    report(entries, json_out, lambda: out.print(*set_tables(ways, seed), sep=""))
    for name, own in fitted.items():
        thresholds = own.calibration.thresholds
        notes.print(
            f"reader {name}: refuse below {thresholds.refuse_below}, answer from "
            f"{thresholds.answer_from}"
        )
    _write_calibration(files, entries)


def _promise(
    sets: Sequence[QuestionSet],
    sources: Sequence[Path],
    settings: Settings,
    risk: float,
    confidence: float,
    files: Sequence[Path],
    json_out: Path | None,
) -> None:
    """Tell what can be promised with the calibration in use, and write it with that threshold."""
    from assistant.calibration import load_calibration, read_entries
    from evals.fitting import calibration
    from evals.fitting.risk import promise

    fingerprint, asked = calibration.ask_sets(sets, sources, settings, progress)
    numbers = load_calibration(fingerprint, settings.calibration)
    made = promise(asked, numbers, settings.max_sentences, risk, confidence)
    report(asdict(made), json_out, lambda: out.print(str(made), soft_wrap=True))
    if made.answer_from is None:
        raise typer.Exit(MISSED)
    kept = replace(numbers, thresholds=numbers.thresholds.adjusted(None, made.answer_from))
    entries = read_entries(settings.calibration)
    before = entries.get(fingerprint, entries["none"])
    entries[fingerprint] = {
        **asdict(kept),
        "provenance": {**before["provenance"], "promise": asdict(made)},
    }
    _write_calibration(files, entries)


def _write_calibration(files: Sequence[Path], entries: Mapping[str, Mapping[str, Any]]) -> None:
    from evals.fitting.calibration import write_calibration

    for file in files:
        write_calibration(file, entries)
        notes.print(f"Written to {file}.")
    if not files:
        notes.print(
            "Not written. To keep it, give --output FILE and set FOOTNOTE_CALIBRATION to it."
        )


def verifier(
    claims: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Claims with their evidence (AttributionBench, WiCE or inference data), JSON "
            "Lines, also gzipped; the shipped paraphrases are always judged.",
            metavar="CLAIMS...",
        ),
    ] = None,
    held_out: Annotated[
        bool,
        typer.Option(
            help="Of inference data only the records that the reading model did not learn from."
        ),
    ] = False,
    index_dir: Annotated[
        Path | None, typer.Option(help="Where an index is kept; thrown away by default.")
    ] = None,
    reader: ReaderName = None,
    output: Annotated[
        Path | None, typer.Option(help="Fit the numbers anew and write them; `verifier.json`.")
    ] = None,
    written: Annotated[
        bool,
        typer.Option(
            help="The claims are sentences that a language model wrote from the evidence, and are "
            "judged as those are."
        ),
    ] = False,
    seed: Seed = 0,
) -> None:
    """Measure the verifier on claims that others wrote and on claims made false by script; with
    `--output`, fit its numbers on them for the models in use."""
    from assistant.verification.verifier import ALONE, WRITTEN, load_rule
    from evals.datasets.claims import read_claims
    from evals.fitting import verifier as fitting
    from evals.reporting.tables import grouped_table

    sets = [read_claims(path, held_out) for path in claims or []]
    if output is not None and not sets:
        raise typer.BadParameter("--output needs claims to fit the numbers on.")
    with TemporaryDirectory() as temporary, progress("verifier") as (_, judged):
        settings = load_settings(index_dir=index_dir or Path(temporary), reader=reader)
        model, statements = fitting.gather_statements(
            sets, settings.index_dir, settings, judged, written
        )
    for name in (model + WRITTEN,) if written else dict.fromkeys((model, ALONE)):
        features = fitting.LEXICAL_FEATURES if name == ALONE else fitting.ENTAILMENT_FEATURES
        features = fitting.WRITTEN_FEATURES if written else features
        rule = fitting.fit_rule(statements, features, written) if output else load_rule(name)
        if rule is None:
            out.print(f"model {name}: no numbers were fitted for it.")
            continue
        way = "left out" if output else "as shipped"
        verdicts = (
            fitting.cross_validated(statements, features, written)
            if output
            else fitting.judged(statements, rule)
        )
        figures = fitting.figures(verdicts, seed)
        out.print(grouped_table(f"{name}: {way}", figures))
        if output is not None:
            fitting.write_rule(output, name, rule, {way: figures})


def kinds(
    facts: Annotated[
        list[Path],
        typer.Argument(
            help="Questions that ask for a fact: JSON Lines with `question`, also gzipped.",
            metavar="QUESTIONS...",
        ),
    ],
    forms: Annotated[
        Path | None, typer.Option(help="Forms of questions by kind; those that ship by default.")
    ] = None,
    encoder: EncoderName = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many facts, by chance.")] = 1500,
    output: Annotated[
        Path | None, typer.Option(help="Write what was fitted, beside what the file holds.")
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write it to the file that ships.")
    ] = False,
) -> None:
    """Fit what tells an overview from a question about a fact, for the encoder in use."""
    import random

    from assistant.query.kinds import kinds_file
    from evals.fitting import kinds as fitting

    own = fitting.read_forms(forms or Path(str(files("evals.questions") / "kinds.jsonl")))
    asked = fitting.read_facts(facts)
    random.Random(fitting.SEED).shuffle(asked)  # noqa: S311 (not for secrets)
    model = load_settings(encoder=encoder).load_encoder()
    entry, told = fitting.fit_kinds(own, asked[:limit], model)
    for kind, share in told.items():
        out.print(f"{kind}: {share:.3f} of the forms that were left out")
    for file in [*([output] if output else []), *([kinds_file()] if write else [])]:
        fitting.write_kinds(model.fingerprint, entry, fitting.request_stems(own), file)
        notes.print(f"Written to {file}.")
