"""Names of regions and segments: nobody's, and yet not all the same."""

from __future__ import annotations

from pathlib import Path

from radfuse.deid import Option
from radfuse.dicom import read_file_meta
from radfuse.dicom.tree import Node, Tree, read_tree
from tests.deid.identifying import as_file
from tests.deid.objects import SEGMENTATION, STRUCTURE_SET, anonymized, items_of, sequence, text, tree_of

STRUCTURES, CONTOURS, ROI_NAME = 0x3006_0020, 0x3006_0039, 0x3006_0026
SEGMENTS, SEGMENT_LABEL = 0x0062_0002, 0x0062_0005


def structure_set(*names: str) -> bytes:
    regions = [
        tree_of(text(0x3006_0022, str(number), "IS"), text(ROI_NAME, name)) for number, name in enumerate(names, 1)
    ]
    return as_file(tree_of(sequence(STRUCTURES, *regions)), STRUCTURE_SET)


def names_of(tree: Tree, tag: int = STRUCTURES, label: int = ROI_NAME) -> list[str]:
    return [each.ascii(label) for each in items_of(tree, tag)]


def test_regions_are_numbered() -> None:
    assert names_of(anonymized(structure_set("Liver", "GTV Xyzzy"))[1]) == ["ROI 1", "ROI 2"]


def test_known_names_of_regions_stay_with_descriptors_and_others_get_their_number() -> None:
    content = structure_set("Liver", "Liver Xyzzy", "Xyzzy", "Xyzzy Liver")
    assert names_of(anonymized(content, Option.DESCRIPTORS)[1]) == ["Liver", "Liver 2", "ROI 3", "Liver 4"]


def test_segments_keep_known_words_and_are_told_apart() -> None:
    segments = [
        tree_of(Node(0x0062_0004, "US", bytes((number, 0))), text(SEGMENT_LABEL, name))
        for number, name in enumerate(("Liver", "Xyzzy", "Xyzzy kidney"), 1)
    ]
    _, tree = anonymized(as_file(tree_of(sequence(SEGMENTS, *segments)), SEGMENTATION))
    assert names_of(tree, SEGMENTS, SEGMENT_LABEL) == ["Liver", "Segment 2", "kidney 3"]


def test_a_label_without_a_number_is_a_dummy() -> None:
    _, tree = anonymized(as_file(tree_of(sequence(SEGMENTS, tree_of(text(SEGMENT_LABEL, "Xyzzy")))), SEGMENTATION))
    assert names_of(tree, SEGMENTS, SEGMENT_LABEL) == ["ANONYMIZED"]


def contours(tree: Tree) -> list[bytes]:
    return [bytes(node.value) for _, node in tree.walk() if node.tag == 0x3006_0050]


def references(tree: Tree) -> set[str]:
    return {bytes(node.value).decode().rstrip("\0") for _, node in tree.walk() if node.tag == 0x0008_1155}


def test_no_contour_is_lost_and_references_to_images_join(shared_data: Path) -> None:
    folder = shared_data / "ct-rtstruct" / "lung1-001"
    file = (folder / "rtstruct.dcm").read_bytes()
    meta = read_file_meta(file)
    before = read_tree(file, meta.transfer_syntax_uid, meta.data_offset)
    _, after = anonymized(file)
    assert contours(after) == contours(before) != []
    assert len(set(names_of(after))) == len(names_of(before)) > 1
    for image in sorted((folder / "ct").iterdir())[:2]:
        assert anonymized(image.read_bytes())[0].sop_instance_uid in references(after)
