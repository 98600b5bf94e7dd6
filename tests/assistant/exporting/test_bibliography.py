"""References are read by what people read them with, and say what the works say."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
import rispy
from citeproc import (
    Citation,
    CitationItem,
    CitationStylesBibliography,
    CitationStylesStyle,
    formatter,
)
from citeproc.source.json import CiteProcJSON
from exports import HARBOUR, HEBREW, MARCH, REPORT, TEXTS
from hypothesis import example, given
from hypothesis import strategies as st
from pybtex.database import BibliographyData, Person, parse_string

from assistant.exporting.bibliography import (
    Reference,
    as_bibtex,
    as_csl_json,
    as_ris,
    references_of,
)
from assistant.exporting.values import Footnote, Place, Work
from assistant.exporting.wording import GERMAN, one_line
from index.models import Imprint

CITATION = Reference(REPORT, MARCH)
NOTE = "Dredging, p. 14, paragraph 7: “Berth four was <dredged>.”"

# What LaTeX's own commands draw.
COMMANDS = {
    "textbackslash": "\\",
    "textbraceleft": "{",
    "textbraceright": "}",
    "textasciitilde": "~",
    "textasciicircum": "^",
    "textless": "<",
    "textgreater": ">",
    "textbar": "|",
}


def typeset(tex: str) -> str:
    """What TeX draws; raises where that is not what its signs say."""
    signs = r"\{\\([a-z]+|[&%$#_])\}|\{(\"?)\}|[{}~^\\$%&#_<>|\"]|--|''|``|,,|[?!]`"
    return re.sub(signs, _drawn, tex)


def _drawn(match: re.Match[str]) -> str:
    command, quote = match.groups()
    if command:
        return COMMANDS[command] if command.isalpha() else command
    assert quote is not None, f"{match[0]} means something to TeX in {match.string!r}"
    return quote


def parsed(bibtex: str) -> BibliographyData:
    data = parse_string(bibtex, "bibtex")
    assert not re.search(r"(?m)^\s*@(?!misc\{[a-z0-9]+-[0-9a-f]{8},$)", bibtex)
    return data


def test_bibtex() -> None:
    assert as_bibtex([CITATION]) == (
        r"""@misc{muller2021-7e51dd33,
  author = {Müller, Karl and {Ministry of Ships and Sea}},
  title = {{The {\textbraceleft}harbour {\textbackslash} report: 50{\%} {\&} more}},
  year = {2021},
  month = mar,
  day = {4},
  pages = {14},
  howpublished = {report.pdf},
  url = {https://example.org/a_b?x=%7B1%7D},
  urldate = {2026-11-29},
  note = {Dredging, p. 14, paragraph 7: “Berth four was {\textless}dredged{\textgreater}.”},
}
"""
    )


def test_ris() -> None:
    assert as_ris([CITATION]).split("\r\n") == [
        "TY  - ELEC",
        "ID  - muller2021-7e51dd33",
        "AU  - Müller, Karl",
        "AU  - Ministry of Ships and Sea",
        "TI  - The {harbour \\ report: 50% & more",
        "PY  - 2021",
        "DA  - 2021/03/04",
        "SP  - 14",
        "UR  - https://example.org/a_b?x=%7B1%7D",
        "Y2  - 2026/11/29",
        f"N1  - report.pdf, {NOTE}",
        "LA  - en",
        "ER  - ",
        "",
    ]


def test_csl_json() -> None:
    assert json.loads(as_csl_json([CITATION, Reference(HEBREW)])) == [
        {
            "id": "muller2021-7e51dd33",
            "type": "webpage",
            "title": REPORT.title,
            "author": [
                {"family": "Müller", "given": "Karl"},
                {"literal": "Ministry of Ships and Sea"},
            ],
            "issued": {"date-parts": [[2021, 3, 4]]},
            "page": "14",
            "URL": "https://example.org/a_b?x=%7B1%7D",
            "accessed": {"date-parts": [[2026, 11, 29]]},
            "note": f"report.pdf, {NOTE}",
            "language": "en",
        },
        {
            "id": "work2020-ef1e3d6d",
            "type": "document",
            "title": HEBREW.title,
            "author": [{"family": "כהן", "given": "דוד"}],
            "issued": {"date-parts": [[2020]]},
            "language": "he",
        },
    ]


def test_citeproc_renders_what_is_exported() -> None:
    items = json.loads(as_csl_json(references_of(HARBOUR)))
    style = CitationStylesStyle("harvard-cite-them-right", validate=False)
    entries = CitationStylesBibliography(style, CiteProcJSON(items), formatter.plain)
    for item in items:
        entries.register(Citation([CitationItem(item["id"])]))
    report, hebrew = map(str, entries.bibliography())
    assert "Müller, K. and Ministry of Ships and Sea" in report
    assert "(2021) The {harbour \\ report: 50% & more." in report
    assert "https://example.org/a_b?x=%7B1%7D" in report
    assert "November 29, 2026" in report
    assert hebrew.startswith("כהן, ") and hebrew.endswith(" (2020) “דוח הנמל”.")


def test_a_file_is_named_and_told_of_where_it_changed() -> None:
    notes = Work("w", "Notes on berths", name="notes.txt")
    references = [Reference(notes, lapsed=True)]
    (entry,) = parsed(as_bibtex(references, GERMAN)).entries.values()
    assert entry.fields["howpublished"] == "notes.txt"
    assert entry.fields["annote"] == GERMAN.lapsed_work
    (read,) = rispy.loads(as_ris(references, GERMAN))
    assert read["notes"] == ["notes.txt", GERMAN.lapsed_work]
    items = json.loads(as_csl_json(references, GERMAN))
    assert (items[0]["note"], items[0]["annote"]) == ("notes.txt", GERMAN.lapsed_work)
    CiteProcJSON(items)
    assert [own.lapsed for own in references_of(HARBOUR)] == [False, True]
    assert "howpublished" not in as_bibtex([Reference(Work("w", "", name="notes.txt"))])


def test_places_are_told_in_german() -> None:
    (item,) = json.loads(as_csl_json([CITATION], GERMAN))
    quote = "Dredging, S. 14, Absatz 7: „Berth four was <dredged>.“"
    assert (item["note"], item["page"]) == (f"report.pdf, {quote}", "14")


@given(title=TEXTS, name=TEXTS, place=TEXTS, quote=TEXTS, page=TEXTS)
@example("}{", "{", "\\", "\\}", "}")
@example("\\Title", "T", "% no comment", "--- '' ``?` !` ,,", "14")
def test_whatever_texts_say_is_read_back(
    title: str, name: str, place: str, quote: str, page: str
) -> None:
    title = title if one_line(title) else "Title"
    address = f"https://example.org/{name}"
    work = Work("w", title, (name,), "2021-03", address, name=name, language="en")
    file = "" if one_line(name) == one_line(title) else one_line(name)
    footnote = Footnote(1, "w", Place((place,), f"p. {page}", 7), quote)
    references = [Reference(work), Reference(work, footnote)]
    parts = [one_line(place), one_line(f"p. {page}"), "paragraph 7"]
    note = f"{', '.join(filter(None, parts))}: “{one_line(quote)}”"

    entries = list(parsed(as_bibtex(references)).entries.values())
    assert len(entries) == 2
    for entry in entries:
        title_field = entry.fields["title"]
        assert title_field[0] == "{" and title_field[-1] == "}"
        assert typeset(title_field[1:-1]) == one_line(title)
        assert (entry.fields["year"], entry.fields["month"]) == ("2021", "March")
        assert re.fullmatch(r"https://example\.org/[!-~]*", entry.fields["url"])
    assert typeset(entries[1].fields["note"]) == note
    assert typeset(entries[1].fields.get("pages", "")) == one_line(footnote.place.page)
    assert [typeset(own.fields.get("howpublished", "")) for own in entries] == [file] * 2

    for read in rispy.loads(as_ris(references)):
        assert read["title"] == one_line(title)
        assert read["date"] == "2021/03"
        assert read["language"] == "en"
    assert read["notes"] == [", ".join(filter(None, [file, note]))]

    items = json.loads(as_csl_json(references).encode())
    assert [item["title"] for item in items] == [one_line(title)] * 2
    assert items[1]["note"] == read["notes"][0]
    CiteProcJSON(items)


@given(st.lists(st.one_of(TEXTS, st.tuples(TEXTS, TEXTS).map(", ".join)), max_size=4))
@example(["and, Others", "others", "van der Berg, Jan", "A and B, C", "=x, y", "{, }", "a~b, 0--"])
def test_authors_are_read_back(authors: list[str]) -> None:
    reference = Reference(Work("w", "Title", tuple(authors)))
    (entry,) = parsed(as_bibtex([reference])).entries.values()
    (item,) = json.loads(as_csl_json([reference]))
    expected = [
        (name.get("family", name.get("literal")), name.get("given", ""))
        for name in item.get("author", [])
    ]
    assert [_names(person) for person in entry.persons.get("author", [])] == expected
    (read,) = rispy.loads(as_ris([reference]))
    assert read.get("authors", []) == [", ".join(filter(None, name)) for name in expected]


def _names(person: Person) -> tuple[str, str]:
    family = " ".join([*person.prelast_names, *person.last_names])
    given = " ".join([*person.first_names, *person.middle_names])
    assert not person.lineage_names
    return _unbraced(family), _unbraced(given)


def _unbraced(name: str) -> str:
    braced = re.fullmatch(r"\{(.*)\}", name)
    return typeset(braced[1] if braced else name)


@pytest.mark.parametrize(
    ("author", "name"),
    [
        ("Müller, Karl", {"family": "Müller", "given": "Karl"}),
        ("van der Berg, Jan", {"family": "van der Berg", "given": "Jan"}),
        ("Karl Müller", {"literal": "Karl Müller"}),
        ("Ministry of Ships", {"literal": "Ministry of Ships"}),
        ("Acme, Inc.", {"literal": "Acme, Inc."}),
        ("Harbour Works, S.A.", {"literal": "Harbour Works, S.A."}),
        ("Mary Major, PhD", {"literal": "Mary Major, PhD"}),
        ("Ships, Sea, and Sons", {"literal": "Ships, Sea, and Sons"}),
        ("Müller,", {"literal": "Müller,"}),
    ],
)
def test_only_people_are_turned_around(author: str, name: dict[str, str]) -> None:
    (item,) = json.loads(as_csl_json([Reference(Work("w", "Title", (author,)))]))
    assert item["author"] == [name]


def test_keys_are_their_own_and_stay() -> None:
    other = Footnote(9, REPORT.document_id, MARCH.place, "Another quote.")
    again = Footnote(7, REPORT.document_id, MARCH.place, MARCH.quote)
    references = [Reference(REPORT), CITATION, Reference(REPORT, other), Reference(HEBREW)]
    keys = list(parsed(as_bibtex(references)).entries)
    assert len(set(keys)) == 4
    assert keys == [next(iter(parsed(as_bibtex([own])).entries)) for own in references]
    twice = as_bibtex([*references, Reference(REPORT, again)])
    assert list(parsed(twice).entries) == keys
    assert list(parsed(as_bibtex(references, GERMAN)).entries) == keys


@pytest.mark.parametrize(
    ("work", "word"),
    [
        (REPORT, "muller2021-"),
        (Work("w", "Title", ("van der Berg, Jan",)), "berg-"),
        (Work("w", "The rules of O'Neill"), "oneill-"),
        (Work("w", "目录"), "work-"),
    ],
)
def test_keys_begin_with_a_word_that_people_know(work: Work, word: str) -> None:
    (item,) = json.loads(as_csl_json([Reference(work)]))
    assert item["id"].startswith(word)


@pytest.mark.parametrize(
    ("page", "start", "end"), [("xii", "xii", None), ("14–15", "14", "15"), ("", None, None)]
)
def test_pages_in_ris(page: str, start: str | None, end: str | None) -> None:
    place = Place(locator=page and f"p. {page}")
    footnote = Footnote(1, REPORT.document_id, place, "Quote.")
    (read,) = rispy.loads(as_ris([Reference(REPORT, footnote)]))
    assert (read.get("start_page"), read.get("end_page")) == (start, end)


@pytest.mark.parametrize("write", [as_bibtex, as_ris])
def test_no_references_are_no_text(write: Any) -> None:
    assert write([]) == ""
    assert json.loads(as_csl_json([])) == []


ZOTERO = Work(
    "2468ace02468ace0",
    "The North Sea & its harbours",
    ("Solheim, Ann A.", "Harbour Board"),
    "2021-03",
    "https://example.org/a_b",
    "2022-01-02",
    name="Solheim_2021.pdf",
    language="en",
    imprint=Imprint(
        doi="10.1000/xyz_1(2)",
        key="solheimNorthSea2021",
        kind="article-journal",
        editors=("Rossi, Bo",),
        container="Journal of Ports & Piers",
        publisher="Quay",
        place="Bonn",
        volume="12",
        issue="3",
        page_range="100-120",
        isbn="978-3",
    ),
)
PLACES = [
    Reference(ZOTERO, Footnote(1, ZOTERO.document_id, Place(("Dredging",), "p. 104", 7), "One.")),
    Reference(ZOTERO, Footnote(2, ZOTERO.document_id, Place((), "p. 110", 9), "Two.")),
]
BOTH = "Dredging, p. 104, paragraph 7: “One.”; p. 110, paragraph 9: “Two.”"


def test_what_a_bibliography_knows_is_told_as_that_does() -> None:
    entries = parse_string(as_bibtex(PLACES), "bibtex").entries
    assert list(entries) == ["solheimNorthSea2021"]  # by the key that it is cited by, once
    [entry] = entries.values()
    assert entry.type == "article"
    assert [str(person) for person in entry.persons["author"]] == [
        "Solheim, Ann A.",
        "{Harbour Board}",
    ]
    raw = ("doi", "url", "pages")
    assert typeset(entry.fields.pop("title")[1:-1]) == ZOTERO.title
    assert {k: v if k in raw else typeset(v) for k, v in entry.fields.items()} == {
        "journal": "Journal of Ports & Piers",
        "publisher": "Quay",
        "address": "Bonn",
        "year": "2021",
        "month": "March",
        "volume": "12",
        "number": "3",
        "pages": "100--120",
        "isbn": "978-3",
        "doi": "10.1000/xyz_1(2)",
        "url": "https://example.org/a_b",
        "urldate": "2022-01-02",
        "note": BOTH,
    }
    [ris] = rispy.loads(as_ris(PLACES))
    assert {
        name: ris[name] for name in ("type_of_reference", "id", "secondary_title", "volume", "doi")
    } == {
        "type_of_reference": "JOUR",
        "id": "solheimNorthSea2021",
        "secondary_title": "Journal of Ports & Piers",
        "volume": "12",
        "doi": "10.1000/xyz_1(2)",
    }
    assert (ris["start_page"], ris["end_page"]) == ("100", "120")
    assert json.loads(as_csl_json(PLACES)) == [
        {
            "id": "solheimNorthSea2021",
            "type": "article-journal",
            "citation-key": "solheimNorthSea2021",
            "title": ZOTERO.title,
            "author": [{"family": "Solheim", "given": "Ann A."}, {"literal": "Harbour Board"}],
            "editor": [{"family": "Rossi", "given": "Bo"}],
            "container-title": "Journal of Ports & Piers",
            "publisher": "Quay",
            "publisher-place": "Bonn",
            "volume": "12",
            "issue": "3",
            "ISBN": "978-3",
            "DOI": "10.1000/xyz_1(2)",
            "issued": {"date-parts": [[2021, 3]]},
            "page": "100-120",
            "URL": "https://example.org/a_b",
            "accessed": {"date-parts": [[2022, 1, 2]]},
            "note": BOTH,
            "language": "en",
        }
    ]


@pytest.mark.parametrize(
    ("kind", "entry", "container", "publisher"),
    [
        ("chapter", "incollection", "booktitle", "publisher"),
        ("paper-conference", "inproceedings", "booktitle", "publisher"),
        ("thesis", "phdthesis", None, "school"),
        ("report", "techreport", None, "institution"),
        ("speech", "misc", "booktitle", "publisher"),
    ],
)
def test_kinds_of_works_in_bibtex(
    kind: str, entry: str, container: str | None, publisher: str
) -> None:
    imprint = replace(ZOTERO.imprint, kind=kind)
    work = replace(ZOTERO, imprint=imprint, address="https://doi.org/10.1000/xyz_1(2)")
    [own] = parse_string(as_bibtex([Reference(work)]), "bibtex").entries.values()
    assert (own.type, own.fields[publisher]) == (entry, "Quay")
    assert container is None or typeset(own.fields[container]) == "Journal of Ports & Piers"
    assert "url" not in own.fields  # it says no more than the DOI


@given(TEXTS, TEXTS)
@example("a{b}\\c", "}")
def test_whatever_a_bibliography_says_can_be_read(key: str, text: str) -> None:
    imprint = Imprint(
        doi=f"10.1000/{''.join(c for c in text if '!' <= c <= '~')}",
        key=key,
        kind="chapter",
        editors=(text,),
        container=text,
        publisher=text,
        volume=text,
        page_range=text,
    )
    work = Work("w", "Title", imprint=imprint)
    [entry] = parse_string(as_bibtex([Reference(work)]), "bibtex").entries.values()
    assert typeset(entry.fields.get("publisher", "")) == " ".join(one_line(text).split())
    assert json.loads(as_csl_json([Reference(work)]))[0].get("publisher", "") == one_line(text)
    as_ris([Reference(work)])


def test_a_note_is_cited_by_its_address_at_its_heading() -> None:
    link = "obsidian://open?vault=My%20vault&file=Trips%2FBrenna"
    note = Work("n", "Brenna", address=link)
    place = Footnote(1, "n", Place(("Brenna", "By ferry: #1"), "", 2), "It leaves at nine.")
    [item] = json.loads(as_csl_json([Reference(note, place)]))
    assert (item["URL"], item["type"]) == (f"{link}%23By%20ferry%201", "document")
    assert f"url = {{{link}}}" in as_bibtex([Reference(note)])
