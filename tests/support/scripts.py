"""Runs a script of the maintainers in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from typer import Typer
from typer.testing import CliRunner


def run_script(main: Callable[..., Any], *arguments: object) -> str:
    """Give the output of a script's function, called with a command line."""
    app = Typer()
    app.command()(main)
    given = [str(argument) for argument in arguments]
    done = CliRunner().invoke(app, given, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output
