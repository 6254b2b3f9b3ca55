"""DICOM JSON (PS3.18 Annex F) read into data sets, as a store request brings them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from radfuse.core.errors import MalformedDataSet, NestingTooDeep
from radfuse.dicom.dictionary import vr_of
from radfuse.dicom.elements import LONG_VRS, SHORT_VRS
from radfuse.dicom.header import SPECIFIC_CHARACTER_SET
from radfuse.dicom.identifier import Element, Identifier
from radfuse.dicom.values import BINARY_VRS

_TAG: Final = re.compile(r"[0-9A-Fa-f]{8}\Z", re.ASCII)
_VRS: Final = frozenset(vr.decode() for vr in LONG_VRS | SHORT_VRS)
_MAX_NESTING: Final = 64
_GROUPS: Final = ("Alphabetic", "Ideographic", "Phonetic")


@dataclass(frozen=True, slots=True)
class JsonDataSet:
    """A data set without its bulk data, and the address of each bulk value by tag (at top level only)."""

    elements: Identifier
    bulk: Mapping[int, tuple[str, str]]
    """By tag: VR and BulkDataURI."""


def data_set_of_json(members: object) -> JsonDataSet:
    """The data set that a JSON object says. Raises MalformedDataSet and NestingTooDeep."""
    bulk: dict[int, tuple[str, str]] = {}
    return JsonDataSet(_item(members, 0, bulk), bulk)


def _broken(reason: str) -> MalformedDataSet:
    return MalformedDataSet(f"DICOM JSON: {reason}", 0)


def _item(members: object, depth: int, bulk: dict[int, tuple[str, str]] | None) -> Identifier:
    if depth > _MAX_NESTING:
        raise NestingTooDeep(_MAX_NESTING)
    if not isinstance(members, Mapping):
        raise _broken("a data set is not an object")
    elements = []
    for name, member in sorted(members.items()):
        if not _TAG.match(name) or not isinstance(member, Mapping):
            raise _broken("a member is not a tag with an attribute")
        tag = int(name, 16)
        vr = member.get("vr", vr_of(tag))
        if vr not in _VRS:
            raise _broken("an attribute has no value representation")
        if tag == SPECIFIC_CHARACTER_SET or tag & 0xFFFF == 0 or tag >> 16 <= 0x0002:
            continue  # the text is Unicode; the encoding is ours
        if "BulkDataURI" in member:
            if bulk is None or not isinstance(member["BulkDataURI"], str):
                raise _broken("bulk data inside sequences is not supported")
            bulk[tag] = vr, member["BulkDataURI"]
            continue
        elements.append(_element(tag, vr, member, depth))
    return Identifier(tuple(elements))


def _element(tag: int, vr: str, member: Mapping[str, Any], depth: int) -> Element:
    if "InlineBinary" in member:
        if vr not in BINARY_VRS - {"SQ"}:
            raise _broken("a binary value has a value representation of text")
        return Element(tag, vr, _inline(member["InlineBinary"]))
    values = member.get("Value", [])
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise _broken("a value is not a list")
    if vr == "SQ":
        return Element(tag, vr, (), tuple(_item(item or {}, depth + 1, None) for item in values))
    if values and vr in BINARY_VRS:
        raise _broken("a binary value is not in base 64")
    return Element(tag, vr, tuple(_text(value, vr) for value in values))


def _inline(value: object) -> tuple[str, ...]:
    try:
        raw = base64.b64decode(value if isinstance(value, str) else "*", validate=True)
    except (binascii.Error, ValueError):
        raise _broken("a binary value is not in base 64") from None
    return (raw.hex(),) if raw else ()


def _text(value: object, vr: str) -> str:
    if value is None:
        return ""
    if vr == "PN" and isinstance(value, Mapping):
        groups = [value.get(name, "") for name in _GROUPS]
        if all(isinstance(group, str) for group in groups):
            return "=".join(groups).rstrip("=")
    elif isinstance(value, str):
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise _broken("a value is not text")
        return value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        return _number(value, vr)
    raise _broken("a value is neither text nor a number")


def _number(value: float, vr: str) -> str:
    """At most 16 characters for DS (PS3.5 section 6.2)."""
    text = repr(value)
    return f"{value:.10g}" if vr == "DS" and len(text) > 16 else text
