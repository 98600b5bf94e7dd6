"""The PostgreSQL servers of the tests do what tests take for granted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import sqlalchemy
from helpers import PATIENCE
from postgres import PostgresServer, template

prepared: list[str] = []


def create_boats(address: str) -> None:
    prepared.append(address)
    with psycopg.connect(address) as connection:
        connection.execute("CREATE TABLE boats (name text)")


boats_address = template(create_boats)


def tables(address: str) -> list[str]:
    with psycopg.connect(address) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return [name for (name,) in rows]


@pytest.mark.parametrize("test", range(2))
def test_a_database_is_empty(postgres_address: str, test: int) -> None:
    assert tables(postgres_address) == []
    create_boats(postgres_address)
    assert tables(postgres_address) == ["boats"]


@pytest.mark.parametrize("test", range(2))
def test_what_is_prepared_is_prepared_once_and_copied(boats_address: str, test: int) -> None:
    with psycopg.connect(boats_address) as connection:
        assert connection.execute("SELECT count(*) FROM boats").fetchone() == (0,)
        connection.execute("INSERT INTO boats VALUES ('Marie')")
    assert prepared.count(boats_address) == 0
    assert len([address for address in prepared if "template" in address]) == 1


def test_two_databases_do_not_see_each_other(
    postgres_server: PostgresServer, postgres_address: str
) -> None:
    with postgres_server.database() as other:
        create_boats(other)
        assert tables(postgres_address) == []
        assert tables(other) == ["boats"]


def test_a_database_that_is_still_in_use_is_dropped(postgres_server: PostgresServer) -> None:
    with postgres_server.database() as address:
        connection = psycopg.connect(address)
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    connection.close()
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(address)


def test_sqlalchemy_connects(postgres_address: str) -> None:
    url = sqlalchemy.make_url(postgres_address).set(drivername="postgresql+psycopg")
    engine = sqlalchemy.create_engine(url)
    try:
        with engine.connect() as connection:
            assert connection.scalar(sqlalchemy.text("SHOW server_encoding")) == "UTF8"
            assert connection.scalar(sqlalchemy.text("SELECT 'ä' < 'b'")) is False  # as C sorts
    finally:
        engine.dispose()


def test_what_is_committed_outlasts_a_kill(own_postgres: PostgresServer) -> None:
    address = own_postgres.address
    create_boats(address)
    with psycopg.connect(address) as connection:
        connection.execute("INSERT INTO boats VALUES ('Marie')")
    unfinished = psycopg.connect(address)
    unfinished.execute("INSERT INTO boats VALUES ('Anna')")
    own_postgres.kill()
    with pytest.raises(psycopg.OperationalError):
        unfinished.commit()
    unfinished.close()
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(address)
    own_postgres.start()
    assert own_postgres.address == address
    with psycopg.connect(address) as connection:
        assert connection.execute("SELECT name FROM boats").fetchall() == [("Marie",)]


def test_a_server_stops_and_starts_again(own_postgres: PostgresServer) -> None:
    create_boats(own_postgres.address)
    own_postgres.stop()
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(own_postgres.address)
    own_postgres.start()
    assert tables(own_postgres.address) == ["boats"]


def test_a_server_ends_with_the_process_that_it_is_for(postgres_initial: Path) -> None:
    code = """if True:
        import os, signal, sys
        from pathlib import Path
        from postgres import PostgresServer, server_folder, watch
        with server_folder() as folder:
            watch(folder)
            server = PostgresServer(folder)
            server.create(Path(sys.argv[1]))
            print(folder, server.address, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
    """
    path = str(Path(__file__).parents[1] / "support")
    ended = subprocess.run(
        [sys.executable, "-c", code, postgres_initial],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    folder, address = ended.stdout.split()
    deadline = time.monotonic() + PATIENCE
    while Path(folder).exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(address)
