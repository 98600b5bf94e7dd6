"""The command `footnote service`: what lets a system run Footnote."""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from assistant.cli.options import LOCAL, Host, notes, print_text

#: Below it a port is for whoever is allowed to take one.
FIRST_FREE = 1024
#: What a service does not see.
HOMES = tuple(map(Path, ("/home", "/root", "/run/user")))


def service(
    host: Host = LOCAL,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen at.")] = 7860,
) -> None:
    """Print a unit of systemd that serves the page, as a user of its own who may do little else.

    Its first lines tell where it goes, and where settings and secrets are looked for.
    """
    command = Path(sys.executable).with_name("footnote")
    for path in (command, Path(sys.executable).resolve()):
        if any(path.is_relative_to(home) for home in HOMES):
            notes.print(
                f"{path} is in a home folder, which the service does not see. Install Footnote for "
                "all, in /opt/footnote, say, and print the unit by the command there."
            )
            break
    template = files("assistant.cli").joinpath("unit.service").read_text(encoding="utf-8")
    name = f"[{host}]" if ":" in host else host
    print_text(
        template.format(
            address=f"{name}:{port}",
            command=_quoted(str(command)),
            host=_quoted(host),
            port=port,
            capabilities="CAP_NET_BIND_SERVICE" if port < FIRST_FREE else "",
        ).rstrip()
    )


def _quoted(text: str) -> str:
    """A word of a command as systemd takes it."""
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{text}"' if " " in text else text
