"""The commands `footnote doctor` and `footnote completion`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal, get_args

import typer

from assistant.cli.options import print_json, print_text, takes

TO_MEND = 3
Shell = Literal["bash", "zsh", "fish", "powershell"]

COMMAND = "footnote"
#: The scripts ask by this for what could stand next.
COMPLETING = "_FOOTNOTE_COMPLETE"


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


def completion(
    shell: Annotated[Shell, typer.Argument(help=f"One of {', '.join(get_args(Shell))}.")],
) -> None:
    """Print what lets a shell complete `footnote`.

    For bash put this into ~/.bashrc: source <(footnote completion bash)
    """
    # Typer offers its scripts by two more options of the command, which would stand first in its
    # help; its functions are used without these.
    from typer._completion_shared import get_completion_script

    print_text(get_completion_script(prog_name=COMMAND, complete_var=COMPLETING, shell=shell))
