"""A lean requestor on raw sockets: echo, find with the moment of each answer, get that throws objects away."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks import dimse
from benchmarks.common import BenchmarkError
from benchmarks.dimse import Stream

VERIFICATION = "1.2.840.10008.1.1"
STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_ROOT_GET = "1.2.840.10008.5.1.4.1.2.2.3"
_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an association asks for.

    ``provided`` classes are stored to us, in ``syntaxes``; the others go with Implicit VR Little Endian,
    the only syntax in which this requestor writes identifiers.
    """

    classes: Sequence[str]
    syntaxes: Sequence[str] = (dimse.IMPLICIT_LITTLE,)
    provided: Sequence[str] = ()
    max_pdu_bytes: int = 16384


class Association:
    """An open association; use it as a context manager to release it."""

    def __init__(self, port: int, called: str, calling: str, proposal: Proposal, timeout_s: float = 600.0) -> None:
        self.stream = Stream(socket.create_connection((_HOST, port), timeout=timeout_s))
        self.socket = self.stream.socket
        try:
            self.contexts = self._open(called, calling, proposal)
        except BaseException:
            self.socket.close()
            raise
        self._message_id = 0

    def _open(self, called: str, calling: str, proposal: Proposal) -> dict[str, int]:
        body = dimse.titles(called, calling) + dimse.item(0x10, dimse.APPLICATION_CONTEXT.encode())
        syntaxes = b"".join(dimse.item(0x40, uid.encode()) for uid in proposal.syntaxes)
        implicit = dimse.item(0x40, dimse.IMPLICIT_LITTLE.encode())
        for index, uid in enumerate(proposal.classes):
            head = struct.pack(">B3x", 2 * index + 1) + dimse.item(0x30, uid.encode())
            body += dimse.item(0x20, head + (syntaxes if uid in proposal.provided else implicit))
        roles = [_role(uid) for uid in proposal.provided]
        body += dimse.user_information(proposal.max_pdu_bytes, *roles)
        self.socket.sendall(dimse.pdu(dimse.ASSOCIATE_RQ, body))
        kind, answer = self.stream.pdu()
        if kind != dimse.ASSOCIATE_AC:
            raise BenchmarkError(f"association refused by PDU {kind}")
        accepted = [content for tag, content in dimse.items(bytes(answer[68:])) if tag == 0x21 and content[2] == 0]
        return {proposal.classes[content[0] // 2]: content[0] for content in accepted}

    def __enter__(self) -> Association:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.socket.sendall(dimse.pdu(dimse.RELEASE_RQ, bytes(4)))
            self.stream.pdu()
        except (OSError, EOFError):
            pass
        finally:
            self.socket.close()

    def request(self, sop_class: str, field: int, keys: Mapping[int, str] | None = None) -> None:
        """Send a request with an identifier, or without one (echo)."""
        self._message_id = self._message_id % 65535 + 1
        values: dict[int, int | str | bytes] = {
            dimse.AFFECTED_SOP_CLASS: sop_class,
            dimse.COMMAND_FIELD: field,
            dimse.MESSAGE_ID: self._message_id,
            dimse.DATA_SET_TYPE: dimse.NO_DATA_SET if keys is None else 0x0001,
        }
        if keys is not None:
            values[dimse.PRIORITY] = 0
        data_set = dimse.identifier(keys) if keys is not None else b""
        self.socket.sendall(dimse.message(self.contexts[sop_class], dimse.command_set(values), data_set))

    def echo(self) -> float:
        """Seconds until a C-ECHO is answered."""
        begin = time.perf_counter()
        self.request(VERIFICATION, dimse.C_ECHO_RQ)
        answer = next(self.stream.messages(keep_data=False))
        if answer.number(dimse.STATUS):
            raise BenchmarkError(f"echo answered {answer.number(dimse.STATUS):04X}")
        return time.perf_counter() - begin

    def find(self, keys: Mapping[int, str]) -> Found:
        """Send a Study Root C-FIND, read all answers, note when the first and the last came."""
        begin = time.perf_counter()
        self.request(STUDY_ROOT_FIND, dimse.C_FIND_RQ, keys)
        answers, first_s = 0, 0.0
        for answer in self.stream.messages(keep_data=False):
            first_s = first_s or time.perf_counter() - begin
            status = answer.number(dimse.STATUS)
            if status not in dimse.PENDING:
                if status:
                    raise BenchmarkError(f"find answered {status:04X}")
                break
            answers += 1
        return Found(answers, first_s, time.perf_counter() - begin)

    def get(self, keys: Mapping[int, str]) -> int:
        """Send a Study Root C-GET, accept and forget every object; how many came."""
        self.request(STUDY_ROOT_GET, dimse.C_GET_RQ, keys)
        received = 0
        for answer in self.stream.messages(keep_data=False):
            if answer.number(dimse.COMMAND_FIELD) == dimse.C_STORE_RQ:
                self.socket.sendall(dimse.store_answer(answer))
                received += 1
            elif answer.number(dimse.STATUS) not in dimse.PENDING:
                if answer.number(dimse.STATUS):
                    raise BenchmarkError(f"get answered {answer.number(dimse.STATUS):04X}")
                break
        return received


@dataclass(frozen=True, slots=True)
class Found:
    """How many matches, and the seconds to the first answer (or to the end, if none) and to the end."""

    answers: int
    first_s: float
    all_s: float


def _role(uid: str) -> bytes:
    """SCP/SCU role selection: not SCU, but SCP (PS3.7 D.3.3.4)."""
    raw = uid.encode()
    return dimse.item(0x54, struct.pack(">H", len(raw)) + raw + b"\0\1")


def reachable(port: int, called: str, calling: str) -> bool:
    """Whether somebody answers a C-ECHO there."""
    try:
        with Association(port, called, calling, Proposal([VERIFICATION]), timeout_s=5.0) as association:
            association.echo()
    except (OSError, EOFError, BenchmarkError, KeyError):
        return False
    return True
