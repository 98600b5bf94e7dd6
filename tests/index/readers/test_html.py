"""HTML and EPUB: what a browser shows as text, with the white space that it shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from office import container, pack

from index import Document, read_document
from index.chunking.layout import Block
from index.errors import UnreadableError
from index.readers.html import read_html


def page(tmp_path: Path, body: str, head: str = "") -> Document:
    file = tmp_path / "page.html"
    file.write_text(f"<!doctype html><html><head>{head}</head><body>{body}</body></html>")
    return read_document(file)


def texts(document: Document) -> list[str]:
    document.check()
    return [paragraph.text for paragraph in document.paragraphs]


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (
            "<p>Kept under <code>/etc/news</code>, un<b>believ</b>able.</p>",
            ["Kept under /etc/news, unbelievable."],
        ),
        ("<p>One\n  line<br>and the next</p>", ["One line\nand the next"]),
        ("<p>Apart<br><br>by a line</p>", ["Apart", "by a line"]),
        (
            "<div>Text <p>and a paragraph</p> and more</div>",
            ["Text", "and a paragraph", "and more"],
        ),
        ("<p>He said <q>no</q>.</p>", ["He said “no”."]),
        ("<p>Soft&shy;ly &nbsp;spoken&#8203;.</p>", ["Softly spoken."]),
        (
            "<p>Seen</p><p hidden>not</p><p style='display: none'>not</p><dialog>not</dialog>",
            ["Seen"],
        ),
        ("<p>x <math alttext='x^2'><mi>x</mi></math> y</p>", ["x x^2 y"]),
        (  # a definition begins with its term
            "<dl><dt>65535:</dt><dd><p>Not used.</p><p>Ever.</p></dd><dt>Lonely</dt></dl>",
            ["65535:\nNot used.", "Ever.", "Lonely"],
        ),
        (  # cells that span
            "<table><caption>Sales</caption><thead><tr><th rowspan=2>Year<th colspan=2>Revenue</tr>"
            "<tr><th>home<th>abroad</tr></thead><tr><td rowspan=2>2021<td>1<td>2</tr>"
            "<tr><td>3<td>4</tr></table>",
            [
                "Sales",
                "Year: 2021 | Revenue home: 1 | Revenue abroad: 2",
                "Year: 2021 | Revenue home: 3 | Revenue abroad: 4",
            ],
        ),
        (  # a table that lays out a page
            "<table><tr><td><p>Left</p></td><td><p>Right</p>"
            "<table><tr><td>a</td><td>b</td></tr></table></td></tr></table>",
            ["Left", "Right", "a | b"],
        ),
        ("<div>" * 20_000 + "deep", ["deep"]),
    ],
)
def test_text_is_what_a_browser_shows(tmp_path: Path, body: str, shown: list[str]) -> None:
    assert texts(page(tmp_path, body)) == shown


@pytest.mark.parametrize(
    "set_as",
    [
        "<p><b>{}</b></p>",
        "<p><u>{}</u></p>",
        "<div><strong>{}</strong></div>",
        '<p style="font-size: 130%">{}</p>',
        "<p><font size=+2>{}</font></p>",
        '<div class="sub-heading">{}</div>',
        "<details><summary>{}</summary></details>",
    ],
)
def test_what_is_set_as_a_heading_is_one(tmp_path: Path, set_as: str) -> None:
    """Where it stands alone over text, is no sentence, no link, and no title of a figure."""
    rest = "<p>A boat is moored at two rings, one at the bow and one at the stern of it.</p>"
    body = "".join(
        set_as.format(text) + rest
        for text in ("Mooring", "It is never moored at one.", "Figure 2. Rings")
    )
    document = page(tmp_path, body + set_as.format('<a href="/all">All rules</a>') + rest)
    moored = [p.heading for p in document.paragraphs if p.text.startswith("A boat")]
    assert moored == [("Mooring",)] * 4
    under = page(tmp_path, f"<h1>Rules</h1>{rest}<h2>Quay</h2>{body}").paragraphs
    assert under[1].heading == ("Rules", "Quay", "Mooring")
    alone = page(tmp_path, set_as.format("Mooring") + set_as.format("At night"))
    assert all(not p.heading for p in alone.paragraphs)


def test_a_line_in_capitals_over_text_is_a_heading(tmp_path: Path) -> None:
    rest = "<p>A boat is moored at two rings, one at the bow and one at the stern of it.</p>"
    document = page(tmp_path, f"<p>MOORING AT NIGHT</p>{rest}<p>N B</p>{rest}")
    assert {p.heading for p in document.paragraphs} == {("MOORING AT NIGHT",)}


def test_terms_and_titles_of_tables_lead_into_what_follows() -> None:
    body = (
        "<dl><dt>Neap tide</dt><dd><p>The lower of two.</p><p>It comes twice a month.</p>"
        "<ul><li>At half moon</li></ul></dd><dt>Spring</dt><dd>The higher.</dd></dl><p>So far.</p>"
        "<table><caption>Fees by boat</caption>"
        "<tr><th>Boat<th>Fee</tr><tr><td>Heron<td>4</tr></table>"
    )
    layout = read_html(f"<html><body>{body}</body></html>".encode(), "tides.html")
    leads = {
        layout.text[part.spans[0][0] : part.spans[-1][1]]: part.lead
        and layout.text[slice(*part.lead)]
        for part in layout.parts
        if isinstance(part, Block)
    }
    assert leads == {
        "Neap tide\nThe lower of two.": None,
        "It comes twice a month.": "Neap tide",
        "At half moon": "Neap tide",
        "Spring\nThe higher.": None,
        "So far.": None,
        "Fees by boat": None,
        "Boat: Heron | Fee: 4": "Fees by boat",
    }


def test_marks_of_notes_are_left_out(tmp_path: Path) -> None:
    body = (
        '<p>It is absolute. <a href="#n9"><span>[</span>9<span>]</span></a> It stays.</p>'
        '<p>It is freely <sup><a href="#n2">2</a></sup>.</p><h2>Notes <a href="#notes">¶</a></h2>'
        '<p>See <a href="#s3">3</a>.</p>'
    )
    document = page(tmp_path, body)
    assert texts(document) == ["It is absolute. It stays.", "It is freely.", "See 3."]
    assert document.paragraphs[-1].heading == ("Notes",)


@pytest.mark.parametrize(
    "notes",
    [
        '<ol><li id="n1"><p>Half in winter. <a href="#m1">↩</a></p></li><li>Of 2021.</li></ol>',
        '<aside id="n1"><a href="#m1"><sup>1</sup></a> Half in winter.</aside>',
        '<p><a name="n1"></a><a href="#m1">[1]</a> Half in winter.</p>',
        '<dl><dt id="n1"><span>1</span></dt><dd>Half in winter.</dd></dl>',
        '<table id="n1"><tr><td>1</td><td>Half in winter.</td></tr></table>',
    ],
)
@pytest.mark.parametrize("where", ["", "ch%202.xhtml"])
def test_notes_say_what_they_note(tmp_path: Path, notes: str, where: str) -> None:
    """On the page of their mark or on another one of the book."""
    mark = f'<a href="{where}#n1" id="m1"><sup>1</sup></a>'
    text = f"<p>The dues are old. Boats pay.{mark} Rafts do not.</p>"
    if where:
        notes = notes.replace("#m1", "one.xhtml#m1")
        members = {"OEBPS/text/one.xhtml": text, "OEBPS/text/ch 2.xhtml": notes}
        document = read_document(book(tmp_path, **members))
    else:
        document = page(tmp_path, text + notes)
    first, note, *_ = document.paragraphs
    assert first.text == "The dues are old. Boats pay. Rafts do not."
    assert "Half in winter." in note.text
    assert first.lead is None
    assert note.lead
    assert note.lead.text == document.text[note.lead.start : note.lead.end] == "Boats pay."
    assert all(p.lead is None for p in document.paragraphs if p is not note)


def test_menus_are_left_out_unless_there_is_nothing_else(tmp_path: Path) -> None:
    menu = '<ul><li><a href="a.html">Chapter one</a></li><li><a href="b.html">Two</a></li></ul>'
    links = '<ul><li><a href="https://example.org/a">A paper</a></li><li>A book</li></ul>'
    jump = '<a href="#main">Skip to content</a>'
    assert texts(page(tmp_path, f"{jump}<nav>Menu</nav>{menu}<p>Text</p>{links}")) == [
        "Text",
        "A paper\nA book",
    ]
    assert texts(page(tmp_path, f"<h1>All pages</h1>{menu}")) == ["Chapter one\nTwo"]


def test_lists_are_flat_and_numbered_as_shown(tmp_path: Path) -> None:
    body = (
        "<ol start=3><li>three<ul><li>inner</li></ul></li><li><p>four</p><p>more</p></li></ol>"
        "<ul><li>before <table><tr><td>a</td><td>b</td></tr></table> after</li></ul>"
    )
    document = page(tmp_path, body)
    assert [(p.kind, [s.text for s in p.sentences]) for p in document.paragraphs] == [
        ("list", ["3. three", "inner", "4. four\nmore", "before"]),
        ("row", ["a | b"]),
        ("list", ["after"]),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("page", ["{}", "<!doctype html><html><body>{}</body></html>"])
def test_settings_before_a_page_are_none_of_its_text(tmp_path: Path, page: str, end: str) -> None:
    settings = ["---", 'title: "The mill"', "layout: default", "---", "{% include alert.html %}"]
    file = tmp_path / "mill.html"
    body = "<h2>Hours</h2><p>It opens at <b>nine</b>.</p><h2>Days</h2><p>All.</p>"
    file.write_bytes(end.join([*settings, page.format(body), ""]).encode())
    document = read_document(file)
    assert texts(document) == ["It opens at nine.", "All."]
    assert (document.title, document.paragraphs[0].heading) == ("The mill", ("Hours",))


def test_a_button_that_unfolds_an_answer_is_its_question(tmp_path: Path) -> None:
    question = '<button aria-controls="a">Who may fish here?</button>'
    answer = '<div id="a"><p>Members.</p></div>'
    menu = '<button aria-controls="m">Toggle navigation</button><button>Send</button>'
    assert texts(page(tmp_path, f"{menu}<ul><li>{question}{answer}</li></ul>")) == [
        "Who may fish here?\nMembers."
    ]
    document = page(tmp_path, f"{menu}<h3>{question}</h3>{answer}")
    assert [(p.heading, p.text) for p in document.paragraphs] == [
        (("Who may fish here?",), "Members.")
    ]


def test_a_hidden_answer_that_its_question_unfolds_is_read(tmp_path: Path) -> None:
    asked = "<p><a onclick=\"show('{0}')\">{1}</a></p><p id={0} style='display:none'>{2}</p>"
    answer = asked.format("q1", "Who may fish here?", "Members.")
    assert texts(page(tmp_path, answer + asked.format("q2", "Menu", "not"))) == [
        "Who may fish here?",
        "Members.",
        "Menu",
    ]


def test_a_heading_that_is_a_sentence_can_be_cited(tmp_path: Path) -> None:
    warning = "Opening the case voids the warranty of the device."
    section = "12.3 Opening the case of the device after the warranty."
    body = f"<h2>{warning}</h2><p>Use a coin.</p><h2>{section}</h2><p>It is free.</p>"
    assert [(p.heading, p.text) for p in page(tmp_path, body).paragraphs] == [
        ((), warning),
        ((warning,), "Use a coin."),
        ((section,), "It is free."),
    ]


def test_what_is_no_page_is_text(tmp_path: Path) -> None:
    file = tmp_path / "notes.html"
    file.write_text("If a < b, write <b> around it. No more is said.")
    assert texts(read_document(file)) == [file.read_text()]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "shift_jis", "koi8_r", "undefined"])
def test_the_encoding_that_a_page_declares_is_its_own(tmp_path: Path, encoding: str) -> None:
    text = {"shift_jis": "日本語の文章です。", "koi8_r": "Причал номер четыре."}.get(
        encoding, "Café"
    )
    html = f"<!doctype html><html><head><meta charset={encoding}></head><p>{text}</p></html>"
    used = "utf-8" if encoding == "undefined" else encoding
    (tmp_path / "page.html").write_bytes(html.encode(used))
    assert texts(read_document(tmp_path / "page.html")) == [text]


def test_an_encoding_of_host_names_is_none_of_pages(tmp_path: Path) -> None:
    """Decoded as such a name a long page would take minutes."""
    file = tmp_path / "page.html"
    file.write_text("<!doctype html><meta charset=punycode><p>Berth four-kva")
    assert texts(read_document(file)) == ["Berth four-kva"]


def test_the_title_is_the_heading_that_is_alone(tmp_path: Path) -> None:
    head = "<title>Report | Site</title>"
    assert page(tmp_path, "<h1>Report</h1><p>Text</p>", head).title == "Report"
    assert page(tmp_path, "<h1>A</h1><p>x</p><h1>B</h1><p>y</p>", head).title == "Report | Site"


def test_tables_nested_without_end_are_refused_or_read(tmp_path: Path) -> None:
    try:
        assert "deep" in page(tmp_path, "<table><tr><td>a<td>" * 3000 + "deep").text
    except UnreadableError as error:
        assert "page.html" in str(error)


# --- EPUB -----------------------------------------------------------------------------------------

PACKAGE = """<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The  Tides</dc:title></metadata>
<manifest><item id="two" href="text/ch%202.xhtml" media-type="application/xhtml+xml"/>
<item id="one" href="text/one.xhtml" media-type="application/xhtml+xml"/>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="pic" href="a.png" media-type="image/png"/></manifest>
<spine><itemref idref="nav"/><itemref idref="one"/><itemref idref="two"/><itemref idref="gone"/>
</spine></package>"""
NAV = """<html xmlns="http://www.w3.org/1999/xhtml"><body><nav epub:type="toc"><ol>
<li><a href="text/one.xhtml#start">First chapter</a></li>
<li><a href="text/ch%202.xhtml">Second chapter</a></li></ol></nav></body></html>"""
BEGIN = '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><script src="a.js"/>'


def book(tmp_path: Path, package: str = PACKAGE, **members: str) -> Path:
    chapters = {
        "OEBPS/book.opf": package,
        "OEBPS/nav.xhtml": NAV,
        "OEBPS/text/one.xhtml": f"{BEGIN}</head><body><p>High tide.</p></body></html>",
        "OEBPS/text/ch 2.xhtml": f"{BEGIN}</head><body><h1>Low</h1><p>Low tide.</p></body></html>",
    }
    others = {name.replace("__", "/"): text for name, text in members.items()}
    return pack(tmp_path / "book.epub", container("OEBPS/book.opf") | chapters | others)


def test_a_book_is_read_in_order_under_what_its_contents_call_its_pages(tmp_path: Path) -> None:
    document = read_document(book(tmp_path))
    assert document.title == "The Tides"
    assert [(p.heading, p.text) for p in document.paragraphs] == [
        (("First chapter",), "High tide."),
        (("Low",), "Low tide."),
    ]


def test_a_book_of_the_older_kind_has_its_contents_in_points(tmp_path: Path) -> None:
    package = PACKAGE.replace('application/xhtml+xml" properties="nav', "application/x-dtbncx+xml")
    points = (
        '<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap><navPoint id="a"><navLabel>'
        '<text>Of  tides</text></navLabel><content src="text/one.xhtml#a"/></navPoint></navMap>'
        "</ncx>"
    )
    package = package.replace("nav.xhtml", "toc.ncx")
    document = read_document(book(tmp_path, package, **{"OEBPS__toc.ncx": points}))
    assert document.paragraphs[0].heading == ("Of tides",)


def test_headings_of_a_book_are_set_by_its_style_sheet(tmp_path: Path) -> None:
    rest = "<p>A boat is moored at two rings, one at the bow and one at the stern of it.</p>"
    said = ("c1", "First chapter"), ("c1", "Mooring"), ("c2", "At night"), ("c3", "Lamps")
    body = "".join(f'<p class="x {name}">{text}</p>{rest}' for name, text in said)
    members = {
        "OEBPS__text__one.xhtml": f"{BEGIN}</head><body>{body}</body></html>",
        "OEBPS__a.css": "p, .c1 { font-size: 1.5em } p.c2 { font-weight: bold } .c3 { color: red",
    }
    document = read_document(book(tmp_path, **members))
    found = [p.heading[1:] for p in document.paragraphs if p.text.startswith("A boat")]
    assert found == [(), ("Mooring",), ("Mooring", "At night"), ("Mooring", "At night")]


def test_a_book_that_is_locked_is_told(tmp_path: Path) -> None:
    locks = (
        '<encryption><enc:EncryptedData xmlns:enc="http://www.w3.org/2001/04/xmlenc#">'
        '<enc:CipherData><enc:CipherReference URI="OEBPS/text/one.xhtml"/></enc:CipherData>'
        "</enc:EncryptedData></encryption>"
    )
    file = book(tmp_path, **{"META-INF__encryption.xml": locks})
    with pytest.raises(UnreadableError, match=r"book\.epub.*password"):
        read_document(file)
