"""Whether the attributes that an IOD demands are there, at every depth (PS3.5 section 7.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydicom.dataset import Dataset

from radfuse.objects.checking.conditions import conditional, wanted_modules
from radfuse.objects.checking.model import Fault, Path, is_empty
from radfuse.objects.checking.tables import Level, Plan

_CODE_MEANING: Final = 0x0008_0104
_CODES: Final = (0x0008_0100, 0x0008_0119, 0x0008_0120)
"""Code Value, Long Code Value, URN Code Value."""
_SCHEME: Final = 0x0008_0102
_CONTEXT_IDENTIFIER: Final = 0x0008_010F
_WITH_CONTEXT: Final = (0x0008_0105, 0x0008_0106)
"""Mapping Resource and Context Group Version."""


def missing(ds: Dataset, plan: Plan) -> Iterator[Fault]:
    """Attributes of type 1 that are absent or empty, and of type 2 that are absent."""
    level = plan.level_for((int(tag) for tag in ds.keys()), wanted_modules(ds, plan))  # noqa: SIM118
    yield from _missing(ds, level, ())
    yield from conditional(ds, level)


def _missing(ds: Dataset, level: Level, path: Path) -> Iterator[Fault]:
    for tag, with_value in level.required:
        if tag not in ds:
            kind = "1" if with_value else "2"
            yield Fault((*path, tag), f"type {kind}", f"it is missing, and of type {kind}")
        elif with_value and is_empty(ds[tag].value):
            yield Fault((*path, tag), "type 1", "it has no value, and is of type 1")
    if _CODE_MEANING in level.types:
        yield from _code(ds, path)
    for tag, below in level.items.items():
        if tag in ds and ds[tag].VR == "SQ":
            for number, item in enumerate(ds[tag].value or (), start=1):
                yield from _missing(item, below, (*path, tag, f"[{number}]"))


def _code(item: Dataset, path: Path) -> Iterator[Fault]:
    """The conditions of the Code Sequence macro (PS3.3 section 8.8)."""
    here = [tag for tag in _CODES if tag in item and not is_empty(item[tag].value)]
    if len(here) != 1:
        yield Fault((*path, _CODES[0]), "type 1C", "a code needs exactly one of its three kinds of value")
    if here != [_CODES[2]] and (_SCHEME not in item or is_empty(item[_SCHEME].value)):
        yield Fault((*path, _SCHEME), "type 1C", "a code needs its coding scheme")
    if _CONTEXT_IDENTIFIER in item:
        for tag in _WITH_CONTEXT:
            if tag not in item or is_empty(item[tag].value):
                yield Fault((*path, tag), "type 1C", "a code with a context group needs it")
