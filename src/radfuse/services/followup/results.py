"""A follow-up as DICOM objects, as files, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from radfuse import __version__
from radfuse.archive import Archive
from radfuse.core.errors import ConfigurationError
from radfuse.objects.common import Making, NewSeries, Provenance, Reference, codes, reference_to
from radfuse.roi import tracing
from radfuse.roi.boxes import Part
from radfuse.services.followup.codes import LESION
from radfuse.services.followup.model import DEFINITIONS, Change, Followup, Lesion, Seen, TimePoint, unit_of
from radfuse.services.followup.paper import change_pdf
from radfuse.services.followup.report import TITLE, Parts, change_report
from radfuse.services.store_results import StoredResults, store
from radfuse.services.stored_objects import object_of, objects_named

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_LABEL: Final = "FOLLOWUP"
_MOST: Final = 64


def save(archive: Archive, found: Followup, making: Making) -> StoredResults:
    """Keep the objects, all or none; the PDF is the last. Raises what ``store`` and the builders raise."""
    return store(archive, result_objects(archive, found, making))


def result_objects(archive: Archive, found: Followup, making: Making) -> list[Dataset]:
    """Segmentations of both time points, carried contours, the change table as SR and as PDF, in this order.

    The prior's Segmentation is in the study of the prior, all else in that of the current images.
    """
    images = [reference_to(header) for header in (*found.current.headers, *found.prior.headers)]
    provenance = Provenance("follow-up", found.parameters, tuple(images))
    tracking = {lesion.number: making.uids() for lesion in found.lesions}
    prior = _segmentation(found.prior, _measured(found, "prior"), tracking, (provenance, making))
    current = _segmentation(found.current, _measured(found, "current"), tracking, (provenance, making))
    carried = _carried(found, provenance, making)
    registrations = tuple(_reference(archive, uid) for uid in found.link.registrations)
    uid = found.structures_uid
    drawn = _reference(archive, uid) if objects_named(archive, [uid]) else None
    parts = Parts(prior, current, tracking, registrations, carried, drawn)
    report = change_report(found, parts, provenance, making)
    document = _document(found, reference_to(report), provenance, making)
    return [each for each in (prior, current, carried, report, document) if each is not None]


def write_report(folder: Path, found: Followup) -> list[Path]:
    """The change table as followup.pdf and followup.json in a new or empty folder, with the card of a registration
    that was made for it in folders of their own. Raises ConfigurationError for a folder with something in it, OSError.
    """
    from radfuse.services.register import write_report as write_card

    if folder.exists() and any(folder.iterdir()):
        raise ConfigurationError("report", f"{folder} is not empty")
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "followup.pdf": change_pdf(found, f"Radfuse {__version__}"),
        "followup.json": json.dumps(as_json(found), indent=2).encode(),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    written = [folder / name for name in files]
    for number, made in enumerate(found.link.made, 1):
        written += write_card(folder / f"registration-{number}", made)
    return written


# --- the objects -----------------------------------------------------------------------------


def _measured(found: Followup, which: str) -> list[tuple[Lesion, Part]]:
    seen: list[tuple[Lesion, Seen | None]] = [
        (lesion, lesion.prior if which == "prior" else lesion.current) for lesion in found.lesions
    ]
    return [(lesion, one.part) for lesion, one in seen if one is not None and one.part.voxels]


def _segmentation(
    point: TimePoint,
    lesions: Sequence[tuple[Lesion, Part]],
    tracking: dict[int, str],
    made: tuple[Provenance, Making],
) -> Dataset | None:
    """The voxels that were measured at a time point; None where there are none."""
    from radfuse.objects.seg import Content, NewSegment, SegmentFacts, build_segmentation

    if not lesions:
        return None
    segments = []
    for lesion, part in lesions:
        facts = SegmentFacts(
            label=lesion.name[:_MOST],
            category=codes.MORPHOLOGICALLY_ABNORMAL,
            kind=LESION,
            algorithm_name=f"Radfuse {__version__}",
            tracking_id=lesion.name[:_MOST],
            tracking_uid=tracking[lesion.number],
        )
        segments.append(NewSegment.of(facts, part.whole_mask))
    provenance, making = made
    content = Content(_LABEL, series=NewSeries("Lesions of the follow-up"))
    grid = point.volume.grid
    return build_segmentation(segments, grid, point.headers, content=content, provenance=provenance, making=making)


def _carried(found: Followup, provenance: Provenance, making: Making) -> Dataset | None:
    """The prior's regions where they came to lie, as contours on the current images; None where nothing was carried."""
    from radfuse.objects.rtstruct import Roi, build_structure_set

    uids = found.current.volume.source.instance_uids
    rois = [
        Roi(tracing.trace(lesion.carried.whole_mask, lesion.name[:_MOST], image_uids=uids), algorithm="AUTOMATIC")
        for lesion in found.lesions
        if lesion.carried is not None
    ]
    if not rois:
        return None
    series = NewSeries("Regions carried over from the prior")
    return build_structure_set(
        rois, found.current.headers, label="CARRIED", provenance=provenance, making=making, series=series
    )


