"""Regions between frames of reference: pointed at on the base, shown there, carried, and refused."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from radfuse.archive import Archive, ArchiveSettings
from radfuse.core.errors import FramesDiffer, InvalidRegion, NotOverlaid
from radfuse.geometry import Affine, Chain, Mask
from radfuse.objects.common import Making
from radfuse.roi import drawing
from radfuse.services.contours import grid_of, images_of
from radfuse.services.drawing import Drawn, MadeRegion, RegionAsk, make_region, rules, structures_of
from radfuse.services.new_regions import Made, as_segmentation, as_structure_set
from radfuse.services.one_object import stored_data_set
from radfuse.services.series_views import SeriesView
from radfuse.services.viewing.showing import native_volume
from tests.support.drawn import CT_MM, HOT_MM, add_image, add_pet_and_ct, ct
from tests.support.graphs import Scene, bend

TURN = Affine.of(np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]), (15.0, -20.0, 4.3))
"""From the frame of the MR to that of the PET and the CT."""

NEAR_MM = 2.0
"""A third of a voxel of the MR: what the nearest voxel may move a region."""


@dataclass(frozen=True)
class Ward:
    """A PET with its CT, and an MR, a bent CT and others in frames of their own."""

    archive: Archive
    scene: Scene

    def view(self, name: str, allow_failed: bool = False) -> SeriesView:
        return SeriesView(self.scene.uid(name), allow_failed=allow_failed)

    def made(self, name: str, rule: rules.Rule, base: str = "", also: tuple[SeriesView, ...] = ()) -> MadeRegion:
        ask = RegionAsk(self.view(name), rule, also, self.scene.uid(base) if base else None)
        return make_region(self.archive, ask)


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    folder: Path = tmp_path_factory.mktemp("frames") / "archive"
    folder.mkdir()
    with Archive(ArchiveSettings(folder)) as archive:
        scene = Scene(archive)
        add_pet_and_ct(scene)
        for name in ("mr", "bent"):
            add_image(scene, name, ct(), CT_MM, "MR", f"2.25.48{len(scene.images)}")
        scene.add_series("other", patient="GEN-2")
        scene.register("mr", "pet", Chain((TURN,)))
        scene.register("bent", "pet", bend(scene.frame("bent"), 4.0, 100.0))
        scene.judge(scene.register("failed", "pet", Chain((TURN,))), "FAIL")
        yield Ward(archive, scene)


def centre_of(drawn: Drawn) -> np.ndarray:
    found: np.ndarray = drawn.mask.grid.to_patient.apply(np.argwhere(drawn.inside)[:, ::-1]).mean(axis=0)
    return found


def test_a_point_on_the_base_is_where_the_registration_says(ward: Ward) -> None:
    on_mr = tuple(TURN.inverse().apply(HOT_MM).tolist())
    direct, pointed = ward.made("pet", rules.Ball(HOT_MM, 30)), ward.made("pet", rules.Ball(on_mr, 30), "mr")
    assert np.array_equal(direct.drawn.inside, pointed.drawn.inside)
    assert direct.drawn.box == pointed.drawn.box
    assert direct.numbers == pointed.numbers
    assert direct.shown is None
    assert ward.made("pet", rules.Ball(HOT_MM, 30), "ct").shown is None


def test_a_rigid_path_shows_the_same_voxels_and_takes_them_back(ward: Ward) -> None:
    on_mr = tuple(TURN.inverse().apply(HOT_MM).tolist())
    made = ward.made("pet", rules.Hot(on_mr, rules.Limit("max", 41)), "mr")
    shown = made.shown
    assert shown is not None
    assert shown.grid.frame.uid == ward.scene.frame("mr")
    assert made.drawn.grid.frame.uid == ward.scene.frame("pet")
    assert np.array_equal(shown.inside, made.drawn.inside)
    assert TURN.apply(centre_of(shown)) == pytest.approx(centre_of(made.drawn), abs=1e-9)
    back = ward.made("pet", rules.Given(shown.mask), "mr").drawn
    assert (back.box, back.notes) == (made.drawn.box, ())
    assert np.array_equal(back.inside, made.drawn.inside)


def test_an_ellipse_on_the_base_is_turned_with_it(ward: Ward) -> None:
    on_mr = tuple(TURN.inverse().apply(HOT_MM).tolist())
    right, down = ((TURN.inverse().linear @ each).tolist() for each in ([1, 0, 0], [0, 1, 0]))
    direct = ward.made("pet", rules.Ellipse(HOT_MM, (1, 0, 0), (0, 1, 0), (20, 12))).drawn
    pointed = ward.made("pet", rules.Ellipse(on_mr, tuple(right), tuple(down), (20, 12)), "mr").drawn
    assert np.array_equal(direct.inside, pointed.inside)


def test_a_region_is_carried_to_another_series_and_measured_there(ward: Ward) -> None:
    made = ward.made("pet", rules.Ball(HOT_MM, 50), also=(ward.view("mr"), ward.view("ct")))
    carried = ward.made("mr", rules.Carried(made.drawn.mask, ward.view("pet")))
    assert carried.drawn.grid.frame.uid == ward.scene.frame("mr")
    assert TURN.apply(centre_of(carried.drawn)) == pytest.approx(centre_of(made.drawn), abs=NEAR_MM)
    assert carried.numbers[0].volume_ml == pytest.approx(made.numbers[0].volume_ml or 0, rel=0.1)
    assert made.numbers[1].mean == carried.numbers[0].mean
    assert any("registration" in remark for remark in made.numbers[1].remarks)
    beside = ward.made("ct", rules.Carried(made.drawn.mask, ward.view("pet")))
    assert beside.drawn.grid.frame.uid == ward.scene.frame("pet")


def test_a_deformable_path_carries_voxels_onto_those_of_the_base(ward: Ward) -> None:
    chain = bend(ward.scene.frame("bent"), 4.0, 100.0)
    on_bent = tuple(chain.inverse().apply(HOT_MM).tolist())
    made = ward.made("pet", rules.Ball(on_bent, 50), "bent")
    assert made.shown is not None
    assert made.shown.grid.spacing_mm == pytest.approx((CT_MM,) * 3)
    assert chain.apply(centre_of(made.shown)) == pytest.approx(centre_of(made.drawn), abs=NEAR_MM)
    assert made.shown.mask.volume_ml == pytest.approx(made.drawn.mask.volume_ml, rel=0.1)
    assert any("deformable" in note for note in made.drawn.notes)
    again = ward.made("pet", rules.Given(made.shown.mask), "bent").drawn
    assert centre_of(again) == pytest.approx(centre_of(made.drawn), abs=NEAR_MM)


@pytest.mark.parametrize(
    ("base", "setting"), [("alone", "registration"), ("failed", "allow_failed"), ("other", "allow_other_patient")]
)
def test_without_a_path_nothing_is_drawn_and_it_is_said_what_would_help(ward: Ward, base: str, setting: str) -> None:
    ward.scene.of("alone")
    with pytest.raises(NotOverlaid) as refused:
        ward.made("pet", rules.Ball(HOT_MM, 30), base)
    assert (refused.value.setting, refused.value.reason[:16]) == (setting, "not registered: ")
    (own, elsewhere) = ward.made("pet", rules.Ball(HOT_MM, 30), also=(ward.view(base),)).numbers
    assert own.max is not None
    assert (elsewhere.voxels, elsewhere.mean) == (0, None)
    assert elsewhere.findings[0].startswith("not registered: ")
    gone = replace(ward.view("mr"), only=frozenset(("2.25.404",)))
    own, elsewhere = ward.made("pet", rules.Ball(HOT_MM, 30), also=(gone,)).numbers
    assert own.max is not None
    assert elsewhere.mean is None
    assert elsewhere.findings[0].startswith("the archive has no such registration")


def test_a_failed_registration_is_used_where_it_is_allowed(ward: Ward) -> None:
    ask = RegionAsk(ward.view("pet", allow_failed=True), rules.Ball((0, 0, 0), 30), (), ward.scene.uid("failed"))
    assert make_region(ward.archive, ask).shown is not None


def test_a_region_of_a_third_frame_is_refused(ward: Ward) -> None:
    grid = native_volume(ward.archive, ward.view("bent")).grid
    mask = Mask(grid, np.ones(grid.shape, dtype=np.bool_))
    for base in ("", "mr"):
        with pytest.raises(FramesDiffer):
            ward.made("pet", rules.Given(mask), base)
    with pytest.raises(FramesDiffer):
        ward.made("pet", rules.Carried(mask, ward.view("mr")))


# --- structures and segments that are kept ---------------------------------------------------


def keep_region(ward: Ward, name: str, centre: tuple[float, ...], as_object: str) -> str:
    """A ball on a series as an object of the archive; its SOP Instance UID."""
    stack = images_of(ward.archive, ward.scene.uid(name))
    ball = drawing.mask_of(grid_of(stack), drawing.sphere(np.array(centre), 20.0))
    numbers = itertools.count(1)
    making = Making(datetime(2026, 11, 22, tzinfo=UTC), lambda: f"2.25.88{len(name)}{len(as_object)}{next(numbers)}")
    make = as_structure_set if as_object == "rtstruct" else as_segmentation
    ds = make(stack, Made(ball, "a test"), "ball", making)
    ward.scene.keep(ds)
    return str(ds.SOPInstanceUID)


@pytest.mark.parametrize("as_object", ["rtstruct", "seg"])
def test_a_kept_region_of_another_frame_comes_through_the_registrations(ward: Ward, as_object: str) -> None:
    on_mr = tuple(TURN.inverse().apply(HOT_MM).tolist())
    uid = keep_region(ward, "mr", on_mr, as_object)
    there, here = ward.made("mr", rules.OfObject(uid, 1)), ward.made("pet", rules.OfObject(uid, 1))
    assert here.drawn.grid.frame.uid == ward.scene.frame("pet")
    assert centre_of(here.drawn) == pytest.approx(TURN.apply(centre_of(there.drawn)), abs=NEAR_MM)
    assert here.drawn.mask.volume_ml == pytest.approx(there.drawn.mask.volume_ml, rel=0.1)
    assert any("registration" in note for note in here.drawn.remarks)
    row = structures_of(ward.archive, str(series_of(ward, uid)))[0]
    assert (row.name, row.number, row.frame_uid) == ("ball", 1, ward.scene.frame("mr"))
    with pytest.raises(InvalidRegion, match="number"):
        ward.made("pet", rules.OfObject(uid, 7))
    with pytest.raises(NotOverlaid, match="not registered"):
        ward.made("alone", rules.OfObject(uid, 1))


def test_a_kept_structure_comes_through_a_deformation_too(ward: Ward) -> None:
    chain = bend(ward.scene.frame("bent"), 4.0, 100.0)
    uid = keep_region(ward, "bent", tuple(chain.inverse().apply(HOT_MM).tolist()), "rtstruct")
    there, here = ward.made("bent", rules.OfObject(uid, 1)), ward.made("pet", rules.OfObject(uid, 1))
    assert centre_of(here.drawn) == pytest.approx(chain.apply(centre_of(there.drawn)), abs=NEAR_MM)


def series_of(ward: Ward, sop_instance_uid: str) -> str:
    return str(stored_data_set(ward.archive, ward.scene.stored(sop_instance_uid), pixels=False).SeriesInstanceUID)
