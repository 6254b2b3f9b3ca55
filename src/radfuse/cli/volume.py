"""The command ``volume``: what a series, or files, are as a volume; and out to NIfTI and NRRD."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from radfuse.cli.console import progress, say, warn, write_object, write_table
from radfuse.cli.images import (
    Repairs,
    StackNumber,
    Units,
    is_uid,
    opened_archive,
    repairs_named,
    require_new_image_file,
    unit_named,
)
from radfuse.cli.many_options import taking
from radfuse.cli.options import Data, Database, Json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from radfuse.archive import Archive
    from radfuse.services.volumes import Ask, Opened
    from radfuse.volume import Volume


@dataclass(frozen=True, slots=True)
class VolumeOptions:
    """What can be typed."""

    source: Annotated[
        list[str],
        typer.Argument(
            metavar="SERIES|PATH...",
            help="A Series Instance UID of the archive; or DICOM files and folders, or one NIfTI or NRRD file.",
        ),
    ]
    stack: StackNumber = None
    units: Units = None
    repair: Repairs = None
    to: Annotated[
        Path | None,
        typer.Option(
            "--to", metavar="FILE", help="Write the volume to this .nii, .nii.gz or .nrrd; it must not exist."
        ),
    ] = None
    unshear: Annotated[
        bool, typer.Option("--unshear", help="Resample slices of a tilted gantry to right angles before writing.")
    ] = False
    like: Annotated[
        str | None,
        typer.Option(
            "--like", metavar="SERIES", help="A series that a NIfTI or NRRD file lies on: gives it its frame."
        ),
    ] = None
    database: Database = None
    data: Data = None
    as_json: Json = False


@taking(VolumeOptions)
def volume(options: VolumeOptions) -> None:
    """Show what a series is as a volume: size, spacing, orientation, unit, values, findings; and write it.

    Exit code 1 with a sentence when its images make no volume, or several and none was chosen.
    """
    from radfuse.services.volumes import Ask

    if options.to is not None:
        require_new_image_file(options.to)
    ask = Ask(unit_named(options.units), repairs_named(options.repair), options.stack)
    with contextlib.ExitStack() as opened:
        place = _Place(opened, options.data, options.database)
        if options.like is not None:
            ask = replace(ask, like=place.open([options.like], Ask()).volume.grid)
        made = place.open(options.source, ask)
        if options.to is not None:
            _write(made.volume, options.to, options.unshear)
        _show(made, options.as_json)
    if options.to is not None and not options.as_json:
        say(f"{options.to} is written.")


class _Place:
    """The archive, opened when it is first asked for; volumes come from it or from files."""

    def __init__(self, opened: contextlib.ExitStack, data: Path | None, database: str | None) -> None:
        self._opened, self._data, self._database = opened, data, database
        self._archive: Archive | None = None

    def open(self, source: list[str], ask: Ask) -> Opened:
        """The volume of a UID or of paths."""
        from radfuse.services.volumes import open_files, open_series

        if not is_uid(source):
            return open_files([Path(word) for word in source], ask)
        self._archive = self._archive or opened_archive(self._data, self._database, self._opened)[0]
        with progress("Reading", None, "images") as advance:
            return open_series(self._archive, source[0], ask, progress=advance)


def _write(made: Volume, to: Path, unshear: bool) -> None:
    from radfuse.core.errors import InvalidGeometry
    from radfuse.volume.image_files import write_image_file

    try:
        write_image_file(to, made, unshear=unshear)
    except InvalidGeometry as error:
        raise InvalidGeometry(f"{error.reason}: --unshear") from error


# --- showing ---------------------------------------------------------------------------------


def _show(opened: Opened, as_json: bool) -> None:
    facts = _facts(opened)
    if as_json:
        write_object(facts)
        return
    write_table({"Fact": name, "Value": words} for name, words in _words(facts))
    for finding in opened.volume.findings:
        warn(f"{finding.kind.value}: {finding.sentence}")


def _facts(opened: Opened) -> dict[str, Any]:
    from radfuse.services.volume_facts import orientation_words

    made = opened.volume
    grid = made.grid
    slices, rows, columns = grid.shape
    return {
        "SeriesInstanceUID": made.source.series_uid,
        "Modality": made.source.modality,
        "Stack": opened.stack,
        "Stacks": opened.stacks,
        "Columns": columns,
        "Rows": rows,
        "Slices": slices,
        "SpacingMm": [round(each, 6) for each in grid.spacing_mm],
        "OriginMm": [round(float(each), 6) for each in grid.origin_mm],
        "Orientation": orientation_words(grid),
        "FrameOfReferenceUID": grid.frame.uid,
        "Unit": made.unit.value,
        "Minimum": float(made.voxels.min()),
        "Maximum": float(made.voxels.max()),
        "Mean": float(made.voxels.mean(dtype="float64")),
        "VoxelType": made.voxels.dtype.name,
        "FromCache": opened.is_cached,
        "Findings": [
            {
                "Kind": finding.kind.value,
                "Sentence": finding.sentence,
                "Slices": [at + 1 for at in finding.slices],
                "Repaired": finding.repaired,
            }
            for finding in made.findings
        ],
    }


def _words(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if facts["SeriesInstanceUID"]:
        yield "Series", f"{facts['Modality']}, {facts['SeriesInstanceUID']}"
    if facts["Stacks"] > 1:
        yield "Stack", f"{facts['Stack']} of {facts['Stacks']}"
    yield "Size", f"{facts['Columns']} columns, {facts['Rows']} rows, {facts['Slices']} slices"
    yield "Spacing", "{:g} x {:g} x {:g} mm".format(*(round(each, 4) for each in facts["SpacingMm"]))
    yield "First voxel", "{:g}, {:g}, {:g} mm".format(*(round(each, 3) for each in facts["OriginMm"]))
    yield "Orientation", facts["Orientation"]
    yield "Unit", facts["Unit"]
    yield "Values", f"{facts['Minimum']:g} to {facts['Maximum']:g}, mean {facts['Mean']:.5g}"
    yield "Findings", str(len(facts["Findings"]) or "none")
