"""Speed and size as the index grows, each beside a bare baseline of the same run.

- indexing: paragraphs a second of a whole sync, against `SentenceTransformer.encode` alone on the
  same paragraphs (a sample of them where there are many; it reads only their first 256 tokens);
- re-sync: seconds of a sync after 0.1 % of the paragraphs have changed;
- asking: median of a warm answer, without a reading model and with the shipped one, against the
  median of encoding the question alone;
- starting: a cold `footnote ask` on the index, against importing sentence-transformers, loading
  the model and encoding once;
- memory: the most that a process held which indexed, and one that opened the index and answered;
- disk.

Ratios hold on a machine that is noisy or slow. Each size is measured in a process of its own, so
that the memory is its own. Paragraphs are recombined from the sentences of the corpus, one to three
in each, none twice in one paragraph and no two paragraphs alike. They are shorter than a report's,
so that 100,000 of them, each encoded for real, take minutes and not an hour; what grows with an
index is the number of its sentences, which the table gives too.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from importlib.resources import files
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.table import Table

from assistant import Assistant
from assistant.cli.main import REFUSED, UNSURE
from assistant.documents import read_all, shipped_documents
from assistant.settings import load_settings
from evals.datasets.loader import read_set
from evals.reporting import plots
from evals.reporting.report import render
from evals.reporting.tables import rows_table
from index import Document, Index, document_from_text
from index.encoder import default_model_path, load_model
from index.errors import FootnoteError, QuestionSetError

#: The share of the paragraphs that have changed at a re-sync.
CHANGED = 0.001
#: Paragraphs that bare encoding is timed on, and that a document has, at most. Not tuned.
SAMPLE, PER_DOCUMENT = 2000, 1000
#: Questions that are asked, at most. Not tuned.
QUESTIONS = 40
#: People who ask at once, and how often each of them does. Not tuned.
CROWDS, EACH = (8, 50), 4
MIB = 1 << 20

# The same library, model and precision, and nothing else.
_BASELINE = """
import sys
from index.encoder import DEFAULT_ENCODER, load_model
load_model(sys.argv[1], DEFAULT_ENCODER).encode("When was it released?")
"""
_ASK = "import sys; from assistant.cli.main import main; sys.argv[0] = 'footnote'; main()"


@dataclass(frozen=True, slots=True)
class Size:
    """What one size costs. Times are medians.

    Attributes:
        paragraphs, sentences: of the index.
        indexed, encoded: paragraphs a second of the sync, and of bare encoding.
        resync_s: seconds of the sync after 0.1 % changed, of `resync_paragraphs` paragraphs.
        ask_none_ms, ask_shipped_ms, query_ms: milliseconds of a warm answer without a reading
            model, with the shipped one, and of encoding the question alone.
        stages_ms: milliseconds by stage of the answer with the shipped model.
        crowds: by how many people asked at once, each again as soon as the answer was there:
            `answers`, how many a second, and `p50_ms` and `p95_ms`, milliseconds that half and 95 %
            of the answers took at most; with the shipped model.
        start_s, bare_s: seconds of a cold `footnote ask`, and of the bare model.
        indexing_mib, asking_mib: the most memory of the process that indexed, and of one that
            opened the index and answered.
        disk_mib: of the index.
    """

    paragraphs: int
    sentences: int
    indexed: float
    encoded: float
    resync_s: float
    resync_paragraphs: int
    ask_none_ms: float
    ask_shipped_ms: float
    query_ms: float
    stages_ms: dict[str, float]
    crowds: dict[str, dict[str, float]]
    start_s: float
    bare_s: float
    indexing_mib: float
    asking_mib: float
    disk_mib: float


def measure_sizes(
    corpus: Sequence[Document],
    questions: Sequence[str],
    sizes: Sequence[int],
    rounds: int,
    on_step: Callable[[str], None] = lambda _: None,
) -> Iterator[Size]:
    """Measure each size.

    Args:
        corpus: where the sentences are taken from.
        questions: what is asked; the first QUESTIONS of them.
        sizes: in paragraphs.
        rounds: how often a start is timed.
        on_step: called with what is being done.

    Raises:
        QuestionSetError: the corpus is too small for a size.
        FootnoteError: a process that was timed failed.
    """
    sentences, asked = sentences_of(corpus), questions[:QUESTIONS]
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            index_dir = Path(folder) / "index"
            on_step(f"{size:,} paragraphs: indexing")
            found = _in_own_process(index_size, index_dir, recombined(sentences, size))
            on_step(f"{size:,} paragraphs: asking and starting")
            found |= _in_own_process(ask_size, index_dir, asked)
            yield Size(**found, **_starts(index_dir, asked[0], rounds))


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
            documents += read_all([path], None)
    return documents, questions or [q.question for q in shipped.questions]


def index_size(index_dir: Path, documents: Sequence[Document]) -> dict[str, Any]:
    """Index documents, change 0.1 % of their paragraphs, and tell what it took and how much memory
    this process has held."""
    texts = [p.text for document in documents for p in document.paragraphs]
    model = load_model(default_model_path(), "all-MiniLM-L6-v2")
    model.encode(texts[:64], show_progress_bar=False)
    sample = texts[:: max(1, len(texts) // SAMPLE)][:SAMPLE]
    bare = _seconds(lambda: model.encode(sample, show_progress_bar=False))
    index = Index(index_dir)
    index.encoder.encode_paragraphs([(texts[0], [(0, len(texts[0]))])])
    took = _seconds(lambda: index.sync(documents, keep=True))
    changed = max(1, round(len(texts) * CHANGED))
    edited = _edited(documents, changed)
    again = _seconds(lambda: index.sync(edited, keep=True))
    status = index.status()
    index.close()
    return {
        "paragraphs": status.paragraphs,
        "sentences": status.sentences,
        "indexed": len(texts) / took,
        "encoded": len(sample) / bare,
        "resync_s": again,
        "resync_paragraphs": changed,
        "indexing_mib": _peak_mib(),
        "disk_mib": status.bytes / MIB,
    }


def ask_size(index_dir: Path, questions: Sequence[str]) -> dict[str, Any]:
    """Answer from the index that `index_size` made, and tell how long it took and how much memory
    this process has held."""
    found: dict[str, Any] = {}
    for reader in ("none", "shipped"):
        index = Index(index_dir)
        documents = [info.id for info in index.documents()]
        settings = load_settings(index_dir=index_dir, reader=reader)
        with Assistant(index, documents, settings) as assistant:
            for question in questions:
                assistant.ask(question)
            answers = [assistant.ask(question) for question in questions]
            encode = assistant.index.encoder.encode_query
            query = [_seconds(partial(encode, question)) for question in questions]
            crowds = {str(people): _crowd(assistant, questions, people) for people in CROWDS}
        found[f"ask_{reader}_ms"] = statistics.median(a.timings_ms["total"] for a in answers)
        found["query_ms"] = statistics.median(query) * 1000
        found["stages_ms"] = {
            stage: round(statistics.median(a.timings_ms[stage] for a in answers), 2)
            for stage in answers[0].timings_ms
        }
    found["crowds"] = crowds
    found["asking_mib"] = _peak_mib()
    return found


def _crowd(assistant: Assistant, questions: Sequence[str], people: int) -> dict[str, float]:
    """How so many people fare who ask at once. See `Size.crowds`."""

    def ask(person: int) -> list[float]:
        own = [questions[(person + turn * people) % len(questions)] for turn in range(EACH)]
        return [_seconds(partial(assistant.ask, question)) * 1000 for question in own]

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
    """The documents with so many paragraphs changed, in as few of them as can be."""
    edited = list(documents)
    for number, document in enumerate(documents):
        own = min(count, len(document.paragraphs))
        text = document.text
        for paragraph in reversed(document.paragraphs[:own]):
            text = f"{text[: paragraph.end]} It was changed.{text[paragraph.end :]}"
        edited[number] = document_from_text(text, document.source)
        count -= own
        if not count:
            break
    return edited


def _starts(index_dir: Path, question: str, rounds: int) -> dict[str, Any]:
    """Medians of a cold answer from the index and of the bare model, in seconds."""
    command = [sys.executable, "-c", _ASK, "ask", question, "--index-dir", str(index_dir)]
    baseline = [sys.executable, "-c", _BASELINE, default_model_path()]
    ours, theirs = [], []
    for _ in range(rounds + 1):  # the first round fills the caches of the disk
        ours.append(_seconds(partial(_run, command, (0, REFUSED, UNSURE))))
        theirs.append(_seconds(partial(_run, baseline, (0,))))
    return {"start_s": statistics.median(ours[1:]), "bare_s": statistics.median(theirs[1:])}


def _in_own_process(
    measure: Callable[[Path, Sequence[Any]], dict[str, Any]], index_dir: Path, given: Sequence[Any]
) -> dict[str, Any]:
    """What a function of this module gives in a fresh process, so that its memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, index_dir, given).result()


