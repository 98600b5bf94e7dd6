"""RTF into a layout: its text, laid out as plain text is."""

from __future__ import annotations

from collections.abc import Callable

from index.chunking.layout import Composer, Layout
from index.errors import UnreadableError


def read_rtf(content: bytes, name: str) -> Layout:
    """The layout of an RTF file: a line is a paragraph, cells of a table are divided.

    Raises:
        UnreadableError: it is damaged.
    """
    from striprtf import striprtf

    rtf_to_text: Callable[..., str] = striprtf.rtf_to_text

    try:
        text = rtf_to_text(content.decode("latin-1"), errors="replace")
    except Exception as error:
        # The reader raises whatever the text makes it stumble over.
        raise UnreadableError(
            f"{name!r} cannot be read as RTF ({error}). Save it as DOCX, and add that."
        ) from error
    out = Composer()
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) > 2:
            out.table((), [cells])
        else:
            out.block([line], "prose")
    return out.layout()
