"""Commands about the users: who may log in to the web server."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from radfuse.cli.console import say, write_object, write_rows
from radfuse.cli.many_options import taking
from radfuse.cli.options import Data, Json, existing_data_folder, settings_of, wrong_use
from radfuse.core.errors import ConfigurationError
from radfuse.services.roles import Role

if TYPE_CHECKING:
    from radfuse.app import Settings
    from radfuse.services.users import Accounts, User

app = typer.Typer(
    help="The users of the web server: list, add, change, remove.", no_args_is_help=True, rich_markup_mode=None
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The user's name.")]
FullName = Annotated[str | None, typer.Option("--full-name", metavar="TEXT", help="Who that is, for people.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", metavar="FILE", help="A file whose first line is the password; else it is asked."),
]
Stdin = Annotated[bool, typer.Option("--stdin", help="Read the password from standard input.")]

_MAX_LINE: Final = 4096
_IN_A_TABLE: Final = ("Name", "FullName", "Role", "Enabled", "LastLogin")


@dataclass(frozen=True)
class ChangeOptions:
    """What can be typed to change a user."""

    name: Name
    role: Annotated[Role | None, typer.Option("--role", help="What the user may do from now on.")] = None
    full_name: FullName = None
    enabled: Annotated[
        bool | None, typer.Option("--enable/--disable", help="Whether the user may log in.", show_default=False)
    ] = None
    password: Annotated[bool, typer.Option("--password", help="Ask for a new password.")] = False
    password_file: PasswordFile = None
    stdin: Stdin = False
    data: Data = None
    as_json: Json = False


@app.command("list")
def list_users(data: Data = None, as_json: Json = False) -> None:
    """List the users."""
    settings = settings_of(data)
    rows: list[dict[str, object]] = []
    if settings.data.is_dir():
        with accounts_of(settings) as accounts:
            rows = [_row(user) for user in accounts.users.all()]
    if not write_rows(rows, _IN_A_TABLE, as_json=as_json) and not as_json:
        say("There are no users: only this machine can use the web server. Add one with: radfuse users add NAME")


@app.command()
def add(
    name: Name,
    role: Annotated[
        Role | None,
        typer.Option("--role", help="What the user may do; administrator for the first user, reader for others."),
    ] = None,
    full_name: FullName = None,
    password_file: PasswordFile = None,
    stdin: Stdin = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Add a user. From the first one on everybody has to log in to the web server."""
    from radfuse.services.users import NewUser, checked_name

    settings = settings_of(data)
    settings.data.mkdir(parents=True, exist_ok=True)
    with wrong_use():
        name = checked_name(name)
    with accounts_of(settings) as accounts, _of_what_was_typed():
        role = role or (Role.ADMINISTRATOR if accounts.users.is_empty() else Role.READER)
        new = NewUser(name, role, _password(password_file, stdin), full_name or "")
        user = accounts.users.add(new)
    note(settings, "user added", f"{user.name} ({user.role})")
    _say(user, f"{user.name} may log in as {user.role}", as_json)


@app.command()
@taking(ChangeOptions)
def change(options: ChangeOptions) -> None:
    """Change a user. All sessions of the user end; when disabled, tokens too. It takes effect within seconds."""
    from radfuse.services.users import Changes

    settings = existing_data_folder(settings_of(options.data))
    with accounts_of(settings) as accounts, _of_what_was_typed():
        user = accounts.users.get(options.name)
        wants_password = options.password or options.stdin or options.password_file is not None
        password = _password(options.password_file, options.stdin) if wants_password else None
        changes = Changes(options.full_name, options.role, options.enabled, password)
        if changes == Changes():
            raise typer.BadParameter("say what to change: --role, --full-name, --enable, --disable or --password")
        user = accounts.users.change(user.name, changes)
    note(settings, "user changed", user.name)
    _say(user, f"{user.name} is changed", options.as_json)


@app.command()
def remove(name: Name, data: Data = None, as_json: Json = False) -> None:
    """Remove a user, with all sessions and tokens. It takes effect within seconds."""
    settings = existing_data_folder(settings_of(data))
    with accounts_of(settings) as accounts:
        accounts.users.remove(name)
    note(settings, "user removed", name)
    if as_json:
        write_object({"Name": name})
    else:
        say(f"{name} is removed")


@contextlib.contextmanager
def accounts_of(settings: Settings) -> Iterator[Accounts]:
    """The users of the data folder."""
    from radfuse.services.users import Accounts

    with contextlib.closing(Accounts.open(settings.data)) as accounts:
        yield accounts


def note(settings: Settings, action: str, subject: str) -> None:
    """Tell the access log what was done here."""
    import getpass

    from radfuse.services.access_log import AccessEntry, AccessLog, Outcome

    who = f"{getpass.getuser()} (command line)"
    with contextlib.closing(AccessLog(settings.data)) as log:
        log.write([AccessEntry(who, Role.ADMINISTRATOR.value, "", action, Outcome.DONE, subject=subject)])


@contextlib.contextmanager
def _of_what_was_typed() -> Iterator[None]:
    """A name, role or password that cannot be is wrong use."""
    try:
        yield
    except ConfigurationError as error:
        raise typer.BadParameter(str(error)) from error


def _password(file: Path | None, stdin: bool) -> str:
    """From the file, from standard input, or asked twice; never on the command line, where others see it."""
    if file is not None:
        with file.open(encoding="utf-8") as lines:
            return lines.readline(_MAX_LINE).rstrip("\r\n")
    if stdin:
        return sys.stdin.readline(_MAX_LINE).rstrip("\r\n")
    if not sys.stdin.isatty():
        raise typer.BadParameter("no terminal to ask for the password: give it with --password-file or --stdin")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _say(user: User, sentence: str, as_json: bool) -> None:
    if as_json:
        write_object(_row(user))
    else:
        say(sentence)


def _row(user: User) -> dict[str, object]:
    return {
        "Name": user.name,
        "FullName": user.full_name,
        "Role": user.role.value,
        "Enabled": user.is_enabled,
        "LastLogin": moment(user.last_login_s),
    }


def moment(seconds: float | None) -> str:
    """A time as people read it, in this machine's zone; "" for never."""
    from datetime import datetime

    return "" if seconds is None else datetime.fromtimestamp(seconds).astimezone().isoformat(" ", "minutes")
