"""One comparison of a condition: an attribute, an operator, and what it is compared with.

PS3.4 section C.2.2.2 says how text, names, dates and times compare. An attribute that is absent or
empty fits nothing but ``exists = false``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from radfuse.archive import queries
from radfuse.core.errors import ConfigurationError, InvalidQuery
from radfuse.dicom import Element, Identifier
from radfuse.dicom.words import fold_groups, keyword_of

SOURCE_AE_TITLE: Final = 0x0002_0016
"""Source Application Entity Title: who sent the object to us, as recorded in its file meta information."""
_SPECIFIC_CHARACTER_SET: Final = 0x0008_0005

_MAX_LISTED: Final = 1000
_MAX_PATH: Final = 8
_FIRST_OF_DATA_SET: Final = 0x0008_0000
_LAST_OF_HEADER: Final = 0x7FDF_FFFF
_BINARY: Final = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN", "AT"})
_NUMBERS: Final = frozenset({"IS", "DS", "US", "SS", "UL", "SL", "FL", "FD", "UV", "SV"})
_SPANS: Final = frozenset({"DA", "TM", "DT"})
_WILD: Final = frozenset({"AE", "AS", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UI", "UR", "UT"})

Test = Callable[[str], bool]
"""Whether one value fits."""


class Facts(Protocol):
    """What is known of one object."""

    def indexed(self, tag: int) -> tuple[str, ...] | None:
        """The values of an attribute that need no look at the object's file; None for any other attribute."""

    def header(self) -> Identifier:
        """The object's header, read when first needed."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute, or one inside the items of sequences: ``path`` are the tags from the outermost on."""

    path: tuple[int, ...]
    vr: str

    @property
    def tag(self) -> int:
        """Where to look in the data set itself."""
        return self.path[0]

    def __str__(self) -> str:
        """As it is written in a rule."""
        return ".".join(keyword_of(tag) for tag in self.path)

    def values(self, facts: Facts) -> tuple[str, ...]:
        """Every value of it, in all items."""
        if len(self.path) == 1:
            indexed = facts.indexed(self.tag)
            if indexed is not None:
                return indexed
        return tuple(_values(facts.header(), self.path))


def _values(identifier: Identifier, path: Sequence[int]) -> Iterator[str]:
    element = identifier.get(path[0])
    if element is None:
        return
    if len(path) == 1:
        yield from filter(str.strip, element.values)
    for item in element.items:
        if len(path) > 1:
            yield from _values(item, path[1:])
        else:
            yield "item"  # a sequence exists by its items


@dataclass(frozen=True, slots=True)
class Comparison:
    """Any value of the attribute fits; without a test: there is a value."""

    attribute: Attribute
    test: Test | None
    expected: bool = True

    @property
    def attributes(self) -> frozenset[Attribute]:
        """What it looks at."""
        return frozenset({self.attribute})

    def holds(self, facts: Facts) -> bool:
        """Whether the object fits."""
        values = self.attribute.values(facts)
        found = bool(values) if self.test is None else any(map(self.test, values))
        return found is self.expected


def is_indexed(tag: int) -> bool:
    """Whether an attribute is known without reading the object's header."""
    return tag in queries.INDEX_KEYS or tag == SOURCE_AE_TITLE


def comparison_from(data: Mapping[Any, object], where: str) -> Comparison:
    """The comparison that a table with ``attribute`` says. Raises ConfigurationError naming the wrong key."""
    attribute = _attribute(data["attribute"], f"{where}.attribute")
    operators = [key for key in data if key != "attribute"]
    for key in operators:
        if key not in _OPERATORS:
            raise ConfigurationError(f"{where}.{key}", f"unknown; known are {', '.join(_OPERATORS)}")
    if len(operators) != 1:
        raise ConfigurationError(where, f"needs exactly one of {', '.join(_OPERATORS)}")
    (operator,) = operators
    here = f"{where}.{operator}"
    if operator != "exists" and attribute.vr in _BINARY | {"SQ"}:
        raise ConfigurationError(here, f"{attribute} (VR {attribute.vr}) has no values to compare; use exists")
    return _OPERATORS[operator](attribute, data[operator], here)


def _attribute(name: object, where: str) -> Attribute:
    if not isinstance(name, str):
        raise ConfigurationError(where, "needs a DICOM keyword, or a tag such as 0010,0020, as text")
    parts = name.split(".")
    if len(parts) > _MAX_PATH:
        raise ConfigurationError(where, f"more than {_MAX_PATH} levels of sequences")
    try:
        elements = [Element.of(part) for part in parts]
    except ConfigurationError as error:
        raise ConfigurationError(where, error.reason) from error
    *outer, last = elements
    for element in outer:
        if element.vr not in ("SQ", "UN"):
            raise ConfigurationError(where, f"{keyword_of(element.tag)} is no sequence")
    attribute = Attribute(tuple(element.tag for element in elements), _vr_of(last))
    _check_place(attribute, where)
    return attribute


def _vr_of(element: Element) -> str:
    """Private attributes are text of some kind, as far as they can be compared."""
    is_private = bool(element.tag >> 16 & 1)
    return "LO" if is_private and element.vr == "UN" else element.vr


