"""Commands about the configured peers."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from radfuse.cli.asking import echo_peer
from radfuse.cli.console import say, write_object, write_rows
from radfuse.cli.options import Data, From, Json, PeerName, settings_of, wrong_use
from radfuse.core.errors import UnknownPeer

if TYPE_CHECKING:
    from pathlib import Path

    from radfuse.services.peers import Peer, Peers

app = typer.Typer(help="The configured peers: add, list, remove, test.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The peer's name here.")]


@contextlib.contextmanager
def _peers(data: Path | None) -> Iterator[Peers]:
    from radfuse.app import open_peers

    with contextlib.closing(open_peers(settings_of(data))) as known:
        yield known


@app.command()
def add(
    name: Name,
    address: Annotated[str, typer.Argument(metavar="AET@HOST:PORT", help="Its AE title, host and port.")],
    no_store: Annotated[bool, typer.Option("--no-store", help="It may not store here.")] = False,
    no_query: Annotated[bool, typer.Option("--no-query", help="It may not query here.")] = False,
    no_retrieve: Annotated[bool, typer.Option("--no-retrieve", help="It may not retrieve from here.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Add a peer, or change the one of this name."""
    from radfuse.services import peers

    with wrong_use():
        peer = dataclasses.replace(
            peers.Peer.parse(address, name),
            may_store=not no_store,
            may_query=not no_query,
            may_retrieve=not no_retrieve,
        )
    with _peers(data) as known, wrong_use():
        known.add(peer)
    if as_json:
        write_object(_row(peer))
    else:
        say(f"{peer.name} is {peer.ae_title} at {peer.host} port {peer.port}")


@app.command("list")
def list_peers(data: Data = None, as_json: Json = False) -> None:
    """List the configured peers and what they may do here."""
    rows: list[dict[str, object]] = []
    if settings_of(data).data.is_dir():
        with _peers(data) as known:
            rows = [_row(peer) for peer in known.all()]
    if not write_rows(rows, (), as_json=as_json) and not as_json:
        say("No peers are configured. Add one with: radfuse peers add NAME AET@HOST:PORT")


@app.command()
def remove(name: Name, data: Data = None, as_json: Json = False) -> None:
    """Remove a peer."""
    if not settings_of(data).data.is_dir():
        raise UnknownPeer(name)
    with _peers(data) as known:
        known.remove(name)
    if as_json:
        write_object({"Name": name})
    else:
        say(f"{name} is removed")


@app.command("test")
def echo_configured(name: PeerName, from_title: From = None, data: Data = None, as_json: Json = False) -> None:
    """Ask a peer whether it is there (C-ECHO)."""
    echo_peer(settings_of(data), name, from_title, as_json)


def _row(peer: Peer) -> dict[str, object]:
    return {
        "Name": peer.name,
        "AETitle": peer.ae_title,
        "Host": peer.host,
        "Port": peer.port,
        "MayStore": peer.may_store,
        "MayQuery": peer.may_query,
        "MayRetrieve": peer.may_retrieve,
    }
