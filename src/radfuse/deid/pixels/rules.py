"""Rules by device: where the text is in its pictures, as data; those that come along, and files of one's own."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from radfuse.core.errors import ConfigurationError
from radfuse.deid.pixels.picture import Picture
from radfuse.deid.pixels.rectangles import Rectangle, outside

_TEXTS: Final = ("modality", "manufacturer", "model", "software", "sop_class", "image_type")
_NUMBERS: Final = ("rows", "columns")
_KNOWN: Final = frozenset((*_TEXTS, *_NUMBERS, "name", "why", "blank", "keep", "clean"))
_WHERE: Final = "pixel rules"
_LONGEST_FILE_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class PixelRule:
    """What holds for the pictures of one kind of device.

    Texts are patterns (``*``, ``?``, without regard to case) of the whole value, ``image_type`` of one of
    its values; an empty one fits everything. Either ``blanked`` says what is taken out, or ``is_clean``
    that there is nothing to take out.
    """

    name: str
    why: str = ""
    modality: str = ""
    manufacturer: str = ""
    model: str = ""
    software: str = ""
    sop_class: str = ""
    image_type: str = ""
    rows: int = 0
    columns: int = 0
    blanked: tuple[Rectangle, ...] = ()
    is_clean: bool = False

    def fits(self, picture: Picture) -> bool:
        """Whether it is a rule for this picture."""
        if (self.rows and self.rows != picture.rows) or (self.columns and self.columns != picture.columns):
            return False
        pairs = (
            (self.modality, picture.modality),
            (self.sop_class, picture.sop_class_uid),
            (self.manufacturer, picture.manufacturer),
            (self.model, picture.model),
            (self.software, picture.software),
        )
        if not all(_is_like(value, pattern) for pattern, value in pairs if pattern):
            return False
        return not self.image_type or any(_is_like(value, self.image_type) for value in picture.image_type)


def _is_like(value: str, pattern: str) -> bool:
    return fnmatchcase(value.casefold(), pattern.casefold())


@cache
def built_in_rules() -> tuple[PixelRule, ...]:
    """Those that come with the package."""
    text = (files("radfuse.deid") / "data" / "pixel_rules.json").read_text(encoding="utf-8")
    return rules_of(json.loads(text), "pixel_rules.json")


def load_rules(path: Path) -> tuple[PixelRule, ...]:
    """The rules of a JSON or TOML file. Raises ConfigurationError, which says what is wrong with which rule."""
    try:
        with path.open("rb") as stream:
            content = stream.read(_LONGEST_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(_WHERE, f"{path.name} cannot be read: {error.strerror}") from None
    if len(content) > _LONGEST_FILE_BYTES:
        raise ConfigurationError(_WHERE, f"{path.name} is longer than 1 MiB")
    try:
        text = content.decode("utf-8")
        data = tomllib.loads(text) if path.suffix.lower() == ".toml" else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(_WHERE, f"{path.name} is not what its ending says: {error}") from None
    return rules_of(data, path.name)


def rules_of(data: Any, source: str) -> tuple[PixelRule, ...]:
    """The rules in a table with the one key ``rules``. Raises ConfigurationError."""
    rules = data.get("rules") if isinstance(data, Mapping) else None
    if not isinstance(rules, list) or set(data) != {"rules"}:
        raise ConfigurationError(_WHERE, f'{source} must hold a list "rules" and nothing else')
    return tuple(_Reading(row, f"{source}, rule {count}").rule() for count, row in enumerate(rules, 1))


@dataclass(frozen=True, slots=True)
class _Reading:
    """One rule of a file, checked."""

    row: Any
    place: str

    def _wrong(self, what: str) -> ConfigurationError:
        return ConfigurationError(_WHERE, f"{self.place}: {what}")

    def rule(self) -> PixelRule:
        row = self.row
        if not isinstance(row, Mapping):
            raise self._wrong("it is not a table")
        unknown = sorted(set(row) - _KNOWN)
        if unknown:
            raise self._wrong(f"nobody knows {unknown[0]!r}; known are {', '.join(sorted(_KNOWN))}")
        texts: dict[str, Any] = {name: self._text(name) for name in (*_TEXTS, "name", "why")}
        if not texts["name"]:
            raise self._wrong("it has no name")
        if not any(texts[name].strip("*") for name in _TEXTS):
            raise self._wrong("it fits every picture; say at least one of " + ", ".join(_TEXTS))
        numbers = {name: self._number(name) for name in _NUMBERS}
        blanked, is_clean = self._what(numbers["rows"], numbers["columns"])
        return PixelRule(**texts, rows=numbers["rows"], columns=numbers["columns"], blanked=blanked, is_clean=is_clean)

    def _text(self, name: str) -> str:
        value = self.row.get(name, "")
        if not isinstance(value, str):
            raise self._wrong(f"{name} is not a text")
        return value.strip()

    def _number(self, name: str) -> int:
        value = self.row.get(name, 0)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 16:
            raise self._wrong(f"{name} is not a number of pixels")
        return value

    def _what(self, rows: int, columns: int) -> tuple[tuple[Rectangle, ...], bool]:
        said = [name for name in ("blank", "keep", "clean") if name in self.row]
        if len(said) != 1:
            raise self._wrong("it must say exactly one of blank, keep and clean")
        if said == ["clean"]:
            if self.row["clean"] is not True:
                raise self._wrong("clean can only be true")
            return (), True
        if not (rows and columns):
            raise self._wrong("rectangles hold for one size of picture only: say rows and columns")
        rectangles = self._rectangles(said[0], rows, columns)
        blanked = rectangles if said == ["blank"] else outside(rectangles, rows, columns)
        if not blanked:
            raise self._wrong("it keeps the whole picture")
        return blanked, False

    def _rectangles(self, name: str, rows: int, columns: int) -> tuple[Rectangle, ...]:
        values = self.row[name]
        if not isinstance(values, list) or not values:
            raise self._wrong(f"{name} is not a list of rectangles")
        found = []
        for value in values:
            if not isinstance(value, list) or len(value) != 4 or not all(type(each) is int for each in value):
                raise self._wrong(f"a rectangle in {name} is not [left, top, width, height]")
            left, top, width, height = value
            rectangle = Rectangle(left, top, left + width, top + height)
            if not rectangle.is_within(rows, columns):
                raise self._wrong(f"a rectangle in {name} is not within {columns} x {rows} pixels")
            found.append(rectangle)
        return tuple(found)
