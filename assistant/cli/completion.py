"""The command `footnote completion`: what lets a shell complete what is typed.

Typer has the scripts, and offers them by two more options of the command, which would stand first
in its help; its functions are used without these.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import typer

from assistant.cli.options import print_text

Shell = Literal["bash", "zsh", "fish", "powershell"]

COMMAND = "footnote"
#: The scripts ask by this for what could stand next.
VARIABLE = "_FOOTNOTE_COMPLETE"


def completion(
    shell: Annotated[Shell, typer.Argument(help=f"One of {', '.join(get_args(Shell))}.")],
) -> None:
    """Print what lets a shell complete `footnote`.

    For bash put this into ~/.bashrc: source <(footnote completion bash)
    """
    from typer._completion_shared import get_completion_script

    print_text(get_completion_script(prog_name=COMMAND, complete_var=VARIABLE, shell=shell))


def prepare() -> None:
    """Be ready to tell a shell what could stand next."""
    from typer._completion_classes import completion_init

    completion_init()
