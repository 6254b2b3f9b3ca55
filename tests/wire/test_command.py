"""Command sets against PS3.7 Annex E as pydicom and pynetdicom know it."""

from __future__ import annotations

import contextlib
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.datadict import dictionary_VR
from pydicom.tag import Tag
from pynetdicom.dsutils import decode, encode

from radfuse.core.errors import ProtocolViolation
from radfuse.wire.command import COMMAND_ELEMENTS, CommandSet, Operation, decode_command, encode_command


def _command(values: dict[str, Any]) -> CommandSet:
    return CommandSet(**values)


numbers = st.integers(0, 65535)
tags = st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=4).map(tuple)
uids = st.lists(st.integers(0, 9999).map(str), min_size=1, max_size=10).map(".".join)
texts = st.text("ABCDEFGHIJ klm", min_size=1, max_size=16).map(str.strip).filter(bool)
VALUES: dict[str, st.SearchStrategy[Any]] = {"US": numbers, "AT": tags, "UI": uids, "AE": texts, "LO": texts}

commands: st.SearchStrategy[CommandSet] = st.fixed_dictionaries(
    {"command_field": numbers, "command_data_set_type": numbers},
    optional={
        row.field: VALUES[row.vr]
        for row in COMMAND_ELEMENTS
        if row.field not in ("command_field", "command_data_set_type")
    },
).map(_command)


def _plain(value: Any) -> Any:
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        return str(value)
    return tuple(int(item) for item in value)


def _as_pydicom(command: CommandSet) -> Dataset:
    ds = Dataset()
    for row in COMMAND_ELEMENTS:
        value = getattr(command, row.field)
        if value is not None:
            ds.add_new(Tag(0, row.element), row.vr, list(value) if row.vr == "AT" else value)
    return ds


@settings(deadline=None, max_examples=60)
@given(commands)
def test_what_pynetdicom_encodes_is_decoded_to_the_same_values(command: CommandSet) -> None:
    data = encode(_as_pydicom(command), True, True)
    assert data is not None
    assert decode_command(data) == command


@settings(deadline=None, max_examples=60)
@given(commands)
def test_what_we_encode_is_decoded_by_pydicom_to_the_same_values(command: CommandSet) -> None:
    data = encode_command(command)
    ds = decode(BytesIO(data), True, True)
    assert ds[0, 0].value == len(data) - 12
    for row in COMMAND_ELEMENTS:
        value = getattr(command, row.field)
        if value is None:
            assert Tag(0, row.element) not in ds
        else:
            found = ds[0, row.element].value
            assert _plain([found] if row.vr == "AT" and len(value) == 1 else found) == value


def test_every_row_of_the_table_has_the_vr_of_the_dictionary_and_ascends() -> None:
    for row in COMMAND_ELEMENTS:
        assert dictionary_VR(Tag(0, row.element)) == row.vr
    assert [row.element for row in COMMAND_ELEMENTS] == sorted(row.element for row in COMMAND_ELEMENTS)
    assert {row.field for row in COMMAND_ELEMENTS} == set(CommandSet.__dataclass_fields__)


def test_every_operation_has_its_response() -> None:
    requests = [operation for operation in Operation if not operation & 0x8000]
    for operation in requests:
        assert operation == Operation.C_CANCEL_RQ or Operation(operation | 0x8000)


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_command_set_or_a_protocol_violation(data: bytes) -> None:
    with contextlib.suppress(ProtocolViolation):
        decode_command(data)


@settings(deadline=None, max_examples=100)
@given(commands, st.data())
def test_a_damaged_command_set_is_a_command_set_or_a_protocol_violation(
    command: CommandSet, data: st.DataObject
) -> None:
    encoded = bytearray(encode_command(command))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    for damaged in (bytes(encoded), bytes(encoded[: data.draw(st.integers(0, len(encoded)))])):
        with contextlib.suppress(ProtocolViolation):
            decode_command(damaged)


def test_retired_elements_are_ignored_and_zero_length_ones_are_absent() -> None:
    echo = encode_command(CommandSet(Operation.C_ECHO_RQ, 7))
    retired = bytes.fromhex("0000 5051 02000000 0100")
    empty = bytes.fromhex("0000 2001 00000000")
    assert decode_command(echo + retired + empty) == CommandSet(Operation.C_ECHO_RQ, 7)


@pytest.mark.parametrize(
    "data",
    ["", "0000000004000000", "0800 0001 02000000 3000", "0000 0001 02000000 30", "0000 0001 03000000 300000"],
)
def test_a_command_set_without_a_readable_command_field_is_malformed(data: str) -> None:
    with pytest.raises(ProtocolViolation):
        decode_command(bytes.fromhex(data))


def test_a_response_repeats_what_its_request_was_about() -> None:
    request = CommandSet(Operation.C_STORE_RQ, 9, affected_sop_class_uid="1.2", affected_sop_instance_uid="1.2.3")
    assert request.response(0xA700, "x" * 99) == CommandSet(
        Operation.C_STORE_RSP,
        message_id_being_responded_to=9,
        affected_sop_class_uid="1.2",
        affected_sop_instance_uid="1.2.3",
        status=0xA700,
        error_comment="x" * 64,
    )
    assert request.is_request
    assert not request.response(0).is_request


def test_the_response_to_an_action_names_the_requested_instance_as_affected() -> None:
    request = CommandSet(
        Operation.N_ACTION_RQ, 3, requested_sop_class_uid="1.2", requested_sop_instance_uid="1.3", action_type_id=1
    )
    response = request.response(0)
    assert (response.affected_sop_class_uid, response.affected_sop_instance_uid) == ("1.2", "1.3")
    assert response.action_type_id == 1


def test_counters_beyond_their_two_bytes_say_the_most_they_can() -> None:
    command = CommandSet(Operation.C_MOVE_RSP, status=0xFF00, number_of_remaining_suboperations=1_000_000)
    assert decode_command(encode_command(command)).number_of_remaining_suboperations == 0xFFFF
