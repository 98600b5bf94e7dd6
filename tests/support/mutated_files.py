"""Small files of every format, changed where their structure is: objects of a PDF, elements and
parts of packed files, records of an archive, tags, headers, groups, fields of pictures. Whatever
comes of it is read or refused in words, within bounds."""

from __future__ import annotations

import lzma
import os
import re
import struct
import tempfile
import time
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from random import Random
from unittest.mock import patch

from lxml import etree
from office import PROSE, ROWS, TITLE, WRITERS
from PIL import Image

from index.chunking.isolation import READING, SCANNING, IsolatedProcess
from index.chunking.zip_archive import DAMAGED
from index.errors import DocumentError
from index.readers.loader import read_document

MAX_SECONDS = 60.0
"""Seconds of the processor that reading one takes at most: untouched, the slowest takes one."""
MAX_KILOBYTES = 4 << 20
"""Of memory that the process that reads one takes at most: it is ended before."""
MAX_BYTES = 1_000_000
"""Of what is made."""

NUMBERS = (
    b"0 1 -1 2 3 7 255 256 65535 65536 -32768 1000000 2147483647 -2147483648 4294967295 1e9 .5 "
    b"9223372036854775807 99999999999999999999"
).split()
MANY = (2, 40, 3000)

Tokens = list[bytes]
Change = Callable[[bytes, Random], bytes]


def mutated(seed: int) -> tuple[str, bytes]:
    """A name and what a file of it holds, always the same for a seed."""
    chance = Random(seed)
    kind = _KINDS[seed % len(_KINDS)]
    content = _sources()[kind]
    for _ in range(chance.choice((1, 1, 2, 4))):
        content = _MUTATIONS[kind](content, chance)
    return f"{seed}.{kind}", content[:MAX_BYTES]


@contextmanager
def reading_in(folder: Path) -> Iterator[Path]:
    """Processes that read, with this folder for what they write meanwhile; they end with it."""

    def end() -> None:
        READING.close()
        SCANNING.close()

    temporary = folder / "temporary"
    temporary.mkdir()
    end()
    with ExitStack() as ends, patch.dict(os.environ, TMPDIR=str(temporary)):
        ends.callback(end)
        yield folder


def read_within_bounds(folder: Path, name: str, content: bytes) -> str:
    """Read a file as `footnote` does, with its pictures; how that ended: "read", or the code of why
    not.

    Args:
        folder: of `reading_in`.
        name, content: see `mutated`.
    """
    file = folder / name
    file.write_bytes(content)
    before = {process: _used(process) for process in (READING, SCANNING)}
    own = time.process_time()
    try:
        read_document(file, ocr=True).check()
        ended = "read"
    except DocumentError as error:
        ended, told = error.code, str(error)
        assert name in told, told
        assert "seconds" not in told, told
    assert time.process_time() - own < MAX_SECONDS, name
    for process, (number, used) in before.items():
        after = _used(process)
        assert after[1] - (used if after[0] == number else 0) < MAX_SECONDS, name
        if process._process and process._process.poll() is None:
            assert _memory(after[0]) < MAX_KILOBYTES, name
            children = Path(f"/proc/{after[0]}/task/{after[0]}/children")
            assert not children.exists() or not children.read_text(), name
    assert not list((folder / "temporary").iterdir()), name
    file.unlink()
    return ended


def _used(process: IsolatedProcess) -> tuple[int, float]:
    """The number of a process, and the processor's seconds that it has taken."""
    number = process._process.pid if process._process else 0
    try:
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return number, 0.0
    return number, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(number: int) -> int:
    status = Path(f"/proc/{number}/status")
    found = re.search(r"VmHWM:\s*(\d+)", status.read_text() if status.exists() else "")
    return int(found[1]) if found else 0


# --- untouched ------------------------------------------------------------------------------------


@cache
def _sources() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for kind, write in WRITERS.items():
            write(folder / f"a.{kind}")
        _write_open_documents(folder)
        _write_pictures(folder)
        found = {file.suffix[1:]: file.read_bytes() for file in folder.iterdir()}
    return {**found, "pdf": _pdf()}


def _write_open_documents(folder: Path) -> None:
    from odfdo import Document, DrawPage, Frame, Table

    sheet = Document("spreadsheet")
    table = Table("Figures")
    table.set_values([list(row) for row in ROWS])
    sheet.body.clear()
    sheet.body.append(table)
    sheet.save(str(folder / "a.ods"))
    slides = Document("presentation")
    page = DrawPage("one", name="One")
    page.append(Frame.text_frame(PROSE, size=("7cm", "5cm"), position=("1cm", "1cm")))
    slides.body.append(page)
    slides.save(str(folder / "a.odp"))


