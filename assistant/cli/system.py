"""The command `footnote doctor`."""

from __future__ import annotations

from dataclasses import asdict

import typer

from assistant.cli.options import print_json, print_text, takes

TO_MEND = 3


@takes("index_dir as_json")
def doctor(context: typer.Context, as_json: bool) -> None:
    """Check the installation, and print what to do about each fault.

    The output can be pasted into a report: it has no text or name of a document, and no secret.
    Exits with 0 if there is no fault, and with 3 otherwise.
    """
    from assistant.cli.diagnosis import findings

    found = []
    for one in findings(context.params["index_dir"]):
        found.append(one)
        if not as_json:
            print_text(f"{one.state:<4}  {one.about:<14}  {one.found}")
    bad = [one for one in found if one.state == "mend"]
    if as_json:
        print_json({"sound": not bad, "findings": [asdict(one) for one in found]})
    elif bad:
        print_text(f"\nTo be mended: {', '.join(one.about for one in bad)}.")
    raise typer.Exit(TO_MEND if bad else 0)
