"""The DICOM server: accepts connections, serves each association in a thread, stops cleanly."""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from radfuse.core.errors import WireError
from radfuse.dicom import Transcoder
from radfuse.node import committing, querying, storing
from radfuse.node.acceptance import AcceptancePolicy
from radfuse.node.session import Session, Surroundings
from radfuse.services.access import rights_of
from radfuse.services.commitment import CommitmentDesk
from radfuse.services.context_lists import ContextLists
from radfuse.services.databases import Databases
from radfuse.services.peers import Peers
from radfuse.wire import Association, Limits, Message, Operation, accept_association, status
from radfuse.wire.tls import ClientCertificates, TlsFacts, TlsIdentity, TlsServer

_log = logging.getLogger(__name__)
_STOP_POLL_S: Final = 0.5
_PROBE_REPORT_S: Final = 60.0
_YIELD_S: Final = 0.002
_FEW_CONNECTIONS: Final = 4

HANDLERS: Final[Mapping[int, Callable[[Session, Message], None]]] = {
    Operation.C_ECHO_RQ: storing.echo,
    Operation.C_STORE_RQ: storing.store,
    Operation.C_FIND_RQ: querying.find,
    Operation.C_MOVE_RQ: querying.move,
    Operation.C_GET_RQ: querying.get,
    Operation.N_ACTION_RQ: committing.action,
    Operation.N_EVENT_REPORT_RQ: committing.report,
    Operation.N_EVENT_REPORT_RSP: committing.reported,
}


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """How one node process serves."""

    policy: AcceptancePolicy
    limits: Limits
    open_to_all: bool
    """Whether every calling AE may store, query and retrieve (the node is bound to loopback)."""
    connections: int = 600
    connections_per_address: int = 400
    shutdown_s: float = 10.0
    tls: TlsIdentity | None = None
    """What we prove ourselves with over TLS, to those who call us and to those we call."""
    client_certificates: ClientCertificates = ClientCertificates.REQUIRED


