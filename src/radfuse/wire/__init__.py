"""The DICOM upper layer and DIMSE (PS3.8, PS3.7): a sans-IO machine and blocking sockets around it."""

from radfuse.wire import negotiation, scu, status, tls
from radfuse.wire.acceptor import accept_association
from radfuse.wire.association import Association, Message
from radfuse.wire.command import CommandSet, Operation
from radfuse.wire.limits import Limits
from radfuse.wire.negotiation import AcceptedContext, ProposedContext
from radfuse.wire.requestor import open_association, request_association
from radfuse.wire.sending import FileSlice

__all__ = [
    "AcceptedContext",
    "Association",
    "CommandSet",
    "FileSlice",
    "Limits",
    "Message",
    "Operation",
    "ProposedContext",
    "accept_association",
    "negotiation",
    "open_association",
    "request_association",
    "scu",
    "status",
    "tls",
]
