"""Values of elements as a person reads them: names, dates, what a UID stands for, how long a binary value is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Final

from radfuse.core.errors import MalformedDataSet
from radfuse.dicom.charset import SINGLE_VALUE_VRS
from radfuse.dicom.dictionary import keyword_of
from radfuse.dicom.names import split_groups
from radfuse.dicom.values import BINARY_VRS, NUMBER_CODES, values_of

_MOST_CHARACTERS: Final = 1000
MOST_BYTES: Final = 4096
"""What is read of one value; more is said to be there."""
_SHORT_BINARY_BYTES: Final = 16
_TABLES: Final = "_uid_dict.py"
_AGES: Final = {"D": "day", "W": "week", "M": "month", "Y": "year"}


@cache
def _uid_names() -> Mapping[str, str]:
    package = find_spec("pydicom")
    folder = package.submodule_search_locations if package else None
    spec = spec_from_file_location("radfuse_uid_tables", Path(folder[0]) / _TABLES) if folder else None
    if spec is None or spec.loader is None:
        return {}
    tables = module_from_spec(spec)
    spec.loader.exec_module(tables)
    return {uid: row[0] for uid, row in tables.UID_dictionary.items()}


def uid_name(uid: str) -> str:
    """What the standard calls a UID (PS3.6 Annex A), "" for others."""
    return _uid_names().get(uid, "")


def readable_value(raw: bytes, vr: str, length: int, *, big: bool, character_sets: tuple[str, ...]) -> str:
    """A value of ``length`` bytes, of which ``raw`` are the first; cut at about a thousand characters."""
    if vr in BINARY_VRS:
        text = raw.rstrip(b"\0 ") if vr == "UN" else b""
        # What nobody has a dictionary for is mostly text all the same.
        return _cut(text.decode(), len(raw), length) if _is_text(text) else _binary(raw, length)
    if length > len(raw) and vr in NUMBER_CODES:
        raw = raw[: len(raw) // 8 * 8]
    try:
        values = values_of(raw, vr, big, character_sets)
    except MalformedDataSet:
        return _binary(raw, length)
    shown = _READERS.get(vr)
    texts = [shown(value) if value and shown else value for value in values]
    return _cut("\\".join(texts) if vr in SINGLE_VALUE_VRS else " \\ ".join(texts), len(raw), length)


def _cut(text: str, read: int, length: int) -> str:
    text = "".join(character if character.isprintable() or character in "\n\t" else "\N{REPLACEMENT CHARACTER}"
                   for character in text.replace("\r\n", "\n").replace("\r", "\n"))  # fmt: skip
    if read >= length and len(text) <= _MOST_CHARACTERS:
        return text
    return f"{text[:_MOST_CHARACTERS].rstrip()}… ({length:,} bytes)"


def _is_text(raw: bytes) -> bool:
    return bool(raw) and raw.isascii() and raw.decode("ascii").isprintable()


def _binary(raw: bytes, length: int) -> str:
    if not length:
        return ""
    size = f"{length:,} byte{'s' if length != 1 else ''}"
    return f"{size}: {raw.hex(' ')}" if length == len(raw) <= _SHORT_BINARY_BYTES else size


def _name(value: str) -> str:
    """ "DOE^JANE^^DR" is "DOE, JANE, DR"; groups are joined by an equals sign."""
    groups = [", ".join(filter(None, (_family_and_given(group)))) for group in split_groups(value) if group]
    return " = ".join(groups)


def _family_and_given(group: str) -> list[str]:
    family, given, middle, prefix, suffix, *_ = [*group.split("^"), "", "", "", "", ""]
    return [family, " ".join(filter(None, (prefix, given, middle))), suffix]


def _date(value: str) -> str:
    return f"{value[:4]}-{value[4:6]}-{value[6:]}" if len(value) == 8 and value.isdigit() else value


def _time(value: str) -> str:
    head, dot, fraction = value.partition(".")
    if not head.isdigit() or len(head) not in (2, 4, 6):
        return value
    fraction = fraction.rstrip("0")
    return ":".join(head[at : at + 2] for at in range(0, len(head), 2)) + (dot + fraction if fraction else "")


def _date_time(value: str) -> str:
    at = max(value.find("+"), value.find("-"))
    text, zone = (value[:at], value[at:]) if at > 0 else (value, "")
    if len(text) < 8 or not text[:8].isdigit():
        return value
    return " ".join(filter(None, (_date(text[:8]), _time(text[8:]), zone)))


def _age(value: str) -> str:
    unit = _AGES.get(value[-1:])
    if unit is None or not value[:-1].isdigit():
        return value
    count = int(value[:-1])
    return f"{count} {unit}{'s' if count != 1 else ''}"


def _uid(value: str) -> str:
    name = uid_name(value)
    return f"{value} ({name})" if name else value


def _tag(value: str) -> str:
    keyword = keyword_of(int(value, 16))
    return f"({value[:4]},{value[4:]})" + (f" {keyword}" if keyword != value else "")


_READERS: Final[Mapping[str, Callable[[str], str]]] = {
    "AS": _age,
    "AT": _tag,
    "DA": _date,
    "DT": _date_time,
    "PN": _name,
    "TM": _time,
    "UI": _uid,
}
