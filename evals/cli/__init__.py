"""The command `footnote eval`."""

from evals.cli.main import app

__all__ = ["app"]
