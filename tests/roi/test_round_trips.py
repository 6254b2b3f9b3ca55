"""Contours through other people's programs, and other people's contours and masks: never judged by ourselves alone."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK
from pydicom import dcmread
from pydicom.dataset import Dataset

from radfuse.geometry import Affine, FrameOfReference, Grid, Mask
from radfuse.objects.common import Making, Provenance
from radfuse.objects.rtstruct import Roi, build_structure_set, read_structures
from radfuse.roi.filling import Between, fill, mask_of
from radfuse.roi.tracing import Holes, Outline, Tracing, trace
from tests.support.generate import FRAME_OF_REFERENCE_UID
from tests.support.judges import plastimatch, written
from tests.support.shapes import dice, research_shapes
from tests.support.volumes import Shape, image

sitk: Any = SimpleITK  # its stubs say little

FRAME = FrameOfReference(FRAME_OF_REFERENCE_UID)
CASES = sorted(research_shapes())


@pytest.fixture(scope="module")
def masks() -> dict[str, Mask]:
    """The research shapes, in the frame of reference of the made-up images."""
    made = research_shapes()
    grid = next(iter(made.values())).grid
    same = Grid(grid.shape, grid.to_patient, FRAME)
    return {name: Mask(same, mask.inside) for name, mask in made.items()}


def images_on(grid: Grid) -> list[Dataset]:
    """CT headers whose slices are those of an axial grid."""
    slices, rows, columns = grid.shape
    across, down, through = grid.spacing_mm
    shape = Shape(rows, columns, (down, across, through), first_mm=tuple(grid.origin_mm.tolist()))
    return [image(shape, "CT", number) for number in range(slices)]


def as_image(grid: Grid) -> Any:
    """An empty image on an axial grid, for plastimatch to fill contours on."""
    made = sitk.GetImageFromArray(np.zeros(grid.shape, dtype=np.int16))
    made.SetSpacing(grid.spacing_mm)
    made.SetOrigin(grid.origin_mm.tolist())
    return made


def structure_set(named: dict[str, Mask], how: Tracing) -> Dataset:
    """All masks as one RT Structure Set."""
    grid = next(iter(named.values())).grid
    rois = [Roi(trace(mask, name, how), exclusive_or=how.holes is Holes.XOR) for name, mask in named.items()]
    numbers = count(1)
    making = Making(datetime(2026, 11, 22, tzinfo=UTC), lambda: f"2.25.99{next(numbers)}")
    return build_structure_set(rois, images_on(grid), label="TEST", provenance=Provenance("test"), making=making)


@pytest.fixture(scope="module")
def through_plastimatch(masks: dict[str, Mask], tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """The voxels that plastimatch fills of the contours in our RT Structure Set."""
    folder = tmp_path_factory.mktemp("plastimatch")
    path = written(structure_set(masks, Tracing()), folder)
    sitk.WriteImage(as_image(masks[CASES[0]].grid), str(folder / "fixed.mha"))
    plastimatch("convert", "--input", path, "--fixed", folder / "fixed.mha", "--output-prefix", folder / "masks",
                "--prefix-format", "nrrd")  # fmt: skip
    files = {name: folder / "masks" / f"{name}.nrrd" for name in CASES}
    return {name: sitk.GetArrayFromImage(sitk.ReadImage(str(path))) > 0 for name, path in files.items()}


@pytest.mark.parametrize("name", CASES)
def test_plastimatch_fills_our_contours_with_the_same_voxels(
    name: str,
    masks: dict[str, Mask],
    through_plastimatch: dict[str, np.ndarray],
) -> None:
    assert dice(masks[name], through_plastimatch[name]) >= 0.99


@pytest.mark.parametrize("how", [Tracing(holes, outline) for holes in Holes for outline in Outline], ids=str)
def test_our_structure_sets_are_filled_by_us_with_the_same_voxels(how: Tracing, masks: dict[str, Mask]) -> None:
    found = read_structures(structure_set(masks, how))
    for structure in found.structures:
        mask = masks[structure.name]
        assert dice(mask, mask_of(structure, mask.grid, Between.NOTHING)) == 1, structure.name


def test_we_fill_the_contours_of_plastimatch_as_it_does(
    masks: dict[str, Mask],
    tmp_path: Path,
    through_plastimatch: dict[str, np.ndarray],
) -> None:
    """Its contours run half way between voxels in rows, and cut corners: it loses some itself when it reads them."""
    del through_plastimatch  # skips where it is not installed
    (tmp_path / "in").mkdir()
    for name in ("sphere of 30 mm", "sphere of 60 mm"):
        mask = masks[name]
        made = as_image(mask.grid)
        labels = sitk.GetImageFromArray(mask.inside.astype(np.uint8))
        labels.CopyInformation(made)
        sitk.WriteImage(labels, str(tmp_path / "in" / f"{name}.mha"))
    sitk.WriteImage(made, str(tmp_path / "fixed.mha"))
    plastimatch("convert", "--input", tmp_path / "fixed.mha", "--input-prefix", tmp_path / "in", "--output-dicom",
                tmp_path / "dicom")  # fmt: skip
    (path,) = [path for path in (tmp_path / "dicom").iterdir() if dcmread(path).Modality == "RTSTRUCT"]
    ds = dcmread(path)
    for structure in read_structures(ds).structures:
        mask = masks[structure.name]
        grid = Grid(mask.grid.shape, mask.grid.to_patient, structure.frame)
        assert dice(mask, mask_of(structure, grid)) >= 0.97, structure.name


# --- real patients ---------------------------------------------------------------------------


@pytest.mark.parametrize("images", ["ct", "pet", "mr-t1"])
@pytest.mark.parametrize("patient", ["sts-001", "sts-003"])
def test_the_masks_of_real_patients_come_from_their_structure_sets(
    patient: str, images: str, shared_data: Path
) -> None:
    folder = shared_data / "petct" / patient
    given: Any = nibabel.load(folder / "nifti" / f"{images}-mask.nii.gz")
    truth = np.asarray(given.dataobj).T > 0
    (structure,) = read_structures(dcmread(folder / f"rtstruct-{images}.dcm")).structures
    to_lps = Affine(np.diag((-1, -1, 1, 1)) @ given.affine)
    found = fill(structure, Grid(truth.shape, to_lps, structure.frame))
    assert dice(found.mask, truth) >= 0.98
    assert (found.beside, found.gaps, found.repeated, found.is_whole) == (0, 0, 0, True)


def test_one_contour_drawn_on_the_pet_and_on_the_mr_has_one_volume(shared_data: Path) -> None:
    """The structure sets of the raw study hold the same region in two frames, 35 degrees apart."""
    volumes = []
    for file in sorted((shared_data / "petct" / "sts-001-raw").glob("rtstruct*.dcm")):
        structures = {each.name: each for each in read_structures(dcmread(file)).structures}
        structure = structures["GTV_Mass"]
        points = np.concatenate([contour.points_mm for contour in structure.contours])
        low, size = points.min(axis=0) - 5, np.ceil((np.ptp(points, axis=0) + 10) / 2).astype(int)
        grid = Grid.of((int(size[2]), int(size[1]), int(size[0])), (2, 2, 2), low, structure.frame)
        volumes.append(mask_of(structure, grid).volume_ml)
    assert len(volumes) == 2
    assert volumes[0] == pytest.approx(volumes[1], rel=0.02)


def test_contours_of_slices_that_are_not_there_are_counted(shared_data: Path) -> None:
    folder = shared_data / "ct-rtstruct" / "lung1-001"
    (file,) = [path for path in folder.rglob("*.dcm") if dcmread(path, stop_before_pixels=True).Modality == "RTSTRUCT"]
    headers = [dcmread(path, stop_before_pixels=True) for path in folder.rglob("*.dcm") if path != file]
    headers.sort(key=lambda ds: float(ds.ImagePositionPatient[2]))
    first = headers[0]
    spacing = (
        *map(float, first.PixelSpacing),
        float(headers[1].ImagePositionPatient[2] - first.ImagePositionPatient[2]),
    )
    frame = FrameOfReference(str(first.FrameOfReferenceUID))
    grid = Grid.of((len(headers), first.Rows, first.Columns), spacing, first.ImagePositionPatient, frame)
    found = {each.name: fill(each, grid) for each in read_structures(dcmread(file)).structures}
    assert {name: filled.is_whole for name, filled in found.items() if "Lung" in name} != {}
    lungs = [filled for name, filled in found.items() if "Lung" in name]
    assert all(filled.beside > 0 and not filled.is_whole and filled.mask.voxels > 0 for filled in lungs)
    tumour = next(filled for name, filled in found.items() if "GTV" in name)
    assert tumour.used + tumour.beside > 0
