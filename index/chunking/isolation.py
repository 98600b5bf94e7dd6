"""What reads or draws a file runs in a process of its own, which a hostile one can end and nothing
else with it.

A sheet with a cell in its first row and one in its last makes a parser ask for half a terabyte;
others make one crash, or never come to an end. The process is started with the first file, kept for
the next, and ends with the one that started it, however that ends. It is this interpreter anew and
not a copy: threads do not live through one. And unlike those of `multiprocessing` it does not run
the program again that started it, which may be a few lines that nothing guards.
"""

from __future__ import annotations

import atexit
import math
import os
import pickle
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from index.errors import DocumentError, UnreadableError

try:
    import resource
except ImportError:
    resource = None  # type: ignore[assignment]  # Windows has no such limits

MAX_MEMORY = 4 << 30
"""Bytes that a file may take, where the system can hold a process to it."""

_START = (
    "import sys; sys.path[:] = {path!r}; from index.chunking.isolation import serve; "
    "serve({parent}, {seconds})"
)
_ARRAYS = ("_reconstruct", "_frombuffer", "ndarray", "dtype")

_Made = TypeVar("_Made")


class IsolatedProcess:
    """Calls functions one after the other. May be used from many threads.

    Args:
        seconds: how long a call may take.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._guard = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)

    def run(
        self,
        name: str,
        function: Callable[..., _Made],
        *arguments: Any,
        on_step: Callable[[int, int], None] = lambda *_: None,
    ) -> _Made:
        """What a function makes of a file.

        Args:
            name: of the file, for messages.
            function, arguments: what is called with what; it is found by its name in its module,
                and what it returns consists of our own values and arrays.
            on_step: called with what the function reports (`report_progress`); each step may take
                as long as a call.

        Raises:
            DocumentError: as the function does; or the file takes too long, or more memory than a
                document should, or makes the function fail or crash.
        """
        with self._guard:
            process = self._running()
            timer = self._timer(process)
            try:
                assert process.stdin and process.stdout  # noqa: S101 (both are pipes)
                pickle.dump((function, arguments), process.stdin)
                process.stdin.flush()
                while len(answer := _Answers(process.stdout).load()) == 2:  # of `report_progress`
                    timer.cancel()
                    timer = self._timer(process)
                    on_step(*answer)
                made, error, fault = answer
            except BaseException as ending:
                # Whatever it was, an interrupt say, an answer that comes later is to no question.
                in_time = timer.is_alive()
                self._end()
                if isinstance(ending, (OSError, EOFError, pickle.UnpicklingError)):
                    raise _failed(name, self.seconds if not in_time else None) from ending
                raise
            finally:
                timer.cancel()
        if fault:
            raise damaged(name) from RuntimeError(fault)
        if error:
            raise error
        return made  # type: ignore[no-any-return]

    def close(self) -> None:
        """End the process."""
        with self._guard:
            self._end()

    def _timer(self, process: subprocess.Popen[bytes]) -> threading.Timer:
        timer = threading.Timer(self.seconds, process.kill)
        timer.daemon = True
        timer.start()
        return timer

    def _end(self) -> None:
        if self._process:
            self._process.kill()
            with suppress(BrokenPipeError), self._process:  # what was written and not read
                pass
            self._process = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            path = [str(Path(entry).absolute()) for entry in sys.path]
            start = _START.format(path=path, parent=os.getpid(), seconds=self.seconds)
            self._process = subprocess.Popen(  # noqa: S603 (this interpreter, on this file)
                [sys.executable, "-c", start],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # a parser that crashes writes what no user can use
            )
        return self._process


READING = IsolatedProcess(300.0)
"""Reads files: those of a thousand pages take some ten seconds."""

SCANNING = IsolatedProcess(300.0)
"""Reads files with pictures, which take seconds a page: those without do not wait for them."""


class _Answers(pickle.Unpickler):
    """Takes our own values and arrays alone: nothing that comes back is run."""

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)
        is_array = module.partition(".")[0] == "numpy" and name in _ARRAYS
        if is_array or (isinstance(found, type) and found.__module__.startswith("index.")):
            return found
        raise pickle.UnpicklingError(f"an answer holds {module}.{name}")


def damaged(name: str) -> UnreadableError:
    """The error for a file that a reader stumbles over."""
    return UnreadableError(
        f"{name!r} cannot be read: it is damaged, or otherwise not as files of its kind are. "
        "Open it in the program that made it and save it anew, or leave it out.",
        code="damaged",
    )


def _failed(name: str, seconds: float | None) -> UnreadableError:
    if seconds is not None:
        return UnreadableError(
            f"{name!r} was given up after {seconds:.0f} seconds. Split it, or leave it out.",
            code="given_up",
        )
    return UnreadableError(
        f"{name!r} takes more memory than a document should, or makes its reader crash. Open it in "
        "the program that made it, remove what stands far outside of the text or table, and save "
        "it anew; or leave it out.",
        code="given_up",
    )


# --- in the process -------------------------------------------------------------------------------


_listeners: list[Callable[[int, int], None]] = []


def report_progress(done: int, of: int) -> None:
    """Report to who waits for a function how many of its steps are done; without effect outside of
    such a process."""
    for listener in _listeners:
        listener(done, of)


def serve(parent: int, seconds: float) -> None:
    """Answer requests on standard input until it ends.

    Args:
        parent: the process that started this one, with which it ends.
        seconds: how long a request, or a step of it, may take.
    """
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")

    def answer(*told: Any) -> None:
        pickle.dump(told, answers)
        answers.flush()
        _limit_time(seconds)

    _listeners.append(answer)
    # What libraries print is no answer.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _limit_memory()
    _limit_time(seconds)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    with suppress(EOFError):
        while True:
            function, arguments = pickle.load(requests)  # noqa: S301 (of who started it)
            answer(*_answer(function, arguments))


def _end_with(parent: int) -> None:
    """End this process, whatever it is doing, when the one that started it has ended."""
    while os.name == "nt" or os.getppid() == parent:  # Windows tells it of one that has ended, too
        time.sleep(1)
    os._exit(1)


def _answer(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, Any, str]:
    try:
        return function(*arguments), None, ""
    except DocumentError as error:
        return None, error, ""
    except MemoryError:
        raise  # the process ends, and with it what it has taken
    except Exception:  # noqa: BLE001 (told where it was asked for)
        return None, None, traceback.format_exc()


def _limit_memory() -> None:
    if resource is None:
        return
    pages = Path("/proc/self/statm")
    used = int(pages.read_text().split()[0]) * resource.getpagesize() if pages.exists() else 0
    resource.setrlimit(resource.RLIMIT_AS, (used + MAX_MEMORY, used + MAX_MEMORY))


def _limit_time(seconds: float) -> None:
    """End this process where it computes on for longer than its parent, had it not ended, would
    wait: code that lets no other thread run is ended by nothing else."""
    if resource is None:
        return
    most = math.ceil(time.process_time() + seconds * (os.cpu_count() or 1))
    allowed = resource.getrlimit(resource.RLIMIT_CPU)[1]
    within = most if allowed == resource.RLIM_INFINITY else min(most, allowed)
    resource.setrlimit(resource.RLIMIT_CPU, (within, allowed))
