"""PDUs and items, both ways against pynetdicom's."""

from __future__ import annotations

import string
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pynetdicom import pdu as oracle

from radfuse.core.errors import ProtocolViolation
from radfuse.wire.items import (
    AsynchronousWindow,
    CommonExtendedNegotiation,
    ContextAnswer,
    ContextRequest,
    ExtendedNegotiation,
    RoleSelection,
    UserIdentity,
    UserInformation,
    pack_item,
)
from radfuse.wire.pdu import (
    Abort,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    DataTF,
    Pdu,
    PduType,
    PresentationDataValue,
    ReleaseRP,
    ReleaseRQ,
    decode,
    encode,
)
from tests.wire.scenes import IMPLICIT, VERIFICATION, associate_rq

ORACLES: dict[type, type] = {
    AssociateRQ: oracle.A_ASSOCIATE_RQ,
    AssociateAC: oracle.A_ASSOCIATE_AC,
    AssociateRJ: oracle.A_ASSOCIATE_RJ,
    DataTF: oracle.P_DATA_TF,
    ReleaseRQ: oracle.A_RELEASE_RQ,
    ReleaseRP: oracle.A_RELEASE_RP,
    Abort: oracle.A_ABORT_RQ,
}

numbers = st.integers(0, 99999).map(str)
uids = st.lists(numbers, min_size=1, max_size=10).map(".".join)
names = st.text(string.ascii_letters + string.digits + "_.", min_size=1, max_size=16)
titles = st.text(string.ascii_uppercase, min_size=1, max_size=16).map(lambda text: text.encode().ljust(16))
odd = st.integers(0, 127).map(lambda number: 2 * number + 1)
words = st.integers(0, 65535)
octets = st.binary(min_size=1, max_size=80)  # pynetdicom misreads empty fields

requests = st.builds(ContextRequest, odd, uids, st.lists(uids, min_size=1, max_size=4).map(tuple))
answers = st.builds(ContextAnswer, odd, st.integers(0, 4), uids)
roles = st.builds(RoleSelection, uids, st.booleans(), st.booleans())
extended = st.builds(ExtendedNegotiation, uids, st.binary(min_size=1, max_size=20))
common = st.builds(CommonExtendedNegotiation, uids, uids, st.lists(uids, min_size=1, max_size=3).map(tuple))
identities = st.builds(UserIdentity, st.integers(1, 5), octets, octets, st.booleans())


def users(is_request: bool) -> st.SearchStrategy[UserInformation]:
    nothing: st.SearchStrategy[Any] = st.none()
    return st.builds(
        UserInformation,
        st.integers(0, 2**32 - 1),
        uids,
        st.one_of(st.just(""), names),
        st.one_of(nothing, st.builds(AsynchronousWindow, words, words)),
        st.lists(roles, max_size=3, unique_by=lambda role: role.sop_class_uid).map(tuple),
        st.lists(extended, max_size=3).map(tuple),
        st.lists(common, max_size=3).map(tuple) if is_request else st.just(()),
        st.one_of(nothing, identities) if is_request else nothing,
        nothing if is_request else st.one_of(nothing, octets),
    )


values = st.builds(PresentationDataValue, odd, st.booleans(), st.booleans(), octets)
pdus: st.SearchStrategy[Pdu] = st.one_of(
    st.builds(AssociateRQ, titles, titles, st.lists(requests, min_size=1, max_size=5).map(tuple), users(True)),
    st.builds(AssociateAC, titles, titles, st.lists(answers, min_size=1, max_size=5).map(tuple), users(False)),
    st.builds(AssociateRJ, st.integers(1, 2), st.integers(1, 3), st.integers(1, 10)),
    st.builds(DataTF, st.lists(values, min_size=1, max_size=5).map(tuple)),
    st.just(ReleaseRQ()),
    st.just(ReleaseRP()),
    st.builds(Abort, st.sampled_from((0, 2)), st.sampled_from((0, 1, 2, 4, 5, 6))),
)


