"""The generator's report: a person in every character set, at three depths of content, beside what must stay."""

from __future__ import annotations

import pytest

from radfuse.deid import Option, Profile, Proof
from radfuse.dicom.tree import Node, Tree
from radfuse.dicom.words import encode_text
from tests.deid.identifying import PEOPLE, as_file
from tests.deid.objects import COMPREHENSIVE_SR, anonymized, code, item, items_of, text, tree_of

OPTIONS = (
    (Option.STRUCTURED_CONTENT,),
    (Option.STRUCTURED_CONTENT, Option.DESCRIPTORS, Option.SHIFTED_DATES, Option.PRIVATE, Option.GRAPHICS),
)
SIZE = text(0x0040_A30A, "12.5", "DS")


def level(terms: tuple[str, ...], *below: Tree) -> Tree:
    """One depth of content: the person in texts and names, dates, UIDs, private elements, and a measurement."""
    family, given = PEOPLE[terms]
    name, prose = encode_text(f"{family}^{given}", terms), encode_text(f"{given} {family}: mass in left kidney", terms)
    observer = item("PNAME", code("121008", "DCM"))
    observer.put(Node(0x0040_A123, "PN", name))
    finding = item("TEXT", code("121071", "DCM"))
    finding.put(Node(0x0040_A160, "UT", prose))
    unlisted = item("TEXT", code("4711", "LN"))
    unlisted.put(Node(0x0040_A160, "UT", prose))
    own = item("CODE", code("1", "LN"), tree_of(text(0x0008_0100, "SECRET1", "SH"), Node(0x0008_0104, "LO", name)))
    own.put(text(0x0029_0010, "SECRETCREATOR"))
    own.put(Node(0x0029_1001, "PN", name))
    date = item("DATETIME", code("111526", "DCM"), "20231123101112")
    part = item("UIDREF", code("112040", "DCM"), "1.2.3.4711.12")
    size = item("NUM", code("410668003", "SCT", "Length"), tree_of(SIZE))
    return item("CONTAINER", code("125007", "DCM"), "", observer, finding, unlisted, own, date, part, size, *below)


def report_of(terms: tuple[str, ...]) -> bytes:
    root = level(terms, level(terms, level(terms)))
    root.put(text(0x0008_0005, "\\".join(terms), "CS"))
    root.put(Node(0x0010_0010, "PN", encode_text("^".join(PEOPLE[terms]), terms)))
    root.put(text(0x0010_0020, "SECRETID"))
    root.put(text(0x0008_0020, "20231123", "DA"))
    root.put(text(0x0008_0060, "SR", "CS"))
    return as_file(root, COMPREHENSIVE_SR)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("terms", PEOPLE)
def test_nobody_is_left_in_a_report_and_what_was_measured_is(
    terms: tuple[str, ...], options: tuple[Option, ...]
) -> None:
    done, tree = anonymized(report_of(terms), *options)
    file = b"".join(done.pieces)
    Proof(Profile(frozenset(options))).prove(done)
    assert b"SECRET" not in file
    for part in PEOPLE[terms]:
        assert encode_text(part, terms) not in file
        assert part.encode() not in file
    assert [bytes(node.value) for _, node in tree.walk() if node.tag == 0x0040_A30A] == [b"12.5"] * 3
    kept = [bytes(node.value).decode() for _, node in tree.walk() if node.tag == 0x0040_A160]
    assert sum("left kidney" in each for each in kept) == (6 if Option.DESCRIPTORS in options else 3)


def test_one_uid_is_one_uid_at_every_depth() -> None:
    _, tree = anonymized(report_of(()), *OPTIONS[0])
    uids = {bytes(node.value).decode().rstrip("\0") for _, node in tree.walk() if node.tag == 0x0040_A124}
    assert len(uids) == 1
    assert uids.pop().startswith("2.25.")


def test_the_tree_of_content_keeps_its_shape() -> None:
    _, tree = anonymized(report_of(()), *OPTIONS[0])
    types = [each.ascii(0x0040_A040) for each in items_of(tree)]
    assert types == ["PNAME", "TEXT", "TEXT", "CODE", "DATETIME", "UIDREF", "NUM", "CONTAINER"]
