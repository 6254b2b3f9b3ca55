"""How a region comes about, in the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from radfuse.core.uids import checked_uid
from radfuse.web.api.region_shapes import Length, Mm, Point, RegionShape
from radfuse.web.api.views import Uid, View

if TYPE_CHECKING:
    from radfuse.services.drawing import rules

_Value = Annotated[float, Field(allow_inf_nan=False)]
_Way = Annotated[float, Field(ge=-2, le=2, allow_inf_nan=False)]
_Direction = tuple[_Way, _Way, _Way]
_MOST_PLANES = 5000
_MOST_POINTS = 20_000


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Within(_Strict):
    """A ball: where to look."""

    centre_mm: Point
    diameter_mm: Length

    def ball(self) -> rules.Ball:
        """For the services."""
        from radfuse.services.drawing import rules

        return rules.Ball(self.centre_mm, self.diameter_mm)


class SphereRule(Within):
    """The voxels whose centres lie in a ball."""

    kind: Literal["sphere"]

    def asked(self) -> rules.Rule:
        """For the services."""
        return self.ball()


class EllipseRule(_Strict):
    """An ellipse in the plane of two directions, one slice thick."""

    kind: Literal["ellipse"]
    centre_mm: Point
    right: _Direction
    down: _Direction
    radii_mm: tuple[Length, Length]

    def asked(self) -> rules.Rule:
        """For the services."""
        from radfuse.services.drawing import rules

        return rules.Ellipse(self.centre_mm, self.right, self.down, self.radii_mm)


class ThresholdOf(_Strict):
    """From which value on: in per cent of the highest, in the unit of the view, from the liver, or half way up."""

    of: Literal["max", "absolute", "liver", "adaptive"] = "max"
    value: _Value = Field(0.0, description="Per cent for max, the unit of the view for absolute; else not used.")
    liver: Within | None = Field(None, description="For liver (PERCIST): a ball of 30 mm in its right lobe.")

    def limit(self) -> rules.Limit:
        """For the services."""
        from radfuse.services.drawing import rules

        return rules.Limit(self.of, self.value, self.liver.ball() if self.liver else None)


class ThresholdRule(ThresholdOf):
    """What hangs together with the hottest voxel within 10 mm of the seed; without a seed, of ``within``."""

    kind: Literal["threshold"]
    seed_mm: Point | None = None
    within: Within | None = None

    def asked(self) -> rules.Rule:
        """For the services."""
        from radfuse.services.drawing import rules

        return rules.Hot(self.seed_mm, self.limit(), self.within.ball() if self.within else None)


class GrowRule(_Strict):
    """What hangs together with the voxel of the seed, from low to high."""

    kind: Literal["grow"]
    seed_mm: Point
    low: _Value
    high: _Value
    within: Within | None = None

    def asked(self) -> rules.Rule:
        """For the services."""
        from radfuse.services.drawing import rules

        return rules.Grow(self.seed_mm, self.low, self.high, self.within.ball() if self.within else None)


class ShapeRule(_Strict):
    """Voxels that somebody chose."""

    kind: Literal["shape"]
    shape: RegionShape

    def asked(self) -> rules.Given:
        """For the services. Raises InvalidRegion."""
        from radfuse.services.drawing import rules

        return rules.Given(self.shape.mask())


class CombineRule(_Strict):
    """Two regions as one."""

    kind: Literal["combine"]
    operation: Literal["add", "subtract", "intersect"]
    first: RegionShape
    second: RegionShape

    def asked(self) -> rules.Rule:
        """For the services. Raises InvalidRegion."""
        from radfuse.services.drawing import rules

        return rules.Combine(self.operation, self.first.mask(), self.second.mask())


class MarginRule(_Strict):
    """A region grown or shrunk by mm: all round, or along x, y and z."""

    kind: Literal["margin"]
    shape: RegionShape
    mm: Mm | Point

    def asked(self) -> rules.Rule:
        """For the services. Raises InvalidRegion."""
        from radfuse.services.drawing import rules

        x, y, z = self.mm if isinstance(self.mm, tuple) else (self.mm, self.mm, self.mm)
        return rules.Widen(self.shape.mask(), (x, y, z))


class ContourPlane(_Strict):
    """A closed outline in a plane."""

    points_mm: list[Point] = Field(min_length=3, max_length=_MOST_POINTS)


class ContoursRule(_Strict):
    """Outlines in parallel planes, each one slice thick; with ``interpolate`` shapes between them."""

    kind: Literal["contours"]
    planes: list[ContourPlane] = Field(max_length=_MOST_PLANES)
    interpolate: bool = False

    def asked(self) -> rules.Rule:
        """For the services."""
        from radfuse.services.drawing import rules

        return rules.Outlines(tuple(tuple(plane.points_mm) for plane in self.planes), self.interpolate)


class CarriedRule(_Strict):
    """A region of another series, brought here through the registrations."""

    kind: Literal["carried"]
    shape: RegionShape
    origin: View = Field(alias="from")

    def asked(self) -> rules.Rule:
        """For the services. Raises InvalidRegion."""
        from radfuse.services.drawing import rules

        return rules.Carried(self.shape.mask(), self.origin.asked())


class ObjectRule(_Strict):
    """A structure of an RT Structure Set, or a segment of a Segmentation."""

    kind: Literal["object"]
    SOPInstanceUID: Uid
    number: int = Field(ge=0, le=2**31 - 1)

    def asked(self) -> rules.OfObject:
        """For the services. Raises InvalidUID."""
        from radfuse.services.drawing import rules

        return rules.OfObject(checked_uid(self.SOPInstanceUID, "SOP Instance UID"), self.number)


Rule = Annotated[
    SphereRule
    | EllipseRule
    | ThresholdRule
    | GrowRule
    | ShapeRule
    | CombineRule
    | MarginRule
    | ContoursRule
    | CarriedRule
    | ObjectRule,
    Field(discriminator="kind"),
]
