"""Speed and size as the index grows, each beside a bare baseline of the same run.

- indexing: paragraphs a second of a whole sync, against `SentenceTransformer.encode` alone on the
  same paragraphs (a sample of them where there are many; it reads only their first 256 tokens);
- re-sync: seconds of a sync after 0.1 % of the paragraphs have changed;
- asking: median of a warm answer, without a reading model and with the shipped one, against the
  median of encoding the question alone;
- starting: a cold `footnote ask` on the index, against importing sentence-transformers, loading
  the model and encoding once;
- writing: answers while another process adds documents, and what keeping and removing one takes;
- the worst client: answers over HTTP while another client has fifty requests there at all times;
- memory: the most that a process held which indexed, and one that opened the index and answered;
- disk.

With `served`, each size is measured a second time on an index that a Chroma server keeps, which is
started for it on this machine: then the disk is the server's, whose memory is told too.

Ratios hold on a machine that is noisy or slow. Each size is measured in a process of its own, so
that the memory is its own. Paragraphs are recombined from the sentences of the corpus, one to three
in each, none twice in one paragraph and no two paragraphs alike. They are shorter than a report's,
so that 100,000 of them, each encoded for real, take minutes and not an hour; what grows with an
index is the number of its sentences, which the table gives too.

Of more than a limit the vectors are recombined too, from those of the single sentences: encoding a
million paragraphs takes hours, and says of an index only that it takes hours. Indexing is then not
compared with encoding.
"""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from assistant import Assistant
from assistant.cli.main import REFUSED, UNSURE
from assistant.settings import WITHOUT_SERVER, load_settings
from evals.benchmark.concurrent_writes import FOOTNOTE, SMALL, beside_size, environment, seconds
from evals.benchmark.corpus import (
    PER_DOCUMENT,
    QUESTIONS,
    RecombiningEncoder,
    edited,
    recombined,
    sentences_of,
)
from evals.benchmark.worst_client import worst_size
from index import Document
from index.database.database import parse_address
from index.encoder import Encoder, default_model_path, load_model
from index.errors import FootnoteError

#: The share of the paragraphs that have changed at a re-sync.
CHANGED = 0.001
#: Paragraphs that bare encoding is timed on, at most. Not tuned.
SAMPLE = 2000
#: People who ask at once, and how often each of them does: once where there is little. Not tuned.
CROWDS, EACH = (8, 50), 4
#: Seconds within which a Chroma server has to answer once it is started.
STARTS_WITHIN = 120
MIB = 1 << 20

# The same library, model and precision, and nothing else.
_BASELINE = """
import sys
from index.encoder import BASE_ENCODER, load_model
load_model(sys.argv[1], BASE_ENCODER).encode("When was it released?")
"""


#: What one size costs, by name; times are medians:
#:
#: served: whether a Chroma server keeps the index, and not a folder.
#: paragraphs, sentences: of the index.
#: recombined: whether its vectors were; see above.
#: indexed, encoded: paragraphs a second of the sync, and of bare encoding.
#: resync_s: seconds of the sync after 0.1 % changed, of `resync_paragraphs` paragraphs.
#: ask_none_ms, ask_shipped_ms, query_ms: milliseconds of a warm answer without a reading model,
#:     with the shipped one, and of encoding the question alone.
#: stages_ms: milliseconds by stage of the answer with the shipped model.
#: crowds: by how many people asked at once, each again as soon as the answer was there: `answers`,
#:     how many a second, and `p50_ms` and `p95_ms`, milliseconds that half and 95 % of the answers
#:     took at most; with the shipped model.
#: start_s, bare_s: seconds of a cold `footnote ask`, and of the bare model.
#: indexing_mib, asking_mib: the most memory of the process that indexed, and of one that opened
#:     the index and answered.
#: alone_p95_ms, beside_p95_ms, beside_failed, beside_added, keep_ms, remove_ms: see
#:     `concurrent_writes`.
#: http_p95_ms, worst_p95_ms, worst_ready_ms, worst_failed: see `worst_client`.
#: disk_mib: of the index.
#: server_mib: the most memory that the server held; None of a folder, and where the system does
#:     not tell.
Size = Mapping[str, Any]


