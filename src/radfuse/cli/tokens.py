"""Commands about tokens, with which programs use the web server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from radfuse.cli.console import say, write_object, write_rows
from radfuse.cli.options import Data, Json, existing_data_folder, settings_of, wrong_use
from radfuse.cli.users import accounts_of, moment, note
from radfuse.services.roles import Role

if TYPE_CHECKING:
    from radfuse.services.users import Token

app = typer.Typer(
    help="The tokens of programs that use the web server: list, add, remove.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_IN_A_TABLE: Final = ("Id", "Name", "User", "Role", "Expires", "LastUsed")


@app.command("list")
def list_tokens(data: Data = None, as_json: Json = False) -> None:
    """List the tokens. What they are is not kept, so it cannot be shown."""
    settings = settings_of(data)
    rows: list[dict[str, object]] = []
    if settings.data.is_dir():
        with accounts_of(settings) as accounts:
            rows = [_row(token) for token in accounts.tokens.all()]
    if not write_rows(rows, _IN_A_TABLE, as_json=as_json) and not as_json:
        say("There are no tokens. Make one with: radfuse tokens add NAME --user USER")


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the token is for.")],
    user: Annotated[str, typer.Option("--user", metavar="USER", help="Whose token it is.")],
    role: Annotated[Role, typer.Option("--role", help="What it may do: at most what its user may.")] = Role.READER,
    days: Annotated[
        float | None, typer.Option("--days", metavar="N", show_default=False, help="Days until it ends (never).")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make a token and show it, this once."""
    settings = existing_data_folder(settings_of(data))
    with accounts_of(settings) as accounts:
        owner = accounts.users.get(user)
        with wrong_use():
            token, secret = accounts.tokens.add(owner.name, name, role, days)
    note(settings, "token made", f"{token.name} ({token.role}) of {token.user}")
    if as_json:
        write_object(_row(token) | {"Secret": secret})
    else:
        say(secret)


@app.command()
def remove(
    token: Annotated[str, typer.Argument(metavar="ID", help="The token's id, as 'radfuse tokens list' shows it.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Remove a token; it ends within seconds."""
    settings = existing_data_folder(settings_of(data))
    with accounts_of(settings) as accounts:
        removed = accounts.tokens.remove(token)
    note(settings, "token removed", f"{removed.name} of {removed.user}")
    if as_json:
        write_object({"Id": removed.id})
    else:
        say(f"the token {removed.name} of {removed.user} is removed")


def _row(token: Token) -> dict[str, object]:
    return {
        "Id": token.id,
        "Name": token.name,
        "User": token.user,
        "Role": token.role.value,
        "Expires": moment(token.expires_s) or "never",
        "LastUsed": moment(token.last_used_s) or "never",
    }
