"""Taking in one object: read its header, check it, keep it. Every door enters here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from radfuse.archive import Archive, Incoming, Origin, Outcome
from radfuse.core.errors import (
    DataSetError,
    DuplicateRejected,
    InvalidInstance,
    InvalidUID,
    ObjectTooLarge,
    OutOfSpace,
)
from radfuse.core.sop_classes import NON_PATIENT_CLASSES
from radfuse.core.uids import checked_uid
from radfuse.dicom import Header, scan_header
from radfuse.wire import status

STATUS_OF_REFUSAL: Final[tuple[tuple[type[Exception], int], ...]] = (
    (InvalidUID, status.DATA_SET_DOES_NOT_MATCH),
    (DataSetError, status.DATA_SET_DOES_NOT_MATCH),
    (OutOfSpace, status.OUT_OF_RESOURCES),
    (ObjectTooLarge, status.OUT_OF_RESOURCES),
    (DuplicateRejected, status.DUPLICATE_SOP_INSTANCE),
)
"""Why an object was not kept, as C-STORE statuses (PS3.4 section B.2.3); what is in no row is 0110H."""


def status_of_refusal(error: Exception) -> int:
    """The C-STORE status that tells of ``error``."""
    return next((code for kind, code in STATUS_OF_REFUSAL if isinstance(error, kind)), status.PROCESSING_FAILURE)


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of an object, and its header."""

    outcome: Outcome
    header: Header


def check_origin(origin: Origin) -> None:
    """Refuse an object by its name alone, before its bytes are taken. Raises InvalidUID."""
    checked_uid(origin.sop_class_uid, "Affected SOP Class UID")
    checked_uid(origin.sop_instance_uid, "Affected SOP Instance UID")


def ingest(archive: Archive, incoming: Incoming, *, study_instance_uid: str = "") -> Ingested:
    """Keep a completely received object; returns when it is durable and findable.

    ``study_instance_uid``: the study that it must belong to, if its sender named one.

    Raises DataSetError or InvalidUID for what is not a valid instance of what it is said to be,
    and the errors of ``Archive.keep``. Nothing is kept then.
    """
    content = incoming.finish()
    header = scan_header(content, incoming.origin.transfer_syntax_uid, start=incoming.data_start)
    _check_instance(header, incoming.origin)
    if study_instance_uid and header.study_instance_uid != study_instance_uid:
        raise InvalidInstance("it belongs to another study than its sender named")
    return Ingested(archive.keep(incoming, header), header)


def ingest_all(archive: Archive, arrived: Sequence[tuple[Incoming, Header]]) -> list[Ingested | Exception]:
    """``ingest`` for objects that are here together, with headers that were scanned in the same bytes.

    Many small ones share their disk syncs. Gives for each what became of it, or what ``ingest`` would have raised.
    """
    results: list[Ingested | Exception] = []
    keeping: list[tuple[int, Incoming, Header]] = []
    for place, (incoming, header) in enumerate(arrived):
        try:
            _check_instance(header, incoming.origin)
        except InvalidInstance as error:
            results.append(error)
            continue
        incoming.finish()
        keeping.append((place, incoming, header))
        results.append(InvalidInstance("it was not kept"))  # until it is
    outcomes = archive.keep_all([(incoming, header) for _, incoming, header in keeping])
    for (place, _, header), outcome in zip(keeping, outcomes, strict=True):
        results[place] = outcome if isinstance(outcome, Exception) else Ingested(outcome, header)
    return results


def _check_instance(header: Header, origin: Origin) -> None:
    """PS3.4 section B.2.3: the data set must be what the command says, and must be identifiable."""
    if header.sop_class_uid != origin.sop_class_uid:
        raise InvalidInstance("the SOP Class UID of the data set differs from the command's")
    if header.sop_instance_uid != origin.sop_instance_uid:
        raise InvalidInstance("the SOP Instance UID of the data set differs from the command's")
    if header.sop_class_uid in NON_PATIENT_CLASSES:
        return
    try:
        checked_uid(header.study_instance_uid, "Study Instance UID")
        checked_uid(header.series_instance_uid, "Series Instance UID")
    except InvalidUID as error:
        raise InvalidInstance(str(error)) from error
