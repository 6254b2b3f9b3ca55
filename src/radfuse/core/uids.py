"""Unique identifiers: their check, their making, and those that are ours (PS3.5 section 9)."""

from __future__ import annotations

import re
import uuid
from typing import Final, NewType

from radfuse.core.errors import InvalidUID

UID = NewType("UID", str)
"""A checked UID of at most 64 characters."""

MAX_UID_LENGTH: Final = 64

IMPLEMENTATION_CLASS_UID: Final = UID("2.25.312908766519049217620180534917236581217")
"""Implementation Class UID (PS3.7 section D.3.3.2), from a UUID of our own (PS3.5 Annex B.2)."""

IMPLEMENTATION_VERSION_NAME: Final = "RADFUSE_0"
"""Implementation Version Name, 1 to 16 characters."""

_UID_PATTERN: Final = re.compile(r"[0-9]+(?:\.[0-9]+)*\Z")


def is_valid_uid(text: str) -> bool:
    """Whether ``text`` is 1 to 64 digits and dots with no empty component.

    Leading zeros in a component break PS3.5 section 9.1 but are common in real objects and
    harmless, since a UID never becomes a name or a number here: they are accepted.
    """
    return 0 < len(text) <= MAX_UID_LENGTH and _UID_PATTERN.match(text) is not None


def checked_uid(text: str, attribute: str) -> UID:
    """``text`` as a UID, or InvalidUID naming the ``attribute`` it came from."""
    if is_valid_uid(text):
        return UID(text)
    if not text:
        reason = "it is empty"
    elif len(text) > MAX_UID_LENGTH:
        reason = f"it has {len(text)} characters, at most {MAX_UID_LENGTH} are allowed"
    else:
        reason = "only digits separated by single dots are allowed"
    raise InvalidUID(attribute, reason)


def new_uid() -> UID:
    """A fresh UID from a random UUID (PS3.5 section B.2)."""
    return UID(f"2.25.{uuid.uuid4().int}")
