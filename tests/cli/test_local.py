"""ls and check on the own archive."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.support.generate import PATIENT_ID, STUDY_UID, GeneratedSet


@pytest.mark.parametrize(
    ("level", "keys", "count"),
    [
        ("study", ["PatientName=TEST^*"], 1),
        ("study", ["PatientName=?est^Generated"], 1),
        ("study", ["StudyDate=20240229-"], 1),
        ("study", ["StudyDate=-20240228"], 0),
        ("study", [f"StudyInstanceUID=1.2.3\\{STUDY_UID}"], 1),
        ("study", ["ModalitiesInStudy=MR"], 1),
        ("study", ["NumberOfStudyRelatedSeries=7"], 1),
        ("patient", [f"0010,0020={PATIENT_ID}"], 1),
        ("series", ["Modality=CT"], 1),
        ("series", ["PatientName=Test*", "Modality=OT"], 2),
        ("image", ["SeriesInstanceUID=2.25.7100.1"], 5),
        ("image", ["SOPInstanceUID=2.25.7100.1.3"], 1),
        ("image", [], 19),
    ],
)
def test_ls_matches_as_c_find_and_needs_no_keys_of_higher_levels(
    run: Run, generated_set: GeneratedSet, level: str, keys: list[str], count: int
) -> None:
    assert run("import", generated_set.root).code == 0
    assert len(run("ls", "--level", level, *keys, "--json").json) == count


def test_ls_shows_a_table_to_people(run: Run, generated_set: GeneratedSet) -> None:
    run("import", generated_set.root / "ct")
    header, row = run("ls", "--level", "series").out.splitlines()
    assert header.split()[:3] == ["SeriesNumber", "Modality", "SeriesDescription"]
    assert row.split()[:4] == ["1", "CT", "CT", "series"]
    assert run("ls", "PatientName=NOBODY").out == "Nothing found.\n"


def test_ls_reads_and_matches_other_keys_in_the_objects(run: Run, generated_set: GeneratedSet) -> None:
    run("import", generated_set.root / "ct", generated_set.root / "pet")
    assert run("ls", "--level", "series", "SliceThickness", "KVP=120", "--json").json == [
        {
            "RetrieveAETitle": "TESTER",
            "SliceThickness": "4.0",
            "KVP": "120",
            "StudyInstanceUID": STUDY_UID,
            "SeriesInstanceUID": "2.25.7100.1",
        }
    ]


def test_ls_says_when_a_key_belongs_to_a_deeper_level(run: Run, generated_set: GeneratedSet) -> None:
    run("import", generated_set.root / "ct")
    answer = run("ls", "SeriesNumber", "PatientID", "--json")
    assert answer.code == 0
    assert answer.json[0]["PatientID"] == PATIENT_ID
    assert "some keys are not known at this level" in answer.err


def test_another_database_is_worked_on_when_named(run: Run, generated_set: GeneratedSet, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "radfuse.toml").write_text('[databases]\nRESEARCH = "research"\n', encoding="utf-8")
    assert run("import", generated_set.root / "ct", "--database", "research").code == 0
    assert run("ls", "--json").json == []
    assert len(run("ls", "--database", "research", "--json").json) == 1
    assert run("ls", "--database", "unknown").code == 2
    checked = run("check", "--json").json
    assert [(row["Database"], row["Indexed"]) for row in checked] == [("default", 0), ("research", 5)]
    assert "research: 5 indexed, 5 files, 0 missing" in run("check").out


# --- check -------------------------------------------------------------------------------------


def test_a_whole_archive_passes_the_check(run: Run, generated_set: GeneratedSet) -> None:
    run("import", generated_set.root)
    answer = run("check")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == "19 indexed, 19 files, 0 missing, 0 orphaned, 0 damaged, 0 repaired\n"


def test_missing_and_damaged_objects_are_found_and_put_right(
    run: Run, generated_set: GeneratedSet, tmp_path: Path
) -> None:
    run("import", generated_set.root)
    gone, damaged, *_ = sorted(path for path in (tmp_path / "data" / "store").rglob("*") if path.is_file())
    gone.unlink()
    content = damaged.read_bytes()
    damaged.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    found = run("check", "--json")
    assert found.code == 1
    assert found.json == [
        {
            "Database": "default",
            "Indexed": 19,
            "Files": 18,
            "Missing": [gone.name],
            "Orphaned": [],
            "Damaged": [damaged.name],
            "Repaired": 0,
        }
    ]
    told = run("check")
    assert told.err == f"radfuse: missing: {gone.name}\nradfuse: damaged: {damaged.name}\n"
    assert "Run 'radfuse check --repair'" in told.out
    assert run("check", "--repair").code == 0
    assert run("check", "--json").json[0]["Indexed"] == 17
