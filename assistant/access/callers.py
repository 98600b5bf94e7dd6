"""Who sends a request, and what each may do."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from dataclasses import dataclass

from starlette.datastructures import Headers

from assistant.access.api_keys import SCOPES, Keys, Scope, digest
from assistant.access.logins import Logins
from assistant.access.quotas import BYTES_PER_UNIT, Quotas
from index.errors import RefusedError

_KEY = re.compile(r"[A-Za-z0-9-]{20,80}")

_HOW = (
    "Send a key as `Authorization: Bearer KEY`. Whoever runs Footnote makes one: footnote keys "
    "create NAME --scope ask"
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request.

    Attributes:
        name: of the key, or of the login; "" where anyone at this machine may ask.
        client: who it counts as in line and for quotas; see `client_of`.
        owner: what it adds belongs to this owner (see `Library`).
        scopes: what it may.
        browser: names its browser, on the page; see `name_of_browser`.
    """

    name: str
    client: str
    owner: str
    scopes: frozenset[Scope]
    browser: str | None = None

    def need(self, *scopes: Scope) -> None:
        """Require one of these scopes.

        Raises:
            RefusedError: it has none of them.
        """
        if not self.scopes.intersection(scopes):
            raise RefusedError(
                f"This key has not the scope {' or '.join(scopes)}. Use another, or have one made: "
                f"footnote keys create NAME --scope {scopes[0]}",
                403,
            )


class Access:
    """Knows who sends a request. May be used from many threads.

    Without accounts and keys anyone who reaches the server has access, as on the page: that is for
    programs on the same machine. Once a key was made, one is required.

    Args:
        keys: of the index.
        logins: accounts, whose passwords are taken by HTTP Basic authentication too.
        demanded: require a key or a login even if there are none: other machines can reach the
            server.
        rate: how many requests each caller may send, such as `600/minute`.

    Attributes:
        logins: to the page.

    Raises:
        SettingsError: the rate is malformed.
    """

    def __init__(self, keys: Keys, logins: Logins, demanded: bool, rate: str) -> None:
        self._keys = keys
        self.logins = logins
        self._demanded = demanded
        self._quotas = Quotas(rate)

    def caller(self, headers: Headers, address: str) -> Caller:
        """Who sends a request with these headers.

        Args:
            headers: of the request.
            address: where it comes from, as far as is known.

        Raises:
            RefusedError: it has no access.
        """
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        basic, bearer = scheme.lower() == "basic", scheme.lower() == "bearer"
        if bearer and (key := self._keys.find(credentials.strip())):
            if key.is_over:
                raise RefusedError(f"The key {key.name} has expired. {_HOW}", 401, code="login")
            owner, scopes = _owner_of("key", key.name), frozenset(key.scopes)
            return Caller(key.name, f"key {key.name}", owner, scopes)
        if basic and (name := self._login(credentials, address)):
            return person(name, address)
        if self.logins.exist() or self._demanded or self._keys.exist():
            given = "The key or the login that was sent is not known, or no longer. " * bool(scheme)
            raise RefusedError((given or "A key is needed here. ") + _HOW, 401, code="login")
        # Clients of OpenAI's protocol send some key even where none is needed.
        return person(None, address)

    def count(self, caller: Caller) -> None:
        """Count a request.

        Raises:
            RefusedError: the caller has sent too many.
        """
        if caller.name:
            self._quotas.use("many_requests", caller.owner, name=caller.name)

    def count_bytes(self, client: str, size: int) -> None:
        """Count what a client has kept for good.

        Args:
            client: see `client_of`.
            size: in bytes.

        Raises:
            RefusedError: that is too much.
        """
        self._quotas.use("many_kept", client, 1 + size // BYTES_PER_UNIT)

    def count_fetch(self, client: str) -> None:
        """Count an address that is to be fetched for a client.

        Args:
            client: see `client_of`.

        Raises:
            RefusedError: that is one too many.
        """
        self._quotas.use("many_fetched", client)

    def fits(self, name: str, password: str, address: str) -> bool:
        """Whether this is the password of an account; wrong ones are counted.

        Args:
            name: of the account.
            password: as somebody gives it.
            address: where that comes from, as far as is known.

        Raises:
            RefusedError: too many wrong ones were given before; nothing is told of this one.
        """
        fits = self.logins.fits(name, password)
        tries = _owner_of("tries", f"{name}\0{client_of(None, address)}")
        self._quotas.use("many_tries", tries, count=not fits)
        return fits

    def _login(self, credentials: str, address: str) -> str | None:
        """The name in credentials of HTTP Basic authentication, where the password is right."""
        try:
            name, _, password = base64.b64decode(credentials).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return name if self.logins.exist() and self.fits(name, password, address) else None


def client_of(login: str | None, address: str) -> str:
    """Names who sends a request, where nobody can give themselves many names: a login, or else an
    address; of IPv6 the network of 64 bits, all of which whoever has one has.

    Args:
        login: the name that somebody has logged in by.
        address: where the request comes from, as far as is known.
    """
    if login is not None:
        return f"login {login}"
    try:
        is_v6 = ipaddress.ip_address(address).version == 6
    except ValueError:
        return f"address {address}"
    network = ipaddress.ip_network(f"{address}/64", strict=False) if is_v6 else address
    return f"address {network}"


def person(login: str | None, address: str) -> Caller:
    """Whoever has logged in by this name, or, without one, sits at this machine: the same caller in
    every interface.

    Args:
        login, address: see `client_of`.
    """
    owner = MACHINE if login is None else owner_of_login(login)
    return Caller(login or "", client_of(login, address), owner, frozenset(SCOPES))


def owner_of_login(name: str) -> str:
    """The owner that a login is."""
    return _owner_of("login", name)


def name_of_browser(login: str | None, key: str) -> str | None:
    """Names a browser by its key, to tell apart those that one login uses; None of what is no key.

    Args:
        login: the name that it had logged in by.
        key: a secret that only it has.
    """
    if not _KEY.fullmatch(key):
        return None
    return digest(f"{login or ''}\0{key}")[:24]


def _owner_of(kind: str, name: str) -> str:
    # Begins with what no browser's owner can be made of.
    return digest(f"\0{kind}\0{name}")[:24]


MACHINE = _owner_of("machine", "")
"""The owner of what is added at a machine where nobody logs in."""
