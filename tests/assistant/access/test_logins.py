"""Logins that every process on an index knows, and nobody can make up."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from unittest.mock import patch

import pytest
import sqlalchemy as sa
from helpers import PATIENCE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from itsdangerous import URLSafeTimedSerializer

from assistant.access.api_keys import Keys
from assistant.access.callers import Access, client_of
from assistant.access.logins import LASTS, Logins, signed_by
from index.database.database import Database
from index.database.kept_tables import login_secrets
from index.errors import RefusedError

ACCOUNTS = [("ann", "s3cret!"), ("ben", "pässword")]


@pytest.fixture(params=["sqlite", "postgres"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Database]]:
    """Gives one database as another process or machine has it, each time anew."""
    served = request.param == "postgres"
    address = request.getfixturevalue("postgres_address") if served else None
    with ExitStack() as opened:
        yield lambda: opened.enter_context(closing(Database(tmp_path, address)))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(tmp_path)) as found:
        yield found


@pytest.fixture
def logins(database: Database) -> Logins:
    return Logins(database, ACCOUNTS)


def secrets_in(database: Database) -> dict[str, str]:
    with database.read() as connection:
        rows = connection.execute(sa.select(login_secrets))
        return {row.name: row.secret for row in rows}


def test_those_that_start_at_the_same_time_end_with_the_same(
    machine: Callable[[], Database],
) -> None:
    machines = [Logins(machine(), ACCOUNTS) for _ in range(6)]
    together = threading.Barrier(len(machines))

    def first(own: Logins) -> str:
        together.wait(PATIENCE)
        return own.make("ann")

    with ThreadPoolExecutor(len(machines)) as pool:
        tokens = list(pool.map(first, machines))
    for own in (*machines, Logins(machine(), ACCOUNTS)):
        assert own.named(tokens) == dict.fromkeys(tokens, "ann")
    assert {signed_by(own.make("ben")) for own in machines} == set(secrets_in(machine()))


def test_where_there_is_no_login_nothing_is_kept(tmp_path: Path, database: Database) -> None:
    none = Logins(database, [])
    assert not none.exist()
    assert none.named(["", "a.b"]) == {}
    assert not none.fits("", "")
    logins = Logins(database, ACCOUNTS)
    assert logins.exist()
    assert logins.named(["", "a.b"]) == {}
    assert secrets_in(database) == {}
    logins.make("ann")
    assert len(secrets_in(database)) == 1
    for file in tmp_path.iterdir():
        assert file.stat().st_mode & 0o077 == 0, "others may look into it"


def test_a_login_ends_with_its_account_or_password_and_no_other_does(database: Database) -> None:
    before = Logins(database, ACCOUNTS)
    ann, ben = before.make("ann"), before.make("ben")
    for accounts in ([("ann", "another"), ACCOUNTS[1]], [ACCOUNTS[1]]):
        after = Logins(database, accounts)
        assert after.named([ann, ben]) == {ben: "ben"}
        assert after.named([after.make("ben")])
    # An account of another name with the same password is another.
    assert Logins(database, [("carl", "s3cret!")]).named([ann]) == {}
    assert Logins(database, ACCOUNTS).named([ann]) == {ann: "ann"}
    # Nor does the secret do without the password.
    assert before.named([Logins(database, [("ann", "a guess")]).make("ann")]) == {}


def test_a_login_is_good_for_its_time_and_no_longer(logins: Logins) -> None:
    now, lasts = time.time(), LASTS.total_seconds()
    made = {}
    for seconds in (-lasts - 1, -lasts + PATIENCE, 3600, lasts + PATIENCE):
        with patch("time.time", return_value=now + seconds):
            made[seconds] = logins.make("ann")
    over, good, ahead, far_ahead = made.values()
    # The clocks of machines differ: one that goes an hour ahead is no reason to refuse.
    assert set(logins.named([over, good, ahead, far_ahead])) == {good, ahead}


def test_what_was_cut_altered_or_made_up_lets_nobody_in(logins: Logins, tmp_path: Path) -> None:
    ann = logins.make("ann")
    by, _, signed = ann.partition(".")
    elsewhere = Logins(Database(tmp_path / "elsewhere"), ACCOUNTS).make("ann")
    rest = ".".join(signed.rsplit(".", 2)[1:])
    bens = base64.urlsafe_b64encode(b'["ben","00"]').decode().rstrip("=")
    made_up = [
        *(ann[:end] for end in range(len(ann))),
        # The last character of a signature has two bits that say nothing.
        *(f"{ann[:at]}{'AB'[ann[at] == 'A']}{ann[at + 1 :]}" for at in range(len(ann) - 1)),
        *(ann + more for more in ("A", ".", ".A")),
        elsewhere,
        f"{by}.{elsewhere.partition('.')[2]}",
        f"{by}.{bens}.{rest}",
        f"{by}.{signed}".upper(),
        *(f"{by}.{URLSafeTimedSerializer(key).dumps(['ann', ''])}" for key in ("x", by, "s3cret!")),
    ]
    assert logins.named([*made_up, ann]) == {ann: "ann"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(), st.booleans())
def test_no_text_at_all_does(logins: Logins, text: str, signed: bool) -> None:
    made = logins.make("ann") if signed else ""
    assert logins.named([f"{signed_by(made)}.{text}" if signed else text]) == {}


@pytest.mark.parametrize("spoilt", ["", "\n", "x", "a" * 42])
def test_what_is_no_secret_signs_nothing(database: Database, spoilt: str) -> None:
    name = Logins(database, ACCOUNTS).make("ann").partition(".")[0]
    with database.write() as connection:
        connection.execute(sa.update(login_secrets).values(secret=spoilt))
    after = Logins(database, ACCOUNTS)
    token = after.make("ann")
    assert signed_by(token) != name
    assert after.named([token]) == {token: "ann"}


def test_a_password_is_marked_otherwise_on_each_index(tmp_path: Path) -> None:
    marks = set()
    for folder in ("a", "b"):
        token = Logins(Database(tmp_path / folder), ACCOUNTS).make("ann")
        _, told = URLSafeTimedSerializer("").loads_unsafe(token.partition(".")[2])
        name, mark = told
        assert name == "ann"
        assert len(mark) == 64
        marks.add(mark)
    assert len(marks) == 2, "the same password shows as the same on any index"


def test_passwords_are_compared_whole(logins: Logins) -> None:
    assert logins.fits("ann", "s3cret!")
    assert logins.fits("ben", "pässword")
    for name, password in (
        ("ann", ""),
        ("ann", "s3cret"),
        ("ann", "s3cret!!"),
        ("ann", "pässword"),
        ("Ann", "s3cret!"),
        ("nobody", ""),
        ("", ""),
        ("ben", "p\udce4ssword"),
    ):
        assert not logins.fits(name, password)


def test_wrong_passwords_are_counted_by_name_and_address(
    logins: Logins, database: Database
) -> None:
    access = Access(Keys(database), logins, demanded=False, rate="5/second")
    for _ in range(30):
        assert access.fits("ann", "s3cret!", "10.0.0.1"), "right ones are not counted"
    for _ in range(10):
        assert not access.fits("ann", "wrong", "10.0.0.1")
    for password in ("wrong", "s3cret!"):  # it is not told which of them is right
        with pytest.raises(RefusedError, match=r"Try again in \d+ seconds") as refused:
            access.fits("ann", password, "10.0.0.1")
        assert refused.value.status == 429
        assert refused.value.retry_after is not None
        assert 0 < refused.value.retry_after <= 60
    assert access.fits("ann", "s3cret!", "10.0.0.2")
    for last in range(10):  # of one network, all of which whoever has one has
        assert not access.fits("ann", "wrong", f"2001:db8:1:2::{last}")
    with pytest.raises(RefusedError, match=r"Try again in \d+ seconds"):
        access.fits("ann", "s3cret!", "2001:db8:1:2:ffff::1")
    assert access.fits("ann", "s3cret!", "2001:db8:1:3::1")
    assert access.fits("ben", "pässword", "10.0.0.1")
    with patch("time.time", return_value=time.time() + 61):
        assert access.fits("ann", "s3cret!", "10.0.0.1")


def test_so_much_is_kept_of_a_client_in_an_hour(logins: Logins, database: Database) -> None:
    access = Access(Keys(database), logins, demanded=False, rate="5/second")
    ann = client_of("ann", "10.0.0.1")
    for _ in range(50):
        access.count_bytes(ann, 99_999)
    with pytest.raises(RefusedError, match=r"again in \d+ seconds") as refused:
        access.count_bytes(client_of("ann", "10.0.0.2"), 1)
    assert refused.value.status == 429
    access.count_bytes(client_of("ben", "10.0.0.1"), 99_999)
    with patch("time.time", return_value=time.time() + 3601):
        access.count_bytes(ann, 99_999)


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1), st.ip_addresses(v=4))
def test_an_address_is_one_client_however_many_it_has(
    address: IPv6Address, more: int, other: IPv4Address
) -> None:
    neighbour = IPv6Address((int(address) >> 64 << 64) + more)
    assert client_of(None, str(address)) == client_of(None, str(neighbour))
    beyond = IPv6Address(int(address) ^ 1 << 64)
    everybody = {client_of(None, str(own)) for own in (address, beyond, other)}
    assert len({*everybody, client_of("ann", str(address)), client_of(None, "")}) == 5
