"""What the packed files of office programs say of themselves beside their text."""

from __future__ import annotations

import zipfile
from collections import defaultdict
from contextlib import suppress
from io import BytesIO

from index.chunking.metadata import metadata_of
from index.chunking.zip_archive import DAMAGED
from index.errors import NotTextError
from index.models import DocumentMetadata
from index.readers.html import as_html, html_text, html_tree

_MEMBERS = ("docProps/core.xml", "meta.xml")
"""Of Office Open XML and of OpenDocument."""

_AUTHORS = ("initial-creator", "creator")
"""In OpenDocument the other one is who saved it last."""
_DATES = ("created", "creation-date", "modified", "date")
#: When the templates were made that python-docx, python-pptx and Excel begin with.
_TEMPLATES = frozenset(
    f"{own}Z"
    for own in (
        "2013-12-23T23:15:00",
        "2013-01-27T09:14:16",
        "2013-01-27T09:15:58",
        "2006-09-16T00:00:00",
        "2015-06-05T18:17:20",
        "2015-06-05T18:19:34",
    )
)

_MAX = 1_000_000
"""Bytes that are read of a member."""


def properties_of(content: bytes) -> DocumentMetadata:
    """Who wrote a packed file and when, as far as it says."""
    found: dict[str, list[str]] = defaultdict(list)
    # Its text is of use without them.
    with suppress(*DAMAGED, NotTextError), zipfile.ZipFile(BytesIO(content)) as archive:
        for path in set(_MEMBERS).intersection(archive.namelist()):
            with archive.open(path) as member:
                tree = html_tree(as_html(html_text(member.read(_MAX), path)))
            for own in tree.root.traverse():
                found[own.tag.rpartition(":")[2]].append(own.text(deep=False))
    dates = [told for name in _DATES for told in found[name] if told not in _TEMPLATES]
    return metadata_of([found[name] for name in _AUTHORS], dates)
