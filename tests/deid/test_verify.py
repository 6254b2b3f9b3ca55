"""verify: what Radfuse made passes, and every way to leave something is found."""

from __future__ import annotations

from functools import lru_cache

import pytest

from radfuse.deid import Anonymizer, Option, Profile, ProjectKey, Verifier
from radfuse.deid.verify import Finding, Severity
from radfuse.dicom import read_file_meta
from radfuse.dicom.tree import Node, Tree, read_tree
from tests.deid import identifying

KEY = ProjectKey(b"a key of the tests that is long enough")
ALL = frozenset(Option) - {Option.FULL_DATES, Option.UIDS, Option.PIXELS, Option.FACES}


@lru_cache
def anonymized(options: frozenset[Option] = frozenset()) -> bytes:
    return b"".join(Anonymizer(Profile(options), KEY).anonymize(identifying.everything()).pieces)


def tree_of(content: bytes) -> Tree:
    meta = read_file_meta(content)
    return read_tree(content, meta.transfer_syntax_uid, meta.data_offset)


def with_node(node: Node | None, without: int = 0, options: frozenset[Option] = frozenset()) -> list[Finding]:
    content = anonymized(options)
    tree = tree_of(content)
    uid = tree.ascii(0x0008_0018)
    if node is not None:
        tree.put(node)
    tree.nodes.pop(without, None)
    return Verifier().judge(identifying.as_file(tree, sop_instance_uid=uid))


def wrong(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(each.place, each.what) for each in findings if each.severity is Severity.WRONG]


@pytest.mark.parametrize("options", [frozenset(), ALL, frozenset({Option.FULL_DATES, Option.UIDS})])
def test_what_radfuse_made_passes(options: frozenset[Option]) -> None:
    assert wrong(Verifier().judge(anonymized(options))) == []


@pytest.mark.parametrize(
    ("node", "place"),
    [
        (Node(0x0008_0080, "LO", b"Quillhouse Infirmary"), "InstitutionName"),
        (Node(0x0008_0050, "SH", b"A4711Q"), "AccessionNumber"),
        (Node(0x0008_0020, "DA", b"20231123"), "StudyDate"),
        (Node(0x0020_000D, "UI", b"1.3.12.2.1107.5.2.99"), "StudyInstanceUID"),
        (Node(0x0040_0275, "SQ", items=[Tree({0x0040_1001: Node(0x0040_1001, "SH", b"A4711Q")})]), "RequestAttributes"),
        (Node(0x6000_3000, "OW", b"\1\1"), "OverlayData"),
        (Node(0x5000_3000, "OW", b"\1\1"), "CurveData"),
        (Node(0x0029_1001, "LO", b"x"), "0029"),
        (Node(0x0028_0301, "CS", b"YES"), "BurnedInAnnotation"),
    ],
)
def test_what_is_left_is_found(node: Node, place: str) -> None:
    findings = with_node(node)
    if node.tag == 0x0028_0301:
        findings = with_node_and_pixels(node)
    assert any(place in where for where, _ in wrong(findings))


def with_node_and_pixels(node: Node) -> list[Finding]:
    tree = tree_of(anonymized())
    uid = tree.ascii(0x0008_0018)
    tree.put(node)
    tree.put(Node(0x7FE0_0010, "OW", b"\0\0"))
    return Verifier().judge(identifying.as_file(tree, sop_instance_uid=uid))


@pytest.mark.parametrize("tag", [0x0012_0062, 0x0012_0064, 0x0028_0303])
def test_what_it_does_not_say_of_itself_is_found(tag: int) -> None:
    assert wrong(with_node(None, without=tag))


def test_dates_that_are_not_as_it_says_are_found() -> None:
    findings = with_node(Node(0x0028_0303, "CS", b"UNMODIFIED"))
    assert (
        "LongitudinalTemporalInformationModified",
        "it says something else of dates than its method codes",
    ) in wrong(findings)


def test_pixels_that_often_show_names_are_doubtful() -> None:
    findings = with_node_and_pixels(Node(0x0008_0060, "CS", b"US"))
    assert any(each.severity is Severity.DOUBTFUL and each.place == "PixelData" for each in findings)


def test_an_original_breaks_the_profile_in_many_places() -> None:
    places = {where for where, _ in wrong(Verifier(Profile()).judge(identifying.everything()))}
    assert len(places) > 1000


@pytest.mark.parametrize("known", ["Quillfeather^Ambrosius", "Quillfeather", "19540229", "1.2.826.0.77.1", "A4711Q"])
def test_known_values_are_looked_for(known: str) -> None:
    verifier = Verifier()
    verifier.learn_values(["", known])
    tree = tree_of(anonymized())
    uid = tree.ascii(0x0008_0018)
    text = known.split("^", maxsplit=1)[0].encode()
    tree.put(Node(0x0018_0024, "SH", b"x " + text + b" y"))
    findings = wrong(verifier.judge(identifying.as_file(tree, sop_instance_uid=uid)))
    assert any(where == "SequenceName" for where, _ in findings)
    assert known not in str(findings)


def test_originals_tell_what_to_look_for() -> None:
    verifier = Verifier()
    verifier.learn_original(identifying.everything())
    assert wrong(verifier.judge(anonymized())) == []
    tree = tree_of(anonymized())
    uid = tree.ascii(0x0008_0018)
    tree.put(Node(0x0018_0024, "SH", identifying.sentinel(0x0008_0080, "C").encode()))
    assert any(
        where == "SequenceName" for where, _ in wrong(verifier.judge(identifying.as_file(tree, sop_instance_uid=uid)))
    )
