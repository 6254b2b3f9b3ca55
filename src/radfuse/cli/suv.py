"""The command ``suv``: how the SUV of a PET series come about, or why there are none."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from radfuse.cli.console import say, warn, write_array, write_table
from radfuse.cli.images import is_uid, opened_archive
from radfuse.cli.options import Data, Database, Json

if TYPE_CHECKING:
    from radfuse.services.suv import SuvReport
    from radfuse.volume.suv import SuvEvidence


class KindName(StrEnum):
    """A kind of SUV as it is typed; the values are those of SuvKind, which would load numpy."""

    BW = "bw"
    LBM = "lbm"
    LBM_JAMES = "lbm-james"
    LBM_MORGAN = "lbm-morgan"
    BSA = "bsa"
    IBW = "ibw"


Source = Annotated[
    list[str],
    typer.Argument(metavar="SERIES|PATH...", help="A Series Instance UID of the archive; or DICOM files and folders."),
]
Kind = Annotated[
    KindName,
    typer.Option(
        "--kind",
        help="Normalised by body weight, lean body mass (lbm: Janmahasatian; lbm-james: James, 128; "
        "lbm-morgan: Morgan, 120), body surface or ideal weight.",
    ),
]


def suv(
    source: Source,
    kind: Kind = KindName.BW,
    database: Database = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show how the SUV of a PET series are computed: formula, every attribute used, reference time, warnings.

    Exit code 1 with the reason when they would have to be guessed.
    """
    from radfuse.services import suv as service
    from radfuse.volume.suv import SuvKind

    wanted = SuvKind(kind.value)
    if is_uid(source):
        with contextlib.ExitStack() as opened:
            archive, _ = opened_archive(data, database, opened)
            reports = [service.suv_of_series(archive, source[0], wanted)]
    else:
        reports = service.suv_of_files([Path(word) for word in source], wanted)
    if as_json:
        write_array(map(_as_json, reports))
    else:
        for report in reports:
            _show(report)
    if any(report.evidence is None for report in reports):
        raise typer.Exit(1)


def _as_json(report: SuvReport) -> dict[str, object]:
    from radfuse.services.suv import uptake_hint

    row: dict[str, object] = {"SeriesInstanceUID": report.series_uid, "Images": report.images}
    if report.evidence is None:
        return {**row, "Refusal": report.refusal}
    return {**row, **report.evidence.as_json(), "Hint": uptake_hint(report.evidence)}


def _show(report: SuvReport) -> None:
    from radfuse.services.suv import uptake_hint

    say(f"PET series {report.series_uid}, {report.images} {'image' if report.images == 1 else 'images'}")
    if report.evidence is None:
        warn(report.refusal)
        warn("correct the images where they come from, or use them without SUV: radfuse volume --units stored")
        return
    write_table({"Fact": name, "Value": value} for name, value in _facts(report.evidence))
    say("")
    write_table(
        {"Attribute": used.keyword, "Tag": used.tag, "Value": used.value, "From": used.origin}
        for used in report.evidence.attributes
    )
    for caution in report.evidence.cautions:
        warn(f"{caution.kind.value}: {caution.sentence}")
    if hint := uptake_hint(report.evidence):
        warn(f"hint: {hint}")


def _facts(evidence: SuvEvidence) -> Iterator[tuple[str, str]]:
    from radfuse.services.suv import report_rows

    least, most = min(evidence.factors), max(evidence.factors)
    yield "Formula", evidence.formula
    yield "Factor", f"{least:.6g}" if least == most else f"{least:.6g} to {most:.6g}, one for each image"
    yield "Way", evidence.branch.value
    yield "Decay correction", evidence.decay.value
    if evidence.reference_time is not None:
        yield "Reference time", f"{evidence.reference_time} ({evidence.reference_from})"
    if evidence.injection_time is not None:
        yield "Injection", f"{evidence.injection_time} ({evidence.injection_from})"
    for row in report_rows(evidence):
        yield row.name, f"{row.value} {row.unit}".strip()
    if evidence.half_life_s is not None:
        yield "Half-life", f"{evidence.half_life_s:g} s ({evidence.nuclide})"
    for check in evidence.checks:
        yield f"Check: {check.name}", f"SUV {check.difference_percent:+.3f} %"
