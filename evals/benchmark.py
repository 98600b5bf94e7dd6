"""Speed and size as the index grows, each beside a bare baseline of the same run.

- indexing: paragraphs a second of a whole sync, against `SentenceTransformer.encode` alone on the
  same paragraphs (a sample of them where there are many; it reads only their first 256 tokens);
- re-sync: seconds of a sync after 0.1 % of the paragraphs have changed;
- asking: median of a warm answer, without a reading model and with the shipped one, against the
  median of encoding the question alone;
- starting: a cold `footnote ask` on the index, against importing sentence-transformers, loading
  the model and encoding once;
- writing: answers while another process adds documents, and what keeping and removing one takes;
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

import os
import random
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
from importlib.resources import files
from itertools import chain, count
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from assistant import Assistant
from assistant.cli.main import REFUSED, UNSURE
from assistant.documents import read_all, shipped_documents
from assistant.settings import PREFIX, WITHOUT_SERVER, load_settings
from evals.beside import SMALL, beside_size
from evals.datasets.loader import read_set
from evals.reporting import plots
from evals.reporting.report import render
from index import Document, document_from_text
from index.database.database import parse_address
from index.encoder import Encoder, Spans, Vectors, default_model_path, load_model
from index.errors import FootnoteError, QuestionSetError

#: The share of the paragraphs that have changed at a re-sync.
CHANGED = 0.001
#: In recombined vectors, how much of the mean of a paragraph's sentences each has. Not tuned.
NEIGHBOUR_WEIGHT = 0.5
#: Paragraphs that bare encoding is timed on, and that a document has, at most. Not tuned.
SAMPLE, PER_DOCUMENT = 2000, 1000
#: Questions that are asked, at most. Not tuned.
QUESTIONS = 40
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
_ASK = "import sys; from assistant.cli.main import main; sys.argv[0] = 'footnote'; main()"


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
#: alone_p95_ms, beside_p95_ms, beside_failed, beside_added, keep_ms, remove_ms: see `beside`.
#: disk_mib: of the index.
#: server_mib: the most memory that the server held; None of a folder, and where the system does
#:     not tell.
Size = Mapping[str, Any]
#: Settings by which an assistant finds an index, and what tells where it is kept.
Kept = tuple[Mapping[str, Any], Callable[[], Size]]


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
        places = {"in a folder": _in_folder}
        if served:
            places["on servers"] = partial(_on_servers, served)
        for place, where in places.items():
            with tempfile.TemporaryDirectory() as folder, where(Path(folder)) as (settings, kept):
                told = f"{size:,} paragraphs, {place}"
                on_step(f"{told}: indexing")
                index = partial(index_size, recombined_vectors=size > encode_most)
                found = _in_own_process(index, settings, documents)
                on_step(f"{told}: asking and starting")
                found |= _in_own_process(ask_size, settings, asked)
                found |= _starts(settings, asked[0], rounds)
                on_step(f"{told}: asking while another process writes")
                found |= _in_own_process(beside_size, settings, asked)
                yield {**found, **kept()}


def _kept(folder: Path, server: int | None = None) -> Size:
    """What an index takes that is kept in a folder, by the process of a server if by any."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return {
        "served": server is not None,
        "disk_mib": sum(file.stat().st_size for file in files) / MIB,
        "server_mib": None if server is None else _peak_mib_of(server),
    }


@contextmanager
def _in_folder(folder: Path) -> Iterator[Kept]:
    """An index in a folder alone."""
    settings = {**WITHOUT_SERVER, "index_dir": folder / "index"}
    yield settings, partial(_kept, folder / "index")


@contextmanager
def _on_servers(database: str, folder: Path) -> Iterator[Kept]:
    """Start a Chroma server on loopback, and end it afterwards; empty the database."""
    _empty(database)
    data = folder / "server"
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
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(port, process, log)
        servers = {"chroma": url, "database": database}
        settings = {**WITHOUT_SERVER, "index_dir": folder / "cache", **servers}
        yield settings, partial(_kept, data, process.pid)
    finally:
        process.kill()
        process.wait()


def _empty(database: str) -> None:
    """Drop all tables of a PostgreSQL database."""
    engine = sa.create_engine(parse_address(database))
    tables = sa.MetaData()
    tables.reflect(engine)
    tables.drop_all(engine)
    engine.dispose()


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


