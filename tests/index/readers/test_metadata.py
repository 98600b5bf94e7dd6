"""Who wrote a document, when, and where it was published: of each format, and of what strangers
write there."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import docx
import odfdo
import pptx
import pytest
from growth import grows_linearly
from office import (
    HTML,
    PROSE,
    TITLE,
    pack,
    write_docx,
    write_epub,
    write_odt,
    write_pptx,
    write_rtf,
)
from xlsxwriter import Workbook

from index import read_document
from index.chunking.metadata import MAX_ADDRESS, MAX_AUTHORS, MAX_NAME, metadata_of
from index.models import NO_METADATA, DocumentMetadata
from index.readers.front_matter import front_matter_of, head_metadata
from index.readers.html import html_tree

ANN, BOB = "Ann Åkesson", "Bob Berg"
MADE = datetime(2022, 3, 7, 10, tzinfo=UTC)
DATE = "2022-03-07"
PUBLISHED = "https://example.org/harbour?year=2022"


def rewrite(file: Path, others: dict[str, bytes]) -> None:
    """Put these members in the place of those that a packed file has."""
    with zipfile.ZipFile(file) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    pack(file, held | others)


def with_docx(file: Path) -> None:
    write_docx(file)
    document = docx.Document(str(file))
    document.core_properties.author, document.core_properties.created = f"{ANN}; {BOB}", MADE
    document.save(str(file))


def with_pptx(file: Path) -> None:
    write_pptx(file)
    deck = pptx.Presentation(str(file))
    deck.core_properties.author, deck.core_properties.created = f"{ANN};{BOB}", MADE
    deck.slides.add_slide(deck.slide_layouts[6])  # which holds nothing, and is a slide
    deck.save(str(file))


def with_odt(file: Path) -> None:
    write_odt(file)
    document = odfdo.Document(str(file))
    document.meta.initial_creator, document.meta.creation_date = f"{ANN};{BOB}", MADE
    document.meta.creator, document.meta.date = "Somebody else", MADE + timedelta(days=9)
    document.save(str(file))


def with_xlsx(file: Path) -> None:
    book = Workbook(str(file))
    book.add_worksheet().write_row("A1", (PROSE, "Berth"))
    book.set_properties({"author": f"{ANN}; {BOB}", "created": MADE})
    book.close()


def with_epub(file: Path) -> None:
    write_epub(file)
    told = (
        f"<dc:creator>{ANN}</dc:creator><dc:creator>{BOB}</dc:creator><dc:date>{DATE}</dc:date>"
        f"<dc:source>urn:isbn:1</dc:source><dc:source>{PUBLISHED}</dc:source></metadata>"
    )
    with zipfile.ZipFile(file) as archive:
        package = archive.read("book.opf").decode()
    rewrite(file, {"book.opf": package.replace("</metadata>", told).encode()})


def with_html(file: Path) -> None:
    told = (
        f'<meta name="Author" content="{ANN}"><meta name="author" content="{BOB}">'
        '<meta property="article:author" content="https://example.org/ann">'
        f'<meta property="article:published_time" content="{DATE}T10:00:00+01:00">'
        f'<link rel="canonical" href="/harbour"><meta property="og:url" content="{PUBLISHED}">'
    )
    file.write_text(HTML.replace("</head>", f"{told}</head>"), encoding="utf-8")


def with_rtf(file: Path) -> None:
    write_rtf(file)
    told = r"{\info{\author Ann \'c5kesson; Bob Berg}{\creatim\yr2022\mo3\dy7\hr10\min0}}"
    file.write_text(file.read_text().replace(r"\ansi", rf"\ansi{told}"), encoding="ascii")


def with_eml(file: Path) -> None:
    message = EmailMessage()
    message["From"] = f'"{ANN}" <ann@example.org>, {BOB} <bob@example.org>'
    message["Date"], message["Subject"] = MADE, TITLE
    message.set_content(PROSE)
    file.write_bytes(bytes(message))


def with_markdown(file: Path) -> None:
    told = (
        f"title: Harbour\nauthors:\n  - name: {ANN}\n    email: ann@example.org\n"
        f"  - '[[{BOB}]]'\ndate: {DATE} 10:00\nsource: {PUBLISHED}"
    )
    file.write_text(f"---\n{told}\n---\n{PROSE}\n", encoding="utf-8")


def with_pdf(
    file: Path, author: str = f"{ANN}; {BOB}", creator: str = "Writer", title: str = ""
) -> None:
    def text(name: str) -> str:
        return f"<FEFF{name.encode('utf-16-be', 'surrogatepass').hex()}>"

    shown = f"BT /F1 12 Tf 20 200 Td ({PROSE}) Tj ET"
    page = "/Type/Page/Parent 2 0 R/MediaBox[0 0 500 300]"
    font = "/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    about = f"/Author {text(author)}/Creator {text(creator)}/Title {text(title)}"
    objects = (
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R 5 0 R]/Count 2>>",
        f"<<{page}/Contents 4 0 R{font}>>",
        f"<</Length {len(shown)}>>stream\n{shown}\nendstream",
        f"<<{page}>>",
        f"<<{about}/CreationDate(D:20220307100000+01'00')>>",
    )
    made, starts = "%PDF-1.4\n", ""
    for number, part in enumerate(objects, start=1):
        starts += f"{len(made):010} 00000 n \n"
        made += f"{number} 0 obj{part}endobj\n"
    table = f"xref\n0 7\n0000000000 65535 f \n{starts}trailer<</Size 7/Root 1 0 R/Info 6 0 R>>\n"
    file.write_text(f"{made}{table}startxref\n{len(made)}\n%%EOF", encoding="ascii")


@pytest.mark.parametrize(
    ("write", "suffix", "address", "pages"),
    [
        (with_pdf, "pdf", "", 2),
        (with_docx, "docx", "", 0),
        (with_pptx, "pptx", "", 4),
        (with_xlsx, "xlsx", "", 0),
        (with_odt, "odt", "", 0),
        (with_epub, "epub", PUBLISHED, 0),
        (with_html, "html", PUBLISHED, 0),
        (with_rtf, "rtf", "", 0),
        (with_eml, "eml", "", 0),
        (with_markdown, "md", PUBLISHED, 0),
    ],
)
def test_what_a_file_says_of_its_origin(
    tmp_path: Path, write: Callable[[Path], None], suffix: str, address: str, pages: int
) -> None:
    file = tmp_path / f"report.{suffix}"
    write(file)
    document = read_document(file)
    assert document.metadata == DocumentMetadata((ANN, BOB), DATE, address)
    assert (document.bytes, document.pages) == (file.stat().st_size, pages)


@pytest.mark.parametrize("write", [write_docx, write_pptx], ids=["docx", "pptx"])
def test_the_templates_of_libraries_say_nothing(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    write(tmp_path / "report")
    assert read_document(tmp_path / "report").metadata.date == ""


@pytest.mark.parametrize("author", ["Quire 7", "Ann \ud800"], ids=["its maker", "half of a pair"])
def test_who_did_not_write_a_pdf(tmp_path: Path, author: str) -> None:
    file = tmp_path / "report.pdf"
    with_pdf(file, author, creator="Quire 7")
    assert read_document(file).metadata == DocumentMetadata((), DATE)


@pytest.mark.parametrize(
    ("told", "title"),
    [
        ("The Harbour Master", "The Harbour Master"),
        ("Harbour", "report.pdf"),
        ("Microsoft Word - harbour.doc", "report.pdf"),
    ],
    ids=["printed", "one word", "not printed"],
)
def test_a_pdf_is_called_what_it_calls_itself_where_that_is_printed(
    tmp_path: Path, told: str, title: str
) -> None:
    with_pdf(tmp_path / "report.pdf", title=told)
    assert read_document(tmp_path / "report.pdf").title == title


@pytest.mark.parametrize("told", [b"\0\1\2" * 99, b"<dc:creator>" * 50_000, b""])
def test_damaged_properties_leave_the_text(tmp_path: Path, told: bytes) -> None:
    file = tmp_path / "report.xlsx"
    with_xlsx(file)
    rewrite(file, {"docProps/core.xml": told})
    document = read_document(file)
    assert PROSE in document.text and document.metadata == NO_METADATA


def head(told: str) -> DocumentMetadata:
    html = f"<html><head>{told}</head><body><p>{PROSE}</p></body></html>"
    return head_metadata(html, html_tree(html))


def test_what_journals_tell_comes_before_what_sites_do() -> None:
    told = (
        '<meta name="author" content="Site"><meta name="citation_author" content="Berg, Bob">'
        '<meta name="dc.date" content="2001"><meta name="citation_publication_date" '
        'content="2022/3"><meta name="citation_author" content="Åkesson, Ann">'
    )
    assert head(told) == DocumentMetadata(("Berg, Bob", "Åkesson, Ann"), "2022-03")


@pytest.mark.parametrize(
    "linked",
    [
        '{"author": {"name": "Ann"}, "datePublished": "2022-03-07"}',
        '[{"@type": "Site"}, {"author": [{"name": "Ann"}, 7], "datePublished": "2022-03-07"}]',
        '{"@graph": [7, {"datePublished": "2022-03-07"}, {"author": "Ann", "datePublished": 7}]}',
    ],
)
def test_linked_data_tells_too(linked: str) -> None:
    told = f'<script type="application/ld+json">{linked}</script>'
    assert head(told) == DocumentMetadata(("Ann",), DATE)


@pytest.mark.parametrize("linked", ["{", "7", "null", "[" * 100_000, '{"@graph": {"a": 1}}'])
def test_linked_data_that_is_none_tells_nothing(linked: str) -> None:
    assert head(f'<script type="application/ld+json">{linked}</script>') == NO_METADATA


def test_a_page_that_a_browser_saved_says_where_from() -> None:
    html = f"<!-- saved from url=(0037){PUBLISHED} --><html><p>{PROSE}</p></html>"
    assert head_metadata(html, html_tree(html)).address == PUBLISHED


def test_the_title_in_front_matter_is_told_as_it_is_read() -> None:
    told = '---\ntitle: "Perks &amp; pay <em>before</em> 5 < 6"\n---\nText.'
    assert front_matter_of(told).title == "Perks & pay before 5 < 6"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_front_matter_without_lines_around_it_stays_in_the_text(end: str, tmp_path: Path) -> None:
    file = tmp_path / "bylaws.md"
    head = f"Title  : Bylaws of the Harbour{end}Author : {ANN}{end}"
    file.write_text(f"{head}{end}{PROSE}{end}", encoding="utf-8", newline="")
    document = read_document(file)
    assert (document.title, document.metadata.authors) == ("Bylaws of the Harbour", (ANN,))
    assert ANN in document.text
    file.write_text(f"{head}It ends nowhere.{end}", encoding="utf-8", newline="")
    assert read_document(file).title == "bylaws.md"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Moved to the new pages.\n\n# Staff Guide\n\n{}\n\n## Leave\n\n{}", "Staff Guide"),
        ("{}\n\n# References\n\n{}", "guide.md"),
        ("{}\n\n## Leave\n\n{}\n\n### Pay\n\n{}", "guide.md"),
        ("{}\n\n# Leave\n\n{}\n\n# Pay\n\n{}", "guide.md"),
        ("---\ntitle: Guide\n---\n{}\n\n# Leave\n\n{}\n\n## Pay\n\n{}", "Guide"),
    ],
)
def test_a_heading_over_all_others_is_the_title(text: str, title: str, tmp_path: Path) -> None:
    file = tmp_path / "guide.md"
    file.write_text(text.replace("{}", PROSE), encoding="utf-8")
    assert read_document(file).title == title


@pytest.mark.parametrize(
    ("told", "authors"),
    [
        ("author: Ann", ("Ann",)),
        ("authors: ['Ann', \"Bob\"]", ("Ann", "Bob")),
        ("author:\r\n- Ann\r\n- Bob\r\nlang: en", ("Ann", "Bob")),
        ("author:\n  name: Ann\n  twitter: ann", ("Ann",)),
        ("author: {{ page.author", ("{{ page.author",)),
        ("lang: en\n\nauthor:", ()),
    ],
)
def test_authors_in_front_matter(told: str, authors: tuple[str, ...]) -> None:
    assert front_matter_of(f"---\n{told}\n---\nText.").metadata.authors == authors


@pytest.mark.parametrize(
    ("told", "names"),
    [
        (["user"], ()),
        (["Microsoft Office User", "(anonymous)", "  ", "...", None], ()),
        (["Ann <ann@example.org>", "ann@example.org"], ("Ann",)),
        (["ann@example.org"], ("ann@example.org",)),
        (["https://example.org/ann"], ()),
        (["Ann; Bob ;; Ann"], ("Ann", "Bob")),
        (["An\u202en\x00\n\ud800 \x1b[1mBerg"], ("Ann [1mBerg",)),
        (["x" * 10_000], ("x" * MAX_NAME,)),
        ([f"a{n}" for n in range(1000)], tuple(f"a{n}" for n in range(MAX_AUTHORS))),
        ([";".join(f"a{n}" for n in range(1000))], tuple(f"a{n}" for n in range(MAX_AUTHORS))),
    ],
)
def test_who_is_an_author(told: list[str | None], names: tuple[str, ...]) -> None:
    assert metadata_of([[], told, ["Nobody else"]]).authors == (names or ("Nobody else",))


@pytest.mark.parametrize(
    ("told", "date"),
    [
        ("2022", "2022"),
        (" 2022-03 ", "2022-03"),
        *((told, DATE) for told in ("2022/3/7", "20220307", "D:20220307100000Z", "7 March 2022")),
        ("2022-03-07 23:00:00-08:00", DATE),
        ("Mon, 7 Mar 2022 10:00:00 +0000", DATE),
        ("March 7, 2022", DATE),
        *((told, "") for told in ("", "yesterday", "2022-02-30", "2022-00", "31 Feb 2022")),
        *((told, "") for told in ("0101-01-01", "9999-12-31", "٢٠٢٢", "Mon, " * 100_000)),
    ],
)
def test_what_is_a_date(told: str, date: str) -> None:
    assert metadata_of([], ["", told]).date == date


def test_a_date_that_lies_ahead_is_none() -> None:
    today = datetime.now(UTC).date()
    assert metadata_of([], [today.isoformat()]).date == today.isoformat()
    assert metadata_of([], [(today + timedelta(days=3)).isoformat()]).date == ""
    assert metadata_of([], [str(today.year + 1)]).date == ""


@pytest.mark.parametrize(
    "told",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "//example.org/",
        "/harbour",
        "https://",
        "http://[::1",
        "https://ann:sesame@example.org/",
        "https://example.org/a b",
        "https://example.org/\u202e",
        "https://example.org/\ud800",
        f"https://example.org/{'x' * MAX_ADDRESS}",
    ],
)
def test_what_is_no_address(told: str) -> None:
    assert metadata_of([], (), [told]).address == ""
    assert metadata_of([], (), [told, PUBLISHED]).address == PUBLISHED


@pytest.mark.parametrize(
    "make",
    [
        lambda n: "---\nauthor:" + "\n - a" * n + "\n---\n",
        lambda n: "---\na: b\n" + "-" * n + "\n---\n",
        lambda n: "---\nauthor:" + " " * n + "\n---\n",
        lambda n: "---\nauthor: x\n" + " " * n + "name: y\n---\n",
        lambda n: "title: x\n" + "a: b\n" * n + " " * n + "c",
    ],
    ids=["items", "dashes", "blanks", "indented", "unmarked"],
)
def test_front_matter_takes_time_in_proportion(make: Callable[[int], str]) -> None:
    assert grows_linearly(front_matter_of, make, 20_000)
