"""`footnote doctor` tells what is there and what is to be mended, and nothing that is secret."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from helpers import footnote, run_footnote

from assistant.cli import diagnosis
from assistant.settings import PREFIX, Settings, is_secret
from index.about import VERSION
from index.database.database import FILE
from index.store.chroma_server import ServerAddress

#: Of the document that ships: in its name, its title and its text.
OF_DOCUMENT = ("4ee72bb1d8602485", "Northeast Asia", "February 11")


def told(*arguments: str | Path, code: int, **environment: str) -> dict[str, tuple[str, str]]:
    """State and what was found, by what was looked at."""
    report = json.loads(footnote("doctor", "--json", *arguments, code=code, **environment).stdout)
    assert report["sound"] == (code == 0)
    return {one["about"]: (one["state"], one["found"]) for one in report["findings"]}


def test_where_nothing_was_indexed_all_is_well_and_nothing_is_made(tmp_path: Path) -> None:
    found = told("--index-dir", tmp_path / "none", code=0)
    assert {state for state, _ in found.values()} == {"ok"}
    assert f"{VERSION}, Python" in found["footnote"][1]
    assert "chromadb" in found["libraries"][1]
    assert found["index"][1].startswith("none yet")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(("free", "state"), [(10, "mend"), (500, "note"), (5000, "ok")])
def test_a_disk_that_is_nearly_full_is_told(
    free: int, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=free * 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert diagnosis._disk(tmp_path / "not" / "yet")[0] == state


def test_an_index_is_looked_at_and_not_told_of(folder: Path) -> None:
    done = footnote("doctor", "--index-dir", folder)
    assert "ok    index           sound, in its folder: 1 documents, 32 paragraphs" in done.stdout
    assert not [text for text in OF_DOCUMENT if text in done.stdout]
    assert str(Path.home()) not in done.stdout


@pytest.mark.parametrize("damage", ["database", "end of the database", "vectors"])
def test_damage_is_told_and_all_else_is_looked_at(
    damage: str, folder: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "index"
    shutil.copytree(folder, copy)
    if damage == "vectors":
        next((copy / "vectors").glob("*.f32")).write_bytes(b"spoilt")
    else:
        file = copy / FILE
        content = file.read_bytes()
        half = len(content) // 2
        broken = b"spoilt " * (half // 7) + content[half:]
        file.write_bytes(broken if damage == "database" else content[:half])
    found = told("--index-dir", copy, code=3)
    state, text = found.pop("index")
    assert state == "mend"
    assert "footnote index rebuild" in text or "from a backup" in text
    assert {state for state, _ in found.values()} == {"ok"}
    assert not [part for part in OF_DOCUMENT if part in text]


def test_an_index_that_another_process_writes_is_looked_at(folder: Path) -> None:
    with closing(sqlite3.connect(folder / FILE)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert told("--index-dir", folder, code=0)["index"][0] == "ok"


def test_an_index_on_servers_is_checked_and_a_server_that_is_away_is_told(
    chroma: ServerAddress, postgres_address: str, tmp_path: Path
) -> None:
    environment = {"FOOTNOTE_CHROMA": chroma.url, "FOOTNOTE_INDEX_DIR": str(tmp_path)}
    environment["FOOTNOTE_DATABASE"] = postgres_address
    footnote("search", "Japan", **environment)
    state, text = told(code=0, **environment)["index"]
    assert state == "ok"
    assert "on a Chroma server: 1 documents, 32 paragraphs" in text
    for name, nowhere in (
        ("FOOTNOTE_CHROMA", "http://127.0.0.1:9"),
        ("FOOTNOTE_DATABASE", "postgresql://ann@127.0.0.1:9/footnote"),
    ):
        state, text = told(code=3, **environment | {name: nowhere})["index"]
        assert state == "mend"
        assert f"set {name} to where it is" in text


def test_no_secret_is_shown(tmp_path: Path) -> None:
    secrets = {
        "FOOTNOTE_AUTH": "ben:hush",
        "FOOTNOTE_CHROMA": "http://127.0.0.1:9",
        "FOOTNOTE_CHROMA_HEADERS": '{"Authorization": "Bearer hush"}',
        "FOOTNOTE_DATABASE": "postgresql://ben:hush@127.0.0.1:9/footnote",
        "FOOTNOTE_LLM": "http://ben:hush@127.0.0.1:9/v1",
        "FOOTNOTE_LLM_API_KEY": "hush",
    }
    secret = {PREFIX + name.upper() for name in Settings.model_fields if is_secret(name)}
    assert secret <= secrets.keys()
    done = footnote("doctor", code=3, **secrets)
    assert "hush" not in done.stdout + done.stderr
    for wrong in ("http://ben:hush@127.0.0.1:port/v1", "http://ben:hush@[/v1"):
        done = footnote("doctor", code=3, FOOTNOTE_LLM=wrong)
        assert "mend  language model" in done.stdout
        assert "hush" not in done.stdout
    # Nor one of the wrong kind, in the file.
    (tmp_path / "config.toml").write_text("llm_api_key = 112233\n")
    done = footnote("doctor", code=3, FOOTNOTE_CONFIG=str(tmp_path / "config.toml"))
    assert "mend  settings        The setting llm_api_key is not allowed" in done.stdout
    assert "112233" not in done.stdout


def test_settings_that_are_wrong_are_told_and_what_does_not_need_them_is_checked() -> None:
    found = told(code=3, FOOTNOTE_MAX_SENTENCE="3")
    assert found["settings"][0] == "mend"
    assert "Did you mean FOOTNOTE_MAX_SENTENCES?" in found["settings"][1]
    assert found["libraries"][0] == "ok"
    found = told(code=3, FOOTNOTE_RATE="nonsense")
    assert found["settings"][0] == "mend"
    assert "600/minute" in found["settings"][1]


def test_a_model_that_is_not_here_is_told_and_not_fetched(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hub:
        done = run_footnote(
            "doctor", "--json", "--index-dir", tmp_path, code=3,
            FOOTNOTE_ENCODER="nobody/nothing",
            FOOTNOTE_LLM="nothing.gguf",
            HF_ENDPOINT=f"http://127.0.0.1:{hub.getsockname()[1]}",
        )  # fmt: skip
        hub.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody has come
            hub.accept()
    found = {one["about"]: one for one in json.loads(done.stdout)["findings"]}
    for model in ("encoder", "language model"):
        assert found[model]["state"] == "mend"
        assert "nothing" in found[model]["found"]
    assert found["disk"]["state"] == "ok"
    assert found["index"]["found"] == "not checked, because that takes the encoder"
