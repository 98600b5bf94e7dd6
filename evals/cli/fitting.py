"""The commands of `footnote eval` that fit what decides: calibrate, retrieval, verifier.

What takes long to import is imported where it is first needed.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from assistant.cli.options import EncoderName, IndexDir, ReaderName, Source
from assistant.settings import load_settings
from evals.cli.options import Seed, Sets, out, progress


def calibrate(
    sets: Sets,
    output: Annotated[Path, typer.Option(help="The calibration to write; FOOTNOTE_CALIBRATION.")],
    sentences_on: Annotated[
        list[str] | None,
        typer.Option(help="Names of the sets that sentences are fitted on; all by default."),
    ] = None,
    threshold_on: Annotated[
        list[str] | None,
        typer.Option(help="Names of the sets that the threshold is chosen on; all by default."),
    ] = None,
    source: Source = None,
    index_dir: IndexDir = None,
    encoder: EncoderName = None,
    reader: ReaderName = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most this many questions a set, spread over it.")
    ] = None,
) -> None:
    """Fit the probabilities of the reader in use, with cross-validation, and write them."""
    from evals.datasets.loader import read_sets
    from evals.fitting import calibration
    from evals.running.runner import limited

    fingerprint, fitted = calibration.calibrate(
        [limited(own, limit) for own in read_sets(sets)],
        source or [],
        load_settings(index_dir=index_dir, encoder=encoder, reader=reader),
        sentences_on or (),
        threshold_on or (),
        progress,
    )
    calibration.write_calibration(output, fingerprint, fitted)
    out.print_json(data=asdict(fitted))


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
    seed: Seed = 0,
) -> None:
    """Measure the verifier on claims that others wrote and on claims made false by script; with
    `--output`, fit its numbers on them for the models in use."""
    from assistant.verification.verifier import ALONE, load_rule
    from evals.datasets.claims import read_claims
    from evals.fitting import verifier as fitting
    from evals.reporting.tables import verdicts_table

    sets = [read_claims(path, held_out) for path in claims or []]
    if output is not None and not sets:
        raise typer.BadParameter("--output needs claims to fit the numbers on.")
    with TemporaryDirectory() as temporary, progress("verifier") as (_, judged):
        settings = load_settings(index_dir=index_dir or Path(temporary), reader=reader)
        model, statements = fitting.gather_statements(sets, settings.index_dir, settings, judged)
    for name in dict.fromkeys((model, ALONE)):
        features = fitting.WORDS if name == ALONE else fitting.READING
        if output is None:
            rule = load_rule(name)
            if rule is None:
                out.print(f"model {name}: no numbers were fitted for it.")
                continue
            shown = {"as shipped": fitting.by_rule(statements, rule)}
        else:
            rule = fitting.fit_rule(statements, features)
            shown = {
                "halves": fitting.by_halves(statements, features),
                "left out": fitting.by_others(statements, features),
            }
        measured = {
            way: fitting.figures(verdicts, seed) for way, verdicts in shown.items() if verdicts
        }
        for way, figures in measured.items():
            out.print(verdicts_table(f"{name}: {way}", figures))
        if output is not None:
            fitting.write_rule(output, name, rule, measured)
