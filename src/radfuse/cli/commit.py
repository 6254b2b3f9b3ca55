"""Commands about storage commitment: ask a peer to keep objects safely, and show what it said."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from radfuse.cli.asking import peer_named
from radfuse.cli.console import say, warn, write_object, write_rows
from radfuse.cli.following import follow
from radfuse.cli.jobs import advice, facts, instance_facts, when
from radfuse.cli.many_options import taking
from radfuse.cli.options import Data, Database, From, Json, database_named, existing_data_folder, settings_of, wrong_use
from radfuse.core.errors import ConfigurationError

if TYPE_CHECKING:
    from radfuse.app import Settings
    from radfuse.jobs import Job, Jobs
    from radfuse.services.commitment import Commitments, Outcome, Reference, Transaction
    from radfuse.services.peers import Peer

app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)

_MAX_SHOWN: Final = 50
_HOUR_S: Final = 3600.0
_COLUMNS: Final = ("TransactionUID", "Role", "Peer", "State", "Committed", "Failed", "Objects", "Since")
_OBJECT_COLUMNS: Final = ("SOPInstanceUID", "Result", "Changed")
_HISTORY_COLUMNS: Final = ("Peer", "Role", "Result", "Changed", "State", "TransactionUID")

Studies = Annotated[
    list[str] | None,
    typer.Option("--study", metavar="UID", help="Ask for this study of the own archive; can be given again."),
]
SentBy = Annotated[int | None, typer.Option("--job", metavar="ID", help="Ask for what this send job has sent.")]
AtPeer = Annotated[
    str | None,
    typer.Option(
        "--at", metavar="PEER", help="A configured name or AET@HOST:PORT; by default where the send job sent to."
    ),
]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Queue the job and end; a worker does it.")]
ObjectUID = Annotated[str | None, typer.Argument(metavar="SOP-UID", help="The object's SOP Instance UID.")]
TransactionName = Annotated[
    str | None, typer.Option("--transaction", metavar="UID", help="Show this transaction, and not an object.")
]


# --- asking ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class CommitOptions:
    """What can be typed."""

    context: typer.Context
    study: Studies = None
    job: SentBy = None
    at_peer: AtPeer = None
    no_wait: NoWait = False
    from_title: From = None
    database: Database = None
    data: Data = None
    as_json: Json = False


@app.callback()
@taking(CommitOptions)
def commit(options: CommitOptions) -> None:
    """Ask a peer to commit to objects: to promise that it keeps them safely (storage commitment).

    Ask for studies of the own archive, or for what a send job has sent. It is a durable job. Exit
    code 1 when an object is not committed, or the peer has not said so yet; 'commit show' tells later.
    """
    from radfuse.core.aetitle import checked_ae_title

    if options.context.invoked_subcommand is not None:
        _check_no_options(options.context)
        return
    if bool(options.study) == (options.job is not None):
        raise typer.BadParameter("give either --study UID or --job ID")
    if options.study and options.at_peer is None:
        raise typer.BadParameter("--study needs --at PEER")
    with wrong_use():
        our_title = checked_ae_title(options.from_title) if options.from_title else ""
    _ask(existing_data_folder(settings_of(options.data)), options, our_title)


def _check_no_options(context: typer.Context) -> None:
    """Options before a sub-command would be for asking, and have no effect."""
    for name in context.params:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(f"options go after {context.invoked_subcommand!r}")


def _ask(settings: Settings, options: CommitOptions, our_title: str) -> None:
    from radfuse.app import is_worker_running, open_jobs
    from radfuse.services import commitment

    with contextlib.closing(open_jobs(settings)) as jobs:
        database = database_named(settings, options.database)
        peer = _peer(settings, jobs, options)
        references = _references(settings, jobs, options, database)
        our_title = our_title or peer.calling_ae_title or settings.ae_title
        with wrong_use():
            job_id = commitment.submit_commit(jobs, peer, references, our_title, database)
        if options.no_wait:
            job = jobs.get(job_id)
            if options.as_json:
                write_object(facts(job))
            else:
                say(f"job {job_id} is queued: {job.title}. {advice(job, is_worker_running(settings))}")
            return
        job = follow(settings, jobs, job_id, "Committing")
        _report(job, jobs, peer, options.as_json)


def _peer(settings: Settings, jobs: Jobs, options: CommitOptions) -> Peer:
    """The peer to ask: the one named, or the one that the send job sent to."""
    if options.at_peer is not None:
        return peer_named(settings, options.at_peer)
    return peer_named(settings, str(jobs.get(options.job or 0).parameters.get("peer", "")))


def _references(settings: Settings, jobs: Jobs, options: CommitOptions, database: str) -> list[Reference]:
    from radfuse.app import open_archive
    from radfuse.services import commitment, send

    with wrong_use():
        if options.job is not None:
            database = str(jobs.get(options.job).parameters.get("database") or database)
        with open_archive(settings, database) as archive:
            if options.job is not None:
                return commitment.references_of_send(jobs, options.job, archive)
            return commitment.references_to(send.objects_of_studies(archive, options.study or ()))


def _report(job: Job, jobs: Jobs, peer: Peer, as_json: bool) -> None:
    """Say what came of the job; exit code 1 unless everything is committed."""
    counts = job.counts
    if as_json:
        instances = [instance_facts(item, job) for item in jobs.items(job.id, limit=None)]
        write_object(facts(job) | {"Instances": instances})
    else:
        from radfuse.jobs import ItemState

        failed = jobs.items(job.id, states=(ItemState.FAILED,), limit=_MAX_SHOWN)
        for item in failed:
            warn(f"not committed: {item.name}: {item.comment}")
        if counts.failed > len(failed):
            warn(f"and {counts.failed - len(failed)} more; 'radfuse jobs show {job.id}' lists them all")
        waiting = f", {counts.warned} asked for without an answer yet" if counts.warned else ""
        say(f"{counts.sent} committed by {peer.name}{waiting}, {counts.failed + counts.pending} not committed")
    if job.state != "done":
        warn(f"job {job.id} {job.state.value}: {job.message} {advice(job, True)}")
    if job.state != "done" or counts.warned:
        raise typer.Exit(1)


# --- showing ---------------------------------------------------------------------------------


@app.command()
def show(
    sop_instance_uid: ObjectUID = None,
    transaction: TransactionName = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show what was asked and promised: about an object, of a transaction, or the newest transactions.

    Role "asked" is what peers hold for us, "promised" what we hold for them.
    """
    if sop_instance_uid is not None and transaction is not None:
        raise typer.BadParameter("give either SOP-UID or --transaction UID")
    settings = settings_of(data)
    with _records(settings) as records:
        if transaction is not None:
            _show_transaction(settings, records, transaction, as_json)
        elif sop_instance_uid is not None:
            _show_object(settings, records, sop_instance_uid, as_json)
        else:
            newest = records.newest() if records else []
            rows = (_transaction_row(settings, records, found, as_json) for found in newest if records)
            if not write_rows(rows, () if as_json else _COLUMNS, as_json=as_json) and not as_json:
                say("No storage commitment yet. Ask for one with: radfuse commit --study UID --at PEER")


