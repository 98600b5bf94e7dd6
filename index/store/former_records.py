"""Takes over what a former version kept: small texts, each a record of a kind, in the folder
`records` of an index or in collections of a Chroma server.

It happens once, when an index is opened: all of it in one transaction, or nothing. The records stay
as they are, as a copy; those of a folder are then in `records-former`. What cannot be read is left
out, and what is of something that is not there any more.
"""

from __future__ import annotations

import json
import math
import re
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from index.database.database import Database
from index.database.tables import reflected, taken_over
from index.errors import UnreadableError
from index.store.chroma_server import Server

FOLDER, COPY = "records", "records-former"

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_SHOWN = 20
"""Records that are named that could not be read."""

#: The text of each record, by its kind, its group ("" where the kind has none) and its name.
Records = Mapping[tuple[str, str, str], str]


def take_over(database: Database, folder: Path, server: Server | None) -> list[str]:
    """Take over what is there, if that was not done before.

    Args:
        database: of the index.
        folder: of the index.
        server: where its records are, if they are on one.

    Returns:
        What people are to be told of it; nothing where there was nothing to do.
    """
    former = folder / FOLDER
    if server is None and not former.is_dir():
        return []
    place = "folder" if server is None else "server"
    done = sa.select(taken_over).where(taken_over.c.place == place)
    with database.read() as connection:
        is_done = connection.execute(done).first() is not None
    notices = []
    if not is_done:
        skipped: list[str] = []
        records = _of_folder(former, skipped) if server is None else _of_server(server)
        rows = _Rows(records, skipped)
        with database.write() as connection:
            # Another process may have been faster.
            if connection.execute(done).first() is None:
                rows.write(connection)
                connection.execute(sa.insert(taken_over).values(place=place, at=time.time()))
                if records or skipped:
                    copy = folder / COPY if server is None else "the collections of the server"
                    notices.append(rows.told(copy))
    # An older version that was used since has made the folder anew: that is not touched.
    if server is None and not (folder / COPY).exists():
        try:
            with suppress(FileNotFoundError):  # another process has done it
                former.rename(folder / COPY)
        except OSError as error:
            raise UnreadableError(
                f"{former} cannot be renamed to {COPY} ({error.strerror or error}). What was kept "
                "there has been taken over: rename it, or move it away."
            ) from error
    return notices


def _of_folder(folder: Path, skipped: list[str]) -> Records:
    found = {}
    for file in sorted(folder.rglob("*")):
        parts = file.relative_to(folder).parts
        if not file.is_file() or not 2 <= len(parts) <= 3 or not _NAME.fullmatch(parts[-1]):
            continue
        try:
            found[parts[0], "/".join(parts[1:-1]), parts[-1]] = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            skipped.append("/".join(parts))
    return found


def _of_server(server: Server) -> Records:
    found = {}
    for collection in sorted(server.names()):
        if match := re.fullmatch(r"records\.(.+)\.all", collection):
            records = server.collection(collection).get(include=["metadatas"])
            for identity, metadata in zip(records["ids"], records["metadatas"] or (), strict=True):
                group, _, last = identity.rpartition(":")
                found[match[1], group, last] = str(metadata["text"])
    return found


