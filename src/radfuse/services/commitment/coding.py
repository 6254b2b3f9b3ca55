"""The data sets of storage commitment (PS3.4 tables J.3-1 and J.3-2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from radfuse.core.errors import DataSetError, InvalidCommitment, InvalidUID
from radfuse.core.uids import checked_uid
from radfuse.dicom import Element, Identifier, decode_identifier, encode_identifier
from radfuse.services.commitment.model import COMMITTED, PROCESSING_FAILURE, Event, Outcome, Reference

_RETRIEVE_AE_TITLE: Final = 0x0008_0054
_REFERENCED_CLASS: Final = 0x0008_1150
_REFERENCED_INSTANCE: Final = 0x0008_1155
_TRANSACTION_UID: Final = 0x0008_1195
_FAILURE_REASON: Final = 0x0008_1197
_FAILED_SEQUENCE: Final = 0x0008_1198
_REFERENCED_SEQUENCE: Final = 0x0008_1199


@dataclass(frozen=True, slots=True)
class Request:
    """What an N-ACTION asks for."""

    transaction_uid: str
    references: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What an N-EVENT-REPORT tells."""

    transaction_uid: str
    outcomes: tuple[Outcome, ...]


def encode_request(request: Request, transfer_syntax_uid: str) -> bytes:
    """The Action Information of a request."""
    elements = (_uid(_TRANSACTION_UID, request.transaction_uid), _sequence(_REFERENCED_SEQUENCE, request.references))
    return encode_identifier(Identifier(elements), transfer_syntax_uid)


def decode_request(data: bytes, transfer_syntax_uid: str) -> Request:
    """The request that ``data`` encodes. Raises InvalidCommitment for one that cannot be answered."""
    identifier = _decoded(data, transfer_syntax_uid)
    references = tuple(_reference(item) for item in _items(identifier, _REFERENCED_SEQUENCE))
    if not references:
        raise InvalidCommitment("Referenced SOP Sequence (0008,1199) is missing or empty")
    return Request(_transaction_uid(identifier), references)


def encode_report(
    transaction_uid: str, outcomes: Sequence[Outcome], our_ae_title: str, transfer_syntax_uid: str
) -> tuple[Event, bytes]:
    """The event type and the Event Information of a report; what has no result yet has failed."""
    committed = [outcome.reference for outcome in outcomes if outcome.reason == COMMITTED]
    failed = [outcome for outcome in outcomes if outcome.reason != COMMITTED]
    elements = [_uid(_TRANSACTION_UID, transaction_uid)]
    if committed:
        elements.append(Element(_RETRIEVE_AE_TITLE, "AE", (our_ae_title,)))
        elements.append(_sequence(_REFERENCED_SEQUENCE, committed))
    if failed:
        elements.append(Element(_FAILED_SEQUENCE, "SQ", (), tuple(map(_failed_item, failed))))
    event = Event.FAILURES_EXIST if failed else Event.ALL_COMMITTED
    return event, encode_identifier(Identifier(tuple(elements)), transfer_syntax_uid)


def decode_report(data: bytes, transfer_syntax_uid: str) -> Report:
    """The report that ``data`` encodes. Raises InvalidCommitment for one that cannot be understood."""
    identifier = _decoded(data, transfer_syntax_uid)
    everywhere = identifier.text(_RETRIEVE_AE_TITLE)
    outcomes = [
        Outcome(_reference(item), COMMITTED, retrieve_ae_title=item.text(_RETRIEVE_AE_TITLE) or everywhere)
        for item in _items(identifier, _REFERENCED_SEQUENCE)
    ]
    outcomes += [Outcome(_reference(item), _reason(item)) for item in _items(identifier, _FAILED_SEQUENCE)]
    return Report(_transaction_uid(identifier), tuple(outcomes))


def _decoded(data: bytes, transfer_syntax_uid: str) -> Identifier:
    try:
        return decode_identifier(data, transfer_syntax_uid)
    except DataSetError as error:
        raise InvalidCommitment(str(error)) from error


def _transaction_uid(identifier: Identifier) -> str:
    return _checked(identifier.text(_TRANSACTION_UID), "Transaction UID (0008,1195)")


def _reference(item: Identifier) -> Reference:
    return Reference(
        _checked(item.text(_REFERENCED_CLASS), "Referenced SOP Class UID (0008,1150)"),
        _checked(item.text(_REFERENCED_INSTANCE), "Referenced SOP Instance UID (0008,1155)"),
    )


def _checked(value: str, attribute: str) -> str:
    try:
        return checked_uid(value.strip(" \0"), attribute)
    except InvalidUID as error:
        raise InvalidCommitment(str(error)) from error


def _reason(item: Identifier) -> int:
    """The failure reason; a failed item without one has failed all the same."""
    text = item.text(_FAILURE_REASON)
    reason = int(text) if text.isdecimal() else COMMITTED
    return PROCESSING_FAILURE if reason == COMMITTED else reason


def _items(identifier: Identifier, tag: int) -> Sequence[Identifier]:
    element = identifier.get(tag)
    return element.items if element else ()


def _uid(tag: int, uid: str) -> Element:
    return Element(tag, "UI", (uid,))


def _sequence(tag: int, references: Iterable[Reference]) -> Element:
    return Element(tag, "SQ", (), tuple(Identifier(_pair(reference)) for reference in references))


def _pair(reference: Reference) -> tuple[Element, ...]:
    return _uid(_REFERENCED_CLASS, reference.sop_class_uid), _uid(_REFERENCED_INSTANCE, reference.sop_instance_uid)


def _failed_item(outcome: Outcome) -> Identifier:
    reason = outcome.reason if outcome.reason and outcome.reason > 0 else PROCESSING_FAILURE
    return Identifier((*_pair(outcome.reference), Element(_FAILURE_REASON, "US", (str(reason),))))
