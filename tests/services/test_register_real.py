"""Registering real images: a thigh that lies differently in the PET and in the MR, and one head."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from radfuse.geometry import Affine, FrameOfReference, Grid
from radfuse.registration import RigidRecipe, rigid
from radfuse.registration.quality import Grade
from radfuse.services.measure import Image
from radfuse.services.register import LandmarkPair, Region, RegisterAsk, Registered, register
from radfuse.volume.image_files import read_image_file
from tests.support.repeats import repeats

TUMOUR_MM = np.array((70.2, 12.51, -791.17))
"""Centre of the tumour in the frame of reference of the PET and CT."""

OFF_MM = np.array((15.0, 20.0, 0.0))
"""How far a click is off."""


def truth(data: Path) -> Affine:
    """From the frame of reference of the PET and CT to that of the MR; known to 1.5 mm at the tumour."""
    lines = (data / "petct" / "sts-001-raw" / "registration-truth.txt").read_text(encoding="utf-8").splitlines()
    begin = next(n for n, line in enumerate(lines) if "PETCT -> MR" in line) + 1
    return Affine(np.array([[float(word) for word in line.split()] for line in lines[begin : begin + 4]]))


def images(data: Path, *folder: str) -> Image:
    return Image(sorted(path for path in data.joinpath("petct", *folder).iterdir() if path.is_file()))


def onto_the_mr(data: Path, modality: str, region_mm: float | None) -> tuple[Registered, float]:
    """A series in the frame of the PET and CT, the T2 MR and one click 25 mm off; and the error at the tumour."""
    to_mr = truth(data)
    click = LandmarkPair(point(TUMOUR_MM), point(to_mr.apply(TUMOUR_MM) + OFF_MM))
    fixed, moving = images(data, "sts-001", modality), images(data, "sts-001-raw", "mr-t2")
    region = None if region_mm is None else Region(point(TUMOUR_MM), region_mm)
    found = register(None, RegisterAsk(fixed, moving, clicks=(click,), region=region))
    return found, float(np.linalg.norm(found.registration.transform.apply(TUMOUR_MM) - to_mr.apply(TUMOUR_MM)))


def point(values: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = values.tolist()
    return x, y, z


def test_two_mr_of_one_thigh_are_brought_together_by_one_click(shared_data: Path) -> None:
    found, error_mm = onto_the_mr(shared_data, "mr-t1", None)
    assert error_mm <= 2.5
    assert found.card.grade is Grade.PASS, found.card.reason


@pytest.mark.parametrize("modality", ["pet", "ct"][: repeats(1, 2)])
def test_around_a_tumour_the_error_is_at_most_5_mm_or_the_grade_says_fail(shared_data: Path, modality: str) -> None:
    """The leg is bent differently in the PET and CT and in the MR, which must not be overlooked."""
    found, error_mm = onto_the_mr(shared_data, modality, 60.0)
    assert error_mm <= 5 or found.card.grade is Grade.FAIL


def test_a_noisy_t1_comes_to_lie_on_the_pet_of_the_same_head(shared_data: Path) -> None:
    """Interpolated noise would pull the T1 off the PET by half a voxel along each axis."""
    folder = shared_data / "registration" / "brainweb-pet-t1"
    pet, t1 = (
        replace(volume, grid=Grid(volume.grid.shape, volume.grid.to_patient, FrameOfReference(frame)))
        for frame, volume in (
            ("2.25.1", read_image_file(folder / "brainweb_06_osem_cropped.nii")),
            ("2.25.2", read_image_file(folder / "brainweb_06_t1_cropped.nii")),
        )
    )
    start = Affine.of(np.eye(3), (12.0, -9.0, 5.0))
    found = rigid.register_rigid(pet, t1, RigidRecipe(climbed=6), [start]).transform
    assert np.linalg.norm(found.apply(pet.grid.corners_mm) - pet.grid.corners_mm, axis=1).max() <= 1.0
