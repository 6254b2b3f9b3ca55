"""Regions of objects on images, and new ones as objects: through the archive and back."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from radfuse.archive import Archive
from radfuse.core.errors import (
    CannotBuildVolume,
    CannotComputeSUV,
    FramesDiffer,
    InvalidRegion,
    UnknownEntity,
    UnreadableObject,
)
from radfuse.geometry import Grid, Mask
from radfuse.objects.common import Making, read_provenance
from radfuse.roi.tracing import Holes, Outline, Tracing
from radfuse.services.contours import grid_of, images_of, region_on, regions_in
from radfuse.services.import_media import files_below, import_files
from radfuse.services.measure import FromObject, Image, MeasureAsk, measure
from radfuse.services.new_regions import (
    Adaptive,
    FromFile,
    Isocontour,
    MakeAsk,
    Seed,
    Threshold,
    as_segmentation,
    as_structure_set,
    make,
)
from radfuse.services.store_results import store
from radfuse.volume import Unit
from radfuse.volume.image_files import write_mask_file
from tests.support.judges import written
from tests.support.lesions import SLICES, inside_ball, write_ball


@pytest.fixture(scope="module")
def ct(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_ball(tmp_path_factory.mktemp("ct") / "ct")


def making() -> Making:
    numbers = count(1)
    return Making(datetime(2026, 11, 22, 12, tzinfo=UTC), lambda: f"2.25.77{next(numbers)}")


@pytest.mark.parametrize("how", ["rtstruct", "xor", "seg"])
def test_what_is_made_in_the_archive_is_read_back_with_the_same_voxels(
    how: str, ct: list[Path], archive: Archive
) -> None:
    list(import_files(archive, files_below(ct)))
    uid = str(dcmread(ct[0]).SeriesInstanceUID)
    stack = images_of(archive, uid)
    made = make(archive, uid, MakeAsk(Threshold(0)))
    assert np.array_equal(made.mask.inside, inside_ball())
    if how == "seg":
        ds = as_segmentation(stack, made, "ball", making())
    else:
        ds = as_structure_set(stack, made, "ball", making(), Tracing(Holes.XOR) if how == "xor" else None)
    store(archive, [ds])
    listed = regions_in(archive, str(ds.SOPInstanceUID))
    (row,) = listed.rows
    assert (row.number, row.name, row.frame_uid) == (1, "ball", grid_of(stack).frame.uid)
    assert row.volume_ml == pytest.approx(made.mask.volume_ml, rel=0.005)
    assert (row.contours is None) == (how == "seg")
    assert listed.findings == ()
    for name in ("ball", "BALL", "1"):
        found = region_on(archive, str(ds.SOPInstanceUID), name, grid_of(stack))
        assert np.array_equal(found.mask.inside, inside_ball())
        assert (found.name, found.notes) == ("ball", ())
    provenance = read_provenance(ds)
    assert provenance is not None
    assert provenance["parameters"]["lower limit"] == "0"
    assert provenance["parameters"]["unit"] == "HU"
    assert provenance["inputs"] == [{"series": uid, "instances": SLICES}]


def test_each_way_of_finding_finds_the_ball(ct: list[Path], tmp_path: Path) -> None:
    ball = inside_ball()
    grid = grid_of(images_of(None, ct))
    write_mask_file(tmp_path / "m.nrrd", Mask(grid, ball))
    for ask in (
        MakeAsk(Threshold(0, 200)),
        MakeAsk(Seed((1, 2, 3), 0, 200)),
        MakeAsk(Isocontour(50)),
        MakeAsk(FromFile(tmp_path / "m.nrrd")),
        MakeAsk(None, (0, 0, 0, 12)),
    ):
        assert np.array_equal(make(None, ct, ask).mask.inside, ball), ask
    middle = make(None, ct, MakeAsk(Adaptive()))
    assert np.array_equal(middle.mask.inside, ball)
    assert middle.parameters["background"] == "-1000"
    assert middle.parameters["lower limit"] == "-450"


def test_a_sphere_bounds_what_is_found_and_margins_and_parts_come_after(ct: list[Path]) -> None:
    bounded = make(None, ct, MakeAsk(Threshold(0), (8, 0, 0, 8)))
    assert 0 < bounded.mask.voxels < inside_ball().sum()
    assert bounded.parameters["sphere"] == "centre 8, 0, 0 mm, radius 8 mm"
    air = make(None, ct, MakeAsk(Threshold(-2000, -500), margin_mm=-4, largest=True))
    assert air.parameters["margin"] == "-4 mm"
    assert not (air.mask.inside & inside_ball()).any()


def test_contours_through_voxel_centres_give_the_same_voxels_and_a_note(ct: list[Path], tmp_path: Path) -> None:
    stack = images_of(None, ct)
    how = Tracing(outline=Outline.VOXEL_CENTRE)
    ds = as_structure_set(stack, make(None, ct, MakeAsk(Threshold(0))), "ball", making(), how)
    found = region_on(None, written(ds, tmp_path), "ball", grid_of(stack))
    assert np.array_equal(found.mask.inside, inside_ball())
    assert "through voxel centres" in " ".join(found.notes)
    asked = MeasureAsk((Image(ct),), FromObject(written(ds, tmp_path), "ball"))
    assert "through voxel centres" in " ".join(measure(None, asked).images[0].notes)


def test_regions_that_are_none_are_refused(ct: list[Path]) -> None:
    with pytest.raises(InvalidRegion, match="empty"):
        make(None, ct, MakeAsk(Threshold(5000)))
    with pytest.raises(InvalidRegion, match="say how"):
        MakeAsk(None)
    with pytest.raises(InvalidRegion, match="mask file"):
        MakeAsk(FromFile(Path("m.nii")), (0, 0, 0, 5))


def test_a_pet_is_read_as_suv_unless_another_unit_is_asked_for(tmp_path: Path) -> None:
    files = write_ball(tmp_path / "pet", "PT")
    with pytest.raises(CannotComputeSUV):  # it has no dose and no weight
        make(None, files, MakeAsk(Threshold(1)))
    found = make(None, files, MakeAsk(Threshold(1000), unit=Unit.BQML))
    assert np.array_equal(found.mask.inside, inside_ball())
    assert found.parameters["unit"] == "Bq/ml"


def test_a_region_on_other_images_is_carried_over_and_said_to_be(ct: list[Path], tmp_path: Path) -> None:
    stack = images_of(None, ct)
    made = make(None, ct, MakeAsk(Threshold(0)))
    grid = grid_of(stack)
    finer = Grid.of((26, 60, 60), (1, 1, 1.5), (-29, -29, -18), grid.frame)
    seg = written(as_segmentation(stack, made, "ball", making()), tmp_path, "seg.dcm")
    carried = region_on(None, seg, "ball", finer)
    assert carried.mask.volume_ml == pytest.approx(made.mask.volume_ml, rel=0.03)
    assert "carried over" in " ".join(carried.notes)
    contours = written(as_structure_set(stack, made, "ball", making()), tmp_path, "rt.dcm")
    assert region_on(None, contours, "ball", finer).mask.volume_ml == pytest.approx(made.mask.volume_ml, rel=0.03)
    cut = Grid.of((4, 60, 60), (1, 1, 1.5), (-29, -29, -3), grid.frame)
    assert "contours lie beyond" in " ".join(region_on(None, contours, "ball", cut).notes)
    narrow = Grid.of((26, 60, 10), (1, 1, 1.5), (-29, -29, -18), grid.frame)
    with pytest.raises(InvalidRegion, match="no voxel"):
        region_on(None, contours, "ball", narrow)


def test_objects_and_names_that_are_not_there_are_refused(ct: list[Path], tmp_path: Path, archive: Archive) -> None:
    stack = images_of(None, ct)
    made = make(None, ct, MakeAsk(Threshold(0)))
    path = written(as_structure_set(stack, made, "ball", making()), tmp_path)
    with pytest.raises(InvalidRegion, match="none of its 1 regions"):
        region_on(None, path, "cube", grid_of(stack))
    with pytest.raises(UnreadableObject, match="RT Structure Sets and Segmentations"):
        regions_in(None, ct[0])
    with pytest.raises(UnknownEntity):
        regions_in(archive, "2.25.1234")
    other = Grid(grid_of(stack).shape, grid_of(stack).to_patient, type(grid_of(stack).frame)("2.25.5"))
    with pytest.raises(FramesDiffer):
        region_on(None, path, "ball", other)


def test_images_that_make_several_volumes_need_a_choice(ct: list[Path], tmp_path: Path) -> None:
    other = write_ball(tmp_path / "mr", "MR")
    with pytest.raises(CannotBuildVolume, match="choose one"):
        images_of(None, [*ct, *other])
    assert images_of(None, [*ct, *other], 2).source.modality in ("CT", "MR")
