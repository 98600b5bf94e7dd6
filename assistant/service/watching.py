"""Keeps the documents up to date with the files of folders while Footnote runs."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from watchfiles import watch

from index.errors import (
    DocumentError,
    EmptyDocumentError,
    FootnoteError,
    MissingPathError,
    SettingsError,
    UnreadableError,
)
from index.models import document_id
from index.readers.files import find_files, mode_of, source_of
from index.readers.loader import RawDocument, read_raw

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from index import DocumentInfo
    from index.errors import Code

What = Literal["added", "changed", "moved", "removed", "unread"]

#: Of each file when it was changed (in nanoseconds), and its bytes.
States = dict[Path, tuple[int, int]]

MAX_CHANGES = 50
"""Changes that are remembered."""

DEBOUNCE = 200
"""Milliseconds without a change after which a burst of them is over."""

RETRY = 5.0
"""Seconds after which an update that failed is tried again, and a folder that cannot be watched is
looked through."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a file.

    Attributes:
        number: counts all changes, from 1.
        what: `unread` if it cannot be read.
        name: its path from its folder.
        document: the id of its document.
        time: when the change was noticed.
        reason: why it cannot be read, and what to do.
        code, values: of that error; see `FootnoteError`.
    """

    number: int
    what: What
    name: str
    document: str
    time: datetime
    reason: str = ""
    code: Code | None = None
    values: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that cannot be read: its path from its folder; why, and what to do, also by the code
    and the values of its error."""

    name: str
    reason: str
    code: Code
    values: Mapping[str, str | int]


class FolderWatch:
    """Follows folders: indexes new and changed files, and removes the documents of missing ones.

    A file that cannot be read is reported, and tried again when it changes; its document stays
    as it was. The documents of an unavailable folder stay, too: a followed folder that is missing,
    or a folder that cannot be read or is suddenly empty, for example because its disk was
    unplugged. They are compared with the files again when the folder has files.

    Args:
        assistant: asks the documents of these folders.
        folders: with all folders in them.
        unread: errors of files that could not be read when they were indexed.

    Raises:
        SettingsError: one of them is not a folder.
    """

    def __init__(
        self, assistant: Assistant, folders: Sequence[Path], unread: Sequence[DocumentError] = ()
    ) -> None:
        check_folders(folders)
        self._assistant = assistant
        self._folders = tuple(folder.absolute() for folder in folders)
        self._seen: States = {}
        self._unread = {error.source: error for error in unread if error.source}
        #: The last changes, oldest first.
        self.changes: tuple[Change, ...] = ()
        self._stop = threading.Event()

    @property
    def unread(self) -> tuple[Unread, ...]:
        """The files that cannot be read."""
        return unread_of(tuple(self._unread.values()), self._folders)

    # --- following ---------------------------------------------------------------------------

    def run(self) -> None:
        """Follow until `close`; to be run in a thread of its own."""
        logged = ""
        while not self._stop.is_set():
            self._try_update()  # for changes while nothing was watched
            try:
                self._follow()
            except (OSError, RuntimeError) as error:
                # The system cannot watch so many folders, or one is missing.
                if str(error) != logged:
                    logged = str(error)
                    _logger.warning(
                        "folders are looked through, for they cannot be watched: %s", logged
                    )
                self._stop.wait(RETRY)
            except Exception:  # no fault may end this thread while the page says that it watches
                _logger.exception("watching folders failed; it is retried")
                self._stop.wait(RETRY)

    def close(self) -> None:
        """Stop following."""
        self._stop.set()

    def _follow(self) -> None:
        """Update after each change, until closed or a folder is missing."""
        is_done = False  # for changes before the watch was set
        for changes in watch(
            *self._folders,
            watch_filter=None,
            step=DEBOUNCE,
            stop_event=self._stop,
            rust_timeout=round(1000 * RETRY),
            yield_on_timeout=True,
            raise_interrupt=False,
            ignore_permission_denied=True,
        ):
            if changes or not is_done:
                is_done = self._try_update()
            if not all(folder.is_dir() for folder in self._folders):
                raise FileNotFoundError("a folder is missing")

    def _try_update(self) -> bool:
        try:
            self.update()
        except FootnoteError as error:  # for example the index is busy: it is tried again
            _logger.warning("what has changed is not indexed yet: %s", error)
            return False
        except Exception:
            _logger.exception("updating the documents of folders failed; it is retried")
            return False
        return True

    # --- bringing up to date -----------------------------------------------------------------

    def update(self) -> None:
        """Bring the documents up to date with the files as they are now.

        Raises:
            FootnoteError: the index cannot be written, or patterns to ignore are wrong. What was
                not done is done the next time.
        """
        files, missing, failed = self._list()
        lost = {*map(source_of, missing), *failed}  # of whose files nothing is known
        raws = list[RawDocument]()
        for file, state in files.items():
            if self._seen.get(file) != state:
                try:
                    raws.append(read_raw(file, ocr=self._assistant.settings.ocr))
                except DocumentError as unreadable:
                    failed[source_of(file)] = unreadable
        index, asked = self._assistant.index, self._assistant.document_ids
        before = {info.id: info for info in index.documents()}
        done: tuple[str, ...] = ()
        if raws:
            done = index.sync(
                raws, on_skip=lambda raw, error: failed.update({raw.source: error})
            ).ids
        after = {info.id: info for info in index.documents()}  # another process may remove some
        done = tuple(identity for identity in done if identity in after)
        here = {source_of(file) for file in files}
        moved = {after[identity].hash for identity in done if identity not in before}
        unseen = [
            before[identity]
            for identity in asked
            if identity in before
            and (source := before[identity].source) not in here
            and not any(Path(source).is_relative_to(place) for place in lost)
        ]
        gone: dict[str, DocumentInfo] = {}
        for info in unseen:
            folder = None if info.hash in moved else _unavailable_folder(info.source)
            if folder:
                failed[str(folder)] = _unavailable(folder)
            else:
                gone[info.id] = info
        self._assistant.set_documents([i for i in dict.fromkeys((*asked, *done)) if i not in gone])
        for info in gone.values():
            if not info.kept:
                with suppress(MissingPathError):  # another process removed it
                    index.remove(info.id)
        # Last, so that only what was done is reported.
        self._record_changes(before, [after[identity] for identity in done], [*gone.values()])
        for source, error in failed.items():
            if str(self._unread.get(source)) != str(error):
                self._record("unread", source, error)
        again = {*failed, *(raw.source for raw in raws)}
        still = {s: e for s, e in self._unread.items() if s in here and s not in again}
        self._unread = still | failed
        self._seen = files

    def _record_changes(
        self,
        before: Mapping[str, DocumentInfo],
        done: Sequence[DocumentInfo],
        gone: Sequence[DocumentInfo],
    ) -> None:
        """Record changes: a new document with the text of one that is gone was moved."""
        removed = list(gone)
        for info in done:
            if known := before.get(info.id):
                if known.hash != info.hash:
                    self._record("changed", info.source)
            elif twin := next((other for other in removed if other.hash == info.hash), None):
                removed.remove(twin)
                self._record("moved", info.source)
            else:
                self._record("added", info.source)
        for info in removed:
            self._record("removed", info.source)

    def _list(self) -> tuple[States, list[Path], dict[str, DocumentError]]:
        """Return the files; the followed folders that are missing or cannot be listed; and the
        errors of these last, and of folders and files in them that cannot be looked at, by source.
        """
        files: States = {}
        lost = []
        failed: dict[str, DocumentError] = {}
        for folder in self._folders:
            try:
                found = find_files(
                    [folder],
                    lambda error: failed.update({str(error.source): error}),
                    self._assistant.settings.ignore,
                    ocr=self._assistant.settings.ocr,
                )
            except EmptyDocumentError:
                continue
            except DocumentError as error:
                lost.append(folder)
                if not isinstance(error, MissingPathError):
                    error.source = source_of(folder)
                    failed[error.source] = error
                continue
            files |= _states(found)
            if not folder.is_dir():  # it went while its files were looked at
                lost.append(folder)
        return files, lost, failed

    def _record(self, what: What, source: str, error: DocumentError | None = None) -> None:
        number = self.changes[-1].number + 1 if self.changes else 1
        change = Change(
            number, what, _name(source, self._folders), document_id(source), datetime.now(UTC)
        )
        if error:
            reason = str(error).replace(source, change.name)
            change = replace(change, reason=reason, code=error.code, values=error.values)
        self.changes = (*self.changes, change)[-MAX_CHANGES:]


