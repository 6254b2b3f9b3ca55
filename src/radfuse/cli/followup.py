"""The command ``followup``: a series compared with an earlier one of the patient."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from radfuse.cli.console import say, warn, write_array, write_object, write_table
from radfuse.cli.image_work import check_report, making_now, queue_job, shares_shown
from radfuse.cli.images import is_uid, opened_archive
from radfuse.cli.many_options import taking
from radfuse.cli.options import Data, Database, Json, wrong_use

if TYPE_CHECKING:
    from radfuse.services.followup import Followup, FollowupAsk

_OBJECT: Final = "RT Structure Set or Segmentation: its UID, that of its series, or a file"


class RegistrationName(StrEnum):
    """What may be made, as it is typed."""

    DEFORMABLE = "deformable"
    RIGID = "rigid"
    NONE = "none"


@dataclass(frozen=True)
class FollowupOptions:
    """What can be typed."""

    current: Annotated[str, typer.Argument(metavar="SERIES", help="The current series, by its Series Instance UID.")]
    prior: Annotated[
        str | None, typer.Option("--prior", metavar="SERIES", help="The earlier series; without it one is looked for.")
    ] = None
    priors: Annotated[
        bool, typer.Option("--priors", help="Only list the earlier series, and why each is chosen or not.")
    ] = False
    structures: Annotated[
        str | None,
        typer.Option(
            "--structures", metavar="OBJECT", help=f"The prior's lesions. {_OBJECT}. Without it the only one there is."
        ),
    ] = None
    structure: Annotated[
        list[str] | None,
        typer.Option("--structure", metavar="NAME", help="One of them, by name or number; without it all. Repeatable."),
    ] = None
    current_structures: Annotated[
        str | None,
        typer.Option("--current-structures", metavar="OBJECT", help="What is drawn on the current images; the same."),
    ] = None
    pair: Annotated[
        list[str] | None,
        typer.Option("--pair", metavar="PRIOR=CURRENT", help="Regions that are one lesion, by hand. Repeatable."),
    ] = None
    rule: Annotated[
        str | None,
        typer.Option(
            "--rule",
            metavar="RULE",
            help="What of a region is lesion, at both time points: 41% (of the maximum, the default for PET), "
            "'SUV 4' or 4 (from this value on), contour (all of it, the default for CT and MR).",
        ),
    ] = None
    margin: Annotated[
        float, typer.Option("--margin", metavar="MM", help="How far around a carried region its lesion is looked for.")
    ] = 10.0
    registration: Annotated[
        RegistrationName,
        typer.Option("--registration", help="What is made where the time points are not registered yet."),
    ] = RegistrationName.DEFORMABLE
    allow_other_patient: Annotated[
        bool, typer.Option("--allow-other-patient", help="The series may be of two patients.")
    ] = False
    save: Annotated[
        bool,
        typer.Option("--save", help="Keep the lesions, the carried regions, the change table and a new registration."),
    ] = False
    report: Annotated[
        Path | None, typer.Option("--report", metavar="DIR", help="Write the change table (PDF, JSON) to this folder.")
    ] = None
    job: Annotated[bool, typer.Option("--job", help="Queue it as a job, which keeps what comes of it, and end.")] = (
        False
    )
    database: Database = None
    data: Data = None
    as_json: Json = False


@taking(FollowupOptions)
def followup(options: FollowupOptions) -> None:
    """Compare a series with an earlier one: lesions carried over, found again, and what changed of each.

    Exit code 1 when the time points could not be registered and nothing was carried.
    """
    with wrong_use():
        ask = _ask(options)
    check_report(options.report, is_job=options.job)
    if options.priors:
        _list(options)
    elif options.job:
        _queue(options, ask)
    else:
        _run(options, ask)


def _ask(options: FollowupOptions) -> FollowupAsk:
    from radfuse.core.uids import checked_uid
    from radfuse.services.followup import FollowupAsk, Linking, pair_of, rule_of

    return FollowupAsk(
        checked_uid(options.current, "Series Instance UID"),
        checked_uid(options.prior, "Series Instance UID") if options.prior else "",
        _object(options.structures),
        tuple(options.structure or ()),
        _object(options.current_structures),
        tuple(map(pair_of, options.pair or ())),
        rule_of(options.rule) if options.rule is not None else None,
        options.margin,
        Linking(options.registration.value),
        options.allow_other_patient,
    )


def _object(word: str | None) -> str | Path:
    if word is None:
        return ""
    return word if is_uid([word]) else Path(word)


def _list(options: FollowupOptions) -> None:
    from radfuse.services.followup import priors_of_series

    with contextlib.ExitStack() as opened:
        archive, _ = opened_archive(options.data, options.database, opened)
        candidates = priors_of_series(archive, options.current).candidates
    rows = [each.as_json() for each in candidates]
    if options.as_json:
        write_array(rows)
    elif rows:
        write_table([{name: row[name] for name in _COLUMNS} for row in rows])
    else:
        say("The patient has no other series of this modality.")


_COLUMNS: Final = ("SeriesInstanceUID", "Acquired", "Chosen", "Reason")


def _run(options: FollowupOptions, ask: FollowupAsk) -> None:
    from radfuse.services.followup import follow_up, save, write_report

    with contextlib.ExitStack() as opened:
        archive, _ = opened_archive(options.data, options.database, opened)
        making = making_now() if options.save else None
        with shares_shown("Comparing") as tell:
            found = follow_up(archive, ask, tell, None if making is None else lambda _label: making)
        stored = list(save(archive, found, making).stored) if making is not None else []
        written = write_report(options.report, found) if options.report is not None else []
    _show(found, stored, written, as_json=options.as_json)
    if found.link.path is None:
        raise typer.Exit(1)


def _queue(options: FollowupOptions, ask: FollowupAsk) -> None:
    from radfuse.services.followup_job import new_followup

    queue_job(
        lambda database: new_followup(ask, database=database), options.data, options.database, as_json=options.as_json
    )


def _show(found: Followup, stored: list[str], written: list[Path], *, as_json: bool) -> None:
    from radfuse.services.followup import as_json as everything
    from radfuse.services.followup import rows_of

    if as_json:
        write_object({**everything(found), "StoredObjects": stored, "Files": [str(path) for path in written]})
        return
    write_table(rows_of(found))
    for finding in found.findings:
        warn(f"{finding.kind}: {finding.sentence}")
    for note in found.all_notes:
        say(f"Note: {note}")
    for uid in stored:
        say(f"Stored: {uid}")
    for path in written:
        say(f"{path} is written.")
    chosen = f"Prior of {found.prior.date}: {found.chosen.reason}. " if found.chosen is not None else ""
    say(f"{chosen}Rule {found.rule}. Registration: {found.link.sentence}")