class NodeServer:
    """Serves DICOM on listening sockets, which other processes may share."""

    def __init__(
        self,
        settings: NodeSettings,
        databases: Databases,
        peers: Peers,
        commitment: CommitmentDesk | None = None,
        context_lists: ContextLists | None = None,
    ) -> None:
        self._settings = settings
        self._databases = databases
        # Plain, not an Event: a signal handler that takes a lock its own thread holds would never return.
        self._stopping = False
        self._transcoder = Transcoder()
        self._surroundings = Surroundings(
            peers, settings.limits, self._transcoder, lambda: self._stopping, commitment, settings.tls, context_lists
        )
        self._tls = TlsServer(settings.tls, settings.client_certificates) if settings.tls else None
        self._connections = _Connections(settings.connections, settings.connections_per_address)
        self._probes = _ProbeCounter()

    def serve(self, listeners: Sequence[socket.socket], tls_listeners: Sequence[socket.socket] = ()) -> None:
        """Accept and serve until ``stop`` is called; then end what runs, within the grace time.

        On ``tls_listeners`` nothing but TLS is spoken, on ``listeners`` nothing but plain DICOM.
        """
        if tls_listeners and self._tls is None:
            raise ValueError("a TLS listener needs a TLS identity")
        with selectors.DefaultSelector() as selector:
            for listener in (*listeners, *tls_listeners):
                # Another process may be faster to accept what woke us.
                listener.setblocking(False)
                selector.register(listener, selectors.EVENT_READ, self._tls if listener in tls_listeners else None)
            while not self._stopping:
                for key, _ in selector.select(_STOP_POLL_S):
                    # The new connection woke all processes: let one that has less to do take it.
                    if len(self._connections) <= _FEW_CONNECTIONS:
                        time.sleep(_YIELD_S * len(self._connections))
                    self._accept(key.fileobj, key.data)  # type: ignore[arg-type]
        for listener in (*listeners, *tls_listeners):
            listener.close()
        self._connections.drain(self._settings.shutdown_s)
        self._transcoder.close()

    def stop(self) -> None:
        """Ask ``serve`` to end; safe in a signal handler."""
        self._stopping = True

    def _accept(self, listener: socket.socket, tls: TlsServer | None) -> None:
        try:
            connection, address = listener.accept()
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:  # out of file descriptors, most likely
            _log.error("cannot accept connections: %s", error.strerror)
            time.sleep(_STOP_POLL_S)
            return
        connection.setblocking(True)
        if not self._connections.add(connection, address[0]):
            _log.warning("connection refused: too many at once", extra={"address": address[0]})
            connection.close()
            return
        thread = threading.Thread(target=self._serve, args=(connection, address[:2], tls), daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system has no thread left
            self._connections.remove(connection)
            connection.close()

    def _serve(self, connection: socket.socket, address: tuple[str, int], tls: TlsServer | None) -> None:
        facts: dict[str, object] = {"address": address[0]}
        try:
            settings = self._settings
            association = accept_association(connection, address, settings.policy, settings.limits, tls)
            if association is None:
                self._probes.note(address[0])
                return
            facts |= {
                "calling": association.request.calling_ae_title,
                "called": association.request.called_ae_title,
                **_protection(association.tls),
            }
            self._serve_association(connection, association, facts)
        except WireError as error:
            _log.warning("association ended: %s", error, extra=facts)
        except Exception:
            _log.exception("association failed", extra=facts)
        finally:
            self._connections.remove(connection)
            with contextlib.suppress(OSError):
                connection.close()

    def _serve_association(self, connection: socket.socket, association: Association, facts: dict[str, object]) -> None:
        request = association.request
        certificate = association.tls.peer if association.tls else None
        rights = rights_of(
            request.calling_ae_title,
            association.peer_address[0],
            () if self._settings.open_to_all else self._surroundings.peers.all(),
            open_to_all=self._settings.open_to_all,
            certificate_names=certificate.names if certificate else None,
        )
        session = Session(association, self._databases.of(request.called_ae_title), rights, self._surroundings)
        started = time.monotonic()
        try:
            self._serve_messages(connection, session)
        except BaseException:
            association.abort()
            raise
        finally:
            committing.ended(session)
            tally = session.tally
            facts |= {
                "stored": tally.stored,
                "refused": tally.refused,
                "bytes": tally.received_bytes,
                "operations": tally.operations,
                "seconds": round(time.monotonic() - started, 3),
            }
        _log.info("association released", extra=facts)

    def _serve_messages(self, connection: socket.socket, session: Session) -> None:
        association = session.association
        while True:
            self._connections.set_idle(connection, True)
            message = None if self._stopping else association.receive_command()
            self._connections.set_idle(connection, False)
            if message is None:
                if association.is_established:  # we are stopping
                    association.abort()
                return
            session.tally.operations += 1
            association.cancelled.clear()
            handler = HANDLERS.get(message.command.command_field)
            if handler is not None:
                handler(session, message)
            elif message.command.is_request and message.command.command_field != Operation.C_CANCEL_RQ:
                association.discard_data_set()
                association.send(message.context_id, message.command.response(status.UNRECOGNIZED_OPERATION))


def _protection(tls: TlsFacts | None) -> dict[str, object]:
    """How an association is protected and who the peer has proved to be, for the log."""
    if tls is None:
        return {}
    facts: dict[str, object] = {"tls": tls.version, "cipher_suite": tls.cipher_suite}
    if tls.peer is not None:
        facts |= {"certificate": tls.peer.common_name, "certificate_sha256": tls.peer.sha256}
    return facts


class _Connections:
    """The open connections: counted, bounded, and brought to an end."""

    def __init__(self, limit: int, limit_per_address: int) -> None:
        self._limit = limit
        self._limit_per_address = limit_per_address
        self._changed = threading.Condition()
        self._open: dict[socket.socket, str] = {}
        self._idle: set[socket.socket] = set()
        self._per_address: Counter[str] = Counter()

    def __len__(self) -> int:
        """How many are open."""
        return len(self._open)

    def add(self, connection: socket.socket, address: str) -> bool:
        """Count a connection in; False when there are too many."""
        with self._changed:
            if len(self._open) >= self._limit or self._per_address[address] >= self._limit_per_address:
                return False
            self._open[connection] = address
            self._per_address[address] += 1
            return True

    def remove(self, connection: socket.socket) -> None:
        """Count a connection out."""
        with self._changed:
            address = self._open.pop(connection, None)
            self._idle.discard(connection)
            if address is not None:
                self._per_address[address] -= 1
                if not self._per_address[address]:
                    del self._per_address[address]
            self._changed.notify_all()

    def set_idle(self, connection: socket.socket, idle: bool) -> None:
        """Note whether the connection is between two messages."""
        if idle:
            self._idle.add(connection)
        else:
            self._idle.discard(connection)

    def drain(self, grace_s: float) -> None:
        """End idle connections at once and the others when they are done or the time is over."""
        deadline = time.monotonic() + grace_s
        with self._changed:
            while self._open and (left := deadline - time.monotonic()) > 0:
                for connection in list(self._idle):
                    _shut_down(connection)
                self._changed.wait(min(left, _STOP_POLL_S))
            for connection in list(self._open):
                _shut_down(connection)
            self._changed.wait_for(lambda: not self._open, timeout=1.0)


def _shut_down(connection: socket.socket) -> None:
    """Wake whoever reads from the connection: for them the peer is gone."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RD)


class _ProbeCounter:
    """Counts connections that never became an association: one log line a minute, not one each."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._reported_s = 0.0

    def note(self, address: str) -> None:
        """Count one."""
        with self._lock:
            self._counts[address] += 1
            if time.monotonic() - self._reported_s < _PROBE_REPORT_S:
                return
            self._reported_s = time.monotonic()
            counts, self._counts = self._counts, Counter()
        for peer, count in counts.items():
            _log.info("connections without an association", extra={"address": peer, "count": count})