def measure_sizes(
    corpus: Sequence[Document],
    questions: Sequence[str],
    sizes: Sequence[int],
    rounds: int,
    on_step: Callable[[str], None],
    served: str | None,
    encode_most: int,
) -> Iterator[Size]:
    """Measure each size.

    Args:
        corpus: where the sentences are taken from.
        questions: what is asked; the first QUESTIONS of them.
        sizes: in paragraphs.
        rounds: how often a start is timed.
        on_step: called with what is being done.
        served: address of a PostgreSQL database that is emptied: measure each size on it and a
            Chroma server too.
        encode_most: of more paragraphs the vectors are recombined.

    Raises:
        QuestionSetError: the corpus is too small for a size.
        FootnoteError: a process that was timed failed, or the server does not start.
    """
    sentences, asked = sentences_of(corpus), questions[:QUESTIONS]
    for size in sizes:
        documents = recombined(sentences, size)
        for database in (None, served) if served else (None,):
            place = "on servers" if database else "in a folder"
            with (
                tempfile.TemporaryDirectory() as name,
                _prepared(Path(name), database) as (settings, server),
            ):
                on_step(f"{size:,} paragraphs, {place}: indexing")
                index = partial(index_size, recombined_vectors=size > encode_most)
                found = _in_own_process(index, settings, documents)
                on_step(f"{size:,} paragraphs, {place}: asking and starting")
                found |= _in_own_process(ask_size, settings, asked)
                found |= _starts(settings, asked[0], rounds)
                on_step(f"{size:,} paragraphs, {place}: asking while another process writes")
                found |= _in_own_process(beside_size, settings, asked)
                on_step(f"{size:,} paragraphs, {place}: asking while a client does its worst")
                found |= _in_own_process(worst_size, settings, asked)
                files = (file for file in (Path(name) / "data").rglob("*") if file.is_file())
                yield {
                    **found,
                    "served": server is not None,
                    "disk_mib": sum(file.stat().st_size for file in files) / MIB,
                    "server_mib": None if server is None else _peak_mib_of(server),
                }


