"""Objects made from one image of each vendor and kind: others accept them, whatever the source's header holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from radfuse.geometry import Affine, Contour, FrameOfReference, Grid, Structure
from radfuse.objects.common import Item, codes
from radfuse.objects.rtstruct import build_structure_set, read_structures
from radfuse.objects.seg import Content, NewSegment, SegmentFacts, build_segmentation, read_segmentation
from tests.support.judges import dciodvfy, written
from tests.support.made import made_from, making


@pytest.mark.parametrize(
    "file",
    [
        "ct-rtstruct/lung1-001/ct/1-044.dcm",
        "petct/vendor-headers/NM-PetIm-GE.dcm",
        "seg/ucsf-br-06/mr/1-010.dcm",
        "suv-dro/DRO_0_0/PT/pet_dro_0_0_slice_000.dcm",
        "mr/knee/t1/*",
        "petct/sts-001-raw/mr-t2/*",
    ],
)
def test_real_images_are_sources(file: str, shared_data: Path, tmp_path: Path) -> None:
    path = sorted(shared_data.glob(file))[0]
    image = dcmread(path, stop_before_pixels=True)
    item = Item(image)
    row, column = np.array(item.numbers("ImageOrientationPatient")).reshape(2, 3)
    down, across = item.numbers("PixelSpacing")
    axes = np.column_stack((row * across, column * down, 2 * np.cross(row, column)))
    place = Affine.of(axes, item.numbers("ImagePositionPatient"))
    grid = Grid((1, image.Rows, image.Columns), place, FrameOfReference(item.text("FrameOfReferenceUID")))
    inside = np.zeros(grid.shape, bool)
    inside[0, 2:9, 3:8] = True
    corners = grid.to_patient.apply([(2.5, 1.5, 0), (7.5, 1.5, 0), (7.5, 8.5, 0), (2.5, 8.5, 0)])

    segmentation = build_segmentation(
        [NewSegment(SegmentFacts("a", codes.TISSUE, codes.TISSUE), inside)], grid, [image],
        content=Content(), provenance=made_from([image]), making=making(),
    )  # fmt: skip
    structures = build_structure_set(
        [Structure("a", grid.frame, (Contour(corners),))], [image],
        label="A", provenance=made_from([image]), making=making(),
    )  # fmt: skip

    read = dcmread(written(segmentation, tmp_path, "seg.dcm"))
    assert dciodvfy(tmp_path / "seg.dcm") == []
    assert np.array_equal(read_segmentation(read, grid).mask(1).inside, inside)
    read = dcmread(written(structures, tmp_path, "rtstruct.dcm"))
    assert dciodvfy(tmp_path / "rtstruct.dcm") == []
    (structure,) = read_structures(read).structures
    assert structure.contours[0].image_uid == image.SOPInstanceUID
    assert np.abs(structure.contours[0].points_mm - corners).max() <= 0.00005 + 1e-9
