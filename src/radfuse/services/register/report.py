"""The report card as a Comprehensive SR (PS3.16 TID 1500)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from radfuse import __version__
from radfuse.objects.common import Making, NewSeries, Provenance, Reference
from radfuse.objects.sr import (
    Algorithm,
    Detail,
    Item,
    Measurement,
    MeasurementGroup,
    MeasurementReport,
    ObjectReference,
    Quantity,
    build_measurement_report,
)
from radfuse.services.register import codes
from radfuse.services.register.registering import Registered

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from radfuse.registration.quality import Check, ReportCard

TITLE: Final = "Registration report card"


def card_report(
    found: Registered,
    registration: Reference,
    references: Sequence[Reference],
    *,
    provenance: Provenance,
    making: Making,
) -> Dataset:
    """The document, in the study of the fixed images. ``references``: every object it speaks of."""
    group = MeasurementGroup(
        tracking_id=TITLE,
        tracking_uid=making.uids(),
        measurements=tuple(map(_measurement, found.card.checks)),
        algorithm=Algorithm("Radfuse register", __version__, tuple(_parameters(found))),
        evaluations=tuple(_evaluations(found.card)),
        remarks=(_judged(registration),),
    )
    return build_measurement_report(
        MeasurementReport((group,)),
        [found.fixed.headers[0], found.moving.headers[0]],
        references,
        provenance=provenance,
        series=NewSeries(TITLE),
        making=making,
    )


def _parameters(found: Registered) -> Iterator[str]:
    return (f"{name} = {value}" for name, value in sorted(found.parameters.items()) if name != "grade")


def _judged(registration: Reference) -> Item:
    reference = ObjectReference(registration.sop_class_uid, registration.sop_instance_uid)
    return Item("CONTAINS", "COMPOSITE", codes.JUDGED_REGISTRATION, reference)


def _evaluations(card: ReportCard) -> Iterator[Detail]:
    yield Detail(codes.GRADE, codes.GRADES[card.grade])
    yield Detail(codes.GRADE_REASON, card.reason)
    yield from (Detail(codes.CONCERN, concern) for concern in card.concerns)
    yield from (Detail(codes.NOT_MEASURED, note) for note in card.notes)


def _measurement(check: Check) -> Measurement:
    unit = codes.UNITS[check.unit]
    details = [Detail(codes.CHECK_GRADE, codes.GRADES[check.grade])]
    if check.subject:
        details.append(Detail(codes.SUBJECT, check.subject))
    if check.before is not None:
        details.append(Detail(codes.BEFORE, Quantity(check.before, unit)))
    return Measurement(codes.QUANTITIES[check.quantity], check.value, unit, details=tuple(details))
