"""The words of Query/Retrieve on the index: queries, answers, stored objects (PS3.4 Annex C)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from radfuse.core.errors import InvalidQuery
from radfuse.core.levels import Level
from radfuse.dicom import Element, Identifier

MAX_KEYS: Final = 512
"""Keys of one query."""

MAX_VALUES_PER_KEY: Final = 20_000
"""Values of one key, e.g. of a list of UIDs."""

MAX_VALUES: Final = 30_000
"""Values of all keys: every database takes this many variables in one statement (SQLite 32,766)."""

MAX_VALUE_CHARACTERS: Final = 10_240
"""Characters of one value, the longest that PS3.5 section 6.2 knows (LT)."""


class InformationModel(Enum):
    """The two information models of PS3.4 section C.3; the value is their highest level."""

    PATIENT_ROOT = Level.PATIENT
    STUDY_ROOT = Level.STUDY


@dataclass(frozen=True, slots=True)
class QueryKey:
    """An attribute to match and to return. No value: universal matching."""

    tag: int
    vr: str
    values: tuple[str, ...] = ()
    items: tuple[Identifier, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for, at which level of which model. InvalidQuery when it is beyond the limits above."""

    model: InformationModel
    level: Level
    keys: tuple[QueryKey, ...]

    def __post_init__(self) -> None:
        """Check the level and the sizes."""
        if self.level < self.model.value:
            raise InvalidQuery(f"level {self.level.name} is not in the Study Root model")
        if len(self.keys) > MAX_KEYS:
            raise InvalidQuery(f"more than {MAX_KEYS} keys")
        if len({key.tag for key in self.keys}) < len(self.keys):
            raise InvalidQuery("an attribute occurs twice")
        if sum(len(key.values) for key in self.keys) > MAX_VALUES:
            raise InvalidQuery(f"more than {MAX_VALUES} values")
        for key in self.keys:
            _check_values(key)

    def values_of(self, tag: int) -> tuple[str, ...]:
        """The values of the key ``tag`` that are not empty."""
        return next((tuple(filter(None, key.values)) for key in self.keys if key.tag == tag), ())


def _check_values(key: QueryKey) -> None:
    if len(key.values) > MAX_VALUES_PER_KEY:
        raise InvalidQuery(f"more than {MAX_VALUES_PER_KEY} values in one key")
    for value in key.values:
        if len(value) > MAX_VALUE_CHARACTERS:
            raise InvalidQuery(f"a value of more than {MAX_VALUE_CHARACTERS} characters")
        # No database keeps either in text; the second is a byte that no character set explained.
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise InvalidQuery("a value holds characters that are not text")


@dataclass(frozen=True, slots=True)
class Answer:
    """One matching entity: its elements by ascending tag, zero-length when the value is not known.

    ``all_keys_supported`` tells pending status FF00 from FF01 (PS3.4 section C.4.1.1.4).
    """

    elements: tuple[Element, ...]
    all_keys_supported: bool


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One kept instance: what it is and where its bytes are."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    blob_id: bytes
    size_bytes: int
    digest: bytes


HeaderReader: TypeAlias = Callable[[StoredObject], Identifier | None]
"""Reads the header of a stored object, for keys that the index does not hold; None when it cannot be read."""
