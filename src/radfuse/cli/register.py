"""The command ``register``: two series brought together, judged, and kept."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from radfuse.cli.console import say, warn, write_object, write_table
from radfuse.cli.image_work import check_report, making_now, queue_job, shares_shown
from radfuse.cli.images import is_uid, numbers_typed, opened_archive, series_or_paths
from radfuse.cli.many_options import taking
from radfuse.cli.options import Data, Database, Json, wrong_use

if TYPE_CHECKING:
    from radfuse.archive import Archive
    from radfuse.services.register import Region, RegisterAsk, Registered

_SPHERE_OR_BOX: Final = (4, 6)


class KindName(StrEnum):
    """A kind of registration as it is typed."""

    RIGID = "rigid"
    AFFINE = "affine"
    DEFORMABLE = "deformable"
    LANDMARKS = "landmarks"
    MANUAL = "manual"


_SERIES: Final = "a Series Instance UID of the archive, or a file or folder"


@dataclass(frozen=True)
class RegisterOptions:
    """What can be typed."""

    fixed: Annotated[str, typer.Option("--fixed", metavar="SERIES|PATH", help=f"What stays: {_SERIES}.")]
    moving: Annotated[str, typer.Option("--moving", metavar="SERIES|PATH", help=f"What is moved: {_SERIES}.")]
    kind: Annotated[KindName, typer.Option("--kind", help="How.")] = KindName.RIGID
    click: Annotated[
        list[str] | None,
        typer.Option(
            "--click",
            metavar="X,Y,Z:X,Y,Z",
            help="Begin where this point of the fixed images lies on that of the moving ones, in mm. Repeatable.",
        ),
    ] = None
    manual: Annotated[
        str | None,
        typer.Option(
            "--manual",
            metavar="TX,TY,TZ,RX,RY,RZ",
            help="With --kind manual: the moving images are turned about the middle of their volume (degrees about "
            "x, then y, then z), then shifted (mm).",
        ),
    ] = None
    landmarks: Annotated[
        Path | None,
        typer.Option(
            "--landmarks",
            metavar="FILE.csv",
            help="Points that show the same places (fixed x, y, z, moving x, y, z): they measure the error, and "
            "with --kind landmarks they are the registration.",
        ),
    ] = None
    region: Annotated[
        str | None,
        typer.Option(
            "--region",
            metavar="X,Y,Z,R|X,Y,Z,DX,DY,DZ",
            help="Compare only this sphere of the fixed images, or this box: its middle, and its lengths along their "
            "columns, rows and slices; in mm.",
        ),
    ] = None
    structures: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--structures",
            metavar="FIXED MOVING",
            help="RT Structure Sets or Segmentations of both series; regions of one name measure the agreement.",
        ),
    ] = None
    from_path: Annotated[
        bool, typer.Option("--from-path", help="Begin from the registrations that the archive keeps.")
    ] = False
    no_check_back: Annotated[
        bool, typer.Option("--no-check-back", help="Do not deform back to measure the inverse consistency.")
    ] = False
    allow_other_patient: Annotated[
        bool, typer.Option("--allow-other-patient", help="The series may be of two patients; the card says so.")
    ] = False
    allow_same_frame: Annotated[
        bool, typer.Option("--allow-same-frame", help="Register also what lies in one frame of reference already.")
    ] = False
    save: Annotated[
        bool, typer.Option("--save", help="Keep the registration, its pictures and its card in the archive.")
    ] = False
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="DIR", help="Write the card (PDF, JSON) and the pictures to this new folder."),
    ] = None
    job: Annotated[bool, typer.Option("--job", help="Queue it as a job, which keeps what comes of it, and end.")] = (
        False
    )
    database: Database = None
    data: Data = None
    as_json: Json = False


@taking(RegisterOptions)
def register(options: RegisterOptions) -> None:
    """Register two series, judge the result, and keep it.

    Exit code 1 when the grade is FAIL, or with a sentence when the series cannot be registered.
    """
    with wrong_use():
        ask = _ask(options)
    _check(options)
    if options.job:
        _queue(options, ask)
        return
    from radfuse.services.register import register as register_now
    from radfuse.services.register import write_report

    with contextlib.ExitStack() as opened:
        archive = _archive(options, opened)
        with shares_shown("Registering") as tell:
            found = register_now(archive, ask, tell)
        stored = _save(archive, found) if options.save and archive is not None else []
        written = write_report(options.report, found) if options.report is not None else []
    _show(found, stored, written, as_json=options.as_json)
    if found.card.grade == "FAIL":
        raise typer.Exit(1)


def _ask(options: RegisterOptions) -> RegisterAsk:
    from radfuse.services.measure import Image
    from radfuse.services.register import (
        Allowed,
        RegisterAsk,
        RegisterKind,
        Structures,
        pair_of,
        read_landmarks,
    )

    structures = None
    if options.structures is not None:
        fixed, moving = ([word] for word in options.structures)
        structures = Structures(*(each[0] if is_uid(each) else Path(each[0]) for each in (fixed, moving)))
    return RegisterAsk(
        Image(series_or_paths([options.fixed])),
        Image(series_or_paths([options.moving])),
        RegisterKind(options.kind.value),
        tuple(map(pair_of, options.click or ())),
        read_landmarks(options.landmarks) if options.landmarks is not None else (),
        _region(options.region),
        structures,
        options.from_path,
        not options.no_check_back,
        Allowed(options.allow_other_patient, options.allow_same_frame),
        _by_hand(options.manual),
    )


def _by_hand(text: str | None) -> tuple[tuple[float, float, float], tuple[float, float, float]] | None:
    if text is None:
        return None
    x, y, z, u, v, w = numbers_typed(text, 6)
    return (x, y, z), (u, v, w)


def _region(text: str | None) -> Region | None:
    if text is None:
        return None
    from radfuse.services.register import Region

    return Region.of(numbers_typed(text, *_SPHERE_OR_BOX))


def _check(options: RegisterOptions) -> None:
    """Wrong use that would otherwise be found after the work."""
    check_report(options.report, is_job=options.job)
    from_archive = is_uid([options.fixed]) and is_uid([options.moving])
    if (options.save or options.job) and not from_archive:
        raise typer.BadParameter("only a registration of two series of the archive is kept in it")


def _archive(options: RegisterOptions, opened: contextlib.ExitStack) -> Archive | None:
    """The archive, where something of it is named."""
    if not any(is_uid([word]) for word in (options.fixed, options.moving, *(options.structures or ()))):
        return None
    return opened_archive(options.data, options.database, opened)[0]


def _save(archive: Archive, found: Registered) -> list[str]:
    from radfuse.services.register import save

    return list(save(archive, found, making_now()).stored)


def _queue(options: RegisterOptions, ask: RegisterAsk) -> None:
    from radfuse.services.register_job import new_registration

    queue_job(
        lambda database: new_registration(ask, database=database),
        options.data,
        options.database,
        as_json=options.as_json,
    )


def _show(found: Registered, stored: list[str], written: list[Path], *, as_json: bool) -> None:
    from radfuse.registration.quality import LIMITS, rows_of
    from radfuse.services.register import as_json as everything

    if as_json:
        write_object({**everything(found), "StoredObjects": stored, "Files": [str(path) for path in written]})
        return
    write_table(rows_of(found.card.checks, LIMITS))
    if found.ask.manual is not None:
        say("By hand: " + "; ".join(f"{name} {words}" for name, words in found.registration.parameters.items()))
    for sentence in found.card.concerns:
        warn(sentence)
    for sentence in found.card.notes:
        say(f"Note: {sentence}")
    for uid in stored:
        say(f"Stored: {uid}")
    for path in written:
        say(f"{path} is written.")
    say(f"{found.registration.method.value}: {found.card.grade.value}: {found.card.reason}")
