"""Two PET/CT studies of a made-up patient, months apart: a known motion, and lesions that grew, vanished and came."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from radfuse.archive import Archive
from radfuse.geometry import Affine, Chain, Grid, Mask, Points
from radfuse.objects.common import Making, NewSeries, Provenance, encode, reference_to
from radfuse.objects.reg import CONTENT_BASED, NewRegistration, build_spatial_registration
from radfuse.objects.rtstruct import build_structure_set
from radfuse.roi import tracing
from radfuse.services.commission.anatomy import organ
from radfuse.services.commission.scans import CT, PT, Scan, blurred, frame_of, images_of, uid_of
from radfuse.services.commission.warp import Warp, rigid_motion
from radfuse.services.import_media import Verdict, import_stream
from radfuse.services.store_results import store
from tests.support.made import making

PRIOR, CURRENT = "prior", "current"
DATES: Final = {PRIOR: "20251001", CURRENT: "20260105"}
STUDIES: Final = {name: uid_of(f"study {name}") for name in DATES}
SERIES: Final = {(name, modality): uid_of(f"series {modality} {name}") for name in DATES for modality in (CT, PT)}

_BOX_MM: Final = (238.0, 190.0, 136.0)
_VOXELS_MM: Final = {CT: (5.0, 5.0, 5.0), PT: (4.0, 4.0, 4.0)}
_MOTION: Final = rigid_motion((3, -2, 5), (12, -9, 7))
_WARP: Final = Warp(0.4)
_ORGANS: Final = (("body", 0.4), ("muscle", 0.8), ("liver", 1.6), ("heart", 1.8), ("left kidney", 6.0))
"""SUV; later ones lie over earlier ones."""


@dataclass(frozen=True)
class Ball:
    """A ball of uptake in the anatomy: radius in mm and SUV at both time points, 0 where it is not there."""

    name: str
    centre_mm: tuple[float, float, float]
    radius_mm: tuple[float, float]
    suv: tuple[float, float]


GROWN: Final = Ball("grown", (-46.0, 6.0, 32.0), (14.0, 14.0 * 1.5 ** (1 / 3)), (8.0, 8.0))
"""Half as large again."""
COOLED: Final = Ball("cooled", (40.0, 30.0, -20.0), (14.0, 14.0), (10.0, 6.0))
GONE: Final = Ball("gone", (40.0, -30.0, 36.0), (13.0, 0.0), (7.0, 0.0))
NEW: Final = Ball("new", (-30.0, -20.0, -42.0), (0.0, 12.0), (0.0, 9.0))
BALLS: Final = (GROWN, COOLED, GONE, NEW)


def place(name: str, points_mm: Points) -> Points:
    """Where points of a time point's frame of reference lie in the anatomy, which is the prior's."""
    return points_mm if name == PRIOR else _WARP.apply(_MOTION.apply(points_mm))


def centre(name: str, ball: Ball) -> Points:
    """Where a ball lies in a time point's frame of reference."""
    at = np.array(ball.centre_mm)
    return at if name == PRIOR else _MOTION.inverse().apply(_WARP.back(at[None])[0])


def grid_of(name: str, modality: str) -> Grid:
    """The voxels of a scan."""
    spacing = np.array(_VOXELS_MM[modality])
    counts = np.rint(np.array(_BOX_MM) / spacing).astype(int)
    columns, rows, slices = counts.tolist()
    return Grid.of((slices, rows, columns), spacing, -(counts - 1) / 2 * spacing, frame_of(f"follow-up {name}"))


def ball_mask(name: str, ball: Ball, grid: Grid, margin_mm: float = 0.0) -> Mask:
    """The voxels whose centres lie in a ball, or up to a margin beside it."""
    radius = ball.radius_mm[0 if name == PRIOR else 1] + margin_mm
    return Mask(grid, np.linalg.norm(_points(grid) - centre(name, ball), axis=-1) <= radius)


def keep_time_points(archive: Archive, modalities: tuple[str, ...] = (CT, PT)) -> None:
    """Both studies, with an RT Structure Set of the lesions on each PET; without CT also a registration."""
    kept: dict[str, list[Dataset]] = {}
    for name in DATES:
        for modality in modalities:
            images = list(_images(name, modality))
            kept[name] = images
            for ds in images:
                assert import_stream(archive, "image", BytesIO(encode(ds))).verdict is Verdict.STORED
        store(archive, [structures(name, kept[name])])
    if CT not in modalities:
        store(archive, [registration_object(kept[CURRENT][0])])


def registration_object(current: Dataset, transform: Affine = _MOTION) -> Dataset:
    """From the current to the prior frame of reference: the known motion as a matrix, up to 4 mm off the warp."""
    frames = frame_of("follow-up current"), frame_of("follow-up prior")
    return build_spatial_registration(
        NewRegistration(*frames, Chain((transform,)), CONTENT_BASED),
        current,
        provenance=Provenance("known motion", {}, (reference_to(current),)),
        making=Making(making().when, lambda: uid_of(f"registration {next(_numbers)}")),
    )


def structures(name: str, images: list[Dataset], margin_mm: float = 6.0) -> Dataset:
    """Contours generously around the lesions of a time point."""
    grid = grid_of(name, PT)
    there = [ball for ball in BALLS if ball.suv[0 if name == PRIOR else 1]]
    uids = [str(image.SOPInstanceUID) for image in images]
    return build_structure_set(
        [tracing.trace(ball_mask(name, ball, grid, margin_mm), ball.name, image_uids=uids) for ball in there],
        images,
        label="LESIONS",
        provenance=Provenance("known lesions", {}, tuple(map(reference_to, images))),
        making=Making(making().when, lambda: uid_of(f"structures {name} {next(_numbers)}")),
        series=NewSeries("Lesions", uid=uid_of(f"series structures {name}")),
    )


_numbers: Iterator[int] = iter(range(1, 1_000_000))


def _images(name: str, modality: str) -> Iterator[Dataset]:
    grid = grid_of(name, modality)
    scan = Scan(f"{modality} {name}", modality, grid, lambda points: place(name, points))
    for ds in images_of(scan, _pet(name, grid) if modality == PT else None):
        ds.StudyInstanceUID, ds.SeriesInstanceUID = STUDIES[name], SERIES[name, modality]
        for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"):
            setattr(ds, keyword, DATES[name])
        if modality == PT:
            for dose in ds.RadiopharmaceuticalInformationSequence:
                dose.RadiopharmaceuticalStartDateTime = DATES[name] + "090000"
        ds.SeriesDescription = f"{modality} whole body"
        yield ds


def _pet(name: str, grid: Grid) -> npt.NDArray[np.float32]:
    points = _points(grid)
    anatomy = place(name, points)
    suv = np.full(grid.shape, 0.02, np.float32)
    for name_of_organ, value in _ORGANS:
        suv[organ(name_of_organ).inside(anatomy)] = value
    which = 0 if name == PRIOR else 1
    for ball in BALLS:
        if ball.suv[which]:
            suv[ball_mask(name, ball, grid).inside] = ball.suv[which]
    noise = np.random.default_rng(7 + which).normal(0, 0.02, suv.shape).astype(np.float32)
    return blurred(suv, grid, 6.0) * (1 + noise)


def _points(grid: Grid) -> Points:
    return np.stack([grid.slice_points_mm(index) for index in range(grid.shape[0])])
