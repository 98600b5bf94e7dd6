"""Files that were sent and wait on disk to be indexed."""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
import weakref
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path, PureWindowsPath
from typing import Self

import anyio
from anyio import to_thread

from index.errors import RefusedError, UnreadableError

MAX_WAITING = 4
"""Times the size of the largest file that one client may have waiting in all."""

MAX_FILES = 50
"""Files that one client may have waiting."""

MAX_FOLDERS = 8
"""Folders in folders that are kept of where a file lies."""

RETRY_SECONDS = 60
"""After which some of what waits may be indexed."""

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f/\\:]")


class Upload:
    """A file that was received. It is on disk until `close` is called, which the end of an `async
    with` does too, or nobody has this any more.

    Args:
        client: who it counts for.
        name: of the file, as its owner calls it.

    Attributes:
        size: bytes that are there.
        address: the address on the web that it was fetched from; "" for a file of one's own.
    """

    def __init__(self, client: str, name: str) -> None:
        folder = tempfile.mkdtemp(prefix="footnote-")
        self.client = client
        self.file = Path(folder) / safe_name(name)
        self.size = 0
        self.address = ""
        self.close = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(self.close)


class Inbox:
    """Receives files. May be used from many threads, by one process.

    Args:
        max_bytes: of a file.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._uploads = weakref.WeakSet[Upload]()
        self._guard = threading.Lock()

    @property
    def too_large(self) -> UnreadableError:
        """The error of a file that is larger than may be."""
        return UnreadableError(
            f"It is larger than {self.max_bytes // 1_000_000} MB. Split it, or have it added by "
            "`footnote index add`.",
            code="too_large",
            megabytes=self.max_bytes // 1_000_000,
        )

    async def receive(self, client: str, name: str, parts: AsyncIterator[bytes]) -> Upload:
        """Take in a file, which whoever gets it closes.

        Args:
            client: who it counts for; see `access.callers.client_of`.
            name: of the file, as its owner calls it.
            parts: its bytes.

        Raises:
            UnreadableError: it is too large.
            RefusedError: this client has too much waiting already.
        """
        async with AsyncExitStack() as until_it_is_here:
            upload = await to_thread.run_sync(Upload, client, name)
            await until_it_is_here.enter_async_context(upload)
            self._grow(upload, 0)
            async with await anyio.open_file(upload.file, "wb") as written:
                async for part in parts:
                    self._grow(upload, len(part))
                    await written.write(part)
            until_it_is_here.pop_all()
        return upload

    def _grow(self, upload: Upload, size: int) -> None:
        upload.size += size
        if upload.size > self.max_bytes:
            raise self.too_large
        with self._guard:
            self._uploads.add(upload)
            open_ones = [one for one in self._uploads if one.close.alive]
        sizes = [one.size for one in open_ones if one.client == upload.client]
        if len(sizes) > MAX_FILES or sum(sizes) > MAX_WAITING * self.max_bytes:
            raise RefusedError(
                f"{len(sizes) - 1} files of yours wait to be indexed already. Send this one when "
                "some of them are.",
                429,
                RETRY_SECONDS,
                code="waiting_full",
                count=len(sizes) - 1,
            )


def safe_name(name: str) -> str:
    """A file name that stays in its folder and can be shown."""
    last = PureWindowsPath(name.encode("utf-8", "replace").decode()).name
    # File systems take at most 255 bytes; the end tells the kind of file.
    return _UNPRINTABLE.sub("", last).lstrip(".").encode()[-200:].decode(errors="ignore") or "text"


def safe_folder(path: str) -> str:
    """Where in a folder a file lies, as names with `/` between them, none of which leads out."""
    names = [name for name in re.split(r"[/\\]", path) if name.strip(". ")]
    return "/".join(map(safe_name, names[:MAX_FOLDERS]))
