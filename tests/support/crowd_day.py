"""A day of two hundred people: what they do with Footnote on three replicas behind nginx, how long
that takes, what memory it takes, and whether all that was acknowledged is there in the end."""

from __future__ import annotations

import random
import ssl
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
from acknowledged import PASSWORD, Person, Requests, UnsureError
from chroma_servers import ChromaServer
from crowd import SURE
from helpers import PATIENCE, run_footnote
from postgres import children, running_server
from replicas import Machines, machines

PEOPLE = 200
AT_ONCE = 16
"""People whose request is under way, or who are about to send one."""
PER_SECOND = 4.0
"""Things that they do: some seventy each in an hour, which are those of a day."""
QUARTERS = 4
SURVEY = "survey.pdf"
SENTENCES = (
    "The harbour of Corvo was surveyed in the spring of 1931.",
    "Its northern pier is 214 metres long and was built of oak.",
)


class Visitor(Person):
    """Somebody of the crowd, who also reads, searches, exports and leaves."""

    def act(self) -> None:
        """Do something, as often as people do."""
        things = {
            super().act: 30,
            self._ask: 25,
            self._follow_up: 10,
            self._find: 10,
            self._export: 6,
            self._draw: 8,
            self._leave: 8,
            self.log_in: 3,
        }
        [thing] = self._chance.choices([*things], [*things.values()])
        thing()

    def _ask(self) -> None:
        self.answered(self.question())

    def _follow_up(self) -> None:
        asked = self.question()
        said = [{"role": "user", "content": asked}, {"role": "assistant", "content": "So it was."}]
        self.answered("And in its worst week?", said)

    def _find(self) -> None:
        self.told("find", "/find", text="harbour")
        self.told("find", "/conversations/search", text="ferry")

    def _export(self) -> None:
        ways = [("/notes/export", self.kept.notes_in(self.name, None))]
        for _, own, talk in self.kept.talks_in(self.name, None):
            if talk.deleted is None:
                ways.append((f"/conversations/{own}/export", [*talk.turns]))
        path, holds = self._chance.choice(ways)
        if holds:
            form = self._chance.choice(("docx", "md"))
            response = self.ask("export", "GET", path, params={"format": form})
            assert response.is_success, f"{path}: {response.status_code} {response.text}"

    def _draw(self) -> None:
        listed = self.told("look", "/api/documents")["documents"]
        identity = next(one["id"] for one in listed if one["name"] == SURVEY)
        path = f"/documents/{identity}/pages/1"
        response = self.ask("draw", "GET", path, params={"width": 800})
        assert response.headers.get("content-type") == "image/webp", response.text

    def _leave(self) -> None:
        """Ask on the page, and be gone before the answer has come."""
        begun = time.perf_counter()
        asked = {"question": self.question()}
        with (
            suppress(httpx.TransportError),
            self._client.stream("POST", "/ask", json=asked) as response,
        ):
            next(response.iter_lines(), None)
        self.requests.took("stream left", time.perf_counter() - begun)


def day(
    folder: Path, seed: int, is_over: Callable[[], bool], seconds: float, people: int = PEOPLE
) -> dict[str, Any]:
    """What came of a day, or of a part of one.

    Args:
        folder: for all that is kept.
        seed: of what is done.
        is_over: whether it is to end early.
        seconds: that it takes otherwise.
        people: how many.
    """
    names = [f"person{number}" for number in range(people)]
    logins = folder / "logins.txt"
    logins.write_text("".join(f"{name}:{PASSWORD}\n" for name in names))
    flags = (*SURE, "--auth", str(logins), "--rate", "1000000/second")
    with ExitStack() as ends:
        postgres = ends.enter_context(running_server())
        chroma = ChromaServer(folder / "chroma")
        ends.callback(chroma.kill)
        database = ends.enter_context(postgres.database())
        there = ends.enter_context(machines(folder, chroma, database, *flags))
        survey = folder / SURVEY
        survey.write_bytes(pdf(SENTENCES))
        own = folder / "own"
        run_footnote("index", "add", survey, "--index-dir", own, **there.environment)
        requests, trust = Requests(), ssl.create_default_context()
        visitors = []
        for number, name in enumerate(names):
            client = httpx.Client(base_url=there.url, timeout=PATIENCE, verify=trust)
            visitors.append(
                Visitor(name, ends.enter_context(client), 1000 * seed + number, requests)
            )
        return _passed(there, postgres.process, visitors, requests, is_over, seconds)


