"""What a reference manager has exported tells of documents, and of the right ones."""

from __future__ import annotations

import json
import shutil
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
from index.models import DocumentMetadata

FERRY = "# Crossing to Brenna\n\nThe ferry to Brenna leaves at nine."
IMPRINT = DocumentMetadata(
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
#: Indexes files and folders; gives the title and metadata of each by its path's end.
Synced = Callable[..., dict[str, tuple[str, DocumentMetadata]]]
TITLE = "The North Sea harbours: a long résumé"

#: The same entry as each reference manager exports it, and a document that tells its DOI.
ENTRY = Path(__file__).with_name("exports")
[CSL] = json.loads((ENTRY / "csl.json").read_text(encoding="utf-8"))


def bibtex(path: str = "") -> str:
    return (ENTRY / "bibtex.bib").read_text(encoding="utf-8").replace("FILE", path)


def csl(path: str = "") -> str:
    return json.dumps([CSL | ({"file": path} if path else {})])


def better(path: str = "") -> str:
    export = json.loads((ENTRY / "better_bibtex.json").read_text(encoding="utf-8"))
    export["items"][0]["attachments"] = [{"path": path, "title": "PDF"}] if path else []
    return json.dumps(export, indent=2)


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
def papers(tmp_path: Path) -> Path:
    (tmp_path / "papers").mkdir()
    return tmp_path / "papers"


@pytest.fixture
def index(folder: Path, cheap: CheapEncoder, opened: Opened) -> Index:
    return opened(folder, encoder=cheap)


@pytest.fixture
def synced(index: Index) -> Synced:
    def sync(*paths: Path, **how: Any) -> dict[str, tuple[str, DocumentMetadata]]:
        index.sync(read_raw_documents(paths, **how), keep=True)
        infos = index.documents()
        return {"/".join(Path(i.source).parts[-2:]): (i.title, i.metadata) for i in infos}

    return sync


@EXPORTS
def test_an_export_is_read_whole(name: str, written: Callable[[str], str]) -> None:
    content = written("storage/ABCD1234/Full Text.md").encode()
    assert is_export(name, content)
    [exported] = read_export(content, name)
    assert (exported.entry.title, exported.entry.metadata) == (TITLE, IMPRINT)
    assert exported.files == ("storage/ABCD1234/Full Text.md",)


def test_files_in_bibtex_are_parted() -> None:
    field = r"Full Text:/a/b.pdf:application/pdf;C\:\\Users\\me\\c\;d.pdf;e/f.pdf;:g.pdf:PDF"
    [exported] = read_export(bibtex(field).encode(), "my.bib")
    assert exported.files == ("/a/b.pdf", r"C:\Users\me\c;d.pdf", "e/f.pdf", "g.pdf")


@EXPORTS
@pytest.mark.parametrize("path", ["{storage}", "storage", "/Users/ann/Zotero/storage"])
def test_documents_are_told_of_by_their_paths(
    storage: Path, synced: Synced, name: str, written: Callable[[str], str], path: str
) -> None:
    path = path.format(storage=storage) + "/ABCD1234/Full Text.md"
    (storage.parent / name).write_text(written(path))
    found = synced(storage)
    assert found["ABCD1234/Full Text.md"] == (TITLE, IMPRINT)
    assert found["EFGH5678/Full Text.md"] == ("Full Text.md", DocumentMetadata())
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
    papers: Path, synced: Synced, name: str, path: str
) -> None:
    (papers / name).write_text(FERRY)
    (papers / "my.bib").write_text(bibtex(path))
    (papers / "Rossi - 2020 - The North Sea harbours a long résumé.md").write_text("Another one.")
    found = synced(papers)
    assert found.pop(f"papers/{name}")[1].key == "solheim2021"
    assert [metadata.key for _, metadata in found.values()] == [""]


def test_a_name_that_two_files_have_tells_nothing(storage: Path, synced: Synced) -> None:
    (storage.parent / "my.bib").write_text(bibtex("files/1/Full Text.md"))
    assert {metadata.key for _, metadata in synced(storage).values()} == {""}


def test_a_pdf_is_told_of_by_its_doi(papers: Path, synced: Synced) -> None:
    shutil.copy(ENTRY / "download.pdf", papers)
    (papers / "my.json").write_text(csl())
    assert synced(papers)["papers/download.pdf"] == (TITLE, IMPRINT)


def test_a_changed_export_changes_what_is_told_and_embeds_nothing(
    storage: Path, index: Index, cheap: CheapEncoder, synced: Synced
) -> None:
    name = "ABCD1234/Full Text.md"
    assert synced(storage)[name] == ("Crossing to Brenna", DocumentMetadata())
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
    assert synced(storage)[name] == ("Crossing", DocumentMetadata())
    assert cheap.embedded == embedded + 2  # the paragraph that is new, and its heading


@pytest.mark.parametrize("text", [bibtex("a.pdf")[:-20], csl()[:-5], "[" * 5000 + csl()])
def test_a_damaged_export_is_told_and_documents_are_read(
    storage: Path, synced: Synced, text: str
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
    [exported] = read_export(json.dumps([item, 5, None]).encode(), "my.json")
    assert (exported.entry.title, exported.entry.metadata.address) == ("A title", "")
    with pytest.raises(UnreadableError):
        read_export(b"[\xff]", "my.json")
