"""export: the plan, file-sets in folders and files, what is refused, and exit codes."""

from __future__ import annotations

import zipfile
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from radfuse.cli.program import app
from radfuse.media import read_directory
from tests.cli.conftest import Answer, Run
from tests.support.generate import STUDY_UID, GeneratedSet

CT_SERIES = "SeriesInstanceUID=2.25.7100.1"
CT_AND_MR = "SeriesInstanceUID=2.25.7100.1\\2.25.7100.3"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, generated_set: GeneratedSet) -> Path:
    """A data folder with the generated study, which no test changes."""
    folder = tmp_path_factory.mktemp("export") / "data"
    assert CliRunner().invoke(app, ["import", str(generated_set.root), "--data", str(folder)]).exit_code == 0
    return folder


@pytest.fixture
def export(run: Run, data: Path) -> Run:
    """Runs the command on that folder."""
    return partial(run, "export", "--data", data)


def count(folder: Path) -> int:
    return len(list(read_directory(folder / "DICOMDIR").files()))


def test_the_plan_comes_first_and_then_what_was_written(
    export: Run, tmp_path: Path, generated_set: GeneratedSet
) -> None:
    total = len(generated_set.files)
    answer = export(f"StudyInstanceUID={STUDY_UID}", "--to", tmp_path / "set", "--id", "MINE")
    assert answer.code == 0
    plan, conversion, written = answer.out.splitlines()
    assert plan.startswith(f"STD-GEN-CD: 1 study, {total} objects, about ")
    assert conversion.startswith(f"converted: {len(generated_set.pet) + 1} from Implicit VR Little Endian to Explicit")
    assert written.startswith(f"{tmp_path / 'set'}: MINE, {total} objects, ")
    assert count(tmp_path / "set") == total


def test_json_has_the_plan_and_the_reports(export: Run, tmp_path: Path, generated_set: GeneratedSet) -> None:
    answer = export(CT_SERIES, "--to", tmp_path / "set", "--zip", tmp_path / "set.zip", "--json")
    assert answer.code == 0
    assert answer.json["plan"]["objects"] == len(generated_set.ct)
    folder, packed = answer.json["reports"]
    assert folder["volumes"][0]["folder"] == str(tmp_path / "set")
    assert packed["volumes"][0]["folder"] == str(tmp_path / "set.zip")
    with zipfile.ZipFile(tmp_path / "set.zip") as file:
        assert "DICOMDIR" in file.namelist()


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["PatientName=TEST^*"], lambda files: len(files.files)),
        ([CT_SERIES], lambda files: len(files.ct)),
        (["SOPInstanceUID=2.25.7100.1.1"], lambda _files: 1),
        (["Modality=MR", "--level", "series"], lambda files: len(files.mr)),
        (["PatientID=GEN-0001", "--level", "patient"], lambda files: len(files.files)),
    ],
)
def test_keys_name_studies_series_and_images(
    keys: list[str], expected: object, export: Run, generated_set: GeneratedSet
) -> None:
    answer = export(*keys, "--plan", "--json")
    assert answer.code == 0
    assert answer.json["objects"] == expected(generated_set)  # type: ignore[operator]


def test_what_is_refused_is_named_and_nothing_is_written_unless_it_may_be_left_out(export: Run, tmp_path: Path) -> None:
    words = ("PatientID=*", "--profile", "STD-CTMR-CD", "--to", tmp_path / "set")
    answer = export(*words)
    assert answer.code == 1
    assert "STD-CTMR-CD does not take RT Structure Set Storage" in answer.err
    assert "--skip-refused" in answer.err
    assert not (tmp_path / "set").exists()
    answer = export(*words, "--skip-refused")
    assert answer.code == 1
    assert "objects were left out" in answer.err
    assert count(tmp_path / "set") > 0


def test_a_set_is_extended_and_nothing_is_overwritten(export: Run, tmp_path: Path, generated_set: GeneratedSet) -> None:
    folder = tmp_path / "set"
    assert export(CT_SERIES, "--to", folder).code == 0
    refused = export(CT_SERIES, "--to", folder)
    assert (refused.code, refused.err) == (1, f"radfuse: {folder} is there already\n")
    answer = export(CT_AND_MR, "--to", folder, "--update")
    assert answer.code == 0
    assert f"{len(generated_set.ct)} objects were there already" in answer.out
    assert count(folder) == len(generated_set.ct) + len(generated_set.mr)


def test_several_volumes_are_numbered(export: Run, tmp_path: Path) -> None:
    from radfuse.cli.exporting import volume_files

    assert volume_files(Path("a/b.iso"), 2) == [Path("a/b-1.iso"), Path("a/b-2.iso")]
    answer = export("PatientID=*", "--plan", "--medium-size", "450k")
    assert answer.code == 0
    assert len(answer.out.splitlines()) > 3


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["PatientID=*"],
        ["PatientID=*", "--to", "x", "--profile", "STD-GEN-FLOPPY"],
        ["PatientID=*", "--to", "x", "--medium-size", "many"],
        ["PatientID=*", "--to", "x", "--id", "no!"],
        ["PatientID=*", "--iso", "x", "--update"],
        ["NoSuchKey=1", "--to", "x"],
    ],
)
def test_wrong_use_ends_with_2(words: list[str], export: Run) -> None:
    assert export(*words).code == 2


def test_nothing_found_is_said(export: Run, tmp_path: Path) -> None:
    for key in ("PatientID=nobody", "SOPInstanceUID=2.25.404"):
        answer: Answer = export(key, "--to", tmp_path / "set")
        assert (answer.code, answer.out) == (1, "Nothing found.\n")
