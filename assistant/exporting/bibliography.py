"""Works, and single citations of them, as references for a bibliography: BibTeX, CSL-JSON.

An author with one comma is a person, "Family, Given", and is parted there. Every other author is
whole: an organisation, or a person of whom nobody has said which of the names is the family's. What
follows a comma in "Acme, Inc." or "Mary Major, PhD" is no given name, so that these are whole too.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from assistant.exporting.values import Export, Work
from assistant.exporting.wording import (
    ENGLISH,
    Wording,
    address_of,
    headings_of,
    one_line,
    title_of,
)
from assistant.workspace.turns import KeptCitation

#: What is printed on a page as its number: "14", "xii".
_PRINTED = re.compile(r"p\. (.+)")
#: What would end a field, or BibTeX counts.
_UNADDRESSED = re.compile(r"[{}\\]")

_NO_GIVEN_NAMES = frozenset(
    "ag bv co corp esq gmbh inc jr limited llc llp ltd md nv phd plc pty sa sr".split()
)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()

# Signs that mean something to TeX, or that its old fonts do not have.
_TEX = {
    "\\": r"\textbackslash",
    "{": r"\textbraceleft",
    "}": r"\textbraceright",
    "~": r"\textasciitilde",
    "^": r"\textasciicircum",
    "<": r"\textless",
    ">": r"\textgreater",
    "|": r"\textbar",
    '"': '"',
    **{sign: f"\\{sign}" for sign in "&%$#_"},
}
_SIGNS = re.compile(f"[{re.escape(''.join(_TEX))}]")
# Between signs that TeX would draw as one: `--`, `''`, `?` and a backquote.
_JOINED = re.compile(r"(?<=([-'`,]))(?=\1)|(?<=[?!])(?=`)")
_PLAIN_NAME = re.compile(r"(?!.*(?:\band\b|--|''))[^\W_](?:[^\W_]|[ .'\u2019-])*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reference:
    """A work, or one citation of it; `lapsed`: what is quoted from it does not all stand in it any
    more."""

    work: Work
    citation: KeptCitation | None = None
    lapsed: bool = False


def references_of(export: Export) -> list[Reference]:
    """The works that an export cites."""
    lapsed = {footnote.citation.document_id for footnote in export.shown if footnote.lapse}
    return [Reference(work, lapsed=work.document_id in lapsed) for work in export.cited]


def as_bibtex(references: Iterable[Reference], say: Wording = ENGLISH) -> str:
    """References as BibTeX, for BibTeX as well as for biber; the same one twice is there once.

    Every sign that means something to TeX is a command in braces of its own. `\\{` will not do:
    BibTeX counts the brace. Nor will `\\textbraceleft{}`: where a field begins with a brace and a
    backslash, styles change the case of the letters that follow.
    """
    entries = []
    for entry in _entries(references, say):
        year, month, day = entry.date
        fields = {
            "author": " and ".join(_tex_name(*name) for name in entry.names),
            # In two pairs of braces, no style changes its case.
            "title": f"{{{_tex(entry.title)}}}",
            "year": year,
            "month": _MONTHS[int(month) - 1] if month else "",
            "day": day.lstrip("0"),
            "pages": _tex(entry.page),
            "howpublished": _tex(entry.file),
            "doi": _UNADDRESSED.sub(lambda sign: f"%{ord(sign[0]):X}", entry.doi),
            "url": entry.address,
            "urldate": entry.accessed,
            "note": _tex(entry.note),
            "annote": _tex(entry.lapsed),  # which no bibliography prints
        }
        lines = [
            f"  {name} = {value}," if name == "month" else f"  {name} = {{{value}}},"
            for name, value in fields.items()
            if value
        ]
        entries.append("\n".join([f"@misc{{{entry.key},", *lines, "}\n"]))
    return "\n".join(entries)


def as_csl_json(references: Iterable[Reference], say: Wording = ENGLISH) -> str:
    """References as CSL-JSON, for Zotero, Pandoc and all that know citeproc; the same one twice is
    there once."""
    items = []
    for entry in _entries(references, say):
        fields = {
            "title": entry.title,
            "author": _csl_names(entry.names),
            "DOI": entry.doi,
            "issued": _csl_date("-".join(filter(None, entry.date))),
            "page": entry.page,
            "URL": entry.address,
            "accessed": _csl_date(entry.accessed),
            "note": entry.filed_note,
            "annote": entry.lapsed,
            "language": entry.language,
        }
        kind = "webpage" if entry.is_on_web else "document"
        items.append({"id": entry.key, "type": kind, **{k: v for k, v in fields.items() if v}})
    return json.dumps(items, ensure_ascii=False, indent=2) + "\n"


@dataclass(frozen=True, slots=True)
class _Entry:
    """What every format has of a reference, each text on one line, "" where there is none.

    Attributes:
        key: names it: readable, the same in every export, its own for each place and quote.
        names: of the authors, family's and given; of one that is whole it and "".
        date: year, month, day.
        file: its name, where the title is another one.
        lapsed: that what is quoted does not all stand there any more.
    """

    key: str
    names: tuple[tuple[str, str], ...]
    title: str
    date: tuple[str, str, str]
    page: str
    address: str
    accessed: str
    note: str
    language: str
    file: str
    lapsed: str
    doi: str

    @property
    def is_on_web(self) -> bool:
        """Whether its address is one of the web."""
        return self.address.startswith("http")

    @property
    def filed_note(self) -> str:
        """The note with the file, for formats that have no field of their own for that."""
        return ", ".join(filter(None, [self.file, self.note]))


def _entries(references: Iterable[Reference], say: Wording) -> Iterable[_Entry]:
    """By key, so that each is there once."""
    found: dict[str, _Entry] = {}
    for entry in (_entry(reference, say) for reference in references):
        first = found.get(entry.key, entry)
        found[entry.key] = replace(first, lapsed=first.lapsed or entry.lapsed)
    return found.values()


def _entry(reference: Reference, say: Wording) -> _Entry:
    work, citation = reference.work, reference.citation
    file = one_line(work.name)
    names = tuple(_name(author) for author in map(one_line, work.authors) if author)
    title = title_of(work)
    year, month, day = [*work.date.split("-"), "", ""][:3]
    digest = hashlib.sha256(
        # In whichever language it is exported: who cites it goes on to do so.
        f"{one_line(work.document_id)}\0{_note(citation, ENGLISH)}".encode()
    ).hexdigest()
    printed = citation and _PRINTED.fullmatch(citation.locator)
    # Of a place in it, where headings have addresses; none where it says no more than the DOI.
    address = address_of(work, headings_of(citation) if citation else ())
    is_of_doi = work.doi and address.endswith(f"doi.org/{work.doi}")
    return _Entry(
        key=f"{_word(names[0][0] if names else title)}{year}-{digest[:8]}",
        names=names,
        title=title,
        date=(year, month, day),
        page=one_line(printed[1]) if printed else "",
        address="" if is_of_doi else address,
        accessed=work.accessed,
        note=_note(citation, say),
        language=one_line(work.language),
        file="" if file == title else file,
        lapsed=say.lapsed_work if reference.lapsed else "",
        doi=one_line(work.doi),
    )


def _note(citation: KeptCitation | None, say: Wording) -> str:
    if citation is None:
        return ""
    return f"{say.place(citation, between=', ')}: {say.quote(citation.quote)}"


def _name(author: str) -> tuple[str, str]:
    """Family's and given name; of an author that is whole, it and ""."""
    family, _, given = (part.strip() for part in author.partition(","))
    whole = "," in given or given.rstrip(".").lower().replace(".", "") in _NO_GIVEN_NAMES
    return (family, given) if family and given and not whole else (author, "")


def _word(text: str) -> str:
    """The longest word of a text in the letters that keys have; "work" where none has any."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return max(re.findall("[a-z0-9]+", plain.lower().replace("'", "")), key=len, default="work")


def _tex(text: str) -> str:
    return _JOINED.sub("{}", _SIGNS.sub(lambda sign: f"{{{_TEX[sign[0]]}}}", text))


def _csl_names(names: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [
        {"family": family, "given": given} if given else {"literal": family}
        for family, given in names
    ]


def _tex_name(family: str, given: str) -> str:
    """A name as BibTeX parts it: what it would part otherwise is in braces."""
    if not given:
        return f"{{{_tex(family)}}}"
    parts = (p if _PLAIN_NAME.fullmatch(p) else f"{{{_tex(p)}}}" for p in (family, given))
    return ", ".join(parts)


def _csl_date(date: str) -> dict[str, Any]:
    return {"date-parts": [[int(part) for part in date.split("-")]]} if date else {}
