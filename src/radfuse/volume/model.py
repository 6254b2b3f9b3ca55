"""What a volume is: voxels on a grid, in a unit, with where they came from and what was noticed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidGeometry
from radfuse.geometry import Grid

if TYPE_CHECKING:
    from radfuse.volume.suv import SuvEvidence


class Unit(StrEnum):
    """What the numbers are. The value is what people read, and what the command line takes."""

    HU = "HU"
    SUV_BW = "SUVbw"
    SUV_LBM_JAMES = "SUVlbm(James)"
    SUV_LBM_MORGAN = "SUVlbm(Morgan)"
    SUV_LBM_JANMA = "SUVlbm(Janmahasatian)"
    SUV_BSA = "SUVbsa"
    SUV_IBW = "SUVibw"
    BQML = "Bq/ml"
    GY = "Gy"
    COUNTS = "counts"
    SIGNAL = "signal"
    """MR and others whose numbers have no unit; the rescale of the image is applied."""
    FRACTION = "fraction"
    """A segment: how much of each voxel belongs to it, 0 to 1."""
    STORED = "stored"
    """The stored values, whatever the rescale says."""

    @property
    def is_suv(self) -> bool:
        """Whether it is an SUV of any normalisation."""
        return self.value.startswith("SUV")


class FindingKind(StrEnum):
    """What was noticed while a volume was built. A refusal is no finding: it is an error."""

    JITTER = "jitter"
    DUPLICATE = "duplicate"
    GAP = "gap"
    VARIABLE = "variable"
    SHEARED = "sheared"
    SPLIT = "split"
    SINGLE = "single"
    UNIT = "unit"
    PIXELS = "pixels"
    HEADER = "header"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something noticed or repaired, as a sentence for a person; ``slices`` are those it touches, in our order."""

    kind: FindingKind
    sentence: str
    slices: tuple[int, ...] = ()
    repaired: bool = False
    """Whether the voxels are not what the images say because of it."""


@dataclass(frozen=True, slots=True)
class Source:
    """The images behind a volume."""

    modality: str
    sop_class_uid: str
    study_uid: str
    series_uid: str
    instance_uids: tuple[str, ...]
    """SOP Instance UID of each slice in our order (one for all frames of a multi-frame image, repeated);
    empty text for a slice that was filled in. Of a resampled volume: of the slices that it was made of."""
    frame_numbers: tuple[int, ...] = ()
    """Frame number (from 1) of each slice in its multi-frame image; empty for single-frame images."""


@dataclass(frozen=True, eq=False)
class Volume:
    """Voxels on a grid: ``voxels[slice, row, column]`` in ``unit``; nobody may write to them.

    Whole-number HU stay int16, everything else is float32. Raises InvalidGeometry for another shape.
    """

    voxels: npt.NDArray[Any]
    grid: Grid
    unit: Unit
    source: Source
    findings: tuple[Finding, ...] = ()
    suv: SuvEvidence | None = None
    """How the SUV were computed, where the unit is one."""

    def __post_init__(self) -> None:
        """Check the shape, and let nobody write."""
        if self.voxels.shape != self.grid.shape or self.voxels.dtype not in (np.int16, np.float32):
            raise InvalidGeometry("a volume needs one int16 or float32 number for each voxel of its grid")
        view = self.voxels.view()
        view.flags.writeable = False
        object.__setattr__(self, "voxels", view)