@settings(deadline=None, max_examples=60)
@given(pdus)
def test_every_pdu_that_pynetdicom_encodes_is_decoded_to_the_same_values(pdu: Pdu) -> None:
    theirs = ORACLES[type(pdu)]()
    theirs.decode(encode(pdu))
    data = theirs.encode()
    assert decode(data[0], data[6:]) == _without_insignificant(pdu)


def _without_insignificant(pdu: Pdu) -> Pdu:
    """The transfer syntax of a context that is not accepted does not count (PS3.8 section 9.3.3.2)."""
    if not isinstance(pdu, AssociateAC):
        return pdu
    contexts = (ContextAnswer(row.id, row.result, "" if row.result else row.transfer_syntax) for row in pdu.contexts)
    return replace(pdu, contexts=tuple(contexts))


@settings(deadline=None, max_examples=60)
@given(pdus)
def test_every_pdu_that_we_encode_has_the_values_that_pynetdicom_decodes(pdu: Pdu) -> None:
    theirs = ORACLES[type(pdu)]()
    theirs.decode(encode(pdu))
    check = CHECKS.get(type(pdu))
    if check is not None:
        check(pdu, theirs)
    assert theirs.pdu_length == len(encode(pdu)) - 6


def _check_request(ours: AssociateRQ, theirs: Any) -> None:
    assert theirs.called_ae_title.strip() == ours.called_raw.decode().strip()
    assert theirs.calling_ae_title.strip() == ours.calling_raw.decode().strip()
    assert theirs.application_context_name == ours.application_context
    assert theirs.protocol_version == 1
    found = [(row.context_id, row.abstract_syntax, tuple(row.transfer_syntax)) for row in theirs.presentation_context]
    assert found == [(row.id, row.abstract_syntax, row.transfer_syntaxes) for row in ours.contexts]
    _check_user(ours.user, theirs.user_information)


def _check_acceptance(ours: AssociateAC, theirs: Any) -> None:
    assert [(row.context_id, row.result) for row in theirs.presentation_context] == [
        (row.id, row.result) for row in ours.contexts
    ]
    for row, found in zip(ours.contexts, theirs.presentation_context, strict=True):
        assert row.result or found.transfer_syntax == row.transfer_syntax
    _check_user(ours.user, theirs.user_information)


def _check_user(ours: UserInformation, theirs: Any) -> None:
    assert theirs.maximum_length == ours.max_pdu_bytes
    assert theirs.implementation_class_uid == ours.implementation_class_uid
    assert (theirs.implementation_version_name or "") == ours.implementation_version_name
    window = theirs.async_ops_window
    assert (window and (window.maximum_number_operations_invoked, window.maximum_number_operations_performed)) == (
        ours.asynchronous_window and (ours.asynchronous_window.invoked, ours.asynchronous_window.performed)
    )
    assert {uid: (row.scu_role, row.scp_role) for uid, row in theirs.role_selection.items()} == {
        row.sop_class_uid: (row.scu, row.scp) for row in ours.roles
    }
    assert [(row.uid, row.app_info) for row in theirs.ext_neg] == [
        (row.sop_class_uid, row.application_information) for row in ours.extended
    ]
    assert [
        (row.sop_class_uid, row.service_class_uid, tuple(row.related_general_sop_class_identification))
        for row in theirs.common_ext_neg
    ] == [(row.sop_class_uid, row.service_class_uid, row.related_general_sop_classes) for row in ours.common_extended]
    _check_identity(ours, theirs.user_identity)


def _check_identity(ours: UserInformation, theirs: Any) -> None:
    if ours.user_identity is not None:
        mine = ours.user_identity
        assert (theirs.id_type, theirs.primary, theirs.secondary) == (mine.kind, mine.primary, mine.secondary)
        assert theirs.response_requested == mine.response_requested
    elif ours.user_identity_response is not None:
        assert theirs.response == ours.user_identity_response
    else:
        assert theirs is None


