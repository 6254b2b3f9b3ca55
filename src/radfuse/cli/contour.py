"""The commands of ``radfuse contour``: regions of objects, their masks on images, and new ones."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from radfuse.cli.console import say, warn, write_object, write_table
from radfuse.cli.image_work import making_now
from radfuse.cli.images import (
    StackNumber,
    Units,
    is_uid,
    numbers_typed,
    opened_archive,
    require_new_file,
    require_new_image_file,
    unit_named,
)
from radfuse.cli.many_options import taking
from radfuse.cli.options import Data, Database, Json, wrong_use
from radfuse.core.errors import ConfigurationError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from radfuse.archive import Archive
    from radfuse.services.new_regions import Finder, Made, MakeAsk
    from radfuse.volume import Stack

app = typer.Typer(no_args_is_help=True, help="Regions of images as contours and masks: list, convert, make.")


class BetweenName(StrEnum):
    """What slices between contours get, as it is typed."""

    NEAREST = "nearest"
    SHAPE = "shape"
    NOTHING = "nothing"


class ObjectName(StrEnum):
    """What is made, as it is typed."""

    RTSTRUCT = "rtstruct"
    SEG = "seg"


class HolesName(StrEnum):
    """How holes are written, as it is typed."""

    KEYHOLE = "keyhole"
    XOR = "xor"


class OutlineName(StrEnum):
    """Where lines run, as it is typed."""

    VOXEL_EDGE = "voxel-edge"
    VOXEL_CENTRE = "voxel-centre"


Wanted = Annotated[
    str,
    typer.Argument(
        metavar="OBJECT",
        help="An RT Structure Set or Segmentation: the SOP Instance UID of one in the archive, or a file.",
    ),
]
Sources = Annotated[
    list[str],
    typer.Argument(metavar="SERIES|PATH...", help="A Series Instance UID of the archive; or DICOM files and folders."),
]


@app.command("list")
def list_regions(wanted: Wanted, database: Database = None, data: Data = None, as_json: Json = False) -> None:
    """List the regions of an RT Structure Set or Segmentation, with their volumes."""
    from radfuse.services.contours import regions_in

    with contextlib.ExitStack() as opened:
        found = regions_in(*_object(wanted, data, database, opened))
    rows = [
        {
            "Number": row.number,
            "Name": row.name,
            "Kind": row.kind,
            "Contours": row.contours,
            "VolumeMl": None if row.volume_ml is None else round(row.volume_ml, 3),
            "FrameOfReferenceUID": row.frame_uid,
        }
        for row in found.rows
    ]
    if as_json:
        facts = {"Modality": found.modality, "SOPInstanceUID": found.sop_instance_uid}
        write_object({**facts, "Regions": rows, "Findings": list(found.findings)})
        return
    write_table({name: "-" if value is None else value for name, value in row.items()} for row in rows)
    for sentence in found.findings:
        warn(sentence)


@dataclass(frozen=True)
class MaskOptions:
    """What can be typed."""

    wanted: Wanted
    structure: Annotated[str, typer.Option("--structure", metavar="NAME", help="The region, by name or number.")]
    like: Annotated[str, typer.Option("--like", metavar="SERIES|PATH", help="The images whose voxels the mask has.")]
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="Write this .nii, .nii.gz or .nrrd; a new file.")]
    between: Annotated[
        BetweenName,
        typer.Option(
            "--between", help="What slices between contours get: those of the nearest plane, a shape, nothing."
        ),
    ] = BetweenName.NEAREST
    stack: StackNumber = None
    database: Database = None
    data: Data = None
    as_json: Json = False


@app.command("mask")
@taking(MaskOptions)
def write_mask(options: MaskOptions) -> None:
    """Write a region as a mask of 0 and 1 on the voxels of a series, as NIfTI or NRRD."""
    from radfuse.roi.filling import Between
    from radfuse.services.contours import grid_of, images_of, region_on
    from radfuse.volume.image_files import write_mask_file

    require_new_image_file(options.to)
    with contextlib.ExitStack() as opened:
        images, where = _images([options.like], options.data, options.database, opened)
        archive, wanted = _object(options.wanted, options.data, options.database, opened, images)
        grid = grid_of(images_of(images, where, options.stack))
        placed = region_on(archive, wanted, options.structure, grid, Between(options.between.value))
    mask = placed.mask
    write_mask_file(options.to, mask)
    if options.as_json:
        facts = {"Region": placed.name, "Voxels": mask.voxels, "VolumeMl": round(mask.volume_ml, 3)}
        write_object({**facts, "File": str(options.to), "Notes": list(placed.notes)})
        return
    for note in placed.notes:
        warn(note)
    say(f"{placed.name}: {mask.voxels} voxels, {mask.volume_ml:.3f} ml; {options.to} is written.")


# --- making ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class MakeOptions:
    """What can be typed."""

    source: Sources
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="What the region is called.")]
    as_: Annotated[ObjectName, typer.Option("--as", help="An RT Structure Set, or a Segmentation.")]
    threshold: Annotated[
        float | None, typer.Option("--threshold", metavar="VALUE", help="All voxels of at least this value.")
    ] = None
    upper: Annotated[
        float | None, typer.Option("--upper", metavar="VALUE", help="With --threshold or --seed: and at most this one.")
    ] = None
    percent: Annotated[
        float | None,
        typer.Option("--percent", metavar="P", help="At least P % of the highest value, hanging together with it."),
    ] = None
    adaptive: Annotated[
        bool, typer.Option("--adaptive", help="Above the middle between the background and the highest value.")
    ] = False
    seed: Annotated[
        str | None,
        typer.Option("--seed", metavar="X,Y,Z", help="Of --threshold, only what hangs together with this point in mm."),
    ] = None
    sphere: Annotated[
        str | None,
        typer.Option("--sphere", metavar="X,Y,Z,R", help="In mm: the region, or where the others look for it."),
    ] = None
    mask: Annotated[
        Path | None,
        typer.Option("--mask", metavar="FILE", help="A NIfTI or NRRD file of 0 and 1 on the voxels of the series."),
    ] = None
    largest: Annotated[bool, typer.Option("--largest", help="Keep only the largest connected part.")] = False
    margin: Annotated[
        float, typer.Option("--margin", metavar="MM", help="Grow the region by so many mm; shrink it where negative.")
    ] = 0.0
    units: Units = None
    holes: Annotated[
        HolesName, typer.Option("--holes", help="Of an RT Structure Set: holes by keyholes, or by exclusive or.")
    ] = HolesName.KEYHOLE
    outline: Annotated[
        OutlineName,
        typer.Option("--outline", help="Of an RT Structure Set: lines along voxels' edges, or through their centres."),
    ] = OutlineName.VOXEL_EDGE
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FILE", help="Write this DICOM file, which must not exist; not into the archive."),
    ] = None
    stack: StackNumber = None
    database: Database = None
    data: Data = None
    as_json: Json = False


@app.command("make")
@taking(MakeOptions)
def make_region(options: MakeOptions) -> None:
    """Make a region on a series: by threshold, percentage, seed, sphere or mask file; as a DICOM object.

    PET is read as SUVbw unless --units says otherwise. The object is checked, and goes into the archive
    or into --to FILE.
    """
    from radfuse.services.contours import images_of
    from radfuse.services.new_regions import headers_of, make

    ask = _ask(options)
    if options.to is None and not is_uid(options.source):
        raise typer.BadParameter("a region of files goes into a file: --to FILE")
    if options.to is not None:
        require_new_file("--to", options.to)
    with contextlib.ExitStack() as opened:
        archive, where = _images(options.source, options.data, options.database, opened)
        made = make(archive, where, ask, options.stack)
        stack = images_of(archive, where, options.stack)
        ds = _object_of(options, stack, made)
        _keep(ds, headers_of(stack), archive, options.to)
    facts = {
        "SOPInstanceUID": str(ds.SOPInstanceUID),
        "SeriesInstanceUID": str(ds.SeriesInstanceUID),
        "Voxels": made.mask.voxels,
        "VolumeMl": round(made.mask.volume_ml, 3),
        "Made": made.purpose,
        "Parameters": dict(made.parameters),
    }
    if options.as_json:
        write_object(facts)
        return
    place = f"{options.to} is written" if options.to else f"kept as {facts['SOPInstanceUID']}"
    words = "; ".join([made.purpose, *(f"{name} {value}" for name, value in made.parameters.items())])
    say(f"{options.name}: {made.mask.voxels} voxels, {made.mask.volume_ml:.3f} ml ({words}).")
    say(f"{place}.")


def _ask(options: MakeOptions) -> MakeAsk:
    from radfuse.services.new_regions import MakeAsk

    sphere = numbers_typed(options.sphere, 4) if options.sphere else None
    ball = (sphere[0], sphere[1], sphere[2], sphere[3]) if sphere else None
    with wrong_use():
        return MakeAsk(_finder(options), ball, unit_named(options.units), options.margin, options.largest)


def _finder(options: MakeOptions) -> Finder:
    from radfuse.services.new_regions import Adaptive, FromFile, Isocontour, Seed, Threshold

    ways = [options.threshold is not None, options.percent is not None, options.adaptive, options.mask is not None]
    if sum(ways) > 1:
        raise typer.BadParameter("give one of --threshold, --percent, --adaptive and --mask")
    if options.threshold is None and (options.seed is not None or options.upper is not None):
        raise typer.BadParameter("--seed and --upper go with --threshold")
    if options.threshold is not None:
        high = float("inf") if options.upper is None else options.upper
        if options.seed is None:
            return Threshold(options.threshold, high)
        x, y, z = numbers_typed(options.seed, 3)
        return Seed((x, y, z), options.threshold, high)
    if options.percent is not None:
        return Isocontour(options.percent)
    if options.adaptive:
        return Adaptive()
    return FromFile(options.mask) if options.mask is not None else None


def _object_of(options: MakeOptions, stack: Stack, made: Made) -> Dataset:
    from radfuse.roi.tracing import Holes, Outline, Tracing
    from radfuse.services.new_regions import as_segmentation, as_structure_set

    making = making_now()
    if options.as_ is ObjectName.SEG:
        return as_segmentation(stack, made, options.name, making)
    how = Tracing(Holes(options.holes.value), Outline(options.outline.value))
    return as_structure_set(stack, made, options.name, making, how)


def _keep(ds: Dataset, headers: list[Dataset], archive: Archive | None, to: Path | None) -> None:
    """Checked, and then into the archive or the file."""
    if to is None and archive is not None:
        from radfuse.services.store_results import store

        store(archive, [ds])
        return
    from radfuse.objects.checking import facts_of, require_valid
    from radfuse.objects.common import encode

    require_valid([ds], facts_of(headers))
    if to is not None:
        with to.open("xb") as file:
            file.write(encode(ds))


# --- where things are ------------------------------------------------------------------------


def _images(
    words: list[str], data: Path | None, database: str | None, opened: contextlib.ExitStack
) -> tuple[Archive | None, str | list[Path]]:
    """The archive and a series in it; or no archive and paths."""
    if is_uid(words):
        return opened_archive(data, database, opened)[0], words[0]
    return None, [Path(word) for word in words]


def _object(
    wanted: str,
    data: Path | None,
    database: str | None,
    opened: contextlib.ExitStack,
    archive: Archive | None = None,
) -> tuple[Archive | None, str | Path]:
    """The archive, opened where it is not yet, and an object in it; or a file."""
    if is_uid([wanted]):
        return archive or opened_archive(data, database, opened)[0], wanted
    if not Path(wanted).is_file():
        raise ConfigurationError("OBJECT", f"{wanted} is no file and no UID")
    return None, Path(wanted)
