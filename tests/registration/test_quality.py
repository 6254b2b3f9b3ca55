"""The report card: every number against one that is known beforehand, and grades that say what is wrong."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from radfuse.core.errors import CannotRegister, FramesDiffer, InvalidRegion
from radfuse.geometry import Affine, Chain, DisplacementField, FrameOfReference, Grid, InverseField, Mask
from radfuse.registration import Method, Registration
from radfuse.registration.quality import (
    LIMITS,
    Evidence,
    Grade,
    Landmarks,
    Quantity,
    ReportCard,
    StructurePair,
    agreement,
    carried,
    jacobian_facts,
    judge,
    likeness,
    values_at,
)
from radfuse.volume import Source, Unit, Volume

FIXED, MOVING = FrameOfReference("2.25.1"), FrameOfReference("2.25.2")
SHIFT = np.array([6.0, -4.0, 8.0])
TRUTH = Chain((Affine.of(np.eye(3), SHIFT),))
SOURCE = Source("MR", "", "2.25.3", "2.25.4", ())


def blobs(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """A bright body with structure in it, around the origin."""
    drawn = np.random.default_rng(3)
    values = 200.0 * (np.linalg.norm(points / (34, 30, 32), axis=-1) < 1)
    for _ in range(25):
        centre, size, height = drawn.uniform(-24, 24, 3), drawn.uniform(4, 9), drawn.uniform(-150, 300)
        values = values + height * np.exp(-(np.linalg.norm(points - centre, axis=-1) ** 2) / (2 * size**2))
    return np.asarray(values, dtype=np.float32)


def grid_of(frame: FrameOfReference, spacing: float = 3.0, size: int = 28) -> Grid:
    first = -(size - 1) / 2 * spacing
    return Grid.of((size, size, size), (spacing,) * 3, (first,) * 3, frame)


def points_of(grid: Grid) -> npt.NDArray[np.float64]:
    return np.stack([grid.slice_points_mm(k) for k in range(grid.shape[0])])


@pytest.fixture(autouse=True)
def _few_points(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough for small images."""
    monkeypatch.setattr(likeness, "POINTS", 8000)


@pytest.fixture(scope="module")
def fixed() -> Volume:
    grid = grid_of(FIXED)
    return Volume(blobs(points_of(grid)), grid, Unit.SIGNAL, SOURCE)


@pytest.fixture(scope="module")
def moving() -> Volume:
    """The same body, elsewhere: what is at x in the fixed frame is at x + SHIFT, its contrast turned over."""
    grid = grid_of(MOVING, 3.5, 26)
    return Volume(500 - blobs(points_of(grid) - SHIFT), grid, Unit.SIGNAL, SOURCE)


def registration(transform: Chain = TRUTH, fell_back: str = "") -> Registration:
    return Registration(FIXED, MOVING, transform, Method.RIGID, fell_back=fell_back)


def moved(*shift: float) -> Chain:
    return Chain((Affine.of(np.eye(3), SHIFT + np.array(shift)),))


def ball(frame: FrameOfReference, centre: npt.ArrayLike, radius: float) -> Mask:
    grid = grid_of(frame)
    return Mask(grid, np.linalg.norm(points_of(grid) - np.asarray(centre), axis=-1) <= radius)


def landmarks(off: npt.ArrayLike = (0, 0, 0)) -> Landmarks:
    places = np.array([[0, 0, 0], [20, 0, 0], [0, 20, 0], [0, 0, 20], [-15, -10, 5]], dtype=float)
    return Landmarks(places, places + SHIFT + np.asarray(off))


def grades(card: ReportCard) -> dict[Quantity, Grade]:
    return {check.quantity: check.grade for check in card.checks}


# --- grades ----------------------------------------------------------------------------------


def test_the_truth_passes_by_landmarks_structures_and_the_way_back(fixed: Volume, moving: Volume) -> None:
    pair = StructurePair("lesion", ball(FIXED, (0, 5, 0), 12), ball(MOVING, SHIFT + np.array([0, 5, 0]), 12))
    evidence = Evidence(backward=TRUTH.inverse(), landmarks=landmarks(), structures=(pair,))
    card = judge(fixed, moving, registration(), evidence)
    assert card.grade is Grade.PASS
    assert card.value(Quantity.LANDMARK_MAX) == pytest.approx(0, abs=1e-9)
    assert card.value(Quantity.CONSISTENCY) == pytest.approx(0, abs=1e-9)
    assert card.value(Quantity.REMAINING_SHIFT) == 0
    assert (card.value(Quantity.DICE) or 0) > 0.9
    assert "lesion" in card.reason


def test_likeness_alone_proves_nothing(fixed: Volume, moving: Volume) -> None:
    card = judge(fixed, moving, registration())
    assert card.grade is Grade.NOT_JUDGED
    assert "landmarks" in card.reason


