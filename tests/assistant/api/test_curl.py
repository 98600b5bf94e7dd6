"""The lines for curl in the help: each is run, and what it gives is what it says."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from browsing import QUOTE
from helpers import PATIENCE

from assistant.help.topics import topic

AT = "http://127.0.0.1:7860"

(LINES,) = re.findall(r"```bash\n(.*?)```", topic("api").text, re.DOTALL)

GIVES = (
    QUOTE,
    "event: done",
    "missile",
    f"{QUOTE} [1]",
    '"name":"notes.txt"',
    '"role":"own"',
    "ready",
    "footnote_questions_total",
)


@pytest.mark.parametrize(("line", "gives"), list(zip(LINES.splitlines(), GIVES, strict=True)))
def test_it_gives_what_it_says(api_url: str, tmp_path: Path, line: str, gives: str) -> None:
    if shutil.which("curl") is None:
        pytest.skip("There is no curl: apt-get install curl")
    (tmp_path / "notes.txt").write_text("Walnuts float in brine.")
    done = subprocess.run(
        line.replace(AT, api_url.rstrip("/")),
        shell=True,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert gives in done.stdout