def _run(command: Sequence[str], codes: Sequence[int]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode not in codes:
        raise FootnoteError(f"A measuring process failed:\n{done.stderr[-2000:]}")


def _peak_mib() -> float:
    """The most memory that this process has held."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (MIB if sys.platform == "darwin" else 1024)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _rows(sizes: Sequence[Size]) -> list[tuple[str, list[str]]]:
    """(what, one cell a size); where there is a baseline the ratio is to it."""
    lines: dict[str, Callable[[Size], str]] = {
        "sentences": lambda s: f"{s.sentences:,}",
        "indexing, paragraphs/s": lambda s: f"{s.indexed:.0f}",
        "bare encode, paragraphs/s": lambda s: f"{s.encoded:.0f}",
        "  ratio": lambda s: f"{s.indexed / s.encoded:.2f}",
        "sync after 0.1 % changed, s": lambda s: f"{s.resync_s:.2f}",
        "warm answer, reader none, ms": lambda s: f"{s.ask_none_ms:.1f}",
        "warm answer, reader shipped, ms": lambda s: f"{s.ask_shipped_ms:.1f}",
        "query encoding, ms": lambda s: f"{s.query_ms:.1f}",
        "  ratio, reader none": lambda s: f"{s.ask_none_ms / s.query_ms:.1f}",
        "  ratio, reader shipped": lambda s: f"{s.ask_shipped_ms / s.query_ms:.1f}",
        **{name: cell for people in CROWDS for name, cell in _crowd_rows(people)},
        "cold `footnote ask`, s": lambda s: f"{s.start_s:.2f}",
        "bare model, s": lambda s: f"{s.bare_s:.2f}",
        "  ratio, start": lambda s: f"{s.start_s / s.bare_s:.2f}",
        "memory to index, MiB": lambda s: f"{s.indexing_mib:,.0f}",
        "memory to ask, MiB": lambda s: f"{s.asking_mib:,.0f}",
        "disk, MiB": lambda s: f"{s.disk_mib:,.0f}",
    }
    return [(name, [cell(size) for size in sizes]) for name, cell in lines.items()]


def _crowd_rows(people: int) -> Iterator[tuple[str, Callable[[Size], str]]]:
    def share(key: str) -> Callable[[Size], str]:
        return lambda size: f"{size.crowds[str(people)][key] / size.query_ms:.0f}"

    yield f"{people} at once, answers/s", lambda s: f"{s.crowds[str(people)]['answers']:.0f}"
    yield f"  ratio, half of {people}", share("p50_ms")
    yield f"  ratio, 95 % of {people}", share("p95_ms")


def sizes_table(sizes: Sequence[Size]) -> Table:
    """The rows for a terminal."""
    columns = ("", *(f"{size.paragraphs:,}" for size in sizes))
    return rows_table("By paragraphs", columns, [(name, *cells) for name, cells in _rows(sizes)])


def to_dict(sizes: Sequence[Size]) -> dict[str, Any]:
    """The measurements as plain values, ready for JSON."""
    return {"footnote_benchmark": 1, "sizes": [asdict(size) for size in sizes]}


def benchmark_page(sizes: Sequence[Size]) -> str:
    """Table and plot as one self-contained page."""
    counts = [float(size.paragraphs) for size in sizes]
    growth = [
        ("warm answer, ms", counts, [size.ask_shipped_ms for size in sizes]),
        ("one query encoding, ms", counts, [size.query_ms for size in sizes]),
        ("sync after a change, s", counts, [size.resync_s for size in sizes]),
        ("memory to ask, MiB", counts, [size.asking_mib for size in sizes]),
        ("disk, MiB", counts, [size.disk_mib for size in sizes]),
    ]
    plot = plots.lines("growth", growth, "paragraphs", "", logarithmic=True)
    return render("benchmark.html", sizes=sizes, rows=_rows(sizes), plot=plot)
