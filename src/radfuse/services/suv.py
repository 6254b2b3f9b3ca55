"""SUV of the PET series of the archive or of files: the evidence, or the reason why there are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from radfuse.archive import Archive
from radfuse.core.errors import CannotComputeSUV, RadfuseError
from radfuse.services.import_media import files_below
from radfuse.volume.suv import SuvEvidence, SuvKind, read_headers, suv_evidence

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_FDG_MINUTES: Final = (45.0, 90.0)
"""Between these an FDG scan is usually begun (EANM and SNMMI procedure guidelines ask for about 60)."""


@dataclass(frozen=True, slots=True)
class SuvReport:
    """One PET series: ``evidence``, or why there is none."""

    series_uid: str
    images: int
    evidence: SuvEvidence | None
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A fact of the injection for a report, as a name, a value and its unit."""

    name: str
    value: str
    unit: str


def suv_of_series(archive: Archive, series_uid: str, kind: SuvKind = SuvKind.BW) -> SuvReport:
    """The SUV of a series of the archive. Raises UnknownEntity for one that is not kept, and BlobMissing."""
    from radfuse.services.volumes import objects_of_series

    objects = objects_of_series(archive, series_uid)
    for stored in objects:
        with archive.open_object(stored):  # what arrived just now is waited for
            pass
    return _report(series_uid, read_headers([archive.path_of(stored) for stored in objects]), kind)


def suv_of_files(paths: Sequence[Path], kind: SuvKind = SuvKind.BW) -> list[SuvReport]:
    """The SUV of each PET series among files and the files of folders; what is no PET image is passed over.

    Raises CannotComputeSUV when there is none, and FileNotFoundError for a path that is not there.
    """
    series: dict[str, list[Dataset]] = {}
    for path in files_below(paths):
        try:
            (header,) = read_headers([path])
        except CannotComputeSUV:
            continue
        if header.get("Modality") == "PT":
            series.setdefault(str(header.get("SeriesInstanceUID", "")), []).append(header)
    if not series:
        raise CannotComputeSUV("there is no PET image among the files")
    return [_report(uid, headers, kind) for uid, headers in series.items()]


def _report(series_uid: str, headers: Sequence[Dataset], kind: SuvKind) -> SuvReport:
    try:
        return SuvReport(series_uid, len(headers), suv_evidence(headers, kind))
    except RadfuseError as error:
        return SuvReport(series_uid, len(headers), None, str(error))


def report_rows(evidence: SuvEvidence) -> tuple[ReportRow, ...]:
    """Injected activity, uptake time and blood glucose, as far as the images tell them."""
    rows = []
    if evidence.drug:
        rows.append(ReportRow("Radiopharmaceutical", evidence.drug, ""))
    if evidence.injected_bq is not None:
        rows.append(ReportRow("Injected activity", f"{evidence.injected_bq / 1e6:.4g}", "MBq"))
    if evidence.uptake_s is not None:
        rows.append(ReportRow("Uptake time", f"{evidence.uptake_s / 60:.1f}", "min"))
    if evidence.glucose:
        value, _, unit = evidence.glucose.partition(" ")
        rows.append(ReportRow("Blood glucose", value, unit))
    return tuple(rows)


def uptake_hint(evidence: SuvEvidence) -> str:
    """A sentence where FDG was imaged unusually early or late; empty otherwise. A hint: nothing is wrong."""
    drug = evidence.drug.lower()
    if evidence.uptake_s is None or not ("fdg" in drug or "fluorodeoxyglucose" in drug):
        return ""
    minutes, (least, most) = evidence.uptake_s / 60, _FDG_MINUTES
    if least <= minutes <= most:
        return ""
    return f"the scan began {minutes:.0f} min after the injection; FDG is compared between {least:g} and {most:g} min"
