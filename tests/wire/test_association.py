"""Two associations with each other, and one that meets a scripted stream."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from radfuse.core.errors import (
    AssociationAborted,
    ConnectionLost,
    PeerTimeout,
    ProtocolViolation,
    WireError,
)
from radfuse.wire import Association, CommandSet, FileSlice, Limits, Message, Operation, request_association, scu
from radfuse.wire.acceptor import negotiate
from radfuse.wire.command import encode_command
from radfuse.wire.connection import Connection
from radfuse.wire.pdu import Abort, encode
from radfuse.wire.transport import Buffer
from radfuse.wire.upper_layer import UpperLayer
from tests.fakes.streams import ScriptedStream
from tests.wire.scenes import (
    CONTEXTS,
    CT,
    RELEASE_RP,
    RELEASE_RQ,
    SHORT,
    AcceptsAll,
    Collected,
    Node,
    Store,
    associate_rq,
    data_tf,
    pdu_types,
)

ECHO = encode_command(CommandSet(Operation.C_ECHO_RQ, 1))
STORE = encode_command(CommandSet(Operation.C_STORE_RQ, 1, command_data_set_type=0))


def _scripted(*chunks: bytes | None, limits: Limits = SHORT) -> tuple[Association, ScriptedStream]:
    """An accepted association that will receive ``chunks``, and then the end."""
    stream = ScriptedStream([encode(associate_rq()), *chunks])
    machine = UpperLayer(limits, requestor=False)
    association = negotiate(Connection(stream, machine, limits), ("peer", 1), AcceptsAll(), limits)
    assert association is not None
    stream.sent.clear()
    return association, stream


def _connect(node: Node, limits: Limits = SHORT) -> Association:
    return request_association(node.address, "NODE", "TEST", CONTEXTS, limits)


def test_a_large_file_arrives_unchanged_in_memory_of_a_few_buffers(tmp_path: Path) -> None:
    content = os.urandom(3_000_001)
    path = tmp_path / "object"
    path.write_bytes(content)
    store = Store()
    with Node(store) as node, _connect(node) as association, path.open("rb") as file:
        context_id = scu.context_for(association, CT)
        answer = scu.store(association, context_id, CT, "1.2.3", FileSlice(file.fileno(), 1, 3_000_000))
        assert answer.status == 0
        assert scu.store(association, context_id, CT, "1.2.4", b"").status == 0
        assert scu.store(association, context_id, CT, "1.2.5", content).status == 0
    assert store.received == [("1.2.3", content[1:]), ("1.2.4", b""), ("1.2.5", content)]


def test_a_command_comes_whole_however_it_is_cut() -> None:
    stream = b"".join((data_tf(1, 1, ECHO[:9]), data_tf(1, 1, b""), data_tf(1, 3, ECHO[9:]), RELEASE_RQ))
    association, sent = _scripted(*(stream[index : index + 1] for index in range(len(stream))), None)
    message = association.receive_command()
    assert message is not None
    assert message.command == CommandSet(Operation.C_ECHO_RQ, 1)
    assert not message.has_data_set
    assert message.context is association.contexts[1]
    assert association.receive_command() is None
    assert pdu_types(sent.sent) == [6]
    assert sent.is_closed


def test_a_data_set_that_nobody_wants_is_discarded_before_the_next_command() -> None:
    association, _ = _scripted(data_tf(1, 3, STORE), data_tf(1, 0, b"abc"), data_tf(1, 2, b"def"), data_tf(1, 3, ECHO))
    first, second = association.receive_command(), association.receive_command()
    assert first is not None and first.has_data_set
    assert second is not None and second.command.command_field == Operation.C_ECHO_RQ


def test_after_a_sink_that_fails_the_rest_is_discarded_and_the_association_goes_on() -> None:
    class Full:
        def write(self, view: memoryview, /) -> None:
            raise OSError(28, "full")

    association, _ = _scripted(data_tf(1, 3, STORE), data_tf(1, 0, b"abc"), data_tf(1, 2, b"def"), data_tf(1, 3, ECHO))
    assert association.receive_command() is not None
    with pytest.raises(OSError, match="full"):
        association.receive_data_set(Full())
    association.discard_data_set()
    message = association.receive_command()
    assert message is not None and message.command.command_field == Operation.C_ECHO_RQ


def test_the_end_marker_may_come_in_an_empty_fragment() -> None:
    association, _ = _scripted(data_tf(1, 3, STORE), data_tf(1, 0, b"abc"), data_tf(1, 2, b""), data_tf(1, 3, ECHO))
    association.receive_command()
    sink = Collected()
    assert association.receive_data_set(sink) == 3
    assert sink.data == b"abc"
    assert association.receive_command() is not None


@pytest.mark.parametrize(
    "chunks",
    [
        [data_tf(1, 2, b"data where a command belongs")],
        [data_tf(3, 3, ECHO)],
        [data_tf(1, 3, b"no command set")],
        [data_tf(1, 1, ECHO[:8]), data_tf(3, 3, ECHO[8:])],
        [data_tf(1, 1, b"x" * 30_000)] * 3,
        [data_tf(1, 1, b"")] * 40,
        [b"GET / HTTP/1.1\r\n\r\n"],
        [b"\4\0\xff\xff\xff\xff"],
        [encode(associate_rq())],
        [RELEASE_RP],
    ],
)
def test_what_breaks_the_protocol_is_answered_with_an_abort(chunks: list[bytes]) -> None:
    association, stream = _scripted(*chunks)
    with pytest.raises(ProtocolViolation):
        association.receive_command()
    assert pdu_types(stream.sent) == [7]
    assert stream.sent[8] == 2
    assert stream.is_closed
    assert not association.is_established
    association.abort()
    association.close()
    assert pdu_types(stream.sent) == [7]


@pytest.mark.parametrize("chunk", [data_tf(1, 3, ECHO), data_tf(3, 2, b"x"), b"garbage"])
def test_what_breaks_the_protocol_within_a_data_set_is_answered_with_an_abort(chunk: bytes) -> None:
    association, stream = _scripted(data_tf(1, 3, STORE), data_tf(1, 0, b"abc"), chunk)
    association.receive_command()
    with pytest.raises(ProtocolViolation):
        association.receive_data_set(Collected())
    assert pdu_types(stream.sent) == [7]


@pytest.mark.parametrize(
    ("chunks", "error"),
    [([], ConnectionLost), ([encode(Abort(0, 0))], AssociationAborted), ([RELEASE_RQ], ConnectionLost)],
)
def test_an_end_within_a_data_set_is_an_error(chunks: list[bytes], error: type[WireError]) -> None:
    association, stream = _scripted(data_tf(1, 3, STORE), data_tf(1, 0, b"abc"), *chunks)
    association.receive_command()
    with pytest.raises(error):
        association.receive_data_set(Collected())
    assert stream.is_closed


def test_an_identifier_that_is_too_long_is_refused_with_an_abort() -> None:
    limits = Limits(identifier_bytes=5, close_wait_s=0.1)
    association, stream = _scripted(data_tf(1, 3, STORE), data_tf(1, 0, b"abc"), data_tf(1, 2, b"def"), limits=limits)
    association.receive_command()
    with pytest.raises(ProtocolViolation):
        association.receive_identifier()
    assert pdu_types(stream.sent) == [7]


def test_polling_sees_a_command_only_when_it_is_whole() -> None:
    association, _ = _scripted(None, data_tf(1, 1, ECHO[:9]), None, data_tf(1, 3, ECHO[9:]), None, RELEASE_RQ)
    assert not association.poll()
    association._connection.stream.recv_into(memoryview(bytearray(1)))
    assert not association.poll()
    association._connection.stream.recv_into(memoryview(bytearray(1)))
    assert association.poll()
    assert association.poll()
    message = association.receive_command()
    assert message is not None and message.command.command_field == Operation.C_ECHO_RQ
    assert association.receive_command() is None


def test_polling_leaves_the_data_set_of_the_command_that_it_saw() -> None:
    association, _ = _scripted(data_tf(1, 3, STORE), None, data_tf(1, 2, b"object"), RELEASE_RQ)
    assert association.poll()
    message = association.receive_command()
    assert message is not None and message.has_data_set
    assert association.receive_identifier() == b"object"
    assert association.receive_command() is None


def test_polling_sees_a_release_and_the_next_receive_tells_it() -> None:
    association, stream = _scripted(RELEASE_RQ)
    assert association.poll()
    assert association.receive_command() is None
    assert pdu_types(stream.sent) == [6]


@pytest.mark.parametrize(
    ("chunks", "error"),
    [([], ConnectionLost), ([encode(Abort(0, 0))], AssociationAborted), ([b"garbage"], ProtocolViolation)],
)
def test_polling_sees_an_end_and_the_next_receive_raises_it(chunks: list[bytes], error: type[WireError]) -> None:
    association, stream = _scripted(*chunks)
    assert association.poll()
    with pytest.raises(error):
        association.receive_command()
    assert stream.is_closed
    with pytest.raises(ConnectionLost):
        association.send(1, CommandSet(Operation.C_ECHO_RQ, 1))


def test_release_drops_data_that_still_come_and_waits_for_the_answer() -> None:
    association, stream = _scripted(data_tf(1, 3, ECHO), RELEASE_RP)
    association.release()
    assert pdu_types(stream.sent) == [5]
    assert stream.is_closed


def test_a_release_collision_ends_in_a_release_of_both() -> None:
    association, stream = _scripted(RELEASE_RQ, RELEASE_RP)
    association.release()
    assert pdu_types(stream.sent) == [5, 6]
    assert stream.is_closed


def test_two_real_peers_that_release_at_once_both_end_well() -> None:
    together = threading.Barrier(2)

    def release(association: Association, message: Message) -> None:
        association.send(message.context_id, message.command.response(0))
        together.wait(10)
        association.release()

    for _ in range(5):
        with Node(release) as node:
            association = _connect(node)
            scu.echo(association)
            together.wait(10)
            association.release()
            assert not association.is_established
        assert all(isinstance(error, ConnectionLost) for error in node.errors)


def test_silence_is_answered_with_an_abort_when_the_time_is_over() -> None:
    with Node(Store()) as node, pytest.raises(PeerTimeout):
        _connect(node).receive_command(0.2)
    assert isinstance(node.errors[0], AssociationAborted)


def test_leaving_with_an_error_aborts_and_without_releases() -> None:
    with Node(Store()) as node:
        with pytest.raises(KeyError), _connect(node):
            raise KeyError
        with _connect(node) as association:
            scu.echo(association)
    assert [type(error) for error in node.errors] == [AssociationAborted]
    assert node.finished == 2


def test_a_peer_that_is_gone_shows_when_sending() -> None:
    stream = ScriptedStream([encode(associate_rq())], breaks_after_bytes=1)
    machine = UpperLayer(SHORT, requestor=False)
    association = negotiate(Connection(stream, machine, SHORT), ("peer", 1), AcceptsAll(), SHORT)
    assert association is not None
    with pytest.raises(ConnectionLost):
        association.send(1, CommandSet(Operation.C_ECHO_RQ, 1))
    assert stream.is_closed


def test_a_sending_that_is_stopped_aborts_the_association() -> None:
    with Node(Store()) as node:
        association = _connect(node)
        context_id = scu.context_for(association, CT)
        with pytest.raises(AssociationAborted):
            scu.store(association, context_id, CT, "1.2", bytes(10_000_000), should_stop=lambda: True)
    assert [type(error) for error in node.errors] == [AssociationAborted]


class Stuck(ScriptedStream):
    """A stream whose peer has stopped reading once the association is there."""

    tries = 0

    def send_buffers(self, buffers: Sequence[Buffer]) -> None:
        if self.sent:
            self.tries += 1
            raise PeerTimeout("taking what we send", 1.0)
        super().send_buffers(buffers)


def test_a_peer_that_takes_nothing_is_not_sent_an_abort_that_would_be_waited_for_again() -> None:
    stream = Stuck([encode(associate_rq())])
    machine = UpperLayer(SHORT, requestor=False)
    association = negotiate(Connection(stream, machine, SHORT), ("peer", 1), AcceptsAll(), SHORT)
    assert association is not None
    with pytest.raises(PeerTimeout):
        association.send(1, CommandSet(Operation.C_ECHO_RQ, 1))
    assert stream.tries == 1
    assert stream.is_closed
    assert not association.is_established


def test_message_ids_stay_between_1_and_65535() -> None:
    association, _ = _scripted()
    ids = [association.next_message_id() for _ in range(65_537)]
    assert (ids[0], ids[65_534], ids[65_535]) == (1, 65_535, 1)
