"""RTF into a layout: its text, laid out as plain text is."""

from __future__ import annotations

from collections.abc import Callable

from index.chunking.layout import Composer, Layout


def read_rtf(content: bytes, _name: str) -> Layout:
    """The layout of an RTF file: a line is a paragraph, cells of a table are divided."""
    from striprtf import striprtf

    rtf_to_text: Callable[..., str] = striprtf.rtf_to_text

    out = Composer()
    for line in rtf_to_text(content.decode("latin-1"), errors="replace").splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) > 2:
            out.table((), [cells])
        else:
            out.block([line], "prose")
    return out.layout()
