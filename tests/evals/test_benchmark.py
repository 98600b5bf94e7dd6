"""The benchmark, on a size that takes a moment."""

from __future__ import annotations

import json
import re
import sys
from contextlib import closing
from pathlib import Path

import pytest
from question_sets import Eval, write

from assistant.settings import WITHOUT_SERVER, load_settings
from evals.benchmark.corpus import corpus_of, recombined, sentences_of
from evals.benchmark.sizes import index_size
from index.errors import QuestionSetError


@pytest.mark.long
def test_the_benchmark_measures_each_size(
    footnote_eval: Eval, postgres_address: str, tmp_path: Path
) -> None:
    out, html = tmp_path / "out.json", tmp_path / "out.html"
    options = ["--paragraphs", "40", "--rounds", "1", "--served", postgres_address]
    footnote_eval("benchmark", *options, "--json", out, "--html", html)
    sizes = json.loads(out.read_text())["sizes"]
    assert [size.pop("served") for size in sizes] == [False, True]
    assert [size.pop("server_mib") is None for size in sizes] == [True, sys.platform != "linux"]
    for size in sizes:
        assert size.pop("recombined") is False
        assert (size.pop("beside_failed"), size.pop("worst_failed")) == (0, 0)
        assert size["paragraphs"] == 40
        assert size["resync_paragraphs"] == 1
        assert all(value > 0 for value in size.values() if not isinstance(value, dict))
        assert list(size["crowds"]) == ["8", "50"]
        for crowd in size["crowds"].values():
            assert crowd["answers"] > 0
            assert 0 < crowd["p50_ms"] <= crowd["p95_ms"]
    assert "40 served" in html.read_text()
    assert "http" not in re.sub(r"http://www\.w3\.org/[\w/]+", "", html.read_text())


@pytest.mark.parametrize(("sentences", "paragraphs"), [(None, 60), (9, 200)])
def test_recombined_vectors_make_an_index_that_finds_what_was_encoded(
    tmp_path: Path, sentences: int | None, paragraphs: int
) -> None:
    """Where every sentence is known too."""
    documents, _ = corpus_of([])
    made = recombined(sentences_of(documents)[:sentences], paragraphs)
    settings = {**WITHOUT_SERVER, "index_dir": tmp_path / "index"}
    size = index_size(settings, made, recombined_vectors=True)
    assert (size["recombined"], size["paragraphs"]) == (True, paragraphs)
    wanted = made[0].paragraphs[7]
    with closing(load_settings(**settings).open_index()) as index:
        assert index.search(wanted.text, 1).hits[0].paragraph.text == wanted.text


def test_a_corpus_too_small_for_the_size_is_told(tmp_path: Path) -> None:
    file = write(tmp_path / "small.txt", "The mill burned down in eighteen seventy-one.")
    with pytest.raises(QuestionSetError, match="1 sentences make 1 different paragraphs, not 50"):
        documents, _ = corpus_of([file])
        recombined([s.text for p in documents[0].paragraphs for s in p.sentences], 50)
