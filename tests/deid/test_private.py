"""Private elements: what the table lists or the object declares safe, and is what it is said to be; else nothing."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from radfuse.deid import Option
from radfuse.deid.private import safe_elements
from radfuse.dicom.tree import Node, Tree
from tests.deid.identifying import as_file
from tests.deid.objects import anonymized, sequence, text, tree_of

PRIVATE = Option.PRIVATE
SUV_FACTOR = text(0x7053_1000, "0.00037", "DS")
PHILIPS = text(0x7053_0010, "Philips PET Private Group")


def private_of(*nodes: Node, options: tuple[Option, ...] = (PRIVATE,)) -> dict[int, bytes]:
    """The private elements that are left of these."""
    _, tree = anonymized(as_file(tree_of(*nodes)), *options)
    return {node.tag: bytes(node.value).rstrip(b" \0") for node in tree if node.tag >> 16 & 1}


def test_the_table_has_all_its_rows() -> None:
    assert len(safe_elements()) == 130
    assert safe_elements()["Philips PET Private Group", 0x7053, 0x09].vr == "DS"


def test_the_factor_that_makes_suv_stays_with_its_creator() -> None:
    left = private_of(PHILIPS, SUV_FACTOR, text(0x7053_1003, "SECRET.img", "ST"))
    assert left == {0x7053_0010: b"Philips PET Private Group", 0x7053_1000: b"0.00037"}


def test_without_the_option_nothing_private_stays() -> None:
    assert private_of(PHILIPS, SUV_FACTOR, options=()) == {}


def test_an_element_is_known_by_its_creator_not_by_its_place() -> None:
    assert private_of(text(0x7053_0010, "SOMEBODY ELSE"), SUV_FACTOR) == {}
    assert private_of(SUV_FACTOR) == {}
    moved = private_of(text(0x7053_00A1, "Philips PET Private Group"), text(0x7053_A109, "1.5", "DS"))
    assert set(moved) == {0x7053_00A1, 0x7053_A109}


def test_what_another_system_wrote_as_unknown_is_judged_as_what_it_is() -> None:
    assert 0x7053_1000 in private_of(PHILIPS, Node(0x7053_1000, "UN", b"0.00037 "))
    assert private_of(PHILIPS, Node(0x7053_1000, "UN", b"SECRET")) == {}
    assert private_of(PHILIPS, text(0x7053_1000, "0.1", "LO")) == {}


@pytest.mark.parametrize("value", [b"SECRET", b"1.5\\SECRET", b"12345678901234567890"])
def test_a_number_that_is_none_goes(value: bytes) -> None:
    assert private_of(PHILIPS, Node(0x7053_1000, "DS", value)) == {}


def test_listed_texts_keep_known_words_and_ratios() -> None:
    creator = text(0x0043_0010, "GEMS_PARM_01")
    assert private_of(creator, text(0x0043_1027, "0.984:1", "SH"))[0x0043_1027] == b"0.984:1"
    assert private_of(creator, text(0x0043_1027, "SECRET", "SH")) == {0x0043_0010: b"GEMS_PARM_01"}


def test_listed_uids_are_mapped() -> None:
    left = private_of(text(0x0099_0010, "NQHeader"), text(0x0099_1002, "1.2.3.4", "UI"))
    assert left[0x0099_1002].startswith(b"2.25.")


def declared(status: str, safe: tuple[int, ...] = (), identifying: tuple[int, ...] = ()) -> Node:
    words = [
        Node(0x0008_0301, "US", struct.pack("<H", 0x0011)),
        text(0x0008_0302, "ACME"),
        text(0x0008_0303, status, "CS"),
        Node(0x0008_0304, "US", b"".join(struct.pack("<H", each) for each in safe)),
    ]
    if identifying:
        numbers = Node(0x0008_0306, "US", b"".join(struct.pack("<H", each) for each in identifying))
        words.append(sequence(0x0008_0305, tree_of(numbers, text(0x0008_0307, "X", "CS"))))
    return sequence(0x0008_0300, tree_of(*words))


ACME = (
    text(0x0011_0010, "ACME"),
    text(0x0011_1001, "left kidney of SECRETNAME"),
    Node(0x0011_1002, "FD", struct.pack("<d", 1.5)),
    text(0x0011_1003, "SECRET^NAME", "PN"),
    Node(0x0011_1004, "OB", b"SECRET"),
    text(0x0011_1005, "SECRET"),
)


def test_a_block_that_is_declared_safe_keeps_what_can_be_judged() -> None:
    left = private_of(declared("SAFE"), *ACME)
    assert set(left) == {0x0011_0010, 0x0011_1001, 0x0011_1002}
    assert left[0x0011_1001].startswith(b"left kidney")
    assert b"SECRET" not in left[0x0011_1001]


def test_single_elements_may_be_declared_safe_and_others_identifying() -> None:
    assert set(private_of(declared("MIXED", safe=(2,)), *ACME)) == {0x0011_0010, 0x0011_1002}
    assert private_of(declared("SAFE", identifying=(1, 2)), *ACME[:3]) == {}
    assert private_of(declared("UNSAFE"), *ACME) == {}


def test_of_what_was_declared_that_stays_which_is_still_there() -> None:
    own = declared("SAFE")
    assert own.items is not None
    own.items[0].put(sequence(0x0008_0310, tree_of(text(0x0008_030A, "SECRET definition", "UT"))))
    own.items += declared("SAFE").items or []
    own.items[1].put(text(0x0008_0302, "SECRETCREATOR"))
    done, tree = anonymized(as_file(tree_of(own, *ACME)), PRIVATE)
    node = tree.get(0x0008_0300)
    assert node is not None
    assert [each.ascii(0x0008_0302) for each in node.items or ()] == ["ACME"]
    assert b"SECRET" not in b"".join(done.pieces)
    assert anonymized(as_file(tree_of(own, *ACME)))[1].get(0x0008_0300) is None


def test_private_elements_in_sequences_are_judged_alike() -> None:
    inner = tree_of(PHILIPS, SUV_FACTOR, text(0x7053_1003, "SECRET", "ST"))
    _, tree = anonymized(as_file(tree_of(sequence(0x0054_0016, inner))), PRIVATE)
    (kept,) = _items(tree)
    assert [node.tag for node in kept] == [0x7053_0010, 0x7053_1000]


def _items(tree: Tree) -> list[Tree]:
    node = tree.get(0x0054_0016)
    assert node is not None
    return node.items or []


def test_real_private_elements_that_no_table_lists_go(shared_data: Path) -> None:
    file = (shared_data / "anonymizer" / "PrivateMDNTags.dcm").read_bytes()
    _, tree = anonymized(file, PRIVATE)
    known = {(creator, group) for creator, group, _ in safe_elements()}
    for node in tree:
        if node.tag >> 16 & 1 and node.tag & 0xFFFF < 0x1000:
            assert (bytes(node.value).decode().strip(), node.tag >> 16) in known
