"""The profiles in the code are those of the requirement table, cell by cell."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from radfuse.core.sop_classes import STORAGE_CLASSES
from radfuse.media import PROFILES
from radfuse.media.file_systems import FAT16, FAT32, ISO_9660, MEDIA
from radfuse.media.profiles import CTMR_CLASSES, LOSSY, WORKSTATION_CLASSES, Profile

Row = dict[str, str]

STANDARD = [profile for profile in PROFILES.values() if not profile.narrows]

MEDIA_BY_WORDS = {medium.title.removeprefix("any "): medium for medium in MEDIA}


@pytest.fixture(scope="module")
def rows(conformance_tables: Path) -> list[Row]:
    with (conformance_tables / "media_profiles.csv").open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


def wrong_cells(profile: Profile, row: Row) -> list[str]:
    """The columns of ``row`` that ``profile`` does not say."""
    classes = "all composite" if profile.sop_classes is None else ";".join(sorted(profile.sop_classes))
    written = "all composite" if row["sop_classes"].startswith("all composite") else row["sop_classes"]
    numbers = [name.split()[-1].rstrip("0").rstrip(".") for name in (fs.name for fs in profile.file_systems)]
    said = {
        "ps3_11": profile.section.removeprefix("PS3.11 Annex "),
        "transfer_syntaxes": ";".join(profile.syntaxes),
        "sop_classes": classes,
        "additional_dicomdir_keys": f"table {profile.keys_table}",
        "medium": profile.medium.title,
        "file_system_source": profile.medium.section,
        "fsu_defined": "yes" if profile.is_updatable else "no",
    }
    cells = row | {"sop_classes": ";".join(sorted(written.split(";"))), "medium": row["medium"].removeprefix("any ")}
    found = [column for column, value in said.items() if cells[column] != value]
    return found + [f"file system {number}" for number in numbers if number not in row["file_system"]]


def test_the_18_profiles_say_what_the_table_says(rows: list[Row]) -> None:
    assert [row["profile"] for row in rows] == [profile.name for profile in STANDARD]
    wrong = {row["profile"]: wrong_cells(PROFILES[row["profile"]], row) for row in rows}
    assert not {name: columns for name, columns in wrong.items() if columns}


def test_what_all_profiles_share_is_what_is_built(rows: list[Row]) -> None:
    """Other words in these columns are other rules: they need code and tests (file_ids, directory_*)."""
    (file_ids,) = {row["file_ids"] for row in rows}
    assert file_ids == "1-8 components of 1-8 characters A-Z 0-9 _, no extension; DICOMDIR reserved, once, in the root"
    (directory,) = {row["dicomdir"] for row in rows}
    assert directory == (
        "one Basic Directory (1.2.840.10008.1.3.10) in 1.2.840.10008.1.2.1; every file referenced; "
        "patient/study/series records; Patient ID unique per patient record; empty directory not allowed"
    )
    assert all(row["security"].startswith("none") for row in rows)
    assert all(row["icon_image"].startswith("optional") for row in rows), "none are written"


def test_a_wrong_cell_is_seen(rows: list[Row]) -> None:
    assert wrong_cells(PROFILES["STD-GEN-CD"], rows[0] | {"medium": "punched cards"}) == ["medium"]
    assert "file system FAT16" in wrong_cells(PROFILES["STD-GEN-SD-J2K"], rows[0])


def test_every_profile_of_the_archive_is_read_and_written(rows: list[Row]) -> None:
    assert {row["dbx_roles"] for row in rows} == {"FSR;FSC"}
    assert {f"XD-{row['profile']}" for row in rows if row["xd_roles"]} == set(PROFILES) - {p.name for p in STANDARD}


def test_the_narrower_choices_hold_the_workstations_classes_in_explicit_little_endian(conformance_tables: Path) -> None:
    with (conformance_tables / "sop_classes.csv").open(encoding="utf-8", newline="") as table:
        eleven = {row["uid"] for row in csv.DictReader(table) if row["xd_media"] == "yes"}
    assert len(eleven) == 11
    assert eleven | {"1.2.840.10008.5.1.4.1.1.66.1"} == WORKSTATION_CLASSES
    for name in ("XD-STD-GEN-CD", "XD-STD-GEN-DVD-RAM"):
        choice = PROFILES[name]
        assert choice.sop_classes == WORKSTATION_CLASSES
        assert choice.syntaxes == ("1.2.840.10008.1.2.1",)
        assert PROFILES[choice.narrows].medium is choice.medium


def test_all_classes_of_the_profiles_are_among_those_that_are_stored() -> None:
    stored = {row.uid for row in STORAGE_CLASSES}
    assert stored >= CTMR_CLASSES | WORKSTATION_CLASSES


def test_loss_is_possible_where_a_syntax_with_loss_is() -> None:
    assert {name for name, profile in PROFILES.items() if profile.is_lossy_possible} == {
        name for name in PROFILES if re.search("-(JPEG|J2K)$", name)
    }
    assert {syntax for profile in PROFILES.values() for syntax in profile.syntaxes} >= LOSSY


def test_every_medium_has_a_size_and_its_source_or_leaves_it_to_the_operator() -> None:
    for medium in MEDIA:
        assert medium.source
        assert not medium.sizes or medium.capacity_bytes in dict(medium.sizes).values()
    assert PROFILES["STD-GEN-CD"].medium.capacity_bytes == 736_952_320
    assert PROFILES["STD-GEN-SD-JPEG"].file_system is FAT16
    assert PROFILES["STD-GEN-SD-JPEG"].medium.capacity_bytes is None
    assert PROFILES["STD-GEN-USB-JPEG"].file_system is FAT32
    assert PROFILES["STD-GEN-DVD-JPEG"].file_system is ISO_9660
