"""Notebooks on the command line: which there are, and what is asked in one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import footnote

from assistant import Assistant
from assistant.access.callers import MACHINE, owner_of_login
from assistant.workspace.library import Library
from assistant.workspace.notebooks import Space
from assistant.workspace.turns import KeptTurn

QUESTION, ANSWER = "What floats in brine?", "Walnuts float in brine."
TURN = KeptTurn(id="turn-000001", question=QUESTION, state="stopped")


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str | Path]]:
    """What names an index with two documents that everybody may ask, each in a notebook of this
    machine, one of which has a conversation; with an empty one, and one of a login."""
    folder = tmp_path_factory.mktemp("notebooks")
    for name, text in (("nuts.txt", ANSWER), ("oaks.txt", "Oaks grow slowly in the north.")):
        (folder / name).write_text(text)
    footnote("index", "add", folder, "--index-dir", folder / "index")
    with Assistant.open(index_dir=folder / "index") as assistant:
        library = Library(assistant, max_bytes=0)
        for info in assistant.index.documents():
            made = library.notebooks.create(MACHINE, "", info.title.partition(".")[0].title())
            library.put_in(MACHINE, made.id, info.id)
        [nuts] = [one for one in library.notebooks.all(MACHINE) if one.name == "Nuts"]
        library.conversations.put_turn(Space(MACHINE, nuts), "talk-000001", TURN, title="T", by="")
        library.notebooks.create(MACHINE, "", "Empty")
        library.notebooks.create(owner_of_login("ann"), "ann", "Ann's")
    yield "--index-dir", folder / "index"


def test_those_of_this_machine_are_listed(there: tuple[str, str | Path], tmp_path: Path) -> None:
    found = json.loads(footnote("notebooks", "--json", *there).stdout)
    assert [(one["name"], len(one["documents"]), one["conversations"]) for one in found] == [
        ("Empty", 0, 0),
        ("Nuts", 1, 1),
        ("Oaks", 1, 0),
    ]
    head, *lines = footnote("notebooks", *there).stdout.splitlines()
    assert head.split() == ["id", "documents", "conversations", "name"]
    assert [line.split() for line in lines] == [
        [one["id"], str(len(one["documents"])), str(one["conversations"]), one["name"]]
        for one in found
    ]
    none = ("--index-dir", tmp_path / "index")
    assert footnote("notebooks", *none).stdout.startswith("There is no notebook.")
    assert json.loads(footnote("notebooks", "--json", *none).stdout) == []


def test_one_is_asked_alone_by_its_name_or_id(
    there: tuple[str, str | Path], tmp_path: Path
) -> None:
    listed = json.loads(footnote("notebooks", "--json", *there).stdout)
    ids = {one["name"]: one["id"] for one in listed}
    text = tmp_path / "text.txt"
    text.write_text(ANSWER)
    for name, is_there in (("Nuts", True), ("nuts", True), (ids["Nuts"], True), ("Oaks", False)):
        of = ("--notebook", name, *there)
        asked = json.loads(footnote("ask", QUESTION, "--json", *of, code=None).stdout)
        assert (ANSWER in asked["text"]) == is_there
        found = json.loads(footnote("search", QUESTION, "--json", *of).stdout)
        assert (ANSWER in {hit["text"] for hit in found}) == is_there
        assert len(found) == 1
        footnote("verify", text, *of, code=0 if is_there else 3)
    assert footnote("ask", QUESTION, "--notebook", "Nuts", *there).returncode == 0
    footnote("ask", "Who wrote the report on zebras?", "--notebook", "Nuts", *there, code=3)


def test_mistakes_are_told_in_a_sentence(there: tuple[str, str | Path], tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text(ANSWER)
    for command in (("ask", QUESTION), ("search", QUESTION), ("verify", text)):
        for name, message in (
            ("Zebras", "There is no notebook 'Zebras'. There are: Empty, Nuts, Oaks."),
            ("Ann's", "There is no notebook"),
            ("", "There is no notebook ''"),
            ("Empty", "There is no document in this notebook yet."),
        ):
            done = footnote(*command, "--notebook", name, *there, code=2)
            assert message in done.stderr
            assert done.stdout == ""
        both = ("--notebook", "Nuts", "--source", text)
        assert "Give one of them" in footnote(*command, *both, *there, code=2).stderr
    lonely = ("--index-dir", tmp_path / "index")
    done = footnote("ask", QUESTION, "--notebook", "Nuts", *lonely, code=2)
    assert "There are: none." in done.stderr
