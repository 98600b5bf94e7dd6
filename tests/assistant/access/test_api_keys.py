"""Keys: made once, kept as what cannot be used, over when they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from helpers import footnote

from assistant.access.api_keys import Keys
from index.database.database import Database
from index.database.kept_tables import api_keys
from index.errors import SettingsError


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    served = request.param == "postgres"
    address = request.getfixturevalue("postgres_address") if served else None
    with closing(Database(tmp_path, address)) as found:
        yield found


@pytest.fixture
def keys(database: Database) -> Keys:
    return Keys(database)


def test_a_key_is_found_by_itself_alone_and_kept_nowhere(keys: Keys, database: Database) -> None:
    key = keys.create("ann", ["write", "ask"])
    other = keys.create("ben", ["ask"])
    assert key != other
    found = keys.find(key)
    assert found is not None
    assert (found.name, found.scopes, found.expires) == ("ann", ("ask", "write"), None)
    for wrong in ("", key[:-1], f"{key}x", "fn_", "../ann", "\ud800"):
        assert keys.find(wrong) is None
    with database.read() as connection:
        kept = str(connection.execute(sa.select(api_keys)).all())
    assert "ann" in kept
    assert key not in kept
    assert key.removeprefix("fn_") not in kept


def test_what_cannot_be_a_key_is_refused(keys: Keys) -> None:
    keys.create("ann", ["ask"])
    for name, scopes, told in (
        ("ann", ["ask"], "keys revoke ann"),
        ("a b", ["ask"], "letters"),
        ("", ["ask"], "letters"),
        ("ben", [], "scope"),
        ("ben", ["all"], "no scope 'all'"),
    ):
        with pytest.raises(SettingsError, match=told):
            keys.create(name, scopes)
    with pytest.raises(SettingsError, match="There are: ann"):
        keys.revoke("nobody")


def test_the_command_makes_lists_and_revokes(tmp_path: Path) -> None:
    index = ("--index-dir", tmp_path)
    assert "no key" in footnote("keys", "list", *index).stdout
    made = footnote("keys", "create", "ann", "--scope", "ask", "--scope", "write", *index)
    assert made.stdout.startswith("fn_")
    assert "not shown again" in made.stderr
    footnote("keys", "create", "ben", "--scope", "metrics", "--expires", "2999-12-31", *index)
    listed = footnote("keys", "list", *index).stdout
    assert made.stdout.strip() not in listed
    assert [line.split()[0] for line in listed.splitlines()] == ["name", "ann", "ben"]
    assert "3000-01-01" in listed
    for arguments, told in (
        (("create", "eve", "--scope", "all"), "no scope 'all'"),
        (("create", "eve", "--scope", "ask", "--expires", "2020-01-01"), "is over"),
        (("revoke", "eve"), "no key named eve"),
    ):
        assert told in footnote("keys", *arguments, *index, code=2).stderr
    revoked = footnote("keys", "revoke", "ann", *index)
    assert "Revoked ann" in revoked.stdout
    assert "No key is left" not in revoked.stderr
    assert "ann" not in footnote("keys", "list", *index).stdout
    assert "No key is left" in footnote("keys", "revoke", "ben", *index).stderr
