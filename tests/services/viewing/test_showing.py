"""Series laid over a base: the same voxels wherever that can be, and a reason for where they lie."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from radfuse.archive import Archive, ArchiveSettings
from radfuse.core.errors import CannotBuildVolume, CannotComputeSUV, ImagesArriving, NotOverlaid, UnknownEntity
from radfuse.geometry import Affine, Chain, FrameOfReference, Grid
from radfuse.services.registrations.applying import points_to_moving
from radfuse.services.series_views import SeriesView
from radfuse.services.viewing import show
from radfuse.services.viewing.aligning import AlignmentKind, alignment_of
from radfuse.services.viewing.derived import derived
from radfuse.services.viewing.showing import Shown
from radfuse.services.volumes import cache_folder, forget_volumes, objects_of_series, open_series
from radfuse.volume import Source, Unit, Volume
from radfuse.volume.cache import CacheKey
from tests.services.viewing.conftest import TURN
from tests.support.graphs import Scene, bend, shift
from tests.support.volumes import Shape, image


def shown(scene: Scene, name: str, onto: str = "ct", allowing: str = "") -> Shown:
    view = SeriesView(
        scene.uid(name),
        allow_failed=allowing == "allow_failed",
        allow_other_patient=allowing == "allow_other_patient",
        allow_other_side=allowing == "allow_other_side",
    )
    return show(scene.archive, view, scene.uid(onto))


def test_a_series_of_the_same_frame_keeps_its_voxels_and_its_grid(scene: Scene) -> None:
    found = shown(scene, "pet")
    own = open_series(scene.archive, scene.uid("pet")).volume
    assert found.volume.grid.matches(own.grid)
    assert np.array_equal(found.volume.voxels, own.voxels)
    assert not found.is_resampled
    assert alignment_of(found.aligned).kind is AlignmentKind.SAME_FRAME


def test_through_a_rigid_registration_only_the_grid_is_carried(scene: Scene) -> None:
    found = shown(scene, "mr")
    own = open_series(scene.archive, scene.uid("mr")).volume
    assert np.array_equal(found.volume.voxels, own.voxels)
    assert found.volume.grid.frame.uid == scene.frame("ct")
    index = np.array([[3, 4, 1], [0, 19, 0]])
    assert TURN.apply(found.volume.grid.to_patient.apply(index)) == pytest.approx(own.grid.to_patient.apply(index))
    why = alignment_of(found.aligned)
    assert (why.kind, why.grade, why.grade_reason) == (AlignmentKind.REGISTERED, "PASS", "measured")
    assert why.made.startswith("20261122")


@pytest.mark.parametrize("name", ["wide", "bent"])
def test_what_is_no_box_at_right_angles_any_more_is_resampled_on_the_base(scene: Scene, name: str) -> None:
    found = shown(scene, name)
    own, base = (open_series(scene.archive, scene.uid(each)).volume for each in (name, "ct"))
    assert found.is_resampled
    assert found.volume.grid.frame.uid == scene.frame("ct")
    assert found.volume.grid.directions == pytest.approx(base.grid.directions)
    assert found.aligned is not None
    points = np.array([[0.0, 0.0, -10.0], [12.5, -7.5, -10.0]])
    index = np.rint(found.volume.grid.from_patient.apply(points)).astype(int)
    points = found.volume.grid.to_patient.apply(index)
    there = own.grid.from_patient.apply(points_to_moving(found.aligned.path, points))
    value = [found.volume.voxels[k, j, i] for i, j, k in index]
    # Pixels of these series grow by 1 a column, 7 a row and 100 a slice.
    assert value == pytest.approx([i + 7 * j + 100 * min(max(k, 0), 1) - 1024 for i, j, k in there], abs=1)
    assert shown(scene, name).volume.voxels.base is found.volume.voxels.base  # made once


def test_a_view_has_another_id_wherever_its_voxels_or_their_place_differ(scene: Scene) -> None:
    ids = [shown(scene, "mr", onto).id for onto in ("ct", "mr")] + [shown(scene, "bent").id]
    stored = show(scene.archive, SeriesView(scene.uid("mr"), Unit.STORED))
    assert len({*ids, stored.id}) == 4
    assert ids[0] == shown(scene, "mr").id


@pytest.mark.parametrize(
    ("name", "setting"), [("far", "registration"), ("poor", "allow_failed"), ("other", "allow_other_patient")]
)
def test_nothing_is_laid_over_without_a_reason_that_may_be_used(scene: Scene, name: str, setting: str) -> None:
    with pytest.raises(NotOverlaid) as refused:
        shown(scene, name)
    assert refused.value.setting == setting
    assert refused.value.reason.startswith("not registered: ")
    if setting != "registration":
        assert shown(scene, name, allowing=setting).volume.grid.frame.uid == scene.frame("ct")


def test_right_is_laid_over_left_after_a_deliberate_yes_only_and_under_a_doubt(scene: Scene) -> None:
    with pytest.raises(NotOverlaid, match="one series shows the left side of the body") as refused:
        shown(scene, "right", onto="left")
    assert refused.value.setting == "allow_other_side"
    why = alignment_of(shown(scene, "right", onto="left", allowing="allow_other_side").aligned)
    assert why.is_other_side
    assert "one series shows the left side of the body" in why.warnings[0]
    assert not alignment_of(shown(scene, "right", onto="ct").aligned).is_other_side  # the CT does not say


def test_a_path_is_searched_again_when_a_registration_arrives(scene: Scene) -> None:
    scene.of("late")
    with pytest.raises(NotOverlaid):
        shown(scene, "late")
    scene.register("ct", "late", shift(2), when=5)
    assert alignment_of(shown(scene, "late").aligned).grade == "NOT JUDGED"
    scene.judge(scene.register("ct", "late", shift(2), when=6), "PASS", "better")
    assert alignment_of(shown(scene, "late").aligned).grade_reason == "better"


def test_a_series_that_grows_while_it_is_read_is_shown_when_all_of_it_is_there(tmp_path: Path) -> None:
    with Archive(ArchiveSettings(tmp_path)) as archive:
        scene = Scene(archive)
        images = [image(Shape(8, 8, (2.0, 2.0, 3.0)), "CT", number) for number in range(4)]
        for ds in images[:3]:
            scene.keep(ds)
        view, late = SeriesView(str(images[0].SeriesInstanceUID)), images[3:]

        def arrives(_done: int, _total: int) -> None:
            while late:
                scene.keep(late.pop())

        with pytest.raises(ImagesArriving):
            show(archive, view, progress=arrives)
        assert show(archive, view).volume.grid.shape == (4, 8, 8)


def test_voxels_made_by_a_deformation_are_never_those_of_another_one(scene: Scene) -> None:
    found = shown(scene, "bent").aligned
    assert found is not None
    other = replace(found, path=replace(found.path, chain=bend(scene.frame("ct"), 1.0)))
    same = replace(found, path=replace(found.path, chain=Chain(found.path.chain.steps)))
    back = replace(found, path=replace(found.path, chain=found.path.chain.inverse()))
    assert found.digest == same.digest
    assert len({found.digest, other.digest, back.digest}) == 3


def test_tilted_slices_are_put_at_right_angles(tmp_path: Path) -> None:
    with Archive(ArchiveSettings(tmp_path)) as archive:
        scene = Scene(archive)
        for number in range(4):
            ds = image(Shape(8, 8, (2.0, 2.0, 3.0)), "CT", number)
            ds.ImagePositionPatient = [0.0, 0.8 * number, 3.0 * number]
            scene.keep(ds)
        found = show(archive, SeriesView(str(ds.SeriesInstanceUID)))
        assert found.native.grid.is_sheared
        assert found.is_resampled
        assert not found.volume.grid.is_sheared


def test_without_a_stack_the_largest_is_shown_and_without_suv_the_units_of_the_images(tmp_path: Path) -> None:
    with Archive(ArchiveSettings(tmp_path)) as archive:
        scene = Scene(archive)
        for number, orientation in enumerate([(1, 0, 0, 0, 1, 0)] + [(1, 0, 0, 0, 0, -1)] * 3):
            ds = image(Shape(8, 8, (2.0, 2.0, 3.0), orientation), "PT", number)
            scene.keep(ds)
        series = str(ds.SeriesInstanceUID)
        found = show(archive, SeriesView(series))
        assert found.volume.grid.shape == (3, 8, 8)
        assert found.volume.unit is Unit.BQML
        assert found.refusal
        with pytest.raises(CannotComputeSUV):
            show(archive, SeriesView(series, Unit.SUV_BW))
        with pytest.raises(CannotBuildVolume, match="there is no volume 9"):
            show(archive, SeriesView(series, stack=9))
        with pytest.raises(UnknownEntity):
            show(archive, SeriesView("2.25.404"))


def test_what_is_made_of_a_series_is_made_once_and_goes_with_its_objects(scene: Scene) -> None:
    objects = objects_of_series(scene.archive, scene.uid("mr"))
    key = CacheKey(scene.uid("mr"), [stored.digest for stored in objects], None, frozenset(), 1, "a test")
    grid = Grid((1, 2, 2), Affine.identity(), FrameOfReference())
    begun, goes_on, made = threading.Event(), threading.Event(), []

    def make() -> Volume:
        begun.set()
        goes_on.wait(10)
        made.append(1)
        return Volume(np.ones((1, 2, 2), np.int16), grid, Unit.SIGNAL, Source("MR", "", "", "", ()))

    threads = [threading.Thread(target=lambda: derived(scene.archive, key, make)) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    goes_on.set()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    path = cache_folder(scene.archive.settings.folder) / key.name
    assert path.is_file()
    assert derived(scene.archive, key, make).voxels.tolist() == [[[1, 1], [1, 1]]]
    forget_volumes(scene.archive.settings.folder, objects)
    assert not path.exists()
