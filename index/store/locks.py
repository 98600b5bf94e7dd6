"""One process at a time works with an index.

The lock is held for the length of one operation (a search, a whole sync), not for the life of a
process, so a chat page and a command can share an index. A revision beside the lock tells a process
that another one has changed the index since it last looked.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from index.errors import IndexBusyError, IndexFullError, UnreadableError


class ProcessLock:
    """The lock and the revision of the index in `folder`.

    Args:
        folder: where `lock` and `holder` lie.
        wait: seconds to wait for another process before giving up.
        on_wait: called once with a sentence to show when there is a wait.
    """

    def __init__(
        self, folder: Path, wait: float, on_wait: Callable[[str], None] | None = None
    ) -> None:
        """Take nothing yet."""
        self.folder = folder
        self.wait = wait
        self._on_wait = on_wait
        # filelock counts its holders without a lock of its own: two threads that come at once would
        # both open the file, and one would find it taken by its own process. So it is counted here.
        self._lock = filelock.FileLock(folder / "lock", thread_local=False)
        self._guard = threading.Lock()
        self._holds = 0

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep other processes out. Nests, and is shared by the threads that use this object.

        Raises:
            IndexBusyError: another process (or another lock object in this one) still holds the
                index after the wait.
            UnreadableError: the folder cannot be written.
            IndexFullError: the disk has no room for the lock.
        """
        deadline = time.monotonic() + self.wait
        with self._guard:
            if self._holds == 0:
                # Another thread may have waited meanwhile: nobody waits twice as long.
                self._acquire(max(0.0, deadline - time.monotonic()))
            self._holds += 1
        try:
            yield
        finally:
            with self._guard:
                self._holds -= 1
                if self._holds == 0:
                    # By force: an interrupt may have come between acquiring and counting.
                    self._lock.release(force=True)

    def _acquire(self, wait: float) -> None:
        try:
            try:
                self._lock.acquire(timeout=0)
            except filelock.Timeout:
                if self._on_wait:
                    self._on_wait(f"Waiting for {self._holder()}, which is using this index …")
                self._lock.acquire(timeout=wait)
        except filelock.Timeout:
            raise IndexBusyError(
                f"The index in {self.folder} is in use by {self._holder()}; waited "
                f"{self.wait:.0f} s. Let it finish or stop it, or choose another --index-dir."
            ) from None
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise IndexFullError(
                    f"The disk is full: {self.folder} cannot be written. Free some room, or choose "
                    "another --index-dir, and run the same command again."
                ) from error
            raise UnreadableError(
                f"The index folder {self.folder} cannot be written ({error.strerror or error}). "
                "Choose another with --index-dir."
            ) from error
        self._sign()

    def _sign(self) -> None:
        """Note who holds the lock, for the message another process will show."""
        note = {"pid": os.getpid(), "command": Path(sys.argv[0]).name, "since": time.time()}
        file = self.folder / "holder"
        try:
            if not file.exists() or json.loads(file.read_text())["pid"] != os.getpid():
                file.write_text(json.dumps(note))
        except (OSError, ValueError, KeyError, TypeError):
            return  # the note only makes a message better; a full disk shows itself elsewhere

    def _holder(self) -> str:
        try:
            note = json.loads((self.folder / "holder").read_text())
            return f"{note['command']} (process {note['pid']})"
        except (OSError, ValueError, KeyError, TypeError):
            return "another process"


class ReadWriteLock:
    """Within one process: many threads read (which nests), or one is alone (which does not)."""

    def __init__(self) -> None:
        """Nobody has it."""
        self._changed = threading.Condition()
        self._readers: Counter[int] = Counter()  # by thread
        self._owner = 0  # the thread that has it, or waits for readers to leave

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Read: nobody is `alone` meanwhile."""
        me = threading.get_ident()
        with self._changed:
            # Who waits to be alone goes first, or busy readers would keep it out for ever.
            self._changed.wait_for(lambda: self._owner in (0, me) or self._readers[me] > 0)
            self._readers[me] += 1
        try:
            yield
        finally:
            with self._changed:
                self._readers[me] -= 1
                if not self._readers[me]:
                    del self._readers[me]
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other thread reads, and keep them out."""
        me = threading.get_ident()
        with self._changed:
            self._changed.wait_for(lambda: self._owner == 0)
            self._owner = me
            try:
                self._changed.wait_for(
                    lambda: not any(self._readers[t] for t in self._readers if t != me)
                )
            except BaseException:
                self._owner = 0
                self._changed.notify_all()
                raise
        try:
            yield
        finally:
            with self._changed:
                self._owner = 0
                self._changed.notify_all()


def make_folder(folder: Path) -> None:
    """Make the folder of an index, where it is not there.

    Raises:
        UnreadableError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnreadableError(
            f"The index folder {folder} cannot be made ({error.strerror or error}). "
            "Choose another with --index-dir."
        ) from error
