"""Regions: made by rules, measured; tumour burden; structures that are kept."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Self

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from radfuse.core.uids import checked_uid
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.registrations import place_of
from radfuse.web.api.databases import DatabaseName
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.refusals import refusals
from radfuse.web.api.region_rules import Rule, ThresholdOf
from radfuse.web.api.region_shapes import Point, RegionShape
from radfuse.web.api.views import MOST_SERIES, Uid, View, note_view
from radfuse.web.identity import note

if TYPE_CHECKING:
    from radfuse.archive import Archive
    from radfuse.services import drawing as service
    from radfuse.services.series_views import SeriesView

_MOST_EXCLUSIONS = 200
_Base = Annotated[
    Uid | None, Field(description="Series in whose frame of reference points lie; null: the series itself.")
]


class RegionAsk(BaseModel):
    """A region of a series, by a rule."""

    model_config = ConfigDict(extra="forbid")
    series: View
    rule: Rule
    also: list[View] = Field([], max_length=MOST_SERIES, description="Measured on these as well.")
    name: str = Field("", max_length=200)
    base: _Base = None


class Numbers(BaseModel):
    """Of a region in a series; null where it means nothing, or cannot be computed: the findings say why."""

    model_config = ConfigDict(extra="forbid")
    SeriesInstanceUID: Uid
    unit: str = Field(max_length=32)
    voxels: int
    volume_ml: float | None = None
    max: float | None = None
    max_at_mm: Point | None = None
    mean: float | None = None
    sd: float | None = None
    min: float | None = None
    median: float | None = None
    peak: float | None = None
    peak_at_mm: Point | None = None
    peak_volume_ml: float | None = None
    tlg: float | None = None
    longest_mm: float | None = None
    perpendicular_mm: float | None = None
    findings: list[str] = Field([], description="Doubts, and why numbers are missing.")
    remarks: list[str] = Field([], description="How the region came about.")

    @classmethod
    def of(cls, numbers: service.Numbers) -> Self:
        """For the API."""
        found = {name: getattr(numbers, name) for name in cls.model_fields if name != "SeriesInstanceUID"}
        said = {"findings": [*numbers.findings], "remarks": [*numbers.remarks]}
        return cls.model_validate({"SeriesInstanceUID": numbers.series_uid, **found, **said})


class Region(BaseModel):
    """A region on the voxels of its series, with its numbers there first."""

    shape: RegionShape
    shown: RegionShape | None = Field(None, description="In the frame of reference of the base, where it is another.")
    numbers: list[Numbers]
    findings: list[str]

    @classmethod
    def of(cls, made: service.MadeRegion) -> Self:
        """For the API."""
        shown = made.shown
        return cls(
            shape=RegionShape.of(made.drawn),
            shown=None if shown is None else RegionShape.of(shown),
            numbers=[Numbers.of(each) for each in made.numbers],
            findings=list(dict.fromkeys((*made.drawn.notes, *(shown.notes if shown else ())))),
        )


class TumourBurdenAsk(BaseModel):
    """Everything in a series from a threshold on."""

    model_config = ConfigDict(extra="forbid")
    series: View
    threshold: ThresholdOf
    minimum_ml: float = Field(1.0, ge=0, le=1e6, allow_inf_nan=False)
    within: RegionShape | None = None
    exclude: list[RegionShape] = Field([], max_length=_MOST_EXCLUSIONS)
    also: list[View] = Field([], max_length=MOST_SERIES)
    base: _Base = None


class BurdenTotals(BaseModel):
    """Of all lesions together."""

    threshold: str
    level: float
    unit: str
    lesions: int
    mtv_ml: float
    tlg: float
    max: float | None
    peak: float | None
    dmax_mm: float | None
    too_small: int
    too_small_ml: float
    excluded_ml: list[float]
    findings: list[str]


class TumourBurden(BaseModel):
    """The lesions, the largest first, and their totals."""

    regions: list[Region]
    totals: BurdenTotals

    @classmethod
    def of(cls, burden: service.Burden) -> Self:
        """For the API."""
        totals = burden.totals
        return cls(
            regions=[Region.of(each) for each in burden.regions],
            totals=BurdenTotals(
                threshold=str(totals.threshold),
                level=totals.level,
                unit=totals.unit.value,
                lesions=len(totals.lesions),
                mtv_ml=totals.mtv_ml,
                tlg=totals.tlg,
                max=totals.maximum,
                peak=totals.peak,
                dmax_mm=totals.dmax.length_mm if totals.dmax else None,
                too_small=totals.too_small,
                too_small_ml=totals.too_small_ml,
                excluded_ml=[each.removed_ml for each in totals.exclusions],
                findings=list(totals.notes),
            ),
        )


class Structure(BaseModel):
    """A structure of an RT Structure Set, or a segment of a Segmentation."""

    SOPInstanceUID: str
    number: int
    name: str
    colour: tuple[int, int, int]
    kind: str
    FrameOfReferenceUID: str


_REFUSED = refusals(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY)


def router(desk: ApiDesk) -> APIRouter:
    """Drawing and measuring."""
    routes = APIRouter(tags=["workstation"], responses=_REFUSED)
    routes.post("/regions", summary="Make a region by a rule and measure it; nothing is kept")(_region(desk))
    routes.post("/tumour-burden", summary="All lesions from a threshold on, with their totals")(_burden(desk))
    routes.get("/structures/{series}", summary="The structures or segments of a series")(_structures(desk))
    return routes


def _region(desk: ApiDesk) -> Callable[..., Region]:
    def make_region(ask: RegionAsk, request: Request, database: DatabaseName = DEFAULT_DATABASE) -> Region:
        """Numbers are those of the voxels of each series, never of what is shown."""
        from radfuse.services import drawing as service
        from radfuse.services.viewing import computed

        archive = desk.archive(database)
        view, also = _views(request, archive, ask.series, ask.also)
        asked = service.RegionAsk(view, ask.rule.asked(), also, _checked(ask.base))
        return computed(lambda: Region.of(service.make_region(archive, asked)))

    return make_region


def _burden(desk: ApiDesk) -> Callable[..., TumourBurden]:
    def tumour_burden(
        ask: TumourBurdenAsk, request: Request, database: DatabaseName = DEFAULT_DATABASE
    ) -> TumourBurden:
        """A threshold in per cent refers to the highest voxel outside what is excluded."""
        from radfuse.services import drawing as service
        from radfuse.services.viewing import computed

        archive = desk.archive(database)
        view, also = _views(request, archive, ask.series, ask.also)
        asked = service.BurdenAsk(
            view,
            ask.threshold.limit(),
            ask.minimum_ml,
            ask.within.mask() if ask.within else None,
            tuple(shape.mask() for shape in ask.exclude),
            also,
            _checked(ask.base),
        )
        return computed(lambda: TumourBurden.of(service.tumour_burden(archive, asked)))

    return tumour_burden


def _structures(desk: ApiDesk) -> Callable[..., list[Structure]]:
    def structures(
        series: Annotated[str, Path(max_length=64)], request: Request, database: DatabaseName = DEFAULT_DATABASE
    ) -> list[Structure]:
        from radfuse.services.drawing import structures_of

        archive = desk.archive(database)
        checked_uid(series, "Series Instance UID")
        note(request, "view", study=place_of(archive, series).study_instance_uid)
        return [
            Structure(
                SOPInstanceUID=row.sop_instance_uid,
                number=row.number,
                name=row.name,
                colour=row.colour,
                kind=row.kind,
                FrameOfReferenceUID=row.frame_uid,
            )
            for row in structures_of(archive, series)
        ]

    return structures


def _views(
    request: Request, archive: Archive, view: View, also: list[View]
) -> tuple[SeriesView, tuple[SeriesView, ...]]:
    """What is looked at, told to the access log. Raises UnknownEntity."""
    views = [each.asked() for each in (view, *also)]
    for each in views:
        note_view(request, each, place_of(archive, each.series).study_instance_uid)
    return views[0], tuple(views[1:])


def _checked(base: str | None) -> str | None:
    return None if base is None else checked_uid(base, "Series Instance UID")
