"""Notebooks and what is in them: at the API's addresses, and at the page's for who is there."""

from collections.abc import Callable
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import Field

from assistant.access.callers import Caller
from assistant.schemas.base import Asked, DocumentId
from assistant.service.service import Service
from assistant.serving.streaming import in_turn
from assistant.workspace.citing import checked_note, checked_turn
from assistant.workspace.conversations import Title
from assistant.workspace.notebooks import (
    MAX_ITEMS,
    Login,
    Name,
    NotebookId,
    NotebooksValue,
    NotebookValue,
    Shared,
    Space,
)
from assistant.workspace.notes import KeptNote, NotesValue
from assistant.workspace.quotes import QuoteChecker
from assistant.workspace.trash import TrashValue
from assistant.workspace.turns import (
    ConversationsValue,
    FoundsValue,
    Id,
    KeptTurn,
    LapsedValue,
    Milliseconds,
    WholeConversation,
)

Of = Annotated[
    NotebookId | None,
    Query(alias="notebook", description="The notebook that it is in; in none when left out."),
]
Everywhere = Annotated[
    bool,
    Query(description="Tell of the conversations of all notebooks that you may read, and of none."),
]
Turns = Annotated[list[Id], Field(max_length=MAX_ITEMS)]


class NewNotebook(Asked):
    """A notebook that is wanted."""

    name: Name
    documents: list[DocumentId] = Field(
        default=[], max_length=MAX_ITEMS, description="Everyone's, or yours, that are in it."
    )


class PutDocuments(Asked):
    """Documents that are to be put into a notebook."""

    documents: list[DocumentId] = Field(max_length=MAX_ITEMS)


class ChangedNotebook(Asked):
    """What of a notebook is to be otherwise."""

    name: Name | None = None
    shared: dict[Login, Shared] | None = Field(
        default=None,
        max_length=MAX_ITEMS,
        description="By login, what others may: all that may at all.",
    )


class GivenTurn(KeptTurn):
    """A turn that is to be kept. Of its answer only the `id` counts: what is kept is the answer
    that was given here."""

    asked: Milliseconds = Field(
        default=0, description="Milliseconds since 1970; turns are in this order."
    )


class PutTurn(Asked):
    """A turn that is to be kept as it is now."""

    title: Title = Field(description="Of the conversation, unless a person has named it.")
    turn: GivenTurn


class ChangedConversation(Asked):
    """What of a conversation is to be otherwise."""

    title: Annotated[Title, Field(min_length=1)] | None = None
    pinned: bool | None = Field(
        default=None, description="Whether it comes first in lists that people are shown."
    )


class RemovedTurns(Asked):
    """Turns that another question takes the place of."""

    turns: Turns


class PutNote(KeptNote):
    """A note that is to be kept. Of its answer only the `id` counts, as of a turn's."""

    created: Milliseconds = Field(description="Milliseconds since 1970.")
    over: str | None = Field(
        default=None,
        exclude=True,
        max_length=20_000,
        description="The `text` that its writer saw: refused (409) where it is another one by now.",
    )


