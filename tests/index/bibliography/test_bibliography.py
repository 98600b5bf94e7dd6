"""What a reference manager has exported tells of documents, and of the right ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import CheapEncoder, Opened

from assistant.documents import read_raw_documents
from index import Index
from index.bibliography.bibliography import find_exports
from index.bibliography.formats import is_export, read_export
from index.errors import DocumentError, UnreadableError
from index.models import Imprint

FERRY = "# Crossing to Brenna\n\nThe ferry to Brenna leaves at nine."
IMPRINT = Imprint(
    authors=("Solheim, Ann A.", "van der Berg, Jürgen", "Harbour Board"),
    date="2021-03",
    address="https://example.org/a_b",
    doi="10.1000/xyz_1(2)",
    key="solheim2021",
    kind="article-journal",
    container="Journal of Ports & Piers",
    volume="12",
    issue="3",
    page_range="100-120",
    accessed="2022-01-02",
)
TITLE = "The North Sea harbours: a long résumé"

BIBTEX = r"""@comment{BetterBibTeX}
@article{solheim2021,
  title = {{The {{North Sea}} harbours: a \emph{long} r{\'e}sum{\'e}}},
  author = {Solheim, Ann A. and van der Berg, J{\"u}rgen and {Harbour Board}},
  date = {2021-03}, journaltitle = {Journal of Ports \& Piers}, volume = {12}, number = {3},
  pages = {100--120}, doi = {10.1000/xyz_1(2)}, url = {https://example.org/a_b},
  urldate = {2022-01-02}, keywords = unknown, file = {FILE}
}
"""
CSL: dict[str, Any] = {
    "id": "http://zotero.org/users/1/items/A",
    "citation-key": "solheim2021",
    "type": "article-journal",
    "title": "The North Sea harbours: a <i>long</i> résumé",
    "author": [
        {"family": "Solheim", "given": "Ann A."},
        {"family": "Berg", "given": "Jürgen", "non-dropping-particle": "van der"},
        {"literal": "Harbour Board"},
    ],
    "issued": {"date-parts": [["2021", 3]]},
    "accessed": {"date-parts": [[2022, 1, 2]]},
    "container-title": "Journal of Ports & Piers",
    "volume": "12",
    "issue": 3,
    "page": "100-120",
    "DOI": "10.1000/xyz_1(2)",
    "URL": "https://example.org/a_b",
}
ZOTERO: dict[str, Any] = {
    "citationKey": "solheim2021",
    "itemType": "journalArticle",
    "title": "The North Sea harbours: a <i>long</i> résumé",
    "creators": [
        {"creatorType": "author", "lastName": "Solheim", "firstName": "Ann A."},
        {"creatorType": "author", "lastName": "van der Berg", "firstName": "Jürgen"},
        {"creatorType": "author", "name": "Harbour Board"},
        {"creatorType": "translator", "name": "Nobody"},
    ],
    "date": "2021-03",
    "accessDate": "2022-01-02T10:00:00Z",
    "publicationTitle": "Journal of Ports & Piers",
    "volume": "12",
    "issue": "3",
    "pages": "100-120",
    "DOI": "10.1000/xyz_1(2)",
    "url": "https://example.org/a_b",
}


def bibtex(path: str = "") -> str:
    return BIBTEX.replace("FILE", path)


def csl(path: str = "") -> str:
    return json.dumps([CSL | ({"file": path} if path else {})])


def better(path: str = "") -> str:
    item = ZOTERO | {"attachments": [{"path": path, "title": "PDF"}] if path else []}
    return json.dumps({"config": {"label": "BetterBibTeX JSON"}, "items": [item]}, indent=2)


EXPORTS = pytest.mark.parametrize(
    ("name", "written"), [("my.bib", bibtex), ("my.json", csl), ("my.json", better)]
)


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    """A folder of attachments, as Zotero has it, with two files of the same name."""
    for key, text in (("ABCD1234", FERRY), ("EFGH5678", "The bakery bakes rye bread.")):
        folder = tmp_path / "Zotero" / "storage" / key
        folder.mkdir(parents=True)
        (folder / "Full Text.md").write_text(text)
    return tmp_path / "Zotero" / "storage"


@pytest.fixture
def index(folder: Path, cheap: CheapEncoder, opened: Opened) -> Index:
    return opened(folder, encoder=cheap)


@pytest.fixture
def synced(index: Index) -> Callable[..., dict[str, tuple[str, Imprint]]]:
    """Indexes files and folders; gives the title and imprint of each by its path's end."""

    def sync(*paths: Path, **how: Any) -> dict[str, tuple[str, Imprint]]:
        index.sync(read_raw_documents(paths, **how), keep=True)
        infos = index.documents()
        return {"/".join(Path(i.source).parts[-2:]): (i.title, i.imprint) for i in infos}

    return sync


@EXPORTS
def test_an_export_is_read_whole(name: str, written: Callable[[str], str]) -> None:
    content = written("storage/ABCD1234/Full Text.md").encode()
    assert is_export(name, content)
    [own] = read_export(content, name)
    assert (own.entry.title, own.entry.imprint) == (TITLE, IMPRINT)
    assert own.files == ("storage/ABCD1234/Full Text.md",)


def test_files_in_bibtex_are_parted() -> None:
    field = r"Full Text:/a/b.pdf:application/pdf;C\:\\Users\\me\\c\;d.pdf;e/f.pdf;:g.pdf:PDF"
    [own] = read_export(bibtex(field).encode(), "my.bib")
    assert own.files == ("/a/b.pdf", r"C:\Users\me\c;d.pdf", "e/f.pdf", "g.pdf")


@EXPORTS
@pytest.mark.parametrize("path", ["{storage}", "storage", "/Users/ann/Zotero/storage"])
def test_documents_are_told_of_by_their_paths(
    storage: Path,
    synced: Callable[..., dict[str, tuple[str, Imprint]]],
    name: str,
    written: Callable[[str], str],
    path: str,
) -> None:
    path = path.format(storage=storage) + "/ABCD1234/Full Text.md"
    (storage.parent / name).write_text(written(path))
    found = synced(storage)
    assert found["ABCD1234/Full Text.md"] == (TITLE, IMPRINT)
    assert found["EFGH5678/Full Text.md"] == ("Full Text.md", Imprint())
    assert len(found) == 2  # the export is none of the documents


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("harbours.md", "/elsewhere/files/12/harbours.md"),  # the only one of that name
        ("solheim2021.md", ""),  # called by its key
        ("Solheim et al. - 2021 - The North Sea harbours a long résumé.md", ""),
        ("Solheim et al. - 2021 - The North Sea harbours a lo.md", ""),  # cut off
    ],
)
def test_documents_are_told_of_by_what_they_are_called(
    tmp_path: Path, synced: Callable[..., dict[str, tuple[str, Imprint]]], name: str, path: str
) -> None:
    papers = tmp_path / "papers"
    papers.mkdir()
    (papers / name).write_text(FERRY)
    (papers / "my.bib").write_text(bibtex(path))
    (papers / "Rossi - 2020 - The North Sea harbours a long résumé.md").write_text("Another one.")
    found = synced(papers)
    assert found.pop(f"papers/{name}")[1].key == "solheim2021"
    assert [imprint.key for _, imprint in found.values()] == [""]


def test_a_name_that_two_files_have_tells_nothing(
    storage: Path, synced: Callable[..., dict[str, tuple[str, Imprint]]]
) -> None:
    (storage.parent / "my.bib").write_text(bibtex("files/1/Full Text.md"))
    assert {imprint.key for _, imprint in synced(storage).values()} == {""}


def test_a_pdf_is_told_of_by_its_doi(
    tmp_path: Path, synced: Callable[..., dict[str, tuple[str, Imprint]]]
) -> None:
    shown = "BT /F1 12 Tf 20 200 Td (The ferry to Brenna leaves at nine.) Tj ET"
    page = "/Type/Page/Parent 2 0 R/MediaBox[0 0 500 300]/Contents 4 0 R"
    font = "/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    objects = (
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<<{page}{font}>>",
        f"<</Length {len(shown)}>>stream\n{shown}\nendstream",
        "<</Subject (Ports, 12 \\(2021\\) 100. doi:10.1000/XYZ_1\\(2\\))>>",
    )
    made, starts = "%PDF-1.4\n", ""
    for number, own in enumerate(objects, start=1):
        starts += f"{len(made):010} 00000 n \n"
        made += f"{number} 0 obj{own}endobj\n"
    table = f"xref\n0 6\n0000000000 65535 f \n{starts}trailer<</Size 6/Root 1 0 R/Info 5 0 R>>\n"
    papers = tmp_path / "papers"
    papers.mkdir()
    (papers / "download.pdf").write_text(f"{made}{table}startxref\n{len(made)}\n%%EOF")
    (papers / "my.json").write_text(csl())
    assert synced(papers)["papers/download.pdf"] == (TITLE, IMPRINT)


def test_a_changed_export_changes_what_is_told_and_embeds_nothing(
    storage: Path,
    index: Index,
    cheap: CheapEncoder,
    synced: Callable[..., dict[str, tuple[str, Imprint]]],
) -> None:
    name = "ABCD1234/Full Text.md"
    assert synced(storage)[name] == ("Crossing to Brenna", Imprint())
    first, embedded = index.revision, cheap.embedded
    export = storage.parent / "my.bib"
    export.write_text(bibtex(name))
    # What is in the index is not cut anew either.
    raws = read_raw_documents([storage])
    assert index.sync(raws).embedded == 0
    assert synced(storage)[name] == (TITLE, IMPRINT)
    assert index.revision != first
    for info in index.documents():
        index.document(info.id).check()

    export.write_text(bibtex(name).replace("long", "short"))
    assert synced(storage)[name][0] == "The North Sea harbours: a short résumé"
    # One file of it, away from the export, is known as before; so it is without any.
    assert synced(storage / name)[name][0] == "The North Sea harbours: a short résumé"
    export.rename(storage.parent / "kept.txt")
    assert synced(storage)[name][0] == "The North Sea harbours: a short résumé"
    # Its text changes, and what is told of it stays.
    (storage / name).write_text("# Crossing\n\nThe ferry leaves at ten.")
    assert synced(storage)[name] == ("The North Sea harbours: a short résumé", IMPRINT)
    # The export no longer has it: it speaks for itself again.
    export.write_text(bibtex("other.pdf"))
    assert synced(storage)[name] == ("Crossing", Imprint())
    assert cheap.embedded == embedded + 1


@pytest.mark.parametrize("text", [bibtex("a.pdf")[:-20], csl()[:-5], "[" * 5000 + csl()])
def test_a_damaged_export_is_told_and_documents_are_read(
    storage: Path, synced: Callable[..., dict[str, tuple[str, Imprint]]], text: str
) -> None:
    name = "ABCD1234/Full Text.md"
    suffix = ".bib" if "@" in text[:5] else ".json"
    export = (storage.parent / "my").with_suffix(suffix)
    export.write_text(bibtex(name) if suffix == ".bib" else csl(name))
    assert synced(storage)[name][0] == TITLE
    export.write_text(text)
    told: list[DocumentError] = []
    assert synced(storage, on_skip=told.append)[name][0] == TITLE  # as it was known
    assert [(error.code, Path(str(error.source)).name) for error in told] == [
        ("bibliography", export.name)
    ]
    assert "export it anew" in str(told[0])
    assert len(synced(storage)) == 2  # where nobody is told


def test_other_files_are_no_exports(tmp_path: Path) -> None:
    for name, text in {
        "package.json": '{"name": "x", "type": "module"}',
        "map.json": '[{"type": "Feature"}]',
        "notes.bib": "no entries",
        ".hidden.bib": bibtex(),
        "my.txt": bibtex(),
    }.items():
        (tmp_path / name).write_text(text)
    assert find_exports([tmp_path]) == []
    (tmp_path / "my.bib").write_text(bibtex())
    assert find_exports([tmp_path]) == [tmp_path / "my.bib"]
    assert find_exports([tmp_path], ["*.bib"]) == []
    # An export that is named alone is read as the text that it is.
    assert [raw.format for raw in read_raw_documents([tmp_path / "my.bib"])] == ["plain"]


def test_what_is_hostile_stays_text() -> None:
    item = CSL | {"title": "A\u202e \x00<b>title</b>", "URL": "javascript:alert(1)", "DOI": "none"}
    [own] = read_export(json.dumps([item, 5, None]).encode(), "my.json")
    assert (own.entry.title, own.entry.imprint.address) == ("A title", "")
    with pytest.raises(UnreadableError):
        read_export(b"[\xff]", "my.json")
