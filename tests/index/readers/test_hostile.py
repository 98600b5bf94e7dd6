"""Whatever bytes a stranger sends: a document or one of our own errors, in time that grows with
what was sent, and never another exception."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from growth import grows_linearly
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import DocumentError
from index.readers.formats import FORMATS, format_of
from index.readers.html import as_html, html_text
from index.readers.loader import document_from_text, read_document
from index.readers.tables import read_separated

MAGIC = (
    b"PK\x03\x04|PK\x05\x06|%PDF-1.7\n|{\\rtf1 |\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1|\xef\xbb\xbf|"
    b"\xff\xfe|\xfe\xff|<?xml?>|<!doctype html>|<html>|From:a\nTo:b\nDate:c\n\n"
).split(b"|")
PIECES = (
    b'\0|\n|\r|\x0b|\x0c|\x85|\xa0|\xff|\xed\xa0\x80|\xe2\x80\xa8|a|A. |1.|. |, |,|;|\t|"|\'|""|'
    b"\\|&amp;|&#xd800;|<|>|<!--|-->|<a |/>|<a/>|<b>|</b>|<table>|<td>|<tr>|<li>|<ul>|<p>|<pre>|"
    b'<dl>|<td colspan=999 rowspan=999>|<a href="#x">|<q>|<h1>|<h7>|# |- |> |```|---\n|===\n|[|](|'
    b"<meta charset=undefined>|<meta charset=idna>|<meta charset=punycode>|[a]: b\n|*|_|`|{|}|{\\b "
    b"|\\par |\\u-9999?|\\bin99999 |\\'zz|=?utf-8?q?=zz?=|(|)|@|:|--a\n|xref|trailer|/Kids[|"
    b"Content-Type: multipart/mixed; boundary=a\n\n|Content-Transfer-Encoding: base64\n|endobj|"
    b"Content-Type: text/plain; charset=undefined\n\n|obj<<|>>stream\n|http://192.0.2.1/|Word. |"
    b"999 0 R|\xe6\x97\xa5"
).split(b"|")
PIECE = st.sampled_from((*PIECES, *MAGIC))
SOUP = st.one_of(
    st.binary(max_size=400),
    st.lists(PIECE, max_size=40).map(b"".join),
    st.lists(PIECE).map(b"".join),
)
SUFFIXES = sorted({".txt", ".md", ".csv"}.union(*(known.suffixes for known in FORMATS)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@settings(derandomize=True, max_examples=300)
@given(st.sampled_from(["", *MAGIC]), SOUP, st.sampled_from(SUFFIXES))
def test_any_bytes(folder: Path, magic: bytes, soup: bytes, suffix: str) -> None:
    """Through what `footnote` calls; the name is of no format that the content is not."""
    file = folder / f"any{suffix}"
    file.write_bytes((magic or b"") + soup)
    try:
        read_document(file).check()
    except DocumentError as error:
        assert str(error), file


BEGINS = {"html": "<!doctype html>", "rtf": "{\\rtf1 ", "eml": "From: a\nTo: ", "pdf": "%PDF-1.7\n"}
READ = {
    "format": lambda content: format_of(content, "a"),
    "plain": lambda content: document_from_text(content.decode("latin-1"), "a"),
    "markdown": lambda content: document_from_text(content.decode("latin-1"), "a", markdown=True),
    "separated": lambda content: read_separated(content.decode("latin-1"), "a"),
    "xhtml": lambda content: as_html(html_text(content, "a")),
    **{known.name: known.read for known in FORMATS if known.name in BEGINS},
}
"""What sees a stranger's bytes as they are, and what it makes of them."""


@settings(derandomize=True, max_examples=40)
@given(st.lists(PIECE, max_size=2), st.lists(PIECE, min_size=1, max_size=3), PIECE)
@pytest.mark.parametrize("kind", READ)
def test_time_grows_with_what_is_read(
    kind: str, before: list[bytes], repeated: list[bytes], after: bytes
) -> None:
    def read(content: bytes) -> None:
        with suppress(Exception):  # here it is only about time
            READ[kind](content, "a") if kind in BEGINS else READ[kind](content)

    piece, begin = b"".join(repeated), BEGINS.get(kind, "").encode() + b"".join(before)
    assert grows_linearly(read, lambda n: begin + piece * (n // len(piece)) + after, 3000)
