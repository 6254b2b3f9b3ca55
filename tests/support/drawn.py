"""A scene with a PET of two hot balls, the CT to it, and series in other frames of reference."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from tests.support.graphs import Scene
from tests.support.volumes import Shape, image, put_pixels

HOT_MM = (10.0, -6.0, 8.0)
"""The middle of the larger ball of the PET, of 24 mm."""

WARM_MM = (-42.0, 30.0, -20.0)
"""The middle of the smaller one, of 16 mm."""

FRAME = "2.25.4711"
CT_MM = 6.0


def add_image(
    scene: Scene,
    name: str,
    voxels: npt.NDArray[np.float64],
    spacing_mm: float,
    modality: str,
    frame: str,
    patient: str = "GEN-0001",
) -> str:
    """Keep an axial series of cubic voxels whose middle is the origin; its UID."""
    slices, rows, columns = voxels.shape
    first = tuple(-spacing_mm * (size - 1) / 2 for size in (columns, rows, slices))
    shape = Shape(rows, columns, (spacing_mm,) * 3, first_mm=(first[0], first[1], first[2]))
    number = 40 + len(scene.images)
    made = []
    for place, plane in enumerate(voxels):
        ds = image(shape, modality, place, number)
        ds.PatientID, ds.FrameOfReferenceUID = patient, frame
        ds.StudyInstanceUID = f"2.25.600{sum(patient.encode())}"
        put_pixels(ds, np.clip(plane, 0, 65_535).astype(np.uint16), stored=16)
        if modality == "PT":
            _with_suv(ds)
        scene.keep(ds)
        made.append(ds)
    scene.images[name] = made
    return scene.uid(name)


def pet(side: int = 32, spacing_mm: float = 4.0) -> npt.NDArray[np.float64]:
    """Two balls with smooth edges on a warm background, the larger one hotter."""
    middle = (np.arange(side) - (side - 1) / 2) * spacing_mm
    z, y, x = np.meshgrid(middle, middle, middle, indexing="ij")
    values: npt.NDArray[np.float64] = 400.0 + 3 * x - 2 * y + z
    for (cx, cy, cz), radius, height in ((HOT_MM, 12.0, 9000.0), (WARM_MM, 8.0, 4000.0)):
        away = np.sqrt((x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2)
        values += height / (1 + np.exp((away - radius) / 1.5)) * (1 + 0.02 * (x - cx) / radius)
    return values


def ct(side: int = 24) -> npt.NDArray[np.float64]:
    """Values that rise along x."""
    values = np.empty((side, side, side))
    values[:] = 1000 + 2 * np.arange(side)
    return values


def add_pet_and_ct(scene: Scene) -> tuple[str, str]:
    """Both in one frame of reference; their UIDs."""
    return add_image(scene, "pet", pet(), 4.0, "PT", FRAME), add_image(scene, "ct", ct(), CT_MM, "CT", FRAME)


def _with_suv(ds: Dataset) -> None:
    """All that SUV by body weight needs."""
    ds.PatientWeight = 70
    ds.FrameReferenceTime, ds.DecayFactor = "0", "1"
    ds.SeriesDate = ds.AcquisitionDate = "20260101"
    ds.SeriesTime = ds.AcquisitionTime = "100000"
    given = Dataset()
    given.RadionuclideTotalDose, given.RadionuclideHalfLife = 350e6, 6586.2
    given.RadiopharmaceuticalStartDateTime = "20260101090000"
    given.RadiopharmaceuticalStartTime = "090000"
    given.RadionuclideCodeSequence = []
    ds.RadiopharmaceuticalInformationSequence = [given]
