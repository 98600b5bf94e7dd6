"""Notebooks: named sets of documents, with conversations and notes of their own.

One belongs to whoever made it, who may share it with others by their logins, to read or to write.
Who may read it sees its documents, conversations and notes, and asks; who may write adds to them.
Whoever may not read it is not told that there is one. What is of a notebook is kept with the index:
which documents are in it as a record each, so that two who add some at the same time both do.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from assistant.service.access import owner_of_login
from assistant.service.keeping import read_kept
from assistant.service.trash import Deleted, DeletedValue, Trash
from assistant.service.values import DocumentId, Text, Value
from index.errors import MissingPathError, QuestionError, RefusedError

if TYPE_CHECKING:
    from index import Index
    from index.store.records import Records

#: What somebody may do with a notebook: all of it, as its owner; add to it; or only read and ask.
Role = Literal["own", "write", "read"]
#: What it may be shared to do.
Shared = Literal["write", "read"]

_GONE = "That notebook is not here. It may have been deleted, or not be shared with you any more."

MOST = 1000
"""Notebooks that one owner may have, documents in one, and logins that it is shared with."""

Name = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$"
    ),
]
Login = Annotated[str, StringConstraints(max_length=200)]
NotebookId = Annotated[
    str,
    Field(
        pattern=r"^[0-9a-f]{16}$",
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


class _Kept(BaseModel):
    """A notebook as it is kept."""

    name: str
    owner: str
    login: str
    shared: dict[str, Shared] = {}
    created: float

    def role(self, owner: str) -> Role | None:
        if owner == self.owner:
            return "own"
        return next((may for to, may in self.shared.items() if owner_of_login(to) == owner), None)


class Notebooks:
    """The notebooks of an index. May be used from many threads and processes.

    Args:
        index: beside which they are kept.
        trash: where deleted ones are.
        logins: the names that one may be shared with.

    Raises (any method that names one):
        MissingPathError: there is none of that id, or it is not shared with who asks.
        RefusedError: who asks may not do that with it.
    """

    def __init__(self, index: Index, trash: Trash, logins: Collection[str]) -> None:
        self._index = index
        self._trash = trash
        self._logins = frozenset(logins)
        self._records = index.records("notebooks")

    def all(self, owner: str) -> list[NotebookValue]:
        """Those that somebody may read, by name."""
        found = [
            self._value(identity, kept, role)
            for identity, text in self._records.all().items()
            if (role := (kept := read_kept(_Kept, text)).role(owner))
            and Deleted(kind="notebook", name=identity) not in self._trash
        ]
        return sorted(found, key=lambda own: (own.name.casefold(), own.created))

    def find(self, owner: str, identity: str, may: Role = "read") -> NotebookValue:
        """One, for somebody who may at least this with it."""
        kept, role = self._kept(owner, identity, may)
        return self._value(identity, kept, role)

    def of(self, owner: str, identity: str | None) -> NotebookValue | None:
        """The same of what may be in none."""
        return None if identity is None else self.find(owner, identity)

    def named(self, owner: str, name: str) -> NotebookValue:
        """One by its id, or by its name where it is the only one.

        Raises:
            MissingPathError: there is none, or several.
        """
        with suppress(MissingPathError):  # whoever gives an id does not wait for all the others
            return self.find(owner, name)
        own = self.all(owner)
        found = [one for one in own if one.name.casefold() == name.strip().casefold()]
        if len(found) == 1:
            return found[0]
        if not found and _is_id(name):  # whoever gives one had the notebook before
            raise MissingPathError(_GONE, code="notebook_gone")
        there = ", ".join(one.name for one in own) or "none"
        raise MissingPathError(
            f"There are {len(found)} notebooks named {name!r}. Name one by its id: "
            f"{', '.join(one.id for one in found)}."
            if found
            else f"There is no notebook {name!r}. There are: {there}."
        )

    def create(self, owner: str, login: str, name: str) -> NotebookValue:
        """Make one.

        Args:
            owner: whose it is.
            login: the name by which others know them; "" where nobody logs in.
            name: of the notebook.
        """
        if (
            sum(read_kept(_Kept, text).owner == owner for text in self._records.all().values())
            >= MOST
        ):
            raise QuestionError(
                f"There are {MOST} notebooks of yours already. Delete one first.",
                code="notebooks_full",
                count=MOST,
            )
        identity = secrets.token_hex(8)
        kept = _Kept(name=name, owner=owner, login=login, created=time.time())
        self._put(identity, kept)
        return self._value(identity, kept, "own")

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
        kept, role = self._kept(owner, identity, "own")
        if shared is not None:
            shared = {self._login(to): may for to, may in shared.items()}
            strangers = sorted(shared.keys() - self._logins | shared.keys() & {kept.login})
            if strangers:
                raise QuestionError(
                    f"There is nobody else named {', '.join(strangers)} who logs in here. Share it "
                    "with the names that others log in by.",
                    code="no_such_login",
                    names=", ".join(strangers),
                )
            kept.shared = dict(shared)
        kept.name = name or kept.name
        self._put(identity, kept)
        return self._value(identity, kept, role)

    def put(self, owner: str, identity: str, document: str) -> None:
        """Put a document in, which is everyone's or this owner's."""
        self._kept(owner, identity, "write")
        inside = self._inside(identity)
        there = inside.all()
        if document not in there and len(there) >= MOST:
            raise QuestionError(
                f"There are {MOST} documents in it already. Take one out first.",
                code="notebook_full",
                count=MOST,
            )
        if document not in there:
            inside.put(document, str(time.time()))
        self._forget_taken(identity, document)

    def take_out(self, owner: str, identity: str, document: str) -> bool:
        """Take a document out, which stays where else it is; gives whether it was in."""
        self._kept(owner, identity, "write")
        inside = self._inside(identity)
        was_in = document in inside.names()
        if was_in:
            inside.delete(document)
        return was_in

    def delete(self, owner: str, identity: str) -> None:
        """Delete one, which its owner alone may; for a while it can be had back."""
        self._kept(owner, identity, "own")
        self._trash.put(Deleted(kind="notebook", name=identity))

    def deleted(self, owner: str) -> list[DeletedValue]:
        """Those of somebody that can be had back."""
        return [
            DeletedValue(kind="notebook", id=identity, title=kept.name, deleted=at)
            for identity, at in self._trash.of("notebook").items()
            if (text := self._records.get(identity))
            and (kept := read_kept(_Kept, text)).owner == owner
        ]

    def restore(self, owner: str, identity: str) -> NotebookValue:
        """Have one back that was deleted."""
        kept, role = self._kept(owner, identity, "own", deleted=True)
        self._trash.restore(Deleted(kind="notebook", name=identity))
        return self._value(identity, kept, role)

    def forget(self, document: str) -> None:
        """Take a document that is gone for good out of all of them: another one may come to have
        its id, which is made of its name, and be nobody's to see there."""
        for identity in self._records.names():
            self._inside(identity).delete(document)
            self._forget_taken(identity, document)

    def readers(self, identity: str) -> list[str]:
        """Who else may read one, deleted or not."""
        text = self._records.get(identity)
        return [] if text is None else [owner_of_login(to) for to in read_kept(_Kept, text).shared]

    def let_go(self, identity: str) -> None:
        """Let go of a deleted one for good; of what is in it, whoever keeps that."""
        self._inside(identity).clear()
        self._records.delete(identity)

    def _login(self, name: str) -> str:
        alike = [login for login in self._logins if login.casefold() == name.casefold()]
        return alike[0] if len(alike) == 1 else name

    def _kept(
        self, owner: str, identity: str, may: Role, deleted: bool = False
    ) -> tuple[_Kept, Role]:
        text = self._records.get(identity) if _is_id(identity) else None
        kept = None if text is None else read_kept(_Kept, text)
        role = None if kept is None else kept.role(owner)
        gone = Deleted(kind="notebook", name=identity) in self._trash and not deleted
        if kept is None or role is None or gone:
            raise MissingPathError(_GONE, code="notebook_gone")
        if _ROLES.index(role) > _ROLES.index(may):
            raise RefusedError(
                f"The notebook {kept.name} is shared with you to {role}, and that needs more: ask "
                f"{kept.login}, its owner.",
                403,
                code="read_only" if may == "write" else "owner_only",
                name=kept.name,
            )
        return kept, role

    def _forget_taken(self, identity: str, document: str) -> None:
        taken = Deleted(kind="taken", name=document, group=identity)
        if taken in self._trash:
            self._trash.restore(taken)

    def _put(self, identity: str, kept: _Kept) -> None:
        self._records.put(identity, kept.model_dump_json())

    def _inside(self, identity: str) -> Records:
        return self._index.records("notebook-documents", identity)

    def _value(self, identity: str, kept: _Kept, role: Role) -> NotebookValue:
        inside = self._inside(identity).all()
        return NotebookValue(
            id=identity,
            name=kept.name,
            role=role,
            owner=kept.login,
            shared=kept.shared if role == "own" else {},
            documents=sorted(inside, key=lambda one: float(inside[one] or 0)),
            created=kept.created,
        )


_ROLES: Sequence[Role] = ("own", "write", "read")


def _is_id(text: str) -> bool:
    return len(text) == 16 and set(text) <= set("0123456789abcdef")
