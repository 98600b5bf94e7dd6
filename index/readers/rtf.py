"""RTF into a layout: its text, laid out as plain text is, and who wrote it when."""

from __future__ import annotations

import re
from collections.abc import Callable

from index.chunking.layout import Composer, Layout
from index.chunking.metadata import metadata_of

_AUTHOR = re.compile(r"\{\\author\s([^{}]{0,2000})\}")
_CREATED = re.compile(r"\{\\creatim\\yr(\d{4})\\mo(\d\d?)\\dy(\d\d?)\b", re.ASCII)


def read_rtf(content: bytes, _name: str) -> Layout:
    """The layout of an RTF file: a line is a paragraph, cells of a table are divided."""
    from striprtf import striprtf

    rtf_to_text: Callable[..., str] = striprtf.rtf_to_text

    out = Composer()
    rtf = content.decode("latin-1")
    for line in rtf_to_text(rtf, errors="replace").splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) > 2:
            out.table((), [cells])
        else:
            out.block([line], "prose")
    # By the library, since letters are written there as in the text.
    author = _AUTHOR.search(rtf)
    named = rtf_to_text(f"{{\\rtf1\\ansi {author[1]}}}", errors="replace") if author else ""
    dates = ["-".join(parts) for parts in _CREATED.findall(rtf)[:1]]
    return out.layout(metadata=metadata_of([[named]], dates))
