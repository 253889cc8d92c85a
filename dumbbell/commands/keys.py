"""`key add|list|revoke`: API keys, shown once, kept hashed."""

from __future__ import annotations

from typing import Annotated

import typer

from api.keys import KeyStore
from dumbbell.command import Answer, Call, command, table_of

NameArgument = Annotated[str, typer.Argument(help="The key's name.", show_default=False)]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="API keys: add, list, revoke.")
    command(group, "add", example="dumbbell key add shop-app --scope match", writes=True)(add)
    command(group, "list", example="dumbbell key list")(list_keys)
    command(group, "revoke", example="dumbbell key revoke shop-app", writes=True)(revoke)
    app.add_typer(group, name="key")


def add(
    call: Call,
    name: NameArgument,
    scope: Annotated[list[str], typer.Option(help="match, query, explore or admin. Repeat it.", show_default=False)],
) -> Answer:
    """Make a key and show it, this once."""
    scopes = [part for item in scope for part in item.split(",") if part]
    key = KeyStore(call.home(create=True)).add(name, scopes)
    return Answer({"name": name, "key": key, "scopes": scopes}, lines=[key])


def list_keys(call: Call) -> Answer:
    """List the keys' names and scopes; never the keys."""
    found = KeyStore(call.home()).list()
    rows = [[k["name"], " ".join(k["scopes"]), k["made"]] for k in found]
    return Answer({"items": found, "next": None}, tables=[table_of("keys", ["name", "scopes", "made"], rows)])


def revoke(call: Call, name: NameArgument) -> Answer:
    """Take a key back; calls with it are refused from now on."""
    KeyStore(call.home()).revoke(name)
    return Answer({"revoked": name}, lines=[f"revoked {name}"])
