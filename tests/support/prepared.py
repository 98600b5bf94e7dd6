"""Processes that begin with everything imported: each is a copy of one that has imported what the
command does and has done nothing else. To import it takes a process longer than most tests do.

What is run in them is the same as in a process of its own: the same arguments, environment and
streams, and the same end.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from pathlib import Path

COMMAND = Path(sys.executable).with_name("footnote")
PATIENCE = 900.0  # as in `helpers`, which the copies need not import

#: None of these starts a thread that matters: a copy would be without it.
IMPORTED = (
    "assistant.cli.main assistant.assistant assistant.web.app assistant.api.runner "
    "assistant.mcp.server assistant.mcp.stdio chromadb.api.rust onnxruntime py3langid tokenizers "
    "torch safetensors.torch llama_index.llms.openai_like"
).split()


class Prepared:
    """A process that is a copy; of `subprocess.Popen` it has what the tests use.

    Args:
        command: the installed command or this interpreter, with arguments; the latter runs `-c` and
            what follows it, or a script.
        stderr: the descriptor to which its errors go.
        env: its environment.
        loading: of that what counts before anything is loaded, such as LD_PRELOAD.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        stderr: int,
        env: Mapping[str, str],
        loading: tuple[tuple[str, str], ...] = (),
    ) -> None:
        (input_end, written), (heard, output_end), (told, telling) = (os.pipe() for _ in range(3))
        asked = {"command": [str(part) for part in command], "env": dict(env) | dict(loading)}
        ends = [input_end, output_end, stderr, telling]
        socket.send_fds(_template(loading), [json.dumps(asked).encode()], ends)
        for end in (input_end, output_end, telling):
            os.close(end)
        self.stdin = os.fdopen(written, "w", encoding="utf-8")
        self.stdout = os.fdopen(heard, encoding="utf-8")
        self._told = os.fdopen(told)
        self.returncode: int | None = None
        self.pid = int(self._told.readline())

    def has_ended(self) -> bool:
        """Whether it has."""
        return self.returncode is not None or bool(select.select([self._told], [], [], 0)[0])

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended: its number may be another's then."""
        if not self.has_ended():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float) -> int:
        """The code with which it ends."""
        if self.returncode is None:
            if not select.select([self._told], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            self.returncode = int(self._told.readline())
        return self.returncode

    def close(self) -> None:
        """Wait for its end, and close what leads to it."""
        with suppress(BrokenPipeError):
            self.stdin.close()
        try:
            self.wait(PATIENCE)
        finally:
            self.stdout.close()
            self._told.close()


@contextmanager
def running(
    command: Sequence[str | Path], log: Path, ending: signal.Signals = signal.SIGTERM, **more: str
) -> Iterator[tuple[str, int]]:
    """As `helpers.running`, without the time that importing takes."""
    with log.open("w") as errors:
        process = Prepared(command, errors.fileno(), os.environ | more)
    try:
        line = process.stdout.readline()
        assert line.startswith("Footnote is at http://"), line + log.read_text()
        yield line.split()[3].removesuffix("api/docs"), process.pid
    finally:
        process.send_signal(ending)
        process.close()
    assert process.returncode == 0, log.read_text()
    assert "Traceback" not in log.read_text(), log.read_text()


@cache
def _template(loading: tuple[tuple[str, str], ...]) -> socket.socket:
    """Where copies are asked for; what they are copies of is started with this in its
    environment."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # The telemetry of onnxruntime, which nobody wants, would be such a thread.
    process = subprocess.Popen(
        [sys.executable, __file__, str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        env=os.environ | {"ORT_DISABLE_TELEMETRY": "1"} | dict(loading),
    )
    theirs.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def _serve(control: socket.socket) -> None:
    """Copy this process for each message, until nobody is there who asks; a copy returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that wait
    while True:
        message, ends, *_ = socket.recv_fds(control, 1 << 20, 4)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            *streams, telling = ends
            child = os.fork()
            if child == 0:
                os.close(telling)
                _become(streams, **json.loads(message))
                return
            for end in (0, 1, 2, *streams):
                os.close(end)
            os.write(telling, f"{child}\n".encode())
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            os.write(telling, f"{code}\n".encode())
            os._exit(0)
        for end in ends:
            os.close(end)


def _become(streams: Sequence[int], command: Sequence[str], env: Mapping[str, str]) -> None:
    """Be what the command would be."""
    for number, end in enumerate(streams):
        os.dup2(end, number)
        os.close(end)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, errors="backslashreplace", closefd=False)
    os.environ.clear()
    os.environ.update(env)
    tempfile.tempdir = None  # what is imported has asked for it, in another environment
    sys.argv[:] = command


def _run() -> None:
    """Run what this process has become."""
    first, *others = sys.argv
    if first == str(COMMAND):
        from assistant.cli.main import main

        main()
    elif others[0] == "-c":
        sys.argv[:] = others[:1] + others[2:]
        exec(compile(others[1], "<string>", "exec"), {"__name__": "__main__"})
    else:
        sys.argv[:] = others
        runpy.run_path(others[0], run_name="__main__")


if __name__ == "__main__":
    for name in IMPORTED:
        import_module(name)
    # Its own lock is one for all copies: one that is killed while it has it stops the others.
    import_module("tqdm").tqdm.set_lock(threading.RLock())
    gc.freeze()
    _serve(socket.socket(fileno=int(sys.argv[1])))
    _run()
