"""Files into documents: which ones, in which encoding, and what the errors say."""

# Typographic quotes are meant as they stand.
# ruff: noqa: RUF001

import os
import random
from contextlib import suppress
from pathlib import Path

import pytest
from helpers import SEEDS
from hypothesis import given
from hypothesis import strategies as st

from index.chunking.layout import with_bullets
from index.errors import EmptyDocumentError, MissingPathError, NotTextError, UnreadableError
from index.models import document_id, text_hash
from index.readers.loader import document_from_text, read_document

#: What Markdown takes for marks.
PIECES = ["- ", "1. ", "\n", "\n\n", "    ", "> ", "```\n", "| a | b |\n|-|-|\n", "<div>\n", "<b>"]
PIECES += ["# ", "**", "_", "[a](b)", "![", "[^1]", "{: .x}", "`", "<!--", "-->", "---\n", "&lt;"]

SEED = SEEDS / "000_4ee72bb1d8602485.txt"


def test_the_seed() -> None:
    document = read_document(SEED)
    assert document.title == document.source.rpartition("/")[2]  # it begins with no heading
    assert len(document.paragraphs) == 32
    headings = list(dict.fromkeys(p.heading for p in document.paragraphs))
    assert headings == [
        (),
        ("Japanese Thinking on the Japan-US Alliance",),
        ("India and the Quad",),
        ("US Strategy toward the Indo-Pacific",),
        ("South Korea on the Eve of Its Election",),
        ("Sino-Russian Relations",),
        ("How has the relationship evolved?",),
        ("How strong are bilateral relations today?",),
        ("What is the balance between national interests, ideology, or identities in relations?",),
        ("How closely do they work together in Central Asia?",),
        ("What will be the impact of Russia’s “Turn to the East”?",),
        ("How will Japan respond to a Ukraine conflict?",),
        ("What will China do to capitalize on new strife between Russia and the West?",),
        ("Gabuev on Sino-Russian Relations",),
    ]
    sentences = [s.text for p in document.paragraphs for s in p.sentences]
    assert "No." in sentences
    assert "SHARE" not in sentences
    assert "." not in sentences


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize(
    "text", ["Café “x”.\r\nTwo.\rThree.", "日本語。😀", "A\x0bb\x0cc\x85d\u2028e"]
)
def test_utf8(tmp_path: Path, bom: bytes, text: str) -> None:
    (tmp_path / "a.txt").write_bytes(bom + text.encode())
    document = read_document(tmp_path / "a.txt")
    assert document.text == text
    assert document.hash == text_hash(text)
    assert document.source == str((tmp_path / "a.txt").resolve())
    assert document.id == document_id(document.source)


TYPED = "Café “x” is 😀.\r\n"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-16", TYPED),
        ("utf-16-le", TYPED),
        ("utf-16-be", TYPED),
        ("utf-16-be", f"\ufeff{TYPED}"),
        ("cp1252", "It’s “café”."),
        ("latin-1", "café and \x81 here."),
        ("cp932", "名前,年齢,住所\n佐藤太郎,30,東京\n"),
        ("euc_jp", "フェリーは九時に出る。船は大きい。"),
        ("big5", "渡輪九點鐘離開布倫納。它很大。"),
        (
            "gb18030",
            "渡轮九点钟离开布伦纳。面包师每个星期四烤黑麦面包，面包店在港口旁边的旧海关里。" * 3,
        ),
        ("euc_kr", "여객선은 아홉 시에 브레나를 떠난다."),
        ("cp1251", "Паром в Бренну отправляется утром в девять часов и идёт два часа."),
        ("koi8_r", "Паром в Бренну отправляется утром в девять часов."),
        ("cp1253", "Το πλοίο φεύγει στις εννέα το πρωί."),
    ],
)
def test_other_encodings(tmp_path: Path, encoding: str, text: str) -> None:
    (tmp_path / "a.txt").write_bytes(text.encode(encoding))
    assert read_document(tmp_path / "a.txt").text == text.removeprefix("\ufeff")


@pytest.mark.parametrize("content", [b"\x7fELF\x02\x01\x01\0\0\0\0", bytes(range(256)), b"a\0b c"])
def test_binary(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(NotTextError, match=r"a\.txt"):
        read_document(tmp_path / "a.txt")


@pytest.mark.parametrize("content", [b"", b" \r\n\t\n", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("name", ["a.txt", "a.md"])
def test_empty(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(EmptyDocumentError, match=name):
        read_document(tmp_path / name)


@given(st.text(st.characters(codec=None)))
def test_any_text_is_a_document_or_empty(text: str) -> None:
    if text.strip():
        assert document_from_text(text, "/a").text == with_bullets(text)
        assert len(with_bullets(text)) == len(text)
    else:
        with pytest.raises(EmptyDocumentError):
            document_from_text(text, "/a")


@given(st.text(st.characters(codec=None)), st.lists(st.sampled_from(PIECES)), st.randoms())
def test_any_markdown_is_a_document_or_empty(
    text: str, pieces: list[str], chance: random.Random
) -> None:
    whole = list(text) + pieces
    chance.shuffle(whole)
    with suppress(EmptyDocumentError):
        document_from_text("".join(whole), "/a", markdown=True).check()


def test_lone_surrogates_and_titles() -> None:
    assert document_from_text("# A \ud800\n\nB \udfff.", "/x/a.md", markdown=True).paragraphs
    assert document_from_text("It is. \ud83d It was.", "/x/a.txt").title == "a.txt"
    assert document_from_text("It is.", "/x/a.txt", title="Given").title == "Given"


def test_markdown_by_suffix(tmp_path: Path) -> None:
    for name, title in (("a.md", "Top"), ("b.MARKDOWN", "Top"), ("c.txt", "c.txt")):
        (tmp_path / name).write_text("# Top\n\nIt is so.", encoding="utf-8")
        assert read_document(tmp_path / name).title == title


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(MissingPathError, match="nowhere"):
        read_document(tmp_path / "nowhere")
    with pytest.raises(UnreadableError):
        read_document(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Text.", encoding="utf-8")
    (tmp_path / "a.txt").chmod(0)
    with pytest.raises(UnreadableError, match=r"a\.txt"):
        read_document(tmp_path / "a.txt")
