"""The PostgreSQL servers of the tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from helpers import PATIENCE


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
