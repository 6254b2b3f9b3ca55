"""Dose-volume histograms of regions, over the API."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Self

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from radfuse.core.uids import checked_uid
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.registrations import place_of
from radfuse.web.api.databases import DatabaseName
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.refusals import refusals
from radfuse.web.api.region_rules import ObjectRule, ShapeRule
from radfuse.web.api.views import Uid, View, note_view

if TYPE_CHECKING:
    from radfuse.services import drawing as service

_Metric = Annotated[str, Field(max_length=16)]
_MOST_REGIONS = 100
_REFUSED = refusals(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY)


class DoseAsk(BaseModel):
    """A dose, and the regions that it is asked for in."""

    model_config = ConfigDict(extra="forbid")
    series: View
    regions: list[Annotated[ShapeRule | ObjectRule, Field(discriminator="kind")]] = Field(max_length=_MOST_REGIONS)
    metrics: list[_Metric] = Field([], max_length=50, description="D95, D2cc, V20Gy, V20Gycc; none: D98 D95 D50 D2.")
    base: Uid | None = Field(None, description="Series in whose frame of reference regions may lie; null: the dose.")


class DoseMetric(BaseModel):
    """One metric; null where the region is too small for it."""

    name: str
    value: float | None
    unit: str


class RegionDose(BaseModel):
    """The dose in a region; null where it has none: the findings say why."""

    volume_ml: float | None
    outside_ml: float | None
    minimum_gy: float | None
    mean_gy: float | None
    maximum_gy: float | None
    metrics: list[DoseMetric]
    curve_gy: list[float]
    curve_percent: list[float] = Field(description="Per cent of the volume that receive at least this dose.")
    findings: list[str]

    @classmethod
    def of(cls, found: service.RegionDose) -> Self:
        """For the API."""
        return cls(
            volume_ml=found.volume_ml,
            outside_ml=found.outside_ml,
            minimum_gy=found.minimum_gy,
            mean_gy=found.mean_gy,
            maximum_gy=found.maximum_gy,
            metrics=[DoseMetric(name=name, value=value, unit=unit) for name, value, unit in found.metrics],
            curve_gy=list(found.curve_gy),
            curve_percent=list(found.curve_percent),
            findings=list(found.findings),
        )


def router(desk: ApiDesk) -> APIRouter:
    """Dose in regions."""
    routes = APIRouter(tags=["workstation"], responses=_REFUSED)

    @routes.post("/dose", summary="Dose-volume histograms of regions, in the order of the asking")
    def dose(ask: DoseAsk, request: Request, database: DatabaseName = DEFAULT_DATABASE) -> list[RegionDose]:
        """Structures are sampled finer than the dose grid; doses between its points are linear."""
        from radfuse.services import drawing as service
        from radfuse.services.measure import dose_metric
        from radfuse.services.viewing import computed

        archive = desk.archive(database)
        view = ask.series.asked()
        note_view(request, view, place_of(archive, view.series).study_instance_uid)
        base = None if ask.base is None else checked_uid(ask.base, "Series Instance UID")
        regions = tuple(region.asked() for region in ask.regions)
        asked = service.DoseAsk(view, regions, tuple(map(dose_metric, ask.metrics)), base)
        return computed(lambda: [RegionDose.of(each) for each in service.doses_in(archive, asked)])

    return routes
