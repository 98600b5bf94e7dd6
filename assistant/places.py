"""Where things stand, in words and as addresses."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from index import Paragraph

_PARTING = str.maketrans(dict.fromkeys("#^[]|\\:", " "))


def link_to(link: str, heading: Sequence[str]) -> str:
    """The address of a note, at the last of the headings above a place in it; any other address as
    it is."""
    # As Obsidian writes links to headings: without what means something in its links.
    below = " ".join(heading[-1].translate(_PARTING).split()) if heading else ""
    is_note = link.startswith("obsidian://") and below
    return f"{link}%23{quote(below, safe='')}" if is_note else link


def place_of(title: str, paragraph: Paragraph) -> str:
    """Where a paragraph stands, for people: title, headings, page or the like, paragraph."""
    headings = (heading for heading in paragraph.heading if heading != title)
    parts = [title, *headings, paragraph.locator]
    place = " › ".join([*filter(None, parts), f"paragraph {paragraph.number}"])
    return f"{place} ({UNCERTAIN})" if paragraph.is_uncertain else place


#: What is said of a paragraph whose words may be others: see `Paragraph.is_uncertain`.
UNCERTAIN = "read from a picture, uncertain"


def name_of(source: str) -> str:
    """The name of a document's file, without where it lies."""
    return source.replace("\\", "/").rpartition("/")[2]
