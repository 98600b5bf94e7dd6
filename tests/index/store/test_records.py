"""Small texts beside the index."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from index import Index
from index.store.records import Records


@pytest.fixture
def index(another: Callable[[], Index]) -> Index:
    return another()


@pytest.fixture
def records(index: Index) -> Records:
    return index.records("votes")


def test_what_is_kept_is_found_until_it_is_let_go(records: Records) -> None:
    assert records.all() == {}
    assert records.get("one") is None
    records.put("two", "2")
    records.put("one", "zwölf\n")
    records.put("two", "zwei")
    assert records.all() == {"one": "zwölf\n", "two": "zwei"}
    records.delete("one")
    records.delete("one")
    assert records.get("one") is None
    assert records.all() == {"two": "zwei"}


def test_kinds_are_apart(index: Index) -> None:
    index.records("votes").put("one", "1")
    assert index.records("keys").all() == {}
    index.records("-").put("_", "")
    assert index.records("-").all() == {"_": ""}


def test_what_is_private_no_other_user_reads(index: Index, folder: Path) -> None:
    for kind, private in (("votes", False), ("logins", True)):
        records = index.records(kind, private=private)
        records.put("one", "1")
        assert records.all() == {"one": "1"}
        if index.chroma is None:
            assert ((folder / "records" / kind).stat().st_mode & 0o005 == 0) == private


def test_another_process_has_the_same(another: Callable[[], Index]) -> None:
    one, two = another(), another()
    one.records("votes").put("one", "1")
    assert two.records("votes").get("one") == "1"
    two.records("votes").delete("one")
    assert one.records("votes").all() == {}


@pytest.mark.parametrize("name", ["", "..", "a/b", "a.b", "a" * 81, "a\0"])
def test_a_name_stays_a_name(records: Records, name: str) -> None:
    with pytest.raises(ValueError, match="is not a name"):
        records.put(name, "text")


def test_many_write_one_name_at_once(records: Records) -> None:
    texts = {str(number) * 10_000 for number in range(8)}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: records.put("one", text), sorted(texts)))
    assert records.get("one") in texts
    assert list(records.all()) == ["one"]


def test_each_group_is_kept_by_itself(index: Index) -> None:
    index.records("turns", "one").put("a", "1")
    index.records("turns", "two").put("a", "2")
    index.records("turns", "two").put("b", "3")
    assert index.records("turns", "two").all() == {"a": "2", "b": "3"}
    assert index.records("turns", "two").names() == ["a", "b"]
    assert index.records("turns", "one").get("b") is None
    index.records("turns", "two").clear()
    index.records("turns", "two").clear()
    assert index.records("turns", "two").names() == []
    assert index.records("turns", "one").all() == {"a": "1"}
