"""Regions by every rule, against what the rooms below say of the whole image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from radfuse.archive import Archive, ArchiveSettings, StoredObject
from radfuse.core.errors import FramesDiffer, InvalidRegion
from radfuse.geometry import Contour, FrameOfReference, Grid, Mask, Structure
from radfuse.roi import brushes, combining, drawing, filling, growing, margins
from radfuse.roi.boxes import drawn_on
from radfuse.services.drawing import Drawn, MadeRegion, RegionAsk, make_region, rules
from radfuse.services.measure import DrawnSphere, Image, MeasureAsk, measure
from radfuse.services.series_views import SeriesView
from radfuse.services.viewing.showing import native_volume
from radfuse.services.volumes import objects_now
from radfuse.volume import Unit, Volume
from tests.support.drawn import HOT_MM, WARM_MM, add_pet_and_ct
from tests.support.graphs import Scene


@dataclass(frozen=True)
class Ward:
    """An archive with a PET and a CT."""

    archive: Archive
    pet: SeriesView
    ct: SeriesView
    volume: Volume

    def made(self, rule: rules.Rule, *also: SeriesView) -> MadeRegion:
        return make_region(self.archive, RegionAsk(self.pet, rule, also))

    def full(self, rule: rules.Rule) -> np.ndarray:
        """The voxels on the whole grid."""
        return on_grid(self.made(rule).drawn)


def on_grid(drawn: Drawn) -> np.ndarray:
    inside = np.zeros(drawn.grid.shape, dtype=np.bool_)
    inside[drawn.box.where] = drawn.inside
    return inside


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    folder: Path = tmp_path_factory.mktemp("drawing") / "archive"
    folder.mkdir()
    with Archive(ArchiveSettings(folder)) as archive:
        pet, ct = add_pet_and_ct(Scene(archive))
        view = SeriesView(pet)
        yield Ward(archive, view, SeriesView(ct), native_volume(archive, view))


def ball(volume: Volume, centre: tuple[float, float, float], diameter: float) -> Mask:
    return drawing.mask_of(volume.grid, drawing.sphere(np.array(centre), diameter / 2))


def test_a_sphere_is_the_voxels_whose_centres_lie_in_it(ward: Ward) -> None:
    assert np.array_equal(ward.full(rules.Ball(HOT_MM, 30)), ball(ward.volume, HOT_MM, 30).inside)


def test_a_sphere_across_the_edge_says_so_and_one_beside_the_image_is_refused(ward: Ward) -> None:
    assert ward.made(rules.Ball((62, 0, 0), 20)).drawn.notes == ("part of it lies outside the image",)
    for far in ((300.0, 0.0, 0.0), (76.0, 0.0, 0.0)):
        with pytest.raises(InvalidRegion):
            ward.made(rules.Ball(far, 10))
    with pytest.raises(InvalidRegion, match="no voxel belongs to it"):
        ward.made(rules.Ball((4.0, 4.0, 4.0), 1))


@pytest.mark.parametrize("normal", range(3))
def test_an_ellipse_is_one_slice_thick_wherever_it_is_drawn(ward: Ward, normal: int) -> None:
    right, down = (np.eye(3)[(normal + turn) % 3] for turn in (1, 2))
    # Half way between two slices: one of them, not both and not none.
    centre = np.array((4.0, 4.0, 4.0))
    inside = ward.full(rules.Ellipse(tuple(centre), tuple(right), tuple(down), (20.0, 12.0)))
    slices, rows, columns = (np.unique(each) for each in np.nonzero(inside))
    sizes = np.array([len(columns), len(rows), len(slices)])
    assert sizes[normal] == 1
    assert (sizes[(normal + 1) % 3], sizes[(normal + 2) % 3]) == (10, 6)


def test_an_oblique_ellipse_has_no_holes_and_stays_thin(ward: Ward) -> None:
    down = (0.0, 0.6, 0.8)
    inside = ward.full(rules.Ellipse(HOT_MM, (1, 0, 0), down, (30.0, 30.0)))
    expected = np.pi * 30**2 * (0.8 * 4) / 4**3
    assert np.count_nonzero(inside) == pytest.approx(expected, rel=0.06)
    assert np.array_equal(combining.without_holes(Mask(ward.volume.grid, inside)).inside, inside)


def test_a_threshold_of_the_maximum_is_the_isocontour_of_the_lesion(ward: Ward) -> None:
    seed = tuple(np.array(HOT_MM) + 5)
    made = ward.made(rules.Hot(seed, rules.Limit("max", 41)))
    expected = growing.isocontour(ward.volume, 41, ball(ward.volume, HOT_MM, 60))
    assert np.array_equal(on_grid(made.drawn), expected.mask.inside)
    assert "the hottest voxel has" in made.drawn.remarks[0]
    within = rules.Hot(None, rules.Limit("max", 41), rules.Ball(HOT_MM, 20))
    expected = growing.isocontour(ward.volume, 41, ball(ward.volume, HOT_MM, 20))
    assert np.array_equal(ward.full(within), expected.mask.inside)


def test_a_click_beside_a_hot_spot_means_the_spot(ward: Ward) -> None:
    beside = (HOT_MM[0] - 26, HOT_MM[1], HOT_MM[2])
    made = ward.made(rules.Hot(beside, rules.Limit("max", 41)))
    expected = growing.isocontour(ward.volume, 41, ball(ward.volume, HOT_MM, 60))
    assert np.array_equal(on_grid(made.drawn), expected.mask.inside)
    assert made.drawn.notes == ()


def test_a_region_that_runs_into_something_hotter_says_so(ward: Ward) -> None:
    made = ward.made(rules.Hot(WARM_MM, rules.Limit("max", 5)))
    hot = growing.isocontour(ward.volume, 41, ball(ward.volume, HOT_MM, 60)).mask.inside
    assert on_grid(made.drawn)[hot].all()
    assert "it runs into something hotter" in made.drawn.notes[0]


def test_the_seed_chooses_between_lesions_though_another_one_is_hotter(ward: Ward) -> None:
    limit = rules.Limit("absolute", float(ward.volume.voxels.max()) / 4)
    warm = ward.full(rules.Hot(WARM_MM, limit, rules.Ball((0, 0, 0), 150)))
    hot = ward.full(rules.Hot(HOT_MM, limit))
    every = growing.threshold(ward.volume, limit.value).mask.inside
    assert not (warm & hot).any()
    assert np.array_equal(
        hot, every & ~growing.threshold(ward.volume, limit.value, np.inf, Mask(ward.volume.grid, warm)).mask.inside
    )


def test_a_region_is_followed_as_far_as_it_reaches(ward: Ward) -> None:
    everything = ward.full(rules.Grow(HOT_MM, float(ward.volume.voxels.min()), 1e9))
    assert everything.all()


def test_growing_is_that_from_the_voxel_of_the_seed(ward: Ward) -> None:
    limits = float(ward.volume.voxels.max()) / 2, float(ward.volume.voxels.max())
    expected = growing.grow(ward.volume, np.array(HOT_MM), limits)
    assert np.array_equal(ward.full(rules.Grow(HOT_MM, *limits)), expected.mask.inside)
    near = rules.Ball(HOT_MM, 14)
    expected = growing.grow(ward.volume, np.array(HOT_MM), limits, within=ball(ward.volume, HOT_MM, 14))
    assert np.array_equal(ward.full(rules.Grow(HOT_MM, *limits, near)), expected.mask.inside)
    with pytest.raises(InvalidRegion, match="outside the limits"):
        ward.made(rules.Grow((0, 60, 60), *limits))


def test_a_threshold_from_the_liver_and_an_adaptive_one(ward: Ward) -> None:
    from radfuse.roi.metabolic import percist_reference

    liver = rules.Ball((-40, -40, 40), 30)
    level = percist_reference(ward.volume, ball(ward.volume, liver.centre_mm, 30)).threshold.value
    made = ward.full(rules.Hot(HOT_MM, rules.Limit("liver", liver=liver)))
    assert np.array_equal(made, ward.full(rules.Hot(HOT_MM, rules.Limit("absolute", level))))
    found = growing.adaptive(ward.volume, ball(ward.volume, HOT_MM, 50))
    adaptive = rules.Hot(None, rules.Limit("adaptive"), rules.Ball(HOT_MM, 50))
    assert np.array_equal(ward.full(adaptive), found.mask.inside)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (rules.Hot(None, rules.Limit("max", 41)), "say where"),
        (rules.Hot(HOT_MM, rules.Limit("liver")), "where the liver is"),
        (rules.Hot(HOT_MM, rules.Limit("adaptive")), "a ball to look in"),
        (rules.Hot(HOT_MM, rules.Limit("max", 0)), "per cent"),
        (rules.Hot(HOT_MM, rules.Limit("absolute", 1e6)), "no voxel there reaches"),
        (rules.Hot((500, 0, 0), rules.Limit("max", 41)), "beside the image"),
        (rules.Grow((500, 0, 0), 0, 1), "outside the image"),
        (rules.Grow(HOT_MM, 2, 1), "lower limit"),
        (rules.Outlines((), False), "draw an outline"),
        (rules.Ellipse(HOT_MM, (1, 0, 0), (2, 0, 0), (5, 5)), "the same"),
        (rules.Ellipse(HOT_MM, (0, 0, 0), (0, 1, 0), (5, 5)), "no length"),
    ],
)
def test_what_has_no_meaning_is_refused_with_what_to_do(ward: Ward, rule: rules.Rule, words: str) -> None:
    with pytest.raises(InvalidRegion, match=words):
        ward.made(rule)


def test_margins_and_combinations_are_those_of_whole_masks(ward: Ward) -> None:
    one, other = ball(ward.volume, HOT_MM, 24), ball(ward.volume, (26, -6, 8), 24)
    part = drawn_on(ward.volume.grid, one).mask
    for mm in ((6, 6, 6), (-5, -5, -5), (10, 0, 5)):
        x, y, z = mm
        wanted = margins.with_margin(one, margins.Margin(x, x, y, y, z, z))
        assert np.array_equal(ward.full(rules.Widen(part, mm)), wanted.inside)
    for operation, wanted in (
        ("add", combining.union(one, other)),
        ("subtract", combining.difference(one, other)),
        ("intersect", combining.intersection(one, other)),
    ):
        assert np.array_equal(ward.full(rules.Combine(operation, part, other)), wanted.inside)  # type: ignore[arg-type]
    with pytest.raises(InvalidRegion, match="no voxel belongs to it"):
        ward.made(rules.Combine("subtract", part, one))


def test_a_margin_ends_at_the_edge_of_the_image(ward: Ward) -> None:
    edge = ball(ward.volume, (56, 0, 0), 20)
    for mm in (12, -4):
        wanted = margins.with_margin(edge, margins.Margin.all_round(mm)).inside
        assert np.array_equal(ward.full(rules.Widen(edge, (mm, mm, mm))), wanted)


def square(z: float, size: float) -> tuple[tuple[float, float, float], ...]:
    return ((-size, -size, z), (size, -size, z), (size, size, z), (-size, size, z))


def test_outlines_are_one_slice_thick_each(ward: Ward) -> None:
    planes = (square(-10.0, 9.0), square(10.0, 25.0))
    inside = ward.full(rules.Outlines(planes, False))
    contours = tuple(Contour(np.array(points)) for points in planes)
    structure = Structure("", ward.volume.grid.frame, contours)
    expected = filling.fill(structure, ward.volume.grid, filling.Between.NOTHING).mask.inside
    assert np.array_equal(inside, expected)
    assert np.unique(np.nonzero(inside)[0]).tolist() == [13, 18]


def test_slices_between_outlines_get_shapes_between_them_however_far_apart_they_are(ward: Ward) -> None:
    inside = ward.full(rules.Outlines((square(-10.0, 9.0), square(10.0, 25.0)), True))
    areas = np.count_nonzero(inside, axis=(1, 2))
    assert np.flatnonzero(areas).tolist() == list(range(13, 19))
    assert (np.diff(areas[13:19]) >= 0).all()
    alone = (square(-10.0, 9.0),)
    assert np.array_equal(ward.full(rules.Outlines(alone, True)), ward.full(rules.Outlines(alone, False)))
    upright = tuple((x, z, y) for x, y, z in square(-10.0, 9.0)), tuple((x, z, y) for x, y, z in square(10.0, 9.0))
    with pytest.raises(InvalidRegion, match="across the slices"):
        ward.made(rules.Outlines(upright, True))


def test_given_voxels_stay_and_those_of_another_grid_are_carried_over(ward: Ward) -> None:
    drawn = brushes.stroke(ball(ward.volume, HOT_MM, 24), np.array([HOT_MM]), 20.0)
    assert np.array_equal(ward.full(rules.Given(drawn)), drawn.inside)
    fine = Grid.of((60, 60, 60), (1.0, 1.0, 1.0), np.array(HOT_MM) - 30, ward.volume.grid.frame)
    solid = drawing.sphere(np.array(HOT_MM), 12)
    made = ward.made(rules.Given(drawing.mask_of(fine, solid)))
    assert made.drawn.voxels == pytest.approx(ball(ward.volume, HOT_MM, 24).voxels, abs=8)
    assert "nearest neighbour" in made.drawn.notes[0]
    elsewhere = Grid(fine.shape, fine.to_patient, FrameOfReference("2.25.5"))
    with pytest.raises(FramesDiffer):
        ward.made(rules.Given(drawing.mask_of(elsewhere, solid)))


# --- numbers ---------------------------------------------------------------------------------


def test_the_numbers_are_those_of_measure_to_the_last_digit(ward: Ward) -> None:
    ask = MeasureAsk(
        (Image(ward.pet.series), Image(ward.ct.series)), DrawnSphere(HOT_MM, 15.0), peak=True, diameters=True
    )
    expected = measure(ward.archive, ask).images
    numbers = ward.made(rules.Ball(HOT_MM, 30.0), ward.ct).numbers
    assert [each.unit for each in numbers] == ["SUVbw", "HU"]
    for ours, theirs in zip(numbers, expected, strict=True):
        found = theirs.statistics
        assert found is not None
        if ours.unit == "HU":
            # There the sphere is that of the PET's voxels, carried over.
            assert ours.volume_ml == pytest.approx(found.volume_ml, rel=0.2)
            assert (ours.peak, ours.tlg) == (None, None)
            continue
        assert (ours.voxels, ours.volume_ml, ours.max, ours.mean) == (
            found.voxels,
            found.volume_ml,
            found.maximum,
            found.mean,
        )
        assert (ours.sd, ours.min, ours.median) == (found.sd, found.minimum, found.median)
        assert ours.max_at_mm == pytest.approx(found.maximum_position_mm)
        assert theirs.peak is not None
        assert theirs.diameters is not None
        assert ours.peak == pytest.approx(theirs.peak.value, rel=1e-12)
        assert ours.peak_at_mm == pytest.approx(theirs.peak.centre_mm)
        assert ours.tlg == pytest.approx(found.volume_ml * found.mean)
        assert ours.longest_mm == pytest.approx(theirs.diameters.long_axis.length_mm)
        assert ours.perpendicular_mm == pytest.approx(theirs.diameters.short_axis.length_mm)


def test_a_series_on_which_it_cannot_be_measured_says_why_and_the_others_are_measured(ward: Ward) -> None:
    wrong = SeriesView(ward.ct.series, Unit.SUV_BW)
    made = ward.made(rules.Ball(HOT_MM, 30.0), wrong, ward.ct)
    own, refused, ct = made.numbers
    assert own.max is not None
    assert ct.mean is not None
    assert (refused.unit, refused.voxels, refused.mean) == ("SUVbw", 0, None)
    assert refused.findings


def test_the_index_is_asked_once_for_each_series(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def counted(archive: Archive, series_uid: str) -> list[StoredObject]:
        asked.append(series_uid)
        return objects_now(archive, series_uid)

    monkeypatch.setattr("radfuse.services.volumes.objects_now", counted)
    ward.made(rules.Ball(HOT_MM, 30), ward.ct)
    assert sorted(asked) == sorted([ward.pet.series, ward.ct.series])
    ward.made(rules.Ball(HOT_MM, 30))
    assert len(asked) == 3
