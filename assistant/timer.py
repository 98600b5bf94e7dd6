"""How long each stage takes."""

from __future__ import annotations

import time


class Timer:
    """Milliseconds by stage, and their `total`; a stage that comes again adds to what it took."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._started = self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """The stage ends now; it began where the last one ended."""
        now = time.perf_counter()
        self.laps[stage] = self.laps.get(stage, 0.0) + (now - self._last) * 1000
        self.laps["total"] = (now - self._started) * 1000
        self._last = now
