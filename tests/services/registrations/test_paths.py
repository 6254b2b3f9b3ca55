"""Paths through the registrations of an archive."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from radfuse.archive import Archive
from radfuse.core.errors import UnknownEntity
from radfuse.geometry import Affine, Chain
from radfuse.services.forget import forget_objects
from radfuse.services.import_media import import_files
from radfuse.services.registrations import Grade, NotRegistered, RegistrationPath, Wish, kept_registrations, path
from tests.support.graphs import Scene, bend, places, shift
from tests.support.registered import references


@pytest.fixture
def scene(archive: Archive) -> Scene:
    return Scene(archive)


def found(scene: Scene, fixed: str, moving: str, **wish: object) -> RegistrationPath:
    answer = path(scene.archive, scene.uid(fixed), scene.uid(moving), Wish(**wish))  # type: ignore[arg-type]
    assert isinstance(answer, RegistrationPath), answer
    return answer


def refused(scene: Scene, fixed: str, moving: str, **wish: object) -> NotRegistered:
    answer = path(scene.archive, scene.uid(fixed), scene.uid(moving), Wish(**wish))  # type: ignore[arg-type]
    assert isinstance(answer, NotRegistered)
    assert answer.sentence.startswith("not registered: ")
    return answer


def used(answer: RegistrationPath) -> list[str]:
    return [step.link.registration for step in answer.steps]


def moved(answer: RegistrationPath) -> np.ndarray:
    off: np.ndarray = answer.chain.apply(places()) - places()
    return off


# --- which path ------------------------------------------------------------------------------


def test_a_chain_of_three_is_composed_in_order_and_backwards(scene: Scene) -> None:
    first = scene.register("ct", "mr", shift(1, 2, 3))
    second = scene.register("pet", "mr", shift(10))
    third = scene.register("pet", "old", bend(scene.frame("pet"), 1))
    there = found(scene, "ct", "old")
    assert used(there) == [first, second, third]
    assert [step.is_forward for step in there.steps] == [True, False, True]
    at_pet = places() + np.array([1 - 10, 2, 3])
    expected = bend(scene.frame("pet"), 1).apply(at_pet)
    known = np.isfinite(expected).all(axis=-1)
    assert known.sum() > 10
    assert np.abs(there.chain.apply(places()) - expected)[known].max() < 0.1
    back = found(scene, "old", "ct")
    assert used(back) == [third, second, first]
    assert np.abs(back.chain.apply(expected[known]) - places()[known]).max() < 0.1
    assert (there.is_deformable, there.grade) == (True, Grade.NOT_JUDGED)
    assert "3 registrations, 1 of them deformable, the worst grade NOT JUDGED" in there.reason


def test_the_same_frame_needs_no_registration(scene: Scene) -> None:
    scene.add_series("second", frame=scene.frame("ct"))
    answer = found(scene, "ct", "second")
    assert (answer.steps, answer.chain.steps, answer.grade) == ((), (), Grade.PASS)
    assert answer.reason == "both lie in the same frame of reference"


def test_without_a_path_they_are_not_registered(scene: Scene) -> None:
    scene.register("ct", "mr", shift(1))
    assert "no registration that can be used" in refused(scene, "ct", "pet").sentence


def test_a_registration_to_a_frame_that_nobody_has_leads_nowhere_and_harms_nothing(scene: Scene) -> None:
    scene.images["gone"] = [Dataset()]
    scene.images["gone"][0].FrameOfReferenceUID = "2.25.404"
    scene.register("ct", "gone", shift(5))
    direct = scene.register("ct", "mr", shift(1))
    assert used(found(scene, "ct", "mr")) == [direct]
    refused(scene, "ct", "old")


def test_two_series_that_are_both_registered_to_a_frame_without_images_are_joined_by_it(scene: Scene) -> None:
    scene.images["gone"] = [Dataset()]
    scene.images["gone"][0].FrameOfReferenceUID = "2.25.404"
    scene.register("ct", "gone", shift(5))
    scene.register("mr", "gone", shift(2))
    assert np.allclose(moved(found(scene, "ct", "mr")), (3, 0, 0))


def test_the_grade_counts_before_everything(scene: Scene) -> None:
    direct = scene.register("ct", "pet", shift(1), when=5)
    first, second = scene.register("ct", "mr", shift(0.5)), scene.register("mr", "pet", shift(0.5))
    assert used(found(scene, "ct", "pet")) == [direct]
    scene.judge(first, "PASS")
    assert used(found(scene, "ct", "pet")) == [direct]  # the other is only as good as its worst
    scene.judge(second, "PASS")
    answer = found(scene, "ct", "pet")
    assert (used(answer), answer.grade) == ([first, second], Grade.PASS)
    scene.judge(direct, "PASS")
    assert used(found(scene, "ct", "pet")) == [direct]


def test_then_fewer_deformations_then_fewer_steps_then_the_newest(scene: Scene) -> None:
    scene.register("ct", "pet", bend(scene.frame("ct")), when=9)
    first, second = scene.register("ct", "mr", shift(1)), scene.register("mr", "pet", shift(1))
    assert used(found(scene, "ct", "pet")) == [first, second]
    old = scene.register("ct", "pet", shift(2), when=3)
    assert used(found(scene, "ct", "pet")) == [old]
    new = scene.register("ct", "pet", shift(2), when=4)
    scene.register("ct", "pet", shift(2), when=1)
    assert used(found(scene, "ct", "pet")) == [new]


def test_the_same_graph_gives_the_same_path_whatever_came_first(scene: Scene) -> None:
    one, two = scene.register("ct", "mr", shift(1), when=1), scene.register("ct", "mr", shift(1), when=1)
    assert used(found(scene, "ct", "mr")) == [min(one, two)]


def test_caution_is_used_only_where_nothing_better_leads_there(scene: Scene) -> None:
    doubtful, plain = scene.register("ct", "mr", shift(1), when=9), scene.register("ct", "mr", shift(1))
    scene.judge(doubtful, "CAUTION")
    assert used(found(scene, "ct", "mr")) == [plain]
    assert used(found(scene, "ct", "mr", only=frozenset({doubtful}))) == [doubtful]


def test_one_that_failed_is_never_used_in_silence(scene: Scene) -> None:
    failed = scene.register("ct", "mr", shift(30))
    card = scene.judge(failed, "FAIL", "mean landmark error 12 mm")
    answer = refused(scene, "ct", "mr")
    assert f"the only path failed its report card: registration {failed} (FAIL)" in answer.sentence
    taken = found(scene, "ct", "mr", allow_failed=True)
    assert (used(taken), taken.grade) == ([failed], Grade.FAIL)
    (kept,) = kept_registrations(scene.archive)
    assert (kept.grading.report, kept.grading.reason) == (card, "mean landmark error 12 mm")
    around = scene.register("ct", "pet", shift(1)), scene.register("pet", "mr", shift(1))
    longer = found(scene, "ct", "mr")
    assert (used(longer), longer.contradictions) == (list(around), ())


def test_the_newest_report_card_counts(scene: Scene) -> None:
    uid = scene.register("ct", "mr", shift(1))
    scene.judge(uid, "FAIL", when=1)
    scene.judge(uid, "PASS", when=2)
    assert found(scene, "ct", "mr").grade is Grade.PASS
    scene.judge(uid, "CAUTION", when=1)  # older, though it arrives last
    assert found(scene, "ct", "mr").grade is Grade.PASS
    scene.judge(uid, "FAIL", when=2)
    scene.judge(uid, "PASS", when=2)
    refused(scene, "ct", "mr")


# --- contradictions --------------------------------------------------------------------------


def test_paths_that_contradict_each_other_are_both_shown_and_the_better_grade_wins(scene: Scene) -> None:
    good = scene.register("ct", "pet", shift(1), when=1)
    first, second = scene.register("ct", "mr", shift(1), when=2), scene.register("mr", "pet", shift(0, 4, 0), when=2)
    scene.judge(good, "PASS")
    answer = found(scene, "ct", "pet")
    assert used(answer) == [good]
    (contradiction,) = answer.contradictions
    assert [step.link.registration for step in contradiction.steps] == [first, second]
    assert contradiction.difference_mm == pytest.approx(4, abs=1e-3)
    assert "another path says something else by up to 4.0 mm" in contradiction.sentence
    assert "the better of paths that contradict each other" in answer.reason


def test_a_cycle_that_closes_says_nothing(scene: Scene) -> None:
    scene.register("ct", "mr", shift(1))
    scene.register("mr", "pet", shift(2))
    scene.register("pet", "ct", shift(-4))
    answer = found(scene, "ct", "pet")
    assert (len(answer.steps), answer.contradictions, answer.warnings) == (1, (), ())
    assert np.allclose(moved(answer), (4, 0, 0))


def test_paths_are_compared_only_where_the_series_have_something_in_common(scene: Scene) -> None:
    scene.register("ct", "mr", shift(500), when=2)
    scene.register("ct", "mr", shift(600), when=1)
    answer = found(scene, "ct", "mr")
    assert answer.contradictions == ()
    assert "cannot be compared" in " ".join(answer.warnings)


# --- what is left out ------------------------------------------------------------------------


def test_a_registration_that_is_damaged_is_left_out_and_said_to_be(scene: Scene) -> None:
    good = scene.register("ct", "mr", shift(1))
    broken = scene.registration("ct", "mr", shift(2), when=9)
    item = broken.RegistrationSequence[1].MatrixRegistrationSequence[0].MatrixSequence[0]
    item.FrameOfReferenceTransformationMatrix = [0] * 15 + [1]
    scene.keep(broken)
    answer = found(scene, "ct", "mr")
    assert used(answer) == [good]
    assert str(broken.SOPInstanceUID) in answer.warnings[0]
    listed = {kept.sop_instance_uid: kept for kept in kept_registrations(scene.archive)}
    assert listed[str(broken.SOPInstanceUID)].links == ()
    assert listed[str(broken.SOPInstanceUID)].findings


def test_one_without_frames_of_reference_is_found_by_its_images_or_left_out(scene: Scene) -> None:
    by_images = scene.registration("ct", "mr", shift(7))
    moving = by_images.RegistrationSequence[1]
    moving.ReferencedImageSequence = [Dataset()]
    moving.ReferencedImageSequence[0].ReferencedSOPClassUID = scene.of("mr")[0].SOPClassUID
    moving.ReferencedImageSequence[0].ReferencedSOPInstanceUID = scene.of("mr")[0].SOPInstanceUID
    del moving.FrameOfReferenceUID
    scene.keep(by_images)
    assert np.allclose(moved(found(scene, "ct", "mr")), (7, 0, 0))
    nowhere = scene.registration("ct", "pet", shift(7))
    for item in (nowhere, *nowhere.RegistrationSequence):
        del item.FrameOfReferenceUID
    scene.keep(nowhere)
    assert refused(scene, "ct", "pet").warnings


def test_one_of_the_wild_that_names_no_frame_at_all_is_listed_with_the_reason(
    archive: Archive, shared_data: Path
) -> None:
    list(import_files(archive, [shared_data / "malformed" / "other" / "spatial_reg.dcm"]))
    (kept,) = kept_registrations(archive)
    assert kept.links == ()
    assert kept.findings == ("it is not used: it does not name the frame of reference that it registers to",)


def test_a_deleted_registration_leads_nowhere(scene: Scene) -> None:
    uid = scene.register("ct", "mr", shift(1))
    found(scene, "ct", "mr")
    forget_objects(scene.archive, [scene.stored(uid)])
    refused(scene, "ct", "mr")


def test_one_of_many_may_be_asked_for_and_must_be_there(scene: Scene) -> None:
    scene.register("ct", "mr", shift(1), when=9)
    wanted = scene.register("ct", "mr", shift(2), when=1)
    assert np.allclose(moved(found(scene, "ct", "mr", only=frozenset({wanted}))), (2, 0, 0))
    with pytest.raises(UnknownEntity):
        found(scene, "ct", "mr", only=frozenset({"2.25.9"}))
    with pytest.raises(UnknownEntity):
        path(scene.archive, scene.uid("ct"), "2.25.9")


def test_series_that_say_no_frame_of_reference_are_not_registered(scene: Scene) -> None:
    scene.add_series("loose", frame="")
    assert "the moving series does not say" in refused(scene, "ct", "loose").sentence
    assert "the fixed series does not say" in refused(scene, "loose", "ct").sentence


def test_matrices_that_are_none_together_leave_the_path_to_others(scene: Scene) -> None:
    tiny = Chain((Affine.of(np.eye(3) / 900, (0, 0, 0)),))
    for one, other in (("ct", "mr"), ("mr", "pet")):
        scene.judge(scene.register(one, other, tiny), "PASS")
    good = scene.register("ct", "old", shift(1)), scene.register("old", "pet", shift(1))
    answer = found(scene, "ct", "pet")
    assert used(answer) == list(good)
    assert "the transform is singular" in answer.warnings[0]


# --- patients and breathing states -----------------------------------------------------------


def test_two_patients_are_overlaid_only_where_that_is_asked_for(scene: Scene) -> None:
    scene.add_series("other", patient="OTHER")
    scene.register("ct", "other", shift(1))
    assert "of two patients" in refused(scene, "ct", "other").sentence
    answer = found(scene, "ct", "other", allow_other_patient=True)
    assert answer.is_other_patient
    assert "two patients" in answer.warnings[0]
    scene.add_series("twin", patient="OTHER", frame=scene.frame("ct"))
    refused(scene, "ct", "twin")


def test_registrations_of_another_patient_are_not_used(scene: Scene) -> None:
    scene.add_series("theirs", patient="OTHER", frame=scene.frame("ct"))
    scene.register("theirs", "mr", shift(1))
    refused(scene, "ct", "mr")


def test_a_registration_within_a_frame_is_told_of_and_used_when_it_is_asked_for(scene: Scene) -> None:
    scene.add_series("inhaled", frame=scene.frame("ct"))
    uid = scene.register(
        "ct",
        "inhaled",
        shift(0, 0, 12),
        fixed_images=references(scene.of("ct")),
        moving_images=references(scene.of("inhaled")),
    )
    plain = found(scene, "ct", "inhaled")
    assert plain.steps == ()
    assert uid in plain.warnings[0]
    assert np.allclose(moved(found(scene, "ct", "inhaled", only=frozenset({uid}))), (0, 0, 12))
    assert np.allclose(moved(found(scene, "inhaled", "ct", only=frozenset({uid}))), (0, 0, -12))
    other = scene.register("ct", "mr", shift(1))
    refused(scene, "ct", "inhaled", only=frozenset({other}))


# --- large deformations ----------------------------------------------------------------------


def test_a_large_deformation_is_listed_without_its_grid_and_read_for_a_path(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = scene.register("ct", "mr", bend(scene.frame("ct"), reach_mm=100), label="BENT", description="smooth")
    (whole,) = kept_registrations(scene.archive)
    monkeypatch.setattr("radfuse.services.registrations.reading._READ_WHOLE_BYTES", 0)
    (told,) = kept_registrations(scene.archive)
    assert told == whole
    assert told.links[0].is_deformable
    assert (told.label, told.description, told.links[0].moving) == ("BENT", "smooth", scene.frame("mr"))
    answer = found(scene, "ct", "mr")
    expected = bend(scene.frame("ct"), reach_mm=100).apply(places())
    assert np.abs(answer.chain.apply(places()) - expected).max() < 0.01
    assert used(answer) == [uid]


def test_a_large_deformation_that_names_images_or_nothing_is_judged_by_its_header(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radfuse.services.registrations.reading._READ_WHOLE_BYTES", 0)
    by_images = scene.registration("ct", "mr", bend(scene.frame("ct")))
    item = by_images.DeformableRegistrationSequence[0]
    item.ReferencedImageSequence = [reference.item() for reference in references(scene.of("mr"))]
    del item.SourceFrameOfReferenceUID
    scene.keep(by_images)
    assert used(found(scene, "ct", "mr")) == [str(by_images.SOPInstanceUID)]
    nothing = scene.registration("ct", "pet", bend(scene.frame("ct")))
    del nothing.DeformableRegistrationSequence[0].SourceFrameOfReferenceUID
    loose = scene.registration("ct", "pet", bend(scene.frame("ct")))
    del loose.FrameOfReferenceUID
    for ds in (nothing, loose):
        scene.keep(ds)
    answer = refused(scene, "ct", "pet")
    assert "names its frames of reference" in answer.warnings[0]
    assert "does not name the frame of reference that it registers to" in answer.warnings[1]


def test_a_large_deformation_whose_grid_cannot_be_used_is_left_out_when_a_path_needs_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radfuse.services.registrations.reading._READ_WHOLE_BYTES", 0)
    broken = scene.registration("ct", "mr", bend(scene.frame("ct")))
    grid = broken.DeformableRegistrationSequence[0].DeformableRegistrationGridSequence[0]
    grid.VectorGridData = grid.VectorGridData[:-4]
    scene.keep(broken)
    assert f"{broken.SOPInstanceUID} is not used" in refused(scene, "ct", "mr").warnings[0]
    good = scene.register("ct", "mr", bend(scene.frame("ct")), when=0)
    assert used(found(scene, "ct", "mr")) == [good]


# --- objects with several items --------------------------------------------------------------

_BY_HEADER = pytest.mark.parametrize("whole_bytes", [0, 1 << 20], ids=["by its header", "read whole"])


@_BY_HEADER
@pytest.mark.parametrize("is_damaged", [False, True])
def test_of_two_items_for_one_frame_each_holds_for_its_images_also_when_the_other_is_damaged(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, whole_bytes: int, is_damaged: bool
) -> None:
    monkeypatch.setattr("radfuse.services.registrations.reading._READ_WHOLE_BYTES", whole_bytes)
    scene.add_series("inhaled", frame=scene.frame("mr"))
    both, second = (
        scene.registration("ct", name, bend(scene.frame("ct"), x_mm), moving_images=references(scene.of(name)))
        for name, x_mm in (("mr", 0), ("inhaled", 20))
    )
    both.DeformableRegistrationSequence.append(second.DeformableRegistrationSequence[0])
    grid = both.DeformableRegistrationSequence[0].DeformableRegistrationGridSequence[0]
    if is_damaged:
        grid.VectorGridData = grid.VectorGridData[:-4]
    scene.keep(both)
    assert np.nanmean(moved(found(scene, "ct", "inhaled")), axis=0)[0] == pytest.approx(20, abs=0.1)
    if is_damaged:
        assert str(both.SOPInstanceUID) in refused(scene, "ct", "mr").warnings[0]
    else:
        assert np.nanmean(moved(found(scene, "ct", "mr")), axis=0)[0] == pytest.approx(0, abs=0.1)


@_BY_HEADER
def test_an_item_that_only_says_where_the_fixed_frame_lies_is_no_registration(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, whole_bytes: int
) -> None:
    monkeypatch.setattr("radfuse.services.registrations.reading._READ_WHOLE_BYTES", whole_bytes)
    for name in ("beside", "inhaled"):
        scene.add_series(name, frame=scene.frame("ct"))
    ds = scene.registration(
        "ct",
        "inhaled",
        bend(scene.frame("ct"), 5),
        fixed_images=references(scene.of("ct")),
        moving_images=references(scene.of("inhaled")),
    )
    (moving,) = ds.DeformableRegistrationSequence
    fixed = copy.deepcopy(moving)
    del fixed.DeformableRegistrationGridSequence
    fixed.ReferencedImageSequence = Items([reference.item() for reference in references(scene.of("ct"))])
    ds.DeformableRegistrationSequence = Items([fixed, moving])
    uid = str(ds.SOPInstanceUID)
    scene.keep(ds)
    assert found(scene, "ct", "beside").warnings == ()
    asked = found(scene, "ct", "inhaled", only=frozenset({uid}))
    assert np.nanmean(moved(asked), axis=0)[0] == pytest.approx(5, abs=0.1)
    moved_too = copy.deepcopy(ds)
    moved_too.SOPInstanceUID = "2.25.4040"
    (before,) = moved_too.DeformableRegistrationSequence[0].PreDeformationMatrixRegistrationSequence
    before.FrameOfReferenceTransformationMatrix = ["1", "0", "0", "7", *"0100", *"0010", *"0001"]
    scene.keep(moved_too)
    back = found(scene, "ct", "beside", only=frozenset({"2.25.4040"}))
    assert np.allclose(moved(back), (-7, 0, 0))
