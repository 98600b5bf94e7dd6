"""The command `footnote keys`: which programs are let in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.access.api_keys import Keys
from assistant.cli.options import (
    INDEX,
    notes,
    opened_index,
    print_json,
    print_text,
    settings_of,
    takes,
)
from index.errors import SettingsError

if TYPE_CHECKING:
    from assistant.access.api_keys import ApiKey

app = typer.Typer(help="Keys that let programs in.", no_args_is_help=True)


@app.command("create")
@takes("name scope expires", INDEX, "as_json")
def keys_create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Whose it is; what it adds belongs to that name.")],
    scope: Annotated[
        list[str],
        typer.Option(
            help="What it may: `ask` (search and read too), `write` (change what is its "
            "own: documents, notebooks, conversations, notes), `metrics`. May be given again.",
        ),
    ],
    as_json: bool,
    expires: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The last day on which it lets in (UTC)."),
    ] = None,
) -> None:
    """Make a key, and show it this once: it is kept nowhere."""
    end = None if expires is None else expires.replace(tzinfo=UTC) + timedelta(days=1)
    if end is not None and end <= datetime.now(UTC):
        raise SettingsError(f"{expires:%Y-%m-%d} is over. Give a day that is not, or none.")
    with _opened(context) as keys:
        key = keys.create(name, scope, end)
    if as_json:
        print_json({"name": name, "key": key})
        return
    print_text(key)
    notes.print("Keep it now: it is not shown again. From now on the API takes nobody without one.")


@app.command("list")
@takes(INDEX, "as_json")
def keys_list(context: typer.Context, as_json: bool) -> None:
    """List the keys, without what lets in."""
    with _opened(context) as keys:
        found = keys.all()
    if as_json:
        print_json([key.to_dict() for key in found])
        return
    if not found:
        print_text("There is no key. Make one with: footnote keys create NAME --scope ask")
        return
    print_text(f"{'name':<24}  {'scopes':<18}  {'created':<10}  expires")
    for key in found:
        print_text(
            f"{key.name:<24}  {', '.join(key.scopes):<18}  {key.created:%Y-%m-%d}  {_end(key)}"
        )


@app.command("revoke")
@takes("name", INDEX)
def keys_revoke(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Of the key, as `list` shows it.")],
) -> None:
    """Let nobody in by a key any more, at once. What it added stays, for a new one of its name."""
    with _opened(context) as keys:
        keys.revoke(name)
        left = keys.all()
    print_text(f"Revoked {name}.")
    if not left:
        notes.print("No key is left: the API takes nobody until another is made.")


@contextmanager
def _opened(context: typer.Context) -> Iterator[Keys]:
    with opened_index(settings_of(context)) as index:
        yield Keys(index.database)


def _end(key: ApiKey) -> str:
    if key.expires is None:
        return "never"
    return f"{key.expires:%Y-%m-%d %H:%M} UTC" + (", which is over" if key.is_over else "")