@contextlib.contextmanager
def _records(settings: Settings) -> Iterator[Commitments | None]:
    """The records of a data folder; None where there is no folder, which is not made on the way."""
    from radfuse.app import open_jobs
    from radfuse.services.commitment import Commitments

    if not settings.data.is_dir():
        yield None
        return
    with contextlib.closing(open_jobs(settings)) as jobs:
        yield Commitments(jobs)


def _show_transaction(settings: Settings, records: Commitments | None, uid: str, as_json: bool) -> None:
    found = records.named(uid) if records else []
    if not found or records is None:
        raise ConfigurationError("--transaction", f"there is no transaction {uid}; 'radfuse commit show' lists all")
    for transaction in found:
        outcomes = records.outcomes(transaction.id)
        row = _transaction_row(settings, records, transaction, as_json)
        if as_json:
            write_object(row | {"Instances": [_object_row(outcome, as_json) for outcome in outcomes]})
            continue
        say(f"{row['Role']} {transaction.partner.ae_title}: {row['State']}, {row['Since']}")
        say(f"{row['Committed']} committed, {row['Failed']} failed, of {row['Objects']}")
        write_rows((_object_row(outcome, as_json) for outcome in outcomes), _OBJECT_COLUMNS, as_json=False)


def _show_object(settings: Settings, records: Commitments | None, uid: str, as_json: bool) -> None:
    history = records.history(uid) if records else []
    held = records.committed_by(uid) if records else []
    rows = [
        _object_row(outcome, as_json)
        | {
            "Peer": transaction.partner.peer or transaction.partner.ae_title,
            "Role": transaction.role.value,
            "State": _state(settings, transaction),
            "TransactionUID": transaction.uid,
        }
        for transaction, outcome in history
    ]
    if as_json:
        peers = [{"Peer": one.peer, "AETitle": one.ae_title, "Committed": _iso(one.committed_s)} for one in held]
        write_object({"SOPInstanceUID": uid, "CommittedBy": peers, "History": rows})
        return
    if not rows:
        say("Nobody was asked to commit to this object, and nobody asked us.")
        return
    names = ", ".join(one.peer or one.ae_title for one in held)
    say(f"Held safely by {names}." if held else "No peer has said that it holds this object safely.")
    write_rows(rows, _HISTORY_COLUMNS, as_json=False)


def _transaction_row(
    settings: Settings, records: Commitments, transaction: Transaction, as_json: bool
) -> dict[str, object]:
    reasons = [outcome.reason for outcome in records.outcomes(transaction.id)]
    return {
        "TransactionUID": transaction.uid,
        "Role": transaction.role.value,
        "Peer": transaction.partner.peer or transaction.partner.ae_title,
        "State": _state(settings, transaction),
        "Committed": reasons.count(0),
        "Failed": len([reason for reason in reasons if reason]),
        "Objects": len(reasons),
        "Since": _iso(transaction.created_s) if as_json else when(transaction.created_s),
    }


def _state(settings: Settings, transaction: Transaction) -> str:
    if transaction.is_overdue(time.time(), settings.commitment.overdue_hours * _HOUR_S):
        return "overdue"
    if transaction.status is not None:
        return f"{transaction.state.value} with status {transaction.status:04X}"
    return transaction.state.value


def _object_row(outcome: Outcome, as_json: bool) -> dict[str, object]:
    changed_s = outcome.changed_s
    return {
        "SOPInstanceUID": outcome.reference.sop_instance_uid,
        "Result": outcome.text,
        "FailureReason": f"{outcome.reason:04X}" if outcome.reason and outcome.reason > 0 else "",
        "Changed": _iso(changed_s) if as_json else when(changed_s),
    }


def _iso(seconds: float | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