@contextmanager
def _prepared(folder: Path, database: str | None) -> Iterator[tuple[Mapping[str, Any], int | None]]:
    """Where an index is kept, whose data lie in `folder/data`: the settings by which an assistant
    finds it, and the process of its Chroma server.

    Without a database it is the folder alone. With one a Chroma server is started on loopback, and
    ended afterwards; the database is emptied.
    """
    data = folder / "data"
    if database is None:
        yield {**WITHOUT_SERVER, "index_dir": data}, None
        return
    engine = sa.create_engine(parse_address(database))
    tables = sa.MetaData()
    tables.reflect(engine)
    tables.drop_all(engine)
    engine.dispose()
    data.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name("chroma")), "run", "--path", str(data)]
    log = folder / "log"
    with log.open("wb") as lines:
        process = subprocess.Popen(  # noqa: S603 - ours
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            stdout=lines,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(port, process, log)
        servers = {"chroma": f"http://127.0.0.1:{port}", "database": database}
        yield {**WITHOUT_SERVER, "index_dir": folder / "cache", **servers}, process.pid
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return as soon as a server that was started answers."""
    until = time.monotonic() + STARTS_WITHIN
    while process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return
        except OSError:
            time.sleep(0.05)  # not there yet
    raise FootnoteError(f"The Chroma server does not start:\n{log.read_text()[-2000:]}")


def index_size(
    settings: Mapping[str, Any], documents: Sequence[Document], *, recombined_vectors: bool = False
) -> dict[str, Any]:
    """Index documents, change 0.1 % of their paragraphs, and tell what it took and how much memory
    this process has held."""
    texts = [p.text for document in documents for p in document.paragraphs]
    model = load_model(default_model_path(), "all-MiniLM-L6-v2")
    model.encode(texts[:64], show_progress_bar=False)
    sample = texts[:: max(1, len(texts) // SAMPLE)][:SAMPLE]
    bare = seconds(lambda: model.encode(sample, show_progress_bar=False))
    encoder = RecombiningEncoder if recombined_vectors else Encoder
    index = load_settings(**settings).open_index(encoder=encoder)
    index.encoder.encode_paragraphs([(texts[0], [(0, len(texts[0]))])])
    took = seconds(lambda: index.sync(documents, keep=True))
    changed = min(max(1, round(len(texts) * CHANGED)), PER_DOCUMENT)
    after = edited(documents, changed)
    again = seconds(lambda: index.sync(after, keep=True))
    status = index.status()
    index.close()
    return {
        "paragraphs": status.paragraphs,
        "sentences": status.sentences,
        "recombined": recombined_vectors,
        "indexed": len(texts) / took,
        "encoded": len(sample) / bare,
        "resync_s": again,
        "resync_paragraphs": changed,
        "indexing_mib": _peak_mib(),
    }


def ask_size(settings: Mapping[str, Any], questions: Sequence[str]) -> dict[str, Any]:
    """Answer from the index that `index_size` made, and tell how long it took and how much memory
    this process has held."""
    found: dict[str, Any] = {}
    numbers = count()

    def anew(question: str) -> str:
        return f"{question} ({next(numbers)})"  # or what was read for it is not read again

    for reader in ("none", "shipped"):
        loaded = load_settings(**settings, reader=reader)
        index = loaded.open_index()
        documents = [info.id for info in index.documents()]
        with Assistant(index, documents, loaded) as assistant:
            for question in questions:
                assistant.ask(question)
            answers = [assistant.ask(anew(question)) for question in questions]
            encode = assistant.index.encoder.encode_query
            query = [seconds(partial(encode, question)) for question in questions]
            each = EACH if index.status().paragraphs >= SMALL else 1
            crowds = {
                str(people): _crowd(assistant, questions, people, each, anew) for people in CROWDS
            }
        found[f"ask_{reader}_ms"] = statistics.median(a.timings_ms["total"] for a in answers)
        found["query_ms"] = statistics.median(query) * 1000
        found["stages_ms"] = {
            stage: round(statistics.median(a.timings_ms[stage] for a in answers), 2)
            for stage in answers[0].timings_ms
        }
    found["crowds"] = crowds
    found["asking_mib"] = _peak_mib()
    return found


def _crowd(
    assistant: Assistant,
    questions: Sequence[str],
    people: int,
    each: int,
    anew: Callable[[str], str],
) -> dict[str, float]:
    """Speed for `people` who ask at once, each `each` times. See `Size`."""

    def ask(person: int) -> list[float]:
        asked = [questions[(person + turn * people) % len(questions)] for turn in range(each)]
        return [seconds(partial(assistant.ask, anew(question))) * 1000 for question in asked]

    with ThreadPoolExecutor(people) as pool:
        began = time.perf_counter()
        took = [one for times in pool.map(ask, range(people)) for one in times]
        whole = time.perf_counter() - began
    cuts = statistics.quantiles(took, n=20)
    return {"answers": len(took) / whole, "p50_ms": cuts[9], "p95_ms": cuts[18]}


def _starts(settings: Mapping[str, Any], question: str, rounds: int) -> dict[str, Any]:
    """Medians of a cold answer from the index and of the bare model, in seconds."""
    command = [sys.executable, "-c", FOOTNOTE, "ask", question]
    baseline = [sys.executable, "-c", _BASELINE, default_model_path()]
    ours, theirs = [], []
    for _ in range(rounds + 1):  # the first round fills the caches of the disk
        ours.append(seconds(partial(_run, command, (0, REFUSED, UNSURE), environment(settings))))
        theirs.append(seconds(partial(_run, baseline, (0,), environment(settings))))
    return {"start_s": statistics.median(ours[1:]), "bare_s": statistics.median(theirs[1:])}


def _in_own_process(
    measure: Callable[[Mapping[str, Any], Sequence[Any]], dict[str, Any]],
    settings: Mapping[str, Any],
    given: Sequence[Any],
) -> dict[str, Any]:
    """What a function of this module gives in a fresh process, so that its memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, settings, given).result()


def _run(command: Sequence[str], codes: Sequence[int], environment: Mapping[str, str]) -> None:
    done = subprocess.run(  # noqa: S603 - ours
        command, capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode not in codes:
        raise FootnoteError(f"A measuring process failed:\n{done.stderr[-2000:]}")


def _peak_mib() -> float:
    """The most memory that this process has held."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (MIB if sys.platform == "darwin" else 1024)


def _peak_mib_of(process: int) -> float | None:
    """The most memory that another process has held; None where the system does not tell."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return None
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
