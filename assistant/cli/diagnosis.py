"""Whether all is as it should be where this runs: what `footnote doctor` tells.

What is found can be pasted where others read it: no secret, no text and no name of a document is in
it, nor the name of whoever runs this. Nothing is downloaded, and no other machine is asked but the
Chroma server that keeps the index.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, entry_points, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from assistant.access.quotas import Quotas
from assistant.llm.discovery import SERVERS, Server
from assistant.settings import PREFIX, RESERVED, Settings, load_settings
from index.about import VERSION, install_command
from index.database.database import FILE
from index.errors import FootnoteError, IndexBusyError
from index.store.chroma import MIN_FREE_BYTES

if TYPE_CHECKING:
    from index.encoder import Encoder

State = Literal["ok", "note", "mend"]
"""`ok`: as it should be; `note`: so too, and worth a word; `mend`: something is to be done."""

#: Extras for whoever works on Footnote itself.
_DEVELOPMENT = ("test", "train")
#: Those whose versions a report of a fault wants.
LIBRARIES = (
    "chromadb docling-slim gradio liteparse llama-index-core numpy onnxruntime "
    "sentence-transformers torch transformers"
).split()
#: Bytes free on a disk below which that is worth a word.
LOW_SPACE = 2**30
#: Seconds to wait for another process that uses the index, and for what listens at a port.
INDEX_TIMEOUT, CONNECT_TIMEOUT = 5.0, 2.0
PORTS = range(7860, 7960)
"""Where the page looks for a free one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look has found.

    Attributes:
        about: what was looked at.
        state: how it is.
        found: what there is, in a sentence or a list; of what is to be mended also how.
    """

    about: str
    state: State
    found: str


def findings(
    index_dir: Path | None = None,
    servers: Sequence[Server] = SERVERS,
    ports: Sequence[int] = PORTS,
) -> Iterator[Finding]:
    """Look at everything, one after the other; nothing that is wrong keeps the rest from being
    looked at.

    Args:
        index_dir: where the index is, in place of what the settings say.
        servers: where language models are looked for.
        ports: where the page would look for a free one.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a model that is not here is told, not fetched
    yield _looked("footnote", _machine)
    yield _looked("libraries", _libraries)
    yield _looked("extras", _extras)
    yield _looked("environment", _environment)
    loaded: list[Settings] = []
    yield _looked("settings", lambda: _settings(index_dir, loaded))
    for settings in loaded:
        yield from _of_settings(settings, servers)
    yield _looked("port", lambda: _port(ports))


def _of_settings(settings: Settings, servers: Sequence[Server]) -> Iterator[Finding]:
    yield _looked("disk", lambda: _disk(settings.index_dir))
    encoder: list[Encoder] = []
    yield _looked("encoder", lambda: _encoder(settings, encoder))
    yield _looked("reading model", lambda: _reader(settings))
    yield _looked("language model", lambda: _language_model(settings))
    yield _looked("models here", lambda: _offers(settings, servers))
    yield _looked("index", lambda: _index(settings, *encoder))


def _looked(about: str, look: Callable[[], tuple[State, str]]) -> Finding:
    try:
        state, found = look()
    except FootnoteError as error:
        state, found = "mend", str(error)
    except Exception as error:  # noqa: BLE001  # whatever is wrong is what is looked for
        state, found = "mend", f"This cannot be looked at: {type(error).__name__}: {error}"
    # An address may hold a password.
    found = re.sub(r"(?<!\S)((?>\S*?//))\S*@", r"\1…@", " ".join(found.split()))
    home = str(Path.home())
    return Finding(about, state, found.replace(home, "~") if len(home) > 1 else found)


def _machine() -> tuple[State, str]:
    system = f"{platform.system()} {platform.release()} ({platform.machine()})"
    with suppress(OSError):  # not every system has such a file
        system = f"{platform.freedesktop_os_release()['PRETTY_NAME']}, {system}"
    memory = ""
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", ()):
        pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
        memory = f", {pages * size / 2**30:.0f} GiB of memory"
    python = f"Python {platform.python_version()}"
    return "ok", f"{VERSION}, {python}, {system}, {os.cpu_count()} cores{memory}"


def _libraries() -> tuple[State, str]:
    if lacks := _lacking():
        return "mend", f"Not as Footnote needs them: {', '.join(lacks)}. Run: {install_command()}"
    return "ok", ", ".join(f"{name} {_installed(name) or '(none)'}" for name in LIBRARIES)


def _extras() -> tuple[State, str]:
    found = _distribution()
    named = found.metadata.get_all("Provides-Extra") or [] if found else []
    extras = {name: not _lacking(name) for name in named if name not in _DEVELOPMENT}
    have = ", ".join(name for name, is_there in extras.items() if is_there) or "none"
    others = [f"for {name}: {install_command(name)}" for name in extras if not extras[name]]
    return "ok", "; ".join([f"{have} installed", *others])


def _lacking(extra: str = "") -> list[str]:
    """The packages that an extra alone needs, or that Footnote cannot do without, and that are not
    there as they are needed: each with the versions that will do, and the one that is there."""
    from packaging.requirements import Requirement

    lacks = []
    found = _distribution()
    for one in map(Requirement, (found.requires if found else None) or []):
        is_basic = one.marker is None or one.marker.evaluate({"extra": ""})
        is_of_extra = one.marker is not None and one.marker.evaluate({"extra": extra})
        if not (is_basic if not extra else is_of_extra and not is_basic):
            continue
        there = _installed(one.name)
        if there is None or not one.specifier.contains(there, prereleases=True):
            what = f"{there} is installed" if there else "not installed"
            lacks.append(f"{one.name}{one.specifier} ({what})")
    return lacks


