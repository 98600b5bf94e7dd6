"""References are read by what people read them with, and say what the works say."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from citeproc import (
    Citation,
    CitationItem,
    CitationStylesBibliography,
    CitationStylesStyle,
    formatter,
)
from citeproc.source.json import CiteProcJSON
from exports import HARBOUR, HEBREW, MARCH, REPORT, TEXTS, cited
from hypothesis import example, given
from hypothesis import strategies as st
from pybtex.database import BibliographyData, Person, parse_string

from assistant.exporting.bibliography import (
    Reference,
    as_bibtex,
    as_csl_json,
    references_of,
)
from assistant.exporting.values import Language, Work
from assistant.exporting.wording import GERMAN, WORDINGS, one_line

EXPECTED = Path(__file__).with_name("expected")
CITATION = Reference(REPORT, MARCH)
ARTICLE = Work(
    "2468ace02468ace0",
    "The North Sea & its harbours",
    ("Solheim, Ann A.", "Harbour Board"),
    "2021-03",
    "https://example.org/a_b",
    "2022-01-02",
    name="Solheim_2021.pdf",
    language="en",
    doi="10.1000/xyz_1(2)",
)
BRENNA = Work("n", "Brenna", address="obsidian://open?vault=My%20vault&file=Trips%2FBrenna")
#: Only people are turned around, "Family, Given".
AUTHORS = (
    "Müller, Karl",
    "van der Berg, Jan",
    "Karl Müller",
    "Ministry of Ships",
    "Acme, Inc.",
    "Harbour Works, S.A.",
    "Mary Major, PhD",
    "Ships, Sea, and Sons",
    "Müller,",
)
REFERENCES = [
    *references_of(HARBOUR),  # of which one no longer says what is quoted
    CITATION,
    *(
        Reference(REPORT, cited(REPORT, "Quote.", locator=page))
        for page in ("p. xii", "p. 14–15", "")
    ),
    Reference(Work("w", "Notes on berths", name="notes.txt"), lapsed=True),
    Reference(Work("x", "", name="notes.txt")),
    Reference(ARTICLE),
    # It says no more than the DOI.
    Reference(replace(ARTICLE, document_id="a", address="https://doi.org/10.1000/xyz_1(2)")),
    Reference(BRENNA),
    # A note is cited by its address at its heading.
    Reference(BRENNA, cited(BRENNA, "At nine.", "Brenna", "By ferry: #1", paragraph=2)),
    Reference(Work("a", "Title", AUTHORS)),
    # Keys begin with a word that people know.
    Reference(Work("w", "Title", ("van der Berg, Jan",))),
    Reference(Work("w", "The rules of O'Neill")),
    Reference(Work("w", "目录")),
]

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


@pytest.mark.parametrize("language", WORDINGS)
@pytest.mark.parametrize(
    ("write", "suffix", "nothing"),
    [(as_bibtex, "bib", ""), (as_csl_json, "json", "[]\n")],
)
def test_references_are_written_to_the_letter(
    write: Any, suffix: str, nothing: str, language: Language
) -> None:
    expected = (EXPECTED / f"references.{language}.{suffix}").read_bytes().decode()
    assert write(REFERENCES, WORDINGS[language]) == expected
    assert write([], WORDINGS[language]) == nothing


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
    citation = cited(work, quote, place, locator=f"p. {page}", paragraph=7)
    references = [Reference(work), Reference(work, citation)]
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
    printed = page if page and "\n" not in page else ""
    assert typeset(entries[1].fields.get("pages", "")) == one_line(printed)
    assert [typeset(own.fields.get("howpublished", "")) for own in entries] == [file] * 2

    items = json.loads(as_csl_json(references).encode())
    assert [item["title"] for item in items] == [one_line(title)] * 2
    assert items[1]["note"] == ", ".join(filter(None, [file, note]))
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


def _names(person: Person) -> tuple[str, str]:
    family = " ".join([*person.prelast_names, *person.last_names])
    given = " ".join([*person.first_names, *person.middle_names])
    assert not person.lineage_names
    return _unbraced(family), _unbraced(given)


def _unbraced(name: str) -> str:
    braced = re.fullmatch(r"\{(.*)\}", name)
    return typeset(braced[1] if braced else name)


def test_keys_are_their_own_and_stay() -> None:
    other = MARCH.model_copy(update={"marker": 9, "quote": "Another quote."})
    again = MARCH.model_copy(update={"marker": 7})
    references = [Reference(REPORT), CITATION, Reference(REPORT, other), Reference(HEBREW)]
    keys = list(parsed(as_bibtex(references)).entries)
    assert len(set(keys)) == 4
    assert keys == [next(iter(parsed(as_bibtex([own])).entries)) for own in references]
    twice = as_bibtex([*references, Reference(REPORT, again)])
    assert list(parsed(twice).entries) == keys
    assert list(parsed(as_bibtex(references, GERMAN)).entries) == keys
