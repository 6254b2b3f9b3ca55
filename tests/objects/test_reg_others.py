"""Registration objects of other writers mean the same to us, and ours the same to other readers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from radfuse.geometry import Affine, Chain
from radfuse.objects.reg import Edge, read_registration
from tests.support.generate import GeneratedSet
from tests.support.judges import plastimatch
from tests.support.made import headers
from tests.support.registered import FIXED, MOVING, STEP, box, deformable, field_on, inside, moved, spatial, turned

_GRID = box((10, 14, 12), (6, 6, 6))
_FIELD = field_on(_GRID)
_POINTS = inside(_GRID, 400)


@pytest.fixture(scope="module")
def ct(generated_set: GeneratedSet) -> list[Dataset]:
    return headers(generated_set.ct)


@pytest.fixture(scope="module")
def mr(generated_set: GeneratedSet) -> list[Dataset]:
    return moved(headers(generated_set.mr))


def _only(ds: Dataset) -> Edge:
    (edge,) = read_registration(ds).edges
    return edge


def _off(edge: Edge, truth: Chain | Affine) -> float:
    return float(np.nanmax(np.linalg.norm(edge.transform.apply(_POINTS) - truth.apply(_POINTS), axis=-1)))


def _folder(images: list[Dataset], files: tuple[Path, ...], folder: Path) -> Path:
    """The files with the frame of reference of the images."""
    folder.mkdir()
    for image, file in zip(images, files, strict=True):
        ds = dcmread(file)
        ds.FrameOfReferenceUID = image.FrameOfReferenceUID
        ds.save_as(folder / file.name)
    return folder


_ITK = """#Insight Transform File V1.0
Transform: AffineTransform_double_3_3
Parameters: {}
FixedParameters: 0 0 0
"""


@pytest.mark.parametrize("kind", ["matrix", "field"])
def test_what_plastimatch_writes_is_read_as_the_same_point_map(
    kind: str, ct: list[Dataset], mr: list[Dataset], generated_set: GeneratedSet, tmp_path: Path
) -> None:
    import SimpleITK as sitk

    if kind == "matrix":
        numbers = (*STEP.linear.ravel(), *STEP.translation)
        (tmp_path / "in.tfm").write_text(_ITK.format(" ".join(f"{one:.12g}" for one in numbers)))
    else:
        image = sitk.GetImageFromArray(_FIELD.vectors_mm, isVector=True)
        image.SetOrigin(_GRID.origin_mm.tolist())  # type: ignore[no-untyped-call]
        image.SetSpacing(_GRID.spacing_mm)  # type: ignore[no-untyped-call]
        sitk.WriteImage(image, str(tmp_path / "in.mha"))
    (source,) = tmp_path.glob("in.*")
    plastimatch("xf-convert", "--input", source, "--output", tmp_path / f"out{source.suffix}",
                "--output-dicom", tmp_path / "dicom", "--moving-rcs", _folder(mr, generated_set.mr, tmp_path / "mr"),
                "--fixed-rcs", _folder(ct, generated_set.ct, tmp_path / "ct"))  # fmt: skip
    (file,) = (tmp_path / "dicom").iterdir()
    read = read_registration(dcmread(file))
    assert (read.fixed, read.edges[0].moving, read.equipment[0]) == (FIXED, MOVING, "Plastimatch")
    # Its matrices have six decimals.
    assert _off(read.edges[0], STEP if kind == "matrix" else Chain((_FIELD,))) < 0.001


def test_what_pydicomrt_writes_is_read_as_the_same_point_map(
    ct: list[Dataset], mr: list[Dataset], tmp_path: Path
) -> None:
    writers = pytest.importorskip("pydicomrt.reg.builder", reason="pydicomrt is not installed (pip install pydicomrt)")
    import SimpleITK as sitk

    back = STEP.inverse().matrix.ravel().tolist()
    rigid = writers.SpatialRegistrationBuilder(ct).add_registration(mr, back).build()
    rigid.save_as(tmp_path / "rigid.dcm", enforce_file_format=True)
    assert _off(_only(dcmread(tmp_path / "rigid.dcm")), STEP) < 1e-6
    image = sitk.GetImageFromArray(_FIELD.vectors_mm.astype(np.float64), isVector=True)
    image.SetOrigin(_GRID.origin_mm.tolist())  # type: ignore[no-untyped-call]
    image.SetSpacing(_GRID.spacing_mm)  # type: ignore[no-untyped-call]
    before = turned(12, 3, 4, 5)
    bending = (
        writers.DeformableSpatialRegistrationBuilder(ct)
        .add_registration(
            mr,
            sitk.DisplacementFieldTransform(image),  # type: ignore[no-untyped-call]
            before.matrix.ravel().tolist(),
            STEP.matrix.ravel().tolist(),
        )
        .build()
    )
    bending.save_as(tmp_path / "bending.dcm", enforce_file_format=True)
    read = read_registration(dcmread(tmp_path / "bending.dcm"))
    assert (read.fixed, read.edges[0].moving) == (FIXED, MOVING)
    expected = STEP.apply(before.apply(_POINTS) + _FIELD.apply(_POINTS) - _POINTS)
    assert np.abs(read.edges[0].transform.apply(_POINTS) - expected).max() < 0.05


def test_pydicomrt_reads_what_we_write(ct: list[Dataset], mr: list[Dataset]) -> None:
    theirs = pytest.importorskip("pydicomrt.reg.parser", reason="pydicomrt is not installed (pip install pydicomrt)")
    rigid, bending = spatial(Chain((STEP,)), ct, mr), deformable(Chain((_FIELD, STEP)), ct, mr).ds
    matrix = theirs.get_spatial_registrations(rigid)[FIXED.uid][MOVING.uid]
    assert np.allclose(np.array(matrix).reshape(4, 4) @ STEP.matrix, np.eye(4), atol=1e-8)
    (found,) = theirs.get_deformable_registrations(bending)
    assert found["SourceFrameOfReferenceUID"] == MOVING.uid
    assert np.array_equal(found["DeformableRegistrationGrid"]["VectorGridData"], _FIELD.vectors_mm)
    assert np.allclose(np.array(found["PostDeformationMatrixRegistration"]).reshape(4, 4), STEP.matrix)
