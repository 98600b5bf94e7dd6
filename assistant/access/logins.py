"""Who may log in, and who has. The one module that imports itsdangerous.

Passwords come from a file or the environment, never from the command line itself, which every user
of the machine can read.

Nobody keeps a list of it: a browser brings a token that is signed, so that every process on one
index knows it, and one that was started since. What signs is a secret of 256 bits from the system's
source of chance, kept with the index and made at the first login. Where it is taken away, all
logins end when what serves them is started again.

A token is the name of its secret, a dot, and what that secret has signed: the account's name, when
it was, and a mark, which is made of the secret, the name and the password. So a login ends with its
password, and nobody who lacks the secret can try passwords on a token. Whoever reads the secret
still needs a password to make a token, but can try as many as they like, uncounted.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import sqlalchemy as sa
from itsdangerous import BadData, URLSafeTimedSerializer

from assistant.llm.discovery import is_loopback
from index.database.database import Database
from index.database.kept_tables import login_secrets
from index.errors import SettingsError

LASTS = timedelta(days=14)
"""How long a login is good for."""

VARIABLE = "FOOTNOTE_AUTH"

_NAME = re.compile(r"[0-9a-f]{16}")
# Anything else, which somebody wrote there by hand, is no secret.
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


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


class Logins:
    """The logins of some accounts. May be used from many threads and processes; all that have the
    same database and the same password of an account take each other's logins to it.

    Args:
        database: where the secret that signs them is kept.
        accounts: names and passwords; the last counts of a name that is there twice.

    Raises (`make` and `named`):
        IndexUnusableError: see `Database`.
    """

    def __init__(self, database: Database, accounts: Sequence[tuple[str, str]]) -> None:
        self._database = database
        self._accounts: Mapping[str, str] = dict(accounts)
        self._secrets: Mapping[str, str] = {}

    def exist(self) -> bool:
        """Whether there are accounts to log in to."""
        return bool(self._accounts)

    def fits(self, name: str, password: str) -> bool:
        """Whether this is the password of an account. It takes as long for a wrong one as for a
        right one, and for a name that is not known."""
        right = self._accounts.get(name)
        same = hmac.compare_digest(_hash(password), _hash(right or ""))
        return same and right is not None

    def make(self, name: str) -> str:
        """A token by which `named` knows a login to this account.

        Args:
            name: of an account, whose password was right.
        """
        kept = self._read()
        if not kept:
            made = {"name": secrets.token_hex(8), "secret": secrets.token_urlsafe(32)}
            with self._database.write() as connection:
                if not _secrets_in(connection):  # another process may have been first
                    connection.execute(sa.insert(login_secrets).values(**made))
                kept = _secrets_in(connection)
        self._secrets = kept
        by, secret = min(kept.items())
        mark = _mark(secret, name, self._accounts[name])
        return f"{by}.{_serializer(secret).dumps([name, mark])}"

    def named(self, tokens: Sequence[str]) -> Mapping[str, str]:
        """Those of the tokens that are logins, each with the name of its account. Where that has
        another password by now, or is gone, or the time is over, a token is none."""
        # Another process may have made a secret since; one look will do, however many are sent.
        if any(signed_by(token) not in self._secrets for token in tokens):
            self._secrets = self._read()
        known = self._secrets
        return {t: name for t in tokens if (name := self._name_in(t, known)) is not None}

    def _name_in(self, token: str, known: Mapping[str, str]) -> str | None:
        by, _, signed = token.partition(".")
        if by not in known:
            return None
        try:
            (name, mark), made = _serializer(known[by]).loads(signed, return_timestamp=True)
        except BadData:
            return None
        # The clock of the machine that made it may go before this one's.
        if abs(datetime.now(UTC) - made) > LASTS or name not in self._accounts:
            return None
        right = _mark(known[by], name, self._accounts[name])
        return str(name) if hmac.compare_digest(mark, right) else None

    def _read(self) -> Mapping[str, str]:
        with self._database.read() as connection:
            return _secrets_in(connection)


def _secrets_in(connection: sa.Connection) -> Mapping[str, str]:
    return {
        row.name: row.secret
        for row in connection.execute(sa.select(login_secrets))
        if _NAME.fullmatch(row.name) and _SECRET.fullmatch(row.secret)
    }


def signed_by(token: str) -> str:
    """The name of the secret that a token says it is signed by."""
    return token.partition(".")[0]


def _serializer(secret: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        secret,
        salt="footnote.login",
        signer_kwargs={"key_derivation": "hmac", "digest_method": sha256},
    )


def _mark(secret: str, name: str, password: str) -> str:
    text = f"account\0{name}\0{password}".encode("utf-8", "surrogatepass")
    return hmac.digest(secret.encode(), text, "sha256").hex()


def _hash(password: str) -> bytes:
    return sha256(password.encode("utf-8", "surrogatepass")).digest()


def _login(text: str, where: str) -> tuple[str, str]:
    name, separator, password = text.partition(":")
    if not (name.strip() and separator and password):
        raise SettingsError(f"{where} must be name:password, with neither of them empty.")
    return name.strip(), password
