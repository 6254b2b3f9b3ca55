"""A lean C-STORE sink: accepts every class, reads every object, keeps nothing, counts.

``python -m benchmarks.sink --port P [--max-pdu BYTES] [--tls FOLDER]`` serves until SIGTERM, then prints the count.
It is what all contestants send to, so that only the sending side is measured.
"""

from __future__ import annotations

import argparse
import signal
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import cast

from benchmarks import dimse
from benchmarks.dimse import Stream

_objects = count()


def accept_answer(request: bytes, max_pdu_bytes: int) -> bytes:
    """The A-ASSOCIATE-AC that accepts every context, Explicit VR Little Endian if it is among its syntaxes."""
    contexts = b"".join(_accepted(content) for kind, content in dimse.items(request[68:]) if kind == 0x20)
    body = request[:68] + dimse.item(0x10, dimse.APPLICATION_CONTEXT.encode()) + contexts
    return dimse.pdu(dimse.ASSOCIATE_AC, body + dimse.user_information(max_pdu_bytes))


def _accepted(context: bytes) -> bytes:
    syntaxes = [content for kind, content in dimse.items(context[4:]) if kind == 0x40]
    explicit = dimse.EXPLICIT_LITTLE.encode()
    chosen = explicit if explicit in syntaxes else syntaxes[0]
    return dimse.item(0x21, struct.pack(">B3x", context[0]) + dimse.item(0x40, chosen))


def tls_context(folder: Path) -> ssl.SSLContext:
    """TLS with the certificate in ``folder`` (node.pem, node.key), for peers with one of its authority (ca.pem)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "node.pem", folder / "node.key")
    context.load_verify_locations(folder / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


class TlsConnection:
    """As much of a socket as Stream needs, with few system calls: a sink must be faster than whoever sends."""

    def __init__(self, connection: socket.socket, context: ssl.SSLContext) -> None:
        self._socket = connection
        self._received = memoryview(bytearray(1 << 20))
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.setsockopt = connection.setsockopt
        self._until_done(self._tls.do_handshake)

    def _until_done(self, step: Callable[[], object]) -> None:
        while True:
            try:
                step()
            except ssl.SSLWantReadError:
                self._flush()
                self._receive()
            else:
                return self._flush()

    def _receive(self) -> None:
        count = self._socket.recv_into(self._received)
        if not count:
            raise EOFError("the peer closed the connection")
        self._incoming.write(self._received[:count])

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._socket.sendall(self._outgoing.read())

    def recv_into(self, view: memoryview) -> int:
        """What is there, decrypted."""
        total = 0
        while True:
            try:
                while total < len(view) and (count := int(self._tls.read(len(view) - total, view[total:]))):
                    total += count
                return total
            except ssl.SSLWantReadError:
                if total:
                    return total
                self._receive()

    def sendall(self, data: bytes) -> None:
        """Encrypt and send."""
        self._tls.write(data)
        self._flush()


def serve_one(connection: socket.socket, max_pdu_bytes: int, tls: ssl.SSLContext | None) -> None:
    """One association from request to release."""
    with connection:
        try:
            inside = cast(socket.socket, TlsConnection(connection, tls)) if tls else connection
            stream = Stream(inside)
            _, request = stream.pdu()
            inside.sendall(accept_answer(bytes(request), max_pdu_bytes))
            for message in stream.messages(keep_data=False):
                _answer(inside, message)
        except (OSError, EOFError):
            return


def _answer(connection: socket.socket, message: dimse.Message) -> None:
    if message.number(dimse.COMMAND_FIELD) == dimse.C_STORE_RQ:
        connection.sendall(dimse.store_answer(message))
        next(_objects)
        return
    values: dict[int, int | str | bytes] = {
        dimse.AFFECTED_SOP_CLASS: message.command.get(dimse.AFFECTED_SOP_CLASS, b""),
        dimse.COMMAND_FIELD: message.number(dimse.COMMAND_FIELD) | 0x8000,
        dimse.RESPONDED_ID: message.number(dimse.MESSAGE_ID),
        dimse.DATA_SET_TYPE: dimse.NO_DATA_SET,
        dimse.STATUS: 0,
    }
    connection.sendall(dimse.message(message.context_id, dimse.command_set(values)))


def _finish(*_: object) -> None:
    sys.stdout.write(f"{next(_objects)}\n")
    sys.stdout.flush()
    sys.exit(0)


def main() -> None:
    """Serve on the loopback interface until terminated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--max-pdu", type=int, default=16384, help="bytes; DCMTK's and Orthanc's default is 16384")
    parser.add_argument("--tls", type=Path, help="folder of certificates, as `radfuse tls init` makes it")
    options = parser.parse_args()
    tls = tls_context(options.tls) if options.tls else None
    signal.signal(signal.SIGTERM, _finish)
    with socket.create_server(("127.0.0.1", options.port), backlog=256) as listener:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve_one, args=(connection, options.max_pdu, tls), daemon=True).start()


if __name__ == "__main__":
    main()
