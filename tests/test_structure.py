"""The house keeps its shape: what imports what, and what is offered to others."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import PATIENCE, ROOT

import assistant
import index

PACKAGES = ("index", "assistant", "evals")

# Each dependency has one home, where its errors become ours.
HOMES = {
    "bm25s": {"index.bm25"},
    "chromadb": {"index.store.chroma"},
    "filelock": {"index.store.locks", "assistant.feedback"},
    "gradio": {"assistant.web.server"},
    "ir_measures": {"evals.metrics.metrics"},
    "jinja2": {"evals.reporting.report"},
    "llama_index": {"assistant.llm.client", "assistant.llama_index"},
    "markdown_it": {"index.chunking.markdown"},
    "onnxruntime": {"assistant.retrieval.reading_model"},
    "mcp": {"assistant.web.mcp"},
    "matplotlib": {"evals.reporting.plots"},
    "platformdirs": {"assistant.settings"},
    "pydantic_settings": {"assistant.settings"},
    "sentencex": {"index.chunking.sentences"},
    "Stemmer": {"index.bm25"},
    # One runs the encoder, the others may run a cross-encoder.
    "sentence_transformers": {"index.encoder", "assistant.retrieval.cross_encoders"},
    "xllamacpp": {"assistant.llm.client"},
    # The evaluation has commands of its own, which the assistant does not import.
    # So has the making of the reading model.
    "typer": {
        "assistant.cli.main",
        "assistant.cli.index",
        "evals.training.quantise",
        "evals.training.train",
        "assistant.cli.options",
        "evals.cli",
        "evals.verifier_command",
        "evals.options",
        "evals.tuning_command",
    },
}


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


def test_imports_flow_one_way() -> None:
    allowed = {
        "index": {"index"},
        "assistant": {"index", "assistant"},
        "evals": {"index", "assistant", "evals"},
    }
    for name, tree in modules().items():
        own = {top for top in (i.partition(".")[0] for i in imports(tree)) if top in PACKAGES}
        assert own <= allowed[name.partition(".")[0]], name


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
        "Sentence",
        "Status",
        "SyncReport",
        "document_from_text",
        "find_files",
        "read_document",
    ]
    for package in (assistant, index):
        assert all(hasattr(package, name) for name in package.__all__)


# What asking does not need, it does not load: each of these costs up to seconds.
IMPORTING = """
import sys
import assistant
loaded = {name.partition(".")[0] for name in sys.modules}
print(*sorted(loaded & {"gradio", "llama_index", "chromadb", "torch", "sentence_transformers"}))
"""
ASKING = """
import sys
from assistant.cli.main import main
sys.argv = ["footnote", "ask", "When was it released?", "--index-dir", sys.argv[1]]
try:
    main()
finally:
    loaded = {name.partition(".")[0] for name in sys.modules}
    print("loaded:", *sorted(loaded & {"evals", "gradio", "llama_index"}))
"""


def test_importing_loads_nothing_heavy() -> None:
    assert python(IMPORTING).split() == []


def test_asking_loads_neither_the_page_nor_llama_index(tmp_path: Path) -> None:
    assert python(ASKING, str(tmp_path)).splitlines()[-1].split()[1:] == []


def python(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode in (0, 3), done.stderr
    return done.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_types_are_shipped(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()
