"""The exports of reference managers: CSL-JSON, Better BibTeX's JSON and BibTeX, each into entries.

Their content is untrusted: of each entry only plausible values are taken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from index.bibliography.names import CSL, FIELDS
from index.chunking.metadata import MAX_AUTHORS, doi_in, metadata_of
from index.errors import UnreadableError
from index.models import BibliographyEntry, strip_marks

SUFFIXES = (".bib", ".json")

_MAX = 1000
"""Characters that are kept of a field."""

_IS_BIBTEX = re.compile(rb"^[ \t]*@[A-Za-z]+[ \t]*[{(]", re.MULTILINE)
_IS_CSL = re.compile(
    rb'"(?:citation-key|container-title)"\s*:|"type"\s*:\s*"(?:article|book|chapter|dataset|document'
    rb"|entry|legal_case|legislation|manuscript|motion_picture|paper-conference|patent|personal_"
    rb'|post|report|review|software|speech|standard|thesis|webpage)[a-z_-]*"'
)
_IS_ITEMS = re.compile(rb'"(?:citationKey|citekey|itemType)"\s*:|BetterBibTeX')

_ANY_KIND = "document"
_LATEX = re.compile(r"[\\{}~$]|--|``|''")
#: What is left of commands that only say how a text looks.
_COMMAND = re.compile(r"\\[A-Za-z]+\*? ?")
_YEAR = re.compile(r"(?<!\d)1\d{3}(?!\d)|(?<!\d)20\d{2}(?!\d)")
#: Between the files of BibTeX's field, between what is told of one, and what a backslash guards.
_FILES, _PARTS, _GUARDED = (re.compile(p) for p in (r"(?<!\\);", r"(?<!\\):", r"\\([\\:;{}_&%#$])"))


@dataclass(frozen=True, slots=True)
class Exported:
    """An entry of an export.

    Attributes:
        entry: what it says.
        files: the paths of its documents as they are written there, absolute or from the export.
    """

    entry: BibliographyEntry
    files: tuple[str, ...]


def is_export(name: str, begins: bytes) -> bool:
    """Whether a file is an export, by its name and its first bytes."""
    if name.lower().endswith(".bib"):
        return bool(_IS_BIBTEX.search(begins))
    text = begins.removeprefix(b"\xef\xbb\xbf").lstrip()
    is_list, is_object = text.startswith(b"["), text.startswith(b"{")
    return bool((is_list and _IS_CSL.search(text)) or (is_object and _IS_ITEMS.search(text)))


def read_export(content: bytes, name: str) -> tuple[Exported, ...]:
    """The entries of an export.

    Raises:
        UnreadableError: it is damaged.
    """
    try:
        text = content.decode("utf-8-sig")
        if name.lower().endswith(".bib"):
            return tuple(_bibtex(text))
        told = json.loads(text)
        items = told.get("items", []) if isinstance(told, dict) else told
        return tuple(_item(item) for item in items if isinstance(item, dict))
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        where = f": {str(error).splitlines()[0][:200]}" if str(error) else ""
        raise UnreadableError(
            f"The bibliography {name!r} cannot be understood{where}. Documents are read without "
            "it; export it anew for their titles and authors.",
            code="bibliography",
            name=name,
        ) from error


def _item(item: Mapping[str, Any]) -> Exported:
    def of(*names: str) -> str:
        return next(filter(None, (_text(item.get(name)) for name in names)), "")

    is_csl = "type" in item and "itemType" not in item
    entry = _of_csl(item, of) if is_csl else _of_zotero(item, of)
    files = [_file["path"] for _file in _dicts(item.get("attachments")) if _text(_file.get("path"))]
    return Exported(entry, (*files, *_files(of("file"))))


# --- CSL-JSON -------------------------------------------------------------------------------------


def _of_csl(item: Mapping[str, Any], of: Callable[..., str]) -> BibliographyEntry:
    identity = of("id")
    return _entry(
        of("title"),
        key=of("citation-key") or ("" if "/" in identity else identity),
        kind=of("type"),
        authors=_csl_names(item.get("author")),
        editors=_csl_names(item.get("editor")),
        date=_csl_date(item.get("issued")),
        address=of("URL"),
        doi=of("DOI"),
        accessed=_csl_date(item.get("accessed")),
        **{field: of(*names[0].split()) for field, names in FIELDS.items()},
    )


def _csl_names(told: Any) -> list[str]:
    names = []
    for name in _dicts(told):
        parts = {part: _text(value) for part, value in name.items()}
        family = map(parts.get, ("non-dropping-particle", "family", "suffix"))
        given = map(parts.get, ("given", "dropping-particle"))
        joined = (" ".join(filter(None, texts)) for texts in (family, given))
        names.append(parts.get("literal") or _name(*joined))
    return names


def _csl_date(told: Any) -> str:
    if not isinstance(told, dict):
        return ""
    for parts in told.get("date-parts") or []:
        return "-".join(_text(part).zfill(2) for part in parts if part)
    return _text(told.get("raw") or told.get("literal"))


# --- Better BibTeX's JSON -------------------------------------------------------------------------


def _of_zotero(item: Mapping[str, Any], of: Callable[..., str]) -> BibliographyEntry:
    def people(*roles: str) -> list[str]:
        return [
            _text(one.get("name")) or _name(_text(one.get("lastName")), _text(one.get("firstName")))
            for one in _dicts(item.get("creators"))
            if one.get("creatorType") in roles
        ]

    return _entry(
        of("title", "caseName", "nameOfAct", "subject"),
        key=of("citationKey", "citekey"),
        kind=CSL.get(of("itemType"), _ANY_KIND),
        authors=people("author", "presenter", "inventor", "director", "programmer", "artist"),
        editors=people("editor"),
        date=of("date", "dateDecided", "issueDate"),
        address=of("url"),
        doi=of("DOI"),
        accessed=of("accessDate")[: len("YYYY-MM-DD")],
        **{field: of(*names[1].split()) for field, names in FIELDS.items()},
    )


# --- BibTeX ---------------------------------------------------------------------------------------


def _bibtex(text: str) -> Iterator[Exported]:
    from pybtex.bibtex.utils import split_name_list
    from pybtex.database import Person
    from pybtex.database.input.bibtex import LowLevelParser, UndefinedMacro, month_names
    from pybtex.exceptions import PybtexError
    from pybtex.richtext import Text
    from pybtex.utils import CaseInsensitiveDict

    def shown(latex: str) -> str:
        if not _LATEX.search(latex):
            return latex
        return _COMMAND.sub("", str(Text.from_latex(latex)))

    def people(latex: str) -> list[str]:
        names = []
        for name in split_name_list(latex)[:MAX_AUTHORS]:
            if name.startswith("{") and name.endswith("}"):  # an organisation
                names.append(shown(name))
                continue
            person = Person(name)
            family = [*person.prelast_names, *person.last_names, *person.lineage_names]
            given = [*person.first_names, *person.middle_names]
            names.append(_name(shown(" ".join(family)), shown(" ".join(given))))
        return names

    def go_on(error: PybtexError) -> None:
        if not isinstance(error, UndefinedMacro):  # of which nothing is known
            raise error

    macros = CaseInsensitiveDict(month_names)
    try:
        for kind, body in LowLevelParser(text, macros=macros, handle_error=go_on):
            if kind.lower() in ("string", "preamble"):
                continue
            key, parts = body
            fields = {name.lower(): "".join(value).strip() for name, value in parts}
            files = _files(fields.pop("file", ""))

            def of(*names: str, fields: Mapping[str, str] = fields) -> str:
                return shown(next(filter(None, map(fields.get, names)), ""))

            texts = {field: of(*names[2].split()) for field, names in FIELDS.items()}
            texts["page_range"] = re.sub("-{2,}|–", "-", texts["page_range"])
            entry = _entry(
                of("title"),
                key=key or "",
                kind=CSL.get(kind.lower(), _ANY_KIND),
                authors=people(fields.get("author", "")),
                editors=people(fields.get("editor", "")),
                date=of("date") or _bibtex_date(of("year"), of("month"), of("day")),
                address=fields.get("url", "").replace("\\", ""),
                doi=fields.get("doi", "").replace("\\", ""),
                accessed=of("urldate"),
                **texts,
            )
            yield Exported(entry, tuple(files))
    except PybtexError as error:
        raise ValueError(str(error)) from error


def _bibtex_date(year: str, month: str, day: str) -> str:
    months = "jan feb mar apr may jun jul aug sep oct nov dec".split()
    named = month[:3].lower()
    number = months.index(named) + 1 if named in months else int(month) if month.isdigit() else 0
    return "-".join(filter(None, [year, f"{number:02}" if number else "", (number and day) or ""]))


def _files(field: str) -> list[str]:
    """The paths of BibTeX's field for files: `Title:path:type` or a path, with `;` between; a
    backslash stands before what would end one."""
    found = []
    for told in filter(str.strip, _FILES.split(field)):
        parts = [_GUARDED.sub(r"\1", part) for part in _PARTS.split(told.strip())]
        if len(parts) == 2 and len(parts[0]) == 1:  # C:\Users
            parts = [":".join(parts)]
        found.append(":".join(parts[1:-1]) if len(parts) > 2 else parts[-1])
    return found


# --- what all have in common ----------------------------------------------------------------------


def _entry(
    title: str, authors: Iterable[str], editors: Iterable[str], **told: str
) -> BibliographyEntry:
    """What makes sense of these; where no address is told it is that of the DOI.

    Args:
        title, authors, editors: of the work.
        told: `date`, `accessed`, `address`, `doi` and other texts of `DocumentMetadata`.
    """
    date, accessed, address, doi = map(told.pop, ("date", "accessed", "address", "doi"))
    year = _YEAR.search(date)
    doi = doi_in(doi)
    made = metadata_of(
        [authors], [date, year and year[0]], [address, doi and f"https://doi.org/{doi}"]
    )
    of_others = metadata_of([editors], [accessed])
    texts: dict[str, Any] = {name: _plain(value) for name, value in told.items()}
    metadata = replace(made, doi=doi, editors=of_others.authors, accessed=of_others.date, **texts)
    return BibliographyEntry(_plain(title), metadata)


def _plain(text: str) -> str:
    """A text on one line, without marks and what is not seen."""
    text = strip_marks(text[: 4 * _MAX])
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_MAX]


def _name(family: str, given: str) -> str:
    return f"{family}, {given}" if family and given else family or given


def _text(told: Any) -> str:
    return str(told).strip() if isinstance(told, str | int) else ""


def _dicts(told: Any) -> list[Mapping[str, Any]]:
    return [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
