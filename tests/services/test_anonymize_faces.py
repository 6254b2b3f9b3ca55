"""The mask of a face: it covers eyes, nose and mouth of a head however it was scanned, spares the brain, or refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from radfuse.core.errors import CannotAnonymize
from radfuse.deid import PixelPolicy
from radfuse.geometry import Affine, Grid
from radfuse.services.anonymize import Recipe, Verdict, profile_of
from radfuse.services.anonymize_faces import boxes_of, face_masks, plan_faces
from radfuse.volume import Unit, Volume
from tests.services.anonymize_scenes import KEY, data_sets, run
from tests.support.generate import base_instance, save
from tests.support.volumes import ENHANCED_CT, Shape, enhanced
from tests.volume.made import FRAME, SOURCE, points_of

STEP_MM = 4.0
AXIAL = np.eye(3)
SAGITTAL = np.array([[0, 0, 1.0], [1, 0, 0], [0, -1, 0]])
"""Columns go back, rows go down, slices go left."""
LYING_ON_ITS_FACE = np.diag((-1.0, -1.0, 1.0))
PARTS = {
    "eyes": ((0, -75, 5), (32, 12, 12)),
    "nose": ((0, -105, -25), (15, 20, 20)),
    "mouth": ((0, -85, -55), (25, 10, 10)),
    "brain": ((0, 10, 45), (55, 70, 55)),
}
"""Centre and half axes in mm, to the left, to the back, to the head."""


def inside(points: npt.NDArray[np.float64], centre: Any, axes: Any) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = (((points - centre) / axes) ** 2).sum(axis=-1) <= 1
    return found


def head(directions: npt.NDArray[np.float64] = AXIAL, top_mm: float = 140, bottom_mm: float = -140) -> Volume:
    """A head of 150 x 190 x 240 mm with a nose, its vertex at 120 mm, scanned in these directions."""
    ends = np.array([(-100, 100), (-130, 110), (bottom_mm, top_mm)], dtype=float)
    along = np.argmax(np.abs(directions), axis=0)
    starts = [ends[axis][0 if directions[axis, which] > 0 else 1] for which, axis in enumerate(along)]
    origin = np.zeros(3)
    origin[along] = starts
    shape = tuple(int((ends[axis][1] - ends[axis][0]) / STEP_MM) for axis in along[::-1])
    grid = Grid(shape, Affine.of(directions * STEP_MM, origin), FRAME)  # type: ignore[arg-type]  # three of them
    points = points_of(grid)
    body = inside(points, (0, 0, 0), (75, 95, 120)) | inside(points, *PARTS["nose"])
    return Volume(np.where(body, 40, -1000).astype(np.int16), grid, Unit.HU, SOURCE)


def covered(volume: Volume, part: str) -> float:
    """The share of a part of the head that the mask covers."""
    mask = np.stack(list(face_masks(volume, is_ct=True)))
    return float(mask[inside(points_of(volume.grid), *PARTS[part])].mean())


@pytest.mark.parametrize("directions", [AXIAL, SAGITTAL, LYING_ON_ITS_FACE], ids=["axial", "sagittal", "prone"])
def test_eyes_nose_and_mouth_are_covered_and_the_brain_is_not(directions: npt.NDArray[np.float64]) -> None:
    volume = head(directions)
    assert {part: covered(volume, part) > 0.95 for part in PARTS} == {
        "eyes": True,
        "nose": True,
        "mouth": True,
        "brain": False,
    }
    assert covered(volume, "brain") == 0


def test_magnetic_resonance_has_its_skin_where_it_is_brighter_than_air() -> None:
    volume = head()
    bright = Volume((volume.voxels + 1000).astype(np.float32), volume.grid, Unit.SIGNAL, SOURCE)
    expected = np.stack(list(face_masks(volume, is_ct=True)))
    assert np.array_equal(np.stack(list(face_masks(bright, is_ct=False))), expected)


@pytest.mark.parametrize(
    ("volume", "reason"),
    [
        (head(top_mm=60), "the top of the head is not in the images"),
        (head(bottom_mm=80), "do not reach below the forehead"),
        (
            Volume(
                np.full((9, 9, 9), -1000, np.int16), Grid.of((9, 9, 9), (4, 4, 4), (0, 0, 0), FRAME), Unit.HU, SOURCE
            ),
            "no body",
        ),
    ],
    ids=["no vertex", "vertex alone", "air"],
)
def test_what_does_not_show_a_whole_head_from_above_is_refused(volume: Volume, reason: str) -> None:
    with pytest.raises(CannotAnonymize, match=reason):
        list(face_masks(volume, is_ct=True))


def test_a_body_that_is_no_head_is_refused() -> None:
    grid = Grid.of((40, 60, 60), (8, 8, 8), (-240, -240, -160), FRAME)
    trunk = np.where(inside(points_of(grid), (0, 0, 0), (200, 120, 150)), 40, -1000).astype(np.int16)
    with pytest.raises(CannotAnonymize, match="size of a head"):
        list(face_masks(Volume(trunk, grid, Unit.HU, SOURCE), is_ct=True))


def test_boxes_are_the_mask() -> None:
    mask = np.random.default_rng(3).random((20, 30)) < 0.4
    painted = np.zeros_like(mask)
    for left, top, right, bottom in boxes_of(mask):
        assert not painted[top:bottom, left:right].any()
        painted[top:bottom, left:right] = True
    assert np.array_equal(painted, mask)


def written_head(folder: Path, volume: Volume) -> list[Path]:
    """The axial head as a CT series."""
    series, paths = generate_uid(), []
    for number, pixels in enumerate(volume.voxels):
        ds: Dataset = base_instance(CTImageStorage, "CT", 1, number % 60)
        ds.SeriesInstanceUID, ds.BodyPartExamined, ds.FrameOfReferenceUID = series, "HEAD", "2.25.9"
        ds.SOPInstanceUID = generate_uid()
        (ds.Rows, ds.Columns), ds.SamplesPerPixel, ds.PhotometricInterpretation = pixels.shape, 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
        ds.PixelSpacing, ds.SliceThickness = [STEP_MM, STEP_MM], STEP_MM
        ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        ds.ImagePositionPatient = [-100, -130, -140 + STEP_MM * number]
        ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = 1, 0, "HU"
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.PixelData = pixels.astype("<i2").tobytes()
        ds.ensure_file_meta()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        paths.append(folder / f"{number}.dcm")
        ds.save_as(paths[-1], enforce_file_format=True)
    return paths


def test_a_series_leaves_without_its_face_says_so_and_without_a_plan_does_not_leave(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    volume = head()
    files = written_head(tmp_path / "in", volume)
    plan = plan_faces(files)
    assert not plan.refused
    how = Recipe(profile_of(["faces"]), KEY, PixelPolicy(faces=plan.boxes))
    assert {each.verdict for each in run(files, tmp_path / "out", how)} == {Verdict.ANONYMIZED}
    masks = list(face_masks(volume, is_ct=True))
    after = sorted(data_sets(tmp_path / "out").values(), key=lambda each: each.ImagePositionPatient[2])
    for dataset, before, mask in zip(after, volume.voxels, masks, strict=True):
        assert dataset.RecognizableVisualFeatures == "NO"
        assert "113102" in [code.CodeValue for code in dataset.DeidentificationMethodCodeSequence]
        assert np.array_equal(dataset.pixel_array[~mask], before[~mask])
        assert not (dataset.pixel_array[mask] > -1000).any()
    assert any(mask.any() for mask in masks)
    unplanned = run(files[:1], tmp_path / "none", Recipe(profile_of(["faces"]), KEY))
    assert [each.verdict for each in unplanned] == [Verdict.REFUSED]
    assert "a face is found in the files of a whole series" in unplanned[0].reason


def test_frames_of_one_object_are_refused(tmp_path: Path) -> None:
    file = save(enhanced(Shape(), [0, 1, 2, 3], ENHANCED_CT, "CT"), tmp_path, str(ExplicitVRLittleEndian))
    plan = plan_faces([file])
    assert not plan.boxes
    assert set(plan.refused.values()) == {"a face is found only in images of one slice each"}
