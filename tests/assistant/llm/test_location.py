"""What FOOTNOTE_LLM may say, and what is told where it says something else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from assistant import Assistant
from assistant.llm.client import check_setting
from assistant.llm.discovery import Endpoint, locate
from assistant.settings import load_settings, models_folder
from index.errors import SettingsError


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that one is in; the data folder is another."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


@pytest.mark.parametrize(
    ("llm", "address", "model"),
    [
        ("ollama:llama3.2", "http://127.0.0.1:11434/v1", "llama3.2"),
        ("ollama:llama3.2:1b", "http://127.0.0.1:11434/v1", "llama3.2:1b"),
        (" Ollama: llama3.2 ", "http://127.0.0.1:11434/v1", "llama3.2"),
        ("lmstudio:qwen/qwen3-8b", "http://127.0.0.1:1234/v1", "qwen/qwen3-8b"),
        ("llamacpp:", "http://127.0.0.1:8080/v1", None),
        ("llamacpp:qwen3.gguf", "http://127.0.0.1:8080/v1", "qwen3.gguf"),
        ("vllm:Qwen/Qwen3-8B", "http://127.0.0.1:8000/v1", "Qwen/Qwen3-8B"),
        ("http://10.0.0.5:8000/v1", "http://10.0.0.5:8000/v1", None),
        ("https://models.example/v1#big/m:1", "https://models.example/v1", "big/m:1"),
    ],
)
def test_a_server_and_its_model(llm: str, address: str, model: str | None) -> None:
    assert locate(llm) == Endpoint(address, model)


@pytest.mark.parametrize(
    ("llm", "told"),
    [
        ("ollama", "does not say which of Ollama's models is meant. Give ollama:NAME"),
        ("ollama:", "Give ollama:NAME"),
        ("vllm: ", "Give vllm:NAME"),
        ("llamacpp", "Give llamacpp:, with the colon"),
        ("olama:llama3.2", r"\(ollama:NAME, lmstudio:NAME, llamacpp:, vllm:NAME\)"),
        ("llama3.2", "neither an address"),
        ("", "neither an address"),
        ("localhost:11434/v1", r"Did you mean http://localhost:11434/v1\?"),
        ("ftp://host/v1", "neither an address"),
        ("http://", "Give http://host:port/v1"),
        ("http:///v1", "Give http://host:port/v1"),
        ("http://host:port/v1", "Give http://host:port/v1"),
        ("http://[::1/v1", "Give http://host:port/v1"),
        ("http://host:99999/v1", "Give http://host:port/v1"),
        ("~nobody-of-this-name/a.gguf", "there is no file"),
        ("a\0.gguf", "there is no file"),
        ("a" * 5000 + ".gguf", "there is no file"),
    ],
)
def test_what_to_give_instead_is_told(here: Path, llm: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told) as error:
        locate(llm)
    assert "FOOTNOTE_LLM" in str(error.value)


def test_a_file_is_looked_for_by_its_name_here_and_among_the_models(here: Path) -> None:
    with pytest.raises(SettingsError) as error:
        locate("small.gguf")
    assert f"in {here} or in {models_folder()}" in str(error.value)
    models_folder().mkdir(parents=True)
    (models_folder() / "small.gguf").touch()
    assert locate("small.gguf") == models_folder() / "small.gguf"
    (here / "small.gguf").touch()
    assert locate("small.gguf") == here / "small.gguf"
    # By its path there only.
    with pytest.raises(SettingsError, match=r"no file .*/sub/small\.gguf"):
        locate("sub/small.gguf")
    (here / "sub").mkdir()
    (here / "sub" / "small.gguf").touch()
    assert locate("sub/small.gguf") == here / "sub" / "small.gguf"
    assert locate(str(here / "sub" / "small.gguf")) == here / "sub" / "small.gguf"


@pytest.mark.parametrize("given", [True, False])
def test_python_takes_the_names_that_the_command_takes(tmp_path: Path, given: bool) -> None:
    folder = tmp_path / "index"
    settings = load_settings(llm="none") if given else None
    with pytest.raises(SettingsError, match="ollama:NAME"):
        Assistant.open(index_dir=folder, settings=settings, llm="ollama:")
    assert not folder.exists()  # it is told before anything is indexed
    with Assistant.open(index_dir=folder, settings=settings, llm="ollama:llama3.2") as opened:
        assert opened.writer_name == "llama3.2"
        assert opened.settings.index_dir == folder


def test_the_name_of_what_writes(assistant: Assistant, tmp_path: Path) -> None:
    small = tmp_path / "small.gguf"
    small.touch()
    for llm, name in (
        ("ollama:llama3.2", "llama3.2"),
        (str(small), "small"),
        ("http://ann:secret@127.0.0.1:9/v1", "127.0.0.1:9"),
        ("none", None),
    ):
        chosen = load_settings(index_dir=assistant.settings.index_dir, llm=llm)
        other = Assistant(assistant.index, assistant.document_ids, chosen)
        assert other.writer_name == name
        assert other.for_documents(other.document_ids, write=False).writer_name is None
    assert assistant.writer_name is None


@pytest.mark.parametrize(
    ("package", "llm"),
    [("llama_index.llms.openai_like", "ollama:llama3.2"), ("xllamacpp", "small.gguf")],
)
def test_what_has_to_be_installed_is_told_at_once(
    here: Path, monkeypatch: pytest.MonkeyPatch, package: str, llm: str
) -> None:
    (here / "small.gguf").touch()
    settings = load_settings(index_dir=here / "index", llm=llm)
    check_setting(settings)
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    with pytest.raises(SettingsError, match=r"pip install 'footnote-assistant\[llm\]'"):
        check_setting(settings)
    check_setting(load_settings(llm="none"))