class _Rows:
    """The rows that records become.

    Args:
        records: all of them.
        skipped: what could not be read; more is added to it.
    """

    def __init__(self, records: Records, skipped: list[str]) -> None:
        self._records = records
        self._skipped = skipped
        #: By the names of their tables, which the migration 0001 makes.
        self._rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        #: When each was deleted, by kind, group and name.
        self._deleted: dict[tuple[str, str, str], float] = {}
        self._each("trash", self._trash)
        self._each("notebooks", self._notebook)
        self._notebooks = {row["id"] for row in self._rows["notebooks"]}
        self._each("notebook-documents", self._document)
        self._each("conversations", self._conversation)
        self._talks = {(row["space"], row["id"]) for row in self._rows["conversations"]}
        self._each("turns", self._turn)
        self._each("notes", self._note)
        self._each("keys", self._key)
        self._each("owners", lambda _, name, text: self._add("successors", former=name, owner=text))
        self._each(
            "logins", lambda _, name, text: self._add("login_secrets", name=name, secret=text)
        )
        self._each("drafts", self._draft)
        inside = {(row["notebook"], row["document"]) for row in self._rows["notebook_documents"]}
        for (kind, group, name), at in self._deleted.items():
            if kind == "document":
                self._add("deleted_documents", id=name, deleted=at)
            elif kind == "taken" and group in self._notebooks and (group, name) not in inside:
                self._add("notebook_documents", notebook=group, document=name, added=at, taken=at)

    def write(self, connection: sa.Connection) -> None:
        """Insert all of them."""
        for table in reflected(connection):
            if rows := self._rows[table.name]:
                connection.execute(sa.insert(table), rows)

    def told(self, copy: object) -> str:
        """What was taken over, for people."""
        counts = ", ".join(
            f"{len(self._rows[table])} {table.removeprefix('api_')}"
            for table in ("notebooks", "conversations", "notes", "api_keys")
        )
        text = (
            f"What a former version kept is in the database now: {counts}. The former "
            f"records stay in {copy}, as a copy."
        )
        if not self._skipped:
            return text
        named = ", ".join(self._skipped[:_SHOWN])
        more = len(self._skipped) - _SHOWN
        return f"{text} Not readable, and left out: {named}{f' and {more} more' * (more > 0)}."

    def _each(self, kind: str, take: Callable[[str, str, str], None]) -> None:
        """Take every record of a kind: its group, its name and its text."""
        for (record_kind, group, name), text in self._records.items():
            if record_kind != kind:
                continue
            try:
                if not text.strip():
                    raise ValueError("it is empty")
                take(group, name, text)
            except (ValueError, TypeError, KeyError, AttributeError):  # it is told of, by name
                self._skipped.append("/".join(filter(None, (kind, group, name))))

    def _add(self, table: str, **row: Any) -> None:
        self._rows[table].append(row)

    def _trash(self, _: str, __: str, text: str) -> None:
        record = json.loads(text)
        what = record["what"]
        self._deleted[what["kind"], what["group"], what["name"]] = _number(record["at"])

    def _notebook(self, _: str, name: str, text: str) -> None:
        record = json.loads(text)
        row = {key: _text(record[key]) for key in ("name", "owner", "login")}
        deleted = self._deleted.get(("notebook", "", name))
        shares = [
            {"notebook": name, "login": _text(to), "owner": _owner_of(to), "may": _text(may)}
            for to, may in record.get("shared", {}).items()
        ]
        self._add("notebooks", id=name, **row, created=_number(record["created"]), deleted=deleted)
        self._rows["notebook_shares"] += shares

    def _document(self, group: str, name: str, text: str) -> None:
        if group in self._notebooks:
            self._add(
                "notebook_documents", notebook=group, document=name, added=_number(text), taken=None
            )

    def _conversation(self, group: str, name: str, text: str) -> None:
        record = json.loads(text)
        notebook = record.get("notebook")
        if notebook is None or notebook in self._notebooks:
            self._add(
                "conversations",
                space=group,
                id=name,
                notebook=notebook,
                title=_text(record.get("title", "")),
                named=bool(record.get("named")),
                by=_text(record.get("by", "")),
                updated=_number(record.get("updated", 0)),
                deleted=self._deleted.get(("conversation", group, name)),
            )

    def _turn(self, group: str, name: str, text: str) -> None:
        space, _, conversation = group.partition("-")
        if (space, conversation) not in self._talks:
            return
        record = json.loads(text)
        _text(record["question"])
        # Who asked in a notebook was not kept.
        key = {"space": space, "conversation": conversation, "id": name}
        owner = "" if space in self._notebooks else space
        asked = _number(record.get("asked", 0))
        self._add("turns", **key, owner=owner, asked=asked, **self._kept(record))

    def _note(self, group: str, name: str, text: str) -> None:
        record = json.loads(text)
        note = record["note"]
        is_notebooks = group in self._notebooks
        if len(group) == _NOTEBOOK_ID and not is_notebooks:
            return
        self._add(
            "notes",
            space=group,
            id=name,
            notebook=group if is_notebooks else None,
            by=_text(record.get("by", "")),
            created=_number(note["created"]),
            deleted=self._deleted.get(("note", group, name)),
            **self._kept(note),
        )

    def _kept(self, kept: dict[str, Any]) -> dict[str, Any]:
        """The columns that a turn and a note both have; its answer becomes one with an id."""
        answer = kept.pop("answer", None)
        body, identity, size = _json(kept), None, 0
        if answer is not None:
            identity, text = secrets.token_hex(16), _json(answer)
            size = len(text.encode())
            self._add("answers", id=identity, body=text, created=time.time())
        return {"body": body, "answer": identity, "size": size + len(body.encode())}

    def _key(self, _: str, name: str, text: str) -> None:
        record = json.loads(text)
        row = {key: _text(record[key]) for key in ("name", "created")}
        for date in filter(None, (row["created"], record["expires"])):
            datetime.fromisoformat(date)
        if any(row["name"] == other["name"] for other in self._rows["api_keys"]):
            raise ValueError("there is one of this name")
        scopes = [_text(scope) for scope in record["scopes"]]
        self._add("api_keys", digest=name, **row, expires=record["expires"], scopes=scopes)

    def _draft(self, _: str, name: str, text: str) -> None:
        added = datetime.fromisoformat(json.loads(text)["added"]).timestamp()
        self._add("feedback", id=name, added=added, vote=text)


_NOTEBOOK_ID = 16
"""Digits of the id of a notebook; an owner has 24."""


def _owner_of(login: str) -> str:
    """The owner that a login is; see `assistant.access.callers`."""
    return sha256(f"\0login\0{login}".encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(value: Any) -> float:
    found = float(value)
    if not math.isfinite(found):
        raise ValueError
    return found


def _json(value: Any) -> str:
    if not isinstance(value, dict):
        raise TypeError
    return json.dumps(value, ensure_ascii=False)
