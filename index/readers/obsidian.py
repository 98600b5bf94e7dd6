"""Notes of Obsidian: which folder is a vault, what opens a note, and what a reader of it sees.

What Obsidian has beyond Markdown: `[[links]]`, `[[note|shown]]`, `![[embedded notes]]`, callouts,
`%%comments%%`, `==marks==`, `^identities` of blocks, tasks and tags.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import quote

from index.chunking.layout import Composer, Layout
from index.readers.markdown import MarkdownWriter, write_markdown

FOLDER = ".obsidian"
"""The folder by which a vault is told."""

#: Where code, in which nothing means anything, begins or ends; and a comment.
_SIGN = re.compile(r"^[ \t>]*(?P<fence>`{3,}|~{3,})|`[^`\n]*`|%%", re.MULTILINE)
_INLINE = re.compile(
    r"(?P<code>`+[^`]*`+)"
    r"|(?P<embedded>!?)\[\[(?P<note>[^\[\]|#\n]*)(?P<part>#[^\[\]|\n]*)?"
    r"(?:\\?\|(?P<shown>[^\[\]\n]*))?\]\]"
    r"|==(?P<marked>[^\s=](?:[^=\n]*[^\s=])?)=="
)
_IDENTITY = re.compile(r"(?:^|(?<=\s))\^[A-Za-z0-9-]+\s*\Z")
_CALLOUT = re.compile(r"\[![^\[\]\n]+\][+-]?[ \t]*(?P<title>[^\n]*)(?:\n|\Z)")
_TASK = re.compile(r"\[(?P<done>[^\[\]\n])\](?=\s)")
_TAGS = re.compile(r"\s*(?:#[^\s#]+\s*)+")
#: What is embedded and is no text; a note may be called `v1.2`.
_PICTURE = re.compile(
    r"\.(?:png|jpe?g|gif|bmp|svg|webp|avif|mp3|wav|m4a|ogg|3gp|flac|mp4|webm|ogv|mov|mkv|pdf|canvas"
    r"|base|excalidraw)$",
    re.IGNORECASE,
)
_MARKS = re.compile(r"[\\`*_{}\[\]<>&!~=#]")


def vault_of(path: Path) -> Path | None:
    """The vault that a file is in: the nearest folder above it with a folder `.obsidian`."""
    # Not `Path.is_dir`, which raises where one may not look.
    above = path.absolute().parents
    return next((own for own in above if os.path.isdir(own / FOLDER)), None)  # noqa: PTH112


def link_to_note(path: Path, vault: Path) -> str:
    """What opens a file of a vault in Obsidian."""
    inside = path.absolute().relative_to(vault)
    note = inside.with_suffix("") if inside.suffix.lower() == ".md" else inside
    names = (quote(os.fsencode(name), safe="") for name in (vault.name, note.as_posix()))
    return "obsidian://open?vault={}&file={}".format(*names)


def read_note(text: str, source: str) -> Layout:
    """A note as a reader of it sees it; one without a title is called as its file is."""
    return write_markdown(text, _NoteWriter(Composer()), Path(source).stem)


class _NoteWriter(MarkdownWriter):
    """Writes a note. A link to another one is one within its site: what consists of such links
    alone is a table of contents; so is a line of tags."""

    def write(self, markdown: str) -> None:
        super().write(_without_comments(markdown))

    def _inline(self, markup: str, before: str) -> None:
        callout = _CALLOUT.match(markup) if self._quotes else None
        if callout is None:
            super()._inline(markup, before)
            return
        # The title of a callout is no part of the first sentence below it.
        for part in (callout["title"], markup[callout.end() :]):
            if part.strip():
                super()._inline(part, before)

    def _shown(self, markup: str) -> str:
        markup = _INLINE.sub(_as_markdown, _IDENTITY.sub("", markup))
        if self._lists:
            markup = _TASK.sub(lambda m: "☐" if m["done"] == " " else "☑", markup, count=1)
        unlinked = self._unlinked
        text = super()._shown(markup)
        if _TAGS.fullmatch(text):
            self._unlinked = unlinked
        return text


def _without_comments(text: str) -> str:
    """A text without what stands between `%%`, but in code; a comment without an end is none."""
    kept: list[str] = []
    fence, opened, at = "", None, 0
    for sign in _SIGN.finditer(text):
        if sign["fence"]:
            if opened is None and not fence:
                fence = sign["fence"]
            elif fence and sign["fence"].startswith(fence):
                fence = ""
        elif sign[0] == "%%" and not fence:
            if opened is None:
                opened = sign.start()
            else:
                kept.append(text[at:opened])
                opened, at = None, sign.end()
    return "".join([*kept, text[at:]])


def _as_markdown(found: re.Match[str]) -> str:
    """What Obsidian alone knows, as Markdown that shows the same."""
    if found["code"]:
        return found[0]
    if found["marked"]:
        return found["marked"]
    note, shown = found["note"].strip(), (found["shown"] or "").strip()
    if found["embedded"] and _PICTURE.search(note):
        return ""
    if not shown or found["embedded"]:
        headings = [own.strip() for own in (found["part"] or "").split("#")]
        parts = [note, *(own for own in headings if not own.startswith("^"))]
        shown = _MARKS.sub(r"\\\g<0>", " > ".join(filter(None, parts)))
    return f"[{shown}](#)" if shown else ""
