"""Messages into PDUs: sizes, ends, sources, and a data set that stops in the middle."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radfuse.core.errors import MalformedDataSet
from radfuse.wire.limits import Limits
from radfuse.wire.pdu import DataTF, PresentationDataValue, decode
from radfuse.wire.sending import DataSource, FileSlice, MessageSender, Stopped
from tests.fakes.streams import ScriptedStream

LIMITS = Limits(send_buffer_bytes=1000, send_pdu_bytes=300)


def _values(sent: bytes) -> list[PresentationDataValue]:
    found: list[PresentationDataValue] = []
    while sent:
        end = 6 + int.from_bytes(sent[2:6], "big")
        pdu = decode(sent[0], sent[6:end])
        assert isinstance(pdu, DataTF)
        found += pdu.values
        sent = sent[end:]
    return found


def _joined(values: list[PresentationDataValue], is_command: bool) -> bytes:
    part = [value for value in values if value.is_command is is_command]
    assert [value.is_last for value in part] == [False] * (len(part) - 1) + [True] * bool(part)
    return b"".join(value.data for value in part)


@settings(deadline=None, max_examples=100)
@given(st.binary(min_size=2, max_size=600), st.none() | st.binary(max_size=3000), st.integers(8, 700) | st.just(0))
def test_a_message_is_whole_and_no_pdu_is_longer_than_the_peer_takes(
    command: bytes, data: bytes | None, peer_max: int
) -> None:
    stream = ScriptedStream()
    MessageSender(stream, peer_max, LIMITS).send(5, command, data, None)
    sent = bytes(stream.sent)
    values = _values(sent)
    assert _joined(values, True) == command
    assert _joined(values, False) == (data or b"")
    assert (data is None) == all(value.is_command for value in values)
    assert all(len(value.data) + 6 <= min(peer_max or 300, 300) for value in values)
    assert {value.context_id for value in values} == {5}
    assert values.index(next(v for v in values if v.is_command and v.is_last)) == sum(v.is_command for v in values) - 1


@pytest.mark.parametrize("length", [0, 1, 293, 294, 295, 882, 883, 1764, 5000])
def test_a_slice_of_a_file_is_sent_unchanged(tmp_path: Path, length: int) -> None:
    content = os.urandom(6000)
    path = tmp_path / "object"
    path.write_bytes(content)
    stream = ScriptedStream()
    with path.open("rb") as file:
        MessageSender(stream, 0, LIMITS).send(1, b"cc", FileSlice(file.fileno(), 700, length), None)
    assert _joined(_values(bytes(stream.sent)), False) == content[700 : 700 + length]


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_any_bytes_can_be_the_data_set(wrap: type) -> None:
    stream = ScriptedStream()
    data: DataSource = wrap(b"x" * 5000)
    MessageSender(stream, 0, LIMITS).send(1, b"cc", data, None)
    assert _joined(_values(bytes(stream.sent)), False) == b"x" * 5000


def test_a_small_message_leaves_in_one_piece() -> None:
    stream = ScriptedStream()
    sender = MessageSender(stream, 16384, Limits())
    sender.send(1, b"c" * 100, None, None)
    assert stream.sends == 1
    sender.send(1, b"c" * 100, b"d" * 9000, None)
    assert stream.sends == 2


def test_a_file_that_is_too_short_ends_the_sending(tmp_path: Path) -> None:
    path = tmp_path / "object"
    path.write_bytes(b"x" * 100)
    with path.open("rb") as file, pytest.raises(MalformedDataSet, match="byte 50"):
        MessageSender(ScriptedStream(), 0, LIMITS).send(1, b"cc", FileSlice(file.fileno(), 50, 51), None)


def test_sending_stops_between_batches_when_asked_to() -> None:
    stream = ScriptedStream()
    asked: list[int] = []

    def should_stop() -> bool:
        asked.append(stream.sends)
        return stream.sends == 2

    with pytest.raises(Stopped):
        MessageSender(stream, 0, LIMITS).send(1, b"cc", b"x" * 100_000, should_stop)
    assert asked == [0, 1, 2]
