"""Errors as DIMSE statuses (PS3.4 sections B.2.3 and C.4, PS3.7 Annex C)."""

from __future__ import annotations

from typing import Final

from radfuse.core.errors import (
    InvalidQuery,
    NotAllowed,
    NotAuthorized,
    UnknownPeer,
)
from radfuse.services.ingest import STATUS_OF_REFUSAL
from radfuse.services.retrieve import TooManySubOperations
from radfuse.wire import status

STATUS_OF_ERROR: Final[tuple[tuple[type[Exception], int], ...]] = (
    (NotAuthorized, status.NOT_AUTHORIZED),
    (NotAllowed, status.NOT_AUTHORIZED),
    *STATUS_OF_REFUSAL,
    (InvalidQuery, status.IDENTIFIER_DOES_NOT_MATCH),
    (UnknownPeer, status.MOVE_DESTINATION_UNKNOWN),
    (TooManySubOperations, status.CANNOT_PERFORM_SUBOPERATIONS),
)
"""The first row that fits counts; what is in no row is a processing failure (0110H)."""


def status_of(error: Exception) -> int:
    """The status that tells a peer of ``error``."""
    return next((code for kind, code in STATUS_OF_ERROR if isinstance(error, kind)), status.PROCESSING_FAILURE)


def comment_of(error: Exception) -> str | None:
    """The Error Comment (0000,0902) for ``error``: its sentence when it is one of ours, else nothing."""
    if any(isinstance(error, kind) for kind, _ in STATUS_OF_ERROR):
        # VR LO: no backslash, no control characters.
        return "".join(c for c in str(error) if " " <= c <= "~" and c != "\\")
    return None
