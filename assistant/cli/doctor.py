"""The command `footnote doctor`: whether all is as it should be here."""

from __future__ import annotations

from dataclasses import asdict

import typer

from assistant.cli.options import IndexDir, Json, print_json, print_text

TO_MEND = 3


def doctor(
    context: typer.Context,
    index_dir: IndexDir = None,
    as_json: Json = False,
) -> None:
    """Tell whether all is as it should be here, and what to do where it is not.

    What it prints can be pasted into a report: it has no text or name of a document, and no secret.
    Exits with 0 if nothing is to be mended, and with 3 otherwise.
    """
    from assistant.diagnosis import findings

    found = []
    for one in findings(index_dir, context.obj):
        found.append(one)
        if not as_json:
            print_text(f"{one.state:<4}  {one.about:<14}  {one.found}")
    bad = [one for one in found if one.state == "mend"]
    if as_json:
        print_json({"sound": not bad, "findings": [asdict(one) for one in found]})
    elif bad:
        print_text(f"\nTo be mended: {', '.join(one.about for one in bad)}.")
    raise typer.Exit(TO_MEND if bad else 0)
