"""The commands of `footnote eval` that fit what decides: calibrate, verifier, kinds.

What takes long to import is imported where it is first needed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.cli.options import EncoderName, IndexDir, ReaderName, Source, notes
from assistant.settings import load_settings
from evals.cli.options import MISSED, JsonOut, Seed, Sets, out, progress, report

if TYPE_CHECKING:
    from assistant.settings import Settings
    from evals.fitting.validation import AskedQuestion


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

    The figures of a set are by numbers that were fitted on the other sets. With --risk: a promise
    about answers instead.
    """
    from assistant.calibration import calibration_file
    from evals.datasets.loader import read_sets
    from evals.fitting import calibration
    from evals.running.runner import limited

    settings = load_settings(index_dir=index_dir, encoder=encoder, reader=reader)
    files = [output] if output else []
    if write:
        files.append(calibration_file(settings.calibration))
    read = [limited(questions, limit) for questions in read_sets(sets)]
    if risk is None:
        calibration.check_sets(read)
        # What is fitted anew may be of another version.
        settings = settings.model_copy(update={"calibration": None})
    fingerprint, asked = calibration.ask_sets(read, source or [], settings, progress)
    if risk is None:
        entries = _fitted(fingerprint, asked, settings, seed, json_out)
    else:
        entries = _promised(fingerprint, asked, settings, risk, confidence, json_out)
    for file in files:
        file.write_text(json.dumps({"readers": entries}, indent=2, sort_keys=True) + "\n")
        notes.print(f"Written to {file}.")
    if not files:
        notes.print(
            "Not written. To keep it, give --output FILE and set FOOTNOTE_CALIBRATION to it."
        )


def _fitted(
    fingerprint: str,
    asked: Sequence[AskedQuestion],
    settings: Settings,
    seed: int,
    json_out: Path | None,
) -> dict[str, Any]:
    """Fit the reader in use, and the assistant without one, and tell how they do."""
    from assistant.retrieval.reading_model import NONE
    from evals.fitting.calibration import fit_calibration
    from evals.fitting.validation import set_tables

    ways = {fingerprint: asked, NONE: [question.unread() for question in asked]}
    fitted = {name: fit_calibration(way, settings.max_sentences) for name, way in ways.items()}
    entries = {name: found.to_dict() for name, found in fitted.items()}
    left_out = {f"reader {name}": found.left_out for name, found in fitted.items()}
    report(entries, json_out, lambda: out.print(*set_tables(left_out, seed), sep=""))
    for name, found in fitted.items():
        thresholds = found.calibration.thresholds
        notes.print(
            f"reader {name}: refuse below {thresholds.refuse_below}, answer from "
            f"{thresholds.answer_from}"
        )
    return entries


def _promised(
    fingerprint: str,
    asked: Sequence[AskedQuestion],
    settings: Settings,
    risk: float,
    confidence: float,
    json_out: Path | None,
) -> dict[str, Any]:
    """Tell what can be promised with the calibration in use; it with that threshold."""
    from assistant.calibration import load_calibration, read_entries
    from evals.fitting.risk import promise

    numbers = load_calibration(fingerprint, settings.calibration)
    made = promise(asked, numbers, settings.max_sentences, risk, confidence)
    report(asdict(made), json_out, lambda: out.print(str(made), soft_wrap=True))
    if made.answer_from is None:
        raise typer.Exit(MISSED)
    kept = replace(numbers, thresholds=numbers.thresholds.adjusted(None, made.answer_from))
    entries = read_entries(settings.calibration)
    before = entries.get(fingerprint, entries["none"])
    provenance = {**before["provenance"], "promise": asdict(made)}
    return {**entries, fingerprint: {**asdict(kept), "provenance": provenance}}


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
    checker: Annotated[
        str,
        typer.Option(help="`shipped`, `none`, or a folder that `evals.training.quantise` wrote."),
    ] = "shipped",
    seed: Seed = 0,
) -> None:
    """Measure the verifier on claims that others wrote and on claims made false by script; with
    `--output`, fit its numbers on them for the models in use."""
    from assistant.verification.checker import SHIPPED_FOLDER, Checker
    from assistant.verification.verifier import ALONE, WRITTEN, load_rule
    from evals.datasets.claims import read_claims
    from evals.fitting import verifier as fitting
    from evals.reporting.tables import grouped_table

    sets = [read_claims(path, held_out) for path in claims or []]
    if output is not None and not sets:
        raise typer.BadParameter("--output needs claims to fit the numbers on.")
    folder = SHIPPED_FOLDER if checker == "shipped" else Path(checker)
    judge = None if checker == "none" else Checker(folder)
    with TemporaryDirectory() as temporary, progress("verifier") as (_, judged):
        settings = load_settings(index_dir=index_dir or Path(temporary), reader=reader)
        model, statements = fitting.gather_statements(sets, settings, judge, judged, written)
    for name, names in fitting.BASELINES.items() if sets else ():
        left_out = fitting.cross_validated(statements, names, written)
        out.print(grouped_table(f"{name}: left out", fitting.figures(left_out, seed)))
    for name in (model + WRITTEN,) if written else dict.fromkeys((model, ALONE)):
        if output is None:
            rule = load_rule(name)
            if rule is None:
                out.print(f"model {name}: no numbers were fitted for it.")
                continue
            figures = fitting.figures(fitting.judged(statements, rule), seed)
            out.print(grouped_table(f"{name}: as shipped", figures))
            continue
        features = fitting.LEXICAL_FEATURES if name == ALONE else fitting.ENTAILMENT_FEATURES
        features = fitting.WRITTEN_FEATURES if written else features
        left_out = fitting.cross_validated(statements, features, written)
        figures = fitting.figures(left_out, seed)
        out.print(grouped_table(f"{name}: left out", figures))
        rule = fitting.fit_rule(statements, features, written)
        fitting.write_rule(output, name, rule, {"left out": figures})


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
    from index.encoder import load_encoder

    known = fitting.read_forms(forms or Path(str(files("evals.questions") / "kinds.jsonl")))
    asked = fitting.read_facts(facts)
    random.Random(fitting.SEED).shuffle(asked)  # noqa: S311 (not for secrets)
    model = load_encoder(load_settings(encoder=encoder).encoder)
    entry, told = fitting.fit_kinds(known, asked[:limit], model)
    for kind, share in told.items():
        out.print(f"{kind}: {share:.3f} of the forms that were left out")
    for file in [*([output] if output else []), *([kinds_file()] if write else [])]:
        fitting.write_kinds(model.fingerprint, entry, fitting.request_stems(known), file)
        notes.print(f"Written to {file}.")
