"""The command ``measure``: statistics, SUVpeak, metabolic volume, diameters and dose of a region."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from radfuse.cli.console import say, write_object, write_table
from radfuse.cli.image_work import making_now
from radfuse.cli.images import (
    Repairs,
    StackNumber,
    Units,
    is_uid,
    numbers_typed,
    opened_archive,
    repairs_named,
    require_new_file,
    series_or_paths,
    unit_named,
)
from radfuse.cli.many_options import taking
from radfuse.cli.measure_words import image_rows, lesion_rows, notes_of
from radfuse.cli.options import Data, Database, Json, wrong_use
from radfuse.core.errors import InvalidRegion

if TYPE_CHECKING:
    from radfuse.archive import Archive
    from radfuse.services.measure import Exclude, Image, Limit, MeasureAsk, Measured, RegionAsk

_POINT: Final = 3

Sources = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SERIES|PATH...",
        show_default=False,
        help="A Series Instance UID of the archive; or DICOM files and folders, or one NIfTI or NRRD file.",
    ),
]
Also = Annotated[
    list[str] | None,
    typer.Option("--also", metavar="SERIES|PATH", help="Measure the same region in this one too. Repeatable."),
]
Structures = Annotated[
    str | None,
    typer.Option(
        "--structures",
        metavar="OBJECT",
        help="RT Structure Set or Segmentation that has the region: SOP Instance UID of the archive, or a file.",
    ),
]
StructureName = Annotated[
    str | None, typer.Option("--structure", metavar="NAME", help="The region in it, by name or number.")
]
SphereOption = Annotated[
    str | None, typer.Option("--sphere", metavar="X,Y,Z,R", help="A sphere: centre and radius in mm of the patient.")
]
MaskOption = Annotated[
    Path | None,
    typer.Option("--mask", metavar="FILE", help="A NIfTI or NRRD file of 0 and 1 on the voxels of the series."),
]
Absolute = Annotated[
    float | None,
    typer.Option("--threshold", metavar="VALUE", help="Volume at or above this value: MTV and TLG of a PET."),
]
Percent = Annotated[
    float | None, typer.Option("--percent", metavar="P", help="The same, at or above P % of the region's maximum.")
]
OfPeak = Annotated[bool, typer.Option("--of-peak", help="--percent refers to the peak, not to the maximum.")]
Liver = Annotated[
    str | None,
    typer.Option("--liver", metavar="X,Y,Z", help="PERCIST threshold from a sphere of 3 cm in the liver."),
]
BloodPool = Annotated[
    str | None,
    typer.Option("--blood-pool", metavar="X,Y,Z,R", help="PERCIST threshold from a sphere in the aorta."),
]
Peak = Annotated[bool, typer.Option("--peak", help="The highest mean over 1 cm3, as SUVpeak.")]
DiametersOption = Annotated[
    bool, typer.Option("--diameters", help="Largest diameter; long and short axis in the slice where it is longest.")
]
Tmtv = Annotated[
    bool, typer.Option("--tmtv", help="Total metabolic tumour volume: every part above the threshold as a lesion.")
]
Minimum = Annotated[
    float, typer.Option("--minimum", metavar="ML", help="With --tmtv: smaller parts are left out, and counted.")
]
ExcludeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="NAME[=X,Y,Z,R]",
        help="With --tmtv: no lesion here; a region of --structures, or a sphere with a name. Repeatable.",
    ),
]
DoseOption = Annotated[
    list[str] | None,
    typer.Option("--dose", metavar="METRIC", help="Of a dose: D95, D2cc, V20Gy or V20Gycc. Repeatable."),
]
HistogramFile = Annotated[
    Path | None,
    typer.Option("--histogram", metavar="FILE.csv", help="Write the dose-volume histogram; it must not exist."),
]
Distance = Annotated[
    str | None,
    typer.Option("--distance", metavar="X,Y,Z,X,Y,Z", help="Only the distance of two points in mm; needs no series."),
]
Angle = Annotated[
    str | None,
    typer.Option(
        "--angle",
        metavar="X,Y,Z,...",
        help="Only the angle at the second of three points, or between two lines of two points each.",
    ),
]
StoreReport = Annotated[
    bool,
    typer.Option("--sr", help="Store the region as a Segmentation and the numbers as a structured report."),
]


@dataclass(frozen=True)
class MeasureOptions:
    """What can be typed."""

    source: Sources = None
    units: Units = None
    stack: StackNumber = None
    repair: Repairs = None
    also: Also = None
    structures: Structures = None
    structure: StructureName = None
    sphere: SphereOption = None
    mask: MaskOption = None
    threshold: Absolute = None
    percent: Percent = None
    of_peak: OfPeak = False
    liver: Liver = None
    blood_pool: BloodPool = None
    peak: Peak = False
    diameters: DiametersOption = False
    tmtv: Tmtv = False
    minimum: Minimum = 1.0
    exclude: ExcludeOption = None
    dose: DoseOption = None
    histogram: HistogramFile = None
    distance: Distance = None
    angle: Angle = None
    sr: StoreReport = False
    database: Database = None
    data: Data = None
    as_json: Json = False


@taking(MeasureOptions)
def measure(options: MeasureOptions) -> None:
    """Measure a region: a structure, a segment, a sphere, a mask file, or the whole image.

    PET is read as SUVbw unless --units says otherwise. Exit code 1 with a sentence when something would have
    to be guessed.
    """
    if options.distance or options.angle:
        _say_lengths(options)
        return
    with wrong_use():
        ask = _ask(options)
    if options.histogram is not None:
        require_new_file("--histogram", options.histogram)
    with contextlib.ExitStack() as opened:
        archive = _archive(options, opened)
        from radfuse.services.measure import measure as measure_now

        measured = measure_now(archive, ask)
        stored = _store(archive, measured) if options.sr and archive is not None else []
    if options.histogram is not None:
        _write_histogram(measured, options.histogram)
    _show(measured, stored, as_json=options.as_json)


# --- what was typed --------------------------------------------------------------------------


def _ask(options: MeasureOptions) -> MeasureAsk:
    from radfuse.services.measure import MeasureAsk, dose_metric

    if not options.source:
        raise typer.BadParameter("name a series, or files", param_hint="SERIES|PATH")
    if (options.structures is None) != (options.structure is None) and not (options.structures and options.exclude):
        raise typer.BadParameter("--structures OBJECT and --structure NAME go together")
    return MeasureAsk(
        images=(_image(options, options.source), *(_image(options, [each], False) for each in options.also or ())),
        region=_region(options),
        limit=_limit(options),
        peak=options.peak,
        diameters=options.diameters,
        total_tumour=options.tmtv,
        minimum_ml=options.minimum,
        exclusions=tuple(_exclusion(options, text) for text in options.exclude or ()),
        dose=tuple(dose_metric(text) for text in options.dose or ()),
    )


def _image(options: MeasureOptions, words: list[str], is_first: bool = True) -> Image:
    from radfuse.services.measure import Image

    repairs, where = repairs_named(options.repair), series_or_paths(words)
    return Image(where, unit_named(options.units), repairs, options.stack) if is_first else Image(where, None, repairs)


def _region(options: MeasureOptions) -> RegionAsk:
    from radfuse.services.measure import Everywhere, FromMaskFile

    given = [options.structure, options.sphere, options.mask]
    if given.count(None) < len(given) - 1:
        raise typer.BadParameter("name one region: --structure, --sphere or --mask")
    if options.structure is not None:
        return _from_object(options, options.structure)
    if options.sphere is not None:
        return _sphere(options.sphere)
    return FromMaskFile(options.mask) if options.mask is not None else Everywhere()


def _from_object(options: MeasureOptions, name: str) -> RegionAsk:
    from radfuse.services.measure import FromObject

    if options.structures is None:
        raise typer.BadParameter("a region by its name needs --structures OBJECT")
    return FromObject(options.structures if is_uid([options.structures]) else Path(options.structures), name)


def _sphere(text: str, radius_mm: float | None = None) -> RegionAsk:
    from radfuse.services.measure import DrawnSphere

    numbers = numbers_typed(text, _POINT if radius_mm else _POINT + 1)
    x, y, z, radius = (*numbers, radius_mm) if radius_mm else numbers
    return DrawnSphere((x, y, z), radius)


def _limit(options: MeasureOptions) -> Limit | None:
    from radfuse.roi.metabolic import LIVER_SPHERE_RADIUS_MM, ThresholdKind
    from radfuse.services.measure import Limit

    found = []
    if options.threshold is not None:
        found.append(Limit(ThresholdKind.ABSOLUTE, options.threshold))
    if options.percent is not None:
        kind = ThresholdKind.PERCENT_OF_PEAK if options.of_peak else ThresholdKind.PERCENT_OF_MAXIMUM
        found.append(Limit(kind, options.percent))
    if options.liver is not None:
        region = _sphere(options.liver, LIVER_SPHERE_RADIUS_MM)
        found.append(Limit(ThresholdKind.PERCIST_LIVER, reference=region))
    if options.blood_pool is not None:
        found.append(Limit(ThresholdKind.PERCIST_BLOOD_POOL, reference=_sphere(options.blood_pool)))
    if len(found) > 1:
        raise typer.BadParameter("give one of --threshold, --percent, --liver and --blood-pool")
    return found[0] if found else None


def _exclusion(options: MeasureOptions, text: str) -> Exclude:
    from radfuse.services.measure import Exclude

    name, equals, numbers = text.partition("=")
    return Exclude(name, _sphere(numbers) if equals else _from_object(options, name))


def _archive(options: MeasureOptions, opened: contextlib.ExitStack) -> Archive | None:
    """The archive, where something of it is named."""
    words = [*(options.source or ())] if len(options.source or ()) == 1 else []
    words += [*(options.also or ()), *([options.structures] if options.structures else [])]
    if not options.sr and not any(is_uid([word]) for word in words):
        return None
    return opened_archive(options.data, options.database, opened)[0]


# --- what came of it -------------------------------------------------------------------------


def _store(archive: Archive, measured: Measured) -> list[str]:
    """Keep the voxels and the report in the archive; the UIDs of what is there now."""
    from radfuse.services.measure import report_objects
    from radfuse.services.store_results import store

    making = making_now()
    return list(store(archive, report_objects(archive, measured, making)).stored)


def _show(measured: Measured, stored: Iterable[str], *, as_json: bool) -> None:
    if as_json:
        write_object({**measured.as_json(), "StoredObjects": list(stored)})
        return
    region = measured.region
    say(" ".join(filter(None, (f"Region: {region.kind}", region.name, region.definition))))
    for numbers in measured.images:
        say("")
        write_table({"Measure": name, "Value": value} for name, value in image_rows(numbers))
        if numbers.tumour is not None and numbers.tumour.lesions:
            say("")
            write_table(lesion_rows(numbers.tumour))
        for note in notes_of(numbers):
            say(f"Note: {note}")
    for uid in stored:
        say(f"Stored: {uid}")


def _write_histogram(measured: Measured, file: Path) -> None:
    doses = [numbers.dose for numbers in measured.images if numbers.dose is not None]
    if not doses:
        raise InvalidRegion("a histogram needs a dose; none of the images is one")
    histogram = doses[0].histogram
    with file.open("x", encoding="utf-8", newline="") as opened:
        rows = csv.writer(opened)
        rows.writerow(("DoseGy", "CumulativeMl"))
        rows.writerows(
            (f"{edge:.6g}", f"{above:.6g}")
            for edge, above in zip(histogram.edges_gy.tolist(), histogram.cumulative_ml.tolist(), strict=True)
        )


def _say_lengths(options: MeasureOptions) -> None:
    from radfuse.roi.lengths import angle_degrees, angle_of_lines_degrees, distance_mm

    answer: dict[str, float] = {}
    with wrong_use():
        if options.distance:
            numbers = numbers_typed(options.distance, 2 * _POINT)
            answer["DistanceMm"] = distance_mm(numbers[:3], numbers[3:])
        if options.angle:
            numbers = numbers_typed(options.angle, 3 * _POINT, 4 * _POINT)
            points = [numbers[at : at + _POINT] for at in range(0, len(numbers), _POINT)]
            if len(points) == _POINT:
                answer["AngleDegrees"] = angle_degrees(points[0], points[1], points[2])
            else:
                answer["AngleDegrees"] = angle_of_lines_degrees((points[0], points[1]), (points[2], points[3]))
    if options.as_json:
        write_object(answer)
        return
    for name, value in answer.items():
        say(f"{value:.2f} mm" if name == "DistanceMm" else f"{value:.2f} degrees")
