"""Frozen dataclasses through JSON and back."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

import pytest

from radfuse.volume.plain import from_plain, to_plain


class Colour(StrEnum):
    RED = "red"


class Rank(IntEnum):
    FIRST = 1


@dataclass(frozen=True)
class Inner:
    name: str
    size_mm: float


@dataclass(frozen=True)
class Outer:
    colour: Colour
    rank: Rank
    inner: Inner | None
    several: tuple[Inner, ...]
    pair: tuple[int, str]
    when: datetime.datetime | None
    day: datetime.date
    by_name: dict[str, float]
    either: float | str
    flags: list[bool] = field(default_factory=list)


WHOLE = Outer(
    Colour.RED,
    Rank.FIRST,
    Inner("a", 2.0),
    (Inner("b", 1e-300), Inner("c", 0.1)),
    (1, "x"),
    datetime.datetime(2026, 2, 3, 4, 5, 6, 789),
    datetime.date(2026, 2, 3),
    {"k": 1.5},
    "text",
    [True, False],
)


def test_a_value_comes_back_equal_and_of_the_same_types() -> None:
    back = from_plain(Outer, json.loads(json.dumps(to_plain(WHOLE))))
    assert back == WHOLE
    assert isinstance(back.rank, Rank)
    assert isinstance(back.inner, Inner)


def test_what_is_left_out_stays_left_out() -> None:
    bare = Outer(Colour.RED, Rank.FIRST, None, (), (0, ""), None, datetime.date(1, 1, 1), {}, 1.0)
    assert from_plain(Outer, to_plain(bare)) == bare


@pytest.mark.parametrize(
    ("kind", "plain"),
    [(int, "1"), (tuple[int, ...], 1), (Colour, "blue"), (Inner, {"name": "x", "wrong": 1}), (int | None, "x")],
)
def test_another_shape_is_an_error(kind: object, plain: object) -> None:
    with pytest.raises((TypeError, ValueError, KeyError)):
        from_plain(kind, plain)


def test_what_json_cannot_hold_is_an_error() -> None:
    with pytest.raises(TypeError):
        to_plain(object())
