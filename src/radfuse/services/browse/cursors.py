"""Cursors: a place in a list as text that leads to the page behind it. What a client made up is told from it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from radfuse.core.errors import ConfigurationError

_LARGEST = 1 << 62


def cursor_of(values: Sequence[object]) -> str:
    """The values as a cursor."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def values_of(cursor: str, kinds: Sequence[type]) -> list[Any]:
    """The values of a cursor that are of these kinds. Raises ConfigurationError for what is no such cursor."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise wrong_cursor() from error
    if not isinstance(values, list) or [type(value) for value in values] != list(kinds):
        raise wrong_cursor()
    if not all(_can_be_stored(value) for value in values):
        raise wrong_cursor()
    return values


def _can_be_stored(value: object) -> bool:
    """Whether a database takes it: no text with what is no character, no endless number."""
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
    return not isinstance(value, int) or 0 <= value < _LARGEST


def wrong_cursor() -> ConfigurationError:
    """What a cursor of another list is answered with."""
    return ConfigurationError("cursor", "it is not the cursor of a page of this list: begin at its first page")
