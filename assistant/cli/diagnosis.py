"""The checks of `footnote doctor`.

Findings can be pasted where others read them: no secret, no text and no name of a document is in
them, nor the name of whoever runs this. Nothing is downloaded, and the only other machine that is
asked is the server that keeps the index.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from assistant.access.quotas import Quotas
from assistant.settings import PREFIX, Settings, load_settings
from index.about import VERSION
from index.database.database import FILE
from index.encoder import Encoder, load_encoder
from index.errors import FootnoteError, IndexBusyError
from index.store.chroma import MIN_FREE_BYTES

#: `ok`: as it should be; `note`: so too, and worth a word; `mend`: something is to be done.
State = Literal["ok", "note", "mend"]

#: The packages whose versions a report of a fault needs.
LIBRARIES = "chromadb gradio numpy onnxruntime sentence-transformers torch transformers".split()
#: Bytes free on a disk below which that is worth a word.
LOW_SPACE = 2**30
#: Seconds to wait for another process that uses the index.
INDEX_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check.

    Attributes:
        about: the name of the check.
        state: whether something is to be done.
        found: a sentence or a list; what to do, if something is to be done.
    """

    about: str
    state: State
    found: str


def findings(index_dir: Path | None = None) -> Iterator[Finding]:
    """Run all checks, one after the other; a check that fails does not keep the rest from running.

    Args:
        index_dir: the folder of the index, in place of the one in the settings.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a missing model is reported, not fetched
    system = f"Python {platform.python_version()}, {platform.platform()}, {os.cpu_count()} cores"
    yield Finding("footnote", "ok", f"{VERSION}, {system}")
    yield _checked("libraries", _libraries)
    loaded: list[Settings] = []
    yield _checked("settings", lambda: _settings(index_dir, loaded))
    if not loaded:
        return
    settings, encoders = loaded[0], list[Encoder]()
    yield _checked("disk", lambda: _disk(settings.index_dir))
    yield _checked("encoder", lambda: _encoder(settings, encoders))
    yield _checked("language model", lambda: _language_model(settings))
    yield _checked("index", lambda: _index(settings, *encoders))


def _checked(about: str, check: Callable[[], tuple[State, str]]) -> Finding:
    try:
        state, found = check()
    except FootnoteError as error:
        state, found = "mend", str(error)
    except Exception as error:  # noqa: BLE001  # any fault is what is looked for
        state, found = "mend", f"This cannot be checked: {type(error).__name__}: {error}"
    # An address may hold a password.
    found = re.sub(r"(?<!\S)((?>\S*?//))\S*@", r"\1…@", " ".join(found.split()))
    home = str(Path.home())
    return Finding(about, state, found.replace(home, "~") if len(home) > 1 else found)


def _libraries() -> tuple[State, str]:
    return "ok", ", ".join(f"{name} {version(name)}" for name in LIBRARIES)


def _settings(index_dir: Path | None, loaded: list[Settings]) -> tuple[State, str]:
    """Check the settings, and leave them in `loaded`."""
    settings = load_settings(index_dir=index_dir)
    loaded.append(settings)
    Quotas(settings.rate)  # refuses a malformed rate
    names = ", ".join(sorted(settings.model_fields_set)) or "none"
    return "ok", f"{'from a file too' if settings.file else 'no file'}; set: {names}"


def _disk(folder: Path) -> tuple[State, str]:
    folder = folder.expanduser().absolute()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    told = f"{free / 2**30:.1f} GiB free where {folder} is"
    if not os.access(there, os.W_OK | os.X_OK):
        return "mend", f"{folder} cannot be written. Choose another with {PREFIX}INDEX_DIR."
    if free < MIN_FREE_BYTES:
        return "mend", f"{told}. Free some room, or choose another with {PREFIX}INDEX_DIR."
    return ("note" if free < LOW_SPACE else "ok"), told


def _encoder(settings: Settings, loaded: list[Encoder]) -> tuple[State, str]:
    """Check the encoder, and leave it in `loaded`."""
    encoder = load_encoder(settings.encoder)
    loaded.append(encoder)
    return "ok", f"loaded, fingerprint {encoder.fingerprint}"


def _language_model(settings: Settings) -> tuple[State, str]:
    from assistant.llm.client import check_setting, is_set, name_of
    from assistant.llm.discovery import Endpoint, first_model, locate

    if not is_set(settings):
        return "ok", "none set: documents are quoted"
    check_setting(settings)
    name, where = name_of(settings), locate(str(settings.llm))
    if isinstance(where, Endpoint) and not where.is_local:
        return "ok", f"{name}, on another machine, which is not asked here"
    if isinstance(where, Endpoint) and first_model(where.address) is None:
        told = "no server at its address lists models. Start the server of that model"
        return "mend", f"{name} is set, and {told}, or set {PREFIX}LLM to another."
    return "ok", f"{name}; footnote llm check tells whether it reads well enough"


def _index(settings: Settings, encoder: Encoder | None = None) -> tuple[State, str]:
    if encoder is None:
        return "note", "not checked, because that takes the encoder"
    folder = settings.index_dir.expanduser()
    if settings.chroma is None and not (folder / FILE).exists():
        return "ok", "none yet; it is made when a document is first read"
    where = "in its folder" if settings.chroma is None else "on a Chroma server"
    try:
        index = settings.open_index(encoder=lambda _: encoder, migrate=False, wait=INDEX_TIMEOUT)
        with closing(index):
            index.check()
            status = index.status()
    except IndexBusyError as error:
        return "note", f"Not checked: {error}"
    return "ok", (
        f"sound, {where}: {status.documents:,} documents, {status.paragraphs:,} paragraphs, "
        f"{status.bytes / 2**20:,.0f} MiB on this disk"
    )
