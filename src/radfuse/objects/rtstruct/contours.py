"""The contours of one region of an RT Structure Set (PS3.3 section C.8.8.6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from radfuse.core.errors import UnreadableObject
from radfuse.geometry import Contour, Points
from radfuse.objects.common import Item
from radfuse.objects.rtstruct.model import CLOSED, CLOSED_XOR, OTHER_KINDS, OtherContour

_FLATNESS_MM: Final = 0.5


@dataclass(frozen=True, eq=False)
class ReadContours:
    """What was found, and what is wrong with it: parts of sentences about the region."""

    closed: tuple[Contour, ...]
    others: tuple[OtherContour, ...]
    exclusive_or: bool
    image_uids: tuple[str, ...]
    faults: tuple[str, ...]


def read_contours(items: Sequence[Item]) -> ReadContours:
    """The contours of the items of ROI Contour Sequence that belong to one region."""
    closed: list[Contour] = []
    others: list[OtherContour] = []
    image_uids: list[str] = []
    kinds, faults = set[str](), Counter[str]()
    for item in (contour for part in items for contour in part.items("ContourSequence")):
        kind = item.text("ContourGeometricType")
        points = _points(item)
        uid = _image_of(item)
        if points is None:
            faults["whose coordinates cannot be read, left out"] += 1
        elif kind in OTHER_KINDS:
            others.append(OtherContour(kind, points, uid))
        elif kind not in (CLOSED, CLOSED_XOR):
            faults["of a geometric type that is not the standard's, left out"] += 1
        elif len(np.unique(points, axis=0)) < 3:
            faults["with fewer than three points, left out"] += 1
        else:
            kinds.add(kind)
            closed.append(Contour(points, uid))
            faults["whose points do not lie in one plane"] += not _is_flat(points)
        if points is not None:
            image_uids += [uid] if uid else []
            faults["with another number of points than announced"] += item.whole("NumberOfContourPoints") != len(points)
    sentences = [f"has {count} contours {fault}" for fault, count in faults.items() if count]
    if not closed and not others:
        sentences.append("has no contours")
    return ReadContours(tuple(closed), tuple(others), CLOSED_XOR in kinds, tuple(image_uids), tuple(sentences))


def _points(item: Item) -> Points | None:
    """The points in mm, or None where they cannot be read."""
    numbers = item.numbers("ContourData")
    if not numbers or len(numbers) % 3 or not np.isfinite(numbers).all():
        return None
    return np.array(numbers).reshape(-1, 3)


def _image_of(item: Item) -> str:
    try:
        image = item.first("ContourImageSequence")
    except UnreadableObject:
        return ""
    return image.text("ReferencedSOPInstanceUID") if image else ""


def _is_flat(points: Points) -> bool:
    """Whether the points lie within half a millimetre of one plane."""
    centred = points - points.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    return bool(np.abs(centred @ axes[-1]).max() <= _FLATNESS_MM)
