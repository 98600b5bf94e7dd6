"""Answers as a Word file, in which the sources are footnotes as Word itself makes them.

A footnote that several sentences have is there for each of them, with all of its text: a sentence
that is cut out and pasted into another document takes its proof along, where a reference to another
sentence's footnote would be left behind and break. So there are as many footnotes as the sentences
have markers.
"""

from __future__ import annotations

import io
import re
import zipfile
from itertools import count
from pathlib import Path
from unicodedata import bidirectional
from xml.sax.saxutils import escape, quoteattr

from assistant.exporting.values import Export, ExportedAnswer, Footnote, Work
from assistant.exporting.wording import WORDINGS, Wording, address_of, one_line
from assistant.workspace.turns import KeptSentence

_NAMESPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

#: The parts that are the same in each file, in the order in which they stand in it, and what they
#: are called in the folder `parts`. After ECMA-376, part 1: the names of parts and of relationships
#: are in 11.3, the elements in 17.
_PARTS = {
    "[Content_Types].xml": "content_types",
    "_rels/.rels": "relationships",
    "word/_rels/document.xml.rels": "document_relationships",
    "word/settings.xml": "settings",
    "word/numbering.xml": "numbering",
    "word/styles.xml": "styles",
}
_BOLD = "<w:b/><w:bCs/>"
_LANGUAGE = re.compile("[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_ITALIC = "<w:i/><w:iCs/>"
_RAISED = '<w:rStyle w:val="FootnoteReference"/>'
_SPACE = '<w:r><w:t xml:space="preserve"> </w:t></w:r>'
# Without it the references 1 and 2 would be 12.
_COMMA = f'<w:r><w:rPr>{_RAISED}</w:rPr><w:t xml:space="preserve">, </w:t></w:r>'
_SECTION = (
    '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1418" w:right="1418"'
    ' w:bottom="1418" w:left="1418" w:header="709" w:footer="709" w:gutter="0"/></w:sectPr>'
)
# The lines above footnotes, which the settings name.
_LINES = "".join(
    f'<w:footnote w:type="{kind}" w:id="{number}"><w:p><w:pPr><w:spacing w:after="0"/></w:pPr>'
    f"<w:r><w:{kind}/></w:r></w:p></w:footnote>"
    for number, kind in ((-1, "separator"), (0, "continuationSeparator"))
)
# The numbering of all bullets, behind which are those of numbered lists.
_BULLETS = 1
_NUMBERED = (
    '<w:num w:numId="{}"><w:abstractNumId w:val="1"/><w:lvlOverride w:ilvl="0">'
    '<w:startOverride w:val="{}"/></w:lvlOverride></w:num>'
)
# The earliest that a ZIP can tell: the same export has the same bytes, whenever it is made.
_TIME = (1980, 1, 1, 0, 0, 0)


def as_docx(export: Export) -> bytes:
    """An export as a Word file (Office Open XML). Questions are headings, so that Word's navigation
    shows them, and stay on a page with what follows."""
    say = WORDINGS[export.language]
    footnotes = _Footnotes(export, say)
    title = one_line(export.title) or say.untitled
    lists: list[int] = []
    body = [_line("Title", title)]
    if lapsed := say.lapsed_in(export):
        body.append(_line("Remark", lapsed))
    for answer in export.answers:
        if not export.is_titled_by_question:
            body.append(_line("Heading2", answer.question))
        body += _answer(answer, footnotes, lists, say)
    cited = export.cited
    if cited:
        body.append(_line("Heading2", say.sources))
    for work in cited:
        runs = _SPACE.join([_run(say.named(work)), *_address(work, say)])
        body.append(_paragraph("Bibliography", say.named(work), runs))
    folder = Path(__file__).with_name("parts")
    parts = {
        name: (folder / f"{part}.xml").read_text(encoding="utf-8").rstrip()
        for name, part in _PARTS.items()
    }
    numbered = "".join(map(_NUMBERED.format, count(_BULLETS + 1), lists))
    ends = "</w:numbering>"
    parts |= {
        "word/numbering.xml": parts["word/numbering.xml"].replace(ends, numbered + ends),
        "word/document.xml": f"{_DECLARATION}<w:document {_NAMESPACE}><w:body>{''.join(body)}"
        f"{_SECTION}</w:body></w:document>",
        "word/footnotes.xml": f"{_DECLARATION}<w:footnotes {_NAMESPACE}>{_LINES}"
        f"{''.join(footnotes.written)}</w:footnotes>",
        "docProps/core.xml": f"{_DECLARATION}<cp:coreProperties xmlns:cp="
        '"http://schemas.openxmlformats.org/package/2006/metadata/core-properties"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>{escape(title)}</dc:title></cp:coreProperties>",
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in parts.items():
            entry = zipfile.ZipInfo(name, _TIME)
            entry.create_system = 0  # whichever system makes it
            archive.writestr(entry, text, zipfile.ZIP_DEFLATED)
    return file.getvalue()


class _Footnotes:
    """The footnotes so far, in order."""

    def __init__(self, export: Export, say: Wording) -> None:
        self.written: list[str] = []
        self._works = export.works
        self._say = say

    def add(self, footnote: Footnote) -> str:
        """One more: the reference to it, as a run."""
        say, citation, number = self._say, footnote.citation, len(self.written) + 1
        work = self._works[citation.document_id]
        before, lapse = say.placed(work, footnote), say.lapse(footnote)
        runs = [
            f"<w:r><w:rPr>{_RAISED}</w:rPr><w:footnoteRef/></w:r>",
            _run(before),
            _run(say.quote(citation.quote), language=work.language),
            *([_run(lapse, _BOLD)] if lapse else []),
            *_address(work, say),
        ]
        text = _paragraph("FootnoteText", before, _SPACE.join(runs))
        self.written.append(f'<w:footnote w:id="{number}">{text}</w:footnote>')
        return f'<w:r><w:rPr>{_RAISED}</w:rPr><w:footnoteReference w:id="{number}"/></w:r>'


def _answer(
    answer: ExportedAnswer, footnotes: _Footnotes, lists: list[int], say: Wording
) -> list[str]:
    """The paragraphs of an answer, below its question; `lists` are the numbered ones so far, each
    by the number that it begins with, to which its own are added."""
    made = [_line("Remark", line, keep=bool(answer.blocks)) for line in say.above(answer)]
    above = 0  # the number of the item right above
    for block in answer.blocks:
        if block.heading:
            made.append(_line("Heading3", block.heading))
            above = 0
        notes = [_notes(answer, sentence, footnotes, say) for sentence in block.sentences]
        if not block.items:
            texts = [say.said(sentence) for sentence in block.sentences]
            runs = _SPACE.join(_run(text) + note for text, note in zip(texts, notes, strict=True))
            made.append(_paragraph("Normal", texts[0], runs))
            above = 0
            continue
        for number, text in say.items(block):
            if number and not (above and number == above + 1):
                lists.append(number)
            style, list_ = ("ListNumber", len(lists)) if number else ("ListBullet", 0)
            made.append(_paragraph(style, text, _run(text), list_=list_))
            above = number
        made[-1] = made[-1].removesuffix("</w:p>") + f"{notes[0]}</w:p>"
    made += (_line("Remark", line) for line in say.below(answer))
    label = f"{_run(say.comment, _BOLD)}{_SPACE}"
    for line in filter(one_line, answer.comment.splitlines()):
        made.append(_paragraph("ReaderComment", line, label + _run(line)))
        label = ""
    return made


def _notes(
    answer: ExportedAnswer, sentence: KeptSentence, footnotes: _Footnotes, say: Wording
) -> str:
    """What stands behind a sentence: that it lacks support, and the references to its footnotes, as
    runs."""
    flagged = say.flags.get(sentence.verdict)
    flag = f"{_SPACE}{_run(flagged, _ITALIC)}" if flagged else ""
    return flag + _COMMA.join(
        footnotes.add(answer.footnotes[marker]) for marker in sentence.markers
    )


def _address(work: Work, say: Wording) -> list[str]:
    """A link to a work and when it was read there, where it is on the web."""
    if not work.address:
        return []
    link = quoteattr(f'HYPERLINK "{address_of(work)}"')
    shown = _run(address_of(work), '<w:rStyle w:val="Hyperlink"/>')
    accessed = say.accessed_on(work)
    return [
        f"<w:fldSimple w:instr={link}>{shown}</w:fldSimple>",
        *([_run(accessed)] if accessed else []),
    ]


def _line(style: str, text: str, *, keep: bool = False) -> str:
    return _paragraph(style, text, _run(text), keep=keep)


def _paragraph(style: str, text: str, runs: str, *, keep: bool = False, list_: int = 0) -> str:
    """A paragraph of runs; where `text`, which it begins with, runs from the right, so does it.
    `keep`: on one page with the next; `list_`: of those that are numbered, which it is in."""
    kept = "<w:keepNext/>" if keep else ""
    number = f'<w:numPr><w:numId w:val="{_BULLETS + list_}"/></w:numPr>' if list_ else ""
    turned = "<w:bidi/>" if _from_the_right(text) else ""
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{kept}{number}{turned}</w:pPr>{runs}</w:p>'


def _run(text: str, properties: str = "", language: str = "") -> str:
    """Text on one line, all in the same properties."""
    if _from_the_right(text):
        properties += "<w:rtl/>"
    if _LANGUAGE.fullmatch(language):
        code = f'"{language}"'
        properties += f"<w:lang w:val={code} w:eastAsia={code} w:bidi={code}/>"
    shown = escape(one_line(text))
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{shown}</w:t></w:r>'


def _from_the_right(text: str) -> bool:
    """Whether the first letter of a text is of a script that runs from the right."""
    kinds = map(bidirectional, text)
    return next((kind for kind in kinds if kind in ("L", "R", "AL")), "L") != "L"
