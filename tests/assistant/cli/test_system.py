"""`footnote service` prints a unit that systemd takes; shells are told what completes a word."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

import pytest
from helpers import FOOTNOTE, footnote, ran

from assistant.settings import load_settings, models_folder

SYSTEMD = shutil.which("systemd-analyze")


def values_of(unit: str) -> dict[str, list[str]]:
    """What is assigned in a unit, by name."""
    found: dict[str, list[str]] = {}
    for line in unit.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def test_the_unit_serves_by_this_command_and_lets_it_do_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = values_of(footnote("service").stdout)
    command = shlex.split(unit["ExecStart"][0])
    assert command == [FOOTNOTE, "serve", "--host", "127.0.0.1", "--port", "7860"]
    assert unit["DynamicUser"] == unit["NoNewPrivileges"] == unit["ProtectHome"] == ["yes"]
    assert unit["ProtectSystem"] == ["strict"]
    assert unit["CapabilityBoundingSet"] == [""]
    # What it is told of folders leads Footnote to those that the unit's first lines name.
    folders = {"%S": tmp_path / "lib", "%C": tmp_path / "cache", "%E": tmp_path / "etc"}
    for pair in shlex.split(" ".join(unit["Environment"])):
        name, _, value = pair.partition("=")
        monkeypatch.setenv(name, str(folders[value[:2]]) + value[2:])
    file = tmp_path / "etc" / "footnote" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("at_once = 7\n")
    settings = load_settings()
    assert (settings.index_dir, settings.at_once) == (tmp_path / "lib" / "footnote", 7)
    assert models_folder().is_relative_to(settings.index_dir)

    other = footnote("service", "--host", "::", "--port", "80").stdout  # a low port, and IPv6
    assert "http://[::]:80/" in other
    assert values_of(other)["CapabilityBoundingSet"] == ["CAP_NET_BIND_SERVICE"]
    assert values_of(other)["ExecStart"][0].endswith("serve --host :: --port 80")
    footnote("service", "--port", "0", code=2)


@pytest.mark.skipif(SYSTEMD is None, reason="There is no systemd: apt-get install systemd")
def test_systemd_takes_it(tmp_path: Path) -> None:
    file = tmp_path / "footnote.service"
    file.write_text(footnote("service").stdout)

    def analyze(*arguments: str) -> str:
        done = ran(
            [str(SYSTEMD), *arguments, str(file)], env=os.environ | {"SYSTEMD_LOG_LEVEL": "warning"}
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    assert analyze("verify") == ""
    # Of ten, where ten is a service that may do everything.
    analyze("security", "--offline=true", "--threshold=20")
    file.write_text(file.read_text().replace("ProtectSystem=strict", "ProtectSystem=perhaps"))
    assert "ProtectSystem" in analyze("verify")  # it looks


def test_the_shell_is_told_what_could_stand_next() -> None:
    typed = {"_FOOTNOTE_COMPLETE": "complete_bash", "COMP_WORDS": "footnote se", "COMP_CWORD": "1"}
    told = ran([FOOTNOTE], env=os.environ | typed).stdout
    assert {"search", "serve"} <= set(told.split())