def _installed(package: str) -> str | None:
    """The version of a package; None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _distribution() -> Distribution | None:
    """What has put the command where it is; None of a copy that was not installed."""
    found = entry_points(group="console_scripts", name="footnote")
    return next((one.dist for one in found if one.module == "assistant.cli.main"), None)


def _environment() -> tuple[State, str]:
    given = [name for name in sorted(os.environ) if name.upper().startswith(PREFIX)]
    return "ok", ", ".join(map(_variable, given)) or f"no variable {PREFIX}… is set"


def _variable(name: str) -> str:
    """A variable, with its value where that can hold no secret and no name of a file."""
    field = Settings.model_fields.get(name.upper().removeprefix(PREFIX).lower())
    if field is None:
        return f"{name} (set)" if name.upper() in RESERVED else f"{name} (no setting)"
    kinds = get_args(field.annotation) or (field.annotation,)
    plain = all(kind in (int, float, bool, type(None)) or isinstance(kind, str) for kind in kinds)
    return f"{name}={os.environ[name]}" if plain else f"{name} (set)"


def _settings(index_dir: Path | None, loaded: list[Settings]) -> tuple[State, str]:
    """Leaves the settings in `loaded`."""
    settings = load_settings(index_dir=index_dir)
    loaded.append(settings)
    Quotas(settings.rate)  # refuses one that is none
    names = ", ".join(sorted(settings.model_fields_set)) or "none"
    told = f"{'from a file too' if settings.file else 'no file'}; set: {names}"
    return "ok", told


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
    """Leaves the encoder in `loaded`."""
    encoder = settings.load_encoder()
    loaded.append(encoder)
    return "ok", f"{_model(settings.encoder)}, fingerprint {encoder.fingerprint}"


def _reader(settings: Settings) -> tuple[State, str]:
    from assistant.retrieval.reading_model import load_reader
    from assistant.verification.checker import load_entailer

    load_reader(settings.reader)
    judge = load_entailer(settings.verifier)
    named = _model(settings.verifier) if judge else "their words alone"
    judged = f"written sentences are judged by {named}"
    return "ok", f"{_model(settings.reader)}; {judged}"


def _language_model(settings: Settings) -> tuple[State, str]:
    from assistant.llm.check_results import kept
    from assistant.llm.client import check_setting, is_set, name_of
    from assistant.llm.discovery import Endpoint, first_model, locate

    if not is_set(settings):
        return "ok", "none set: documents are quoted"
    check_setting(settings)
    name, where = name_of(settings), locate(str(settings.llm), settings.llm_model)
    if isinstance(where, Endpoint):
        if not where.is_local:
            name += ", on another machine, which is not asked here"
        elif first_model(where.address) is None:
            told = "no server at its address lists models. Start the server of that model"
            return "mend", f"{name} is set, and {told}, or set {PREFIX}LLM to another."
    result = kept(settings)
    if result is None:
        return "note", f"{name}; not checked yet: footnote llm check"
    state: State = "ok" if result.passed else "note"
    return state, f"{name}; {'passed' if result.passed else 'failed'} its check ({result.counts})"


def _offers(settings: Settings, servers: Sequence[Server]) -> tuple[State, str]:
    from assistant.llm.discovery import NONE, find_offers

    if settings.llm == NONE:
        return "ok", f"not looked for, as {PREFIX}LLM has it"
    offers = find_offers(servers, CONNECT_TIMEOUT)
    return "ok", ", ".join(offer.setting for offer in offers) or "no server of language models runs"


def _index(settings: Settings, encoder: Encoder | None = None) -> tuple[State, str]:
    if encoder is None:
        return "note", "not looked at, for that takes the encoder"
    folder = settings.index_dir.expanduser()
    if settings.chroma is None and not (folder / FILE).exists():
        return "ok", "none yet; it is made when a document is first read"
    where = "in its folder" if settings.chroma is None else "on a Chroma server"
    patient = settings.model_copy(update={"wait": min(settings.wait, INDEX_TIMEOUT)})
    try:
        with closing(patient.open_index(encoder=lambda *_: encoder, migrate=False)) as index:
            index.check()
            status = index.status()
    except IndexBusyError as error:
        return "note", f"Not looked at: {error}"
    return "ok", (
        f"sound, {where}: {status.documents:,} documents, {status.paragraphs:,} paragraphs, "
        f"{status.bytes / 2**20:,.0f} MiB on this disk"
    )


def _port(ports: Sequence[int]) -> tuple[State, str]:
    free = next((port for port in ports if _is_free(port)), None)
    if free == ports[0]:
        return "ok", f"{free} is free for the page"
    who = f"{_who_answers(ports[0])} at {ports[0]}"
    if free is None:
        return "mend", f"{who}, and none is free up to {ports[-1]}. Give another with --port."
    return "note", f"{who}; the next page takes {free}"


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _who_answers(port: int) -> str:
    import httpx

    try:
        with httpx.Client(trust_env=False, timeout=CONNECT_TIMEOUT) as client:
            told = client.get(f"http://127.0.0.1:{port}/api/openapi.json").json()["info"]
        if told["title"] == "Footnote":
            return f"Footnote {told['version']} answers"
    except (httpx.HTTPError, ValueError, LookupError, TypeError):
        pass  # another program
    return "another program listens"


def _model(name: str) -> str:
    """The name of a model; of one in a folder not even that."""
    return "one in a folder of its own" if Path(name).expanduser().exists() else name
