"""With no network at all: in a network namespace that has a loopback device and nothing else.

The kernel counts there what it had no route for, so that an attempt to reach another machine shows
even where its failure is hushed up.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import Any

import pytest
from helpers import FOOTNOTE, PATIENCE, importing_helpers

QUOTE = "The US Indo-Pacific strategy was released on February 11."

# Arguments: the command, a folder, a document, seconds after which something hangs. Prints what it
# saw as one JSON object.
INSIDE = r"""
import fcntl, json, signal, socket, struct, subprocess, sys, urllib.request
from pathlib import Path
from helpers import footnote

command, folder, document = sys.argv[1:4]
patience = float(sys.argv[4])
SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
    fcntl.ioctl(device, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", IFF_UP))


def unroutable():
    lines = Path("/proc/net/snmp").read_text().splitlines()
    found = 0
    for names, values in zip(lines[::2], lines[1::2]):
        counts = dict(zip(names.split(), values.split()))
        if names.startswith("Ip:"):
            found += int(counts["OutNoRoutes"])
        if names.startswith("Udp:"):
            found += int(counts["NoPorts"])  # a name server on loopback was asked
    six = Path("/proc/net/snmp6")
    counts = dict(line.split() for line in six.read_text().splitlines()) if six.exists() else {}
    return found + int(counts.get("Ip6OutNoRoutes", 0)) + int(counts.get("Udp6NoPorts", 0))


def run(*arguments):
    done = footnote(*arguments, code=None)
    return {"code": done.returncode, "out": done.stdout, "err": done.stderr}


seen = {"devices": [name for _, name in socket.if_nameindex()]}
own = ["--index-dir", folder + "/own"]
seen["add"] = run("index", "add", document, *own)
seen["search"] = run("search", "ferry", "--json", *own)
shipped = ["--index-dir", folder + "/shipped"]
question = "When was the US Indo-Pacific strategy released?"
seen["ask"] = run("ask", question, "--json", *shipped)

with open(folder + "/errors", "w+") as errors:
    chat = subprocess.Popen(
        [command, "chat", "--no-open", *shipped], stdout=subprocess.PIPE, stderr=errors, text=True
    )
    try:
        line = chat.stdout.readline()
        seen["address"] = line
        url = line.split()[3]
        with urllib.request.urlopen(url, timeout=patience) as page:
            seen["page"] = [page.status, page.read().decode(), dict(page.headers)]
    finally:
        chat.send_signal(signal.SIGINT)
        seen["chat"] = {"code": chat.wait(patience)}
        errors.seek(0)
        seen["chat"]["err"] = errors.read()
seen["unroutable"] = unroutable()
try:
    socket.create_connection(("192.0.2.1", 80), timeout=5)
except OSError as error:
    seen["outside"] = error.errno
seen["counted"] = unroutable() - seen["unroutable"]
print(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What happened inside the namespace."""
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("there is no `unshare` (util-linux) to make a network namespace with")
    apart = [unshare, "-n"] if os.geteuid() == 0 else [unshare, "-r", "-n"]
    tried = subprocess.run([*apart, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"making a network namespace is not permitted here: {tried.stderr.strip()}")
    folder = tmp_path_factory.mktemp("offline")
    document = folder / "ferry.txt"
    document.write_text("The ferry to Brenna leaves at nine.\n", encoding="utf-8")
    done = subprocess.run(
        [*apart, sys.executable, "-c", INSIDE, FOOTNOTE, folder, document, str(PATIENCE)],
        env=os.environ | importing_helpers(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_there_is_nothing_but_loopback(seen: dict[str, Any]) -> None:
    assert seen["devices"] == ["lo"]
    assert "outside" in seen
    assert seen["counted"] >= 1  # so an attempt would have been seen


def test_indexing_searching_and_asking_work(seen: dict[str, Any]) -> None:
    assert seen["add"]["code"] == 0, seen["add"]
    assert seen["add"]["err"] == "Indexing 1 paragraphs …\n"
    assert [hit["text"] for hit in json.loads(seen["search"]["out"])] == [
        "The ferry to Brenna leaves at nine."
    ]
    assert seen["search"]["err"] == ""
    assert seen["ask"]["code"] == 0, seen["ask"]
    assert QUOTE in json.loads(seen["ask"]["out"])["text"]
    assert seen["ask"]["err"] == "Indexing 32 paragraphs …\n"


def test_the_page_works(seen: dict[str, Any]) -> None:
    assert seen["address"].startswith("Footnote is at http://127.0.0.1:")
    status, page, headers = seen["page"]
    assert status == 200
    assert "Footnote" in page
    assert "default-src 'none'" in headers["content-security-policy"]
    assert seen["chat"] == {"code": 0, "err": ""}


def test_nothing_outside_was_tried(seen: dict[str, Any]) -> None:
    assert seen["unroutable"] == 0
