"""What is drawn over images: shapes and known words under the option, else nothing."""

from __future__ import annotations

import pytest

from radfuse.deid import Option
from radfuse.dicom.tree import Node, Tree
from tests.deid.identifying import as_file
from tests.deid.objects import PRESENTATION_STATE, anonymized, items_of, sequence, text, tree_of

GRAPHICS = Option.GRAPHICS
ANNOTATIONS, LAYERS, TEXTS, DRAWN = 0x0070_0001, 0x0070_0060, 0x0070_0008, 0x0070_0009


def state() -> bytes:
    said = tree_of(text(0x0070_0006, "left kidney of SECRETNAME", "ST"), text(0x0070_0003, "PIXEL", "CS"))
    shape = tree_of(text(0x0070_0023, "CIRCLE", "CS"), Node(0x0070_0022, "FL", b"\0" * 16))
    annotation = tree_of(text(0x0070_0002, "LAYER1", "CS"), sequence(TEXTS, said), sequence(DRAWN, shape))
    layer = tree_of(text(0x0070_0002, "LAYER1", "CS"), text(0x0070_0068, "drawn by SECRETNAME"))
    top = tree_of(
        sequence(ANNOTATIONS, annotation),
        sequence(LAYERS, layer),
        text(0x0070_0080, "SECRETLABEL", "CS"),
        text(0x0070_0081, "SECRET description"),
        text(0x0070_0082, "20231123", "DA"),
        text(0x0070_0083, "101112", "TM"),
        text(0x0070_0084, "SECRET^NAME", "PN"),
    )
    return as_file(top, PRESENTATION_STATE)


def test_without_the_option_a_presentation_state_has_no_annotations() -> None:
    done, tree = anonymized(state())
    assert tree.get(ANNOTATIONS) is None
    assert tree.get(LAYERS) is None
    assert b"SECRET" not in b"".join(done.pieces)
    assert tree.ascii(0x0070_0080) == "ANONYMIZED"
    assert tree.ascii(0x0070_0082) == "19000101"


def test_with_the_option_shapes_and_known_words_stay() -> None:
    done, tree = anonymized(state(), GRAPHICS)
    (annotation,) = items_of(tree, ANNOTATIONS)
    assert items_of(annotation, TEXTS)[0].ascii(0x0070_0006).startswith("left kidney")
    assert items_of(annotation, DRAWN)[0].ascii(0x0070_0023) == "CIRCLE"
    assert b"SECRET" not in b"".join(done.pieces)


def overlay(kind: str) -> Tree:
    return tree_of(
        Node(0x6002_0010, "US", b"\1\0"),
        text(0x6002_0022, "region of SECRETNAME"),
        text(0x6002_0040, kind, "CS"),
        Node(0x6002_3000, "OW", b"SECRETBITS"),
        text(0x6002_4000, "SECRET", "LT"),
        text(0x6002_1203, "SECRET", "LO"),
    )


def groups(tree: Tree, group: int) -> list[int]:
    return [node.tag & 0xFFFF for node in tree if node.tag >> 16 == group]


@pytest.mark.parametrize(("kind", "options"), [("R", ()), ("G", ()), ("G", (GRAPHICS,)), ("", (GRAPHICS,))])
def test_an_overlay_goes_unless_it_says_that_it_is_a_region(kind: str, options: tuple[Option, ...]) -> None:
    assert groups(anonymized(as_file(overlay(kind)), *options)[1], 0x6002) == []


def test_a_region_stays_under_the_option_without_what_is_written_of_it() -> None:
    _, tree = anonymized(as_file(overlay("R")), GRAPHICS)
    assert groups(tree, 0x6002) == [0x0010, 0x0022, 0x0040, 0x3000]
    assert tree.ascii(0x6002_0022) == "region of"


def test_a_curve_stays_as_numbers_under_the_option() -> None:
    curve = tree_of(
        Node(0x5000_0010, "US", b"\1\0"),
        text(0x5000_0020, "ROI", "CS"),
        text(0x5000_0022, "SECRET"),
        Node(0x5000_2000, "US", b"\1\0"),
        text(0x5000_2500, "SECRET"),
        Node(0x5000_3000, "OW", bytes(8)),
    )
    assert groups(anonymized(as_file(curve), GRAPHICS)[1], 0x5000) == [0x0010, 0x0020, 0x3000]
    assert groups(anonymized(as_file(curve))[1], 0x5000) == []
