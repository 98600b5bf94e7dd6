"""Notebooks: named sets of documents, with conversations and notes of their own.

One belongs to whoever made it, who may share it with others by their logins, to read or to write.
Who may read it sees its documents, conversations and notes, and asks; who may write adds to them.
Whoever may not read it is not told that there is one.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import sqlalchemy as sa
from pydantic import Field, StringConstraints

from assistant.access.callers import owner_of_login
from assistant.schemas.base import DocumentId, Text, Value
from assistant.workspace.trash import DeletedValue
from index.database.columns import put_row
from index.database.kept_tables import notebook_documents, notebook_shares, notebooks
from index.errors import MissingPathError, QuestionError, RefusedError

if TYPE_CHECKING:
    from index.database.database import Database

#: What somebody may do with a notebook: all of it, as its owner; add to it; or only read and ask.
Role = Literal["own", "write", "read"]
#: What it may be shared to do.
Shared = Literal["write", "read"]

_GONE = "That notebook is not here. It may have been deleted, or not be shared with you any more."

MAX_ITEMS = 1000
"""Notebooks that one owner may have, documents in one, and logins that it is shared with."""

_BATCH = 1000
"""Documents that are named in one statement: a database takes some thousands."""

Name = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$"
    ),
]
Login = Annotated[str, StringConstraints(max_length=200)]
_ID = re.compile("[0-9a-f]{16}")
NotebookId = Annotated[
    str,
    Field(
        pattern=f"^{_ID.pattern}$",
        description="Names a notebook, as the list of notebooks has it.",
        examples=["0123456789abcdef"],
    ),
]


class NotebookValue(Value):
    """A notebook, as one of those who may read it sees it."""

    id: NotebookId
    name: Text
    role: Role = Field(description="What you may: all, as its `own`er; `write`, or only `read`.")
    owner: Text = Field(description="The login of its owner; nothing where nobody logs in.")
    shared: dict[str, Shared] = Field(
        description="By login, what others may do with it; only its owner is told."
    )
    documents: list[DocumentId] = Field(description="Ids of those in it that are there.")
    created: float = Field(description="Seconds since 1970.")


class NotebooksValue(Value):
    """The notebooks that you may read."""

    notebooks: list[NotebookValue] = Field(description="By name.")


@dataclass(frozen=True, slots=True)
class Space:
    """Where conversations and notes are kept: among somebody's own, or in a notebook.

    Attributes:
        owner: who asks.
        notebook: as they may use it; None for what is in none.
    """

    owner: str
    notebook: NotebookValue | None = None

    @property
    def notebook_id(self) -> str | None:
        """The notebook's id."""
        return self.notebook.id if self.notebook else None

    @property
    def is_writable(self) -> bool:
        """Whether they may add to it."""
        return self.notebook is None or self.notebook.role != "read"

    def check_writable(self, instead: str) -> None:
        """Check that they may add to it.

        Args:
            instead: the end of the message: what they can do.

        Raises:
            RefusedError: they may only read the notebook.
        """
        if self.notebook and not self.is_writable:
            raise RefusedError(
                f"The notebook {self.notebook.name} is shared with you to read. {instead}",
                403,
                code="read_only",
                name=self.notebook.name,
            )


