"""Contexts and roles as both sides understand them, and what must not be answered."""

from __future__ import annotations

import itertools

import pytest
from pydicom.uid import UID
from pynetdicom import build_role
from pynetdicom.presentation import PresentationContext, negotiate_as_acceptor

from radfuse.core.errors import InvalidAETitle, ProtocolViolation
from radfuse.wire import Limits, ProposedContext
from radfuse.wire.items import ContextAnswer, ContextRequest, RoleSelection, UserInformation
from radfuse.wire.negotiation import (
    REJECTION_MEANINGS,
    Acceptance,
    AssociationRequest,
    acceptance_pdu,
    contexts_as_acceptor,
    contexts_as_requestor,
    numbered,
    request_of,
    request_pdu,
)
from radfuse.wire.pdu import AssociateAC, AssociateRQ
from tests.wire.scenes import CT, EXPLICIT, IMPLICIT, VERIFICATION

BOOLEANS = (False, True)


def _request(roles: dict[str, tuple[bool, bool]]) -> AssociationRequest:
    return AssociationRequest("NODE", "TEST", numbered([ProposedContext(CT, (IMPLICIT,))]), roles=roles)


@pytest.mark.parametrize(("scu", "scp", "grants_scu", "grants_scp"), list(itertools.product(BOOLEANS, repeat=4)))
def test_roles_are_what_was_both_proposed_and_granted(scu: bool, scp: bool, grants_scu: bool, grants_scp: bool) -> None:
    pdu = request_pdu(_request({CT: (scu, scp)}), Limits())
    answer = acceptance_pdu(pdu, Acceptance({1: IMPLICIT}, {CT: (grants_scu, grants_scp)}), Limits())
    requestor, acceptor = contexts_as_requestor(pdu, answer)[1], contexts_as_acceptor(pdu, answer)[1]
    assert (requestor.as_scu, requestor.as_scp) == (scu and grants_scu, scp and grants_scp)
    assert (acceptor.as_scp, acceptor.as_scu) == (requestor.as_scu, requestor.as_scp)


def test_a_granted_role_means_to_pynetdicom_what_it_means_to_us() -> None:
    context = PresentationContext()
    context.context_id, context.abstract_syntax, context.transfer_syntax = 1, CT, [IMPLICIT]
    ours = PresentationContext()
    ours.abstract_syntax, ours.transfer_syntax, ours.scu_role, ours.scp_role = CT, [IMPLICIT], False, True
    role = build_role(CT, scp_role=True)
    (found,), _ = negotiate_as_acceptor([context], [ours], {UID(CT): (role.scu_role, role.scp_role)})
    pdu = request_pdu(_request({CT: (False, True)}), Limits())
    accepted = contexts_as_acceptor(pdu, acceptance_pdu(pdu, Acceptance({1: IMPLICIT}, {CT: (False, True)}), Limits()))
    assert (found.as_scu, found.as_scp) == (accepted[1].as_scu, accepted[1].as_scp) == (True, False)


def test_without_role_items_the_requestor_is_scu() -> None:
    pdu = request_pdu(_request({}), Limits())
    answer = acceptance_pdu(pdu, Acceptance({1: IMPLICIT}, {CT: (True, True)}), Limits())
    assert answer.user.roles == ()
    assert contexts_as_requestor(pdu, answer)[1].as_scu
    assert not contexts_as_requestor(pdu, answer)[1].as_scp
    assert contexts_as_acceptor(pdu, answer)[1].as_scp


def test_a_transfer_syntax_that_was_not_proposed_cannot_be_accepted() -> None:
    pdu = request_pdu(_request({}), Limits())
    with pytest.raises(ValueError, match="not proposed"):
        acceptance_pdu(pdu, Acceptance({1: EXPLICIT}), Limits())


@pytest.mark.parametrize("answer", [ContextAnswer(3, 0, IMPLICIT), ContextAnswer(1, 0, EXPLICIT)])
def test_an_acceptance_of_what_was_not_proposed_breaks_the_protocol(answer: ContextAnswer) -> None:
    pdu = request_pdu(_request({}), Limits())
    with pytest.raises(ProtocolViolation):
        contexts_as_requestor(pdu, AssociateAC(b"A".ljust(16), b"B".ljust(16), (answer,), UserInformation()))


def test_a_context_that_is_not_accepted_is_not_there() -> None:
    pdu = request_pdu(_request({}), Limits())
    answer = AssociateAC(b"A".ljust(16), b"B".ljust(16), (ContextAnswer(1, 4, ""),), UserInformation())
    assert contexts_as_requestor(pdu, answer) == {}


def test_contexts_get_the_free_odd_numbers() -> None:
    rows = [ProposedContext(CT, (IMPLICIT,)), ProposedContext(VERIFICATION, (IMPLICIT,), 1)]
    assert [row.id for row in numbered(rows)] == [3, 1]
    assert [row.id for row in numbered([ProposedContext(CT, (IMPLICIT,))] * 128)] == list(range(1, 256, 2))


@pytest.mark.parametrize("count", [0, 129])
def test_an_association_has_1_to_128_contexts(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 128"):
        numbered([ProposedContext(CT, (IMPLICIT,))] * count)


def test_a_title_that_is_none_is_not_sent() -> None:
    request = AssociationRequest("A" * 17, "TEST", numbered([ProposedContext(CT, (IMPLICIT,))]))
    with pytest.raises(InvalidAETitle):
        request_pdu(request, Limits())


def test_titles_are_read_without_padding_whatever_bytes_they_are() -> None:
    contexts = (ContextRequest(1, CT, (IMPLICIT,)),)
    request = request_of(AssociateRQ(b"  NODE\0\0".ljust(16), b"\xff../x".ljust(16), contexts, UserInformation()))
    assert (request.called_ae_title, request.calling_ae_title) == ("NODE", "\xff../x")
    assert request.called_raw == b"  NODE\0\0        "


def test_a_request_comes_out_as_it_went_in() -> None:
    request = AssociationRequest(
        "NODE",
        "TEST",
        numbered([ProposedContext(CT, (IMPLICIT, EXPLICIT)), ProposedContext(VERIFICATION, (IMPLICIT,))]),
        roles={CT: (True, True)},
        extended_negotiation={CT: b"\2\0\0\0\2\0"},
    )
    pdu = request_pdu(request, Limits())
    found = request_of(pdu)
    assert (found.contexts, found.roles, found.extended_negotiation) == (
        request.contexts,
        request.roles,
        request.extended_negotiation,
    )
    assert pdu.user.roles == (RoleSelection(CT, True, True),)


def test_every_rejection_of_the_standard_has_its_meaning() -> None:
    assert REJECTION_MEANINGS.keys() == {(1, 1), (1, 2), (1, 3), (1, 7), (2, 1), (2, 2), (3, 1), (3, 2)}
