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
from helpers import PATIENCE, CheapEncoder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from index.store.records import FileRecords, Records
from itsdangerous import URLSafeTimedSerializer

from assistant.service.access import Access, client_of
from assistant.service.api_keys import Keys
from assistant.service.logins import KIND, LASTS, Logins, signed_by
from index import Index
from index.errors import RefusedError
from index.store.chroma_server import ServerAddress

ACCOUNTS = [("ann", "s3cret!"), ("ben", "pässword")]


@pytest.fixture(params=["folder", "server"])
def machine(
    request: pytest.FixtureRequest, tmp_path: Path, cheap: CheapEncoder, chroma: ServerAddress
) -> Iterator[Callable[[], Records]]:
    """Gives the records of one index as another process or machine has them, each time anew."""
    with ExitStack() as opened:

        def records() -> Records:
            if request.param == "folder":
                return FileRecords(tmp_path / KIND, private=True)
            own = tmp_path / str(time.monotonic_ns())
            index = opened.enter_context(closing(Index(own, encoder=cheap, chroma=chroma)))
            return index.records(KIND, private=True)

        yield records


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return FileRecords(tmp_path / KIND, private=True)


@pytest.fixture
def logins(records: Records) -> Logins:
    return Logins(records, ACCOUNTS)


def test_those_that_start_at_the_same_time_end_with_the_same(
    machine: Callable[[], Records],
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
    assert {signed_by(own.make("ben")) for own in machines} == {min(machine().all())}


def test_where_there_is_no_login_nothing_is_kept(tmp_path: Path, records: Records) -> None:
    none = Logins(records, [])
    assert not none.exist()
    assert none.named(["", "a.b"]) == {}
    assert not none.fits("", "")
    logins = Logins(records, ACCOUNTS)
    assert logins.exist()
    assert logins.named(["", "a.b"]) == {}
    assert not (tmp_path / KIND).exists()
    logins.make("ann")
    assert (tmp_path / KIND).stat().st_mode & 0o077 == 0, "others may look into it"


def test_a_login_ends_with_its_account_or_password_and_no_other_does(records: Records) -> None:
    before = Logins(records, ACCOUNTS)
    ann, ben = before.make("ann"), before.make("ben")
    for accounts in ([("ann", "another"), ACCOUNTS[1]], [ACCOUNTS[1]]):
        after = Logins(records, accounts)
        assert after.named([ann, ben]) == {ben: "ben"}
        assert after.named([after.make("ben")])
    # An account of another name with the same password is another.
    assert Logins(records, [("carl", "s3cret!")]).named([ann]) == {}
    assert Logins(records, ACCOUNTS).named([ann]) == {ann: "ann"}
    # Nor does the secret do without the password.
    assert before.named([Logins(records, [("ann", "a guess")]).make("ann")]) == {}


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
    elsewhere = Logins(FileRecords(tmp_path / "elsewhere"), ACCOUNTS).make("ann")
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
def test_what_is_no_secret_signs_nothing(tmp_path: Path, spoilt: str) -> None:
    kept = FileRecords(tmp_path / KIND)
    name = Logins(kept, ACCOUNTS).make("ann").partition(".")[0]
    kept.put(name, spoilt)  # as a power cut may leave it
    after = Logins(kept, ACCOUNTS)
    token = after.make("ann")
    assert signed_by(token) != name
    assert after.named([token]) == {token: "ann"}


def test_a_password_is_marked_otherwise_on_each_index(tmp_path: Path) -> None:
    marks = set()
    for folder in ("a", "b"):
        token = Logins(FileRecords(tmp_path / folder), ACCOUNTS).make("ann")
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


def test_wrong_passwords_are_counted_by_name_and_address(logins: Logins, tmp_path: Path) -> None:
    access = Access(Keys(FileRecords(tmp_path / "keys")), logins, demanded=False, rate="5/second")
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
    assert access.fits("ben", "pässword", "10.0.0.1")
    with patch("time.time", return_value=time.time() + 61):
        assert access.fits("ann", "s3cret!", "10.0.0.1")


def test_so_much_is_kept_of_a_client_in_an_hour(logins: Logins, tmp_path: Path) -> None:
    access = Access(Keys(FileRecords(tmp_path / "keys")), logins, demanded=False, rate="5/second")
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
