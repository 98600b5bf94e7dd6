"""Notes of Obsidian are read as they are shown there, and lead back there."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index import find_files, read_document
from index.models import DocumentMetadata
from index.readers.formats import text_format
from index.readers.loader import document_from_text, read_raw
from index.readers.markdown import read_note

NOTE = """---
created: 2022-03-04
source: https://example.org/clip
---
#travel #norway

The [[Ferry lines/MS Brenna|ship]] to [[Brenna#Harbour]] leaves at ==nine==. %%secret%% ^abc1

Written as `[[code]]` and `%%`, it stays; so does a_b in [[a_b_c]].

%%
A whole hidden paragraph.

```
Another.
%%

![[map.png|300]]

![[Timetable#Summer|400]]

> [!warning]- Mind the *gap*
> The quay is slippery. Wear boots.

> [!my-note|left]
> It is also narrow.

- [ ] Buy a ticket ^id-2
- [x] Pack [[Boots]]

| When | Ship |
|---|---|
| nine | [[MS Brenna\\|the ship]] |

```
%%kept%% [[kept]]
```

## Prices of [[MS Brenna]]: 2022

A ticket is 9 euros %% and nothing is hidden.

- [[One]]
- [[Two|2]]
"""


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    vault = tmp_path / "My väult"
    for folder in (".obsidian", ".trash", "Trips"):
        (vault / folder).mkdir(parents=True)
    for name in (".obsidian/plugin.md", ".trash/Old.md", "Trips/Brenna & co.md", "Index.txt"):
        (vault / name).write_text(NOTE)
    return vault


def test_a_note_is_read_as_it_is_shown(vault: Path) -> None:
    document = read_document(vault / "Trips" / "Brenna & co.md")
    document.check()
    assert [(p.kind, *(s.text for s in p.sentences)) for p in document.paragraphs] == [
        ("contents", "#travel #norway"),
        ("prose", "The ship to Brenna > Harbour leaves at nine."),
        ("prose", "Written as [[code]] and %%, it stays; so does a_b in a_b_c."),
        ("contents", "Timetable > Summer"),
        ("prose", "Mind the gap"),
        ("prose", "The quay is slippery.", "Wear boots."),
        ("prose", "It is also narrow."),
        ("list", "☐ Buy a ticket", "☑ Pack Boots"),
        ("row", "When: nine | Ship: the ship"),
        ("lines", "%%kept%% [[kept]]"),
        ("prose", "A ticket is 9 euros %% and nothing is hidden."),
        ("contents", "One", "2"),
    ]
    assert document.paragraphs[-1].heading == ("Prices of MS Brenna: 2022",)


def test_a_note_is_called_and_opened_as_in_obsidian(vault: Path) -> None:
    document = read_document(vault / "Trips" / "Brenna & co.md")
    assert document.title == "Brenna & co"
    link = "obsidian://open?vault=My%20v%C3%A4ult&file=Trips%2FBrenna%20%26%20co"
    expected = DocumentMetadata((), "2022-03-04", "https://example.org/clip", link=link)
    assert document.metadata == expected
    # Other files of a vault are opened by their whole names, and read as anywhere.
    other = read_raw(vault / "Index.txt")
    link = "obsidian://open?vault=My%20v%C3%A4ult&file=Index.txt"
    assert (other.format, other.link) == ("plain", link)
    # What Obsidian keeps for itself is left out.
    names = [file.relative_to(vault).as_posix() for file in find_files([vault])]
    assert names == ["Index.txt", "Trips/Brenna & co.md"]


def test_a_vault_is_told_by_its_folder_alone(vault: Path) -> None:
    file = vault / "Trips" / "Brenna & co.md"
    inside = read_raw(file).reading
    (vault / ".obsidian").rename(vault / "away")
    raw = read_raw(file)
    assert (raw.format, raw.link) == ("markdown", "")
    assert raw.reading != inside  # so that it is read anew
    assert "[[Brenna#Harbour]]" in raw.document().text
    assert text_format("a.md") == text_format("b.markdown")
    told = document_from_text("See ==this== and [[that]].", "a.md", markdown=True)
    assert [p.text for p in told.paragraphs] == ["See ==this== and [[that]]."]


PIECES = ["[[", "]]", "|", "#", "%%", "==", "^a", "`", "```\n", "![[", "> [!note] ", "\n\n", "a b"]


@given(st.lists(st.sampled_from([*PIECES, "- [ ] ", "\\|", "\n", "é"]), max_size=40).map("".join))
@example("[[" * 3000 + "%%" * 3001 + "==a" * 3000)
def test_every_text_can_be_read(text: str) -> None:
    layout = read_note(text, "note.md")
    for part in layout.parts:
        for start, end in getattr(part, "spans", ()):
            assert layout.text[start:end].strip()