def _write_pictures(folder: Path) -> None:
    picture = Image.linear_gradient("L").resize((64, 32)).convert("RGB")
    picture.save(folder / "a.png", dpi=(150, 150))
    picture.save(folder / "a.jpg", exif=Image.Exif())
    more = [picture.convert("1"), picture.rotate(90)]
    picture.save(folder / "a.tif", save_all=True, append_images=more)


def _pdf() -> bytes:
    """With what most have: pages below pages, fonts, a form, a picture, an outline, links, tags."""
    text = f"BT /F 12 Tf 40 700 Td ({TITLE}) Tj 0 -20 Td [({PROSE}) -250 (So.)] TJ ET\n"
    page = (
        "<< /Type /Page /Parent 3 0 R /MediaBox [0 0 600 800] /Contents {} 0 R /Annots [12 0 R] "
        "/Resources << /Font << /F 8 0 R >> /XObject << /I 9 0 R /X 10 0 R >> >> >>"
    )
    objects = [
        "<< /Type /Catalog /Pages 2 0 R /Outlines 11 0 R /StructTreeRoot 14 0 R "
        "/PageLabels << /Nums [0 << /S /r >>] >> >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 2 >>",
        "<< /Type /Pages /Parent 2 0 R /Kids [4 0 R 5 0 R] /Count 2 >>",
        page.format(6),
        page.format(7),
        _stream("", text.encode()),
        _stream("/Filter /FlateDecode", zlib.compress(f"q /I Do /X Do Q {text * 9}".encode())),
        "<< /Type /Font /Subtype /TrueType /BaseFont /Arial /FirstChar 32 /LastChar 34 "
        "/Widths [250 300 400] /Encoding << /Differences [33 /fi /fl] >> /ToUnicode 15 0 R >>",
        _stream(
            "/Type /XObject /Subtype /Image /Width 8 /Height 8 /BitsPerComponent 8 "
            "/ColorSpace /DeviceGray /Filter /FlateDecode /DecodeParms << /Predictor 15 "
            "/Columns 8 >>",
            zlib.compress(bytes(72)),
        ),
        _stream(
            "/Type /XObject /Subtype /Form /BBox [0 0 99 99] /Resources << /XObject << /I 9 0 R "
            ">> >>",
            b"q 9 0 0 9 0 0 cm /I Do Q 0 0 m 50 50 l S 1 1 30 30 re f",
        ),
        "<< /Type /Outlines /First 13 0 R /Last 13 0 R /Count 1 >>",
        "<< /Type /Annot /Subtype /Link /Rect [40 690 200 720] /Dest [5 0 R /XYZ 0 700 0] >>",
        f"<< /Title ({TITLE}) /Parent 11 0 R /Dest [4 0 R /Fit] >>",
        "<< /Type /StructTreeRoot /K [<< /S /Figure /P 14 0 R /Pg 4 0 R /K 0 /Alt (A crane) >>] >>",
        _stream("", b"1 beginbfrange <20> <7e> <0020> endbfrange"),
        "<< /Author (Ann) /CreationDate (D:20220307) >>",
    ]
    content = b"%PDF-1.7\n"
    for number, body in enumerate(objects, start=1):
        whole = body if isinstance(body, bytes) else body.encode()
        content += b"%d 0 obj\n%b\nendobj\n" % (number, whole)
    return _with_places(content + b"trailer << /Size 17 /Root 1 0 R /Info 16 0 R >>\n")


def _stream(entries: str, data: bytes) -> bytes:
    return b"<< %b /Length %d >>\nstream\n%b\nendstream" % (entries.encode(), len(data), data)


def _with_places(content: bytes) -> bytes:
    """A PDF whose table of objects says where they are."""
    body = re.sub(rb"xref\n.*?(?=trailer)|startxref.*", b"", content, flags=re.S)
    at, end = len(body), body.rfind(b"trailer")
    at = end if end >= 0 else at
    places = {int(m[1]): m.start() for m in re.finditer(rb"(?m)^(\d{1,4}) 0 obj", body)}
    count = max(places, default=0) + 1
    rows = [
        b"%010d 00000 %b \n" % (places.get(number, 0), b"n" if number in places else b"f")
        for number in range(count)
    ]
    table = b"xref\n0 %d\n%b" % (count, b"".join(rows))
    return body[:at] + table + body[at:] + b"startxref\n%d\n%%%%EOF\n" % at


