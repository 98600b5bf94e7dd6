"""The measurements of the benchmark as a table, a page and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evals.benchmark.sizes import Size
from evals.reporting import plots
from evals.reporting.report import render

#: What is drawn as the index grows, by what it is called.
GROWTH = {
    "warm answer, ms": "ask_shipped_ms",
    "one query encoding, ms": "query_ms",
    "sync after a change, s": "resync_s",
    "memory to ask, MiB": "asking_mib",
    "disk, MiB": "disk_mib",
}


def to_dict(sizes: Sequence[Size]) -> dict[str, Any]:
    """The measurements as plain values, ready for JSON."""
    return {"footnote_benchmark": 1, "sizes": list(sizes)}


def sizes_rows(sizes: Sequence[Size]) -> list[list[str]]:
    """A row of column names, one column a size, then a row for each thing that is measured."""
    shown = list(map(_cells, sizes))
    names = [
        f"{size['paragraphs']:,}{' served' * size['served']}{' recombined' * size['recombined']}"
        for size in sizes
    ]
    return [["", *names], *([row, *(cells[row] for cells in shown)] for row in shown[0])]


def _cells(size: Size) -> dict[str, str]:
    """What is shown of a size, by row; where there is a baseline the ratio is to it."""
    query, beside = size["query_ms"], size["beside_p95_ms"]
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
            f"{beside / size['alone_p95_ms']:.2f}" if beside else "–"
        ),
        "  failed": f"{size['beside_failed']}",
        "over HTTP, 95 %, ms": f"{size['http_p95_ms']:.0f}",
        "  ratio, beside the worst client": f"{size['worst_p95_ms'] / size['http_p95_ms']:.2f}",
        "  health then, 95 %, ms": f"{size['worst_ready_ms']:.0f}",
        "  failed then": f"{size['worst_failed']}",
        "keep a document, ms": f"{size['keep_ms']:.0f}",
        "remove a document, ms": f"{size['remove_ms']:.0f}",
        "memory to index, MiB": f"{size['indexing_mib']:,.0f}",
        "memory to ask, MiB": f"{size['asking_mib']:,.0f}",
        "disk, MiB": f"{size['disk_mib']:,.0f}",
        "memory of the server, MiB": f"{size['server_mib'] or 0:,.0f}" if size["served"] else "–",
    }


def benchmark_page(sizes: Sequence[Size]) -> str:
    """Table and plot as one self-contained page; the plot is of the indexes in a folder."""
    columns, *rows = sizes_rows(sizes)
    alone = [size for size in sizes if not size["served"]]
    growth = [
        (label, [size["paragraphs"] for size in alone], [size[key] for size in alone])
        for label, key in GROWTH.items()
    ]
    plot = plots.lines("growth", growth, "paragraphs", "", xscale="log", yscale="log")
    return render("benchmark.html", columns=columns[1:], rows=rows, plot=plot)