def _check_rejection(ours: AssociateRJ, theirs: Any) -> None:
    assert (theirs.result, theirs.source, theirs.reason_diagnostic) == (ours.result, ours.source, ours.reason)


def _check_data(ours: DataTF, theirs: Any) -> None:
    found = [(row.context_id, row.data) for row in theirs.presentation_data_value_items]
    assert found == [(row.context_id, bytes((row.is_command | row.is_last << 1,)) + row.data) for row in ours.values]


def _check_abort(ours: Abort, theirs: Any) -> None:
    assert (theirs.source, theirs.reason_diagnostic) == (ours.source, ours.reason)


CHECKS: dict[type, Any] = {
    AssociateRQ: _check_request,
    AssociateAC: _check_acceptance,
    AssociateRJ: _check_rejection,
    DataTF: _check_data,
    Abort: _check_abort,
}


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 9), st.binary(max_size=300))
def test_any_bytes_are_a_pdu_or_a_protocol_violation(pdu_type: int, body: bytes) -> None:
    try:
        decode(pdu_type, body)
    except ProtocolViolation as violation:
        assert violation.abort_reason in (1, 6)


@settings(deadline=None, max_examples=60)
@given(pdus, st.data())
def test_a_damaged_pdu_is_a_pdu_or_a_protocol_violation(pdu: Pdu, data: st.DataObject) -> None:
    body = bytearray(encode(pdu)[6:])
    if body:
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(body)))
    for damaged in (bytes(body), bytes(body[:cut])):
        try:
            decode(encode(pdu)[0], damaged)
        except ProtocolViolation as violation:
            assert violation.abort_reason == 6


def test_items_that_the_standard_does_not_name_are_ignored() -> None:
    pdu = associate_rq()
    body = encode(pdu)[6:]
    assert decode(PduType.ASSOCIATE_RQ, body + pack_item(0x99, b"anything")) == pdu


def test_a_user_sub_item_that_the_standard_does_not_name_is_ignored() -> None:
    fixed = encode(associate_rq())[6:74]
    application = pack_item(0x10, b"1.2.840.10008.3.1.1.1")
    context = pack_item(0x20, b"\1\0\0\0" + pack_item(0x30, VERIFICATION.encode()) + pack_item(0x40, IMPLICIT.encode()))
    user = pack_item(0x50, pack_item(0x7A, b"new") + pack_item(0x51, b"\0\0\x40\0"))
    found = decode(PduType.ASSOCIATE_RQ, fixed + application + context + user)
    assert isinstance(found, AssociateRQ)
    assert found.user == UserInformation(max_pdu_bytes=16384)


def test_uids_padded_with_nul_are_read_without_it() -> None:
    fixed = encode(associate_rq())[6:74]
    context = pack_item(0x20, b"\1\0\0\0" + pack_item(0x30, b"1.2\0") + pack_item(0x40, b"1.2.3\0"))
    found = decode(PduType.ASSOCIATE_RQ, fixed + context)
    assert isinstance(found, AssociateRQ)
    assert found.contexts == (ContextRequest(1, "1.2", ("1.2.3",)),)


@pytest.mark.parametrize(
    "body",
    [
        b"\1\0\0\0",
        b"\1\0\0\0" + pack_item(0x30, b"1.2"),
        b"\1\0\0\0" + pack_item(0x40, b"1.2"),
        b"\1\0\0\0" + pack_item(0x30, b"1.2") + pack_item(0x30, b"1.3") + pack_item(0x40, b"1.2"),
        b"\1\0",
        b"\1\0\0\0" + pack_item(0x30, b"\xff") + pack_item(0x40, b"1.2"),
    ],
)
def test_a_presentation_context_without_its_syntaxes_is_malformed(body: bytes) -> None:
    fixed = encode(associate_rq())[6:74]
    with pytest.raises(ProtocolViolation):
        decode(PduType.ASSOCIATE_RQ, fixed + pack_item(0x20, body))


def test_credentials_do_not_show_in_the_text_form() -> None:
    assert "secret" not in repr(UserIdentity(2, b"user", b"secret"))
