"""The command ``registrations carry``: points, regions and images from one series to another."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from radfuse.cli.console import say, warn, write_object
from radfuse.cli.image_work import making_now, queue_job, shares_shown
from radfuse.cli.images import (
    Units,
    is_uid,
    opened_archive,
    require_new_file,
    require_new_image_file,
    unit_named,
)
from radfuse.cli.many_options import taking
from radfuse.cli.options import Data, Database, Json, wrong_use
from radfuse.core.uids import checked_uid

if TYPE_CHECKING:
    from radfuse.archive import Archive
    from radfuse.services.carry import Carried, CarriedPoints, CarryAsk
    from radfuse.services.registrations import Wish


class FormName(StrEnum):
    """What regions become, as it is typed."""

    CONTOURS = "contours"
    SLICES = "slices"
    SEG = "seg"


_Stack = Annotated[int | None, typer.Option("--from-stack", metavar="N", min=1, help="Which volume of --from.")]


@dataclass(frozen=True)
class CarryOptions:
    """What can be typed."""

    moving: Annotated[str, typer.Option("--from", metavar="SERIES", help="The series that things lie on.")]
    fixed: Annotated[str, typer.Option("--to", metavar="SERIES", help="The series that they are carried to.")]
    points: Annotated[
        Path | None,
        typer.Option("--points", metavar="FILE.csv", help="Points: x, y, z in mm, after a name or not."),
    ] = None
    structures: Annotated[
        str | None,
        typer.Option(
            "--structures",
            metavar="OBJECT",
            help="An RT Structure Set or Segmentation of the archive, by its UID or that of its series; or a file.",
        ),
    ] = None
    structure: Annotated[
        list[str] | None,
        typer.Option("--structure", metavar="NAME", help="Only this region, by name or number. Repeatable."),
    ] = None
    as_: Annotated[
        FormName | None,
        typer.Option(
            "--as",
            help="Regions become contours moved point by point, contours drawn anew on the slices, or a Segmentation. "
            "By default a Segmentation stays one, and contours are moved, but drawn anew by a deformation.",
        ),
    ] = None
    image: Annotated[bool, typer.Option("--image", help="The images themselves, on the voxels of --to.")] = False
    units: Units = None
    by: Annotated[
        list[str] | None,
        typer.Option("--by", metavar="UID", help="Use this registration alone; may be given several times."),
    ] = None
    allow_failed: Annotated[
        bool, typer.Option("--allow-failed", help="Use registrations too that failed their report card.")
    ] = False
    allow_other_patient: Annotated[
        bool, typer.Option("--allow-other-patient", help="Also between series of two patients.")
    ] = False
    from_stack: _Stack = None
    to_stack: Annotated[int | None, typer.Option("--to-stack", metavar="N", min=1, help="Which volume of --to.")] = None
    to_file: Annotated[
        Path | None,
        typer.Option(
            "--to-file",
            metavar="FILE",
            help="Write this new file: .csv for points; DICOM for regions, or .nii, .nii.gz or .nrrd for one of them "
            "and for images.",
        ),
    ] = None
    save: Annotated[bool, typer.Option("--save", help="Keep what arrives in the archive.")] = False
    job: Annotated[bool, typer.Option("--job", help="Queue it as a job, which keeps what arrives, and end.")] = False
    database: Database = None
    data: Data = None
    as_json: Json = False


@taking(CarryOptions)
def carry(options: CarryOptions) -> None:
    """Carry points, regions or images from one series to another by the registrations that are kept.

    Exit code 1 with a sentence when they are not registered, or nothing arrives.
    """
    _check(options)
    if options.points is not None:
        _points(options)
        return
    with wrong_use():
        ask = _ask(options)
    with contextlib.ExitStack() as opened:
        archive = opened_archive(options.data, options.database, opened)[0]
        if options.job:
            _queue(options, archive, ask)
            return
        from radfuse.services.carry import carry as carry_now

        with shares_shown("Carrying") as tell:
            carried = carry_now(archive, ask, tell)
        stored = _kept(archive, carried, options)
    _show(options, carried, stored)


def _check(options: CarryOptions) -> None:
    """Wrong use, before anything is read."""
    if sum((options.points is not None, options.structures is not None, options.image)) != 1:
        raise typer.BadParameter("say what is carried: one of --points, --structures and --image")
    if options.structures is None and (options.structure or options.as_):
        raise typer.BadParameter("--structure and --as go with --structures")
    if options.points is not None:
        if options.save or options.job:
            raise typer.BadParameter("points go into a file (--to-file) or onto the screen")
        if options.to_file is not None:
            require_new_file("--to-file", options.to_file)
        return
    if sum((options.save, options.job, options.to_file is not None)) != 1:
        raise typer.BadParameter("say where it goes: one of --save, --job and --to-file")
    if options.to_file is not None and (options.image or _is_image_file(options.to_file)):
        require_new_image_file(options.to_file)
    elif options.to_file is not None:
        require_new_file("--to-file", options.to_file)


def _is_image_file(path: Path) -> bool:
    from radfuse.volume.image_files import is_image_file

    return is_image_file(path)


def _wish(options: CarryOptions) -> Wish:
    from radfuse.services.registrations import Wish

    only = frozenset(checked_uid(uid, "SOP Instance UID") for uid in options.by or ())
    return Wish(options.allow_failed, options.allow_other_patient, only)


def _ends(options: CarryOptions) -> tuple[str, str]:
    fixed, moving = (checked_uid(uid, "Series Instance UID") for uid in (options.fixed, options.moving))
    return fixed, moving


def _ask(options: CarryOptions) -> CarryAsk:
    from radfuse.services.carry import CarryAsk, Form, Images, Regions

    what: Regions | Images = Images(unit_named(options.units))
    if options.structures is not None:
        where = options.structures if is_uid([options.structures]) else Path(options.structures)
        form = None if options.as_ is None else Form(options.as_.value)
        if form is None and options.to_file is not None and _is_image_file(options.to_file):
            form = Form.SEG
        what = Regions(where, tuple(options.structure or ()), form)
    return CarryAsk(*_ends(options), what, _wish(options), options.to_stack, options.from_stack)


# --- points ----------------------------------------------------------------------------------


def _points(options: CarryOptions) -> None:
    from radfuse.services.carry import carry_points, read_points, write_points

    assert options.points is not None  # noqa: S101 looked at before
    with wrong_use():
        ends, wish, wanted = _ends(options), _wish(options), read_points(options.points)
    with contextlib.ExitStack() as opened:
        archive = opened_archive(options.data, options.database, opened)[0]
        carried = carry_points(archive, *ends, wanted, wish)
    if options.to_file is not None:
        with options.to_file.open("x", encoding="utf-8") as file:
            file.write(write_points(carried.points))
    if options.as_json:
        write_object(_as_json(carried, options))
        return
    if options.to_file is None:
        for line in write_points(carried.points).splitlines():
            say(line)
    for note in carried.notes:
        warn(note)
    if options.to_file is not None:
        say(f"{len(carried.points)} points carried over by {carried.path.reason}; {options.to_file} is written.")


def _as_json(carried: CarriedPoints, options: CarryOptions) -> dict[str, Any]:
    return {
        "Points": [{"Name": point.name, "Mm": point.mm} for point in carried.points],
        "Grade": carried.path.grade.value,
        "Registrations": [step.link.registration for step in carried.path.steps],
        "Notes": list(carried.notes),
        "File": None if options.to_file is None else str(options.to_file),
    }


# --- regions and images ----------------------------------------------------------------------


def _queue(options: CarryOptions, archive: Archive, ask: CarryAsk) -> None:
    from radfuse.services.carry import path_of
    from radfuse.services.carry_job import new_carrying

    path = path_of(archive, ask.fixed, ask.moving, ask.wish)
    queue_job(
        lambda database: new_carrying(ask, path, database=database),
        options.data,
        options.database,
        as_json=options.as_json,
    )


def _kept(archive: Archive, carried: Carried, options: CarryOptions) -> list[str]:
    """What is stored, after all is in the archive or the file."""
    from radfuse.services.carry import save

    making = making_now()
    if options.to_file is None:
        return list(save(archive, carried, making).stored)
    if _is_image_file(options.to_file):
        _write_image(options.to_file, carried)
        return []
    from radfuse.objects.common import encode
    from radfuse.services.carry import objects_of

    (ds,) = objects_of(archive, carried, making)
    with options.to_file.open("xb") as file:
        file.write(encode(ds))
    return []


def _write_image(to: Path, carried: Carried) -> None:
    from radfuse.core.errors import InvalidRegion
    from radfuse.volume.image_files import write_image_file, write_mask_file

    if carried.volume is not None:
        write_image_file(to, carried.volume)
        return
    masks = [region.mask for region in carried.regions if region.mask is not None]
    if len(masks) != 1:
        raise InvalidRegion("a NIfTI or NRRD file holds one region: name it with --structure, and leave --as out")
    write_mask_file(to, masks[0])


def _show(options: CarryOptions, carried: Carried, stored: list[str]) -> None:
    if options.as_json:
        facts = {
            "Carried": [region.name for region in carried.regions],
            "Form": None if carried.found is None else carried.found.form.value,
            "Grade": carried.path.grade.value,
            "Registrations": [step.link.registration for step in carried.path.steps],
            "Notes": list(carried.notes),
            "StoredObjects": stored,
            "File": None if options.to_file is None else str(options.to_file),
        }
        write_object(facts)
        return
    for note in carried.notes:
        warn(note)
    say(f"{carried.sentence}.")
    if options.to_file is not None:
        say(f"{options.to_file} is written.")
    elif stored:
        say(f"Stored: {stored[0]}" if len(stored) == 1 else f"Stored: {len(stored)} images in a new series.")
