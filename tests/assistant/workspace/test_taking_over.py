"""What a browser added by its key, when it was an owner itself, is taken over by who uses it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import CheapEncoder

from assistant import Assistant
from assistant.access.callers import MACHINE, owner_of_browser, owner_of_login
from assistant.settings import Settings
from assistant.workspace.library import Library
from assistant.workspace.notebooks import Space
from assistant.workspace.retention import RetentionJob
from assistant.workspace.turns import KeptTurn
from index import Index
from index.errors import MissingPathError
from index.readers.loader import read_raw

KEY, OTHER = "0123456789-abcdef-XYZ", "another-key-of-a-browser"
ANN, BEN = owner_of_login("ann"), owner_of_login("ben")


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with closing(Index(tmp_path / "index", encoder=CheapEncoder())) as index:
        yield index


def served(index: Index, *logins: str) -> Library:
    """The documents as a process with these logins serves them."""
    assistant = Assistant(index, [], Settings(reader="none"))
    return Library(assistant, max_bytes=1000, logins=logins)


def former(index: Index, folder: Path, login: str | None, key: str, name: str, keep: bool) -> str:
    """A document as it was added when browsers were owners."""
    file = folder / name
    file.write_text(f"What {login} keeps in {name}.")
    owner = owner_of_browser(login, key)
    raw = replace(read_raw(file), source=f"upload:{owner}/{name}")
    [identity] = index.sync([raw], keep=keep).ids
    return identity


def own(library: Library, owner: str) -> set[str]:
    return {one.info.id for one in library.documents(owner) if one.own}


def test_at_a_machine_all_that_any_browser_added_is_taken_over_and_stays(
    index: Index, tmp_path: Path
) -> None:
    kept = former(index, tmp_path, None, KEY, "kept.txt", keep=True)
    fleeting = former(index, tmp_path, None, KEY, "fleeting.txt", keep=False)
    elsewhere = former(index, tmp_path, None, OTHER, "elsewhere.txt", keep=False)
    library = served(index)
    talk = KeptTurn(id="turn-000001", question="What?", state="stopped")
    library.conversations.put_turn(Space(MACHINE), "talk-000001", talk, title="T", by="")
    assert own(library, MACHINE) == set()
    for key in ("1", "", "an unknown key of a browser", KEY, KEY):
        library.owners.take_over(MACHINE, owner_of_browser(None, key))
    assert own(library, MACHINE) == {kept, fleeting}
    assert library.asking(MACHINE, [fleeting])
    for owner in (owner_of_browser(None, KEY), ANN, BEN):
        assert own(library, str(owner)) == set()
    library.owners.take_over(MACHINE, owner_of_browser(None, OTHER))
    assert own(library, MACHINE) == {kept, fleeting, elsewhere}
    [conversation] = library.conversations.all(Space(MACHINE))
    assert conversation.id == "talk-000001"
    RetentionJob(library).sweep()
    again = served(index)
    assert own(again, MACHINE) == {kept, fleeting, elsewhere}
    # It is theirs as anything that they add: replaced by its name, deleted, removed.
    assert again.named(MACHINE, "kept.txt") == again.find(MACHINE, kept, own=True)
    again.discard(MACHINE, kept)
    again.restore(MACHINE, kept)
    again.remove(MACHINE, fleeting)
    assert own(again, MACHINE) == {kept, elsewhere}


def test_a_browser_at_which_somebody_logged_in_is_theirs_alone(
    index: Index, tmp_path: Path
) -> None:
    anns, bens = (former(index, tmp_path, n, KEY, f"{n}.txt", keep=False) for n in ("ann", "ben"))
    kept = former(index, tmp_path, "ann", OTHER, "kept.txt", keep=True)
    nobodys = former(index, tmp_path, None, KEY, "nobody.txt", keep=True)
    library = served(index, "ann", "ben")
    # At the same browser, one after the other: who sends its key is told by the login too.
    for name, owner in (("ben", BEN), ("ann", ANN)):
        library.owners.take_over(owner, owner_of_browser(name, KEY))
    assert (own(library, ANN), own(library, BEN)) == ({anns}, {bens})
    # Once somebody has taken it over nobody else does, whatever they come with.
    for owner, login in ((BEN, "ann"), (MACHINE, "ann"), (ANN, "ben")):
        library.owners.take_over(owner, owner_of_browser(login, KEY))
    library.owners.take_over(ANN, owner_of_browser("ann", OTHER))
    assert own(library, ANN) == {anns, kept}
    assert own(library, BEN) == {bens}
    assert own(library, MACHINE) == set()
    for identity in (bens, nobodys):
        with pytest.raises(MissingPathError):
            library.find(ANN, identity)
        with pytest.raises(MissingPathError):
            library.asking(ANN, [identity])
    RetentionJob(library).sweep()
    assert (own(library, ANN), own(library, BEN)) == ({anns, kept}, {bens})
