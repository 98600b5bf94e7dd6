"""Files that were sent and wait on disk to be indexed, by tickets that only their owners have."""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

import anyio
from anyio import to_thread

from index.errors import MissingPathError, RefusedError, UnreadableError

LARGEST = 4
"""Times the size of the largest file that one client may have waiting in all."""

RETRY = 60
"""Seconds after which some of what waits may be indexed."""

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f/\\:]")


@dataclass(slots=True, eq=False)
class _Upload:
    client: str
    owner: str
    file: Path
    since: float
    size: int = 0
    waits: bool = False  # it is all here, and nobody indexes it yet


class Inbox:
    """The files that wait. May be used from many threads, by one process.

    Args:
        max_bytes: of a file.
        max_files: that one client may have waiting.
    """

    def __init__(self, max_bytes: int, max_files: int) -> None:
        self.max_bytes = max_bytes
        self._max_files = max_files
        self._folder = Path(tempfile.mkdtemp(prefix="footnote-"))
        self._uploads: dict[str, _Upload] = {}
        self._guard = threading.Lock()

    @property
    def too_large(self) -> UnreadableError:
        """What is told of a file that is larger than may be."""
        return UnreadableError(
            f"It is larger than {self.max_bytes // 1_000_000} MB. Split it, or have it added by "
            "`footnote index add`."
        )

    async def receive(self, client: str, owner: str, name: str, parts: AsyncIterator[bytes]) -> str:
        """Take in a file; gives the ticket to take it out with.

        Args:
            client: who it counts for; see `access.client_of`.
            owner: whose it is.
            name: of the file, as its owner calls it.
            parts: its bytes.

        Raises:
            UnreadableError: it is too large.
            RefusedError: this client has too much waiting already.
        """
        ticket = secrets.token_urlsafe(12)
        file = self._folder / ticket / safe_name(name)
        upload = _Upload(client, owner, file, time.monotonic())
        with self._guard:
            self._uploads[ticket] = upload
        try:
            self._grow(upload, 0)
            await to_thread.run_sync(file.parent.mkdir)
            async with await anyio.open_file(file, "wb") as written:
                async for part in parts:
                    self._grow(upload, len(part))
                    await written.write(part)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(self._drop, ticket)
            raise
        upload.waits = True
        return ticket

    @contextmanager
    def taken(self, owner: str, ticket: str) -> Iterator[Path]:
        """A file that was received, for the time of the `with`; afterwards it is gone.

        Raises:
            MissingPathError: this owner has none of that ticket.
        """
        with self._guard:
            upload = self._uploads.get(ticket)
            if upload is None or upload.owner != owner or not upload.waits:
                raise MissingPathError("The file did not arrive. Add it again.")
            upload.waits = False
        try:
            yield upload.file
        finally:
            self._drop(ticket)

    def sweep(self, seconds: float) -> None:
        """Remove what waits longer than this."""
        now = time.monotonic()
        with self._guard:
            late = {t: u for t, u in self._uploads.items() if u.waits and now - u.since > seconds}
            for ticket in late:  # before anybody takes it
                del self._uploads[ticket]
        for upload in late.values():
            shutil.rmtree(upload.file.parent, ignore_errors=True)

    def close(self) -> None:
        """Remove all."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _grow(self, upload: _Upload, size: int) -> None:
        upload.size += size
        if upload.size > self.max_bytes:
            raise self.too_large
        with self._guard:
            sizes = [own.size for own in self._uploads.values() if own.client == upload.client]
        if len(sizes) > self._max_files or sum(sizes) > LARGEST * self.max_bytes:
            raise RefusedError(
                f"{len(sizes) - 1} files of yours wait to be indexed already. Send this one when "
                "some of them are.",
                429,
                RETRY,
            )

    def _drop(self, ticket: str) -> None:
        with self._guard:
            upload = self._uploads.pop(ticket)
        shutil.rmtree(upload.file.parent, ignore_errors=True)


def safe_name(name: str) -> str:
    """A file name that stays in its folder and can be shown."""
    last = PureWindowsPath(name.encode("utf-8", "replace").decode()).name
    # File systems take at most 255 bytes; the end tells the kind of file.
    return _UNPRINTABLE.sub("", last).lstrip(".").encode()[-200:].decode(errors="ignore") or "text"
