"""Where the face is in the slices of a head: a simple mask from the outline of the body, for CT and MR.

The vertex and the forehead are found in the outline; from the height of the eyebrows down to below the
chin everything in front of a plane a little behind the forehead is to be blanked. Nothing is guessed:
where the slices do not show a whole head from above, the series is refused. The sizes are those of
heads of grown people, scaled by the depth of this one. PS3.15 section E.3.2, Clean Recognizable
Visual Features.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import CannotAnonymize, CannotBuildVolume
from radfuse.volume import Stack, Volume, read_stack, stacks_of

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels, the last two not included."""
_SKIN_HU: Final = -300.0
_SHARE_OF_BRIGHT: Final = 0.15
"""Of the 99th percentile of MR: what is darker is air."""
_BIN_MM: Final = 5.0
_SMALLEST_AREA_MM2: Final = 500.0
_CROWN_MM2: Final = 9000.0
"""More than this in the highest slices is a head that is cut off, not its crown."""
_MIDDLE_MM: Final = 75.0
"""To either side of the middle of the head."""
_FOREHEAD_MM, _BROWS_MM, _EYES_MM, _CHIN_MM = 75.0, 92.0, 115.0, 260.0
"""Below the vertex, in a head that is 190 mm deep."""
_DEPTH_MM: Final = 190.0
_HEAD_DEPTHS_MM: Final = (125.0, 250.0)
_HEAD_WIDTHS_MM: Final = (95.0, 210.0)
_CUT_MM: Final = (8.0, 25.0)
"""Behind the forehead: at the brows, where the brain is near, and from the eyes down."""


@dataclass(frozen=True, slots=True)
class FacePlan:
    """What is to be blanked, by SOP Instance UID, and why nothing can be planned for others."""

    boxes: dict[str, tuple[Box, ...]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def plan_faces(files: Sequence[Path]) -> FacePlan:
    """The plan for all CT and MR series among ``files``; what is no slice has no place in it."""
    plan = FacePlan()
    for stack in stacks_of(files):
        if stack.source.modality not in ("CT", "MR"):
            continue
        uids = stack.source.instance_uids
        try:
            plan.boxes.update(zip(stack.source_of_slices.instance_uids, _boxes_of(stack), strict=True))
        except CannotAnonymize as error:
            plan.refused.update(dict.fromkeys(uids, error.reason))
        except CannotBuildVolume as error:
            plan.refused.update(dict.fromkeys(uids, f"its face cannot be found: {error}"))
    return plan


def _boxes_of(stack: Stack) -> list[tuple[Box, ...]]:
    if stack.refusal:
        raise CannotAnonymize(f"its face cannot be found: {stack.refusal}")
    if any(stack.source.frame_numbers) or not all(slot.is_plain for slot in stack.slots):
        raise CannotAnonymize("a face is found only in images of one slice each")
    volume = read_stack(stack)
    return [boxes_of(mask) for mask in face_masks(volume, is_ct=stack.source.modality == "CT")]


def face_masks(volume: Volume, *, is_ct: bool) -> Iterator[npt.NDArray[np.bool_]]:
    """Which voxels of each slice are to be blanked. Raises CannotAnonymize where no head is found."""
    voxels, grid = volume.voxels, volume.grid
    least = _SKIN_HU if is_ct else _SHARE_OF_BRIGHT * float(np.percentile(voxels[:, ::4, ::4], 99))
    head = _head_of(volume, least)
    for number in range(grid.shape[0]):
        x, y, z = np.moveaxis(grid.slice_points_mm(number), -1, 0)
        below = (head.vertex_mm - z) / head.scale
        behind = np.interp(below, (_BROWS_MM, _EYES_MM), _CUT_MM) * head.scale
        yield (
            (below >= _BROWS_MM)
            & (below <= _CHIN_MM)
            & (y < head.forehead_mm + behind)
            & (np.abs(x - head.middle_mm) <= _MIDDLE_MM * head.scale)
        )


@dataclass(frozen=True, slots=True)
class _Head:
    """Where a head is, in the patient's coordinate system."""

    vertex_mm: float
    forehead_mm: float
    middle_mm: float
    scale: float


def _head_of(volume: Volume, least: float) -> _Head:
    heights, areas, points = _outline(volume, least)
    there = np.flatnonzero(areas >= _SMALLEST_AREA_MM2)
    if not len(there):
        raise CannotAnonymize("its face cannot be found: there is no body in the images")
    top = int(there[-1])
    if top == len(areas) - 1 and areas[top] > _CROWN_MM2:
        raise CannotAnonymize("its face cannot be found: the top of the head is not in the images")
    vertex_mm = float(heights[top] + _BIN_MM)
    across = points[np.abs(points[:, 2] - (vertex_mm - _FOREHEAD_MM)) <= 2 * _BIN_MM]
    if vertex_mm - heights[0] < _FOREHEAD_MM or len(across) < 50:
        raise CannotAnonymize("its face cannot be found: the images do not reach below the forehead")
    (left, front), (right, back) = np.percentile(across[:, :2], (1, 99), axis=0)
    depth_mm, width_mm = float(back - front), float(right - left)
    is_head = (
        _HEAD_DEPTHS_MM[0] <= depth_mm <= _HEAD_DEPTHS_MM[1] and _HEAD_WIDTHS_MM[0] <= width_mm <= _HEAD_WIDTHS_MM[1]
    )
    if not is_head:
        raise CannotAnonymize("its face cannot be found: what is in the images does not have the size of a head")
    return _Head(vertex_mm, float(front), float(left + right) / 2, depth_mm / _DEPTH_MM)


def _outline(volume: Volume, least: float) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """By height: its lower end and the area of the body; and points of the body, some 2 mm apart."""
    grid = volume.grid
    across_mm, down_mm, through_mm = grid.spacing_mm
    step = max(1, round(2 / across_mm)), max(1, round(2 / down_mm))
    found = []
    for number in range(0, grid.shape[0], max(1, round(2 / through_mm))):
        places = grid.slice_points_mm(number)[:: step[1], :: step[0]]
        found.append(places[volume.voxels[number, :: step[1], :: step[0]] > least])
    points = np.concatenate(found)
    heights_mm = grid.corners_mm[:, 2]
    edges = np.arange(heights_mm.min(), heights_mm.max() + _BIN_MM, _BIN_MM)
    counts, _ = np.histogram(points[:, 2], edges)
    each_mm3 = (across_mm * step[0]) * (down_mm * step[1]) * through_mm * max(1, round(2 / through_mm))
    return edges[:-1], counts * each_mm3 / _BIN_MM, points


def boxes_of(mask: npt.NDArray[np.bool_]) -> tuple[Box, ...]:
    """A mask as boxes: runs of each row, those of rows that follow each other and are alike together."""
    boxes: list[Box] = []
    growing: dict[tuple[int, int], int] = {}
    rows = mask.shape[0]
    for row in range(rows + 1):
        runs = set(_runs(mask[row])) if row < rows else set()
        for run in [run for run in growing if run not in runs]:
            top = growing.pop(run)
            boxes.append((run[0], top, run[1], row))
        for run in runs:
            growing.setdefault(run, row)
    return tuple(boxes)


def _runs(row: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], row.view(np.int8), [0]))))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
