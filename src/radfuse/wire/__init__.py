"""The DICOM upper layer and DIMSE (PS3.8, PS3.7): a sans-IO machine and blocking sockets around it."""

from radfuse.wire import scu, status
from radfuse.wire.acceptor import accept_association
from radfuse.wire.association import Association, Message
from radfuse.wire.command import CommandSet, Operation
from radfuse.wire.limits import Limits
from radfuse.wire.negotiation import Acceptance, AcceptedContext, AssociationRequest, ProposedContext, Rejection
from radfuse.wire.requestor import request_association
from radfuse.wire.sending import FileSlice

__all__ = [
    "Acceptance",
    "AcceptedContext",
    "Association",
    "AssociationRequest",
    "CommandSet",
    "FileSlice",
    "Limits",
    "Message",
    "Operation",
    "ProposedContext",
    "Rejection",
    "accept_association",
    "request_association",
    "scu",
    "status",
]
