"""Parts of Footnote are killed at random moments while people work with it: after each time what
was acknowledged to them is there, and once, and nothing half done is."""

from __future__ import annotations

import os
import secrets
from itertools import cycle, islice
from pathlib import Path

import pytest
from kills import FOLDER, SERVERS, folder_world, missing, servers_world

pytestmark = pytest.mark.long

KILLS = int(os.environ.get("KILLS", "24"))
"""Of each of the tests, but a sixth of it by the clock: a process whose clock can be set is slow.
More by `make soak`."""


@pytest.mark.parametrize(
    ("kinds", "count"),
    [(FOLDER, KILLS), (("clock",), KILLS // 6), (SERVERS, KILLS)],
    ids=["folder", "clock", "servers"],
)
def test_nothing_is_lost_or_doubled(
    kinds: tuple[str, ...], count: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    possible = [kind for kind in kinds if not missing(kind)]
    if not possible:
        pytest.skip(missing(kinds[0]))
    if kinds == SERVERS:
        world = servers_world(tmp_path, request.getfixturevalue("own_postgres"))
    else:
        world = folder_world(tmp_path)
    first = secrets.randbits(32)
    with world as there:
        for seed, kind in enumerate(islice(cycle(possible), count), start=first):
            print(f"{kind}, seed {seed}")
            there.kill(kind, seed)
