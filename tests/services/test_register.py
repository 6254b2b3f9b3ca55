"""Registering two series: what is refused, what is judged, and the objects that are kept."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from radfuse.archive import Archive
from radfuse.core.errors import CannotRegister, ConfigurationError
from radfuse.geometry import Affine, FrameOfReference, Grid
from radfuse.objects.common import Making, encode, read_provenance
from radfuse.objects.reg import FieldStorage, read_registration
from radfuse.objects.sr import measurements_of, read_report
from radfuse.registration import Method
from radfuse.registration.quality import LIMITS, Grade, Quantity
from radfuse.services.import_media import import_files
from radfuse.services.measure import Image
from radfuse.services.register import (
    Allowed,
    LandmarkPair,
    Region,
    RegisterAsk,
    Registered,
    RegisterKind,
    pair_of,
    read_landmarks,
    register,
    registering,
    result_objects,
    save,
    write_report,
)
from radfuse.services.register.checks import Side, concerns_of
from radfuse.services.register.loading import part_of
from radfuse.services.register.starting import start_of, starting_landmarks
from radfuse.services.registrations import Grade as PathGrade
from radfuse.services.registrations import RegistrationPath, path
from radfuse.services.volumes import open_volume
from radfuse.volume import Volume
from tests.support.generate import FRAME_OF_REFERENCE_UID
from tests.support.judges import dciodvfy, dsrdump, written
from tests.support.two_series import (
    CT_SERIES,
    MR_FRAME,
    MR_SERIES,
    MR_SHAPE,
    TRUTH,
    TwoSeries,
    landmark_lines,
    write_two_series,
)

DEFORMABLE = "1.2.840.10008.5.1.4.1.1.66.3"


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> TwoSeries:
    return write_two_series(tmp_path_factory.mktemp("two"))


@pytest.fixture(scope="module")
def landmarks(tmp_path_factory: pytest.TempPathFactory) -> tuple[LandmarkPair, ...]:
    file = tmp_path_factory.mktemp("csv") / "landmarks.csv"
    file.write_text(landmark_lines(), encoding="utf-8")
    return read_landmarks(file)


@pytest.fixture(scope="module")
def objects(by_landmarks: Registered) -> list[Dataset]:
    return result_objects(by_landmarks, making())


@pytest.fixture(scope="module")
def by_landmarks(two: TwoSeries, landmarks: tuple[LandmarkPair, ...]) -> Registered:
    return register(None, asked(two, landmarks))


def asked(two: TwoSeries, landmarks: tuple[LandmarkPair, ...], kind: RegisterKind | None = None) -> RegisterAsk:
    return RegisterAsk(Image(two.ct), Image(two.mr), kind or RegisterKind.LANDMARKS, landmarks=landmarks)


def making() -> Making:
    number = count(1)
    return Making(datetime(2024, 3, 1, 12, tzinfo=UTC), lambda: f"2.25.97.{next(number)}")


def apart_mm(found: Registered) -> float:
    corners = np.array([[x, y, z] for x in (-25, 25) for y in (-25, 25) for z in (-25, 25)], dtype=float)
    return float(np.linalg.norm(found.registration.transform.apply(corners) - TRUTH.apply(corners), axis=1).max())


# --- the result ------------------------------------------------------------------------------


def test_landmarks_make_a_registration_that_each_of_them_judges_in_turn(by_landmarks: Registered) -> None:
    assert by_landmarks.registration.method is Method.LANDMARKS
    assert apart_mm(by_landmarks) < 0.01
    assert by_landmarks.card.grade is Grade.PASS
    (mean,) = (check for check in by_landmarks.card.checks if check.quantity is Quantity.LANDMARK_MEAN)
    assert mean.subject == "6 pairs, each left out in turn"
    assert mean.value < 0.01


def test_six_numbers_are_a_registration_that_is_judged_like_every_other(
    two: TwoSeries, landmarks: tuple[LandmarkPair, ...]
) -> None:
    middle = np.add(MR_SHAPE.position(0), (13.5 * 3.5, 13.5 * 3.5, 14 * 3.5))
    moved = np.linalg.inv(TRUTH.linear) @ (middle - TRUTH.translation) - middle
    six = ((float(moved[0]), float(moved[1]), float(moved[2])), (0.0, 0.0, -8.0))
    hand = RegisterAsk(Image(two.ct), Image(two.mr), RegisterKind.MANUAL, landmarks=landmarks, manual=six)
    found = register(None, hand)
    assert found.registration.method is Method.MANUAL
    assert apart_mm(found) < 0.01
    assert found.card.grade is Grade.PASS
    assert found.card.value(Quantity.LANDMARK_MEAN) == pytest.approx(0, abs=0.01)
    assert found.parameters["turned about"] == "6, -6, 11.75 mm, the middle of the moving images"
    assert result_objects(found, making())[0].ContentLabel == "MANUAL"


@pytest.mark.parametrize("changes", [{"manual": None}, {"clicks": (pair_of("0,0,0:1,1,1"),)}, {"from_path": True}])
def test_by_hand_there_are_six_numbers_and_no_other_start(changes: dict[str, Any]) -> None:
    facts: dict[str, Any] = {"kind": RegisterKind.MANUAL, "manual": ((1.0, 2.0, 3.0), (0.0, 0.0, 0.0))}
    with pytest.raises(CannotRegister, match="three shifts and three turns"):
        RegisterAsk(Image("2.25.1"), Image("2.25.2"), **facts | changes)
    with pytest.raises(CannotRegister):
        RegisterAsk(Image("2.25.1"), Image("2.25.2"), manual=facts["manual"])


def test_an_automatic_rigid_registration_is_found_and_judged(
    two: TwoSeries, landmarks: tuple[LandmarkPair, ...]
) -> None:
    told: list[float] = []
    ask = RegisterAsk(
        Image(two.ct), Image(two.mr), clicks=(pair_of("0,0,0:14,-10,4"), landmarks[1]), landmarks=landmarks
    )
    found = register(None, ask, lambda share, _: told.append(share))
    assert apart_mm(found) < 1.5
    means = [check for check in found.card.checks if check.quantity is Quantity.LANDMARK_MEAN]
    assert [(check.subject, check.grade) for check in means] == [
        ("5 pairs", Grade.PASS),
        ("1 pair, used as the start", Grade.NOT_JUDGED),
    ]
    assert found.card.value(Quantity.CONSISTENCY) is not None
    assert found.card.grade is Grade.PASS, found.card.reason
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0, 1)


def test_a_deformation_is_judged_by_its_way_back_and_kept_as_one(tmp_path: Path) -> None:
    bent = write_two_series(tmp_path, bent_mm=3.0)
    one_frame = Allowed(same_frame=True)
    found = register(None, RegisterAsk(Image(bent.ct), Image(bent.mr), RegisterKind.DEFORMABLE, allowed=one_frame))
    assert found.registration.fell_back == ""
    assert found.card.value(Quantity.FOLDED) == 0
    assert found.card.grade is Grade.PASS, found.card.reason
    assert "inverse consistency" in found.card.reason
    (told,) = (check for check in found.card.checks if check.quantity is Quantity.INFORMATION)
    assert told.value > (told.before or 99)
    registration, _, report, _ = result_objects(found, making())
    assert registration.SOPClassUID == DEFORMABLE
    (group,) = measurements_of(read_report(encode(report)))
    (loss,) = (each for each in group.measurements if each.name.meaning == "loss of the stored field")
    assert 0 <= (loss.value or 0) <= FieldStorage().stated_loss_mm == LIMITS[Quantity.STORED_LOSS].passes
    (edge,) = read_registration(registration).edges
    places = np.array([[0, 0, 0], [15, 5, -5], [-10, 12, 10]], dtype=float)
    assert np.allclose(edge.transform.apply(places), found.registration.transform.apply(places), atol=0.2)


def test_a_deformation_whose_way_back_cannot_be_found_is_no_failure_and_never_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registering, "_VOXELS_BACK", 500)  # too few to be compared
    bent = write_two_series(tmp_path, bent_mm=3.0)
    one_frame = Allowed(same_frame=True)
    found = register(None, RegisterAsk(Image(bent.ct), Image(bent.mr), RegisterKind.DEFORMABLE, allowed=one_frame))
    assert not found.registration.transform.is_affine
    assert (found.card.grade, found.card.notes) == (
        Grade.CAUTION,
        ("the inverse consistency, 95 % could not be measured",),
    )


def test_a_registration_begins_from_three_landmarks_and_leaves_the_others_to_judge(
    two: TwoSeries, landmarks: tuple[LandmarkPair, ...]
) -> None:
    automatic = asked(two, landmarks, RegisterKind.RIGID)
    started = starting_landmarks(automatic)
    assert len(started) == 3
    clicked = replace(automatic, clicks=(landmarks[4], pair_of("0,0,0:14,-10,4")))
    assert starting_landmarks(clicked) == (4,)
    for none in (
        asked(two, landmarks),
        asked(two, landmarks[:2], RegisterKind.RIGID),
        replace(automatic, from_path=True),
    ):
        assert starting_landmarks(none) == ()


# --- what is refused, and what is said -------------------------------------------------------


def test_one_frame_of_reference_needs_no_registration(two: TwoSeries, landmarks: tuple[LandmarkPair, ...]) -> None:
    ask = RegisterAsk(Image(two.ct), Image(two.ct), RegisterKind.LANDMARKS, landmarks=landmarks)
    with pytest.raises(CannotRegister, match="nothing to do"):
        register(None, ask)


def test_two_patients_need_a_yes_and_the_card_says_so(tmp_path: Path, landmarks: tuple[LandmarkPair, ...]) -> None:
    def other(ds: Dataset, _: int) -> None:
        ds.PatientID = "SOMEBODY-ELSE"
        ds.BodyPartExamined = "KNEE"

    mixed = write_two_series(tmp_path, other)
    with pytest.raises(CannotRegister, match="different patients") as refused:
        register(None, asked(mixed, landmarks))
    assert "SOMEBODY" not in str(refused.value)
    ask = RegisterAsk(
        Image(mixed.ct),
        Image(mixed.mr),
        RegisterKind.LANDMARKS,
        landmarks=landmarks,
        allowed=Allowed(other_patient=True),
    )
    found = register(None, ask)
    assert found.card.grade is Grade.CAUTION
    assert found.card.concerns == ("the two series belong to different patients, which was allowed",)
    assert found.parameters["allowed"] == "other patient"


@pytest.mark.parametrize("is_fixed", [True, False])
def test_images_without_a_frame_of_reference_are_refused(two: TwoSeries, is_fixed: bool) -> None:
    volume = open_volume(None, two.mr)
    loose = Side(replace(volume, grid=Grid(volume.grid.shape, volume.grid.to_patient, FrameOfReference())))
    sides = (loose, Side(volume)) if is_fixed else (Side(volume), loose)
    with pytest.raises(CannotRegister, match=f"the {'fixed' if is_fixed else 'moving'} images do not say in which"):
        concerns_of(*sides, Allowed(same_frame=True))


@pytest.mark.parametrize(
    ("facts", "others"),
    [
        ({"PatientID": "1", "IssuerOfPatientID": "EAST"}, {"PatientID": "1", "IssuerOfPatientID": "WEST"}),
        (
            {"PatientName": "A^B", "PatientBirthDate": "19500101"},
            {"PatientName": "A^B", "PatientBirthDate": "19510101"},
        ),
        ({"PatientID": "1", "PatientName": "A^B"}, {"PatientName": "A^B"}),
    ],
    ids=["one identifier of two issuers", "no identifier and another birth", "an identifier on one side only"],
)
def test_who_it_is_is_said_by_identifier_and_issuer_or_else_by_name_and_birth(
    two: TwoSeries, facts: dict[str, str], others: dict[str, str]
) -> None:
    volume = open_volume(None, two.mr)
    grid = Grid(volume.grid.shape, volume.grid.to_patient, FrameOfReference("2.25.1"))

    def side(of: Volume, header: dict[str, str]) -> Side:
        ds = Dataset()
        for keyword, value in header.items():
            setattr(ds, keyword, value)
        return Side(of, (ds,))

    one, other = side(volume, facts), side(replace(volume, grid=grid), others)
    with pytest.raises(CannotRegister, match="different patients"):
        concerns_of(one, other, Allowed())
    assert concerns_of(one, replace(other, headers=one.headers), Allowed()) == ()


def test_contradicting_headers_are_concerns(tmp_path: Path, landmarks: tuple[LandmarkPair, ...]) -> None:
    two = write_two_series(tmp_path)
    for files, part, side in ((two.ct, "KNEE", "L"), (two.mr, "BRAIN", "R")):
        for file in files:
            ds = dcmread(file)
            ds.BodyPartExamined, ds.Laterality = part, side
            ds.save_as(file)
    card = register(None, asked(two, landmarks)).card
    assert card.concerns == (
        "the series show different parts of the body: KNEE and HEAD",
        "one series shows the left side, the other the right side",
    )


@pytest.mark.parametrize(
    "words",
    [
        {"kind": RegisterKind.LANDMARKS},
        {"clicks": (LandmarkPair((0, 0, 0), (0, 0, 0)),), "from_path": True},
    ],
)
def test_what_does_not_go_together_is_refused(two: TwoSeries, words: dict[str, object]) -> None:
    with pytest.raises(CannotRegister):
        RegisterAsk(Image(two.ct), Image(two.mr), **words)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "numbers", [(0, 0, 0, 0), (0, 0, 0, float("nan")), (0, 0, 0, 1, 2), (0, 0, 0, 1, 0, 1), (0, 0, 0, 1, 1, -1)]
)
def test_a_region_that_holds_nothing_is_refused(numbers: tuple[float, ...]) -> None:
    with pytest.raises(CannotRegister, match="a region"):
        Region.of(numbers)


def test_a_box_lies_along_columns_rows_and_slices_of_the_fixed_images() -> None:
    turn = np.array([[0.6, -0.8, 0], [0.8, 0.6, 0], [0, 0, 1]])
    grid = Grid((12, 20, 30), Affine.of(turn @ np.diag([2.0, 3.0, 4.0]), (10, 20, 30)), FrameOfReference("2.25.1"))
    middle = tuple(grid.to_patient.apply(np.array([10.0, 8.0, 5.0])).tolist())
    box = Region.of((*middle, 12.0, 18.0, 16.0))  # 6 columns, 6 rows, 4 slices, from voxel centre to voxel centre
    inside = part_of(grid, replace(box, size_mm=(12.1, 18.1, 16.1))).inside
    assert [(int(at.min()), int(at.max())) for at in np.nonzero(inside)] == [(3, 7), (5, 11), (7, 13)]
    assert Region.of(box.numbers) == box
    assert box.words.endswith("12 x 18 x 16 mm along columns, rows and slices")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a,b,c,d,e,f\n", "0 landmarks"),
        ("1,2,3,4,5,6\n1,2,3\n", "line 2"),
        ("1,2,3,4,5,nan\n", "0 landmarks"),
        ("n,1,2,3,4,5,6\nm,1,2,3,4,5,inf\n", "line 2"),
    ],
)
def test_a_file_without_landmarks_is_refused_by_its_line(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises(CannotRegister, match=reason):
        read_landmarks(tmp_path / "a.csv")


@pytest.mark.parametrize("text", ["1,2,3", "1,2,3:4,5", "1,2,3:4,5,x", "1:2,3,4:5,6"])
def test_a_click_is_two_points(text: str) -> None:
    with pytest.raises(CannotRegister):
        pair_of(text)


# --- the objects -----------------------------------------------------------------------------


def test_the_objects_are_standard_and_say_the_grade(objects: list[Dataset], tmp_path: Path) -> None:
    registration, capture, report, document = objects
    assert [ds.Modality for ds in (registration, capture, report, document)] == ["REG", "OT", "SR", "DOC"]
    for number, ds in enumerate((registration, capture, report, document)):
        assert dciodvfy(written(ds, tmp_path, f"{number}.dcm")) == []
    (edge,) = read_registration(registration).edges
    assert np.allclose(edge.transform.affine().matrix, TRUTH.matrix, atol=1e-4)
    provenance = read_provenance(registration)
    assert provenance is not None
    assert provenance["parameters"]["grade"] == "PASS"
    assert capture.NumberOfFrames == 9
    assert document.EncapsulatedDocument.startswith(b"%PDF-")


def test_the_report_refers_to_the_registration_and_has_every_number(
    by_landmarks: Registered, objects: list[Dataset], tmp_path: Path
) -> None:
    registration, _, report, _ = objects
    (group,) = measurements_of(read_report(encode(report)))
    assert group.tracking_id == "Registration report card"
    assert len(group.measurements) == len(by_landmarks.card.checks)
    said = {detail.name.meaning: detail.value for detail in group.evaluations}
    assert getattr(said["Registration grade"], "meaning", "") == "PASS"
    (judged,) = (item for item in group.remarks if item.value_type == "COMPOSITE")
    assert getattr(judged.value, "sop_instance_uid", "") == registration.SOPInstanceUID
    assert "Registration grade" in dsrdump(written(report, tmp_path))


def test_the_same_registration_gives_the_same_bytes(by_landmarks: Registered, objects: list[Dataset]) -> None:
    assert list(map(encode, result_objects(by_landmarks, making()))) == list(map(encode, objects))


def test_kept_objects_are_a_graded_path_from_one_series_to_the_other(
    archive: Archive, two: TwoSeries, landmarks: tuple[LandmarkPair, ...]
) -> None:
    assert len(list(import_files(archive, two.files))) == len(two.files)
    ask = RegisterAsk(Image(CT_SERIES), Image(MR_SERIES), RegisterKind.LANDMARKS, landmarks=landmarks)
    found = register(archive, ask)
    assert len(save(archive, found, making()).stored) == 4
    way = path(archive, CT_SERIES, MR_SERIES)
    assert isinstance(way, RegistrationPath)
    assert (way.grade, len(way.steps)) == (PathGrade.PASS, 1)
    assert np.allclose(way.chain.affine().matrix, TRUTH.matrix, atol=1e-4)
    again = RegisterAsk(Image(CT_SERIES), Image(MR_SERIES), from_path=True)
    start = start_of(archive, again, found.fixed, found.moving)
    assert start is not None
    assert np.allclose(start.matrix, TRUTH.matrix, atol=1e-4)


def test_without_a_kept_path_nothing_begins_from_it(archive: Archive, two: TwoSeries, by_landmarks: Registered) -> None:
    sides = by_landmarks.fixed, by_landmarks.moving
    with pytest.raises(CannotRegister, match="series of the archive"):
        start_of(archive, RegisterAsk(Image(two.ct), Image(two.mr), from_path=True), *sides)
    assert len(list(import_files(archive, [two.ct[0], two.mr[0]]))) == 2
    with pytest.raises(CannotRegister, match="not registered"):
        start_of(archive, RegisterAsk(Image(CT_SERIES), Image(MR_SERIES), from_path=True), *sides)


def test_three_landmarks_make_a_registration_that_nobody_can_judge(
    two: TwoSeries, landmarks: tuple[LandmarkPair, ...]
) -> None:
    found = register(None, asked(two, landmarks[:3]))
    assert apart_mm(found) < 0.01
    assert found.card.grade is Grade.NOT_JUDGED


def test_a_report_is_written_to_a_new_folder_only(by_landmarks: Registered, tmp_path: Path) -> None:
    names = {path.name for path in write_report(tmp_path / "report", by_landmarks)}
    assert {"report.pdf", "report.json"} < names
    assert sum(name.endswith(".png") for name in names) == 9
    facts = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert facts["Grade"] == "PASS"
    assert (facts["FixedFrameOfReferenceUID"], facts["MovingFrameOfReferenceUID"]) == (FRAME_OF_REFERENCE_UID, MR_FRAME)
    with pytest.raises(ConfigurationError, match="not empty"):
        write_report(tmp_path / "report", by_landmarks)
