"""What no standard object has a place for: how it was looked at, as JSON in a private block of the manifest."""

from __future__ import annotations

import json
from typing import Any, Final

from pydicom.dataset import Dataset

from radfuse.core.errors import InvalidObject, UnreadableObject
from radfuse.objects.common import PRIVATE_GROUP

SCHEMA: Final = 1
CREATOR: Final = "RADFUSE SESSION"
LIMIT_BYTES: Final = 1 << 20

_JSON: Final = 0x01


def add_block(ds: Dataset, facts: dict[str, Any]) -> None:
    """Write it. Raises InvalidObject where it is too large."""
    text = json.dumps({"schema": SCHEMA, **facts}, sort_keys=True, separators=(",", ":"))
    if len(text) > LIMIT_BYTES:
        most = LIMIT_BYTES >> 10
        raise InvalidObject((f"its views and texts are more than {most} KiB: remove bookmarks or lines",))
    ds.private_block(PRIVATE_GROUP, CREATOR, create=True).add_new(_JSON, "UT", text)


def read_block(ds: Dataset) -> dict[str, Any] | None:
    """What ``add_block`` wrote; None where there is none, or nothing that can be read.

    Raises UnreadableObject for one of a newer version of this program.
    """
    try:
        value = ds.private_block(PRIVATE_GROUP, CREATOR)[_JSON].value
        facts = json.loads(value if isinstance(value, str) else bytes(value).decode("ascii").rstrip(" \0"))
    except (KeyError, ValueError, TypeError):
        return None
    if not isinstance(facts, dict) or not isinstance(facts.get("schema"), int):
        return None
    if facts["schema"] > SCHEMA:
        newer, here = facts["schema"], SCHEMA
        raise UnreadableObject(
            f"this session was saved by a newer Radfuse (layout {newer}, this one reads up to {here}): "
            "update this one, or open its series"
        )
    return facts
