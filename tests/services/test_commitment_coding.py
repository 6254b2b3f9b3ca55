"""The data sets of storage commitment, read and written by pydicom on the other side."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence

from radfuse.core.errors import InvalidCommitment
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE, IMPLICIT_LITTLE
from radfuse.services.commitment import Outcome, Reference, Request
from radfuse.services.commitment.coding import decode_report, decode_request, encode_report, encode_request
from radfuse.services.commitment.model import COMMITTED, NO_SUCH_INSTANCE, PROCESSING_FAILURE, Event

CT = "1.2.840.10008.5.1.4.1.1.2"
ONE, TWO = Reference(CT, "1.2.1"), Reference(CT, "1.2.22")
SYNTAXES = pytest.mark.parametrize("syntax", [EXPLICIT_LITTLE, IMPLICIT_LITTLE])


def written(ds: Dataset, syntax: str = EXPLICIT_LITTLE) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, syntax == IMPLICIT_LITTLE
    write_dataset(buffer, ds)
    return buffer.getvalue()


def read(data: bytes, syntax: str) -> Dataset:
    return read_dataset(io.BytesIO(data), is_implicit_VR=syntax == IMPLICIT_LITTLE, is_little_endian=True)


def item(reference: Reference, **more: object) -> Dataset:
    ds = Dataset()
    ds.ReferencedSOPClassUID, ds.ReferencedSOPInstanceUID = reference.sop_class_uid, reference.sop_instance_uid
    for name, value in more.items():
        setattr(ds, name, value)
    return ds


def request_of(*items: Dataset, uid: str = "1.2.9") -> Dataset:
    ds = Dataset()
    ds.TransactionUID = uid
    ds.ReferencedSOPSequence = Sequence(items)
    return ds


@SYNTAXES
def test_a_request_is_read_as_it_was_written(syntax: str) -> None:
    request = Request("1.2.9", (ONE, TWO))
    data = encode_request(request, syntax)
    ds = read(data, syntax)
    assert ds.TransactionUID == "1.2.9"
    assert [(one.ReferencedSOPClassUID, one.ReferencedSOPInstanceUID) for one in ds.ReferencedSOPSequence] == [
        (CT, "1.2.1"),
        (CT, "1.2.22"),
    ]
    assert decode_request(data, syntax) == request
    assert decode_request(written(request_of(item(ONE), item(TWO)), syntax), syntax) == request


def test_ten_thousand_references_are_read() -> None:
    references = tuple(Reference(CT, f"1.2.840.113619.2.55.3.604688119.969.1268071029.{n}") for n in range(10_000))
    request = Request("1.2.9", references)
    assert decode_request(encode_request(request, EXPLICIT_LITTLE), EXPLICIT_LITTLE) == request


def without(keyword: str, of_item: bool = False) -> Dataset:
    ds = request_of(item(ONE))
    delattr(ds.ReferencedSOPSequence[0] if of_item else ds, keyword)
    return ds


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: without("TransactionUID"), "Transaction UID"),
        (lambda: request_of(item(ONE), uid=""), "Transaction UID"),
        (lambda: request_of(item(ONE), uid="1.2.a"), "Transaction UID"),
        (lambda: without("ReferencedSOPSequence"), "Referenced SOP Sequence"),
        (request_of, "Referenced SOP Sequence"),
        (lambda: without("ReferencedSOPClassUID", of_item=True), "Referenced SOP Class UID"),
        (lambda: without("ReferencedSOPInstanceUID", of_item=True), "Referenced SOP Instance UID"),
        (lambda: request_of(item(Reference(CT, "../../x"))), "Referenced SOP Instance UID"),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
def test_a_request_that_cannot_be_answered_says_why(make: Callable[[], Dataset], words: str) -> None:
    with pytest.raises(InvalidCommitment, match=words):
        decode_request(written(make()), EXPLICIT_LITTLE)


@pytest.mark.parametrize("data", [b"", b"\x08", written(request_of(item(ONE)))[:-5]])
def test_a_broken_data_set_is_an_invalid_request_and_an_invalid_report(data: bytes) -> None:
    for decode in (decode_request, decode_report):
        with pytest.raises(InvalidCommitment):
            decode(data, EXPLICIT_LITTLE)


@SYNTAXES
def test_a_report_names_what_is_committed_and_what_failed(syntax: str) -> None:
    event, data = encode_report("1.2.9", [Outcome(ONE, COMMITTED), Outcome(TWO, NO_SUCH_INSTANCE)], "NODE", syntax)
    ds = read(data, syntax)
    assert event is Event.FAILURES_EXIST
    assert (ds.TransactionUID, ds.RetrieveAETitle) == ("1.2.9", "NODE")
    assert [one.ReferencedSOPInstanceUID for one in ds.ReferencedSOPSequence] == ["1.2.1"]
    (failed,) = ds.FailedSOPSequence
    assert (failed.ReferencedSOPClassUID, failed.ReferencedSOPInstanceUID) == (CT, "1.2.22")
    assert failed.FailureReason == NO_SUCH_INSTANCE
    told = decode_report(data, syntax)
    assert [(one.reference, one.reason, one.retrieve_ae_title) for one in told.outcomes] == [
        (ONE, COMMITTED, "NODE"),
        (TWO, NO_SUCH_INSTANCE, ""),
    ]


def test_only_committed_objects_make_a_report_of_success() -> None:
    event, data = encode_report("1.2.9", [Outcome(ONE, COMMITTED)], "NODE", EXPLICIT_LITTLE)
    assert event is Event.ALL_COMMITTED
    assert "FailedSOPSequence" not in read(data, EXPLICIT_LITTLE)
    event, data = encode_report("1.2.9", [Outcome(ONE, NO_SUCH_INSTANCE)], "NODE", EXPLICIT_LITTLE)
    assert event is Event.FAILURES_EXIST
    assert "ReferencedSOPSequence" not in read(data, EXPLICIT_LITTLE)
    assert "RetrieveAETitle" not in read(data, EXPLICIT_LITTLE)


def test_an_object_without_a_result_is_reported_as_failed() -> None:
    event, data = encode_report("1.2.9", [Outcome(ONE)], "NODE", EXPLICIT_LITTLE)
    assert event is Event.FAILURES_EXIST
    assert read(data, EXPLICIT_LITTLE).FailedSOPSequence[0].FailureReason == PROCESSING_FAILURE


@pytest.mark.parametrize("reason", [{}, {"FailureReason": 0}])
def test_a_failed_object_without_a_reason_has_failed(reason: dict[str, object]) -> None:
    ds = Dataset()
    ds.TransactionUID = "1.2.9"
    ds.FailedSOPSequence = Sequence([item(ONE, **reason)])
    assert [one.reason for one in decode_report(written(ds), EXPLICIT_LITTLE).outcomes] == [PROCESSING_FAILURE]


def test_the_title_to_retrieve_from_may_stand_beside_each_object() -> None:
    ds = request_of(item(ONE, RetrieveAETitle="TAPE"), item(TWO))
    ds.RetrieveAETitle = "PACS"
    told = decode_report(written(ds), EXPLICIT_LITTLE)
    assert [one.retrieve_ae_title for one in told.outcomes] == ["TAPE", "PACS"]
