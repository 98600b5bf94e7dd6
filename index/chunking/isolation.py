"""Files are read in a process of their own, which a hostile one can end and nothing else with it.

A sheet with a cell in its first row and one in its last makes a parser ask for half a terabyte;
others make one crash, or never come to an end. The process is started with the first file, kept for
the next, and ends with the one that started it, however that ends. Requests and answers are lines
of JSON, a request with the bytes of the file behind it; nothing that comes back is run.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

from index import errors
from index.chunking.formats import FORMATS
from index.chunking.layout import Block, Heading, Layout, Place
from index.errors import DocumentError, UnreadableError

SECONDS = 300.0
"""How long a file may take: those of a thousand pages take some ten."""

MEMORY = 4 << 30
"""Bytes that reading a file may take, where the system can hold a process to it."""

_START = "import sys; sys.path[:] = {path!r}; from index.chunking.isolation import serve; serve()"


class ReadingProcess:
    """Reads files one after the other. May be used from many threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, format_name: str, content: bytes, name: str) -> Layout:
        """The layout of a file, by the reader of its format.

        Raises:
            DocumentError: as the reader does; or it takes too long, or more memory than a document
                should, or makes its reader crash.
        """
        with self._guard:
            process = self._process = self._running()
            timer = threading.Timer(SECONDS, process.kill)
            timer.daemon = True
            timer.start()
            try:
                answer = _ask(process, format_name, content, name)
            except (OSError, ValueError) as error:
                in_time = timer.is_alive()
                self._end()
                raise _failed(name, in_time) from error
            finally:
                timer.cancel()
        if "error" in answer:
            kind = getattr(errors, answer["kind"])
            raise kind(answer["error"])
        if "fault" in answer:
            raise RuntimeError(f"reading {name!r} failed:\n{answer['fault']}")
        return _layout(answer)

    def close(self) -> None:
        """End the process."""
        with self._guard:
            self._end()

    def _end(self) -> None:
        if self._process:
            self._process.kill()
            with suppress(BrokenPipeError), self._process:  # what was written and not read
                pass
            self._process = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process and self._process.poll() is None:
            return self._process
        self._end()
        path = [str(Path(own).absolute()) for own in sys.path]
        return subprocess.Popen(  # noqa: S603 (this interpreter, on this file)
            [sys.executable, "-c", _START.format(path=path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a parser that crashes writes what no user can use
        )


READING = ReadingProcess()
atexit.register(READING.close)


def _ask(
    process: subprocess.Popen[bytes], format_name: str, content: bytes, name: str
) -> dict[str, Any]:
    requests, answers = cast(BinaryIO, process.stdin), cast(BinaryIO, process.stdout)
    request = {"format": format_name, "name": name, "size": len(content)}
    requests.write(json.dumps(request).encode() + b"\n")
    requests.write(content)
    requests.flush()
    answer: dict[str, Any] = json.loads(answers.readline())  # without a line: a ValueError
    return answer


def _failed(name: str, in_time: bool) -> UnreadableError:
    if not in_time:
        return UnreadableError(
            f"{name!r} was given up after {SECONDS:.0f} seconds. Split it, or leave it out."
        )
    return UnreadableError(
        f"{name!r} takes more memory than a document should, or makes its reader crash. Open it in "
        "the program that made it, remove what stands far outside of the text or table, and save "
        "it anew; or leave it out."
    )


def _layout(answer: dict[str, Any]) -> Layout:
    parts: list[Heading | Block] = []
    for part in answer["parts"]:
        if isinstance(part[0], int):
            parts.append(Heading(*part))
        else:
            kind, spans = part
            parts.append(Block(tuple((start, end) for start, end in spans), kind))
    places = tuple(Place(*place) for place in answer["places"])
    return Layout(answer["text"], tuple(parts), answer["title"], places)


# --- in the process -------------------------------------------------------------------------------


def serve() -> None:
    """Answer requests on standard input until it ends."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    # What libraries print is no answer.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _limit_memory()
    for line in requests:
        answers.write(json.dumps(_answer(json.loads(line), requests)).encode() + b"\n")
        answers.flush()


def _answer(request: dict[str, Any], requests: BinaryIO) -> dict[str, Any]:
    content, name = requests.read(request["size"]), request["name"]
    (own,) = (own for own in FORMATS if own.name == request["format"])
    try:
        layout = own.read(content, name)
    except DocumentError as error:
        return {"kind": type(error).__name__, "error": str(error)}
    except MemoryError:
        return {"kind": "UnreadableError", "error": str(_failed(name, in_time=True))}
    except Exception:  # noqa: BLE001 (told and raised where it was asked for)
        return {"fault": traceback.format_exc()}
    return {
        "text": layout.text,
        "title": layout.title,
        "places": [(own.start, own.page, own.label) for own in layout.places],
        "parts": [
            (part.level, part.text, part.start, part.end)
            if isinstance(part, Heading)
            else (part.kind, part.spans)
            for part in layout.parts
        ],
    }


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:
        return  # Windows has no such limit
    pages = Path("/proc/self/statm")
    used = int(pages.read_text().split()[0]) * resource.getpagesize() if pages.exists() else 0
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
