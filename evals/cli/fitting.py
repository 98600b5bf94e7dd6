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
