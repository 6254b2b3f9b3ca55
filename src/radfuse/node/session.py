"""One association being served: what its handlers need to know and to ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from radfuse.archive import Archive
from radfuse.core.errors import ConnectionLost, NotAuthorized, ProtocolViolation
from radfuse.dicom import Transcoder
from radfuse.services.access import Rights
from radfuse.services.peers import Peers
from radfuse.wire import Association, Limits, Operation


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all associations of a node share."""

    peers: Peers
    limits: Limits
    transcoder: Transcoder
    is_stopping: Callable[[], bool]


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