def _document(found: Followup, report: Reference, provenance: Provenance, making: Making) -> Dataset:
    from radfuse.objects.pdf import QUANTITATIVE_REPORT, Document, build_encapsulated_pdf

    document = Document(change_pdf(found, provenance.software), TITLE, QUANTITATIVE_REPORT, (report,))
    source = found.current.headers[0]
    return build_encapsulated_pdf(document, source, provenance=provenance, series=NewSeries(TITLE), making=making)


def _reference(archive: Archive, uid: str) -> Reference:
    from radfuse.services.one_object import stored_data_set

    return reference_to(stored_data_set(archive, object_of(archive, uid), pixels=False))


# --- for programs ----------------------------------------------------------------------------


def as_json(found: Followup) -> dict[str, Any]:
    """Everything about a follow-up but voxels."""
    link = found.link
    return {
        "PriorSeriesInstanceUID": found.prior.volume.source.series_uid,
        "CurrentSeriesInstanceUID": found.current.volume.source.series_uid,
        "PriorDate": found.prior.date,
        "CurrentDate": found.current.date,
        "Prior": None if found.chosen is None else found.chosen.as_json(),
        "Rule": str(found.rule),
        "MarginMm": found.ask.margin_mm,
        "Unit": found.current.volume.unit.value,
        "Registered": link.path is not None,
        "Registration": link.sentence,
        "RegistrationGrade": None if link.grade is None else link.grade.value,
        "RegistrationsUsed": list(link.registrations),
        "StructuresSOPInstanceUID": found.structures_uid,
        "Lesions": [_lesion_json(found, lesion) for lesion in found.lesions],
        "Totals": [_change_json(found, change) for change in found.totals],
        "Findings": [{"Kind": each.kind, "Sentence": each.sentence} for each in found.findings],
        "Notes": list(found.notes),
        "Definitions": DEFINITIONS,
        "Software": f"Radfuse {__version__}",
    }


def _lesion_json(found: Followup, lesion: Lesion) -> dict[str, Any]:
    return {
        "Number": lesion.number,
        "Name": lesion.name,
        "Status": lesion.status.value,
        "PairedByHand": lesion.by_hand,
        "PriorThreshold": None if lesion.prior is None else lesion.prior.level,
        "CurrentThreshold": None if lesion.current is None else lesion.current.level,
        "Changes": [_change_json(found, change) for change in found.changes(lesion)],
        "Notes": list(lesion.notes),
        "PriorNotes": list(lesion.prior.notes) if lesion.prior is not None else [],
        "CurrentNotes": list(lesion.current.notes) if lesion.current is not None else [],
    }


def _change_json(found: Followup, change: Change) -> dict[str, Any]:
    return {
        "Quantity": change.quantity.value,
        "Unit": unit_of(change.quantity, found.current.volume.unit.value),
        "Prior": change.prior,
        "Current": change.current,
        "Difference": change.difference,
        "Percent": change.percent,
    }
