"""The command `footnote help`: topics listed and shown."""

from __future__ import annotations

from helpers import footnote, on_terminal

from assistant.help.topics import FOLDER, topics

TERMINAL = {"COLUMNS": "100", "TERM": "xterm-256color"}


def test_topics_are_listed_and_shown() -> None:
    lines = footnote("help").stdout.splitlines()
    assert {one.name for one in topics()} == {file.stem for file in FOLDER.glob("*.md")}
    assert [one.name for one in topics()][:3] == ["first-steps", "install", "documents"]
    for one, line in zip(topics(), lines, strict=False):
        assert line.split(maxsplit=1) == [one.name, one.summary]
        assert one.summary.endswith(".") and len(one.summary) <= 130
    # Elsewhere than on a terminal it is plain Markdown, without what is for the tests.
    for name in (["language-models"], ["Language", "Models"], ["language-models.md"]):
        shown = footnote("help", *name).stdout
        assert shown.startswith("# Language models\n")
        assert "<!--" not in shown and "```sh\n" in shown
    shown = on_terminal("help", "first-steps", **TERMINAL)
    assert "\x1b[" in shown  # it has colours and the like
    assert "## " not in shown and "**" not in shown and "](" not in shown
    done = footnote("help", "notbooks", code=2)
    assert done.stderr.startswith(
        "footnote: There is no help on 'notbooks'. Did you mean notebooks?"
    )
