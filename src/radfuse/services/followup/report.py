"""The change table as a Comprehensive SR (PS3.16 TID 1500).

For each lesion a measurement group for each time point and one for the change, all three with the same Tracking
Unique Identifier; the groups of time points name the segments that were measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from radfuse import __version__
from radfuse.objects.common import Code, Making, NewSeries, Provenance, Reference, reference_to
from radfuse.objects.sr import (
    Algorithm,
    Detail,
    Item,
    Measurement,
    MeasurementGroup,
    MeasurementReport,
    ObjectReference,
    Quantity,
    SegmentReference,
    build_measurement_report,
)
from radfuse.objects.sr import codes as sr_codes
from radfuse.services.followup import codes
from radfuse.services.followup.model import Change, Followup, Lesion, Seen, TimePoint
from radfuse.services.followup.model import Quantity as Measured

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

TITLE: Final = "Follow-up"
_MOST: Final = 64
_SEGMENTATIONS: Final = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
"""Images, to a structured report."""


@dataclass(frozen=True, eq=False)
class Parts:
    """The objects that the report speaks of."""

    prior: Dataset | None
    """The Segmentation of the prior's lesions; None where there is no voxel."""
    current: Dataset | None
    tracking: Mapping[int, str]
    """Tracking Unique Identifier by the number of the lesion."""
    registrations: tuple[Reference, ...] = ()
    carried: Dataset | None = None
    """The RT Structure Set of the carried regions."""
    structures: Reference | None = None
    """The object with the prior's regions, where the archive keeps it."""

    @property
    def spoken_of(self) -> tuple[tuple[Code, Reference], ...]:
        """The objects that were used and made, beside the segments."""
        found = [(codes.REGISTRATION, each) for each in self.registrations]
        if self.structures is not None:
            found.append((codes.STRUCTURES, self.structures))
        if self.carried is not None:
            found.append((codes.CARRIED, reference_to(self.carried)))
        return tuple(found)


def change_report(found: Followup, parts: Parts, provenance: Provenance, making: Making) -> Dataset:
    """The document, in the study of the current images. Raises InvalidRegion for a unit that has no code."""
    images = [reference_to(each) for each in (*found.current.headers, *found.prior.headers)]
    made = [reference_to(each) for each in (parts.prior, parts.current) if each is not None]
    return build_measurement_report(
        MeasurementReport(tuple(_groups(found, parts, making))),
        [found.current.headers[0], found.prior.headers[0]],
        [*images, *made, *(reference for _, reference in parts.spoken_of)],
        provenance=provenance,
        series=NewSeries(TITLE),
        making=making,
    )


def _groups(found: Followup, parts: Parts, making: Making) -> Iterator[MeasurementGroup]:
    algorithm = Algorithm(
        "Radfuse followup", __version__, tuple(f"{name} = {value}" for name, value in sorted(found.parameters.items()))
    )
    for lesion in found.lesions:
        for point, seen, segmentation in (
            (found.prior, lesion.prior, parts.prior),
            (found.current, lesion.current, parts.current),
        ):
            if seen is not None:
                values = tuple(_values(found, seen))
                region = _segment(segmentation, parts.tracking[lesion.number], point) if seen.part.voxels else ()
                yield MeasurementGroup(
                    tracking_id=_name(lesion),
                    tracking_uid=parts.tracking[lesion.number],
                    measurements=values,
                    region=region,
                    finding=codes.LESION,
                    algorithm=algorithm,
                    time_point=_time_point(found, point),
                    evaluations=tuple(Detail(codes.NOTE, note) for note in seen.notes),
                )
        yield _change_group(found, lesion, parts)
    yield MeasurementGroup(
        "All lesions",
        making.uids(),
        tuple(_changes(found.totals, found)),
        algorithm=algorithm,
        time_point="Change",
        evaluations=tuple(_of_all(found)),
        remarks=tuple(_spoken_of(*each) for each in parts.spoken_of),
    )


def _name(lesion: Lesion) -> str:
    return lesion.name[:_MOST]


def _time_point(found: Followup, point: TimePoint) -> str:
    word = "Prior" if point is found.prior else "Current"
    return f"{word} {point.date}".strip()


def _segment(segmentation: Dataset | None, tracking: str, point: TimePoint) -> SegmentReference | tuple[()]:
    if segmentation is None:
        return ()
    number = next(int(item.SegmentNumber) for item in segmentation.SegmentSequence if str(item.TrackingUID) == tracking)
    reference = ObjectReference(str(segmentation.SOPClassUID), str(segmentation.SOPInstanceUID), segments=(number,))
    return SegmentReference(reference, point.volume.source.series_uid)


# --- numbers ---------------------------------------------------------------------------------


def _values(found: Followup, seen: Seen) -> Iterator[Measurement]:
    unit = found.current.volume.unit
    details: tuple[Detail, ...] = ()
    if seen.level is not None:
        details = (Detail(sr_codes.THRESHOLD, Quantity(seen.level, codes.measured(Measured.MAXIMUM, unit)[1])),)
    for quantity in found.quantities:
        value = seen.numbers.of(quantity)
        if value is not None:
            name, of, derivation = codes.measured(quantity, unit)
            method = sr_codes.SUM_OF_VOXELS if quantity is Measured.VOLUME else None
            yield Measurement(name, value, of, derivation, method, details)


def _change_group(found: Followup, lesion: Lesion, parts: Parts) -> MeasurementGroup:
    evaluations = [Detail(codes.STATUS, codes.STATUSES[lesion.status])]
    evaluations += [Detail(codes.NOTE, note) for note in lesion.notes]
    return MeasurementGroup(
        tracking_id=_name(lesion),
        tracking_uid=parts.tracking[lesion.number],
        measurements=tuple(_changes(found.changes(lesion), found)),
        finding=codes.LESION,
        time_point="Change",
        evaluations=tuple(evaluations),
    )


def _changes(changes: Sequence[Change], found: Followup) -> Iterator[Measurement]:
    for change in changes:
        name, of, derivation = codes.measured(change.quantity, found.current.volume.unit)
        details = tuple(_both(change, of, derivation))
        if change.difference is not None:
            yield Measurement(name, change.difference, of, codes.DIFFERENCE, details=details)
        if change.percent is not None:
            yield Measurement(name, change.percent, sr_codes.PERCENT, codes.PERCENT_CHANGE, details=details)


def _both(change: Change, of: Code, derivation: Code | None) -> Iterator[Detail]:
    """What the change is of."""
    if derivation is not None:
        yield Detail(codes.CHANGE_OF, derivation)
    for name, value in ((codes.PRIOR_VALUE, change.prior), (codes.CURRENT_VALUE, change.current)):
        if value is not None:
            yield Detail(name, Quantity(value, of))


def _of_all(found: Followup) -> Iterator[Detail]:
    yield Detail(codes.REGISTERED, found.link.sentence)
    for finding in found.findings:
        yield Detail(codes.FINDING, f"{finding.kind}: {finding.sentence}")
    for note in found.notes:
        yield Detail(codes.NOTE, note)


def _spoken_of(name: Code, reference: Reference) -> Item:
    value = ObjectReference(reference.sop_class_uid, reference.sop_instance_uid)
    kind = "IMAGE" if reference.sop_class_uid in _SEGMENTATIONS else "COMPOSITE"
    return Item("CONTAINS", kind, name, value)
