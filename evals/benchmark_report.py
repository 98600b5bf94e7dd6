"""What the benchmark tells: a table, JSON, and a page with a plot of growth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.resources import files
from typing import Any

from rich.table import Table

from evals.benchmark import Size
from evals.reporting import plots
from evals.reporting.tables import rows_table


def rows(sizes: Sequence[Size]) -> list[tuple[str, list[str]]]:
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
        "cold `footnote ask`, s": lambda s: f"{s.start_s:.2f}",
        "bare model, s": lambda s: f"{s.bare_s:.2f}",
        "  ratio, start": lambda s: f"{s.start_s / s.bare_s:.2f}",
        "memory to index, MiB": lambda s: f"{s.indexing_mib:,.0f}",
        "memory to ask, MiB": lambda s: f"{s.asking_mib:,.0f}",
        "disk, MiB": lambda s: f"{s.disk_mib:,.0f}",
    }
    return [(name, [cell(size) for size in sizes]) for name, cell in lines.items()]


def table(sizes: Sequence[Size]) -> Table:
    """The rows for a terminal."""
    columns = ("", *(f"{size.paragraphs:,}" for size in sizes))
    return rows_table("By paragraphs", columns, [(name, *cells) for name, cells in rows(sizes)])


def to_dict(sizes: Sequence[Size]) -> dict[str, Any]:
    """The measurements as plain values, ready for JSON."""
    return {"footnote_benchmark": 1, "sizes": [asdict(size) for size in sizes]}


def page(sizes: Sequence[Size]) -> str:
    """Table and plot as one self-contained page."""
    from evals.reporting.report import environment

    template = environment().get_template("benchmark.html")
    return template.render(
        sizes=sizes,
        rows=rows(sizes),
        plot=plots.lines("growth", _growth(sizes), "paragraphs", "", logarithmic=True),
        css=(files("evals.reporting") / "report.css").read_text(encoding="utf-8"),
    )


def _growth(sizes: Sequence[Size]) -> list[tuple[str, list[float], list[float]]]:
    counts = [float(size.paragraphs) for size in sizes]
    return [
        ("warm answer, ms", counts, [size.ask_shipped_ms for size in sizes]),
        ("one query encoding, ms", counts, [size.query_ms for size in sizes]),
        ("sync after a change, s", counts, [size.resync_s for size in sizes]),
        ("memory to ask, MiB", counts, [size.asking_mib for size in sizes]),
        ("disk, MiB", counts, [size.disk_mib for size in sizes]),
    ]
