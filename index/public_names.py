"""Names of packages that are imported when they are first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazy_names(
    package: dict[str, Any], homes: Mapping[str, Sequence[str]]
) -> Callable[[str], object]:
    """The `__getattr__` of a package.

    Args:
        package: its globals.
        homes: what it offers, by the module that has it.
    """

    def find(name: str) -> object:
        for home, names in homes.items():
            if name in names:
                package[name] = found = getattr(import_module(home), name)
                return found
        raise AttributeError(f"module {package['__name__']!r} has no attribute {name!r}")

    return find
