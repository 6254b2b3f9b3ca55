"""Reports: what was measured stays, whoever it was measured by or in goes."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest

from radfuse.core.errors import CannotAnonymize
from radfuse.deid import Option
from radfuse.deid.structured import ContentRow, content_rows
from radfuse.dicom.tree import Node, Tree
from tests.deid.identifying import as_file
from tests.deid.objects import (
    KEY_OBJECTS,
    SEGMENTATION,
    VALUE_TAGS,
    anonymized,
    code,
    item,
    items_of,
    report,
    sequence,
    text,
    tree_of,
)

CLEAN = Option.STRUCTURED_CONTENT
TEXT = 0x0040_A160
SECRETS = {
    "TEXT": "SECRETTEXT",
    "PNAME": "SECRET^NAME",
    "DATE": "20231123",
    "TIME": "101112",
    "DATETIME": "20231123101112",
    "UIDREF": "1.2.3.4711",
}


def values(tree: Tree) -> list[str]:
    """All texts of content values, from the top down."""
    tags = {tag for tag, _ in VALUE_TAGS.values()}
    return [bytes(node.value).decode().strip(" \0") for _, node in tree.walk() if node.tag in tags]


def test_a_report_is_refused_without_the_option() -> None:
    with pytest.raises(CannotAnonymize, match="structured-content"):
        anonymized(report(item("TEXT", code("121071", "DCM"), "a mass")))


def listed() -> list[ContentRow]:
    return [row for row in content_rows() if row.value_type in SECRETS]


def test_the_table_of_concepts_has_all_its_rows() -> None:
    assert len(content_rows()) == 206
    assert all(row.meaning for row in content_rows())


def test_nothing_of_any_listed_concept_is_left() -> None:
    items = [item(row.value_type, code(row.code, row.scheme), SECRETS[row.value_type]) for row in listed()]
    _, tree = anonymized(report(*items), CLEAN)
    left = values(tree)
    assert not set(left) & set(SECRETS.values())
    dropped = sum(row.basic == "X" and row.value_type != "UIDREF" for row in listed())
    assert len(left) == len(items) - dropped


@pytest.mark.parametrize(
    ("option", "concept", "value_type"),
    [
        (Option.DEVICE, "121016", "TEXT"),
        (Option.INSTITUTION, "121017", "TEXT"),
        (Option.FULL_DATES, "111060", "DATE"),
        (Option.UIDS, "112040", "UIDREF"),
    ],
)
def test_what_an_option_retains_stays(option: Option, concept: str, value_type: str) -> None:
    content = report(item(value_type, code(concept, "DCM"), SECRETS[value_type]))
    assert values(anonymized(content, CLEAN, option)[1]) == [SECRETS[value_type]]
    assert SECRETS[value_type] not in values(anonymized(content, CLEAN)[1])


def test_sex_and_age_stay_with_the_characteristics_of_the_patient() -> None:
    content = report(item("CODE", code("121032", "DCM"), code("F", "DCM", "Female")))
    assert items_of(anonymized(content, CLEAN)[1]) == []
    assert len(items_of(anonymized(content, CLEAN, Option.PATIENT)[1])) == 1


@pytest.mark.parametrize(("age", "left"), [("89", 1), ("90", 0), ("93.5", 0), ("old", 0)])
def test_an_age_that_few_reach_is_not_said(age: str, left: int) -> None:
    subject = item("NUM", code("121033", "DCM"), tree_of(text(0x0040_A30A, age, "DS")))
    assert len(items_of(anonymized(report(subject), CLEAN, Option.PATIENT)[1])) == left
    assert items_of(anonymized(report(subject), CLEAN)[1]) == []


def test_dates_of_a_report_move_with_those_of_the_patient() -> None:
    root = item("CONTAINER", code("126000", "DCM"), "", item("DATETIME", code("1", "LN"), "20200301101112"))
    root.put(text(0x0008_0020, "20200301", "DA"))
    _, tree = anonymized(as_file(root, "1.2.840.10008.5.1.4.1.1.88.33"), CLEAN, Option.SHIFTED_DATES)
    assert values(tree) == [tree.ascii(0x0008_0020) + "101112"]
    assert tree.ascii(0x0008_0020) != "20200301"


def test_of_a_text_only_known_words_stay() -> None:
    finding = item("TEXT", code("1", "LN"), "mass in the left kidney of Mr Xyzzy, phone 0551 123456")
    (said,) = values(anonymized(report(finding), CLEAN)[1])
    assert "left kidney" in said
    assert "Xyzzy" not in said
    assert "123456" not in said


def test_a_text_without_known_words_is_a_dummy_not_empty() -> None:
    (said,) = values(anonymized(report(item("TEXT", code("1", "LN"), "Xyzzy")), CLEAN)[1])
    assert said == "ANONYMIZED"


def test_makers_and_models_stay_as_in_headers() -> None:
    assert values(anonymized(report(item("TEXT", code("113879", "DCM"), "Xyzzy 3000")), CLEAN)[1]) == ["Xyzzy 3000"]


def test_codes_of_published_schemes_stay_and_others_do_not() -> None:
    site, own = code("T-A0100", "SRT", "Brain"), code("4711", "99CLINIC", "Dr. Xyzzy")
    content = report(item("CODE", code("1", "LN"), site), item("CODE", code("1", "LN"), own))
    one, other = (items_of(each, 0x0040_A168)[0] for each in items_of(anonymized(content, CLEAN)[1]))
    assert [one.ascii(tag) for tag in (0x0008_0100, 0x0008_0102, 0x0008_0104)] == ["T-A0100", "SRT", "Brain"]
    assert {other.ascii(tag) for tag in (0x0008_0100, 0x0008_0102, 0x0008_0104)} == {"ANONYMIZED"}


def test_a_value_that_its_type_does_not_name_does_not_pass() -> None:
    liar = item("CODE", code("1", "LN"), code("T-A0100", "SRT", "Brain"))
    liar.put(text(TEXT, "SECRETTEXT", "UT"))
    liar.put(text(0x0040_A123, "SECRET^NAME", "PN"))
    done, _ = anonymized(report(liar), CLEAN)
    assert b"SECRET" not in b"".join(done.pieces)


def test_no_item_goes_when_others_are_named_by_their_place() -> None:
    pointing = tree_of(text(0x0040_A010, "INFERRED FROM", "CS"), Node(0x0040_DB73, "UL", b"\1\0\0\0\2\0\0\0"))
    person = item("TEXT", code("121022", "DCM"), "SECRET4711")
    finding = item("TEXT", code("1", "LN"), "mass")
    finding.put(sequence(0x0040_A730, pointing))
    done, tree = anonymized(report(person, finding), CLEAN)
    assert len(items_of(tree)) == 2
    assert b"SECRET" not in b"".join(done.pieces)


def test_a_key_object_selection_passes_when_it_holds_references_alone() -> None:
    image = item("IMAGE", code("1", "DCM"))
    image.put(sequence(0x0008_1199, tree_of(text(0x0008_1155, "1.2.3.5", "UI"))))
    done, tree = anonymized(report(image, sop_class_uid=KEY_OBJECTS))
    (kept,) = items_of(tree)
    assert items_of(kept, 0x0008_1199)[0].ascii(0x0008_1155).startswith("2.25.")
    assert done.warnings
    with pytest.raises(CannotAnonymize):
        anonymized(report(image, item("TEXT", code("113012", "DCM"), "for Dr X"), sop_class_uid=KEY_OBJECTS))


def test_an_acquisition_context_is_judged_like_a_report() -> None:
    context = sequence(
        0x0040_0555, item("TEXT", code("121022", "DCM"), "SECRET"), item("TEXT", code("1", "LN"), "left")
    )
    done, tree = anonymized(as_file(tree_of(context)), CLEAN)
    assert b"SECRET" not in b"".join(done.pieces)
    assert len(items_of(tree, 0x0040_0555)) == 1
    assert items_of(anonymized(as_file(tree_of(context)))[1], 0x0040_0555) == []


def test_what_is_tracked_has_one_name_in_report_and_segmentation() -> None:
    segment = tree_of(Node(0x0062_0004, "US", b"\1\0"), text(0x0062_0005, "Liver"), text(0x0062_0020, "xq77", "UT"))
    segmentation = anonymized(as_file(tree_of(sequence(0x0062_0002, segment)), SEGMENTATION))[1]
    measured = anonymized(report(item("TEXT", code("112039", "DCM"), "xq77")), CLEAN)[1]
    assert values(measured) == [items_of(segmentation, 0x0062_0002)[0].ascii(0x0062_0020)]
    assert values(measured) != ["xq77"]


# --- real reports ----------------------------------------------------------------------------------


def numbers(file: Path | bytes) -> list[str]:
    """All measured values, as pydicom reads them."""
    from io import BytesIO

    found = []
    dataset = pydicom.dcmread(BytesIO(file) if isinstance(file, bytes) else file)
    for element in dataset.iterall():
        if element.keyword == "NumericValue":
            found.append(str(element.value))
    return found


def test_the_numbers_of_dose_reports_are_what_they_were(shared_data: Path) -> None:
    files = sorted((shared_data / "sr" / "dose").glob("*.dcm"))
    for file in files:
        done, _ = anonymized(file.read_bytes(), CLEAN, Option.PATIENT)
        before = numbers(file)
        assert before
        assert numbers(b"".join(done.pieces)) == before, file.name


def test_a_measurement_report_still_finds_its_segmentation_and_value_map(shared_data: Path) -> None:
    folder = shared_data / "sr" / "qin-headneck-0003"
    trees = {name: anonymized((folder / name).read_bytes(), CLEAN)[1] for name in ("sr.dcm", "seg.dcm", "rwvm.dcm")}
    referred = {node_text(node) for _, node in trees["sr.dcm"].walk() if node.tag == 0x0008_1155}
    for name in ("seg.dcm", "rwvm.dcm"):
        assert trees[name].ascii(0x0008_0018) in referred
        assert trees[name].ascii(0x0020_000D) == trees["sr.dcm"].ascii(0x0020_000D)
    tracked = {node_text(node) for _, node in trees["sr.dcm"].walk() if node.tag == 0x0040_A124}
    assert all(uid.startswith("2.25.") or uid.startswith("1.2.840.10008.") for uid in tracked)


def node_text(node: Node) -> str:
    return bytes(node.value).decode().strip(" \0")
