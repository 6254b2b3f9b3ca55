"""Commands that ask a peer: echo, find, move, get."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from radfuse.cli.console import progress, say, warn, write_object, write_rows
from radfuse.cli.failures import talking_to
from radfuse.cli.keys import as_row, information_model, level_of, question
from radfuse.cli.options import (
    AtLevel,
    AtPeer,
    Data,
    Database,
    From,
    Json,
    Keys,
    LevelName,
    Model,
    ModelName,
    PeerName,
    database_named,
    settings_of,
    wrong_use,
)
from radfuse.core.errors import UnknownPeer

if TYPE_CHECKING:
    from radfuse.app import Settings
    from radfuse.services.peers import Peer
    from radfuse.services.query_peer import Caller, Progress

Destination = Annotated[
    str, typer.Option("--to", metavar="AET", help="The AE title to send to; the peer must know it as a destination.")
]
RetrieveLevel = Annotated[
    LevelName | None,
    typer.Option("--level", help="What the keys name; by default the deepest level whose unique key is given."),
]


def peer_named(settings: Settings, name: str) -> Peer:
    """The peer of a name or AET@HOST:PORT; what is neither is an error of its own."""
    from radfuse.app import open_peers
    from radfuse.services import peers

    if "@" in name:
        with wrong_use():
            return peers.Peer.parse(name)
    if not settings.data.is_dir():
        raise UnknownPeer(name)  # and no data folder is made on the way
    known = open_peers(settings)
    try:
        return known.by_name(name)
    finally:
        known.close()


def caller(settings: Settings, our_title: str | None) -> Caller:
    """Who we are to peers: the settings' AE title, or the one given for this command."""
    from radfuse.app import wire_limits
    from radfuse.core.aetitle import checked_ae_title
    from radfuse.services import query_peer

    with wrong_use():
        title = checked_ae_title(our_title) if our_title is not None else settings.ae_title
    return query_peer.Caller(title, wire_limits(settings))


def echo_peer(settings: Settings, name: str, our_title: str | None, as_json: bool) -> None:
    """C-ECHO, and say how long it took."""
    from radfuse.services import query_peer

    peer, us = peer_named(settings, name), caller(settings, our_title)
    started_s = time.monotonic()
    with talking_to(peer, us.ae_title):
        query_peer.echo(peer, us)
    took_ms = 1000 * (time.monotonic() - started_s)
    if as_json:
        facts = {"Name": peer.name, "AETitle": peer.ae_title, "Host": peer.host, "Port": peer.port}
        write_object({**facts, "Milliseconds": round(took_ms, 1)})
    else:
        say(f"{peer.name} ({peer.ae_title} at {peer.host} port {peer.port}) answered in {took_ms:.0f} ms")


def echo(peer: PeerName, from_title: From = None, data: Data = None, as_json: Json = False) -> None:
    """Ask a peer whether it is there (C-ECHO)."""
    echo_peer(settings_of(data), peer, from_title, as_json)


def find(
    at_peer: AtPeer,
    keys: Keys = None,
    level: AtLevel = LevelName.STUDY,
    model: Model = None,
    from_title: From = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Ask a peer for patients, studies, series or images (C-FIND)."""
    from radfuse.services import query_peer

    asked = question(keys, level.level)
    chosen = information_model(model, level.level)
    settings = settings_of(data)
    peer, us = peer_named(settings, at_peer), caller(settings, from_title)
    with talking_to(peer, us.ae_title):
        answers = query_peer.find(peer, us, chosen, asked.identifier)
        count = write_rows((as_row(answer) for answer in answers), asked.columns, as_json=as_json)
    if not count and not as_json:
        say(f"Nothing found at {peer.name}.")


def move(
    at_peer: AtPeer,
    to_title: Destination,
    keys: Keys = None,
    level: RetrieveLevel = None,
    from_title: From = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Have a peer send what the unique keys name to an AE title that it knows (C-MOVE)."""
    from radfuse.core.aetitle import checked_ae_title
    from radfuse.services import query_peer

    deepest = level_of(keys, level)
    asked = question(keys, deepest, shows=False)
    with wrong_use():
        destination = checked_ae_title(to_title)
    settings = settings_of(data)
    peer, us = peer_named(settings, at_peer), caller(settings, from_title)
    model = information_model(_model_for(asked.columns), deepest)
    with talking_to(peer, us.ae_title):
        _follow(query_peer.move(peer, us, model, asked.identifier, destination), "moved", as_json)


def get(
    at_peer: AtPeer,
    keys: Keys = None,
    level: RetrieveLevel = None,
    from_title: From = None,
    database: Database = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Fetch what the unique keys name from a peer into our own archive (C-GET)."""
    from radfuse.app import open_archive
    from radfuse.services import query_peer

    deepest = level_of(keys, level)
    asked = question(keys, deepest, shows=False)
    settings = settings_of(data)
    peer, us = peer_named(settings, at_peer), caller(settings, from_title)
    model = information_model(_model_for(asked.columns), deepest)
    with open_archive(settings, database_named(settings, database)) as archive, talking_to(peer, us.ae_title):
        _follow(query_peer.get(archive, peer, us, model, asked.identifier), "stored", as_json)


def _model_for(keywords: tuple[str, ...]) -> ModelName | None:
    """Patient root when the patient is named too: its unique key is none of study root."""
    return ModelName.PATIENT if "PatientID" in keywords else None


def _follow(steps: Iterator[Progress], done: str, as_json: bool) -> None:
    """Show how a retrieval goes on and what came of it; exit code 1 when something failed."""
    last: Progress | None = None
    with progress("Retrieving", None, "objects") as advance:
        for step in steps:
            finished = step.completed + step.failed + step.warning
            advance(finished, finished + step.remaining)
            last = step
    if last is None:
        return
    if as_json:
        counts = {"Completed": last.completed, "Failed": last.failed, "Warning": last.warning}
        write_object({**counts, "Remaining": last.remaining, "FailedSOPInstanceUIDList": list(last.failed_uids)})
    else:
        warnings = f", {last.warning} of them with a warning" if last.warning else ""
        say(f"{last.completed + last.warning} {done}{warnings}, {last.failed} failed")
    if last.failed:
        for uid in last.failed_uids if not as_json else ():
            warn(f"failed: {uid}")
        raise typer.Exit(1)
