"""The topics of the help: which there are, which one is meant, and where words stand."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import ran

from assistant.help import topics as module
from assistant.help.topics import EXCERPT, FOLDER, find, topic, topics
from index.errors import QuestionError

SAILING = """\
---
title: Sailing at night
summary: What to light, and when.
order: 20
---

<!-- run by nobody -->
# Sailing

A boat shows **lights** from dusk on, see [harbours](harbours.md).

## Colours

| side | light |
|---|---|
| port | red |

- Starboard is `green`.

```sh
# not a heading
hoist lantern
```
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of topics, of which the tests know what they say."""
    (tmp_path / "sailing-at-night.md").write_text(SAILING)
    (tmp_path / "harbours.md").write_text("---\norder: 10\n---\n# Harbours\n\nTie up. Then rest.\n")
    (tmp_path / "anchors.md").write_text("Anchors hold boats. They are heavy.\n")
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    module.topics.cache_clear()
    yield tmp_path
    module.topics.cache_clear()


def test_every_file_is_a_topic_and_says_what_it_is_about() -> None:
    names = [one.name for one in topics()]
    assert sorted(names) == sorted(file.stem for file in FOLDER.glob("*.md"))
    assert names[:4] == ["first-steps", "install", "documents", "scans"]
    for one in topics():
        assert one.text.startswith("# ") and "<!--" not in one.text
        assert one.title and one.summary.endswith(".") and len(one.summary) <= 130
        assert one.path.is_file()
    assert len({one.title for one in topics()}) == len(names)


def test_files_tell_their_order_and_those_that_do_not_come_last(folder: Path) -> None:
    assert [(one.name, one.title, one.summary) for one in topics()] == [
        ("harbours", "Harbours", "Tie up."),
        ("sailing-at-night", "Sailing at night", "What to light, and when."),
        ("anchors", "anchors", "Anchors hold boats."),
    ]
    assert topic("anchors").text == "# anchors\n\nAnchors hold boats. They are heavy.\n"
    assert topic("harbours").text == "# Harbours\n\nTie up. Then rest.\n"


@pytest.mark.parametrize(
    "text",
    ["", "---\n", "---\n---\n", "---\ntitle: Lost\n", "---\norder: first\n---\n# Ropes\n", "# \n"],
)
def test_a_file_that_tells_nothing_right_of_itself_is_a_topic_all_the_same(
    folder: Path, text: str
) -> None:
    (folder / "ropes.md").write_text(text)
    assert topics()[-1].name == "ropes"
    assert topics()[-1].title.casefold() == "ropes"
    find("ropes")


@pytest.mark.parametrize(
    "name", ["sailing-at-night", " Sailing  at NIGHT ", "sailing_at_night.md", "sail", "Sailing at"]
)
def test_a_topic_is_found_however_its_name_is_written(folder: Path, name: str) -> None:
    assert topic(name).name == "sailing-at-night"


def test_of_another_name_it_says_which_there_are(folder: Path) -> None:
    told = "no help on 'anchor stones'. Did you mean anchors? There are: harbours, sailing-at-night"
    with pytest.raises(QuestionError, match=re.escape(f"{told}, anchors.")):
        topic("anchor stones")
    (folder / "anchorages.md").write_text("Where to stay.")
    module.topics.cache_clear()
    for name in ("anchor", "", " "):  # either of two, or none
        with pytest.raises(QuestionError, match="There are: "):
            topic(name)


def test_words_are_found_where_they_stand(folder: Path) -> None:
    def found(words: str) -> list[tuple[str, str, str]]:
        return [(one.topic.name, one.heading, one.line) for one in find(words)]

    boats = [
        ("sailing-at-night", "Sailing", "A boat shows lights from dusk on, see harbours."),
        ("anchors", "anchors", "Anchors hold boats. They are heavy."),
    ]
    assert found("boats") == found("BOAT") == boats
    assert found("port red") == [("sailing-at-night", "Colours", "port – red")]
    assert found("colours green") == [("sailing-at-night", "Colours", "Starboard is green.")]
    assert found("hoist") == [("sailing-at-night", "Colours", "hoist lantern")]
    assert ("sailing-at-night", "Colours", "Colours") in found("colours")
    assert found("nobody") == found("order") == []
    assert found("boat tree") == []
    for nothing in ("", " ?! "):
        with pytest.raises(QuestionError, match="which words"):
            find(nothing)


def test_of_a_long_paragraph_what_is_around_the_words_is_shown(folder: Path) -> None:
    (folder / "long.md").write_text(f"# Long\n\n{'before ' * 200}whale {'after ' * 200}\n")
    [found] = find("whale")
    assert " whale " in found.line and len(found.line) <= EXCERPT + 4
    assert found.line.startswith("… before ") and found.line.endswith(" after …")
    (folder / "long.md").write_text(f"# Long\n\n{'x' * 1000} whale\n")
    module.topics.cache_clear()
    assert "whale" in find("whale")[0].line


def test_reading_topics_loads_nothing_heavy() -> None:
    code = (
        "import sys; from assistant.help.topics import topics; topics()\n"
        "print(*{n.partition('.')[0] for n in sys.modules}"
        " & {'fastapi', 'rich', 'chromadb', 'gradio', 'torch', 'llama_index'})"
    )
    done = ran([sys.executable, "-c", code])
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
