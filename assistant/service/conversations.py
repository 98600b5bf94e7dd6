"""Conversations, as the page has them: their questions, and what became of each.

They are kept with the index, and each turn is a record of its own, so that two tabs, or two people,
who ask in the same one at the same time lose nothing of each other. A conversation is in a space:
that of its owner alone, or of a notebook, whose every reader sees it. Who may only read a notebook
asks in conversations of their own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field, StringConstraints

from assistant.service.keeping import read_kept, text_of
from assistant.service.notebooks import NotebookValue
from assistant.service.trash import Deleted, DeletedValue, Trash
from assistant.service.turns import Id, KeptTurn
from assistant.service.values import Value
from index.errors import MissingPathError, RefusedError

if TYPE_CHECKING:
    from index import Index
    from index.store.records import Records

MOST = 2000
"""Conversations that a space may hold, and turns that one of them may have."""

SHOWN = 100
"""Questions that are found at most."""

LARGEST = 700_000
"""Bytes of a turn: what cites much has a tenth of it."""

Title = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


class ConversationValue(Value):
    """A conversation, without its turns."""

    id: Id
    title: str
    named: bool = Field(description="Whether a person has named it.")
    notebook: str | None = Field(description="The notebook that it is in.")
    mine: bool = Field(
        description="Whether you may change it; in a notebook that is yours to read only those "
        "that you began."
    )
    by: str = Field(description="The login of who began it; nothing where nobody logs in.")
    updated: float = Field(description="Milliseconds since 1970.")


class ConversationsValue(Value):
    """Conversations, without their turns."""

    conversations: list[ConversationValue] = Field(description="The newest first.")


class FoundValue(Value):
    """A question of a conversation in which words were found, or in its answer."""

    conversation: ConversationValue
    turn: Id
    question: str
    text: str = Field(description="The sentence that has them, or the question.")
    uncertain: bool = Field(
        default=False,
        description="Whether that sentence cites what was read from a picture, and not surely.",
    )


class FoundsValue(Value):
    """All of them."""

    found: list[FoundValue] = Field(description="Of the newest conversation first.")


class LapsedValue(Value):
    """What of a conversation's answers does not stand in the documents any more."""

    lapsed: dict[str, list[int]] = Field(
        description="By the turn's id, markers of the quotes that do not; of others nothing."
    )


class WholeConversation(ConversationValue):
    """A conversation with its turns."""

    turns: list[KeptTurn] = Field(description="In the order in which they were asked.")


class _Kept(BaseModel):
    title: str = ""
    named: bool = False
    notebook: str | None = None
    by: str = ""
    updated: float = 0


