"""The attributes that an IOD demands: PS3.3's module tables as highdicom bundles them, as a plan to walk.

Only the JSON beside highdicom is read; the library itself is never imported.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from pydicom.datadict import tag_for_keyword

from radfuse.core.errors import ConfigurationError

_STRICTNESS: Final = {"1": 5, "2": 4, "1C": 3, "2C": 2, "3": 1}
_LABEL_MAP: Final = "1.2.840.10008.5.1.4.1.1.66.7"

_BY_HAND: Final = frozenset({"sr-document-content", "key-object-document-content"})
"""Content trees depend on the type of each item: content.py walks them."""

_GROUPS: Final = frozenset({"SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"})
"""Their items hold macros that each IOD demands in one or the other: functional_groups.py knows which."""

_LENIENT: Final = frozenset({("multi-frame", "FrameIncrementPointer")})
"""Where IODs say otherwise: NM demands it always (C.8.4.8), captures of several frames only (C.8.6.3)."""

WRITTEN_CLASSES: Final = (
    "1.2.840.10008.5.1.4.1.1.2",
    "1.2.840.10008.5.1.4.1.1.4",
    "1.2.840.10008.5.1.4.1.1.20",
    "1.2.840.10008.5.1.4.1.1.128",
    "1.2.840.10008.5.1.4.1.1.7",
    "1.2.840.10008.5.1.4.1.1.7.1",
    "1.2.840.10008.5.1.4.1.1.7.2",
    "1.2.840.10008.5.1.4.1.1.7.3",
    "1.2.840.10008.5.1.4.1.1.7.4",
    "1.2.840.10008.5.1.4.1.1.11.1",
    "1.2.840.10008.5.1.4.1.1.11.3",
    "1.2.840.10008.5.1.4.1.1.11.4",
    "1.2.840.10008.5.1.4.1.1.66.1",
    "1.2.840.10008.5.1.4.1.1.66.3",
    "1.2.840.10008.5.1.4.1.1.66.4",
    _LABEL_MAP,
    "1.2.840.10008.5.1.4.1.1.88.33",
    "1.2.840.10008.5.1.4.1.1.88.59",
    "1.2.840.10008.5.1.4.1.1.104.1",
    "1.2.840.10008.5.1.4.1.1.481.3",
)
"""The SOP classes of what we write: their plans are made together, since reading the tables takes most of it."""


@dataclass(slots=True)
class Level:
    """The attributes of a data set, or of the items of a sequence."""

    types: dict[int, str] = field(default_factory=dict)
    """Tag to type: 1, 1C, 2, 2C or 3 (PS3.5 section 7.4)."""
    items: dict[int, Level] = field(default_factory=dict)
    """What the items of a sequence hold."""
    required: tuple[tuple[int, bool], ...] = ()
    """Tags of type 1 (True: with a value) and 2 (False)."""

    def merge(self, other: Level) -> None:
        """Take over another module's attributes; the stricter type wins."""
        for tag, kind in other.types.items():
            if _STRICTNESS[kind] > _STRICTNESS.get(self.types.get(tag, ""), 0):
                self.types[tag] = kind
        for tag, level in other.items.items():
            self.items.setdefault(tag, Level()).merge(level)

    def close(self) -> Level:
        """Work out what is required, here and below."""
        self.required = tuple((tag, kind == "1") for tag, kind in sorted(self.types.items()) if kind in ("1", "2"))
        for level in self.items.values():
            level.close()
        return self


@dataclass(frozen=True, slots=True)
class Module:
    """A module of an IOD that need not be there: it is, once one of the attributes of its own is."""

    name: str
    own: frozenset[int]
    level: Level


@dataclass(frozen=True, slots=True)
class Plan:
    """An IOD: its mandatory modules together, and the others."""

    iod: str
    always: Level
    optional: tuple[Module, ...]
    modules: frozenset[str]

    def level_for(self, tags: Iterable[int], wanted: frozenset[str]) -> Level:
        """What a data set with these tags must hold; ``wanted`` names optional modules that must be there."""
        here = frozenset(tags)
        present = tuple(m.name for m in self.optional if m.name in wanted or not m.own.isdisjoint(here))
        return _level(self, present)


_levels: dict[tuple[str, tuple[str, ...]], Level] = {}


def _level(plan: Plan, present: tuple[str, ...]) -> Level:
    """One slice of a series is as the other: what was worked out for one serves all."""
    key = (plan.iod, present)
    if key not in _levels:
        level = Level()
        level.merge(plan.always)
        for module in plan.optional:
            if module.name in present:
                level.merge(module.level)
        _levels[key] = level.close()
    return _levels[key]


def plan_of(sop_class_uid: str) -> Plan | None:
    """The plan of a SOP class; None when the tables do not know it. Raises ConfigurationError without tables."""
    plans = _plans(WRITTEN_CLASSES if sop_class_uid in WRITTEN_CLASSES else (sop_class_uid,))
    return plans.get(sop_class_uid)


def _read(name: str) -> dict[str, Any]:
    spec = importlib.util.find_spec("highdicom")
    places = list(spec.submodule_search_locations or ()) if spec else []
    try:
        content: dict[str, Any] = json.loads(Path(places[0], "_standard", name).read_bytes())
    except (IndexError, OSError, ValueError) as error:
        raise ConfigurationError("highdicom", "its tables of the standard are not there: reinstall it") from error
    return content


@cache
def _plans(sop_class_uids: tuple[str, ...]) -> dict[str, Plan]:
    iod_of, modules_of, attributes_of = (
        _read(f"{name}.json") for name in ("sop_class_iod_map", "iod_module_map", "module_attribute_map")
    )
    levels: dict[str, Level] = {}

    def level_of(module: str) -> Level:
        if module not in levels:
            levels[module] = _module_level(
                {**it, "type": "1C"} if (module, it["keyword"]) in _LENIENT else it
                for it in attributes_of.get(module, ())
            )
        return levels[module]

    plans = {}
    for uid in sop_class_uids:
        if uid in iod_of:
            used = [m for m in modules_of[iod_of[uid]] if m["key"] not in _BY_HAND]
            plans[uid] = _plan(iod_of[uid], [(m["key"], m["usage"], level_of(m["key"])) for m in used])
    return plans


def _plan(iod: str, modules: list[tuple[str, str, Level]]) -> Plan:
    always = Level()
    for _, usage, level in modules:
        if usage == "M":
            always.merge(level)
    optional = []
    for name, usage, level in modules:
        if usage != "M":
            others = {tag for other, _, its in modules if other != name for tag in its.types}
            own = frozenset(level.types) - others or frozenset(level.types) - frozenset(always.types)
            optional.append(Module(name, own, level))
    return Plan(iod, always, tuple(optional), frozenset(name for name, _, _ in modules))


def _module_level(attributes: Iterable[dict[str, Any]]) -> Level:
    root = Level()
    for attribute in attributes:
        tag = tag_for_keyword(attribute["keyword"])
        level = _descend(root, attribute["path"])
        if tag is None or level is None:  # groups 50xx and 60xx, which we do not write
            continue
        kind = attribute["type"] if attribute["type"] in _STRICTNESS else "3"
        if attribute["path"] and attribute["path"][-1] in _GROUPS:
            kind = "3"
        if _STRICTNESS[kind] > _STRICTNESS.get(level.types.get(tag, ""), 0):
            level.types[tag] = kind
    return root


def _descend(level: Level, path: Iterable[str]) -> Level | None:
    for keyword in path:
        tag = tag_for_keyword(keyword)
        if tag is None:
            return None
        level = level.items.setdefault(tag, Level())
    return level