def routes(
    service: Service, prefix: str, reader: Callable[..., Caller], writer: Callable[..., Caller]
) -> APIRouter:
    """The routes of a service.

    Args:
        service: whose notebooks they are.
        prefix: of their addresses.
        reader, writer: FastAPI dependencies that tell who asks, where they may read or write.
    """
    router = APIRouter(prefix=prefix)
    library = service.library
    notebooks, conversations, notes = library.notebooks, library.conversations, library.notes
    Reader = Annotated[Caller, Depends(reader)]  # noqa: N806
    Writer = Annotated[Caller, Depends(writer)]  # noqa: N806
    Identity = Annotated[NotebookId, Path(description="The notebook's id.")]  # noqa: N806
    Document = Annotated[DocumentId, Path(description="The document's id.")]  # noqa: N806
    Conversation = Annotated[Id, Path(description="The conversation's id.")]  # noqa: N806
    Note = Annotated[Id, Path(description="The note's id.")]  # noqa: N806

    def space_of(caller: Caller, notebook: str | None) -> Space:
        return notebooks.space(caller.owner, notebook)

    @router.get("/notebooks")
    def list_(caller: Reader) -> NotebooksValue:
        """List the notebooks that you may read."""
        return library.notebooks_of(caller.owner)

    @router.post("/notebooks", status_code=201)
    def create(wanted: NewNotebook, caller: Writer) -> NotebookValue:
        """Make a notebook, which is yours alone until you share it."""
        library.check_shareable(caller.owner, *wanted.documents)  # before it is made
        made = notebooks.create(caller.owner, caller.name, wanted.name)
        library.put_in(caller.owner, made.id, *wanted.documents)
        return library.shown(notebooks.find(caller.owner, made.id))

    @router.get("/notebooks/{identity}")
    def notebook(identity: Identity, caller: Reader) -> NotebookValue:
        """Tell of a notebook."""
        return library.shown(notebooks.find(caller.owner, identity))

    @router.patch("/notebooks/{identity}")
    def change(identity: Identity, wanted: ChangedNotebook, caller: Writer) -> NotebookValue:
        """Give a notebook of yours another name, or say who else may read it or write in it."""
        return library.shown(notebooks.change(caller.owner, identity, wanted.name, wanted.shared))

    @router.delete("/notebooks/{identity}", status_code=204)
    def delete(identity: Identity, caller: Writer) -> None:
        """Delete a notebook of yours; for a day it can be restored. Its documents stay."""
        notebooks.delete(caller.owner, identity)

    @router.post("/notebooks/{identity}/restore")
    def restore(identity: Identity, caller: Writer) -> NotebookValue:
        """Have a notebook back that was deleted."""
        return library.shown(notebooks.restore(caller.owner, identity))

    @router.put("/notebooks/{identity}/documents", status_code=204)
    def put_all_in(identity: Identity, wanted: PutDocuments, caller: Writer) -> None:
        """Put several documents into a notebook besides those that are in it: all, or none where
        one of them cannot be put in or there is no room for all."""
        library.put_in(caller.owner, identity, *wanted.documents)

    @router.put("/notebooks/{identity}/documents/{document}", status_code=204)
    def put_in(identity: Identity, document: Document, caller: Writer) -> None:
        """Put a document of yours, or one that is everyone's, into a notebook; or one back that
        somebody else than its owner took out, for a day."""
        library.put_in(caller.owner, identity, document)

    @router.delete("/notebooks/{identity}/documents/{document}", status_code=204)
    def take_out(identity: Identity, document: Document, caller: Writer) -> None:
        """Take a document out of a notebook; the document itself stays."""
        library.take_out(caller.owner, identity, document)

    # --- conversations -----------------------------------------------------------------------

    @router.get("/conversations")
    def conversations_(
        caller: Reader, notebook: Of = None, everywhere: Everywhere = False
    ) -> ConversationsValue:
        """List the conversations of a notebook, those that are in none, or all."""
        spaces = notebooks.spaces(caller.owner, notebook, everywhere)
        return ConversationsValue(conversations=conversations.all(*spaces))

    @router.get("/conversations/search")
    def search_(
        caller: Reader,
        text: Annotated[str, Query(min_length=1, max_length=200, description="What they have.")],
        notebook: Of = None,
        everywhere: Everywhere = False,
    ) -> FoundsValue:
        """Find words in the conversations of a notebook, in those that are in none, or in all."""
        spaces = notebooks.spaces(caller.owner, notebook, everywhere)
        return FoundsValue(found=conversations.search(text, *spaces))

    @router.get("/conversations/{identity}")
    def conversation(
        identity: Conversation, caller: Reader, notebook: Of = None
    ) -> WholeConversation:
        """Read a conversation."""
        return conversations.find(space_of(caller, notebook), identity)

    def lapsed_of(owner: str, notebook: str | None, identity: str) -> LapsedValue:
        turns = conversations.find(notebooks.space(owner, notebook), identity).turns
        cited = {turn.id: turn.answer.citations for turn in turns if turn.answer}
        named = {citation.document_id for citations in cited.values() for citation in citations}
        checker = QuoteChecker(library.index, library.readable(owner, named))
        found = {
            turn: [
                citation.marker
                for citation in citations
                if checker.now(citation).standing != "there"
            ]
            for turn, citations in cited.items()
        }
        return LapsedValue(lapsed={turn: markers for turn, markers in found.items() if markers})

    @router.get("/conversations/{identity}/lapsed")
    async def lapsed(
        identity: Conversation, request: Request, caller: Reader, notebook: Of = None
    ) -> LapsedValue:
        """Tell which quotes of its answers do not stand in their documents as these are now."""
        wanted = caller.owner, notebook, identity
        return await in_turn(request, service.reading, caller, lapsed_of, *wanted)

    @router.put("/conversations/{identity}/turns", status_code=204)
    def put_turn(
        identity: Conversation, kept: PutTurn, caller: Writer, notebook: Of = None
    ) -> None:
        """Keep a question and what became of it, in a conversation that begins with it if there is
        none."""
        conversations.put_turn(
            space_of(caller, notebook),
            identity,
            checked_turn(kept.turn, library, caller.owner),
            title=kept.title,
            by=caller.name,
        )

    @router.post("/conversations/{identity}/turns/remove", status_code=204)
    def remove_turns(
        identity: Conversation, removed: RemovedTurns, caller: Writer, notebook: Of = None
    ) -> None:
        """Let go of questions, which another one takes the place of."""
        conversations.remove_turns(space_of(caller, notebook), identity, removed.turns)

    @router.patch("/conversations/{identity}", status_code=204)
    def change_conversation(
        identity: Conversation, changed: ChangedConversation, caller: Writer, notebook: Of = None
    ) -> None:
        """Give a conversation another name, or pin it."""
        space = space_of(caller, notebook)
        if changed.title is not None:
            conversations.rename(space, identity, changed.title)
        if changed.pinned is not None:
            conversations.pin(space, identity, changed.pinned)

    @router.delete("/conversations/{identity}", status_code=204)
    def delete_conversation(identity: Conversation, caller: Writer, notebook: Of = None) -> None:
        """Delete a conversation; for a day it can be restored."""
        conversations.delete(space_of(caller, notebook), identity)

    @router.post("/conversations/{identity}/restore", status_code=204)
    def restore_conversation(identity: Conversation, caller: Writer, notebook: Of = None) -> None:
        """Have a conversation back that was deleted."""
        conversations.restore(space_of(caller, notebook), identity)

    # --- notes -------------------------------------------------------------------------------

    def notes_of(owner: str, notebook: str | None) -> NotesValue:
        readable = partial(library.readable, owner)
        return NotesValue(notes=notes.all(notebooks.space(owner, notebook), readable))

    @router.get("/notes")
    async def notes_(request: Request, caller: Reader, notebook: Of = None) -> NotesValue:
        """List what is kept in a notebook, or in none: answers and highlighted places, each held
        against the documents as they are now."""
        wanted = caller.owner, notebook
        return await in_turn(request, service.reading, caller, notes_of, *wanted)

    @router.put("/notes", status_code=204)
    def put_note(note: PutNote, caller: Writer, notebook: Of = None) -> None:
        """Keep a note in place of the one of its id, whose author stays."""
        space = space_of(caller, notebook)
        notes.put(space, checked_note(note, library, space), caller.name, note.over)

    @router.delete("/notes/{identity}", status_code=204)
    def delete_note(identity: Note, caller: Writer, notebook: Of = None) -> None:
        """Delete a note; for a day it can be restored."""
        notes.delete(space_of(caller, notebook), identity)

    @router.post("/notes/{identity}/restore", status_code=204)
    def restore_note(identity: Note, caller: Writer, notebook: Of = None) -> None:
        """Have a note back that was deleted."""
        notes.restore(space_of(caller, notebook), identity)

    @router.get("/trash")
    def trash(caller: Reader, notebook: Of = None, everywhere: Everywhere = False) -> TrashValue:
        """List what was deleted within a day and you may have back: your documents and notebooks;
        and conversations and notes of a notebook that you may change, or those that were in none.
        Each has a `restore` of its own; a document that was taken out of the notebook is put back
        in."""
        return library.deleted(caller.owner, notebook, everywhere)

    return router
