"""Traces one question asked by HTTP, and prints how many modules its way crosses.

    python tests/support/trace_ask.py [--pairs]

What is counted is our own code, between the request's arrival and the answer's end, in all threads:
what libraries call of it is taken for a call by whoever called the library. The question is asked
three times before, so that nothing is loaded meanwhile.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path
from types import FrameType

import httpx
from services import api_here

from assistant import Assistant

ROOT = Path(__file__).parents[2]
PACKAGES = ("assistant", "index")
QUESTION = "Which model of the earth did the author's teachers have?"
WARMING = 3


class CallTrace:
    """Counts calls of our own functions while `is_on`.

    Attributes:
        functions: calls by module and function.
        pairs: calls from one module into another.
    """

    def __init__(self) -> None:
        self.is_on = False
        self.functions: Counter[tuple[str, str]] = Counter()
        self.pairs: Counter[tuple[str, str]] = Counter()
        self._modules: dict[str, str] = {}

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        """Count a call: what `threading.setprofile` wants."""
        if not self.is_on or event != "call":
            return
        module = self._module(frame)
        if not module:
            return
        self.functions[module, frame.f_code.co_qualname] += 1
        caller = frame.f_back
        while caller and not self._module(caller):
            caller = caller.f_back
        if caller and (other := self._module(caller)) != module:
            self.pairs[other, module] += 1

    def _module(self, frame: FrameType) -> str:
        """The module of a frame, by its path in the repository; "" of what is not ours."""
        file = frame.f_code.co_filename
        if file not in self._modules:
            path = Path(file)
            own = path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in PACKAGES
            self._modules[file] = str(path.relative_to(ROOT).with_suffix("")) if own else ""
        return self._modules[file]

    def report(self, with_pairs: bool) -> str:
        """The figures, a line each."""
        modules = {module for module, _ in self.functions}
        both = {tuple(sorted(pair)) for pair in self.pairs if pair[::-1] in self.pairs}
        lines = [
            f"{len(modules):6,} modules entered",
            f"{len(self.functions):6,} functions called",
            f"{self.functions.total():6,} calls",
            f"{self.pairs.total():6,} calls between modules",
            f"{len(self.pairs):6,} pairs of modules",
            f"{len(both):6,} pairs that call each other",
        ]
        if with_pairs:
            lines += [f"{n:6,} {a} -> {b}" for (a, b), n in self.pairs.most_common()]
        return "\n".join(lines)


def main() -> None:
    """Ask, and print what was counted."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", action="store_true", help="list the pairs of modules too")
    options = parser.parse_args()
    trace = CallTrace()
    threading.setprofile(trace)
    with (
        tempfile.TemporaryDirectory() as folder,
        Assistant.open(index_dir=folder) as assistant,
        api_here(assistant) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        for number in range(WARMING + 1):
            trace.is_on = number == WARMING
            client.post("/api/ask", json={"question": QUESTION}).raise_for_status()
        trace.is_on = False
    sys.stdout.write(trace.report(options.pairs) + "\n")


if __name__ == "__main__":
    main()
