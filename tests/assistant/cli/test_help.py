"""The command `footnote help`: topics listed, shown and searched."""

from __future__ import annotations

import re

import pytest
from helpers import footnote, on_terminal

from assistant.help.topics import topic, topics

TERMINAL = {"COLUMNS": "100", "TERM": "xterm-256color"}


def test_topics_are_listed_with_a_line_each() -> None:
    lines = footnote("help").stdout.splitlines()
    for one, line in zip(topics(), lines, strict=False):
        assert line.split(maxsplit=1) == [one.name, one.summary]
    assert "footnote help TOPIC" in lines[-1]


@pytest.mark.parametrize("name", [("language-models",), ("Language", "models"), ("lang",)])
def test_a_topic_that_goes_elsewhere_is_plain_markdown(name: tuple[str, ...]) -> None:
    assert footnote("help", *name).stdout == topic("language-models").text


def test_on_a_terminal_it_is_laid_out_and_links_tell_how_to_get_there() -> None:
    lines = on_terminal("help", "first-steps", **TERMINAL)
    assert "\x1b[" in lines  # it has colours and the like
    assert "## " not in lines and "**" not in lines and "](" not in lines
    shown = " ".join(re.sub(r"\x1b\[[\d;]*m", "", lines).split())
    assert "footnote help asking tells what else can be asked for" in shown
    assert "in other languages (footnote help documents)" in shown


def test_words_are_found_under_their_topic_and_heading() -> None:
    shown = footnote("help", "--find", "exit codes").stdout
    assert "commands › Exit codes\n" in shown
    names = {topic.name for topic in topics()}
    assert all(line.startswith("    ") or line.split()[0] in names for line in shown.splitlines())


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("help", "nothing-like-it"), 2, "There is no help on 'nothing-like-it'. There are: first"),
        (("help", "notbooks"), 2, "Did you mean notebooks?"),
        (("help", "serve"), 2, "footnote serve --help"),
        (("help", "mcp", "--find", "key"), 2, "Give a topic, or --find WORDS"),
        (("help", "--find", " "), 2, "Say which words"),
    ],
)
def test_what_cannot_be_shown_is_told_in_a_sentence(
    arguments: tuple[str, ...], code: int, told: str
) -> None:
    done = footnote(*arguments, code=code)
    assert done.stderr.startswith("footnote: ") and told in done.stderr
    assert not done.stdout


def test_words_that_stand_nowhere_are_told_and_exit_as_a_refusal_does() -> None:
    done = footnote("help", "--find", "xyzzy", code=3)
    assert "Nothing in the help has 'xyzzy'" in done.stdout
    assert "footnote help TOPIC" in footnote("--help").stdout
