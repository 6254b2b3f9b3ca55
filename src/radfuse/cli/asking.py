"""Commands that ask a peer: echo, find, move, get."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from radfuse.cli.cancelling import ctrl_c_cancels
from radfuse.cli.console import progress, say, warn, write_object, write_rows
from radfuse.cli.failures import PeerFailed, talking_to
from radfuse.cli.keys import Question, as_row, information_model, level_of, question
from radfuse.cli.many_options import taking
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
    from radfuse.archive import InformationModel
    from radfuse.services.associating import Caller
    from radfuse.services.peer_test import PeerTest
    from radfuse.services.peers import Peer
    from radfuse.services.query_peer import Echo, Progress

Destination = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="AET",
        help="The AE title to send to; the peer must know it as a destination. By default our own: to us.",
    ),
]
RetrieveLevel = Annotated[
    LevelName | None,
    typer.Option("--level", help="What the keys name; by default the deepest level whose unique key is given."),
]
AsJob = Annotated[
    bool, typer.Option("--job", help="Queue it as a durable job and end: a worker does it, again when it fails.")
]
Priority = Annotated[int, typer.Option("--priority", min=1, max=9, help="Of the job: 1 goes first, 9 last.")]


def peer_named(settings: Settings, name: str) -> Peer:
    """The peer of a name or AET@HOST:PORT; what is neither is an error of its own."""
    from radfuse.app import open_peers
    from radfuse.services import peers

    if "@" in name:
        with wrong_use():
            return peers.Peer.parse(name)
    if not settings.data.is_dir():
        raise UnknownPeer(name)  # and no data folder is made on the way
    with contextlib.closing(open_peers(settings)) as known:
        return known.by_name(name)


def caller(settings: Settings, peer: Peer, our_title: str | None) -> Caller:
    """Who we are to ``peer``: the AE title given for this command, else what the configuration says."""
    from radfuse.app import our_caller

    return our_caller(settings, peer, _checked_title(our_title) if our_title is not None else "")


def _checked_title(title: str) -> str:
    from radfuse.core.aetitle import checked_ae_title

    with wrong_use():
        return checked_ae_title(title)


# --- echo ------------------------------------------------------------------------------------


def echo_peer(settings: Settings, name: str, our_title: str | None, as_json: bool, *, is_test: bool = False) -> None:
    """C-ECHO, and tell the story of it. A test goes on to what the peer accepts when something is sent to it."""
    from radfuse.cli.contexts import context_list_named
    from radfuse.services.peer_test import try_peer

    peer = peer_named(settings, name)
    us = caller(settings, peer, our_title)
    tried = try_peer(peer, us, context_list_named(settings, peer.context_list) if is_test else None)
    if as_json and tried.answer is not None:
        write_object(_facts_of(peer, us, tried.answer) | _contexts_of(tried))
    for step in tried.steps if not as_json else ():
        if step.is_ok:
            say(step.text)
    if not tried.is_ok:
        raise PeerFailed(tried.failure)


def _contexts_of(tried: PeerTest) -> dict[str, object]:
    return next(({"Contexts": step.text} for step in tried.steps if step.name == "contexts"), {})


def _facts_of(peer: Peer, us: Caller, answer: Echo) -> dict[str, object]:
    tls = answer.tls
    return {
        "Name": peer.name,
        "AETitle": peer.ae_title,
        "Host": peer.host,
        "Port": peer.port,
        "CallingAETitle": us.ae_title,
        "TLS": tls.version if tls else "",
        "CipherSuite": tls.cipher_suite if tls else "",
        "CertificateNames": sorted(tls.peer.names) if tls and tls.peer else [],
        "AssociationMilliseconds": round(1000 * answer.association_s, 1),
        "Milliseconds": round(1000 * answer.round_trip_s, 1),
    }


def echo(peer: PeerName, from_title: From = None, data: Data = None, as_json: Json = False) -> None:
    """Ask a peer whether it is there (C-ECHO)."""
    echo_peer(settings_of(data), peer, from_title, as_json)


# --- find ------------------------------------------------------------------------------------


def find(
    at_peer: AtPeer,
    keys: Keys = None,
    level: AtLevel = LevelName.STUDY,
    model: Model = None,
    from_title: From = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Ask a peer for patients, studies, series or images (C-FIND). Ctrl-C cancels the query there."""
    from radfuse.services import query_peer

    asked = question(keys, level.level)
    chosen = information_model(model, level.level)
    settings = settings_of(data)
    peer = peer_named(settings, at_peer)
    us = caller(settings, peer, from_title)
    with talking_to(peer, us.ae_title), ctrl_c_cancels() as cancelled:
        answers = query_peer.find(peer, us, chosen, asked.identifier, cancelled)
        with contextlib.closing(answers):
            count = write_rows((as_row(answer) for answer in answers), asked.columns, as_json=as_json)
    if cancelled():
        warn(f"cancelled: these are the {count} answers that came before")
        raise typer.Exit(1)
    if not count and not as_json:
        say(f"Nothing found at {peer.name}.")


