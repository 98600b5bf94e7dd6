"""With no network at all: in a network namespace that has a loopback device and nothing else.

The kernel counts there what it had no route for, so that an attempt to reach another machine shows
even where its failure is hushed up.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from helpers import FOOTNOTE, PATIENCE, importing_helpers, ran

QUOTE = "The US Indo-Pacific strategy was released on February 11."

# Arguments: the command, a folder, a document, seconds after which something hangs. Prints what it
# saw as one JSON object.
INSIDE = r"""
import fcntl, json, signal, socket, struct, sys, urllib.request
from pathlib import Path
from helpers import footnote, running

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

log = Path(folder) / "errors"
with running([command, "chat", "--no-open", *shipped], log, signal.SIGINT) as (url, _):
    seen["address"] = url
    with urllib.request.urlopen(url, timeout=patience) as page:
        seen["page"] = [page.status, page.read().decode(), dict(page.headers)]
seen["chat"] = log.read_text()
seen["unroutable"] = unroutable()
try:
    socket.create_connection(("192.0.2.1", 80), timeout=5)
except OSError as error:
    seen["outside"] = error.errno
seen["counted"] = unroutable() - seen["unroutable"]
print(json.dumps(seen))
"""


def test_all_works_and_nothing_outside_is_tried(tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("there is no `unshare` (util-linux) to make a network namespace with")
    apart = [unshare, "-n"] if os.geteuid() == 0 else [unshare, "-r", "-n"]
    tried = ran([*apart, "true"])
    if tried.returncode:
        pytest.skip(f"making a network namespace is not permitted here: {tried.stderr.strip()}")
    document = tmp_path / "ferry.txt"
    document.write_text("The ferry to Brenna leaves at nine.\n", encoding="utf-8")
    done = ran(
        [*apart, sys.executable, "-c", INSIDE, FOOTNOTE, tmp_path, document, str(PATIENCE)],
        env=os.environ | importing_helpers(),
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["devices"] == ["lo"]
    assert "outside" in seen
    assert seen["counted"] >= 1  # so an attempt would have been seen
    assert seen["unroutable"] == 0

    assert seen["add"]["code"] == 0, seen["add"]
    assert seen["add"]["err"] == "Indexing 1 paragraphs …\n"
    assert [hit["text"] for hit in json.loads(seen["search"]["out"])] == [
        "The ferry to Brenna leaves at nine."
    ]
    assert seen["search"]["err"] == ""
    assert seen["ask"]["code"] == 0, seen["ask"]
    assert QUOTE in json.loads(seen["ask"]["out"])["text"]
    assert seen["ask"]["err"] == "Indexing 32 paragraphs …\n"

    assert seen["address"].startswith("http://127.0.0.1:")
    status, page, headers = seen["page"]
    assert status == 200
    assert "Footnote" in page
    assert "default-src 'none'" in headers["content-security-policy"]
    assert seen["chat"] == ""
