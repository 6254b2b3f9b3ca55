"""The voxels of regions in the API: a box of a grid, and runs."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field

from radfuse.core.errors import InvalidRegion

if TYPE_CHECKING:
    from radfuse.geometry import Grid, Mask
    from radfuse.services.drawing import Drawn

MOST_RUNS: Final = 24 << 20
"""Characters of the runs of one region."""

_MOST_MM: Final = 1e6
_MOST_ALONG: Final = 65_535

Mm = Annotated[float, Field(ge=-_MOST_MM, le=_MOST_MM, allow_inf_nan=False)]
Point = tuple[Mm, Mm, Mm]
Length = Annotated[float, Field(gt=0, le=2000, allow_inf_nan=False)]
_Size = Annotated[int, Field(ge=1, le=_MOST_ALONG)]
_Index = Annotated[int, Field(ge=0, le=_MOST_ALONG)]


class GridShape(BaseModel):
    """Where voxels lie: shape as slices, rows, columns; all else along i, j, k, that is column, row, slice."""

    model_config = ConfigDict(extra="forbid")
    shape: tuple[_Size, _Size, _Size]
    origin_mm: Point
    spacing_mm: tuple[Length, Length, Length]
    direction: list[Annotated[float, Field(ge=-1.01, le=1.01)]] = Field(
        min_length=9, max_length=9, description="The unit vectors of i, j and k, one after the other."
    )
    FrameOfReferenceUID: Annotated[str, Field(max_length=64)]

    @classmethod
    def of(cls, grid: Grid) -> Self:
        """For the API."""
        import numpy as np

        lengths = np.linalg.norm(grid.to_patient.linear, axis=0)
        return cls(
            shape=grid.shape,
            origin_mm=_three(grid.origin_mm),
            spacing_mm=_three(lengths),
            direction=(grid.to_patient.linear / lengths).T.ravel().tolist(),
            FrameOfReferenceUID=grid.frame.uid,
        )

    def grid(self) -> Grid:
        """For the services. Raises InvalidGeometry for directions that are none."""
        import numpy as np

        from radfuse.geometry import Affine, FrameOfReference, Grid

        linear = np.array(self.direction).reshape(3, 3).T * self.spacing_mm
        return Grid(self.shape, Affine.of(linear, self.origin_mm), FrameOfReference(self.FrameOfReferenceUID))


class RegionShape(BaseModel):
    """Which voxels belong to a region: run lengths within a box of a grid."""

    model_config = ConfigDict(extra="forbid")
    grid: GridShape
    bounds: list[_Index] = Field(
        min_length=6, max_length=6, description="First and one past the last i, j and k: i0, i1, j0, j1, k0, k1."
    )
    runs: str = Field(
        max_length=MOST_RUNS,
        description="base64 of little endian uint32: lengths of runs, outside first, over the box, by k, j, i.",
    )

    @classmethod
    def of(cls, drawn: Drawn) -> Self:
        """For the API."""
        from radfuse.services.drawing import runs

        return cls(
            grid=GridShape.of(drawn.grid),
            bounds=drawn.box.bounds,
            runs=base64.b64encode(runs.encoded(drawn.inside)).decode(),
        )

    def mask(self) -> Mask:
        """For the services, on the box. Raises InvalidRegion and InvalidGeometry."""
        from radfuse.geometry import Mask
        from radfuse.services.drawing import runs

        i0, i1, j0, j1, k0, k1 = self.bounds
        slices, rows, columns = self.grid.shape
        if not (i0 < i1 <= columns and j0 < j1 <= rows and k0 < k1 <= slices):
            raise InvalidRegion("its bounds are no box of its grid")
        try:
            content = base64.b64decode(self.runs, validate=True)
        except (binascii.Error, ValueError):
            raise InvalidRegion("its runs are no base64") from None
        shape = k1 - k0, j1 - j0, i1 - i0
        return Mask(self.grid.grid().cropped((k0, j0, i0), shape), runs.decoded(content, shape))


def _three(numbers: object) -> tuple[float, float, float]:
    import numpy as np

    x, y, z = np.asarray(numbers, dtype=np.float64).tolist()
    return x, y, z
