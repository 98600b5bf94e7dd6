"""The commands `footnote doctor` and `service`: Footnote on this system."""

from __future__ import annotations

import sys
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from assistant.cli.options import LOCAL, Host, notes, print_json, print_text, takes

TO_MEND = 3
#: Below it a port is for whoever is allowed to take one.
FIRST_FREE = 1024
#: What a service does not see.
HOMES = tuple(map(Path, ("/home", "/root", "/run/user")))


@takes("index_dir as_json")
def doctor(context: typer.Context, as_json: bool) -> None:
    """Tell whether all is as it should be here, and what to do where it is not.

    What it prints can be pasted into a report: it has no text or name of a document, and no secret.
    Exits with 0 if nothing is to be mended, and with 3 otherwise.
    """
    from assistant.cli.diagnosis import findings

    found = []
    for one in findings(context.params["index_dir"], context.obj):
        found.append(one)
        if not as_json:
            print_text(f"{one.state:<4}  {one.about:<14}  {one.found}")
    bad = [one for one in found if one.state == "mend"]
    if as_json:
        print_json({"sound": not bad, "findings": [asdict(one) for one in found]})
    elif bad:
        print_text(f"\nTo be mended: {', '.join(one.about for one in bad)}.")
    raise typer.Exit(TO_MEND if bad else 0)


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
