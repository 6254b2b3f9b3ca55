"""Errors as statuses, and the failed UID list."""

from __future__ import annotations

import pytest

from radfuse.core.errors import (
    BlobMissing,
    DuplicateRejected,
    InvalidInstance,
    InvalidQuery,
    InvalidUID,
    MalformedDataSet,
    NotAllowed,
    NotAuthorized,
    ObjectTooLarge,
    OutOfSpace,
    UnknownPeer,
)
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE, IMPLICIT_LITTLE
from radfuse.node.querying import _failed_uid_list
from radfuse.node.statuses import STATUS_OF_ERROR, comment_of, status_of
from radfuse.services.retrieve import TooManySubOperations
from tests.interop.client import decoded

CASES = [
    (InvalidUID("x", "y"), 0xA900),
    (MalformedDataSet("x", 1), 0xA900),
    (InvalidInstance("x"), 0xA900),
    (InvalidQuery("x"), 0xA900),
    (NotAllowed("send to", "pacs"), 0x0124),
    (NotAuthorized("store"), 0x0124),
    (OutOfSpace("x"), 0xA700),
    (ObjectTooLarge(1), 0xA700),
    (DuplicateRejected(), 0x0111),
    (UnknownPeer("x"), 0xA801),
    (TooManySubOperations(), 0xA702),
]


@pytest.mark.parametrize(("error", "expected"), CASES, ids=lambda value: type(value).__name__)
def test_every_error_of_the_table_has_its_status_and_says_why(error: Exception, expected: int) -> None:
    assert status_of(error) == expected
    assert comment_of(error)


def test_the_cases_cover_the_table() -> None:
    assert all(any(isinstance(error, kind) for error, _ in CASES) for kind, _ in STATUS_OF_ERROR)


@pytest.mark.parametrize("error", [BlobMissing("00"), ValueError("secret"), OSError("secret")])
def test_what_is_in_no_row_is_a_processing_failure_without_a_word(error: Exception) -> None:
    assert (status_of(error), comment_of(error)) == (0x0110, None)


def test_a_comment_is_a_value_of_lo() -> None:
    assert comment_of(InvalidQuery("a\\b\nc\u00e9")) == "invalid query: abc"


@pytest.mark.parametrize("syntax", [IMPLICIT_LITTLE, EXPLICIT_LITTLE])
def test_a_failed_uid_list_is_read_by_pydicom(syntax: str) -> None:
    uids = [f"1.2.{number}" for number in range(3)]
    assert list(decoded(_failed_uid_list(uids, syntax), syntax).FailedSOPInstanceUIDList) == uids


def test_a_failed_uid_list_that_is_too_long_for_explicit_vr_is_cut_between_uids() -> None:
    uids = [f"1.2.3.{10**55 + number}" for number in range(2000)]
    short = list(decoded(_failed_uid_list(uids, EXPLICIT_LITTLE)).FailedSOPInstanceUIDList)
    assert short == uids[: len(short)]
    assert 1000 < len(short) < 2000
    assert list(decoded(_failed_uid_list(uids, IMPLICIT_LITTLE), IMPLICIT_LITTLE).FailedSOPInstanceUIDList) == uids
