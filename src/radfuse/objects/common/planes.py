"""On which image a contour or a frame of ours lies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from radfuse.core.errors import UnreadableObject
from radfuse.geometry import Points
from radfuse.objects.common.reading import Item
from radfuse.objects.common.references import Reference, reference_to

_PARALLEL: Final = 0.9999
_SHARE_OF_SPACING: Final = 0.5
_LONE_SLICE_MM: Final = 0.01


@dataclass(frozen=True, eq=False)
class ImagePlanes:
    """The planes of the images of one frame of reference and orientation, by their place along the normal."""

    frame_uid: str
    normal: npt.NDArray[np.float64]
    places_mm: npt.NDArray[np.float64]
    references: tuple[Reference, ...]

    def nearest(self, points_mm: Points) -> Reference | None:
        """The image in whose slice points of one plane lie: parallel, and within half the distance of two slices."""
        along = points_mm @ self.normal
        if np.ptp(along) > 2 * self._reach_mm:
            return None
        distances = np.abs(self.places_mm - along.mean())
        best = int(distances.argmin())
        return self.references[best] if distances[best] <= self._reach_mm + 1e-6 else None

    @property
    def _reach_mm(self) -> float:
        steps = np.diff(np.unique(self.places_mm.round(3)))
        return float(np.median(steps)) * _SHARE_OF_SPACING if len(steps) else _LONE_SLICE_MM


def frames_of(images: Iterable[Dataset]) -> set[str]:
    """The frames of reference that images name. Raises UnreadableObject when none names one."""
    frames = {Item(image).text("FrameOfReferenceUID") for image in images} - {""}
    if not frames:
        raise UnreadableObject("the images name no frame of reference: nothing can be placed on them")
    return frames


def planes_of(images: Iterable[Dataset]) -> list[ImagePlanes]:
    """The image planes by frame of reference and orientation; images without a place in space have none."""
    groups: list[tuple[str, npt.NDArray[np.float64], list[tuple[float, Reference]]]] = []
    for image in images:
        for frame_uid, orientation, position, reference in _placed(Item(image), image):
            normal = np.cross(orientation[:3], orientation[3:])
            for uid, other, members in groups:
                if uid == frame_uid and float(normal @ other) > _PARALLEL:
                    members.append((float(position @ other), reference))
                    break
            else:
                groups.append((frame_uid, normal, [(float(position @ normal), reference)]))
    return [
        ImagePlanes(uid, normal, np.array([place for place, _ in members]), tuple(one for _, one in members))
        for uid, normal, members in groups
    ]


_Placed = tuple[str, npt.NDArray[np.float64], npt.NDArray[np.float64], Reference]


def _placed(item: Item, image: Dataset) -> Iterable[_Placed]:
    """Frame of reference, orientation, position and reference of each plane of an image."""
    frame_uid = item.text("FrameOfReferenceUID")
    own = _numbers(item.numbers("ImageOrientationPatient"), item.numbers("ImagePositionPatient"))
    if own is not None:
        yield frame_uid, *own, reference_to(image)
        return
    shared = item.first("SharedFunctionalGroupsSequence")
    for number, frame in enumerate(item.items("PerFrameFunctionalGroupsSequence"), start=1):
        groups = [frame, shared] if shared else [frame]
        orientation = _macro(groups, "PlaneOrientationSequence", "ImageOrientationPatient")
        position = _macro(groups, "PlanePositionSequence", "ImagePositionPatient")
        placed = _numbers(orientation, position)
        if placed is not None:
            yield frame_uid, *placed, reference_to(image, (number,))


def _macro(groups: Sequence[Item], sequence: str, attribute: str) -> list[float]:
    for group in groups:
        macro = group.first(sequence)
        if macro:
            return macro.numbers(attribute)
    return []


def _numbers(
    orientation: list[float], position: list[float]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None:
    if len(orientation) != 6 or len(position) != 3:
        return None
    return np.array(orientation), np.array(position)