def test_an_error_of_10_mm_fails_and_says_why(fixed: Volume, moving: Volume) -> None:
    card = judge(fixed, moving, registration(moved(10, 0, 0)), Evidence(landmarks=landmarks()))
    assert card.grade is Grade.FAIL
    assert "mean landmark error of 5 pairs 10 mm" in card.reason
    assert card.value(Quantity.LANDMARK_MEAN) == pytest.approx(10)
    # The images themselves say by how much they would have to be moved, along the axis of the error.
    assert card.value(Quantity.REMAINING_SHIFT) == 10
    assert grades(card)[Quantity.REMAINING_SHIFT] is Grade.CAUTION


def test_landmarks_that_gave_the_start_speak_against_a_registration_and_never_for_it(
    fixed: Volume, moving: Volume
) -> None:
    """They lie on each other wherever a registration ends that does not move from its start."""
    kept = judge(fixed, moving, registration(), Evidence(start_landmarks=landmarks()))
    assert kept.grade is Grade.NOT_JUDGED
    assert grades(kept)[Quantity.LANDMARK_MEAN] is Grade.NOT_JUDGED
    assert next(check.subject for check in kept.checks) == "5 pairs, used as the start"
    lost = judge(fixed, moving, registration(moved(10, 0, 0)), Evidence(start_landmarks=landmarks()))
    assert lost.grade is Grade.FAIL
    assert "mean landmark error of 5 pairs, used as the start 10 mm" in lost.reason
    others = Evidence(start_landmarks=landmarks(), landmarks=Landmarks(*(np.ones((1, 3)), np.ones((1, 3)) + SHIFT)))
    proved = judge(fixed, moving, registration(), others)
    assert (proved.grade, proved.reason) == (Grade.PASS, "mean landmark error of 1 pair 0 mm")


def test_between_two_limits_the_grade_is_caution(fixed: Volume, moving: Volume) -> None:
    card = judge(fixed, moving, registration(), Evidence(landmarks=landmarks((2.5, 0, 0))))
    assert card.grade is Grade.CAUTION
    assert "2.5 mm" in card.reason


def test_images_that_tell_less_than_before_ask_for_caution(fixed: Volume, moving: Volume) -> None:
    evidence = Evidence(before=TRUTH, landmarks=landmarks((9, 0, 0)))
    card = judge(fixed, moving, registration(moved(9, 0, 0)), evidence)
    assert any("tell less" in sentence for sentence in card.concerns)
    assert card.grade is Grade.CAUTION


def test_a_way_back_that_leads_elsewhere_fails(fixed: Volume, moving: Volume) -> None:
    card = judge(fixed, moving, registration(), Evidence(backward=moved(0, 7, 0).inverse()))
    assert card.value(Quantity.CONSISTENCY) == pytest.approx(7)
    assert card.grade is Grade.FAIL


def test_concerns_and_a_fall_back_ask_for_caution(fixed: Volume, moving: Volume) -> None:
    evidence = Evidence(landmarks=landmarks(), concerns=("the parts of the body differ",))
    assert judge(fixed, moving, registration(), evidence).grade is Grade.CAUTION
    fell_back = registration(fell_back="the deformation folded")
    card = judge(fixed, moving, fell_back, Evidence(landmarks=landmarks()))
    assert (card.grade, card.reason) == (Grade.CAUTION, "the deformation folded")


def test_what_the_registration_measured_itself_is_graded(fixed: Volume, moving: Volume) -> None:
    good = Evidence(measured={Quantity.CONSISTENCY: 0.4, Quantity.HALVES: 1.0})
    assert judge(fixed, moving, registration(), good).grade is Grade.PASS
    bad = Evidence(measured={Quantity.CONSISTENCY: 0.4, Quantity.HALVES: 40.0})
    assert judge(fixed, moving, registration(), bad).grade is Grade.FAIL


def test_nothing_is_good_because_it_could_not_be_measured(fixed: Volume, moving: Volume) -> None:
    def of(region: Mask | None = None, **evidence: Any) -> ReportCard:
        return judge(fixed, moving, registration(), Evidence(landmarks=landmarks(), region=region, **evidence))

    no_number = of(measured={Quantity.HALVES: float("nan")})
    few_points = of(ball(FIXED, (0, 0, 0), 5))
    elsewhere = grid_of(MOVING, 3, 4).cropped((40, 40, 40), (4, 4, 4))
    nowhere = DisplacementField(elsewhere, np.zeros((4, 4, 4, 3), np.float32))
    no_way_back = of(backward=Chain((nowhere,)))
    for card, words in (
        (no_number, "halves apart could not be measured"),
        (few_points, "overlap too little to be compared"),
        (no_way_back, "inverse consistency, 95 % could not be measured: the way back is undefined in most places"),
    ):
        assert card.grade is Grade.CAUTION
        assert words in card.reason
        assert words in card.notes[0]