class Notebooks:
    """The notebooks of an index. May be used from many threads and processes.

    Args:
        database: where they are kept.
        logins: the names that one may be shared with.

    Raises (any method that names one):
        MissingPathError: there is none of that id, or it is not shared with who asks.
        RefusedError: who asks may not do that with it.
    """

    def __init__(self, database: Database, logins: Collection[str]) -> None:
        self._database = database
        self._logins = frozenset(logins)

    def all(self, owner: str) -> list[NotebookValue]:
        """Those that somebody may read, by name."""
        with self._database.read() as connection:
            found = _values(connection, owner, notebooks.c.deleted.is_(None))
        return sorted(found, key=lambda one: (one.name.casefold(), one.created))

    def find(self, owner: str, identity: str, may: Role = "read") -> NotebookValue:
        """One, for somebody who may at least this with it."""
        with self._database.read() as connection:
            return _value(connection, owner, identity, may)

    def space(self, owner: str, identity: str | None) -> Space:
        """One as somebody may use it, or what they keep in none."""
        return Space(owner, None if identity is None else self.find(owner, identity))

    def spaces(self, owner: str, notebook: str | None, everywhere: bool) -> list[Space]:
        """One; or `everywhere`, all that somebody may read and what they keep in none."""
        if not everywhere:
            return [self.space(owner, notebook)]
        return [Space(owner), *(Space(owner, one) for one in self.all(owner))]

    def named(self, owner: str, name: str) -> NotebookValue:
        """One by its id, or by its name where it is the only one.

        Raises:
            MissingPathError: there is none, or several.
        """
        with suppress(MissingPathError):
            return self.find(owner, name)
        known = self.all(owner)
        found = [one for one in known if one.name.casefold() == name.strip().casefold()]
        if len(found) == 1:
            return found[0]
        if not found and _ID.fullmatch(name):  # whoever gives one had the notebook before
            raise MissingPathError(_GONE, code="notebook_gone")
        there = ", ".join(one.name for one in known) or "none"
        raise MissingPathError(
            f"There are {len(found)} notebooks named {name!r}. Name one by its id: "
            f"{', '.join(one.id for one in found)}."
            if found
            else f"There is no notebook {name!r}. There are: {there}."
        )

    def readable(self, owner: str, documents: Iterable[str]) -> set[str]:
        """Those of some documents that are in a notebook that somebody may read."""
        wanted, found = list(documents), set[str]()
        inside = (
            sa.select(notebook_documents.c.document)
            .join(notebooks)
            .where(notebook_documents.c.taken.is_(None), notebooks.c.deleted.is_(None))
            .where(_seen_by(owner))
        )
        with self._database.read() as connection:
            for first in range(0, len(wanted), _BATCH):
                some = notebook_documents.c.document.in_(wanted[first : first + _BATCH])
                found.update(connection.scalars(inside.where(some)))
        return found

    def create(self, owner: str, login: str, name: str) -> NotebookValue:
        """Make one.

        Args:
            owner: whose it is.
            login: the name by which others know them; "" where nobody logs in.
            name: of the notebook.
        """
        count = sa.select(sa.func.count()).select_from(notebooks).where(notebooks.c.owner == owner)
        identity = secrets.token_hex(8)
        with self._database.write() as connection:
            if connection.scalars(count).one() >= MAX_ITEMS:
                raise QuestionError(
                    f"There are {MAX_ITEMS} notebooks of yours already. Delete one first.",
                    code="notebooks_full",
                    count=MAX_ITEMS,
                )
            values = {"name": name, "owner": owner, "login": login, "created": time.time()}
            put_row(connection, notebooks, {"id": identity}, values)
            return _value(connection, owner, identity, "own")

    def change(
        self,
        owner: str,
        identity: str,
        name: str | None = None,
        shared: Mapping[str, Shared] | None = None,
    ) -> NotebookValue:
        """Give one another name, or share it otherwise; its owner alone may.

        Args:
            owner, identity: whose, and which.
            name: by which it is known from now on.
            shared: by login what others may; whatever the case of a login, if only one is meant.

        Raises:
            QuestionError: it cannot be shared with one of these.
        """
        with self._database.write() as connection:
            before = _value(connection, owner, identity, "own")
            if shared is not None:
                self._share(connection, before, shared)
            if name:
                _update(connection, identity, name=name)
            return _value(connection, owner, identity, "own")

    def _share(
        self, connection: sa.Connection, notebook: NotebookValue, shared: Mapping[str, Shared]
    ) -> None:
        shared = {self._login(to): may for to, may in shared.items()}
        strangers = sorted(shared.keys() - self._logins | shared.keys() & {notebook.owner})
        if strangers:
            raise QuestionError(
                f"There is nobody else named {', '.join(strangers)} who logs in here. Share it "
                "with the names that others log in by.",
                code="no_such_login",
                names=", ".join(strangers),
            )
        before = notebook_shares.c.notebook == notebook.id
        connection.execute(sa.delete(notebook_shares).where(before))
        for login, may in shared.items():
            key = {"notebook": notebook.id, "login": login}
            put_row(connection, notebook_shares, key, {"owner": owner_of_login(login), "may": may})

    def put(self, owner: str, identity: str, *documents: str) -> None:
        """Put documents in, which are everyone's or this owner's: all of them, or none.

        Raises:
            QuestionError: there is no room for all of them.
        """
        with self._database.write() as connection:
            there = {*_value(connection, owner, identity, "write").documents}
            new = [one for one in dict.fromkeys(documents) if one not in there]
            room = MAX_ITEMS - len(there)
            if new and room <= 0:
                raise QuestionError(
                    f"There are {MAX_ITEMS} documents in it already. Take one out first.",
                    code="notebook_full",
                    count=MAX_ITEMS,
                )
            if len(new) > room:
                raise QuestionError(
                    f"There is room for {room} more in it, and {len(new)} documents were to be put "
                    "in: none was. Put in fewer, or take some out first.",
                    code="notebook_room",
                    count=room,
                )
            for document in new:
                key = {"notebook": identity, "document": document}
                put_row(connection, notebook_documents, key, {"added": time.time(), "taken": None})

    def take_out(self, owner: str, identity: str, document: str, is_own: bool) -> None:
        """Take a document out, which stays where else it is.

        Args:
            owner, identity, document: who does, of which notebook, and which.
            is_own: whether the document is theirs; if not, it can be put back for a while.
        """
        there = (
            notebook_documents.c.notebook == identity,
            notebook_documents.c.document == document,
        )
        with self._database.write() as connection:
            _value(connection, owner, identity, "write")
            connection.execute(
                sa.delete(notebook_documents).where(*there)
                if is_own
                else sa.update(notebook_documents)
                .where(*there, notebook_documents.c.taken.is_(None))
                .values(taken=time.time())
            )

    def taken(self, identity: str) -> dict[str, float]:
        """The documents that were taken out of one and can be put back, and when that was."""
        of = (notebook_documents.c.notebook == identity, notebook_documents.c.taken.isnot(None))
        with self._database.read() as connection:
            rows = connection.execute(sa.select(notebook_documents).where(*of))
            return {row.document: row.taken for row in rows}

    def delete(self, owner: str, identity: str) -> None:
        """Delete one, which its owner alone may; for a while it can be restored."""
        with self._database.write() as connection:
            _value(connection, owner, identity, "own")
            _update(connection, identity, deleted=time.time())

    def deleted(self, owner: str) -> list[DeletedValue]:
        """Those of somebody that can be restored."""
        gone = notebooks.c.owner == owner, notebooks.c.deleted.isnot(None)
        with self._database.read() as connection:
            return [
                DeletedValue(kind="notebook", id=row.id, title=row.name, deleted=row.deleted * 1000)
                for row in connection.execute(sa.select(notebooks).where(*gone))
            ]

    def restore(self, owner: str, identity: str) -> NotebookValue:
        """Have one back that was deleted."""
        with self._database.write() as connection:
            found = _value(connection, owner, identity, "own", deleted=True)
            _update(connection, identity, deleted=None)
            return found

    def forget(self, document: str) -> None:
        """Take a document that was removed for good out of all of them: another one may get its id,
        which is made of its name, and must not appear there."""
        of = notebook_documents.c.document == document
        with self._database.write() as connection:
            connection.execute(sa.delete(notebook_documents).where(of))

    def _login(self, name: str) -> str:
        alike = [login for login in self._logins if login.casefold() == name.casefold()]
        return alike[0] if len(alike) == 1 else name


