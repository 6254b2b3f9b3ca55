"""A node server in a thread of the test, with settings that no command line offers."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from radfuse.archive import ArchiveSettings
from radfuse.core.aetitle import AETitle
from radfuse.jobs import Jobs
from radfuse.node import AcceptancePolicy, NodeServer, NodeSettings
from radfuse.services.commitment import CommitmentDesk
from radfuse.services.databases import Databases, database_folder
from radfuse.services.peers import Peers
from radfuse.wire import Association, Limits, ProposedContext, request_association

LIMITS = Limits(artim_s=2.0, close_wait_s=1.0, pdu_deadline_s=5.0, idle_s=20.0, response_s=10.0)


@dataclass
class InProcess:
    """The server, its peers and archives, and where it listens."""

    server: NodeServer
    peers: Peers
    databases: Databases
    address: tuple[str, int]
    tls_address: tuple[str, int]
    """Where it listens for TLS, if its settings have a certificate."""
    desk: CommitmentDesk

    def associate(self, contexts: list[ProposedContext], calling: str = "TESTER", called: str = "NODE") -> Association:
        return request_association(self.address, called, calling, contexts, LIMITS)


@contextlib.contextmanager
def node_in_process(
    folder: Path,
    settings: NodeSettings | None = None,
    archive: ArchiveSettings | None = None,
    titles: Mapping[str, str] | None = None,
) -> Iterator[InProcess]:
    """A server that runs until the end of the block, which it must reach by itself."""
    names = {AETitle(title): name for title, name in (titles or {"NODE": "default"}).items()}
    plain_names = {str(title): name for title, name in names.items()}
    chosen = settings or node_settings(frozenset(names))
    archives = {
        name: replace(archive or ArchiveSettings(folder), folder=folder_of(folder, name)) for name in names.values()
    }
    with (
        contextlib.closing(Databases(names, archives)) as databases,
        contextlib.closing(Peers(folder)) as peers,
        contextlib.closing(CommitmentDesk(lambda: Jobs(folder), peers, plain_names)) as desk,
        socket.create_server(("127.0.0.1", 0), backlog=64) as listener,
        socket.create_server(("127.0.0.1", 0), backlog=64) as tls_listener,
    ):
        server = NodeServer(chosen, databases, peers, desk)
        thread = threading.Thread(target=server.serve, args=([listener], [tls_listener] if chosen.tls else []))
        address, tls_address = listener.getsockname(), tls_listener.getsockname()
        thread.start()
        try:
            yield InProcess(server, peers, databases, address, tls_address, desk)
        finally:
            server.stop()
            thread.join(30)
            assert not thread.is_alive()


def folder_of(folder: Path, name: str) -> Path:
    """The folder of a database, made."""
    found = database_folder(folder, name)
    found.mkdir(parents=True, exist_ok=True)
    return found


def node_settings(titles: frozenset[str] = frozenset({"NODE"}), *, open_to_all: bool = True) -> NodeSettings:
    """Settings for tests: short deadlines."""
    return NodeSettings(AcceptancePolicy(titles), LIMITS, open_to_all, shutdown_s=1.0)
