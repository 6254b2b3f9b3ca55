"""The protocol machine without a network: two of them talk, and one meets what it should not."""

from __future__ import annotations

import pytest

from radfuse.core.errors import ConnectionLost, ProtocolViolation
from radfuse.wire.framing import Fragment
from radfuse.wire.fsm import State
from radfuse.wire.items import ContextAnswer, UserInformation
from radfuse.wire.limits import Limits
from radfuse.wire.pdu import Abort, AssociateAC, AssociateRJ, AssociateRQ, ReleaseRP, ReleaseRQ, encode
from radfuse.wire.upper_layer import Effect, ProviderAbort, Received, Send, Task, UpperLayer
from tests.wire.scenes import IMPLICIT, RELEASE_RP, RELEASE_RQ, associate_rq, data_tf

REQUEST = associate_rq()
ANSWER = AssociateAC(REQUEST.called_raw, REQUEST.calling_raw, (ContextAnswer(1, 0, IMPLICIT),), UserInformation(16384))


def _feed(machine: UpperLayer, data: bytes) -> list[Effect]:
    machine.space()[: len(data)] = data
    machine.received(len(data))
    return _effects(machine)


def _effects(machine: UpperLayer) -> list[Effect]:
    found = []
    while (effect := machine.next_effect()) is not None:
        found.append(effect)
    return found


def _requestor() -> UpperLayer:
    machine = UpperLayer(Limits(), requestor=True)
    machine.request()
    assert _effects(machine) == [Task.OPEN_TRANSPORT]
    machine.transport_connected(REQUEST)
    assert _effects(machine) == [Send(encode(REQUEST))]
    return machine


def _acceptor() -> UpperLayer:
    machine = UpperLayer(Limits(), requestor=False)
    machine.transport_accepted()
    assert _effects(machine) == [Task.START_ARTIM]
    return machine


def _established(requestor: bool) -> UpperLayer:
    if requestor:
        machine = _requestor()
        assert _feed(machine, encode(ANSWER)) == [Received(ANSWER)]
    else:
        machine = _acceptor()
        assert _feed(machine, encode(REQUEST)) == [Task.STOP_ARTIM, Received(REQUEST)]
        machine.accept(ANSWER)
        assert _effects(machine) == [Send(encode(ANSWER))]
    assert machine.state is State.ESTABLISHED
    return machine


def test_a_rejection_ends_both_sides() -> None:
    rejection = AssociateRJ(1, 1, 7)
    acceptor = _acceptor()
    _feed(acceptor, encode(REQUEST))
    acceptor.reject(rejection)
    assert _effects(acceptor) == [Send(encode(rejection)), Task.START_ARTIM]
    assert acceptor.state is State.AWAITING_TRANSPORT_CLOSE
    requestor = _requestor()
    assert _feed(requestor, encode(rejection)) == [Received(rejection), Task.CLOSE]
    assert requestor.state is State.IDLE


def test_data_are_delivered_as_fragments() -> None:
    machine = _established(requestor=False)
    effects = _feed(machine, data_tf(1, 3, b"abc"))
    assert effects == [Fragment(1, 3, memoryview(b"abc"), True)]
    machine.check_may_send_data()


@pytest.mark.parametrize("requestor", [True, False])
def test_a_release_is_asked_for_and_confirmed(requestor: bool) -> None:
    machine = _established(requestor)
    machine.release()
    assert _effects(machine) == [Send(RELEASE_RQ)]
    assert isinstance(_feed(machine, data_tf(1, 2, b"late"))[0], Fragment)
    assert _feed(machine, RELEASE_RP) == [Received(ReleaseRP()), Task.CLOSE]
    assert machine.state is State.IDLE


def test_a_release_by_the_peer_is_indicated_and_answered() -> None:
    machine = _established(requestor=False)
    assert _feed(machine, RELEASE_RQ) == [Received(ReleaseRQ())]
    machine.check_may_send_data()
    machine.respond_release()
    assert _effects(machine) == [Send(RELEASE_RP), Task.START_ARTIM]
    machine.transport_closed()
    assert _effects(machine) == [Task.STOP_ARTIM]
    assert machine.state is State.IDLE


