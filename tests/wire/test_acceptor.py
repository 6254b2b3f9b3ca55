"""The accepting side: who gets an association, and what garbage, silence and trickles come to."""

from __future__ import annotations

import os
import random
import resource
import socket
import struct
import threading
import time
from dataclasses import replace

import pytest

from radfuse.core.errors import (
    AssociationAborted,
    ConnectionLost,
    PeerTimeout,
    ProtocolViolation,
)
from radfuse.wire import Limits, accept_association, scu
from radfuse.wire.items import (
    AsynchronousWindow,
    ContextRequest,
    RoleSelection,
    UserIdentity,
    UserInformation,
    pack_item,
)
from radfuse.wire.negotiation import Acceptance, AssociationRequest, Rejection
from radfuse.wire.pdu import Abort, AssociateAC, AssociateRJ, AssociateRQ, Pdu, decode, encode
from tests.wire.scenes import (
    CT,
    EXPLICIT,
    IMPLICIT,
    RELEASE_RQ,
    SHORT,
    VERIFICATION,
    AcceptsAll,
    Node,
    Store,
    associate_rq,
    associated_socket,
    data_tf,
    pdu_types,
    raw_connection,
    received_until_closed,
)

QUICK = Limits(artim_s=0.4, close_wait_s=0.3, pdu_deadline_s=0.4, idle_s=0.6, response_s=0.5)
PATIENT = replace(QUICK, artim_s=20.0, idle_s=20.0)
"""Quick with whoever is slow within a PDU; not with a test that comes late on a busy machine."""


def _answer_to(pdu: AssociateRQ, policy: object = None) -> Pdu:
    """What a peer that sends ``pdu`` gets first."""
    with Node(Store()) as node:
        if policy is not None:
            node.policy = policy  # type: ignore[assignment]
        with raw_connection(node) as sock:
            sock.sendall(encode(pdu) + RELEASE_RQ)
            data = received_until_closed(sock)
    return decode(data[0], data[6 : 6 + int.from_bytes(data[2:6], "big")])


def test_an_acceptance_answers_every_context_and_repeats_the_titles() -> None:
    class Some(AcceptsAll):
        def answer(self, request: AssociationRequest, peer_address: tuple[str, int]) -> Acceptance:
            assert (request.called_ae_title, request.calling_ae_title) == ("CALLED", "CALLING")
            assert (request.max_pdu_bytes, request.implementation_class_uid) == (16384, "1.2.3")
            assert request.calling_raw == b"CALLING         "
            return Acceptance({1: IMPLICIT, 5: 4})

    answer = _answer_to(associate_rq(VERIFICATION, "1.2.3.4", CT), Some())
    assert isinstance(answer, AssociateAC)
    assert [(row.id, row.result) for row in answer.contexts] == [(1, 0), (3, 3), (5, 4)]
    assert answer.called_raw == b"CALLED          "
    assert answer.user.max_pdu_bytes == SHORT.max_pdu_bytes
    assert answer.user.asynchronous_window is None


def test_the_window_is_always_one_and_roles_and_identity_are_answered_only_when_proposed() -> None:
    class Generous(AcceptsAll):
        def answer(self, request: AssociationRequest, peer_address: tuple[str, int]) -> Acceptance:
            assert request.user_identity is not None
            roles = {CT: (True, True), VERIFICATION: (True, True)}
            return Acceptance({1: EXPLICIT}, roles, {CT: b"\1"}, b"welcome")

    user = UserInformation(
        max_pdu_bytes=0,
        asynchronous_window=AsynchronousWindow(0, 5),
        roles=(RoleSelection(CT, False, True),),
        user_identity=UserIdentity(1, b"user", b"", True),
    )
    request = AssociateRQ(b"A".ljust(16), b"B".ljust(16), (ContextRequest(1, CT, (IMPLICIT, EXPLICIT)),), user)
    answer = _answer_to(request, Generous())
    assert isinstance(answer, AssociateAC)
    assert answer.user.asynchronous_window == AsynchronousWindow(1, 1)
    assert answer.user.roles == (RoleSelection(CT, False, True),)
    assert answer.user.user_identity_response == b"welcome"
    assert answer.user.extended[0].application_information == b"\1"