def _passed(
    there: Machines,
    postgres: int,
    visitors: Sequence[Visitor],
    requests: Requests,
    is_over: Callable[[], bool],
    seconds: float,
) -> dict[str, Any]:
    processes = {f"replica {n}": own.process.pid for n, own in enumerate(there.replicas, 1)}
    processes |= {"chroma": there.chroma.process.pid, "postgres": postgres}
    wrong = Counter[str]()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(Visitor.log_in, visitors))
        memory = [_memory(processes)]
        begun, over = time.monotonic(), threading.Event()
        working = [
            threads.submit(_work, visitors[n::AT_ONCE], over.is_set, wrong) for n in range(AT_ONCE)
        ]
        for quarter in range(1, QUARTERS + 1):
            while time.monotonic() < begun + seconds * quarter / QUARTERS and not is_over():
                time.sleep(0.5)
            memory.append(_memory(processes))
        over.set()
        for own in working:
            own.result()
        passed = time.monotonic() - begun
        told = [_requests_told(requests, passed), _memory_told(memory)]
        found = list(threads.map(lambda own: (own.name, own.settle()), visitors))
        for visitor in visitors[:10]:
            visitor.check_documents()
    bad = {
        name: [f"{who}: {one}" for who, own in found for one in getattr(own, name)]
        for name in ("lost", "doubled", "wrong")
    }
    bad["wrong"] += [f"{count} times {what}" for what, count in wrong.items()]
    done = sum(visitor.done for visitor in visitors)
    told.append(
        f"{len(visitors)} people, {done} changes acknowledged. At the end lost {len(bad['lost'])}, "
        f"doubled {len(bad['doubled'])}."
    )
    return {"minutes": passed / 60, "told": told, **bad}


def _work(visitors: Sequence[Visitor], is_over: Callable[[], bool], wrong: Counter[str]) -> None:
    """One of these people after the other does something, at times that chance says."""
    chance = random.Random(visitors[0].name)
    while not is_over():
        visitor = chance.choice(visitors)
        due = time.monotonic() + chance.expovariate(PER_SECOND / AT_ONCE)
        try:
            visitor.act()
        except UnsureError:
            visitor.settle()
        except AssertionError as error:
            wrong[str(error)[:300]] += 1
        while time.monotonic() < due and not is_over():
            time.sleep(0.05)


def _memory(processes: dict[str, int]) -> dict[str, float]:
    """Megabytes that each takes, with what it has started."""
    return {name: sum(map(_own_memory, _family(own))) for name, own in processes.items()}


def _family(process: int) -> list[int]:
    return [process, *(one for child in children(process) for one in _family(child))]


def _own_memory(process: int) -> float:
    """What several share counts in parts."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def _requests_told(requests: Requests, passed: float) -> str:
    lines = [
        "| kind | requests | a second | p50 ms | p95 ms | errors |",
        "|---|---|---|---|---|---|",
    ]
    for kind, seconds in sorted(requests.seconds.items()):
        cut = statistics.quantiles(seconds, n=20) if len(seconds) > 1 else seconds * 19
        own = {what: n for what, n in requests.errors.items() if what.startswith(f"{kind}: ")}
        errors = ", ".join(f"{n} {what.partition(': ')[2]}" for what, n in own.items()) or "0"
        lines.append(
            f"| {kind} | {len(seconds)} | {len(seconds) / passed:.2f} | {1000 * cut[9]:.0f} "
            f"| {1000 * cut[18]:.0f} | {errors} |"
        )
    return "\n".join(lines)


def _memory_told(memory: Sequence[dict[str, float]]) -> str:
    head = "| MB | start | 1/4 | 2/4 | 3/4 | end | growth in the last half |"
    lines = [head, "|---|---|---|---|---|---|---|"]
    for name in memory[0]:
        taken = [one[name] for one in memory]
        values = " | ".join(f"{value:.0f}" for value in taken)
        lines.append(f"| {name} | {values} | {taken[-1] - taken[QUARTERS // 2]:+.0f} |")
    return "\n".join(lines)


def pdf(lines: Sequence[str]) -> bytes:
    """A page with these lines."""
    shown = " 0 -20 Td ".join(f"({line}) Tj" for line in lines)
    text = f"BT /F 12 Tf 40 700 Td {shown} ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R "
        "/Resources << /Font << /F 5 0 R >> >> >>",
        f"<< /Length {len(text)} >>\nstream\n{text}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    made, places = "%PDF-1.7\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(made))
        made += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    return (
        f"{made}xref\n0 6\n0000000000 65535 f \n{table}"
        f"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n{len(made)}\n%%EOF\n"
    ).encode()
