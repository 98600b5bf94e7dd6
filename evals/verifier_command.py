"""The command `footnote eval verifier`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


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
    from tempfile import TemporaryDirectory

    from rich.console import Console
    from rich.table import Table

    from assistant.verification.verifier import ALONE, load_rule
    from evals.fitting.verifier import figures, fit, measure, model_alone, write

    out = Console(highlight=False, markup=False, emoji=False)
    with TemporaryDirectory() as temporary:
        fingerprint, cases = measure(index_dir or Path(temporary), wice)
    fitted = {ALONE: fit(cases, entailment=False)}
    if any(ground["entail"] for case in cases for ground in case.grounds):
        fitted[fingerprint] = fit(cases, entailment=True)
        alone = model_alone([case for case in cases if not case.fitted_on])
        shown = ", ".join(f"{name} {auroc}" for name, auroc in alone.items())
        out.print(f"model {fingerprint} without the rules, held out: AUROC {shown}")
    if output is not None:
        for model, (rule, provenance) in fitted.items():
            write(output, model, rule, provenance)
    for model, (rule, _) in fitted.items():
        used = (output and rule) or load_rule(model)
        if used is None:
            out.print(f"model {model}: not in use; fitted anew:")
        for title, half in (("fitted on", True), ("held out", False)):
            found = figures([case for case in cases if case.fitted_on == half], used or rule)
            table = Table("kind/made from", "n", "figures", title=f"{model}: {title}", box=None)
            for name, own in found.items():
                shown = ", ".join(f"{key} {value}" for key, value in own.items() if key != "n")
                table.add_row(name, str(own["n"]), shown)
            out.print(table)