def test_images_that_do_not_meet_fail(fixed: Volume, moving: Volume) -> None:
    card = judge(fixed, moving, registration(moved(500, 0, 0)))
    assert card.grade is Grade.FAIL
    assert card.value(Quantity.OVERLAP) == 0
    assert card.value(Quantity.INFORMATION) is None
    assert "overlap too little" in card.notes[0]


def test_images_of_other_frames_are_refused(fixed: Volume, moving: Volume) -> None:
    with pytest.raises(FramesDiffer):
        judge(moving, fixed, registration())


def test_a_region_limits_what_is_compared(fixed: Volume, moving: Volume) -> None:
    card = judge(fixed, moving, registration(), Evidence(region=ball(FIXED, (0, 0, 0), 15)))
    assert card.value(Quantity.OVERLAP) == 100


@pytest.mark.parametrize(
    "points", [np.zeros((0, 3)), np.zeros((2, 2)), np.full((1, 3), np.nan)], ids=["none", "flat", "nan"]
)
def test_landmarks_that_are_none_are_refused(points: npt.NDArray[np.float64]) -> None:
    with pytest.raises(CannotRegister):
        Landmarks(points, points)


def test_structures_that_left_the_image_are_told(fixed: Volume, moving: Volume) -> None:
    pair = StructurePair("lesion", ball(FIXED, (0, 0, 0), 9), ball(MOVING, (35, 35, 35), 6))
    card = judge(fixed, moving, registration(), Evidence(landmarks=landmarks(), structures=(pair,)))
    assert card.value(Quantity.DICE) == 0
    assert card.grade is Grade.FAIL
    gone = StructurePair("node", ball(FIXED, (0, 0, 0), 9), ball(MOVING, (90, 0, 0), 5))
    card = judge(fixed, moving, registration(), Evidence(landmarks=landmarks(), structures=(gone,)))
    assert any(sentence.startswith("node has no voxel") for sentence in card.concerns)


def test_structures_are_compared_before_and_after(fixed: Volume, moving: Volume) -> None:
    pair = StructurePair("lesion", ball(FIXED, (0, 5, 0), 12), ball(MOVING, SHIFT + np.array([0, 5, 0]), 12))
    card = judge(fixed, moving, registration(), Evidence(before=moved(9, 0, 0), structures=(pair,)))
    for quantity in (Quantity.DICE, Quantity.MEAN_DISTANCE, Quantity.HAUSDORFF):
        (check,) = (each for each in card.checks if each.quantity is quantity)
        worse = check.value > (check.before or 0) if quantity is Quantity.DICE else check.value < (check.before or 0)
        assert check.before is not None and worse, quantity
    lost = judge(fixed, moving, registration(), Evidence(before=moved(300, 0, 0), structures=(pair,)))
    assert [check.before for check in lost.checks if check.subject == "lesion"] == [0.0, None, None]


def test_the_card_is_json_with_its_limits(fixed: Volume, moving: Volume) -> None:
    card = judge(fixed, moving, registration(), Evidence(landmarks=landmarks()))
    plain = json.loads(json.dumps(card.as_json(LIMITS)))
    assert plain["Grade"] == "PASS"
    (mean,) = (check for check in plain["Checks"] if check["Quantity"] == "mean landmark error")
    assert (mean["PassesTo"], mean["FailsBeyond"], mean["LimitFrom"]) == (2, 3, "TG-132")


def test_every_quantity_has_a_limit_with_a_source() -> None:
    assert set(LIMITS) == set(Quantity)
    assert all(limit.source and limit.unit for limit in LIMITS.values())


def test_what_is_no_number_never_passes_and_fails_where_there_is_a_limit_to_fail() -> None:
    for limit in LIMITS.values():
        expected = Grade.NOT_JUDGED if limit.passes is None else Grade.CAUTION if limit.fails is None else Grade.FAIL
        assert limit.grade(float("nan")) is expected
    for limit in LIMITS.values():
        assert limit.grade(float("nan")) in (Grade.FAIL, Grade.CAUTION, Grade.NOT_JUDGED)


# --- deformations ----------------------------------------------------------------------------


def stretched(slope: float, spacing: float = 4.0) -> DisplacementField:
    """x becomes (1 + slope) x: the Jacobian is 1 + slope everywhere. The grid is oblique."""
    turn, _ = np.linalg.qr(np.array([[2.0, 1, 0], [-1, 2, 0.5], [0.2, -0.3, 1]]))
    grid = Grid((9, 8, 7), Affine.of(turn * spacing, (-14, -14, -14)), FIXED)
    vectors = np.zeros((9, 8, 7, 3), np.float32)
    vectors[..., 0] = slope * points_of(grid)[..., 0]
    return DisplacementField(grid, vectors)


