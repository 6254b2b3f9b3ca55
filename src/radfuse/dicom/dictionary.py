"""The data dictionary: keywords, tags and VRs of standard attributes (PS3.6), read from pydicom when first needed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Final, TypeAlias

from radfuse.core.errors import ConfigurationError

_TAG = re.compile(r"\(?([0-9A-Fa-f]{4}),?([0-9A-Fa-f]{4})\)?\Z")
_TABLES: Final = "_dicom_dict.py"

_Row: TypeAlias = tuple[str, str, str, str, str]
"""VR, value multiplicity, name, "Retired" or nothing, keyword."""


@dataclass(frozen=True, slots=True)
class _Dictionary:
    rows: Mapping[int, _Row]
    repeating: tuple[tuple[int, int, _Row], ...]
    """Mask, tag under the mask, and row of tags such as 60xx3000."""
    tags: Mapping[str, int]

    def row(self, tag: int) -> _Row | None:
        found = self.rows.get(tag)
        if found is None:
            found = next((row for mask, masked, row in self.repeating if tag & mask == masked), None)
        return found


@cache
def _dictionary() -> _Dictionary:
    # The tables alone: the package around them would bring numpy, half again of what a node needs at rest.
    package = find_spec("pydicom")
    folder = package.submodule_search_locations if package else None
    spec = spec_from_file_location("radfuse_dicom_tables", Path(folder[0]) / _TABLES) if folder else None
    if spec is None or spec.loader is None:
        raise ConfigurationError("pydicom", "the package is not installed")
    tables = module_from_spec(spec)
    spec.loader.exec_module(tables)
    rows: dict[int, _Row] = tables.DicomDictionary
    repeaters: dict[str, _Row] = tables.RepeatersDictionary
    return _Dictionary(
        rows,
        tuple(
            (int("".join("0" if digit == "x" else "F" for digit in tag), 16), int(tag.replace("x", "0"), 16), row)
            for tag, row in repeaters.items()
        ),
        {row[4]: tag for tag, row in rows.items()},
    )


def tag_of(keyword_or_hex: str) -> int:
    """The tag of a keyword ("PatientName") or of hexadecimal digits ("00100010", "0010,0010", "(0010,0010)").

    Raises ConfigurationError for what is neither.
    """
    text = keyword_or_hex.strip()
    tag = _dictionary().tags.get(text) if text else None
    if tag is not None:
        return tag
    if match := _TAG.match(text):
        return int(match[1] + match[2], 16)
    raise ConfigurationError(
        "attribute", f"{keyword_or_hex!r} is neither a keyword of the standard nor a tag such as 0010,0020"
    )


def keyword_of(tag: int) -> str:
    """The keyword of ``tag``, or its eight hexadecimal digits when the standard has none."""
    row = _dictionary().row(tag)
    return (row[4] if row else "") or f"{tag:08X}"


def name_of(tag: int) -> str:
    """The name of ``tag`` ("Patient's Name"), "" when the standard has none."""
    row = _dictionary().row(tag)
    return row[2] if row else ""


@lru_cache(maxsize=8192)
def vr_of(tag: int) -> str:
    """The VR of ``tag`` (the first where the standard allows several), "UL" of group lengths, else "UN"."""
    element = tag & 0xFFFF
    if element == 0:
        return "UL"
    if tag >> 16 & 1:
        return "LO" if 0x0010 <= element <= 0x00FF else "UN"
    row = _dictionary().row(tag)
    return row[0].split(" or ")[0] if row else "UN"
