"""Real shells complete what is typed, by the script that `footnote completion` prints."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
from pathlib import Path

import pytest
from helpers import FOOTNOTE, PATIENCE, footnote, ran

PATH = os.pathsep.join((str(Path(FOOTNOTE).parent), os.environ["PATH"]))
#: What is typed before the tab, and what stands there after it.
TYPED = [("footnote ind", "index "), ("footnote ask --refus", "--refuse-below ")]


def script_for(shell: str, folder: Path) -> Path:
    if shutil.which(shell) is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"There is no {shell}: apt-get install {shell}")
        pytest.skip(f"There is no {shell}")
    file = folder / "script"
    file.write_text(footnote("completion", shell).stdout)
    return file


@pytest.mark.parametrize(
    ("shell", "begin"),
    [
        (["bash", "--norc", "--noprofile", "-i"], "source {}"),
        (["zsh", "-f", "-i"], "autoload -U compinit && compinit -u -D && source {}"),
    ],
)
def test_a_tab_completes(shell: list[str], begin: str, tmp_path: Path) -> None:
    script = script_for(shell[0], tmp_path)
    ours, theirs = pty.openpty()
    environment = os.environ | {"PATH": PATH, "TERM": "dumb", "PS1": "> ", "HOME": str(tmp_path)}
    process = subprocess.Popen(
        shell, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    )
    os.close(theirs)

    def until(text: str) -> None:
        seen = b""
        while text.encode() not in seen:
            seen += os.read(ours, 4096)

    try:
        os.write(ours, f"{begin.format(script)} && echo is-$((1 + 1))-ready\n".encode())
        until("is-2-ready")
        for typed, after in TYPED:
            os.write(ours, f"{typed}\t".encode())
            until(after)
            os.write(ours, b"\x15")  # Ctrl-U: an empty line again
    finally:
        process.kill()
        process.wait(PATIENCE)
        os.close(ours)


def test_fish_completes(tmp_path: Path) -> None:
    script = script_for("fish", tmp_path)
    completes = "; ".join(f"complete -C '{typed}'" for typed, _ in TYPED)
    done = ran(
        ["fish", "--no-config", "--command", f"source {script}; {completes}"],
        env=os.environ | {"PATH": PATH, "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    for _, after in TYPED:
        assert f"\n{after.strip()}" in f"\n{done.stdout}"


def test_completion_leaves_the_help_as_it_was() -> None:
    assert "completion" in (told := footnote("--help").stdout)
    assert "--install-completion" not in told
    assert "--show-completion" not in told
    assert "bash" in footnote("completion", "tcsh", code=2).stderr