def test_the_jacobian_of_an_oblique_field_is_that_of_the_formula() -> None:
    facts = jacobian_facts(Chain((Affine.identity(), stretched(0.3))))
    assert facts is not None
    assert facts.least == pytest.approx(1.3, abs=1e-5)
    assert facts.largest == pytest.approx(1.3, abs=1e-5)
    assert facts.folded == 0
    back = jacobian_facts(Chain((InverseField(stretched(0.25)),)))
    assert back is not None
    assert back.least == pytest.approx(0.8, abs=1e-5)
    assert jacobian_facts(TRUTH) is None


def test_a_fold_is_counted_and_fails(fixed: Volume, moving: Volume) -> None:
    grid = grid_of(FIXED, 6.0, 15)
    vectors = np.zeros((15, 15, 15, 3), np.float32)
    vectors[7, 7, 7, 0] = 20  # its neighbour on one side is overtaken
    field = DisplacementField(grid, vectors)
    facts = jacobian_facts(Chain((field,)))
    assert facts is not None
    assert facts.least == pytest.approx(1 - 20 / 12)
    assert facts.folded == pytest.approx(1 / 15**3)
    card = judge(fixed, moving, registration(Chain((field, *TRUTH.steps))), Evidence(landmarks=landmarks()))
    assert card.grade is Grade.FAIL
    assert "folded share" in card.reason


def test_a_smooth_deformation_keeps_its_landmarks_and_can_be_inverted(fixed: Volume, moving: Volume) -> None:
    grid = grid_of(FIXED, 6.0, 17)
    vectors = (0.8 * np.sin(points_of(grid)[..., [1, 2, 0]] / 12)).astype(np.float32)
    card = judge(
        fixed,
        moving,
        registration(Chain((DisplacementField(grid, vectors), *TRUTH.steps))),
        Evidence(landmarks=landmarks()),
    )
    assert card.grade is Grade.PASS
    assert (card.value(Quantity.INVERSION) or 0) < 0.01
    assert 0.9 < (card.value(Quantity.LEAST_JACOBIAN) or 0) < 1


# --- masks -----------------------------------------------------------------------------------


def test_surface_distances_are_those_of_every_pair_of_voxels() -> None:
    one, other = ball(FIXED, (0, 0, 0), 14), ball(FIXED, (6, 0, 3), 11)
    found = agreement(one, other)
    first, second = surface(one), surface(other)
    apart = np.linalg.norm(first[:, None] - second[None], axis=-1)
    both = np.concatenate((apart.min(axis=1), apart.min(axis=0)))
    assert found.mean_distance_mm == pytest.approx(both.mean(), abs=0.02)
    assert found.hausdorff95_mm == pytest.approx(np.percentile(both, 95), abs=0.05)
    shared = 2 * (one.inside & other.inside).sum() / (one.voxels + other.voxels)
    assert found.dice == pytest.approx(shared)


def surface(mask: Mask) -> npt.NDArray[np.float64]:
    inside = mask.inside
    core = inside.copy()
    for axis in range(3):
        core &= np.roll(inside, 1, axis) & np.roll(inside, -1, axis)
    return mask.grid.to_patient.apply(np.argwhere(inside & ~core)[:, ::-1])


def test_regions_on_other_voxels_or_empty_ones_are_refused() -> None:
    with pytest.raises(InvalidRegion):
        agreement(ball(FIXED, (0, 0, 0), 9), ball(MOVING, (0, 0, 0), 9))
    with pytest.raises(InvalidRegion):
        agreement(ball(FIXED, (0, 0, 0), 9), ball(FIXED, (900, 0, 0), 9))


def test_a_mask_is_carried_to_where_the_transform_says() -> None:
    made = carried(ball(MOVING, SHIFT, 12), TRUTH, grid_of(FIXED))
    assert agreement(made, ball(FIXED, (0, 0, 0), 12)).dice > 0.9
    assert carried(ball(MOVING, SHIFT, 12), moved(900, 0, 0), grid_of(FIXED)).voxels == 0
    small = carried(ball(MOVING, SHIFT, 3.1), TRUTH, grid_of(FIXED))
    assert small.voxels > 0


def test_values_between_voxels_are_trilinear_and_nothing_lies_outside() -> None:
    grid = grid_of(FIXED, 2.0, 9)
    plane = points_of(grid) @ (1.0, 2.0, 3.0)
    volume = Volume(plane.astype(np.float32), grid, Unit.SIGNAL, SOURCE)
    points = np.array([[0.5, 1.1, -2.2], [99, 0, 0], [np.nan, 0, 0]])
    values, inside = values_at(volume, points)
    assert values[0] == pytest.approx(points[0] @ (1, 2, 3), abs=1e-4)
    assert inside.tolist() == [True, False, False]
