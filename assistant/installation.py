"""How this is installed: what it needs, which extras there are, and what adds another."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, entry_points, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from index.about import DISTRIBUTION

if TYPE_CHECKING:
    from packaging.requirements import Requirement

#: Extras for whoever works on Footnote itself.
_FOR_WORK = ("test", "train")


@dataclass(frozen=True, slots=True)
class Lack:
    """A package that is needed and not there as it is needed.

    Attributes:
        wanted: its name, and the versions that will do.
        installed: the version that is there; None where there is none.
    """

    wanted: str
    installed: str | None

    def __str__(self) -> str:
        found = f"{self.installed} is installed" if self.installed else "not installed"
        return f"{self.wanted} ({found})"


def install_command(extra: str = "") -> str:
    """The command that adds an extra to the Footnote that runs, or brings all of it up to date; by
    what has installed that, for elsewhere its name may be another's package."""
    what = shlex.quote(f"{DISTRIBUTION}[{extra}]") if extra else f"--upgrade {DISTRIBUTION}"
    prefix, python = Path(sys.prefix), shlex.quote(sys.executable)
    if (prefix / "pipx_metadata.json").is_file():
        return f"pipx inject {DISTRIBUTION} {what}" if extra else f"pipx reinstall {DISTRIBUTION}"
    if (prefix / "uv-receipt.toml").is_file():
        return f"uv tool install {what}"
    if find_spec("pip") is None:  # as in what uv makes
        return f"uv pip install --python {python} {what}"
    return f"{python} -m pip install {what}"


def lacking(extra: str = "") -> list[Lack]:
    """The packages that an extra needs besides, or that Footnote cannot do without, and that are
    not there as they are needed."""
    return [
        Lack(f"{one.name}{one.specifier}", found)
        for one in _required(extra)
        if (found := installed(one.name)) is None
        or not one.specifier.contains(found, prereleases=True)
    ]


def extras() -> dict[str, list[Lack]]:
    """What of each extra is not there; nothing of one that is installed."""
    own = _distribution()
    names = own.metadata.get_all("Provides-Extra") or [] if own else []
    return {name: lacking(name) for name in names if name not in _FOR_WORK}


def installed(package: str) -> str | None:
    """The version of a package; None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _required(extra: str) -> list[Requirement]:
    """What is required by an extra alone, or without any."""
    from packaging.requirements import Requirement

    own = _distribution()
    found = [Requirement(line) for line in (own.requires if own else None) or []]
    always = [one for one in found if one.marker is None or one.marker.evaluate({"extra": ""})]
    if not extra:
        return always
    return [
        one
        for one in found
        if one not in always and one.marker and one.marker.evaluate({"extra": extra})
    ]


def _distribution() -> Distribution | None:
    """What has put the command where it is; None of a copy that was not installed."""
    found = entry_points(group="console_scripts", name="footnote")
    return next((own.dist for own in found if own.module == "assistant.cli.main"), None)