def test_a_rejection_by_the_policy_reaches_the_peer() -> None:
    class Never(AcceptsAll):
        def answer(self, request: AssociationRequest, peer_address: tuple[str, int]) -> Rejection:
            return Rejection(2, 3, 2)

    assert _answer_to(associate_rq(), Never()) == AssociateRJ(2, 3, 2)


def test_another_protocol_version_or_application_context_is_rejected() -> None:
    whole = associate_rq()
    version = AssociateRQ(whole.called_raw, whole.calling_raw, whole.contexts, whole.user, protocol_version=2)
    context = AssociateRQ(whole.called_raw, whole.calling_raw, whole.contexts, whole.user, "1.2.3")
    assert _answer_to(version) == AssociateRJ(1, 2, 2)
    assert _answer_to(context) == AssociateRJ(1, 1, 2)


@pytest.mark.parametrize("ids", [(2,), (1, 1), ()])
def test_context_ids_must_be_distinct_odd_numbers(ids: tuple[int, ...]) -> None:
    contexts = tuple(ContextRequest(number, CT, (IMPLICIT,)) for number in ids)
    answer = _answer_to(AssociateRQ(b"A".ljust(16), b"B".ljust(16), contexts, UserInformation(16384)))
    assert isinstance(answer, Abort)


def test_a_maximum_length_without_room_for_data_is_refused() -> None:
    request = AssociateRQ(b"A".ljust(16), b"B".ljust(16), associate_rq().contexts, UserInformation(7))
    assert isinstance(_answer_to(request), Abort)


def test_a_policy_that_fails_aborts_and_its_error_passes() -> None:
    class Broken(AcceptsAll):
        def answer(self, request: AssociationRequest, peer_address: tuple[str, int]) -> Acceptance:
            raise RuntimeError("broken")

    left, right = socket.socketpair()
    with left:
        left.sendall(encode(associate_rq()))
        left.shutdown(socket.SHUT_WR)
        with pytest.raises(RuntimeError):
            accept_association(right, ("peer", 1), Broken(), SHORT)
        assert pdu_types(received_until_closed(left)) == [7]


def test_a_probe_that_closes_without_a_byte_is_not_worth_a_word() -> None:
    for _ in range(20):
        left, right = socket.socketpair()
        left.close()
        assert accept_association(right, ("peer", 1), AcceptsAll(), SHORT) is None


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: node\r\n\r\n",
        bytes.fromhex("16030100a5010000a10303") + os.urandom(160),
        b"\1\0\xff\xff\xff\xff" + os.urandom(100_000),
        b"\4\0\xff\xff\xff\xff" + os.urandom(100_000),
        data_tf(1, 3, b"x" * 100),
        RELEASE_RQ,
        encode(associate_rq())[:80] + b"\xff" * 2 + encode(associate_rq())[82:],
        encode(associate_rq()) + pack_item(0x20, b"late"),
    ],
)
def test_what_is_no_association_request_ends_in_a_closed_connection(data: bytes) -> None:
    with Node(Store(), PATIENT) as node, raw_connection(node) as sock:
        sock.sendall(data)
        assert pdu_types(received_until_closed(sock))[-1:] == [7]
        node.join()
    assert len(node.errors) == 1
    assert isinstance(node.errors[0], ProtocolViolation | AssociationAborted)


@pytest.mark.parametrize("data", [b"", b"\1", b"\1\0\0", encode(associate_rq())[:-1]])
def test_a_request_that_does_not_come_is_not_awaited_longer_than_the_artim_timer(data: bytes) -> None:
    with Node(Store(), QUICK) as node, raw_connection(node) as sock:
        sock.sendall(data)
        received_until_closed(sock)
        node.join()
    assert [type(error) for error in node.errors] == [PeerTimeout]


def test_a_trickle_does_not_extend_the_artim_timer() -> None:
    with Node(Store(), QUICK) as node, raw_connection(node) as sock:
        _trickle(sock, encode(associate_rq()))
        node.join()
    assert [type(error) for error in node.errors] == [PeerTimeout]


