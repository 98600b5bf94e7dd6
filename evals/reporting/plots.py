"""Plots as SVG to stand in a page: its font, and its colours by CSS variables, light or dark.

The only module that imports matplotlib.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any

import numpy as np

#: Colours drawn here and in `report.mplstyle`, and what they become in a page.
INK, FAINT, ACCENT, GRID = "#010203", "#040506", "#070809", "#0a0b0c"
_VARIABLES = {INK: "--ink", FAINT: "--muted", ACCENT: "--accent", GRID: "--line"}
#: Fewer points of a line than this are marked.
MARKED = 9


#: Of every plot: no frame but the two axes, a faint grid behind what is drawn.
_STYLE = str(files("evals.reporting") / "report.mplstyle")


def lines(
    name: str,
    series: Sequence[tuple[str, Sequence[float], Sequence[float]]],
    x: str,
    y: str,
    **axes: Any,
) -> str:
    """Lines through points.

    Args:
        name: of the plot, unique in its page.
        series: (label, xs, ys); the first is the one that counts.
        x, y: what the axes are.
        axes: properties of the axes, as matplotlib names them: limits, scales.
    """

    def draw(plot: Any) -> None:
        for number, (label, xs, ys) in enumerate(series):
            own = ACCENT if number == 0 else FAINT
            style = "-" if number == 0 else (0, (4, 2 + number))
            marker = "o" if len(xs) < MARKED else None
            plot.plot(xs, ys, label=label, color=own, ls=style, lw=1.6, marker=marker, ms=3.5)
        if len(series) > 1:
            plot.legend()

    return _svg(name, draw, xlabel=x, ylabel=y, **axes)


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

    def draw(plot: Any) -> None:
        widths = np.diff(edges)
        drawn = plot.bar(
            edges[:-1], heights, widths, align="edge", color=ACCENT, alpha=0.55, edgecolor=ACCENT
        )
        if labels:
            plot.bar_label(drawn, labels, fontsize=7, color=FAINT)
        if diagonal:
            plot.plot([0, 1], [0, 1], color=INK, lw=1, ls=(0, (4, 3)))

    limits: dict[str, Any] = {"xlim": (0, 1), "ylim": (0, 1.06)} if diagonal else {}
    return _svg(name, draw, xlabel=x, ylabel=y, **limits)


def _svg(name: str, draw: Callable[[Any], None], **axes: Any) -> str:
    # Without pyplot: no window, no state of the process.
    import matplotlib as mpl
    from matplotlib.figure import Figure

    written = io.StringIO()
    # The same bytes for the same points: no date, and ids that are not drawn by chance.
    with mpl.rc_context({"svg.hashsalt": name}, fname=_STYLE):
        figure = Figure()
        plot = figure.add_subplot()
        draw(plot)
        plot.set(**axes)
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    svg = written.getvalue()
    svg = svg[svg.index("<svg") :]
    for pattern, new in (
        (r"<metadata>.*?</metadata>", ""),
        (r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-"),
        (r"font-family: [^;\"]*", "font-family: inherit"),
        (r"<style.*?</style>", ""),  # it would style the whole page
        *((colour, f"var({variable})") for colour, variable in _VARIABLES.items()),
    ):
        svg = re.sub(pattern, new, svg, flags=re.DOTALL)
    return svg
