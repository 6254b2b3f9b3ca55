"""import: folders, files, zip files and media into the own archive."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from radfuse.services.import_media import ImportJournal, import_paths
from tests.archive.objects import open_archive
from tests.cli.conftest import Run
from tests.support.generate import GeneratedSet


def test_import_takes_folders_files_and_zip_files_and_counts(
    run: Run, generated_set: GeneratedSet, tmp_path: Path
) -> None:
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    (mixed / "notes.txt").write_text("no DICOM", encoding="utf-8")
    with zipfile.ZipFile(mixed / "disc.zip", "w", zipfile.ZIP_DEFLATED) as disc:
        for path in generated_set.pet:
            disc.write(path, f"images/deep/{path.name}")
    answer = run("import", mixed, generated_set.ct[0], generated_set.root / "ct", "--json")
    assert answer.code == 0
    assert answer.json == {
        "Stored": 10,
        "AlreadyKept": 1,
        "FirstKept": 0,
        "Replaced": 0,
        "NotDicom": 1,
        "Directory": 0,
        "Image": 0,
        "Refused": 0,
        "FromBefore": 0,
        "RefusedFiles": [],
        "Findings": {},
        "FindingSentences": [],
    }


def test_a_refused_object_is_named_with_its_reason_and_ends_with_1(
    run: Run, generated_set: GeneratedSet, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(generated_set.ct[0].read_bytes()[:-100])
    answer = run("import", cut, generated_set.ct[1])
    assert (answer.code, answer.out) == (1, "1 stored, 1 refused\n")
    assert answer.err.startswith(f"radfuse: refused: {cut}: malformed data set at byte ")


def test_an_empty_folder_is_no_failure(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert run("import", tmp_path / "empty").out == "There was nothing to import.\n"


def test_a_path_that_is_not_there_is_told(run: Run, tmp_path: Path) -> None:
    answer = run("import", tmp_path / "gone")
    assert (answer.code, answer.err) == (1, f"radfuse: there is no file or folder {tmp_path}/gone\n")


def test_what_is_wrong_with_a_medium_is_told_and_is_no_failure(
    run: Run, generated_set: GeneratedSet, tmp_path: Path, dcmtk: Callable[[str], str]
) -> None:
    disc = tmp_path / "disc"
    (disc / "CT").mkdir(parents=True)
    for number, path in enumerate(generated_set.ct):
        shutil.copy(path, disc / "CT" / f"IM{number}")
    subprocess.run([dcmtk("dcmmkdir"), "+r", "--output-file", "DICOMDIR", "CT"], cwd=disc, check=True)
    (disc / "CT" / "IM1").unlink()
    answer = run("import", disc)
    assert (answer.code, answer.out) == (0, "4 stored, 1 DICOMDIR, 1 findings about the medium\n")
    assert answer.err == f"radfuse: {disc}/DICOMDIR: CT/IM1 is not there, though a record names it\n"


def test_an_interrupted_import_goes_on_or_begins_again_as_is_wanted(
    run: Run, generated_set: GeneratedSet, tmp_path: Path
) -> None:
    data, folder = tmp_path / "data", generated_set.root / "ct"

    def interrupt() -> None:
        with open_archive(data) as archive, ImportJournal.of_paths(data / "imports", [folder]) as journal:
            list(islice(import_paths(archive, [folder], journal=journal), 3))

    data.mkdir()
    interrupt()
    assert run("import", folder, "--json").json["FromBefore"] == 3
    interrupt()
    assert run("import", folder, "--again", "--json").json["FromBefore"] == 0
    assert list((data / "imports").iterdir()) == []


def test_two_commands_do_not_import_the_same_at_once(run: Run, generated_set: GeneratedSet, tmp_path: Path) -> None:
    folder = generated_set.root / "ct"
    with ImportJournal.of_paths(tmp_path / "data" / "imports", [folder]):
        answer = run("import", folder)
    assert (answer.code, answer.err) == (
        1,
        "radfuse: the import of these paths is in use: another command is at it; wait for its end\n",
    )
