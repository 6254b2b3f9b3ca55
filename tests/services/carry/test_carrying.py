"""Regions and images carried from the MR to the CT: where they arrive, what is said, how others read the objects."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK
from pydicom import dcmread
from pydicom.dataset import Dataset

from radfuse.archive import Archive, ArchiveSettings, queries
from radfuse.core.errors import InvalidRegion, NotOverlaid
from radfuse.geometry import Mask
from radfuse.objects.common import encode, read_provenance
from radfuse.objects.rtstruct import read_structures
from radfuse.objects.seg import read_segmentation
from radfuse.roi.filling import fill
from radfuse.services.carry import CarryAsk, Form, Images, Regions, carry, objects_of, save
from radfuse.services.contours import grid_of, images_of, region_on
from radfuse.services.volumes import objects_of_series, open_series
from tests.support.carried import CENTRE_CT, RADIUS_MM, Kept, fill_archive, two_in
from tests.support.judges import dcentvfy, dciodvfy, plastimatch, segimage2itkimage, written
from tests.support.made import centres, making
from tests.support.two_series import CT_SERIES, FRAME_OF_REFERENCE_UID, MR_SERIES

sitk: Any = SimpleITK
STUDY = "2.25.7001"
TRUE_ML = 4 / 3 * np.pi * RADIUS_MM**3 / 1000


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Archive, Kept]]:
    folder = tmp_path_factory.mktemp("rigid")
    with Archive(ArchiveSettings(folder)) as archive:
        yield archive, fill_archive(archive, folder / "files")


@pytest.fixture(scope="module")
def bent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Archive, Kept]]:
    folder = tmp_path_factory.mktemp("bent")
    with Archive(ArchiveSettings(folder)) as archive:
        yield archive, fill_archive(archive, folder / "files", bent=True)


def asked(what: Regions | Images) -> CarryAsk:
    return CarryAsk(CT_SERIES, MR_SERIES, what)


def as_read(ds: Dataset) -> Dataset:
    return dcmread(io.BytesIO(encode(ds)))


def off_mm(mask: Mask) -> float:
    """How far the middle of a mask is from that of the ball."""
    middle = mask.grid.to_patient.apply(np.argwhere(mask.inside)[:, ::-1]).mean(axis=0)
    return float(np.linalg.norm(middle - CENTRE_CT))


def references(ds: Dataset) -> set[str]:
    return {str(item.ReferencedSOPInstanceUID) for item in ds.SourceInstanceSequence}


def everything(archive: Archive) -> list[Path]:
    """The files of all objects in the archive."""
    with archive.reading() as connection:
        series = queries.study_places(connection, STUDY)
    return [
        archive.path_of(stored) for place in series for stored in objects_of_series(archive, place.series_instance_uid)
    ]


# --- regions ---------------------------------------------------------------------------------


def test_contours_move_point_by_point_and_name_the_registration(kept: tuple[Archive, Kept], tmp_path: Path) -> None:
    archive, uids = kept
    carried = carry(archive, asked(Regions(uids.structures)))
    assert carried.sentence == f"1 region carried over by registration {uids.registration} (NOT JUDGED): NOT JUDGED"
    (ds,) = objects_of(archive, carried, making(root=401))
    assert ds.SOPClassUID == "1.2.840.10008.5.1.4.1.1.481.3"
    assert references(ds) == {uids.registration, uids.structures}
    assert read_provenance(ds)["parameters"]["form"] == "contours"  # type: ignore[index]
    (roi,) = read_structures(as_read(ds)).rois
    assert (roi.structure.name, roi.structure.frame.uid) == ("GTV", FRAME_OF_REFERENCE_UID)
    assert np.abs(roi.others[0].points_mm - CENTRE_CT).max() < 0.001
    mask = fill(roi.structure, grid_of(images_of(archive, CT_SERIES))).mask
    assert mask.volume_ml == pytest.approx(TRUE_ML, rel=0.06)
    assert off_mm(mask) < 0.7
    path = written(ds, tmp_path)
    assert dciodvfy(path) == []
    missing = dcentvfy(path, *everything(archive))
    assert all(f"referenced - {STUDY}" in line for line in missing)  # a study is no file
    assert "1" in plastimatch("convert", "--input", path, "--output-prefix", tmp_path / "prefix")


@pytest.mark.parametrize("form", [Form.SLICES, Form.SEG])
@pytest.mark.parametrize("source", ["structures", "segmentation"])
def test_voxels_arrive_in_their_place_whatever_they_came_from(
    kept: tuple[Archive, Kept], form: Form, source: str, tmp_path: Path
) -> None:
    archive, uids = kept
    carried = carry(archive, asked(Regions(getattr(uids, source), form=form)))
    (ds,) = objects_of(archive, carried, making(root=402))
    assert references(ds) == {uids.registration, getattr(uids, source)}
    path = written(ds, tmp_path)
    assert dciodvfy(path) == []
    name = {"structures": "GTV", "segmentation": "Tumour"}[source]
    mask = region_on(None, path, name, grid_of(images_of(archive, CT_SERIES))).mask
    assert mask.volume_ml == pytest.approx(TRUE_ML, rel=0.06)
    assert off_mm(mask) < 0.7
    if form is Form.SEG:
        (segment,) = read_segmentation(as_read(ds)).segments
        assert "carried over by registration" in segment.description
        (theirs,) = segimage2itkimage(path, tmp_path / "dcmqi")
        seen = sitk.GetArrayFromImage(sitk.ReadImage(str(theirs)))
        assert np.count_nonzero(seen) == mask.voxels
    else:
        assert all(contour.image_uid for contour in read_structures(as_read(ds)).structures[0].contours)


def test_a_deformation_draws_on_slices_and_says_how_far_points_leave_their_plane(bent: tuple[Archive, Kept]) -> None:
    archive, uids = bent
    carried = carry(archive, asked(Regions(uids.structures)))
    assert carried.found is not None
    assert carried.found.form is Form.SLICES
    roi = carried.regions[0].roi
    assert roi is not None
    heights = [np.ptp(contour.points_mm[:, 2]) for contour in roi.structure.contours]
    assert max(heights) < 1e-6
    moved = carry(archive, asked(Regions(uids.structures, form=Form.CONTOURS)))
    assert any("off its plane" in note for note in moved.notes)
    assert any("lie across the slices" in note for note in moved.notes)
    (ds,) = objects_of(archive, moved, making(root=403))
    assert "off its plane" in ds.StructureSetROISequence[0].ROIDescription
    assert save(archive, carried, making(root=404)).stored


def test_what_does_not_arrive_is_left_out_or_refused_by_its_name(kept: tuple[Archive, Kept]) -> None:
    archive, uids = kept
    with pytest.raises(InvalidRegion, match="none of its 1 regions has that name"):
        carry(archive, asked(Regions(uids.structures, ("Heart",))))
    with pytest.raises(InvalidRegion, match="as seg, or as slices"):
        carry(archive, asked(Regions(uids.segmentation, form=Form.CONTOURS)))


def test_series_that_are_not_registered_get_nothing_and_are_told_what_to_do(tmp_path: Path) -> None:
    with Archive(ArchiveSettings(tmp_path)) as archive:
        two_in(archive, tmp_path / "files")
        with pytest.raises(NotOverlaid, match=r"not registered: .* register them and keep that"):
            carry(archive, asked(Images()))


# --- images ----------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["kept", "bent"])
def test_images_lie_on_the_voxels_of_the_others_and_are_read_by_others(
    which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    archive, uids = request.getfixturevalue(which)
    told: list[float] = []
    carried = carry(archive, asked(Images()), lambda share, _: told.append(share))
    assert told == sorted(told)
    made = objects_of(archive, carried, making(root=405))
    paths = [written(ds, tmp_path, f"{number:03}.dcm") for number, ds in enumerate(made)]
    assert dciodvfy(paths[0]) == []
    assert {str(ds.FrameOfReferenceUID) for ds in made} == {FRAME_OF_REFERENCE_UID}
    assert references(made[0]) == {uids.registration}
    assert uids.registration in made[0].DerivationDescription
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(path) for path in paths])
    theirs = reader.Execute()
    ct = open_series(archive, CT_SERIES).volume
    assert theirs.GetSize() == ct.grid.shape[::-1]
    assert np.allclose(theirs.GetOrigin(), ct.grid.origin_mm, atol=1e-3)
    assert carried.volume is not None
    ours = carried.volume.voxels
    assert np.abs(sitk.GetArrayFromImage(theirs) - ours).max() < 0.51
    both = np.linalg.norm(centres(ct.grid) / (36, 30, 38), axis=-1) < 0.8
    # The MR shows the tissue of the CT with its contrast turned round.
    likeness = np.corrcoef(ours[both], ct.voxels[both])[0, 1]
    assert likeness < (-0.9 if which == "kept" else -0.5)


def test_images_are_kept_as_a_series_with_the_same_bytes_at_every_try(kept: tuple[Archive, Kept]) -> None:
    archive, _ = kept
    carried = carry(archive, replace(asked(Images()), fixed_stack=1))
    first = save(archive, carried, making(root=406))
    assert len(first.stored) == 29
    assert save(archive, carried, making(root=406)).already_kept == first.stored
