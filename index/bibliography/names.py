"""What is told of works, and of which kind they are, as each format calls it."""

from __future__ import annotations

#: The texts of `DocumentMetadata`: their names in CSL, for Zotero and in BibTeX; of several names
#: the first that is there counts.
FIELDS = {
    "container": (
        "container-title",
        "publicationTitle bookTitle proceedingsTitle encyclopediaTitle dictionaryTitle "
        "websiteTitle blogTitle",
        "journaltitle journal booktitle maintitle",
    ),
    "publisher": (
        "publisher",
        "publisher university institution",
        "publisher school institution organization",
    ),
    "place": ("publisher-place", "place", "location address"),
    "volume": ("volume", "volume", "volume"),
    "issue": ("issue number", "issue reportNumber number", "number issue"),
    "edition": ("edition", "edition", "edition"),
    "isbn": ("ISBN", "ISBN", "isbn"),
    "page_range": ("page", "pages", "pages"),
}

# CSL's name; RIS's; what is written in BibTeX; and Zotero's names and BibTeX's (see Zotero's own
# mapping).
_KINDS = """
article-journal     JOUR    article        journalArticle article
article-magazine    MGZN    article        magazineArticle
article-newspaper   NEWS    article        newspaperArticle
article             -       misc           preprint
book                BOOK    book           book proceedings collection
chapter             CHAP    incollection   bookSection inbook incollection
paper-conference    CPAPER  inproceedings  conferencePaper inproceedings conference
thesis              THES    phdthesis      thesis phdthesis mastersthesis
report              RPRT    techreport     report techreport
webpage             ELEC    misc           webpage online electronic
post-weblog         -       misc           blogPost
entry-encyclopedia  ENCYC   incollection   encyclopediaArticle
entry-dictionary    -       misc           dictionaryEntry
patent              PAT     misc           patent
dataset             DATA    misc           dataset
standard            -       misc           standard
manuscript          -       misc           manuscript unpublished
speech              -       misc           presentation
"""
_ROWS = [row.split() for row in _KINDS.strip().splitlines()]
RIS = {csl: ris for csl, ris, *_ in _ROWS if ris != "-"}
BIBTEX = {csl: bibtex for csl, _, bibtex, *_ in _ROWS}
CSL = {name: csl for csl, _, _, *names in _ROWS for name in names}
