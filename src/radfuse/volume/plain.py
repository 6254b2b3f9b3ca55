"""Frozen dataclasses as JSON and back, led by their type hints: for what is kept beside cached voxels."""

from __future__ import annotations

import dataclasses
import datetime
import types
import typing
from enum import Enum
from typing import Any


def to_plain(value: Any) -> Any:
    """What JSON can hold. Raises TypeError for a value that is none of ours."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [to_plain(each) for each in value]
    if isinstance(value, dict):
        return {str(to_plain(key)): to_plain(each) for key, each in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value) if field.init}
    raise TypeError(f"{type(value).__name__} cannot be kept as JSON")


def from_plain(kind: Any, plain: Any) -> Any:
    """A value of ``kind`` from what ``to_plain`` made of it. Raises TypeError, ValueError or KeyError."""
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        return _one_of(typing.get_args(kind), plain)
    if origin in (tuple, list):
        return _many(origin, typing.get_args(kind), plain)
    if origin is dict:
        key, value = typing.get_args(kind)
        return {from_plain(key, name): from_plain(value, each) for name, each in plain.items()}
    if kind is Any:
        return plain
    return _single(origin or kind, plain)


def _single(kind: Any, plain: Any) -> Any:
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        return kind(**{name: from_plain(hints[name], value) for name, value in plain.items()})
    if isinstance(kind, type) and issubclass(kind, datetime.date | datetime.time):
        return kind.fromisoformat(plain)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(plain)
    if kind is float and isinstance(plain, int) and not isinstance(plain, bool):
        return float(plain)
    if not (isinstance(kind, type) and isinstance(plain, kind)):
        raise TypeError(f"{kind} was expected")
    return plain


def _many(kind: Any, parts: tuple[Any, ...], plain: Any) -> Any:
    if not isinstance(plain, list):
        raise TypeError("a list was expected")
    if kind is list or parts[1:] == (...,):
        return kind(from_plain(parts[0], each) for each in plain)
    return tuple(from_plain(part, each) for part, each in zip(parts, plain, strict=True))


def _one_of(kinds: tuple[Any, ...], plain: Any) -> Any:
    if plain is None and type(None) in kinds:
        return None
    for kind in kinds:
        if kind is not type(None):
            try:
                return from_plain(kind, plain)
            except (TypeError, ValueError, KeyError):
                continue
    raise TypeError(f"none of {kinds}")