@pytest.mark.parametrize("is_data_set", [True, False])
def test_one_byte_now_and_then_does_not_hold_a_pdu_beyond_its_deadline(is_data_set: bool) -> None:
    with Node(Store(), PATIENT) as node:
        with associated_socket(node, CT) as sock:
            _trickle(sock, data_tf(1, 1, b"x" * 60_000) if is_data_set else data_tf(1, 3, b"x" * 100))
        node.join()
    assert [type(error) for error in node.errors] == [PeerTimeout]


def test_a_stalled_peer_does_not_hold_others_back() -> None:
    with Node(Store(), Limits(artim_s=3, pdu_deadline_s=3, idle_s=3, close_wait_s=0.2)) as node:
        stalled = [associated_socket(node, CT) for _ in range(20)]
        for sock in stalled:
            sock.sendall(data_tf(1, 1, b"x" * 50)[:20])
        with associated_socket(node, VERIFICATION) as sock:
            sock.sendall(RELEASE_RQ)
            assert pdu_types(received_until_closed(sock)) == [6]
        for sock in stalled:
            sock.close()
    assert {type(error) for error in node.errors} == {ConnectionLost}


def _trickle(sock: socket.socket, data: bytes) -> None:
    """Send byte by byte until the node has enough of it."""
    try:
        for index in range(len(data)):
            sock.sendall(data[index : index + 1])
            time.sleep(0.02)
    except OSError:
        return
    raise AssertionError("the node took every byte")


def test_a_pdu_that_never_ends_costs_no_memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for header in (
        b"\1\0\xff\xff\xff\xff",
        b"\4\0\xff\xff\xff\xff",
        struct.pack(">BxLLBB", 4, 131072, 0xFFFFFFFF, 1, 0),
    ):
        with Node(Store(), QUICK) as node, raw_connection(node) as sock:
            try:
                sock.sendall(header)
                for _ in range(64):
                    sock.sendall(bytes(1_000_000))
            except OSError:
                pass
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8192


@pytest.mark.parametrize("fragment", [data_tf(1, 1, b"x" * 10_000), data_tf(1, 1, b""), data_tf(1, 0, b"x")])
def test_fragments_that_never_end_a_command_end_the_association(fragment: bytes) -> None:
    with Node(Store(), PATIENT) as node:
        with associated_socket(node, CT) as sock:
            try:
                for _ in range(500):
                    sock.sendall(fragment)
            except OSError:
                pass
        node.join()
    assert [type(error) for error in node.errors] == [ProtocolViolation]


def test_random_bytes_at_any_point_end_in_a_closed_connection() -> None:
    """Whole valid sessions with a damaged tail; the node survives all and still answers an echo."""
    chance = random.Random(20_240_501)
    session = encode(associate_rq(VERIFICATION, CT)) + data_tf(1, 3, bytes(40)) + data_tf(3, 2, bytes(90)) + RELEASE_RQ
    with Node(Store(), PATIENT) as node:
        threads = []
        for _ in range(60):
            data = bytearray(session)
            position = chance.randrange(len(data))
            if chance.random() < 0.5:
                data[position] = chance.randrange(256)
            else:
                data[position:] = chance.randbytes(chance.randrange(200))
            threads.append(threading.Thread(target=_send_and_close, args=(node, bytes(data))))
            threads[-1].start()
        for thread in threads:
            thread.join(30)
        node.join()
        assert node.finished == 60
        with associated_socket(node) as sock:
            sock.sendall(RELEASE_RQ)
            assert pdu_types(received_until_closed(sock)) == [6]


def _send_and_close(node: Node, data: bytes) -> None:
    with raw_connection(node) as sock:
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            return
        received_until_closed(sock)


def test_a_reset_between_command_and_data_set_is_a_lost_connection() -> None:
    with Node(Store()) as node:
        sock = associated_socket(node, CT)
        command = bytes.fromhex("0000000102000000010000000008020000000000")
        sock.sendall(data_tf(1, 3, command))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
    assert [type(error) for error in node.errors] == [ConnectionLost]
    assert scu.VERIFICATION == VERIFICATION
