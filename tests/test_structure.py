"""The house keeps its shape: no circles, one home for each dependency, and what is offered. What
may import what, import-linter says (`make check`)."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from helpers import ROOT, ran

import assistant
import index

PACKAGES = ("index", "assistant", "evals")

MIGRATIONS = ("0001_what_people_keep", "0002_documents")

# Each dependency has one home, where its errors become ours.
HOMES = {
    "alembic": {
        "index.database.migrations.env",
        "index.database.migrations.run",
        *(f"index.database.migrations.versions.{own}" for own in MIGRATIONS),
    },
    "bm25s": {"index.terms.analysis"},
    "charset_normalizer": {"index.chunking.decoding"},
    "chromadb": {"index.store.chroma", "index.store.chroma_server"},
    "docling": {"index.readers.rich_text"},
    "filelock": {"index.store.former", "index.store.vectors", "assistant.workspace.feedback"},
    "gradio": {"assistant.web.app"},
    "httpx": {
        "assistant.cli.diagnosis",
        "assistant.llm.client",
        "assistant.llm.discovery",
        "assistant.service.fetching",
        "evals.running.endpoint",
        "index.store.chroma_server",
    },
    "ir_measures": {"evals.metrics.metrics"},
    "itsdangerous": {"assistant.access.logins"},
    "jinja2": {"assistant.api.openapi", "evals.reporting.report"},
    "limits": {"assistant.access.callers"},
    "liteparse": {"index.readers.pdf.reader"},
    "llama_index": {"assistant.llm.client", "assistant.llama_index"},
    "lxml": {"index.readers.rich_text"},
    "markdown_it": {"assistant.help.rendering", "index.readers.markdown"},
    "onnxruntime": {"assistant.retrieval.reading_model"},
    "mcp": {"assistant.mcp.server"},
    "matplotlib": {"evals.reporting.plots"},
    "oxmsg": {"index.readers.mail"},
    "packaging": {"assistant.cli.diagnosis"},
    "pathspec": {"index.readers.files"},
    "platformdirs": {"assistant.settings"},
    "prometheus_client": {"assistant.serving.metrics"},
    "py3langid": {"index.chunking.language"},
    "pydantic_settings": {"assistant.settings"},
    "PIL": {"index.readers.pictures"},
    "pybtex": {"index.bibliography.formats"},
    # Each in a process of its own.
    "pypdfium2": {"assistant.web.rendering", "index.readers.pdf.pdfium"},
    "cv2": {"index.readers.ocr.recogniser"},
    "python_calamine": {"index.readers.tables"},
    "rapidocr": {"index.readers.ocr.recogniser"},
    "selectolax": {"index.readers.html"},
    "sentencex": {"index.chunking.sentences"},
    "Stemmer": {"index.terms.analysis"},
    "structlog": {"assistant.serving.logs"},
    "uvicorn": {"assistant.api.runner"},
    "stop_words": {"index.chunking.language"},
    # One runs the encoder, the other may run a cross-encoder.
    "sentence_transformers": {"index.encoder", "assistant.retrieval.reading_model"},
    "striprtf": {"index.readers.rich_text"},
    "xllamacpp": {"assistant.llm.client"},
    "threadpoolctl": {"index.computing"},
    "watchfiles": {"assistant.service.watching"},
    # The evaluation has commands of its own, which the assistant does not import, and so has the
    # making of the reading model.
    "typer": {
        "assistant.cli.help",
        "assistant.cli.index",
        "assistant.cli.keys",
        "assistant.cli.llm",
        "assistant.cli.main",
        "assistant.cli.notebooks",
        "assistant.cli.options",
        "assistant.cli.system",
        "evals.cli.asking",
        "evals.cli.fitting",
        "evals.cli.main",
        "evals.cli.options",
        "evals.training.encoder",
        "evals.training.encoder_weights",
        "evals.training.making",
        "evals.training.quantise",
        "evals.training.real_documents",
        "evals.training.train",
    },
}


@cache
def modules() -> dict[str, ast.Module]:
    found = {}
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found[name] = ast.parse(file.read_text(encoding="utf-8"), str(file))
    return found


def imports(tree: ast.AST, types: bool = True) -> Iterator[str]:
    """Full names of what is imported, anywhere in the module; `types`: also for type checking."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and not types:
            continue
        yield from imports(node, types)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            yield node.module


def edges() -> Iterator[tuple[str, str]]:
    """Which module imports which, wherever in it and for whatever."""
    known = modules()
    for name, tree in known.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                imported = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                # `from evals import cli` is of the module, `from index import Hit` of the package.
                named = [f"{node.module}.{alias.name}" for alias in node.names]
                imported = [n if n in known else node.module for n in named]
            else:
                continue
            for other in imported:
                if other in known and other != name:
                    yield name, other


def test_nothing_imports_itself_in_a_circle() -> None:
    graph = defaultdict(set)
    for name, other in edges():
        graph[name].add(other)
    TopologicalSorter(graph).prepare()  # raises CycleError and names the circle


def test_folders_import_nothing_by_themselves() -> None:
    for name, tree in modules().items():
        if (ROOT / name.replace(".", "/") / "__init__.py").is_file() and "." in name:
            assert not list(imports(tree)), name


def test_each_dependency_has_one_home() -> None:
    homes = defaultdict(set)
    for name, tree in modules().items():
        for imported in imports(tree, types=False):
            top = imported.partition(".")[0]
            if top in HOMES:
                homes[top].add(name)
    assert dict(homes) == HOMES


def test_what_is_offered() -> None:
    assert assistant.__all__ == [
        "Answer",
        "AnswerSentence",
        "Assistant",
        "Citation",
        "FootnoteError",
        "Settings",
    ]
    assert index.__all__ == [
        "Document",
        "DocumentInfo",
        "FootnoteError",
        "Hit",
        "Index",
        "Paragraph",
        "SearchResult",
        "Sentence",
        "Status",
        "SyncReport",
        "View",
        "document_from_text",
        "find_files",
        "read_document",
    ]
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
    done = ran([sys.executable, "-c", STEPS, str(tmp_path)])
    assert done.returncode in (0, 3), done.stderr
    told = [line for line in done.stdout.splitlines() if line.startswith("loaded:")]
    assert told == ["loaded:"] * 4


@pytest.mark.parametrize("package", PACKAGES)
def test_types_are_shipped(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()
