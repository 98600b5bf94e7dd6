"""Who wrote a file, when, and at what address it was published, as far as that is
plausible: anybody, or any program, may have written it there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate
from itertools import islice
from urllib.parse import urlsplit

from index.models import DocumentMetadata

MAX_AUTHORS, MAX_NAME, MAX_ADDRESS = 50, 200, 2000
"""Authors that are kept, and the characters of a name and of an address."""

#: What programs write for an author whom nobody told them, in small letters; some are libraries.
_NOBODY = frozenset(
    "admin,administrator,anonymous,apache poi,author,default,guest,microsoft office user,none,null,"
    "openpyxl,owner,python-docx,root,unknown,user,windows user".split(",")
)
_MAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+")
_MAIL_BEHIND = re.compile(rf"(?<=\S)\s*<{_MAIL.pattern}>$")
#: `2022-03-07T10:00`, `2022/3`, and as PDF has it `D:20220307100000`.
_DATE = re.compile(r"(?:D:)?(\d{4})(?:([-/.]?)(\d\d?)(?:\2(\d\d?))?)?", re.ASCII)
_DATE_LENGTH = 100
_DOI = re.compile(r"\b10\.\d{4,9}/[!-~]{1,300}", re.ASCII)


def metadata_of(
    authors: Iterable[Iterable[str | None]],
    dates: Iterable[str | None] = (),
    addresses: Iterable[str | None] = (),
    dois: Iterable[str | None] = (),
) -> DocumentMetadata:
    """What makes sense of what a file says.

    Args:
        authors: the names in each place that has some, the best place first; one text may hold
            several, divided by semicolons. The first place counts that has one of a person.
        dates, addresses, dois: likewise; the first counts that is one, or has one in it.
    """
    return DocumentMetadata(
        next(filter(None, map(_names, authors)), ()),
        next(filter(None, (_date(told or "") for told in dates)), ""),
        next(filter(None, (_address(told or "") for told in addresses)), ""),
        next(filter(None, (doi_in(told or "") for told in dois)), ""),
    )


def doi_in(told: str) -> str:
    """The first DOI of a text; "" where there is none."""
    found = _DOI.search(told[:MAX_ADDRESS])
    doi = found[0].rstrip(".,;:]}>\"'") if found else ""
    return doi.rstrip(".,;:)") if doi.count(")") > doi.count("(") else doi


def _names(told: Iterable[str | None]) -> tuple[str, ...]:
    """The names of persons; addresses of mail only where there is no name."""
    found: dict[str, None] = {}
    for text in islice(told, MAX_AUTHORS):
        for part in (text or "")[: MAX_AUTHORS * MAX_NAME].split(";"):
            # What stays is seen: no character that turns the line, and no half of a pair.
            words = ("".join(filter(str.isprintable, word)) for word in part.split())
            name = " ".join(filter(None, words))[:MAX_NAME]
            name = _MAIL_BEHIND.sub("", name.strip(" ,"))
            is_name = any(map(str.isalpha, name)) and "://" not in name
            if is_name and name.casefold().strip("()") not in _NOBODY:
                found[name] = None
    named = [name for name in found if not _MAIL.fullmatch(name)]
    return tuple((named or list(found))[:MAX_AUTHORS])


def _date(told: str) -> str:
    """A date as ISO 8601 has it, as far as it is told; "" of none, and of one that cannot be."""
    told = told.strip()[:_DATE_LENGTH]
    if found := _DATE.match(told):
        parts = [part for part in found.group(1, 3, 4) if part]
    else:
        # In words, which the standard library reads together with a time.
        words = parsedate(told) or parsedate(f"{told} 00:00")
        parts = [str(part) for part in words[:3]] if words else []
    try:
        year, month, day = (int(part) for part in (*parts, "1", "1")[:3])
        date(year, month, day)
    except ValueError:  # or there is none
        return ""
    iso = "-".join(part.zfill(2) for part in parts)
    # Somewhere it is tomorrow already.
    latest = datetime.now(UTC) + timedelta(days=1)
    return iso if "1000" <= iso <= latest.date().isoformat() else ""


def _address(told: str) -> str:
    """An address of the web; "" of anything else."""
    told = told.strip()
    if len(told) > MAX_ADDRESS or not told.isprintable() or " " in told:
        return ""
    try:
        parts = urlsplit(told)
    except ValueError:
        return ""
    is_whole = parts.scheme in ("http", "https") and parts.hostname and parts.username is None
    return told if is_whole else ""
