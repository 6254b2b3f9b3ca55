"""One association being served: what its handlers need to know and to ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from radfuse.archive import Archive
from radfuse.core.errors import ConnectionLost, NotAuthorized, ProtocolViolation
from radfuse.dicom import Transcoder
from radfuse.services.access import Rights
from radfuse.services.commitment import CommitmentDesk
from radfuse.services.context_lists import DBX, ContextLists
from radfuse.services.peers import Peer, Peers
from radfuse.services.transfer import Offer, offer_to
from radfuse.wire import Association, Limits, Operation
from radfuse.wire.tls import TlsIdentity


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all associations of a node share."""

    peers: Peers
    limits: Limits
    transcoder: Transcoder
    is_stopping: Callable[[], bool]
    commitment: CommitmentDesk | None = None
    tls: TlsIdentity | None = None
    """What we prove ourselves with to peers that want TLS."""
    context_lists: ContextLists | None = None
    """What may be proposed to each peer; without them whatever is asked for."""

    def offer_to(self, peer: Peer) -> Offer:
        """What may be proposed to ``peer``."""
        listed = self.context_lists.get(peer.context_list) if self.context_lists else DBX
        offer = offer_to(peer, listed)
        # The archive node's own list as it comes: whatever the configuration lets us keep may also leave.
        return replace(offer, sop_classes=None, transfer_syntaxes=None) if listed == DBX else offer


@dataclass(slots=True)
class Tally:
    """What happened on an association, for its one line in the log."""

    stored: int = 0
    refused: int = 0
    received_bytes: int = 0
    operations: int = 0


@dataclass(slots=True)
class Session:
    """An association, the archive behind the called AE title, and the caller's rights."""

    association: Association
    archive: Archive
    rights: Rights
    surroundings: Surroundings
    tally: Tally = field(default_factory=Tally)
    reports: dict[int, int] = field(default_factory=dict)
    """Message ids of our reports of storage commitment that the peer has not answered, and their transactions."""

    @property
    def called_ae_title(self) -> str:
        """The AE title of ours that the peer called."""
        return self.association.request.called_ae_title

    @property
    def calling_ae_title(self) -> str:
        """The peer's AE title."""
        return self.association.request.calling_ae_title

    def require(self, allowed: bool, operation: str) -> None:
        """Raise NotAuthorized unless the peer may do this."""
        if not allowed:
            raise NotAuthorized(operation)

    def is_cancelled(self, message_id: int) -> bool:
        """Whether the peer has sent C-CANCEL for the running operation.

        Cancels for other messages are ignored: their operation has ended already (PS3.7 section
        9.3.2.3). Any other message breaks the asynchronous window of one that was negotiated.
        """
        association = self.association
        while association.poll():
            message = association.receive_command()
            if message is None:
                raise ConnectionLost("the peer released the association within an operation")
            if message.command.command_field != Operation.C_CANCEL_RQ:
                association.abort()
                raise ProtocolViolation("a second operation was started on the association")
            association.cancelled.add(message.command.message_id_being_responded_to or 0)
        return message_id in association.cancelled
