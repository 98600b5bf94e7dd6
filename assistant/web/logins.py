"""Who may open the page: names and passwords, from a file or the environment.

Never from the command line itself, which every user of the machine can read.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from pathlib import Path

from index.errors import SettingsError

VARIABLE = "FOOTNOTE_AUTH"

_FORM = "must be name:password, with neither of them empty"


def read_logins(file: Path | None) -> list[tuple[str, str]]:
    """Names and passwords, from the file or else from FOOTNOTE_AUTH; none where neither is given.

    Args:
        file: has one `name:password` a line; blank lines and lines that begin with # count for
            nothing.

    Raises:
        SettingsError: the file cannot be read, or a login is not of that form. No password is in
            the message.
    """
    if file is None:
        variable = os.environ.get(VARIABLE)
        return [] if variable is None else [_login(variable, VARIABLE)]
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        hint = (
            f" If that is a login: it is not taken from the command line. Set {VARIABLE} instead."
            if ":" in str(file)
            else ""
        )
        raise SettingsError(
            "--auth names a file of logins, one name:password a line, and the one given cannot be "
            f"read ({type(error).__name__}).{hint}"
        ) from error
    logins = [
        _login(line, f"Line {number} of {file}")
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.startswith("#")
    ]
    if not logins:
        raise SettingsError(f"{file} holds no login. Write one name:password a line.")
    return logins


def check_host(host: str, logins: Sequence[tuple[str, str]]) -> None:
    """Raise SettingsError where other machines reach the host and nobody has to log in."""
    if not (is_loopback(host) or logins):
        raise SettingsError(
            f"The host {host!r} can be reached from other machines, and anyone there could read "
            f"the documents. Give names and passwords ({VARIABLE}, or --auth FILE), or use the "
            "host 127.0.0.1."
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:  # a name, which may stand for any address
        return False


def _login(text: str, where: str) -> tuple[str, str]:
    name, separator, password = text.partition(":")
    if not (name.strip() and separator and password):
        raise SettingsError(f"{where} {_FORM}.")
    return name.strip(), password
