"""The lines for a shell that people begin with: each is run, and what it gives is what it says."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import QUOTE
from helpers import PATIENCE
from services import api

AT = "http://127.0.0.1:7860"

LINES = r"""
curl http://127.0.0.1:7860/api/ask \
  --json '{"question": "When was the US Indo-Pacific strategy released?"}'

curl -N -H "Accept: text/event-stream" http://127.0.0.1:7860/api/overview --json '{"sentences": 3}'

curl -F file=@notes.txt http://127.0.0.1:7860/api/documents

curl http://127.0.0.1:7860/v1/chat/completions --json '{"model": "footnote", "messages":
  [{"role": "user", "content": "When was the US Indo-Pacific strategy released?"}]}'

curl http://127.0.0.1:7860/health/ready

curl http://127.0.0.1:7860/metrics
"""

GIVES = (
    QUOTE,
    "event: done",
    '"name":"notes.txt"',
    f"{QUOTE} [1]",
    "ready",
    "footnote_questions_total",
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with api(tmp_path_factory.mktemp("curl")) as address:
        yield address.rstrip("/")


@pytest.mark.parametrize(
    ("line", "gives"), list(zip(LINES.strip().split("\n\n"), GIVES, strict=True))
)
def test_it_gives_what_it_says(url: str, tmp_path: Path, line: str, gives: str) -> None:
    if shutil.which("curl") is None:
        pytest.skip("There is no curl: apt-get install curl")
    (tmp_path / "notes.txt").write_text("Walnuts float in brine.")
    done = subprocess.run(
        line.replace(AT, url),
        shell=True,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert gives in done.stdout
