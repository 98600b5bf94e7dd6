"""Writes what the help lists of the code: `python tests/support/write_reference.py`.

Between `<!-- written by … : NAME -->` and `<!-- end -->` a topic has what is made here; a test
holds the two together.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import typer
from pydantic_core import PydanticUndefined

from assistant import Assistant
from assistant.api.app import build
from assistant.cli.main import app
from assistant.help.topics import FOLDER
from assistant.service.service import Service
from assistant.settings import PREFIX, Settings, load_settings
from evals.cli.main import app as evals

_WRITTEN = re.compile(
    r"(<!-- written by tests/support/write_reference\.py: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL
)


def written(text: str) -> str:
    """The text of a topic's file with its lists as they are to be."""
    return _WRITTEN.sub(lambda found: f"{found[1]}{LISTS[found[2]]()}{found[3]}", text)


def commands() -> dict[str, Any]:
    """All commands by what is typed, `ask` or `index add`."""
    root = typer.main.get_command(app)
    root.commands["eval"] = typer.main.get_command(evals)  # type: ignore[attr-defined]
    return dict(_commands(root, ""))


def _commands(group: Any, name: str) -> Iterator[tuple[str, Any]]:
    for own, command in group.commands.items():
        full = f"{name} {own}".strip()
        if hasattr(command, "commands"):
            yield from _commands(command, full)
        else:
            yield full, command


@cache  # an assistant is opened for it
def openapi() -> dict[str, Any]:
    """The description of the API."""
    with TemporaryDirectory() as folder:
        settings = load_settings(index_dir=Path(folder))
        with Assistant.open(settings=settings) as assistant:
            return build(Service(assistant, "127.0.0.1", {}), page=False).openapi()


def _list_commands() -> str:
    rows = []
    for name, command in commands().items():
        arguments = "".join(
            f" {own.make_metavar(typer.Context(command))}"
            for own in command.params
            if own.param_type_name == "argument"
        )
        rows.append((f"`footnote {name}{arguments}`", _first(command.help)))
    return _table(("command", ""), rows)


def _list_settings() -> str:
    flags: dict[str, str] = {}
    for name, command in commands().items():
        if name.startswith("eval "):
            continue  # its options are of a run, not settings
        for option in command.params:
            if option.name in Settings.model_fields and option.param_type_name == "option":
                flags.setdefault(option.name, max(option.opts, key=len))
    rows = [
        (
            f"`{PREFIX}{name.upper()}`",
            f"`{flags[name]}`" if name in flags else "",
            _default(field.get_default()),
            " ".join((field.description or "").split()),
        )
        for name, field in Settings.model_fields.items()
    ]
    return _table(("setting", "flag", "default", ""), rows)


def _default(value: Any) -> str:
    """A setting's default as it is written in the environment; nothing where it has none or where
    its description tells."""
    if value in (None, PydanticUndefined):
        return ""
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value).removesuffix('.0')}`"


def _list_routes() -> str:
    groups: dict[str, list[tuple[str, str]]] = {}
    for path, methods in openapi()["paths"].items():
        for method, operation in methods.items():
            row = (f"`{method.upper()} {path}`", _first(operation["description"]))
            groups.setdefault(operation["tags"][0], []).append(row)
    return "\n".join(_table((tag, ""), rows) for tag, rows in groups.items())


def _list_assistant() -> str:
    rows = []
    for name, own in vars(Assistant).items():
        if name.startswith("_") or not own.__doc__:
            continue  # a former name says nothing of itself
        function = own.__func__ if isinstance(own, classmethod) else own
        arguments = ""
        if not isinstance(own, property):
            parameters = list(inspect.signature(function).parameters.values())[1:]
            named = (str(one.replace(annotation=inspect.Parameter.empty)) for one in parameters)
            arguments = f"({', '.join(re.sub(r'=.*', '=…', one) for one in named)})"
        rows.append((f"`{name}{arguments}`", _first(inspect.getdoc(own))))
    return _table(("of an assistant", ""), rows)


def _first(text: str | None) -> str:
    """The first paragraph of a description, on one line."""
    return " ".join((text or "").split("\n\n")[0].split())


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(
        "|"
        + "".join(f" {cell.replace('|', chr(92) + '|')} |" if cell else " |" for cell in line)
        + "\n"
        for line in lines
    )


LISTS = {
    "assistant": _list_assistant,
    "commands": _list_commands,
    "routes": _list_routes,
    "settings": _list_settings,
}


if __name__ == "__main__":
    for file in sorted(FOLDER.glob("*.md")):
        file.write_text(written(file.read_text(encoding="utf-8")), encoding="utf-8")