_ROLES: Sequence[Role] = ("own", "write", "read")


def _seen_by(owner: str) -> sa.ColumnElement[bool]:
    shared = sa.select(notebook_shares.c.notebook).where(notebook_shares.c.owner == owner)
    return sa.or_(notebooks.c.owner == owner, notebooks.c.id.in_(shared))


def _values(
    connection: sa.Connection, owner: str, which: sa.ColumnElement[bool]
) -> list[NotebookValue]:
    """Those of some notebooks that somebody may read."""
    seen = sa.and_(which, _seen_by(owner))
    ids = sa.select(notebooks.c.id).where(seen)
    documents: dict[str, list[str]] = {}
    inside = notebook_documents
    for row in connection.execute(
        sa.select(inside.c.notebook, inside.c.document)
        .where(inside.c.notebook.in_(ids), inside.c.taken.is_(None))
        .order_by(inside.c.added, inside.c.document)
    ):
        documents.setdefault(row.notebook, []).append(row.document)
    shared: dict[str, dict[str, Shared]] = {}
    roles: dict[str, Role] = {}
    for row in connection.execute(
        sa.select(notebook_shares)
        .where(notebook_shares.c.notebook.in_(ids))
        .order_by(notebook_shares.c.login)
    ):
        shared.setdefault(row.notebook, {})[row.login] = row.may
        if row.owner == owner:
            roles[row.notebook] = row.may
    return [
        NotebookValue(
            id=row.id,
            name=row.name,
            role="own" if row.owner == owner else roles[row.id],
            owner=row.login,
            shared=shared.get(row.id, {}) if row.owner == owner else {},
            documents=documents.get(row.id, []),
            created=row.created,
        )
        for row in connection.execute(sa.select(notebooks).where(seen))
    ]


def _value(
    connection: sa.Connection, owner: str, identity: str, may: Role, deleted: bool = False
) -> NotebookValue:
    """One, for somebody who may at least this with it; `deleted`: also one that was."""
    is_there = sa.true() if deleted else notebooks.c.deleted.is_(None)
    found = _values(connection, owner, sa.and_(notebooks.c.id == identity, is_there))
    if not found:
        raise MissingPathError(_GONE, code="notebook_gone")
    [notebook] = found
    if _ROLES.index(notebook.role) > _ROLES.index(may):
        raise RefusedError(
            f"The notebook {notebook.name} is shared with you to {notebook.role}, and that needs "
            f"more: ask {notebook.owner}, its owner.",
            403,
            code="read_only" if may == "write" else "owner_only",
            name=notebook.name,
        )
    return notebook


def _update(connection: sa.Connection, identity: str, **values: object) -> None:
    connection.execute(sa.update(notebooks).where(notebooks.c.id == identity).values(**values))
