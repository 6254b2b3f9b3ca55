"""From the identifier of a request to a query: the rules of hierarchical search (PS3.4 sections C.4.1.2, C.4.2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from radfuse.archive.index.headers import HeaderKey
from radfuse.archive.index.keys import INDEX_KEYS, NOT_KEYS, QUERY_RETRIEVE_LEVEL, UNIQUE_KEYS
from radfuse.archive.index.matching import significant_text
from radfuse.archive.index.model import InformationModel, Query, QueryKey
from radfuse.core.errors import InvalidQuery
from radfuse.core.levels import Level
from radfuse.dicom import Element, Identifier

_UNIQUE_TAGS: Final = frozenset(UNIQUE_KEYS.values())


def query_from_identifier(identifier: Identifier, model: InformationModel, *, retrieve: bool = False) -> Query:
    """The query that a C-FIND identifier means, or, with ``retrieve``, a C-MOVE or C-GET identifier.

    Raises InvalidQuery when the level is missing, unknown or not in the model; when a unique key
    above the level is missing, is a list or has wildcards; when a value is no date, time or range
    of them. A retrieval tolerates lists, needs the level's own key too, and has no other keys.
    """
    level = _level(identifier.elements, model)
    elements = (element for element in identifier.elements if _is_key(element.tag))
    keys = tuple(_key(element) for element in elements if not retrieve or element.tag in _UNIQUE_TAGS)
    query = Query(model, level, keys)
    for above in range(model.value, level + (1 if retrieve else 0)):
        _check_unique_key(query, Level(above), list_allowed=retrieve)
    if not retrieve:
        for key in keys:
            HeaderKey(key)  # compiled here only to refuse its values before the first answer
    return query


def _is_key(tag: int) -> bool:
    is_group_length = tag & 0xFFFF == 0
    return tag != QUERY_RETRIEVE_LEVEL and tag not in NOT_KEYS and not is_group_length


def _key(element: Element) -> QueryKey:
    """The element with the padding gone and, where the index knows it, the VR of the standard."""
    known = INDEX_KEYS.get(element.tag)
    vr = known.vr if known else element.vr
    return QueryKey(element.tag, vr, tuple(significant_text(vr, value) for value in element.values), element.items)


def _level(elements: Sequence[Element], model: InformationModel) -> Level:
    values = next((element.values for element in elements if element.tag == QUERY_RETRIEVE_LEVEL), ())
    if len(values) != 1 or not values[0].strip(" "):
        raise InvalidQuery("Query/Retrieve Level (0008,0052) is missing")
    level = Level.__members__.get(values[0].strip(" "))
    if level is None:
        raise InvalidQuery("Query/Retrieve Level (0008,0052) is none of PATIENT, STUDY, SERIES, IMAGE")
    if level < model.value:
        raise InvalidQuery(f"level {level.name} is not in the Study Root model")
    return level


def _check_unique_key(query: Query, level: Level, *, list_allowed: bool) -> None:
    values = query.values_of(UNIQUE_KEYS[level])
    if not values:
        raise InvalidQuery(f"the unique key of level {level.name} is missing")
    if len(values) > 1 and not list_allowed:
        raise InvalidQuery(f"the unique key of level {level.name}, above the level of the query, is a list")
    if any("*" in value or "?" in value for value in values):
        raise InvalidQuery(f"the unique key of level {level.name} has wildcards")
