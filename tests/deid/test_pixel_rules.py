"""Rules by device: those that come along, files of one's own, and what is wrong with them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radfuse.core.errors import ConfigurationError
from radfuse.deid.pixels import Picture, PixelPolicy, load_rules
from radfuse.deid.pixels.rectangles import Rectangle, outside
from radfuse.deid.pixels.rules import built_in_rules, rules_of

PICTURE = Picture(
    "1.2.840.10008.5.1.4.1.1.6.1", "US", "ACME Medical", "Echo 5", "1.0", ("ORIGINAL", "PRIMARY"), 480, 640
)
RULE: dict[str, Any] = {
    "name": "header",
    "manufacturer": "acme*",
    "rows": 480,
    "columns": 640,
    "blank": [[0, 0, 640, 40]],
}


def rule(**changes: Any) -> Any:
    return rules_of({"rules": [RULE | changes]}, "test")[0]


def test_every_rule_that_comes_along_says_why() -> None:
    assert built_in_rules()
    assert all(each.name and each.why for each in built_in_rules())


def test_a_rule_of_rectangles_says_what_goes() -> None:
    assert rule().blanked == (Rectangle(0, 0, 640, 40),)
    kept = rules_of({"rules": [{**_without("blank"), "keep": [[0, 40, 640, 440]]}]}, "test")[0]
    assert kept.blanked == rule().blanked


def _without(name: str) -> dict[str, Any]:
    return {key: value for key, value in RULE.items() if key != name}


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ({}, True),
        ({"manufacturer": "other"}, False),
        ({"manufacturer": "medical"}, False),
        ({"model": "echo ?"}, True),
        ({"software": "2*"}, False),
        ({"modality": "us"}, True),
        ({"modality": "OP"}, False),
        ({"image_type": "primary"}, True),
        ({"image_type": "secondary"}, False),
        ({"sop_class": "1.2.840.10008.5.1.4.1.1.6.1"}, True),
        ({"sop_class": "1.2.840.10008.5.1.4.1.1.7"}, False),
    ],
)
def test_a_rule_fits_when_everything_that_it_names_does(changes: dict[str, Any], fits: bool) -> None:
    assert rule(**changes).fits(PICTURE) is fits


def test_a_rule_holds_for_its_size_of_picture_only() -> None:
    assert not rule().fits(replace(PICTURE, rows=481))
    assert not rule().fits(replace(PICTURE, columns=800))


def test_ones_own_rules_go_before_those_that_come_along() -> None:
    slides = replace(PICTURE, sop_class_uid="1.2.840.10008.5.1.4.1.1.77.1.6", modality="SM", image_type=("VOLUME",))
    assert PixelPolicy().rule_for(slides) in built_in_rules()
    own = rule(modality="SM")
    assert PixelPolicy((own,)).rule_for(slides) is own


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("header", "not a table"),
        ({**RULE, "colour": "red"}, "nobody knows 'colour'"),
        (_without("name"), "no name"),
        (_without("manufacturer"), "fits every picture"),
        ({**RULE, "manufacturer": "*"}, "fits every picture"),
        ({**RULE, "manufacturer": 5}, "not a text"),
        ({**RULE, "rows": "480"}, "not a number"),
        ({**RULE, "rows": -1}, "not a number"),
        ({**RULE, "rows": True}, "not a number"),
        (_without("rows"), "say rows and columns"),
        (_without("blank"), "exactly one of"),
        ({**RULE, "keep": [[0, 0, 1, 1]]}, "exactly one of"),
        ({**_without("blank"), "clean": False}, "only be true"),
        ({**_without("blank"), "keep": [[0, 0, 640, 480]]}, "keeps the whole"),
        ({**RULE, "blank": []}, "not a list of rectangles"),
        ({**RULE, "blank": [[0, 0, 640]]}, "left, top, width, height"),
        ({**RULE, "blank": [[0, 0, 640.0, 4]]}, "left, top, width, height"),
        ({**RULE, "blank": [[0, 0, 641, 4]]}, "not within"),
        ({**RULE, "blank": [[0, 0, 0, 4]]}, "not within"),
    ],
)
def test_a_rule_that_is_wrong_is_refused_with_its_place(row: Any, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence) as caught:
        rules_of({"rules": [RULE, row]}, "own.json")
    assert "own.json, rule 2" in str(caught.value)


def test_a_file_may_be_json_or_toml(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text(json.dumps({"rules": [RULE]}))
    (tmp_path / "own.toml").write_text(
        '[[rules]]\nname = "header"\nmanufacturer = "acme*"\nrows = 480\ncolumns = 640\nblank = [[0, 0, 640, 40]]\n'
    )
    assert load_rules(tmp_path / "own.json") == load_rules(tmp_path / "own.toml") == (rule(),)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("own.json", b"{", "not what its ending says"),
        ("own.toml", b"=", "not what its ending says"),
        ("own.json", b"\xff", "not what its ending says"),
        ("own.json", b"[]", 'a list "rules"'),
        ("own.json", b'{"rules": [], "more": 1}', "nothing else"),
        ("own.json", b" " * (1 << 20) + b"{}", "longer than"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigurationError, match=sentence):
        load_rules(tmp_path / name)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_rules(tmp_path / "none.json")


# --- rectangles ----------------------------------------------------------------------------------

ROWS, COLUMNS = 12, 9


@st.composite
def rectangles(draw: st.DrawFn) -> Rectangle:
    left, top = draw(st.integers(0, COLUMNS - 1)), draw(st.integers(0, ROWS - 1))
    return Rectangle(left, top, draw(st.integers(left + 1, COLUMNS)), draw(st.integers(top + 1, ROWS)))


def pixels(rectangle: Rectangle) -> set[tuple[int, int]]:
    rows, columns = range(rectangle.top, rectangle.bottom), range(rectangle.left, rectangle.right)
    return {(row, column) for row in rows for column in columns}


@given(st.lists(rectangles(), max_size=5))
def test_what_is_kept_and_what_is_beside_it_are_the_whole_picture(kept: list[Rectangle]) -> None:
    beside = outside(kept, ROWS, COLUMNS)
    everything = pixels(Rectangle(0, 0, COLUMNS, ROWS))
    inside = set[tuple[int, int]]().union(*map(pixels, kept))
    assert set[tuple[int, int]]().union(*map(pixels, beside)) == everything - inside
    assert sum(each.area for each in beside) == len(everything - inside)
    assert all(each.is_within(ROWS, COLUMNS) for each in beside)