def unread_of(errors: Sequence[DocumentError], folders: Sequence[Path]) -> tuple[Unread, ...]:
    """The files that errors are about, by name, without their paths on this machine."""
    found = []
    for error in errors:
        if error.source:
            name = _name(error.source, folders)
            reason = str(error).replace(error.source, name)
            found.append(Unread(name, reason, error.code, error.values))
    return tuple(found)


def _states(files: Iterable[Path]) -> States:
    states = {}
    for file in files:
        with suppress(OSError):  # gone again, or a link that leads nowhere
            stat = file.stat()
            states[file] = (stat.st_mtime_ns, stat.st_size)
    return states


def _unavailable_folder(source: str) -> Path | None:
    """Return the nearest existing folder above a file if that folder is empty or cannot be read, so
    that nobody can tell whether the file is gone. Otherwise, or if the file exists, return None."""
    path = Path(source)
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError:
        return path.parent
    else:
        return None
    for folder in path.parents:
        try:
            with os.scandir(folder) as entries:
                return None if next(entries, None) else folder
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            return folder
    return None


def _unavailable(folder: Path) -> DocumentError:
    error = UnreadableError(
        f"The folder {str(folder)!r} is empty or cannot be read. Its documents stay until it has "
        "files again. Connect its disk, or remove one: footnote index remove DOCUMENT",
        code="folder_unavailable",
    )
    error.source = str(folder)
    return error


def _name(source: str, folders: Sequence[Path]) -> str:
    path = Path(source)
    for folder in map(source_of, folders):
        if path.is_relative_to(folder) and path != Path(folder):
            return path.relative_to(folder).as_posix()
    return path.name


def check_folders(folders: Sequence[Path]) -> None:
    """Check that all of these are folders, and that there is one.

    Raises:
        MissingPathError: one does not exist.
        SettingsError: one is not a folder, or there is none.
    """
    if not folders:
        raise SettingsError("There is no folder to follow. Name one: --source FOLDER --watch")
    for folder in folders:
        mode_of(folder)
        if not folder.is_dir():
            raise SettingsError(
                f"{str(folder)!r} is a file, and only folders are followed. Name the folder that "
                "it is in."
            )
