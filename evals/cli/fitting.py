"""The commands of `footnote eval` that fit what decides: calibrate, retrieval, verifier.

What takes long to import is imported where it is first needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.cli.options import EncoderName, IndexDir, ReaderName, Source, notes
from assistant.settings import load_settings
from evals.cli.options import MISSED, JsonOut, Seed, Sets, out, progress, tell

if TYPE_CHECKING:
    from assistant.settings import Settings
    from evals.datasets.models import QuestionSet


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
    fitted = calibration.calibrate(read, source or [], settings, progress)
    entries = {name: own.to_dict() for name, own in fitted.items()}
    ways = {f"reader {name}": own.left_out for name, own in fitted.items()}
    tell(entries, json_out, lambda: out.print(*set_tables(ways, seed), sep=""))
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
    tell(asdict(made), json_out, lambda: out.print(str(made), soft_wrap=True))
    if made.answer_from is None:
        raise typer.Exit(MISSED)
    kept = replace(numbers, thresholds=numbers.thresholds.but(None, made.answer_from))
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


def retrieval(
    sets: Sets,
    source: Source = None,
    index_dir: IndexDir = None,
    encoder: EncoderName = None,
    reader: ReaderName = None,
    seed: Seed = 0,
) -> None:
    """Compare ways of ranking paragraphs on question sets; p is of hit@1 against the last."""
    from evals.datasets.loader import read_sets
    from evals.fitting.ablation import ranking_ways, ways_table
    from evals.running.runner import opened

    settings = load_settings(index_dir=index_dir, encoder=encoder, reader=reader)
    for questions in read_sets(sets):
        with (
            progress(questions.name) as (indexing, _),
            opened(questions, source or [], settings, indexing) as assistant,
        ):
            ways = ranking_ways(assistant, questions)
        out.print(ways_table(questions.name, ways, seed))


def verifier(
    wice: Annotated[
        Path | None, typer.Option(help="Claims of WiCE as JSON Lines, to measure on as well.")
    ] = None,
    index_dir: Annotated[
        Path | None, typer.Option(help="Where indexes are kept; thrown away by default.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Fit the numbers anew and write them; `verifier.json`.")
    ] = None,
) -> None:
    """Measure the verifier on paraphrases and on sentences made false, and fit its numbers."""
    from assistant.verification.verifier import ALONE, load_rule
    from evals.fitting import verifier as fitting

    with TemporaryDirectory() as temporary:
        fingerprint, statements = fitting.gather_statements(index_dir or Path(temporary), wice)
    fitted = {ALONE: fitting.fit_rule(statements, entailment=False)}
    if any(ground["entail"] for statement in statements for ground in statement.grounds):
        fitted[fingerprint] = fitting.fit_rule(statements, entailment=True)
        alone = fitting.model_alone([own for own in statements if not own.fitted_on])
        shown = ", ".join(f"{name} {auroc}" for name, auroc in alone.items())
        out.print(f"model {fingerprint} without the rules, held out: AUROC {shown}")
    for model, (rule, provenance) in fitted.items():
        if output is not None:
            fitting.write_rule(output, model, rule, provenance)
        used = rule if output is not None else load_rule(model)
        if used is None:
            out.print(f"model {model}: not in use; fitted anew:")
        for title, half in (("fitted on", True), ("held out", False)):
            own = [statement for statement in statements if statement.fitted_on == half]
            figures = fitting.rule_figures(own, used or rule)
            out.print(fitting.rule_table(f"{model}: {title}", figures))
