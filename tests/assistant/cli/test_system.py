"""Shells are told what completes a word."""

from __future__ import annotations

import os

from helpers import FOOTNOTE, ran


def test_the_shell_is_told_what_could_stand_next() -> None:
    typed = {"_FOOTNOTE_COMPLETE": "complete_bash", "COMP_WORDS": "footnote se", "COMP_CWORD": "1"}
    told = ran([FOOTNOTE], env=os.environ | typed).stdout
    assert {"search", "serve"} <= set(told.split())
