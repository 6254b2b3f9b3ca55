"""DIMSE status codes (PS3.7 Annex C; PS3.4 sections B.2.3, C.4.1.1.4, C.4.2.1.5 and C.4.3.1.4)."""

from __future__ import annotations

from enum import Enum
from typing import Final

SUCCESS: Final = 0x0000
CANCEL: Final = 0xFE00
PENDING: Final = 0xFF00
PENDING_WITH_WARNING: Final = 0xFF01
"""A match, but one or more optional keys are not supported (C-FIND)."""

# --- PS3.7 Annex C ---------------------------------------------------------------------------
ATTRIBUTE_LIST_ERROR: Final = 0x0107
SOP_CLASS_NOT_SUPPORTED: Final = 0x0122
CLASS_INSTANCE_CONFLICT: Final = 0x0119
DUPLICATE_SOP_INSTANCE: Final = 0x0111
DUPLICATE_INVOCATION: Final = 0x0210
INVALID_ARGUMENT_VALUE: Final = 0x0115
INVALID_ATTRIBUTE_VALUE: Final = 0x0106
INVALID_OBJECT_INSTANCE: Final = 0x0117
ATTRIBUTE_VALUE_OUT_OF_RANGE: Final = 0x0116
MISSING_ATTRIBUTE: Final = 0x0120
MISSING_ATTRIBUTE_VALUE: Final = 0x0121
MISTYPED_ARGUMENT: Final = 0x0212
NO_SUCH_ACTION: Final = 0x0123
NO_SUCH_ARGUMENT: Final = 0x0114
NO_SUCH_ATTRIBUTE: Final = 0x0105
NO_SUCH_EVENT_TYPE: Final = 0x0113
NO_SUCH_SOP_CLASS: Final = 0x0118
NO_SUCH_SOP_INSTANCE: Final = 0x0112
NOT_AUTHORIZED: Final = 0x0124
PROCESSING_FAILURE: Final = 0x0110
RESOURCE_LIMITATION: Final = 0x0213
UNRECOGNIZED_OPERATION: Final = 0x0211

# --- C-STORE (PS3.4 Table B.2-1) ----------------------------------------------------------------
OUT_OF_RESOURCES: Final = 0xA700
DATA_SET_DOES_NOT_MATCH: Final = 0xA900
CANNOT_UNDERSTAND: Final = 0xC000
COERCION: Final = 0xB000
ELEMENTS_DISCARDED: Final = 0xB006
DATA_SET_DOES_NOT_MATCH_WARNING: Final = 0xB007

# --- C-FIND, C-MOVE, C-GET (PS3.4 section C.4) ---------------------------------------------------
CANNOT_COUNT_MATCHES: Final = 0xA701
CANNOT_PERFORM_SUBOPERATIONS: Final = 0xA702
MOVE_DESTINATION_UNKNOWN: Final = 0xA801
IDENTIFIER_DOES_NOT_MATCH: Final = 0xA900
SUBOPERATIONS_WITH_FAILURES: Final = 0xB000
UNABLE_TO_PROCESS: Final = 0xC000


class Category(Enum):
    """Kinds of status (PS3.7 section C.1 to C.5)."""

    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"
    CANCEL = "cancel"
    PENDING = "pending"


_WARNINGS: Final = frozenset((0x0001, ATTRIBUTE_LIST_ERROR, ATTRIBUTE_VALUE_OUT_OF_RANGE))
"""The warnings outside B000H to BFFFH (PS3.7 section C.4)."""


def category(status: int) -> Category:
    """The kind of ``status``; codes that no part of the standard names are failures."""
    if status == SUCCESS:
        return Category.SUCCESS
    if status in (PENDING, PENDING_WITH_WARNING):
        return Category.PENDING
    if status == CANCEL:
        return Category.CANCEL
    if status & 0xF000 == 0xB000 or status in _WARNINGS:
        return Category.WARNING
    return Category.FAILURE


def is_out_of_resources(status: int) -> bool:
    """A700H to A7FFH: the one failure that may pass by itself, so the peer may try again."""
    return status & 0xFF00 == OUT_OF_RESOURCES
