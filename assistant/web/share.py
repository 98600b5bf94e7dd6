"""How much of the answering one person may take."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from index.errors import QuestionError


class Share:
    """How many questions of one person are being answered."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._running: Counter[str] = Counter()
        self._guard = threading.Lock()

    @contextmanager
    def one_of(self, owner: str) -> Iterator[None]:
        """Answer one of this person's questions inside a `with`.

        Raises:
            QuestionError: as many as may be are being answered already.
        """
        with self._guard:
            if self._running[owner] >= self._limit:
                raise QuestionError(
                    f"{self._limit} questions of yours are being answered. Ask this one again when "
                    "one of them is done."
                )
            self._running[owner] += 1
        try:
            yield
        finally:
            with self._guard:
                self._running[owner] -= 1
                if not self._running[owner]:
                    del self._running[owner]
