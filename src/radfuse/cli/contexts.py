"""Commands about the context lists: what may be proposed when something is sent."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from radfuse.cli.console import say, write_array, write_object, write_table
from radfuse.cli.options import Data, Json, settings_of, wrong_use
from radfuse.core.errors import ConfigurationError
from radfuse.core.sop_classes import STORAGE_CLASS_NAMES
from radfuse.core.transfer_syntaxes import TRANSFER_SYNTAXES
from radfuse.core.uid_names import storage_class_of, transfer_syntax_of

if TYPE_CHECKING:
    from pathlib import Path

    from radfuse.app import Settings
    from radfuse.services.context_lists import ContextList, ContextLists

app = typer.Typer(
    help="The lists of presentation contexts to send with: list, show, set, reset.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The list's name: dbx, xd, or your own.")]


@contextlib.contextmanager
def _lists(data: Path | None) -> Iterator[ContextLists]:
    from radfuse.app import open_context_lists

    with contextlib.closing(open_context_lists(settings_of(data))) as known:
        yield known


def _known(settings: Settings) -> dict[str, ContextList]:
    """All lists by name; no data folder is made on the way."""
    from radfuse.app import open_context_lists
    from radfuse.services import context_lists

    if not settings.data.is_dir():
        return dict(context_lists.BUILT_IN)
    with contextlib.closing(open_context_lists(settings)) as known:
        return {found.name: found for found in known.all()}


def context_list_named(settings: Settings, name: str) -> ContextList:
    """The list of this name. Raises ConfigurationError with the names that there are."""
    known = _known(settings)
    if name not in known:
        raise ConfigurationError("context_list", f"no context list {name!r}; known are {', '.join(sorted(known))}")
    return known[name]


@app.command("list")
def list_all(data: Data = None, as_json: Json = False) -> None:
    """List the context lists: the built-in ones, edited or not, and your own."""
    found = _known(settings_of(data)).values()
    if as_json:
        write_array(map(_facts, found))
    else:
        write_table(map(_summary, found))


@app.command()
def show(name: Name, data: Data = None, as_json: Json = False) -> None:
    """Show the SOP classes and transfer syntaxes of a list, in their order, and what else goes with it."""
    found = context_list_named(settings_of(data), name)
    if as_json:
        write_object(_facts(found))
        return
    rows = [("SOP class", STORAGE_CLASS_NAMES.get(uid, uid), uid) for uid in found.sop_classes]
    rows += [("Transfer syntax", _syntax_name(uid), uid) for uid in found.transfer_syntaxes]
    rows += [("Negotiation", "storage" if found.storage_negotiation else "none", "")]
    write_table([{"Kind": kind, "Name": called, "UID": uid} for kind, called, uid in rows])


@app.command("set")
def set_list(
    name: Name,
    classes: Annotated[
        list[str] | None,
        typer.Option("--class", metavar="UID", help="A SOP class to propose, by UID or keyword; can be given again."),
    ] = None,
    syntaxes: Annotated[
        list[str] | None,
        typer.Option(
            "--syntax", metavar="UID", help="A transfer syntax, by UID or keyword, preferred first; can be given again."
        ),
    ] = None,
    negotiate: Annotated[
        bool | None,
        typer.Option(
            "--negotiate/--no-negotiate",
            show_default=False,
            help="Whether to propose storage extended negotiation with it, as the list xd does.",
        ),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make a list, or change one: what is given takes the place of what was there."""
    from radfuse.services import context_lists

    with wrong_use(), _lists(data) as known:
        before = {found.name: found for found in known.all()}.get(name)
        if before is None and not (classes and syntaxes):
            raise ConfigurationError("context_list", f"there is no list {name!r} yet: give it --class and --syntax")
        changed = context_lists.ContextList(
            name,
            tuple(storage_class_of(text, "--class") for text in classes or ())
            or (before.sop_classes if before else ()),
            tuple(transfer_syntax_of(text, "--syntax") for text in syntaxes or ())
            or (before.transfer_syntaxes if before else ()),
            negotiate if negotiate is not None else before is not None and before.storage_negotiation,
        )
        known.put(changed)
    _told(changed, as_json)


@app.command()
def reset(name: Name, data: Data = None, as_json: Json = False) -> None:
    """Make a built-in list what it was; remove one of your own that no peer uses."""
    with _lists(data) as known:
        known.reset(name)
        now = {found.name: found for found in known.all()}.get(name)
    if now is not None:
        _told(now, as_json)
    elif as_json:
        write_object({"Name": name})
    else:
        say(f"{name} is removed")


def _told(now: ContextList, as_json: bool) -> None:
    if as_json:
        write_object(_facts(now))
    else:
        say(f"{now.name} has SOP classes: {len(now.sop_classes)}, transfer syntaxes: {len(now.transfer_syntaxes)}")


def _summary(one: ContextList) -> dict[str, object]:
    names = list(map(_syntax_name, one.transfer_syntaxes))
    return {"Name": one.name, "SOPClasses": len(one.sop_classes), "TransferSyntaxes": names}


def _facts(one: ContextList) -> dict[str, object]:
    return {
        "Name": one.name,
        "SOPClasses": list(one.sop_classes),
        "TransferSyntaxes": list(one.transfer_syntaxes),
        "StorageNegotiation": one.storage_negotiation,
    }


def _syntax_name(uid: str) -> str:
    return TRANSFER_SYNTAXES[uid].name if uid in TRANSFER_SYNTAXES else uid
