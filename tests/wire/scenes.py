"""What the tests of the wire share: short limits, a policy, a node that answers, PDUs to send by hand."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from radfuse.core.errors import RadfuseError
from radfuse.wire import (
    Association,
    Limits,
    Message,
    ProposedContext,
    accept_association,
    status,
)
from radfuse.wire.items import ContextRequest, UserInformation
from radfuse.wire.negotiation import Acceptance, AssociationRequest, Rejection
from radfuse.wire.pdu import AssociateRQ, encode

VERIFICATION = "1.2.840.10008.1.1"
CT = "1.2.840.10008.5.1.4.1.1.2"
FIND = "1.2.840.10008.5.1.4.1.2.2.1"
MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
GET = "1.2.840.10008.5.1.4.1.2.2.3"
IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"

SHORT = Limits(artim_s=2.0, close_wait_s=0.5, pdu_deadline_s=2.0, idle_s=5.0, response_s=5.0)
CONTEXTS = [ProposedContext(uid, (IMPLICIT, EXPLICIT)) for uid in (VERIFICATION, CT, FIND, MOVE, GET)]

Handler = Callable[[Association, Message], None]


class AcceptsAll:
    """A policy that takes every context with its first transfer syntax, and every role."""

    def __init__(self) -> None:
        self.requests: list[AssociationRequest] = []

    def answer(self, request: AssociationRequest, peer_address: tuple[str, int]) -> Acceptance | Rejection:
        self.requests.append(request)
        return Acceptance({row.id: row.transfer_syntaxes[0] for row in request.contexts}, roles=request.roles)


class Collected:
    """A sink into memory that copies as the protocol demands."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, view: memoryview, /) -> None:
        self.data += view


class Node:
    """A listener on a free loopback port; one thread for each association, ``handler`` for each command.

    ``errors`` collects what ended associations, ``failures`` what must never happen.
    """

    def __init__(self, handler: Handler, limits: Limits = SHORT) -> None:
        self.policy = AcceptsAll()
        self.errors: list[RadfuseError] = []
        self.failures: list[BaseException] = []
        self.finished = 0
        self._handler = handler
        self._limits = limits
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        self._accepting = threading.Thread(target=self._accept)

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()
        self.join()
        assert not self.failures, self.failures

    def join(self) -> None:
        """Wait until every association has ended."""
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()

    def _accept(self) -> None:
        while True:
            try:
                sock, address = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(sock, address))
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket, address: tuple[str, int]) -> None:
        try:
            association = accept_association(sock, address, self.policy, self._limits)
            if association is not None:
                with association:
                    while (message := association.receive_command()) is not None:
                        self._handler(association, message)
        except RadfuseError as error:
            self.errors.append(error)
        except BaseException as error:
            self.failures.append(error)
        self.finished += 1


class Store:
    """A handler that keeps data sets in memory and answers success to everything."""

    def __init__(self) -> None:
        self.received: list[tuple[str, bytes]] = []

    def __call__(self, association: Association, message: Message) -> None:
        if message.has_data_set:
            sink = Collected()
            association.receive_data_set(sink)
            self.received.append((message.command.affected_sop_instance_uid or "", bytes(sink.data)))
        association.send(message.context_id, message.command.response(status.SUCCESS))


def associate_rq(*abstract_syntaxes: str) -> AssociateRQ:
    """A request PDU as a peer would send it."""
    contexts = tuple(
        ContextRequest(2 * index + 1, uid, (IMPLICIT,))
        for index, uid in enumerate(abstract_syntaxes or (VERIFICATION,))
    )
    return AssociateRQ(b"CALLED".ljust(16), b"CALLING".ljust(16), contexts, UserInformation(16384, "1.2.3", "TEST"))


def data_tf(context_id: int, control: int, data: bytes) -> bytes:
    """One P-DATA-TF PDU with one PDV."""
    return struct.pack(">BxLLBB", 4, len(data) + 6, len(data) + 2, context_id, control) + data


RELEASE_RQ = struct.pack(">BxL4x", 5, 4)
RELEASE_RP = struct.pack(">BxL4x", 6, 4)


def pdu_types(data: bytes | bytearray) -> list[int]:
    """The types of the whole PDUs in ``data``."""
    types = []
    while data:
        types.append(data[0])
        data = data[6 + int.from_bytes(data[2:6], "big") :]
    return types


@contextlib.contextmanager
def raw_connection(node: Node) -> Iterator[socket.socket]:
    """A plain socket to ``node``."""
    with socket.create_connection(node.address, 10) as sock:
        yield sock


def received_until_closed(sock: socket.socket) -> bytes:
    """Everything that the node sends until it closes; the socket's timeout bounds the wait."""
    data = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while chunk := sock.recv(65536):
            data += chunk
    return bytes(data)


def associated_socket(node: Node, *abstract_syntaxes: str) -> socket.socket:
    """A plain socket to ``node`` with an association on it."""
    sock = socket.create_connection(node.address, 10)
    sock.sendall(encode(associate_rq(*abstract_syntaxes)))
    header = sock.recv(6, socket.MSG_WAITALL)
    assert header[0] == 2
    sock.recv(int.from_bytes(header[2:6], "big"), socket.MSG_WAITALL)
    return sock
