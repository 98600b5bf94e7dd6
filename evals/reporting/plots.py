"""Plots as SVG to stand in a page: its font, and its colours by CSS variables, light or dark.

The only module that imports matplotlib.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

#: Colours drawn here, and what they become in a page.
INK, FAINT, ACCENT, GRID = "#010203", "#040506", "#070809", "#0a0b0c"
_VARIABLES = {INK: "--ink", FAINT: "--muted", ACCENT: "--accent", GRID: "--line"}
_SIZE = (4.0, 2.7)  # inches; the page scales it to the column


def lines(
    name: str,
    series: Sequence[tuple[str, Sequence[float], Sequence[float]]],
    x: str,
    y: str,
    *,
    unit: bool = False,
    logarithmic: bool = False,
) -> str:
    """Lines through points.

    Args:
        name: of the plot, unique in its page.
        series: (label, xs, ys); the first is the one that counts.
        x, y: what the axes are.
        unit: whether both axes are 0 to 1.
        logarithmic: whether both axes are logarithmic.
    """
    figure, axes = _axes(x, y)
    for number, (label, xs, ys) in enumerate(series):
        own = ACCENT if number == 0 else FAINT
        style = "-" if number == 0 else (0, (4, 2 + number))
        marker = "o" if logarithmic else None
        axes.plot(
            xs, ys, color=own, linestyle=style, linewidth=1.6, marker=marker, markersize=3.5,
            label=label,
        )  # fmt: skip
    if unit:
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
    if logarithmic:
        axes.set_xscale("log")
        axes.set_yscale("log")
    if len(series) > 1:
        axes.legend(frameon=False, fontsize=8, labelcolor=FAINT)
    return _svg(name, figure)


def bars(
    name: str,
    edges: Sequence[float],
    heights: Sequence[float],
    x: str,
    y: str,
    *,
    diagonal: bool = False,
    labels: Sequence[str] = (),
) -> str:
    """Bars over intervals.

    Args:
        name: of the plot, unique in its page.
        edges: one more than there are bars.
        heights: of the bars.
        x, y: what the axes are.
        diagonal: whether a line shows where x is y, on axes of 0 to 1.
        labels: what stands above each bar.
    """
    figure, axes = _axes(x, y)
    widths = [end - start for start, end in pairwise(edges)]
    axes.bar(edges[:-1], heights, widths, align="edge", color=ACCENT, alpha=0.55, edgecolor=ACCENT)
    if diagonal:
        axes.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle=(0, (4, 3)))
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.06)
    for start, width, height, label in zip(edges, widths, heights, labels, strict=False):
        axes.annotate(
            label, (start + width / 2, height), ha="center", va="bottom", fontsize=7, color=FAINT
        )
    return _svg(name, figure)


def _axes(x: str, y: str) -> tuple[Any, Any]:
    # Without pyplot: no window, no state of the process.
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x, color=FAINT, fontsize=9)
    axes.set_ylabel(y, color=FAINT, fontsize=9)
    axes.tick_params(colors=FAINT, labelsize=8, length=2)
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(GRID)
    return figure, axes


def _svg(name: str, figure: Any) -> str:
    import matplotlib as mpl

    written = io.StringIO()
    # The same bytes for the same points: no date, and ids that are not drawn by chance.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    svg = written.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r"font-family: [^;\"]*", "font-family: inherit", svg)
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL)  # it would style the whole page
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    return svg
