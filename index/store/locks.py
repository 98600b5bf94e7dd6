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
    """The lock of the index in `folder`: one process at a time holds it, and many threads of that
    one, or one of them alone.

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
        self._changed = threading.Condition()
        self._holds: Counter[int] = Counter()  # by thread
        self._alone = 0  # the thread that is, or waits for others to leave

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep other processes out; nobody is `alone` meanwhile. Nests, and is shared by threads.

        Raises:
            IndexBusyError: another process (or another lock object in this one) still holds the
                index after the wait.
            UnreadableError: the folder cannot be written.
            IndexFullError: the disk has no room for the lock.
        """
        me, deadline = threading.get_ident(), time.monotonic() + self.wait
        with self._changed:
            # Who waits to be alone goes first, or busy readers would keep it out for ever.
            self._changed.wait_for(lambda: self._alone in (0, me) or self._holds[me] > 0)
            if not self._holds:
                # Another thread may have waited meanwhile: nobody waits twice as long.
                self._acquire(max(0.0, deadline - time.monotonic()))
            self._holds[me] += 1
        try:
            yield
        finally:
            with self._changed:
                self._holds -= Counter({me: 1})
                if not self._holds:
                    # By force: an interrupt may have come between acquiring and counting.
                    self._lock.release(force=True)
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other thread holds it, and keep them out; does not nest."""
        me = threading.get_ident()
        with self._changed:
            self._changed.wait_for(lambda: self._alone == 0)
            self._alone = me
        try:
            with self._changed:
                self._changed.wait_for(lambda: self._holds.keys() <= {me})
            yield
        finally:
            with self._changed:
                self._alone = 0
                self._changed.notify_all()

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
