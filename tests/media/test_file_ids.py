"""File ids are new, short, and within what every medium holds."""

from __future__ import annotations

import pytest

from radfuse.media import PROFILES
from radfuse.media.file_ids import Place, file_id_problems, new_file_ids
from radfuse.media.file_systems import FAT16, FAT32, ISO_9660, folder_problems

NOBODY = Place("", "", "")


def joined(places: list[Place], **more: object) -> list[str]:
    return ["/".join(file_id) for file_id in new_file_ids(places, **more)]  # type: ignore[arg-type]


def test_objects_lie_by_patient_study_and_series() -> None:
    first, second = Place("p", "s", "1"), Place("p", "s", "2")
    assert joined([first, first, second, Place("p", "t", "3"), Place("q", "u", "4"), NOBODY, NOBODY, first]) == [
        "DICOM/PA000001/ST000001/SE000001/IM000001",
        "DICOM/PA000001/ST000001/SE000001/IM000002",
        "DICOM/PA000001/ST000001/SE000002/IM000001",
        "DICOM/PA000001/ST000002/SE000001/IM000001",
        "DICOM/PA000002/ST000001/SE000001/IM000001",
        "DICOM/OB000001/OB000001",
        "DICOM/OB000001/OB000002",
        "DICOM/PA000001/ST000001/SE000001/IM000003",
    ]


def test_a_full_folder_is_followed_by_another() -> None:
    ids = joined([Place("p", "s", "1")] * 5, most_in_folder=2)
    assert [each.split("/", 3)[3] for each in ids] == [
        "SE000001/IM000001",
        "SE000001/IM000002",
        "SE000002/IM000001",
        "SE000002/IM000002",
        # The study's folder is full too, and another one follows.
        "SE000001/IM000001",
    ]
    assert len(set(ids)) == 5
    assert len(set(joined([NOBODY] * 5, most_in_folder=2))) == 5


def test_ids_of_a_set_that_is_added_to_are_not_given_again() -> None:
    taken = [
        ("DICOM", "PA000007", "ST000001", "SE000001", "IM000001"),
        ("DICOM", "OB000002", "X"),
        ("OTHER", "PA000099"),
        ("README",),
    ]
    assert joined([Place("p", "s", "1"), NOBODY], taken=taken) == [
        "DICOM/PA000008/ST000001/SE000001/IM000001",
        "DICOM/OB000003/OB000001",
    ]


def test_new_ids_break_no_rule_of_any_file_system() -> None:
    places = [Place(str(i % 3), str(i % 7), str(i % 50)) for i in range(3000)] + [NOBODY] * 20
    ids = list(new_file_ids(places, most_in_folder=40))
    assert len(set(ids)) == len(ids)
    assert not any(file_id_problems(file_id) for file_id in ids)
    for profile in PROFILES.values():
        assert folder_problems(profile.file_system, [*ids, ("DICOMDIR",), ("README.TXT",)]) == []


@pytest.mark.parametrize(
    ("file_id", "is_right"),
    [
        (("A",), True),
        (("A2345678", "_", "0"), True),
        (tuple("ABCDEFGH"), True),
        (tuple("ABCDEFGHI"), False),
        ((), False),
        (("A23456789",), False),
        (("",), False),
        (("a",), False),
        (("A.DCM",), False),
        (("Ä",), False),
        (("..", "A"), False),
        (("A", "DICOMDIR"), True),
        (("DICOMDIR",), False),
    ],
)
def test_a_file_id_has_8_components_of_8_characters(file_id: tuple[str, ...], is_right: bool) -> None:
    assert (file_id_problems(file_id) == []) == is_right


def test_fat_limits_the_names_in_a_folder_and_in_the_root_of_fat16() -> None:
    root = [(f"F{number}",) for number in range(512)]
    assert folder_problems(FAT16, root[:511]) == []
    assert folder_problems(FAT16, root) == ["the root would hold 512 names; FAT16 holds 511"]
    assert folder_problems(FAT32, root) == []
    deep = [("D", f"F{number}") for number in range(65_535)]
    assert folder_problems(FAT32, deep[:65_534]) == []
    assert folder_problems(FAT32, deep) == ["D would hold 65535 names; FAT32 holds 65534"]
    assert folder_problems(ISO_9660, deep) == []
