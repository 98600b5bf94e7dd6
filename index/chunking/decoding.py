"""Bytes into text: which encoding a file is in, and whether it is text at all.

Guessing by the letters (charset-normalizer 3.5) takes short Western texts for Polish or Chinese
("Señor" became "Seńor", "café" two Chinese characters), so it is asked only where most letters
cannot be Western: text in Western encodings has few bytes that are not ASCII.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from charset_normalizer import from_bytes

from index.errors import NotTextError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_OF_HOST_NAMES = ("idna", "punycode")
"""Encodings that take time that grows with the square of the text."""

_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a\x1b\x1c\x1d\x1e\x1f\x08")) + b"\x7f"
"""Control characters that text does not hold: not white space, backspace, escape or an old
end-of-file mark."""

_FOREIGN = 0.4
"""Share of bytes that are not ASCII above which a text is not in a Western encoding."""

_ENCODINGS = (
    "cp932 euc_jp gb18030 big5 euc_kr cp1251 koi8_r cp1253 cp1255 cp1256 iso8859_5 cp874"
).split()
"""What a text may then be in: Japanese, Chinese, Korean, Cyrillic, Greek, Hebrew, Arabic, Thai."""

_MAX_CONTROLS = 0.01
"""Share of those in a text; a stray one does no harm."""


def declared(content: bytes, charset: str, errors: str = "strict") -> str | None:
    """The text in the encoding that is declared for it, as browsers take it; None where that is
    none of texts, the text is not in it, or a byte order mark says otherwise.

    Args:
        errors: as of `bytes.decode`.
    """
    if content.startswith(tuple(bom for bom, _ in _BOMS)):
        return None
    try:
        encoding = codecs.lookup(charset).name
        if encoding in _OF_HOST_NAMES:
            return None
        # Western texts declare ISO 8859-1 and are in Windows-1252.
        text = content.decode("cp1252" if encoding == "iso8859-1" else encoding, errors)
        text.encode()  # UTF-7 can say half of a pair, which is no character
    except (LookupError, ValueError):
        return None
    return text


def decoded(content: bytes, path: Path) -> str:
    """The text in the bytes, without a byte order mark.

    A byte order mark is believed; without one the order is from the strictest encoding to the
    laxest, because UTF-8 is hardly ever valid by accident, and latin-1 always is. In between stands
    a guess, see the module.
    """
    text = _text_of(content)
    if text is None or _is_binary(text):
        raise NotTextError(
            f"{str(path)!r} is not a text file, nor a document of a kind that is read. Save what "
            "it says as PDF, DOCX or plain text, and add that; or leave it out."
        )
    return text


def _text_of(content: bytes) -> str | None:
    for bom, encoding in _BOMS:
        if content.startswith(bom):
            # A mark that lies (a damaged file) still leaves the readable part readable.
            return content[len(bom) :].decode(encoding, "replace")
    for encoding in _encodings(content):
        with suppress(UnicodeDecodeError):  # not this encoding: the next one is tried
            return content.decode(encoding)
    return None


def _utf16_by_nuls(content: bytes) -> str | None:
    """UTF-16 without a mark: in it every other byte of a mostly Latin text is NUL."""
    sample = content[:4096]
    if len(content) % 2 or not sample:
        return None
    half = len(sample) / 2
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > 0.4 * half and even < odd / 4:
        return "utf-16-le"
    if even > 0.4 * half and odd < even / 4:
        return "utf-16-be"
    return None


def _encodings(content: bytes) -> Iterator[str]:
    """What it may be in, in the order in which that is tried."""
    if wide := _utf16_by_nuls(content):
        yield wide
        return
    yield "utf-8"
    if guessed := _guessed(content):
        yield guessed
    yield from ("cp1252", "latin-1")


def _guessed(content: bytes) -> str | None:
    """The encoding of a text whose letters are mostly not Western; None of any other."""
    sample = content[:65536]
    if sum(byte > 127 for byte in sample) <= _FOREIGN * len(sample) or b"\0" in sample:
        return None
    best = from_bytes(sample, cp_isolation=_ENCODINGS).best()
    return best.encoding if best else None


def _is_binary(text: str) -> bool:
    """Whether it holds a NUL or many control characters: the first MiB tells."""
    sample = text[: 1 << 20]
    controls = sum(sample.count(chr(code)) for code in _CONTROLS)
    return "\0" in text or controls > _MAX_CONTROLS * len(sample)
