"""The DICOM door, composed of what a node process needs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial

from radfuse.app.compose import (
    open_context_lists,
    open_databases,
    open_jobs,
    open_peers,
    tls_identity,
    wire_limits,
)
from radfuse.app.settings import Settings
from radfuse.core.sop_classes import STORAGE_CLASS_NAMES
from radfuse.core.transfer_syntaxes import TRANSFER_SYNTAXES
from radfuse.node import AcceptancePolicy, NodeServer, NodeSettings
from radfuse.services.access import is_loopback
from radfuse.services.commitment import CommitmentDesk


@contextlib.contextmanager
def node_server(settings: Settings) -> Iterator[NodeServer]:
    """A node server with everything it needs, closed in order at the end."""
    storage = settings.storage
    node = NodeSettings(
        policy=AcceptancePolicy(
            frozenset(settings.database_names()),
            frozenset(STORAGE_CLASS_NAMES) | frozenset(storage.extra_classes),
            frozenset(TRANSFER_SYNTAXES) | frozenset(storage.extra_transfer_syntaxes),
            storage.accept_unknown_classes,
            storage_commitment=True,
        ),
        limits=wire_limits(settings),
        open_to_all=is_loopback(settings.host),
        connections=settings.limits.associations,
        connections_per_address=settings.limits.associations_per_address,
        shutdown_s=settings.limits.shutdown_s,
        tls=tls_identity(settings),
        client_certificates=settings.tls.client_certificates,
    )
    with (
        contextlib.closing(open_databases(settings)) as databases,
        contextlib.closing(open_peers(settings)) as peers,
        contextlib.closing(open_context_lists(settings)) as context_lists,
        contextlib.closing(CommitmentDesk(partial(open_jobs, settings), peers, settings.database_names())) as desk,
    ):
        databases.prepare_to_receive()
        yield NodeServer(node, databases, peers, desk, context_lists)