# --- mutations ------------------------------------------------------------------------------------


def _tokens_changed(tokens: Tokens, chance: Random) -> Tokens:
    """One of the pieces that a file is made of gone, said again, moved, in another's place, with
    another number, or inside many of itself."""
    if not tokens:
        return tokens
    a = chance.randrange(len(tokens))
    b = min(len(tokens), a + chance.choice((1, 1, 2, 5, 20)))
    some, other = tokens[a:b], chance.choice(tokens)
    numbers = [at for at, token in enumerate(tokens) if re.search(rb"\d", token)]
    kind = chance.choice(
        ("drop", "repeat", "move", "replace", "number", "number", "number", "nest")
    )
    if kind == "drop":
        return tokens[:a] + tokens[b:]
    if kind == "repeat":
        return tokens[:a] + some * chance.choice(MANY) + tokens[b:]
    if kind == "move":
        rest = tokens[:a] + tokens[b:]
        at = chance.randrange(len(rest) + 1)
        return rest[:at] + some + rest[at:]
    if kind == "replace":
        return [*tokens[:a], other, *tokens[a + 1 :]]
    if kind == "nest":
        begin, end = chance.choice(_PAIRS)
        count = chance.choice(MANY)
        return [*tokens[:a], begin * count, *some, end * count, *tokens[b:]]
    if numbers:
        at = chance.choice(numbers)
        places = list(re.finditer(rb"-?[\d.]*\d", tokens[at]))
        place, number = chance.choice(places), chance.choice(NUMBERS)
        changed = tokens[at][: place.start()] + number + tokens[at][place.end() :]
        return [*tokens[:at], changed, *tokens[at + 1 :]]
    return tokens


_PAIRS = (
    (b"<div>", b"</div>"),
    (b"<table><tr><td>", b"</table>"),
    (b"<ul><li>", b""),
    (b"[", b"]"),
    (b"<< /A ", b">>"),
    (b"{", b"}"),
    (b"{\\b ", b"}"),
    (b"(", b")"),
    (b"q ", b"Q "),
    (b"> ", b""),
)


def _by(pattern: bytes, finish: Change = lambda content, _: content) -> Change:
    """Changes the pieces of a file that the pattern tells."""
    split = re.compile(b"(%b)" % pattern, re.S)

    def change(content: bytes, chance: Random) -> bytes:
        tokens = [token for token in split.split(content) if token]
        return finish(b"".join(_tokens_changed(tokens, chance)), chance)

    return change


def _finish_pdf(content: bytes, chance: Random) -> bytes:
    """Most with places and lengths that are right again: others are mended before they are read."""
    if chance.random() < 0.7:
        content = re.sub(
            rb"/Length \d+ >>\nstream\n(.*?)\nendstream",
            lambda m: b"/Length %d >>\nstream\n%b\nendstream" % (len(m[1]), m[1]),
            content,
            flags=re.S,
        )
    return _with_places(content) if chance.random() < 0.8 else content


def _change_pdf(content: bytes, chance: Random) -> bytes:
    objects = list(re.finditer(rb"\d+ 0 obj\n.*?\nendobj\n", content, re.S))
    kind = chance.random()
    if kind < 0.1 and len(objects) > 1:  # one in another's place
        one, two = chance.sample(objects, 2)
        body = one[0].partition(b" ")[0] + b" " + two[0].partition(b" ")[2]
        return _finish_pdf(content[: one.start()] + body + content[one.end() :], chance)
    if kind < 0.2:  # a stream that is packed many times
        packed = b"q " * 100_000
        for _ in range(chance.choice((1, 2, 30))):
            packed = zlib.compress(packed)
        filters = b"/Filter [%b]" % (b"/FlateDecode " * chance.choice((1, 2, 30, 3000)))
        stream = b"<< %b /Length %d >>\nstream\n%b\nendstream" % (filters, len(packed), packed)
        return _finish_pdf(
            re.sub(
                rb"(?<=6 0 obj\n).*?(?=\nendobj)", lambda _: stream, content, count=1, flags=re.S
            ),
            chance,
        )
    return _PDF_TOKENS(content, chance)


_PDF_TOKENS = _by(
    rb"/[A-Za-z]+|\d+ 0 R|<<|>>|\[|\]|\([^()]*\)|stream\n.*?endstream|-?\d+", _finish_pdf
)
_MARKUP = _by(rb"<[^<>]*>")