def _check_place(attribute: Attribute, where: str) -> None:
    if attribute.path == (SOURCE_AE_TITLE,):
        return
    if not all(_FIRST_OF_DATA_SET <= tag <= _LAST_OF_HEADER for tag in attribute.path):
        raise ConfigurationError(where, f"{attribute} is not in the header of an object")
    if attribute.path[-1] == _SPECIFIC_CHARACTER_SET:
        raise ConfigurationError(where, f"{attribute} only says how other attributes are written")
    if len(attribute.path) == 1 and queries.is_counted(attribute.tag):
        raise ConfigurationError(where, f"{attribute} is the answer to a query, not an attribute of objects")


# --- operators -----------------------------------------------------------------------------------


def _text_of(value: object, where: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float) or str(value).strip() == "":
        raise ConfigurationError(where, "needs a text or a number")
    return str(value)


def _equals(attribute: Attribute, value: object, where: str) -> Comparison:
    return Comparison(attribute, _equal_to(attribute, _text_of(value, where), where))


def _in(attribute: Attribute, value: object, where: str) -> Comparison:
    if not isinstance(value, list | tuple) or not value:
        raise ConfigurationError(where, "needs a list of values")
    if len(value) > _MAX_LISTED:
        raise ConfigurationError(where, f"more than {_MAX_LISTED} values")
    tests = [
        _equal_to(attribute, _text_of(each, f"{where}[{place}]"), f"{where}[{place}]")
        for place, each in enumerate(value)
    ]
    return Comparison(attribute, lambda found: any(test(found) for test in tests))


def _equal_to(attribute: Attribute, wanted: str, where: str) -> Test:
    vr = attribute.vr
    if vr == "PN":
        folded = _name_groups(wanted)
        return lambda found: _name_groups(found) == folded
    if vr in _NUMBERS:
        number = _number(wanted, where)
        return lambda found: _as_number(found) == number
    key = queries.comparable(vr, wanted)
    if vr in _SPANS and not key:
        raise ConfigurationError(where, f"{wanted!r} is no value of {attribute} (VR {vr})")
    return lambda found: queries.comparable(vr, found) == key


def _name_groups(name: str) -> tuple[str, ...]:
    return tuple(group.rstrip("^ ") for group in fold_groups(name))


def _matches(attribute: Attribute, value: object, where: str) -> Comparison:
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(where, "needs a text in which * means any characters and ? any one")
    vr = attribute.vr
    if vr not in _WILD:
        raise ConfigurationError(where, f"{attribute} (VR {vr}) is not matched by wildcards; use equals, in or range")
    try:
        return Comparison(attribute, _fits(vr, value))
    except InvalidQuery as error:
        raise ConfigurationError(where, error.reason) from error


def _fits(vr: str, pattern: str) -> Test | None:
    if vr == "PN":
        names = queries.name_criteria([pattern])
        if not names:
            return None
        return lambda found: any(name.matches(fold_groups(found)) for name in names)
    # UIDs and ages have no wildcards in queries; here a pattern is the way to name a root.
    as_text = vr if vr not in ("UI", "AS") else "LO"
    wanted = queries.criteria(as_text, [pattern])
    if wanted is None:
        return None
    return lambda found: wanted.matches(queries.comparable(as_text, found))


def _range(attribute: Attribute, value: object, where: str) -> Comparison:
    if not isinstance(value, list | tuple) or len(value) != len(("from", "to")):
        raise ConfigurationError(where, 'needs a list of two, the first and the last; "" is open')
    low, high = ("" if each == "" else _text_of(each, f"{where}[{place}]") for place, each in enumerate(value))
    if not low and not high:
        raise ConfigurationError(where, "is open at both ends; use exists")
    if attribute.vr in _NUMBERS:
        bounds = (
            _number(low, f"{where}[0]") if low else float("-inf"),
            _number(high, f"{where}[1]") if high else float("inf"),
        )
        return Comparison(attribute, _between(*_ordered(*bounds, where)))
    if attribute.vr not in _SPANS:
        raise ConfigurationError(where, f"{attribute} (VR {attribute.vr}) has no order; use equals, in or matches")
    return Comparison(attribute, _within(attribute, low, high, where))


def _ordered(low: float, high: float, where: str) -> tuple[float, float]:
    if low > high:
        raise ConfigurationError(where, "ends before it begins")
    return low, high


def _between(low: float, high: float) -> Test:
    def test(found: str) -> bool:
        number = _as_number(found)
        return number is not None and low <= number <= high

    return test


def _within(attribute: Attribute, low: str, high: str, where: str) -> Test:
    vr = attribute.vr
    for place, bound in enumerate((low, high)):
        if bound and not queries.comparable(vr, bound):
            raise ConfigurationError(f"{where}[{place}]", f"{bound!r} is no value of {attribute} (VR {vr})")
    if low and high and queries.comparable(vr, low) > queries.comparable(vr, high):
        raise ConfigurationError(where, "ends before it begins")
    try:
        wanted = queries.criteria(vr, [f"{low}-{high}"])
    except InvalidQuery as error:
        raise ConfigurationError(where, error.reason) from error
    return lambda found: wanted is not None and wanted.matches(queries.comparable(vr, found))


def _exists(attribute: Attribute, value: object, where: str) -> Comparison:
    if not isinstance(value, bool):
        raise ConfigurationError(where, "needs true or false")
    return Comparison(attribute, None, expected=value)


def _number(text: str, where: str) -> float:
    number = _as_number(text)
    if number is None:
        raise ConfigurationError(where, f"{text!r} is not a number")
    return number


def _as_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


_OPERATORS: Final[Mapping[str, Callable[[Attribute, object, str], Comparison]]] = {
    "equals": _equals,
    "in": _in,
    "matches": _matches,
    "range": _range,
    "exists": _exists,
}