def test_a_release_collision_is_resolved_by_the_requestor_answering_first() -> None:
    requestor, acceptor = _established(requestor=True), _established(requestor=False)
    requestor.release()
    acceptor.release()
    assert _effects(requestor) == _effects(acceptor) == [Send(RELEASE_RQ)]
    assert _feed(requestor, RELEASE_RQ) == _feed(acceptor, RELEASE_RQ) == [Received(ReleaseRQ())]
    requestor.respond_release()
    assert _effects(requestor) == [Send(RELEASE_RP)]
    assert _feed(acceptor, RELEASE_RP) == [Received(ReleaseRP())]
    acceptor.respond_release()
    assert _effects(acceptor) == [Send(RELEASE_RP), Task.START_ARTIM]
    assert _feed(requestor, RELEASE_RP) == [Received(ReleaseRP()), Task.CLOSE]
    assert requestor.state is State.IDLE
    assert acceptor.state is State.AWAITING_TRANSPORT_CLOSE


def test_an_abort_by_the_peer_is_indicated_and_closes() -> None:
    machine = _established(requestor=False)
    assert _feed(machine, encode(Abort(2, 1))) == [Received(Abort(2, 1)), Task.CLOSE]
    assert machine.state is State.IDLE


def test_our_own_abort_waits_for_the_peer_to_close_and_no_longer_than_the_timer() -> None:
    machine = _established(requestor=True)
    machine.abort()
    assert _effects(machine) == [Send(encode(Abort(0, 0))), Task.START_ARTIM]
    assert _feed(machine, data_tf(1, 2, b"late")) == []
    machine.artim_expired()
    assert _effects(machine) == [Task.STOP_ARTIM, Task.CLOSE]
    assert machine.state is State.IDLE


def test_a_closed_connection_is_a_provider_abort() -> None:
    machine = _established(requestor=True)
    machine.transport_closed()
    assert _effects(machine) == [ProviderAbort(None)]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (encode(REQUEST), 2),
        (encode(ANSWER), 2),
        (RELEASE_RP, 2),
        (b"GET / HTTP/1.1\r\n\r\n", 1),
        (bytes.fromhex("040000000006000000010100"), 6),
    ],
)
def test_what_must_not_come_is_answered_with_an_abort_that_says_so(data: bytes, reason: int) -> None:
    machine = _established(requestor=False)
    send, abort, timer = _feed(machine, data)
    assert send == Send(encode(Abort(2, reason)))
    assert isinstance(abort, ProviderAbort)
    assert isinstance(abort.violation, ProtocolViolation)
    assert timer is Task.START_ARTIM
    assert machine.state is State.AWAITING_TRANSPORT_CLOSE


def test_data_before_an_association_are_answered_with_an_abort() -> None:
    machine = _acceptor()
    assert _feed(machine, data_tf(1, 3, b"abc")) == [Send(encode(Abort(0, 0))), Task.START_ARTIM]
    assert machine.violation is not None


def test_after_a_violation_nothing_is_read_any_more() -> None:
    machine = _established(requestor=False)
    machine.violated(ProtocolViolation("a test", 6))
    assert _effects(machine)[0] == Send(encode(Abort(2, 6)))
    assert _feed(machine, encode(REQUEST) * 3 + b"garbage") == []


def test_local_primitives_out_of_place_are_refused() -> None:
    machine = UpperLayer(Limits(), requestor=True)
    for primitive in (machine.release, machine.abort, machine.respond_release, machine.check_may_send_data):
        with pytest.raises(ConnectionLost):
            primitive()
    machine.artim_expired()
    assert _effects(machine) == []


def test_a_request_that_cannot_be_read_is_answered_with_an_abort() -> None:
    machine = _acceptor()
    damaged = bytearray(encode(REQUEST))
    damaged[80] = 0xFF
    assert _feed(machine, bytes(damaged)) == [Send(encode(Abort(0, 0))), Task.START_ARTIM]
    assert isinstance(machine.violation, ProtocolViolation)
    assert isinstance(REQUEST, AssociateRQ)
