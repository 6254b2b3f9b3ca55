"""What the node accepts when an association is asked for."""

from __future__ import annotations

import pytest

from radfuse.core.sop_classes import STORAGE_CLASS_NAMES
from radfuse.core.transfer_syntaxes import DEFLATED_LITTLE, EXPLICIT_LITTLE, IMPLICIT_LITTLE
from radfuse.node.acceptance import CALLED_NOT_RECOGNIZED, CALLING_NOT_RECOGNIZED, AcceptancePolicy
from radfuse.wire import ProposedContext
from radfuse.wire.negotiation import Acceptance, AssociationRequest

CT = "1.2.840.10008.5.1.4.1.1.2"
FIND = "1.2.840.10008.5.1.4.1.2.2.1"
POLICY = AcceptancePolicy(frozenset({"NODE"}))
TOLERANT = AcceptancePolicy(frozenset({"NODE"}), accept_unknown_classes=True)


def request(*contexts: tuple[str, tuple[str, ...]], called: str = "NODE", calling: str = "PEER") -> AssociationRequest:
    numbered = [ProposedContext(uid, syntaxes, 2 * place + 1) for place, (uid, syntaxes) in enumerate(contexts)]
    return AssociationRequest(called, calling, tuple(numbered), roles={CT: (False, True), FIND: (True, True)})


def answers(policy: AcceptancePolicy, *contexts: tuple[str, tuple[str, ...]]) -> list[str | int]:
    answer = policy.answer(request(*contexts), ("127.0.0.1", 1))
    assert isinstance(answer, Acceptance)
    return list(answer.contexts.values())


@pytest.mark.parametrize("called", ["", "node", "NODE2", "../x", "A/B"])
def test_only_our_own_titles_are_called(called: str) -> None:
    assert POLICY.answer(request(called=called), ("127.0.0.1", 1)) == CALLED_NOT_RECOGNIZED


@pytest.mark.parametrize("calling", ["", "A\\B", "\x1b[2J", "X" * 17])
def test_a_calling_title_must_be_one(calling: str) -> None:
    assert POLICY.answer(request(calling=calling), ("127.0.0.1", 1)) == CALLING_NOT_RECOGNIZED


def test_the_first_supported_syntax_of_a_context_is_taken() -> None:
    assert answers(POLICY, (CT, ("1.2.3", DEFLATED_LITTLE, IMPLICIT_LITTLE))) == [DEFLATED_LITTLE]
    assert answers(POLICY, (CT, ("1.2.3",)), (FIND, (DEFLATED_LITTLE,))) == [4, 4]


def test_other_services_are_not_supported_even_where_unknown_classes_are() -> None:
    others = ["1.2.840.10008.5.1.4.1.2.3.1", "1.2.840.10008.1.20.1", "1.2.840.10008.3.1.2.3.3", "1.2.3.a"]
    assert answers(POLICY, ("1.2.826.1", (EXPLICIT_LITTLE,))) == [3]
    assert answers(TOLERANT, ("1.2.826.1", (EXPLICIT_LITTLE,))) == [EXPLICIT_LITTLE]
    assert answers(TOLERANT, *((uid, (EXPLICIT_LITTLE,)) for uid in others[1:])) == [3, 3, 3]


def test_the_requestor_may_take_the_scp_role_for_storage_only() -> None:
    answer = POLICY.answer(request((CT, (EXPLICIT_LITTLE,)), (FIND, (EXPLICIT_LITTLE,))), ("127.0.0.1", 1))
    assert isinstance(answer, Acceptance)
    assert dict(answer.roles) == {CT: (False, True)}


def test_all_storage_classes_are_known() -> None:
    assert set(answers(POLICY, *((uid, (IMPLICIT_LITTLE,)) for uid in STORAGE_CLASS_NAMES))) == {IMPLICIT_LITTLE}


def test_storage_commitment_is_taken_in_both_roles_where_it_is_served() -> None:
    commitment = "1.2.840.10008.1.20.1"
    asked = AssociationRequest(
        "NODE", "PEER", (ProposedContext(commitment, (EXPLICIT_LITTLE,), 1),), roles={commitment: (False, True)}
    )
    serving = AcceptancePolicy(frozenset({"NODE"}), storage_commitment=True)
    for policy, syntax, roles in ((serving, EXPLICIT_LITTLE, {commitment: (False, True)}), (TOLERANT, 3, {})):
        answer = policy.answer(asked, ("127.0.0.1", 1))
        assert isinstance(answer, Acceptance)
        assert (dict(answer.contexts), dict(answer.roles)) == ({1: syntax}, roles)
