"""What this is called where packages are installed from, its version, and how it is installed."""

from __future__ import annotations

import shlex
import sys
from importlib.util import find_spec
from pathlib import Path

#: Its name on PyPI: `footnote` there is another's. The command is `footnote` all the same.
DISTRIBUTION = "footnote-assistant"

#: Read from here when a wheel is built, so that the code that runs and not what lies beside it
#: tells its version.
VERSION = "0.2.0"


def install_command(extra: str) -> str:
    """The command that adds an extra to the Footnote that runs; by what has installed that, for
    elsewhere its name may be another's package."""
    what = shlex.quote(f"{DISTRIBUTION}[{extra}]")
    prefix, python = Path(sys.prefix), shlex.quote(sys.executable)
    if (prefix / "pipx_metadata.json").is_file():
        return f"pipx inject {DISTRIBUTION} {what}"
    if (prefix / "uv-receipt.toml").is_file():
        return f"uv tool install {what}"
    if find_spec("pip") is None:  # as in what uv makes
        return f"uv pip install --python {python} {what}"
    return f"{python} -m pip install {what}"
