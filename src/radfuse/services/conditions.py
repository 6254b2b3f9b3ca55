"""Conditions of rules as data: no code, bounded time, every attribute of an object's header.

    {"all": [{"attribute": "Modality", "in": ["CT", "PT"]},
             {"not": {"attribute": "StudyDescription", "matches": "*PHANTOM*"}}]}

A condition is one comparison, or ``all``, ``any`` or ``not`` of others. A comparison holds when any
value of the attribute fits (PS3.4 section C.2.2.2 says how text, names, dates and times compare);
an attribute that is absent or empty fits nothing but ``exists = false``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from radfuse.core.errors import ConfigurationError
from radfuse.services.comparisons import Attribute, Facts, comparison_from, is_indexed

_MAX_DEPTH: Final = 8
_MAX_PARTS: Final = 200


# --- the kinds of condition ----------------------------------------------------------------------


class Condition(Protocol):
    """Holds or does not, for one object."""

    @property
    def attributes(self) -> frozenset[Attribute]:
        """What it looks at."""

    def holds(self, facts: Facts) -> bool:
        """Whether the object fits. Raises what reading its header raises."""


@dataclass(frozen=True, slots=True)
class Group:
    """``all`` or ``any`` of several conditions; those that need no header are asked first."""

    parts: tuple[Condition, ...]
    needs_all: bool

    @property
    def attributes(self) -> frozenset[Attribute]:
        """What they look at."""
        return frozenset().union(*(part.attributes for part in self.parts))

    def holds(self, facts: Facts) -> bool:
        """Whether the object fits."""
        for part in self.parts:
            if part.holds(facts) is not self.needs_all:
                return not self.needs_all
        return self.needs_all


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    part: Condition

    @property
    def attributes(self) -> frozenset[Attribute]:
        """What it looks at."""
        return self.part.attributes

    def holds(self, facts: Facts) -> bool:
        """Whether the object fits."""
        return not self.part.holds(facts)


ALWAYS: Final = Group((), needs_all=True)
"""Holds for every object."""


# --- from data -----------------------------------------------------------------------------------


def condition_from(data: object, where: str) -> Condition:
    """The condition that ``data`` (a table of TOML, an object of JSON) says.

    Raises ConfigurationError naming the key, from ``where`` on, that makes no sense.
    """
    return _Reader().condition(data, where, _MAX_DEPTH)


class _Reader:
    """Reads one condition; counts its parts."""

    def __init__(self) -> None:
        self._parts_left = _MAX_PARTS

    def condition(self, data: object, where: str, depth: int) -> Condition:
        self._parts_left -= 1
        if depth == 0 or self._parts_left < 0:
            raise ConfigurationError(
                where, f"conditions are nested deeper than {_MAX_DEPTH} or are more than {_MAX_PARTS}"
            )
        if not isinstance(data, Mapping) or not data:
            raise ConfigurationError(where, 'not a condition; write { attribute = "Modality", equals = "CT" }')
        if "attribute" in data:
            return comparison_from(data, where)
        if len(data) > 1:
            raise ConfigurationError(where, f"{_listed(data)} together; use one of all, any, not")
        ((kind, inside),) = data.items()
        here = f"{where}.{kind}"
        if kind == "not":
            return Not(self.condition(inside, here, depth - 1))
        if kind not in ("all", "any"):
            raise ConfigurationError(here, "unknown; a condition is all, any, not, or has an attribute")
        if not isinstance(inside, list | tuple) or not inside:
            raise ConfigurationError(here, "needs a list of conditions")
        parts = [self.condition(part, f"{here}[{place}]", depth - 1) for place, part in enumerate(inside)]
        return Group(tuple(sorted(parts, key=_needs_header)), needs_all=kind == "all")


def _needs_header(condition: Condition) -> bool:
    return not all(len(attribute.path) == 1 and is_indexed(attribute.tag) for attribute in condition.attributes)


def _listed(data: Mapping[Any, object]) -> str:
    return ", ".join(map(str, data))
