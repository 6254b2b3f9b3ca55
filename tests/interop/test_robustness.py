"""Garbage, stalled peers, many associations at once: others are served, nothing grows."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from radfuse.core.errors import WireError
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE, IMPLICIT_LITTLE
from radfuse.wire import CommandSet, Operation, ProposedContext, scu
from radfuse.wire.command import encode_command
from radfuse.wire.pdu import encode
from tests.interop.client import (
    VERIFICATION,
    Sent,
    associate,
    find,
    identifier,
    log_of,
    raw_socket,
    resident_bytes,
    sent_dataset,
    spooled_files,
    store,
    store_all,
    stored_files,
    threads_of,
    wait_until,
)
from tests.support.generate import CT_IMAGE, base_instance
from tests.support.servers import RunningNode
from tests.wire.scenes import associate_rq, data_tf, received_until_closed

SETTINGS = "[limits]\nartim_s = 1.0\npdu_s = 1.0\nidle_s = 20.0\n"
MAX_GROWTH_BYTES = 8 << 20

CT_CONTEXT = [ProposedContext(CT_IMAGE, (EXPLICIT_LITTLE,))]


def an_object(series: int, number: int, study: str = "2.25.300") -> Sent:
    ds = base_instance(CT_IMAGE, "CT", 1, 1)
    ds.StudyInstanceUID, ds.SeriesInstanceUID = study, f"{study}.{series}"
    ds.SOPInstanceUID = f"{study}.{series}.{number}"
    ds.PatientID = study
    return sent_dataset(ds)


def echoes(node: RunningNode) -> bool:
    with associate(node, [ProposedContext(VERIFICATION, (IMPLICIT_LITTLE,))]) as association:
        return scu.echo(association) == 0


@pytest.fixture(autouse=True)
def _is_served_afterwards(node: RunningNode) -> None:
    assert echoes(node)


@contextlib.contextmanager
def associated(node: RunningNode, *classes: str):  # type: ignore[no-untyped-def]
    """A plain socket with an association on it."""
    from dataclasses import replace

    with raw_socket(node) as sock:
        sock.sendall(encode(replace(associate_rq(*classes), called_raw=node.ae_title.encode().ljust(16))))
        header = sock.recv(6, socket.MSG_WAITALL)
        assert header[0] == 2
        sock.recv(int.from_bytes(header[2:6], "big"), socket.MSG_WAITALL)
        yield sock


def store_command(uid: str = "1.2.3") -> bytes:
    command = CommandSet(
        Operation.C_STORE_RQ, 1, affected_sop_class_uid=CT_IMAGE, affected_sop_instance_uid=uid, priority=0
    )
    command.command_data_set_type = 1
    return encode_command(command)


GARBAGE = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "TLS": bytes.fromhex("1603010200010001fc0303") + bytes(range(200)),
    "random": bytes((number * 97 + 13) % 256 for number in range(4096)),
    "zeros": bytes(4096),
    "endless header": b"\x01\x00\xff\xff\xff\xff" + bytes(65536),
    "data first": b"\x04\x00" + struct.pack(">L", 100) + bytes(100),
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_is_answered_by_closing(node: RunningNode, kind: str) -> None:
    before = resident_bytes(node)
    for _ in range(5):
        with raw_socket(node) as sock:
            with contextlib.suppress(OSError):
                sock.sendall(GARBAGE[kind])
            received_until_closed(sock)
    assert echoes(node)
    assert resident_bytes(node) - before < MAX_GROWTH_BYTES
    assert "Traceback" not in log_of(node)


def test_a_pdu_of_4_gb_on_an_association_is_cut_off(node: RunningNode) -> None:
    before = resident_bytes(node)
    with associated(node, CT_IMAGE) as sock:
        with contextlib.suppress(OSError):
            sock.sendall(b"\x04\x00\xff\xff\xff\xff")
            for _ in range(200):
                sock.sendall(bytes(1 << 20))
        received_until_closed(sock)
    assert resident_bytes(node) - before < MAX_GROWTH_BYTES


@pytest.mark.parametrize(
    "stall", [b"", b"\x01\x00", b"\xff\xff\xff\xff\xff\xff", b"\x01\x00\x00\x00\x01\x00" + bytes(10)]
)
def test_silence_before_the_association_is_ended_by_the_deadline(node: RunningNode, stall: bytes) -> None:
    with raw_socket(node) as sock:
        sock.sendall(stall)
        assert echoes(node)
        received_until_closed(sock)


def test_one_byte_now_and_then_does_not_hold_the_deadline_up(node: RunningNode) -> None:
    stop = threading.Event()
    with raw_socket(node) as sock:

        def drip() -> None:
            for value in encode(associate_rq()):
                if stop.wait(0.1):
                    return
                with contextlib.suppress(OSError):
                    sock.send(bytes((value,)))

        thread = threading.Thread(target=drip)
        thread.start()
        received_until_closed(sock)
        stop.set()
        thread.join()


def _never_last(sock: socket.socket) -> None:
    for _ in range(200):
        sock.sendall(data_tf(1, 1, bytes(1 << 14)))


def _empty_fragments(sock: socket.socket) -> None:
    sock.sendall(data_tf(1, 3, store_command()))
    for _ in range(100_000):
        sock.sendall(data_tf(1, 0, b""))


def _data_without_a_command(sock: socket.socket) -> None:
    sock.sendall(data_tf(1, 2, bytes(100)))


def _other_context(sock: socket.socket) -> None:
    sock.sendall(data_tf(99, 3, store_command()))


def _broken_command(sock: socket.socket) -> None:
    sock.sendall(data_tf(1, 3, b"\xff" * 100))


@pytest.mark.parametrize(
    "attack", [_never_last, _empty_fragments, _data_without_a_command, _other_context, _broken_command]
)
def test_broken_messages_end_in_an_abort(node: RunningNode, attack: Callable[[socket.socket], None]) -> None:
    before = resident_bytes(node)
    with associated(node, CT_IMAGE) as sock:
        with contextlib.suppress(OSError):
            attack(sock)
        answer = received_until_closed(sock)
    assert answer == b"" or answer[0] == 7
    wait_until(lambda: spooled_files(node) == [], "a file was left")
    assert resident_bytes(node) - before < MAX_GROWTH_BYTES


@pytest.mark.parametrize("how", ["abort", "close", "reset"])
def test_an_association_that_ends_within_an_object_keeps_what_was_whole(node: RunningNode, how: str) -> None:
    study = f"2.25.31{len(how)}"
    large = bytes(3 << 20)
    with associated(node, CT_IMAGE) as sock:
        plain = an_object(1, 1, study)
        sock.sendall(data_tf(1, 3, store_command(plain.sop_instance_uid)))
        # The context is implicit little endian: made so by hand.
        import pydicom

        from tests.interop.client import decoded, encoded

        implicit = encoded(decoded(plain.data), IMPLICIT_LITTLE)
        assert isinstance(implicit, bytes) and pydicom
        sock.sendall(data_tf(1, 2, implicit))
        header = sock.recv(6, socket.MSG_WAITALL)
        assert b"\x00\x00\x00\x09\x02\x00\x00\x00\x00\x00" in sock.recv(int.from_bytes(header[2:], "big"))
        sock.sendall(data_tf(1, 3, store_command(f"{study}.1.2")))
        for start in range(0, len(large), 1 << 16):
            sock.sendall(data_tf(1, 0, large[start : start + (1 << 16)]))
        if how == "abort":
            sock.sendall(struct.pack(">BxLxxBB", 7, 4, 0, 0))
        elif how == "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wait_until(lambda: spooled_files(node) == [], "a partial object was left")
    found = find(node, identifier("STUDY", StudyInstanceUID=study, NumberOfStudyRelatedInstances=""))
    assert [ds.NumberOfStudyRelatedInstances for ds in found] == [1]


def test_connections_that_never_speak_cost_one_line_a_minute(node: RunningNode) -> None:
    before, threads = resident_bytes(node), threads_of(node)
    for _ in range(200):
        raw_socket(node).close()
    assert echoes(node)
    wait_until(lambda: threads_of(node) <= threads, "a thread was left")
    assert resident_bytes(node) - before < MAX_GROWTH_BYTES
    lines = [json.loads(line) for line in log_of(node).splitlines()]
    assert sum(line["event"].startswith("connections without") for line in lines) <= 2


def test_sixteen_associations_make_one_study_of_its_first_objects(node: RunningNode) -> None:
    study, count = "2.25.320", 16
    start = threading.Barrier(count)

    def send(number: int) -> int:
        with associate(node, CT_CONTEXT) as association:
            start.wait(20)
            return store(association, an_object(number % 4, number, study))

    with ThreadPoolExecutor(count) as pool:
        assert list(pool.map(send, range(count))) == [0] * count
    wanted = identifier("STUDY", StudyInstanceUID=study)
    wanted.NumberOfStudyRelatedSeries = wanted.NumberOfStudyRelatedInstances = ""
    (found,) = find(node, wanted)
    assert (found.NumberOfStudyRelatedSeries, found.NumberOfStudyRelatedInstances) == (4, count)
    series = find(node, identifier("SERIES", StudyInstanceUID=study, NumberOfSeriesRelatedInstances=""))
    assert [ds.NumberOfSeriesRelatedInstances for ds in series] == [4] * 4


def test_one_instance_from_eight_associations_is_one_file(node: RunningNode) -> None:
    count, one = 8, an_object(1, 1, "2.25.330")
    start = threading.Barrier(count)

    def send(_number: int) -> list[int]:
        with associate(node, CT_CONTEXT) as association:
            start.wait(20)
            return [store(association, one) for _ in range(3)]

    with ThreadPoolExecutor(count) as pool:
        assert list(pool.map(send, range(count))) == [[0] * 3] * count
    assert sum(path.read_bytes().endswith(one.data) for path in stored_files(node)) <= 1
    wait_until(
        lambda: sum(path.read_bytes().endswith(one.data) for path in stored_files(node)) == 1, "no file of the object"
    )


@pytest.mark.slow
def test_two_hundred_associations_of_which_half_stall_within_a_pdu(node: RunningNode) -> None:
    stalled, working, each = 100, 100, 3
    before, threads = resident_bytes(node), threads_of(node)
    with contextlib.ExitStack() as stack:
        for _ in range(stalled):
            sock = stack.enter_context(associated(node, CT_IMAGE))
            sock.sendall(data_tf(1, 3, store_command())[:20])
        associations = [stack.enter_context(associate(node, CT_CONTEXT)) for _ in range(working)]

        def send(number: int) -> list[int]:
            objects = [an_object(number, each_number, "2.25.340") for each_number in range(each)]
            return [store(associations[number], one) for one in objects]

        with ThreadPoolExecutor(working) as pool:
            assert list(pool.map(send, range(working))) == [[0] * each] * working
        # A thread and its buffers for each association; nothing of it may stay afterwards.
        assert resident_bytes(node) - before < 200 * (1 << 20)
    wait_until(lambda: threads_of(node) <= threads, "a thread was left")
    (found,) = find(node, identifier("STUDY", StudyInstanceUID="2.25.340", NumberOfStudyRelatedInstances=""))
    assert found.NumberOfStudyRelatedInstances == working * each


def test_a_stalled_peer_is_aborted_by_the_deadline(node: RunningNode) -> None:
    with associated(node, CT_IMAGE) as sock:
        sock.sendall(data_tf(1, 3, store_command())[:20])
        assert received_until_closed(sock)[:1] == b"\x07"


def test_a_second_operation_within_the_first_is_a_violation(node: RunningNode) -> None:
    store_all(node, [an_object(1, number, "2.25.350") for number in range(30)])
    find_class = "1.2.840.10008.5.1.4.1.2.2.1"
    with associate(node, [ProposedContext(find_class, (EXPLICIT_LITTLE,))]) as association:
        from tests.interop.client import encoded

        context_id = scu.context_for(association, find_class)
        wanted = encoded(identifier("IMAGE", StudyInstanceUID="2.25.350", SeriesInstanceUID="2.25.350.1"))
        for number in (1, 2):
            command = CommandSet(Operation.C_FIND_RQ, number, affected_sop_class_uid=find_class, priority=0)
            association.send(context_id, command, wanted)
        with contextlib.suppress(WireError):
            while association.receive_command(10.0) is not None:
                pass
    assert echoes(node)