def corpus_of(paths: Sequence[Path]) -> tuple[list[Document], list[str]]:
    """Documents to take sentences from, and questions about them.

    Args:
        paths: sets that bring their documents, and documents; the shipped document and its
            questions when there are none.

    Raises:
        FootnoteError: one cannot be read.
    """
    shipped = read_set(Path(str(files("evals.questions") / "seed.jsonl")))
    if not paths:
        return shipped_documents(), [q.question for q in shipped.questions]
    documents: list[Document] = []
    questions: list[str] = []
    for path in paths:
        names = {file.name for file in path.iterdir()} if path.is_dir() else set()
        if "corpus.jsonl" in names or path.suffix == ".json":
            read = read_set(path)
            documents += read.documents
            # Some of each set, so that every set is asked about.
            questions += [q.question for q in read.questions[: QUESTIONS // len(paths)]]
        else:
            documents += read_all([path])
    return documents, questions or [q.question for q in shipped.questions]


class _Recombining(Encoder):
    """Encodes each sentence once, and of these makes the vectors of paragraphs. As in those that
    are encoded whole, a sentence's has something of the sentences around it."""

    def __init__(self, name: str, prompts: Mapping[str, str]) -> None:
        super().__init__(name, prompts)
        self._known: dict[str, Vectors] = {}

    def encode_paragraphs(self, paragraphs: Sequence[tuple[str, Spans]]) -> list[Vectors]:
        texts = [[text[start:end] for start, end in spans] for text, spans in paragraphs]
        new = [one for one in dict.fromkeys(chain(*texts)) if one not in self._known]
        encoded = super().encode_paragraphs([(one, [(0, len(one))]) for one in new])
        self._known |= zip(new, (vectors[0] for vectors in encoded), strict=True)
        found = []
        for own in texts:
            vectors = np.stack([self._known[one] for one in own])
            vectors = vectors + NEIGHBOUR_WEIGHT * vectors.mean(axis=0)
            found.append(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
        return found


def index_size(
    settings: Mapping[str, Any], documents: Sequence[Document], *, recombined_vectors: bool = False
) -> dict[str, Any]:
    """Index documents, change 0.1 % of their paragraphs, and tell what it took and how much memory
    this process has held."""
    texts = [p.text for document in documents for p in document.paragraphs]
    model = load_model(default_model_path(), "all-MiniLM-L6-v2")
    model.encode(texts[:64], show_progress_bar=False)
    sample = texts[:: max(1, len(texts) // SAMPLE)][:SAMPLE]
    bare = _seconds(lambda: model.encode(sample, show_progress_bar=False))
    encoder = _Recombining if recombined_vectors else Encoder
    index = load_settings(**settings).open_index(encoder=encoder)
    index.encoder.encode_paragraphs([(texts[0], [(0, len(texts[0]))])])
    took = _seconds(lambda: index.sync(documents, keep=True))
    changed = min(max(1, round(len(texts) * CHANGED)), PER_DOCUMENT)
    edited = _edited(documents, changed)
    again = _seconds(lambda: index.sync(edited, keep=True))
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
        own = load_settings(**settings, reader=reader)
        index = own.open_index()
        documents = [info.id for info in index.documents()]
        with Assistant(index, documents, own) as assistant:
            for question in questions:
                assistant.ask(question)
            answers = [assistant.ask(anew(question)) for question in questions]
            encode = assistant.index.encoder.encode_query
            query = [_seconds(partial(encode, question)) for question in questions]
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
    """How so many people fare who ask at once, each so often. See `Size`."""

    def ask(person: int) -> list[float]:
        own = [questions[(person + turn * people) % len(questions)] for turn in range(each)]
        return [_seconds(partial(assistant.ask, anew(question))) * 1000 for question in own]

    with ThreadPoolExecutor(people) as pool:
        began = time.perf_counter()
        took = [one for own in pool.map(ask, range(people)) for one in own]
        seconds = time.perf_counter() - began
    cuts = statistics.quantiles(took, n=20)
    return {"answers": len(took) / seconds, "p50_ms": cuts[9], "p95_ms": cuts[18]}


def sentences_of(corpus: Sequence[Document]) -> list[str]:
    """The different sentences of a corpus that make a paragraph: a short text without a full stop
    would be read as a heading."""
    texts = {
        " ".join(sentence.text.split())
        for document in corpus
        for paragraph in document.paragraphs
        for sentence in paragraph.sentences
    }
    return sorted(text for text in texts if len(text) > 20 and text.endswith("."))


def recombined(sentences: Sequence[str], size: int) -> list[Document]:
    """Documents of so many different paragraphs of one to three sentences, the same each time.

    Raises:
        QuestionSetError: the sentences do not make so many.
    """
    generator = random.Random(size)  # noqa: S311 - no secret
    made: dict[str, None] = {}
    for _ in range(size * 20):
        if len(made) == size:
            break
        count = min(generator.randint(1, 3), len(sentences))
        made.setdefault(" ".join(generator.sample(sentences, count)))
    if len(made) < size:
        raise QuestionSetError(
            f"{len(sentences):,} sentences make {len(made):,} different paragraphs, not {size:,}. "
            "Give a larger --corpus, or fewer --paragraphs."
        )
    texts = list(made)
    return [
        document_from_text("\n\n".join(texts[first : first + PER_DOCUMENT]), f"part {first:07}")
        for first in range(0, size, PER_DOCUMENT)
    ]


def _edited(documents: Sequence[Document], count: int) -> list[Document]:
    """The documents with so many paragraphs of the first one changed."""
    first, *others = documents
    text = first.text
    for paragraph in reversed(first.paragraphs[:count]):
        text = f"{text[: paragraph.end]} It was changed.{text[paragraph.end :]}"
    return [document_from_text(text, first.source), *others]


def _starts(settings: Mapping[str, Any], question: str, rounds: int) -> dict[str, Any]:
    """Medians of a cold answer from the index and of the bare model, in seconds."""
    command = [sys.executable, "-c", _ASK, "ask", question]
    given = {f"{PREFIX}{name.upper()}": value for name, value in settings.items()}
    own = {name: value for name, value in os.environ.items() if name not in given}
    own |= {name: str(value) for name, value in given.items() if value}
    baseline = [sys.executable, "-c", _BASELINE, default_model_path()]
    ours, theirs = [], []
    for _ in range(rounds + 1):  # the first round fills the caches of the disk
        ours.append(_seconds(partial(_run, command, (0, REFUSED, UNSURE), own)))
        theirs.append(_seconds(partial(_run, baseline, (0,), own)))
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


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _cells(size: Size) -> dict[str, str]:
    """What is shown of a size, by row; where there is a baseline the ratio is to it."""
    query = size["query_ms"]
    return {
        "sentences": f"{size['sentences']:,}",
        "indexing, paragraphs/s": f"{size['indexed']:.0f}",
        "bare encode, paragraphs/s": f"{size['encoded']:.0f}",
        "  ratio": "–" if size["recombined"] else f"{size['indexed'] / size['encoded']:.2f}",
        "sync after 0.1 % changed, s": f"{size['resync_s']:.2f}",
        "warm answer, reader none, ms": f"{size['ask_none_ms']:.1f}",
        "warm answer, reader shipped, ms": f"{size['ask_shipped_ms']:.1f}",
        "query encoding, ms": f"{query:.1f}",
        "  ratio, reader none": f"{size['ask_none_ms'] / query:.1f}",
        "  ratio, reader shipped": f"{size['ask_shipped_ms'] / query:.1f}",
        **{
            row: f"{value:.0f}"
            for people, crowd in size["crowds"].items()
            for row, value in (
                (f"{people} at once, answers/s", crowd["answers"]),
                (f"  ratio, half of {people}", crowd["p50_ms"] / query),
                (f"  ratio, 95 % of {people}", crowd["p95_ms"] / query),
            )
        },
        "cold `footnote ask`, s": f"{size['start_s']:.2f}",
        "bare model, s": f"{size['bare_s']:.2f}",
        "  ratio, start": f"{size['start_s'] / size['bare_s']:.2f}",
        "while another process adds, ratio of 95 %": (
            f"{size['beside_p95_ms'] / size['alone_p95_ms']:.2f}" if size["beside_p95_ms"] else "–"
        ),
        "  failed": f"{size['beside_failed']}",
        "keep a document, ms": f"{size['keep_ms']:.0f}",
        "remove a document, ms": f"{size['remove_ms']:.0f}",
        "memory to index, MiB": f"{size['indexing_mib']:,.0f}",
        "memory to ask, MiB": f"{size['asking_mib']:,.0f}",
        "disk, MiB": f"{size['disk_mib']:,.0f}",
        "memory of the server, MiB": f"{size['server_mib'] or 0:,.0f}" if size["served"] else "–",
    }


def sizes_rows(sizes: Sequence[Size]) -> list[list[str]]:
    """A row of column names, one column a size, then a row for each thing that is measured."""
    shown = list(map(_cells, sizes))
    names = [
        f"{size['paragraphs']:,}{' served' * size['served']}{' recombined' * size['recombined']}"
        for size in sizes
    ]
    return [["", *names], *([row, *(cells[row] for cells in shown)] for row in shown[0])]


def to_dict(sizes: Sequence[Size]) -> dict[str, Any]:
    """The measurements as plain values, ready for JSON."""
    return {"footnote_benchmark": 1, "sizes": list(sizes)}


def benchmark_page(sizes: Sequence[Size]) -> str:
    """Table and plot as one self-contained page; the plot is of the indexes in a folder."""
    columns, *rows = sizes_rows(sizes)
    alone = [size for size in sizes if not size["served"]]
    growth = [
        (label, [size["paragraphs"] for size in alone], [size[key] for size in alone])
        for label, key in (
            ("warm answer, ms", "ask_shipped_ms"),
            ("one query encoding, ms", "query_ms"),
            ("sync after a change, s", "resync_s"),
            ("memory to ask, MiB", "asking_mib"),
            ("disk, MiB", "disk_mib"),
        )
    ]
    plot = plots.lines("growth", growth, "paragraphs", "", xscale="log", yscale="log")
    return render("benchmark.html", columns=columns[1:], rows=rows, plot=plot)
