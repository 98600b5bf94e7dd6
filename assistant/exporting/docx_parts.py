"""The parts of a Word file that are the same in each: what is in it, styles, settings, lists.

After ECMA-376, part 1: the names of parts and of relationships are in 11.3, the elements in 17.
"""

from __future__ import annotations

DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
NAMESPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_OWN = ("styles", "settings", "numbering", "footnotes")

_CONTENT_TYPES = f"""<Types xmlns="{_PACKAGE}/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/word/document.xml" ContentType="{_WORD}.document.main+xml"/>
<Override PartName="/docProps/core.xml"
 ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>
{"".join(f'<Override PartName="/word/{own}.xml" ContentType="{_WORD}.{own}+xml"/>' for own in _OWN)}
</Types>"""

_RELATIONS = f"""<Relationships xmlns="{_PACKAGE}/relationships">
<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="word/document.xml"/>
<Relationship Id="rId2" Type="{_PACKAGE}/relationships/metadata/core-properties"
 Target="docProps/core.xml"/>
</Relationships>"""

_OF_DOCUMENT = f"""<Relationships xmlns="{_PACKAGE}/relationships">
{
    "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/{own}" Target="{own}.xml"/>'
        for n, own in enumerate(_OWN, start=1)
    )
}
</Relationships>"""

# The footnotes -1 and 0 are the lines above footnotes, which `docx.py` writes.
_SETTINGS = f"""<w:settings {NAMESPACE}>
<w:footnotePr><w:footnote w:id="-1"/><w:footnote w:id="0"/></w:footnotePr>
<w:compat><w:compatSetting w:name="compatibilityMode"
 w:uri="http://schemas.microsoft.com/office/word" w:val="15"/></w:compat>
</w:settings>"""

_NUMBERING = f"""<w:numbering {NAMESPACE}>
<w:abstractNum w:abstractNumId="0"><w:multiLevelType w:val="singleLevel"/>
<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="bullet"/><w:lvlText w:val="•"/>
<w:lvlJc w:val="left"/><w:pPr><w:ind w:left="360" w:hanging="360"/></w:pPr></w:lvl>
</w:abstractNum>
<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>
</w:numbering>"""

_HEADING = """<w:keepNext/><w:spacing w:before="{before}" w:after="80"/>
<w:outlineLvl w:val="{level}"/>"""


def _style(own: str, name: str, paragraph: str = "", run: str = "") -> str:
    return (
        f'<w:style w:type="paragraph" w:styleId="{own}"><w:name w:val="{name}"/>'
        '<w:basedOn w:val="Normal"/><w:qFormat/>'
        f"<w:pPr>{paragraph}</w:pPr><w:rPr>{run}</w:rPr></w:style>"
    )


def _sized(half_points: int) -> str:
    return f'<w:sz w:val="{half_points}"/><w:szCs w:val="{half_points}"/>'


BOLD = "<w:b/><w:bCs/>"
_STYLES = f"""<w:styles {NAMESPACE}>
<w:docDefaults><w:rPrDefault><w:rPr>
<w:rFonts w:ascii="Calibri" w:hAnsi="Calibri" w:cs="Arial"/>{_sized(22)}
</w:rPr></w:rPrDefault></w:docDefaults>
<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/><w:qFormat/>
<w:pPr><w:spacing w:after="120" w:line="269" w:lineRule="auto"/></w:pPr></w:style>
<w:style w:type="character" w:default="1" w:styleId="DefaultParagraphFont">
<w:name w:val="Default Paragraph Font"/></w:style>
{_style("Title", "Title", '<w:keepNext/><w:spacing w:after="240"/>', BOLD + _sized(40))}
{_style("Heading1", "heading 1", _HEADING.format(before=360, level=0), BOLD + _sized(28))}
{_style("Heading2", "heading 2", _HEADING.format(before=200, level=1), BOLD + _sized(23))}
{
    _style(
        "ListBullet",
        "List Bullet",
        '<w:numPr><w:numId w:val="1"/></w:numPr><w:contextualSpacing/>',
    )
}
{_style("Remark", "Remark", run="<w:i/><w:iCs/>")}
{
    _style(
        "ReaderComment",
        "Reader's comment",
        '<w:pBdr><w:left w:val="single" w:sz="18" w:space="8" w:color="8FA8C8"/></w:pBdr>'
        '<w:ind w:left="284"/>',
        '<w:color w:val="2F4A6D"/>',
    )
}
{_style("Bibliography", "Bibliography", '<w:ind w:left="425" w:hanging="425"/>')}
{
    _style(
        "FootnoteText",
        "footnote text",
        '<w:spacing w:after="20" w:line="240" w:lineRule="auto"/>',
        _sized(18),
    )
}
<w:style w:type="character" w:styleId="FootnoteReference"><w:name w:val="footnote reference"/>
<w:rPr><w:vertAlign w:val="superscript"/></w:rPr></w:style>
<w:style w:type="character" w:styleId="Hyperlink"><w:name w:val="Hyperlink"/>
<w:rPr><w:color w:val="0563C1"/><w:u w:val="single"/></w:rPr></w:style>
</w:styles>"""

#: By the name of the part, in the order in which they stand in the file.
PARTS = {
    "[Content_Types].xml": _CONTENT_TYPES,
    "_rels/.rels": _RELATIONS,
    "word/_rels/document.xml.rels": _OF_DOCUMENT,
    "word/settings.xml": _SETTINGS,
    "word/numbering.xml": _NUMBERING,
    "word/styles.xml": _STYLES,
}