class Conversations:
    """The conversations that are kept beside an index. May be used from many threads and processes.

    Every method takes who asks (`owner`), and the notebook as they may use it, or None for what is
    in none.

    Args:
        index: beside which they are kept.
        trash: where deleted ones are.

    Raises (any method that names one):
        MissingPathError: there is none of that id here.
        RefusedError: it is not theirs to change.
    """

    def __init__(self, index: Index, trash: Trash) -> None:
        self._index = index
        self._trash = trash

    def all(self, owner: str, notebook: NotebookValue | None) -> list[ConversationValue]:
        """Those of a notebook, or those that are in none, the newest first."""
        found = [
            self._value(identity, kept, notebook, group == owner)
            for group in _spaces(owner, notebook)
            for identity, kept in self._group(group)
            if kept.notebook == _id_of(notebook)
        ]
        return sorted(found, key=lambda own: -own.updated)

    def find(self, owner: str, notebook: NotebookValue | None, identity: str) -> WholeConversation:
        """One with its turns."""
        group, kept = self._there(owner, notebook, identity)
        value = self._value(identity, kept, notebook, group == owner)
        return WholeConversation(**value.model_dump(), turns=self._turns_of(group, identity))

    def search(self, owner: str, notebook: NotebookValue | None, words: str) -> list[FoundValue]:
        """Questions that have these words, whatever their case, or whose answers do."""
        wanted, found = words.casefold(), []
        kept_as = json.dumps(words, ensure_ascii=False)[1:-1].casefold()
        for one in self.all(owner, notebook):
            group, _ = self._there(owner, notebook, one.id)
            # Told by what is kept, before that is read: most of it has none of them.
            texts = self._turns(group, one.id).all().values()
            turns = [read_kept(KeptTurn, text) for text in texts if kept_as in text.casefold()]
            for turn in sorted(turns, key=lambda own: (own.asked, own.id)):
                told = _told(turn)
                text = next((text for text in told if wanted in text.casefold()), None)
                if text is not None:
                    found.append(
                        FoundValue(
                            conversation=one,
                            turn=turn.id,
                            question=turn.question,
                            text=text,
                            uncertain=told[text],
                        )
                    )
            if len(found) >= SHOWN:
                break
        return found[:SHOWN]

    def put_turn(
        self,
        owner: str,
        notebook: NotebookValue | None,
        identity: str,
        turn: KeptTurn,
        *,
        title: str,
        by: str,
    ) -> None:
        """Keep a turn as it is now, in a conversation that is begun with it if there is none.

        Args:
            owner, notebook: whose.
            identity: of the conversation.
            turn: to keep in place of the one of its id.
            title: of the conversation, unless a person has named it.
            by: the login of who asks.

        Raises:
            RefusedError: it is too large, or there are too many.
            QuestionError: it cannot be kept; see `text_of`.
        """
        text = text_of(turn)
        if len(text.encode()) > LARGEST:
            raise RefusedError("That is more than is kept of one answer.", 413, code="answer_large")
        group, kept = self._mine(owner, notebook, identity, by)
        turns = self._turns(group, identity)
        if len(names := turns.names()) >= MOST and turn.id not in names:
            raise RefusedError(
                f"There are {MOST} questions in this conversation. Begin another one.",
                413,
                code="conversation_full",
                count=MOST,
            )
        # The conversation first: turns of none would be found by nobody.
        title = kept.title if kept.named else title
        self._keep(group, identity, kept, title=title, updated=time.time() * 1000)
        turns.put(turn.id, text)

    def remove_turns(
        self, owner: str, notebook: NotebookValue | None, identity: str, turns: list[str]
    ) -> None:
        """Let go of turns, which another question takes the place of."""
        group, _ = self._there(owner, notebook, identity, mine=True)
        for turn in turns:
            self._turns(group, identity).delete(turn)

    def rename(self, owner: str, notebook: NotebookValue | None, identity: str, title: str) -> None:
        """Give one a name, which stays."""
        group, kept = self._there(owner, notebook, identity, mine=True)
        self._keep(group, identity, kept, title=title, named=True)

    def delete(self, owner: str, notebook: NotebookValue | None, identity: str) -> None:
        """Delete one; for a while it can be had back."""
        group, _ = self._there(owner, notebook, identity, mine=True)
        self._trash.put(Deleted(kind="conversation", name=identity, group=group))

    def deleted(self, owner: str, notebook: NotebookValue | None) -> list[DeletedValue]:
        """Those that they may have back, whoever deleted them."""
        return [
            DeletedValue(
                kind="conversation",
                id=identity,
                title=kept.title,
                notebook=kept.notebook,
                deleted=at,
            )
            for group in _spaces(owner, notebook)
            for identity, at in self._trash.of("conversation", group).items()
            if (text := self._records(group).get(identity))
            and (kept := read_kept(_Kept, text)).notebook == _id_of(notebook)
            and self._value(identity, kept, notebook, group == owner).mine
        ]

    def restore(self, owner: str, notebook: NotebookValue | None, identity: str) -> None:
        """Have one back that was deleted."""
        group, _ = self._there(owner, notebook, identity, mine=True, deleted=True)
        self._trash.restore(Deleted(kind="conversation", name=identity, group=group))

    def let_go(self, group: str, identity: str | None = None) -> None:
        """Let go for good of one of a space, or of all that is in it."""
        records = self._records(group)
        for own in [identity] if identity else records.names():
            self._turns(group, own).clear()
            records.delete(own)

    def let_go_in(self, group: str, notebook: str) -> None:
        """Let go of those of a space that are in a notebook, as of who may only read it."""
        for identity, kept in self._group(group):
            if kept.notebook == notebook:
                self.let_go(group, identity)

    # --- where they are ----------------------------------------------------------------------

    def _there(
        self,
        owner: str,
        notebook: NotebookValue | None,
        identity: str,
        *,
        mine: bool = False,
        deleted: bool = False,
    ) -> tuple[str, _Kept]:
        """The space of one, and what is kept of it."""
        for group in _spaces(owner, notebook):
            text = self._records(group).get(identity)
            gone = (
                Deleted(kind="conversation", name=identity, group=group) in self._trash
                and not deleted
            )
            if text is None or gone:
                continue
            kept = read_kept(_Kept, text)
            if kept.notebook != _id_of(notebook):
                continue
            if mine and group != owner and notebook and notebook.role == "read":
                raise RefusedError(
                    f"The notebook {notebook.name} is shared with you to read. Ask in a "
                    "conversation of your own.",
                    403,
                    code="read_only",
                    name=notebook.name,
                )
            return group, kept
        raise MissingPathError(
            "That conversation is not here. It may have been deleted.", code="conversation_gone"
        )

    def _mine(
        self, owner: str, notebook: NotebookValue | None, identity: str, by: str
    ) -> tuple[str, _Kept]:
        """The same for who writes in it; a new one where there is none."""
        try:
            return self._there(owner, notebook, identity, mine=True)
        except MissingPathError:
            group = notebook.id if notebook and notebook.role != "read" else owner
            # Another has begun it just now; one that is deleted, or in another notebook, is not
            # begun anew.
            if self._records(group).get(identity) is not None:
                return self._there(owner, notebook, identity, mine=True)
        if len(self._records(group).names()) >= MOST:
            raise RefusedError(
                f"There are {MOST} conversations. Delete one first.",
                413,
                code="conversations_full",
                count=MOST,
            )
        return group, _Kept(notebook=_id_of(notebook), by=by)

    def _group(self, group: str) -> Iterator[tuple[str, _Kept]]:
        for identity, text in self._records(group).all().items():
            if not self._is_deleted(group, identity):
                yield identity, read_kept(_Kept, text)

    def _is_deleted(self, group: str, identity: str) -> bool:
        return Deleted(kind="conversation", name=identity, group=group) in self._trash

    def _keep(self, group: str, identity: str, kept: _Kept, **given: Any) -> None:
        self._records(group).put(identity, kept.model_copy(update=given).model_dump_json())

    def _records(self, group: str) -> Records:
        return self._index.records("conversations", group)

    def _turns(self, group: str, identity: str) -> Records:
        # By space as well: whoever begins a conversation chooses its id.
        return self._index.records("turns", f"{group}-{identity}")

    def _turns_of(self, group: str, identity: str) -> list[KeptTurn]:
        kept = self._turns(group, identity).all().values()
        found = [read_kept(KeptTurn, text) for text in kept]
        return sorted(found, key=lambda turn: (turn.asked, turn.id))

    def _value(
        self, identity: str, kept: _Kept, notebook: NotebookValue | None, own: bool
    ) -> ConversationValue:
        return ConversationValue(
            id=identity,
            title=kept.title,
            named=kept.named,
            notebook=kept.notebook,
            mine=own or bool(notebook and notebook.role != "read"),
            by=kept.by,
            updated=kept.updated,
        )


def _id_of(notebook: NotebookValue | None) -> str | None:
    return notebook.id if notebook else None


def _spaces(owner: str, notebook: NotebookValue | None) -> list[str]:
    """Where somebody's conversations may be; in a notebook that is only theirs to read, those of
    their own are in their own space."""
    return [notebook.id, owner] if notebook else [owner]


def _told(turn: KeptTurn) -> dict[str, bool]:
    """A question and the sentences of its answer, and of each whether it cites what was read from a
    picture, and not surely."""
    if turn.answer is None:
        return {turn.question: False}
    unsure = {own.marker for own in turn.answer.citations if own.uncertain}
    sentences = {own.text: not unsure.isdisjoint(own.markers) for own in turn.answer.sentences}
    return {turn.question: False, **sentences}
