"""``radfuse register``: the card, what is kept and written, the job, and wrong use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.support.two_series import CT_SERIES, MR_SERIES, TwoSeries, landmark_lines, write_two_series


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> TwoSeries:
    return write_two_series(tmp_path_factory.mktemp("two"))


@pytest.fixture
def landmarks(tmp_path: Path) -> Path:
    file = tmp_path / "landmarks.csv"
    file.write_text(landmark_lines(), encoding="utf-8")
    return file


def test_files_are_registered_and_a_report_is_written(
    run: Run, two: TwoSeries, landmarks: Path, tmp_path: Path
) -> None:
    words = ("--fixed", two.ct[0].parent, "--moving", two.mr[0].parent, "--kind", "landmarks", "--landmarks", landmarks)
    done = run("register", *words, "--report", tmp_path / "report")
    assert (done.code, done.err) == (0, "")
    assert "mean landmark error" in done.out
    assert done.out.splitlines()[-1].startswith("landmarks: PASS: ")
    assert (tmp_path / "report" / "report.pdf").read_bytes().startswith(b"%PDF-")
    again = run("register", *words, "--report", tmp_path / "report")
    assert again.code == 2
    assert "is not empty" in again.err
    refused = run("register", *words, "--save")
    assert (refused.code, "kept" in refused.err) == (2, True)


def test_kept_series_are_registered_and_what_comes_of_it_is_kept(run: Run, two: TwoSeries, landmarks: Path) -> None:
    assert run("import", two.ct[0].parent, two.mr[0].parent).code == 0
    series = ("--fixed", CT_SERIES, "--moving", MR_SERIES, "--kind", "landmarks", "--landmarks", landmarks)
    saved = run("register", *series, "--save", "--json")
    assert saved.code == 0
    assert saved.json["Grade"] == "PASS"
    assert len(saved.json["StoredObjects"]) == 4
    kept = run("ls", "--level", "image", f"SOPInstanceUID={saved.json['StoredObjects'][0]}", "--json")
    assert len(kept.json) == 1
    queued = run("register", *series, "--job", "--json")
    job = run("jobs", "show", queued.json["Job"], "--json").json
    assert (job["Kind"], job["State"]) == ("register", "queued")


def test_a_failed_grade_ends_with_1(run: Run, two: TwoSeries, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    lines = landmark_lines().splitlines()
    shifted = (0, 15, -15, 25, -25, 10, 5)
    for number in range(1, len(lines)):
        cells = lines[number].split(",")
        cells[4] = str(float(cells[4]) + shifted[number])
        lines[number] = ",".join(cells)
    wrong.write_text("\n".join(lines), encoding="utf-8")
    words = ("--fixed", two.ct[0].parent, "--moving", two.mr[0].parent, "--kind", "landmarks", "--landmarks", wrong)
    failed = run("register", *words)
    assert failed.code == 1
    assert "FAIL: mean landmark error" in failed.out


def test_by_hand_the_command_says_about_which_point_it_turned(run: Run, two: TwoSeries, landmarks: Path) -> None:
    words = ("--fixed", two.ct[0].parent, "--moving", two.mr[0].parent, "--kind", "manual")
    done = run("register", *words, "--manual", "1,2,3,0,0,4.5", "--landmarks", landmarks)
    assert "By hand: shift 1, 2, 3 mm; turn 0, 0, 4.5 degrees about x, then y, then z; turned about 6, -6, " in done.out
    assert done.code == 1
    assert "manual: FAIL: mean landmark error" in done.out.splitlines()[-1]


def test_one_frame_of_reference_is_said_and_ends_with_1(run: Run, two: TwoSeries, landmarks: Path) -> None:
    folder = two.ct[0].parent
    said = run("register", "--fixed", folder, "--moving", folder, "--kind", "landmarks", "--landmarks", landmarks)
    assert said.code == 1
    assert "there is nothing to do" in said.err


@pytest.mark.parametrize(
    "words",
    [
        ("--click", "1,2,3"),
        ("--region", "1,2,3"),
        ("--region", "1,2,3,a"),
        ("--region", "1,2,3,4,5"),
        ("--region", "1,2,3,4,5,0"),
        ("--kind", "landmarks"),
        ("--kind", "manual"),
        ("--kind", "manual", "--manual", "1,2,3"),
        ("--job",),
        ("--job", "--report", "x"),
    ],
)
def test_wrong_use_ends_with_2_before_anything_is_read(run: Run, words: tuple[str, ...]) -> None:
    assert run("register", "--fixed", "nowhere", "--moving", "nowhere", *words).code == 2
