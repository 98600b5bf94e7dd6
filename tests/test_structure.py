"""The house keeps its shape: one home for each dependency, and what is offered. What may import
what, import-linter says (`make check`)."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from helpers import ROOT, ran

import assistant
import index

PACKAGES = ("index", "assistant", "evals")

#: Each dependency has one home, where its errors become ours.
HOMES = {
    "bm25s": "index.terms.analysis",
    "charset_normalizer": "index.chunking.decoding",
    "chromadb": "index.store.chroma index.store.chroma_server",
    "docling": "index.readers.rich_text",
    "docx": "evals.benchmark.structure",
    "filelock": "index.store.vectors",
    "gradio": "assistant.web.app",
    "httpx": "assistant.llm.client assistant.llm.discovery "
    "assistant.service.fetching evals.running.endpoint index.store.chroma_server",
    "itsdangerous": "assistant.access.logins",
    "jinja2": "assistant.api.openapi evals.reporting.report",
    "limits": "assistant.access.quotas",
    "liteparse": "index.readers.pdf.reader",
    "llama_index": "assistant.llm.client assistant.llama_index",
    "lxml": "index.readers.open_document index.readers.rich_text index.readers.word",
    "markdown_it": "assistant.web.help index.readers.markdown",
    "onnxruntime": "assistant.retrieval.reading_model",
    "mcp": "assistant.mcp.server",
    "oxmsg": "index.readers.mail",
    "pathspec": "index.readers.files",
    "platformdirs": "assistant.settings",
    "prometheus_client": "assistant.serving.metrics",
    "py3langid": "index.chunking.language",
    "pydantic_settings": "assistant.settings",
    "PIL": "index.readers.pictures",
    "pypdf": "evals.benchmark.structure",
    # Each in a process of its own.
    "pypdfium2": "assistant.web.rendering evals.benchmark.structure index.readers.pdf.pdfium",
    "cv2": "index.readers.ocr.recogniser",
    "python_calamine": "index.readers.tables",
    "rapidocr": "index.readers.ocr.recogniser",
    "selectolax": "index.readers.html",
    "sentencex": "index.chunking.sentences",
    "Stemmer": "index.terms.analysis",
    "uvicorn": "assistant.api.runner",
    "stop_words": "index.chunking.language",
    # One runs the encoder, the other may run a cross-encoder.
    "sentence_transformers": "index.encoder",
    "striprtf": "index.readers.rtf",
    "xllamacpp": "assistant.llm.client",
    "threadpoolctl": "index.computing",
    "watchfiles": "assistant.service.watching",
    # The evaluation has commands of its own, which the assistant does not import, and so has the
    # making of the reading model.
    "typer": "assistant.cli.help assistant.cli.index assistant.cli.keys assistant.cli.llm "
    "assistant.cli.main assistant.cli.notebooks assistant.cli.options assistant.cli.system "
    "evals.benchmark.structure evals.cli.main "
    "evals.fitting.calibration evals.fitting.kinds evals.fitting.verifier "
    "evals.training.checker evals.training.encoder "
    "evals.training.reading_model evals.training.real_documents",
}


def imports(tree: ast.AST) -> Iterator[str]:
    """Full names of what is imported, anywhere in the module, but for type checking."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield from imports(node)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            yield node.module


def test_each_dependency_has_one_home_and_folders_import_nothing_by_themselves() -> None:
    homes = defaultdict(set)
    for file in (file for package in PACKAGES for file in (ROOT / package).rglob("*.py")):
        *folders, name = file.relative_to(ROOT).with_suffix("").parts
        imported = {one.partition(".")[0] for one in imports(ast.parse(file.read_bytes()))}
        assert not (imported and folders[1:] and name == "__init__"), file
        module = ".".join([*folders, name])
        for top in imported & HOMES.keys():
            homes[top].add(module)
    assert homes == {top: set(named.split()) for top, named in HOMES.items()}


def test_what_is_offered() -> None:
    names = "Answer AnswerSentence Assistant Citation FootnoteError Settings"
    assert assistant.__all__ == names.split()
    assert (
        index.__all__
        == (
            "Document DocumentInfo FootnoteError Hit Index Paragraph SearchResult Sentence Status "
            "SyncReport View document_from_text find_files read_document"
        ).split()
    )
    for package in (assistant, index):
        assert all(hasattr(package, name) for name in package.__all__)


# What is not needed is not loaded: each of these costs up to seconds. One process goes the way from
# the import of the package to an answer, and says at each step what it has loaded of these.
STEPS = """
import sys
def tell(*heavy):
    loaded = {name.partition(".")[0] for name in sys.modules}
    print("loaded:", *sorted(loaded.intersection(heavy)))

import assistant
tell("gradio", "llama_index", "chromadb", "torch", "sentence_transformers")
import assistant.cli.main
tell("evals", "httpx", "numpy", "scipy", "pydantic_settings")
import assistant.api.runner, assistant.service.service
tell("gradio", "llama_index", "mcp", "torch")
question = "When was the US Indo-Pacific strategy released?"
sys.argv = ["footnote", "ask", question, "--index-dir", sys.argv[1]]
try:
    assistant.cli.main.main()
finally:
    tell("evals", "gradio", "llama_index", "transformers")
"""


def test_nothing_heavy_is_loaded_that_is_not_needed(tmp_path: Path) -> None:
    """Neither by importing the package, nor by the command itself, of which help and what a shell
    completes need the least, nor by serving without the page, nor by asking."""
    done = ran([sys.executable, "-c", STEPS, tmp_path])
    assert done.returncode in (0, 3), done.stderr
    told = [line for line in done.stdout.splitlines() if line.startswith("loaded:")]
    assert told == ["loaded:"] * 4