def _change_packed(content: bytes, chance: Random) -> bytes:
    """Changes elements of a part, or the parts, or what the archive says of them."""
    if chance.random() < 0.15:
        return _change_records(content, chance)
    try:
        with zipfile.ZipFile(BytesIO(content)) as given:
            parts = [(info.filename, given.read(info)) for info in given.infolist()]
    except (*DAMAGED, lzma.LZMAError):
        return _change_records(content, chance)
    if not parts:
        return content
    at = chance.randrange(len(parts))
    name, part = parts[at]
    texts = [n for n, (_, own) in enumerate(parts) if own.lstrip()[:1] == b"<"]
    kind = chance.random()
    if kind < 0.8 and texts:
        at = chance.choice(texts)
        name, part = parts[at]
        change = _change_elements if chance.random() < 0.8 else _MARKUP
        parts[at] = name, change(part, chance)
    elif kind < 0.85:
        del parts[at]
    elif kind < 0.9:
        parts.append((name, chance.choice(parts)[1]))  # twice of a name
    elif kind < 0.95:
        parts[at] = name, chance.choice(parts)[1]
    else:
        other = chance.choice(("../" * 9 + name, "/" + name, name.upper(), name + "/", "a\\b", "é"))
        parts[at] = other, part
    out = BytesIO()
    how = chance.choice((zipfile.ZIP_DEFLATED,) * 6 + (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(out, "w", how) as made:
        for number, (name, part) in enumerate(parts):
            # The first says of an OpenDocument or EPUB what it is.
            made.writestr(name, part, None if number else zipfile.ZIP_STORED)
    return out.getvalue()


def _change_records(content: bytes, chance: Random) -> bytes:
    """Changes a field of what an archive says of a part: its size, sum, way of packing, place."""
    records = [m.start() for m in re.finditer(rb"PK(?:\x01\x02|\x03\x04|\x05\x06)", content)]
    if not records:
        return content
    at = chance.choice(records) + chance.choice(range(4, 46, 2))
    return _field_changed(content, at, "<", chance)


def _field_changed(content: bytes, at: int, order: str, chance: Random) -> bytes:
    """Another number in two or four bytes."""
    size, letter = chance.choice(((2, "H"), (4, "I")))
    if at + size > len(content):
        return content[: chance.randrange(len(content) + 1)]
    most = (1 << 8 * size) - 1
    number = chance.choice((0, 1, 2, 8, 99, 255, 65535, 100_000, most // 2, most, at)) & most
    return content[:at] + struct.pack(order + letter, number) + content[at + size :]


def _change_elements(part: bytes, chance: Random) -> bytes:
    """Changes the tree of a part of XML, which stays well formed."""
    try:
        root = etree.fromstring(part, etree.XMLParser(resolve_entities=False, huge_tree=True))
    except etree.XMLSyntaxError:
        return _MARKUP(part, chance)
    elements = [one for one in root.iter() if isinstance(one.tag, str)]
    one, other = chance.choice(elements), chance.choice(elements)
    above = one.getparent()
    kind = chance.choice(
        ("drop", "copy", "many", "inside", "tag", "value", "value", "value", "lost", "text", "deep")
    )
    if kind == "drop" and above is not None:
        above.remove(one)
    elif kind == "copy":
        other.append(etree.fromstring(etree.tostring(one)))
    elif kind == "many" and above is not None:
        for _ in range(chance.choice(MANY) if len(etree.tostring(one)) < 300 else 9):
            above.append(etree.fromstring(etree.tostring(one)))
    elif kind == "inside":
        one.append(etree.fromstring(etree.tostring(root)))
    elif kind == "tag":
        one.tag = other.tag
    elif kind in ("value", "lost"):
        attributes = [(own, key) for own in elements for key in own.attrib]
        if attributes:
            own, key = chance.choice(attributes)
            values = [each.attrib[name] for each, name in attributes]
            others = [number.decode() for number in NUMBERS] + ["", "../../a", "http://192.0.2.1/a"]
            if kind == "lost":
                del own.attrib[key]
            else:
                own.attrib[key] = chance.choice((chance.choice(values), chance.choice(others)))
    elif kind == "text":
        one.text = chance.choice(("", "x" * 100_000, "1e999", "\u202e\U0001f600", "a " * 9999))
    elif kind == "deep" and above is not None:
        tag, inner = one.tag, one
        for _ in range(chance.choice((40, 400, 3000))):
            inner = etree.SubElement(inner, tag)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def _change_png(content: bytes, chance: Random) -> bytes:
    """Changes its chunks, whose sums stay right."""
    chunks: list[tuple[bytes, bytes]] = []
    at = 8
    while at + 12 <= len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + size]))
        at += 12 + size
    if not chunks:
        return content
    number = chance.randrange(len(chunks))
    kind, data = chunks[number]
    if chance.random() < 0.6:
        data = _field_changed(data, chance.randrange(len(data) + 1), ">", chance)
        chunks[number] = kind, data
    else:
        chunks = _moved(chunks, chance)
    body = b"".join(
        len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
        for kind, data in chunks
    )
    return content[:8] + body


def _moved(records: Sequence[tuple[bytes, bytes]], chance: Random) -> list[tuple[bytes, bytes]]:
    one = chance.choice(records)
    rest = [record for record in records if record is not one or chance.random() < 0.5]
    return [*rest, *[one] * chance.choice((0, 1, 40))]


def _change_jpg(content: bytes, chance: Random) -> bytes:
    segments = [m.start() for m in re.finditer(rb"\xff[\xc0-\xc4\xda-\xdb\xdd\xe0-\xe1]", content)]
    at = chance.choice(segments or [0]) + chance.randrange(2, 20)
    return _field_changed(content, at, ">", chance)


def _change_tif(content: bytes, chance: Random) -> bytes:
    """Changes its header or an entry of one of its directories."""
    places = [4]
    at = int.from_bytes(content[4:8], "little")
    while 0 < at < len(content) - 2 and len(places) < 200:
        count = int.from_bytes(content[at : at + 2], "little")
        places += range(at, at + 2 + 12 * min(count, 40) + 4, 2)
        end = at + 2 + 12 * count
        following = int.from_bytes(content[end : end + 4], "little")
        at = following if following > at else 0
    return _field_changed(content, chance.choice(places), "<", chance)


def _change_rtf(content: bytes, chance: Random) -> bytes:
    words = (
        rb"\bin99999999 ",
        rb"\u-9999999?",
        rb"\trowd\cellx9\intbl x\cell\row ",
        rb"{\fonttbl{\f0\fcharset999 ;}}\f0 ",
        rb"{\*\x " * 500,
        rb"{\footnote x}",
        rb"{\field{\*\fldinst{HYPERLINK }}{\fldrslt x}}",
    )
    if chance.random() < 0.3:
        at = chance.randrange(len(content) + 1)
        return content[:at] + chance.choice(words) * chance.choice((1, 500)) + content[at:]
    return _RTF_TOKENS(content, chance)


_RTF_TOKENS = _by(rb"\\[a-z]+-?\d* ?|[{}]")


def _change_eml(content: bytes, chance: Random) -> bytes:
    headers = (
        b"Content-Transfer-Encoding: base64\n",
        b"Content-Transfer-Encoding: x-uuencode\n",
        b"Content-Type: message/rfc822\n",
        b"Content-Type: multipart/alternative\n",
        b'Content-Type: multipart/mixed; boundary="a"\n',
        b"Content-Type: text/html; charset=utf-16\n",
        b"Content-Disposition: attachment; filename*0*=x''%ff; filename*9*=%00\n",
        b"Subject: " + b"=?utf-8?q?=ff?= " * 500 + b"\n",
        b"From: " + b"(" * 900 + b"\n",
        b"To: " + b"a@b, " * 9000 + b"\n",
    )
    if chance.random() < 0.4:
        lines = content.splitlines(keepends=True)
        at = chance.randrange(len(lines) + 1)
        return b"".join([*lines[:at], chance.choice(headers), *lines[at:]])
    return _MAIL_TOKENS(content, chance)


_MAIL_TOKENS = _by(rb'[\w-]+: |; \w+=|"[^"\n]*"|\n')

_MUTATIONS: dict[str, Change] = {
    **dict.fromkeys("docx pptx xlsx ods odp odt epub".split(), _change_packed),
    "pdf": _change_pdf,
    "html": _by(rb"<[^<>]*>|\w+=[^\s<>]*"),
    "csv": _by(rb"[;\r\n]+"),
    "rtf": _change_rtf,
    "eml": _change_eml,
    "png": _change_png,
    "jpg": _change_jpg,
    "tif": _change_tif,
}

_PICTURES = ["jpg", "png", "tif"]
#: Pictures take a second each.
_KINDS = [*sorted(_MUTATIONS.keys() - _PICTURES) * 10, *_PICTURES]