# --- move and get ----------------------------------------------------------------------------


@dataclass(frozen=True)
class MoveOptions:
    """What can be typed."""

    at_peer: AtPeer
    keys: Keys = None
    to_title: Destination = None
    level: RetrieveLevel = None
    as_job: AsJob = False
    priority: Priority = 5
    from_title: From = None
    data: Data = None
    as_json: Json = False


@taking(MoveOptions)
def move(options: MoveOptions) -> None:
    """Have a peer send what the unique keys name to an AE title that it knows (C-MOVE). Ctrl-C cancels it there."""
    from radfuse.services import query_peer

    request = _Request.of(options.at_peer, options.keys, options.level, options.from_title, settings_of(options.data))
    destination = _checked_title(options.to_title or request.settings.ae_title)
    if options.as_job:
        _queue(request, options.priority, options.as_json, move_to=destination)
        return
    peer, us = request.peer, request.us
    with talking_to(peer, us.ae_title), ctrl_c_cancels() as cancelled:
        steps = query_peer.move(peer, us, request.model, request.asked.identifier, destination, cancelled)
        with contextlib.closing(steps):
            _follow(steps, "moved", options.as_json)


@dataclass(frozen=True)
class GetOptions:
    """What can be typed."""

    at_peer: AtPeer
    keys: Keys = None
    level: RetrieveLevel = None
    as_job: AsJob = False
    priority: Priority = 5
    from_title: From = None
    database: Database = None
    data: Data = None
    as_json: Json = False


@taking(GetOptions)
def get(options: GetOptions) -> None:
    """Fetch what the unique keys name from a peer into our own archive (C-GET). Ctrl-C cancels it there."""
    from radfuse.app import open_archive
    from radfuse.services import query_peer

    request = _Request.of(options.at_peer, options.keys, options.level, options.from_title, settings_of(options.data))
    database = database_named(request.settings, options.database)
    if options.as_job:
        _queue(request, options.priority, options.as_json, database=database)
        return
    peer, us = request.peer, request.us
    with (
        open_archive(request.settings, database) as archive,
        talking_to(peer, us.ae_title),
        ctrl_c_cancels() as cancelled,
    ):
        steps = query_peer.get(archive, peer, us, request.model, request.asked.identifier, cancelled)
        with contextlib.closing(steps):
            _follow(steps, "stored", options.as_json)


@dataclass(frozen=True)
class _Request:
    """A retrieval as typed."""

    settings: Settings
    peer: Peer
    us: Caller
    our_title: str
    model: InformationModel
    asked: Question

    @classmethod
    def of(
        cls,
        at_peer: str,
        keys: Sequence[str] | None,
        level: LevelName | None,
        from_title: str | None,
        settings: Settings,
    ) -> _Request:
        deepest = level_of(keys, level)
        asked = question(keys, deepest, shows=False)
        peer = peer_named(settings, at_peer)
        us = caller(settings, peer, from_title)
        return cls(settings, peer, us, from_title or "", information_model(_model_for(asked.columns), deepest), asked)


def _model_for(keywords: tuple[str, ...]) -> ModelName | None:
    """Patient root when the patient is named too: its unique key is none of study root."""
    return ModelName.PATIENT if "PatientID" in keywords else None


def _queue(request: _Request, priority: int, as_json: bool, *, move_to: str = "", database: str = "") -> None:
    """Queue the retrieval as a job and say its number."""
    from radfuse.app import open_jobs
    from radfuse.services import retrieve_job
    from radfuse.services.databases import DEFAULT_DATABASE

    with wrong_use():
        wanted = retrieve_job.Wanted.of(request.model, request.asked.level, request.asked.identifier)
    with contextlib.closing(open_jobs(request.settings)) as jobs:
        number = retrieve_job.submit_retrieve(
            jobs,
            request.peer,
            wanted,
            retrieve_job.Into(database or DEFAULT_DATABASE, move_to),
            from_title=request.our_title,
            priority=priority,
        )
    if as_json:
        write_object({"JobID": number})
    else:
        say(f"job {number} is queued; 'radfuse jobs show {number}' shows how it goes on")


def _follow(steps: Iterator[Progress], done: str, as_json: bool) -> None:
    """Show how a retrieval goes on and what came of it; exit code 1 when something failed or it was cancelled."""
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
        status = f"{last.final_status or 0:04X}"
        uids = list(last.failed_uids)
        write_object({**counts, "Remaining": last.remaining, "Status": status, "FailedSOPInstanceUIDList": uids})
    else:
        warnings = f", {last.warning} of them with a warning" if last.warning else ""
        cancelled = f", cancelled with {last.remaining} remaining" if last.is_cancelled else ""
        say(f"{last.completed + last.warning} {done}{warnings}, {last.failed} failed{cancelled}")
    for uid in last.failed_uids if not as_json else ():
        warn(f"failed: {uid}")
    if last.is_out_of_space:
        warn("there is no room left here: make room on the volume of the data folder, then get it again")
    if last.failed or last.is_cancelled:
        raise typer.Exit(1)
