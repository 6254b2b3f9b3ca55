"""Application Entity titles (PS3.5 section 6.2, VR AE)."""

from __future__ import annotations

import re
from typing import NewType

from radfuse.core.errors import InvalidAETitle

AETitle = NewType("AETitle", str)
"""A checked AE title: 1 to 16 printable ASCII characters, no backslash, no outer spaces."""

MAX_AE_TITLE_LENGTH = 16


def checked_ae_title(text: str) -> AETitle:
    """``text`` without its padding spaces as an AE title, or InvalidAETitle."""
    title = text.strip(" ")
    if not title:
        raise InvalidAETitle("it is empty")
    if len(title) > MAX_AE_TITLE_LENGTH:
        raise InvalidAETitle(f"it has {len(title)} characters, at most {MAX_AE_TITLE_LENGTH} are allowed")
    if not all(" " <= character <= "~" and character != "\\" for character in title):
        raise InvalidAETitle("only printable ASCII without backslash is allowed")
    return AETitle(title)


def ae_title_from_host_name(name: str) -> AETitle:
    """The machine's name made a valid AE title: the default title of this node."""
    kept = re.sub(r"[^A-Z0-9_-]", "_", name.partition(".")[0].upper())[:MAX_AE_TITLE_LENGTH]
    return AETitle(kept or "RADFUSE")
