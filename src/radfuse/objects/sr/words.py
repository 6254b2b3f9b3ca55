"""Content items in words, for every way to show them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from radfuse.core.uid_names import name_of_uid
from radfuse.objects.common import Code
from radfuse.objects.sr.model import (
    ByReference,
    Coded,
    Container,
    Coordinates,
    Item,
    Number,
    ObjectReference,
    Path,
    Text,
    Times,
    Unknown,
    Value,
)

_MOST_POINTS: Final = 6
_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)(.*)\Z", re.DOTALL)
_TIME = re.compile(r"(\d\d)(\d\d)(\d\d)?(\.\d+)?(.*)\Z", re.DOTALL)
_ANNOTATION = re.compile(r"\{[^}]*\}")
_NO_UNIT: Final = frozenset(("1", "no units"))


def words_of(code: Code | None) -> str:
    """What a code means."""
    return (code.meaning or code.value) if code is not None else ""


def code_text(code: Code | None) -> str:
    """A code itself: value, scheme, meaning."""
    return f"({code.value}, {code.scheme}, {code.meaning})" if code is not None else ""


def unit_text(unit: Code | None) -> str:
    """A unit as it is written behind a number: its UCUM code, or its meaning where that is only a curly annotation."""
    if unit is None or unit.value in _NO_UNIT:
        return ""
    if not _ANNOTATION.sub("", unit.value):
        return unit.meaning or unit.value.strip("{}")
    return unit.value


def number_text(number: Number) -> str:
    """A number as it was written, without its unit."""
    if number.text:
        return number.text
    if number.value is None:
        return words_of(number.qualifier) or "no value"
    return f"{number.value:.10g}"


def path_text(path: Path) -> str:
    """An identifier of a content item."""
    return ".".join(map(str, path))


def date_text(text: str) -> str:
    """A DICOM date, or date and time, as people write it; anything else as it stands."""
    match = _DATE.match(text)
    if match is None:
        return text
    date = f"{match[1]}-{match[2]}-{match[3]}"
    return f"{date} {time_text(match[4])}" if match[4] else date


def time_text(text: str) -> str:
    """A DICOM time as people write it; anything else as it stands."""
    match = _TIME.match(text)
    if match is None:
        return text
    parts = [match[1], match[2], match[3]]
    fraction = (match[4] or "").rstrip("0").rstrip(".")
    return ":".join(part for part in parts if part) + fraction + match[5]


def name_text(text: str) -> str:
    """A person name as people read it: "family, given", the groups of other scripts behind it."""
    groups = []
    for group in text.split("="):
        family, *others = (part.strip() for part in group.split("^"))
        groups.append(", ".join(filter(None, (family, " ".join(filter(None, others))))))
    return " / ".join(filter(None, groups))


def object_text(reference: ObjectReference) -> str:
    """An object that is referred to, by kind, frames and segments; its UID is not for reading."""
    kind = name_of_uid(reference.sop_class_uid) if reference.sop_class_uid else ""
    parts = [kind.removesuffix(" Storage") or "Object"]
    for name, numbers in (("frame", reference.frames), ("segment", reference.segments)):
        if numbers:
            parts.append(f"{name}{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}")
    if reference.channels:
        parts.append(f"channels {', '.join(map(str, reference.channels))}")
    return ", ".join(parts)


def _points_text(value: Coordinates) -> str:
    shown = ["(" + ", ".join(f"{number:.6g}" for number in point) + ")" for point in value.points[:_MOST_POINTS]]
    more = len(value.points) - len(shown)
    return f"{value.graphic} {' '.join(shown)}{f' and {more} more points' if more > 0 else ''}"


_WRITTEN: Final[dict[str, Callable[[str], str]]] = {
    "DATE": date_text,
    "DATETIME": date_text,
    "TIME": time_text,
    "PNAME": name_text,
}


def value_text(item: Item) -> str:  # noqa: PLR0911 - one line for each kind of value
    """The value of an item for people."""
    value: Value = item.value
    match value:
        case Text(text):
            return _WRITTEN.get(item.value_type, str)(text)
        case Coded(code):
            return words_of(code)
        case Number():
            return (
                f"{number_text(value)} {unit_text(value.unit)}".strip()
                if value.value is not None
                else number_text(value)
            )
        case ObjectReference():
            return object_text(value)
        case Coordinates():
            return _points_text(value)
        case Times():
            moments = [*map(str, value.sample_positions), *(f"{offset:g} s" for offset in value.offsets_s)]
            return f"{value.kind} {', '.join([*moments, *map(date_text, value.moments)])}"
        case ByReference(path):
            return f"see item {path_text(path)}"
        case Container():
            return ""
        case Unknown(text):
            return text or "no value"
