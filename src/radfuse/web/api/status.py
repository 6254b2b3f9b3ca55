"""How this node is, at a glance."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from radfuse.jobs import JobState
from radfuse.services.node_status import arrivals_by_hour, troubles_of, volume_of
from radfuse.services.ohif import installed
from radfuse.web.api.databases import Database, databases_of
from radfuse.web.api.desk import ApiDesk
from radfuse.web.health import troubles


class Volume(BaseModel):
    """The volume of the data folder; ``reserve_bytes`` of it stay free."""

    free_bytes: int
    size_bytes: int
    reserve_bytes: int


class Arrivals(BaseModel):
    """What came in within an hour from ``hour_s`` on."""

    hour_s: int
    objects: int
    size_bytes: int


class Status(BaseModel):
    """How this node is."""

    version: str
    ae_title: str
    started_s: float
    troubles: list[str]
    dicom_address: str
    tls_address: str
    http_address: str
    databases: list[Database]
    volume: Volume
    arrivals: list[Arrivals]
    jobs: dict[JobState, int]
    worker_running: bool
    ohif: str = Field(description="The version of OHIF that is installed, at /ohif/; empty: none is.")


def router(desk: ApiDesk) -> APIRouter:
    """GET /status."""
    routes = APIRouter(tags=["this node"])

    @routes.get("/status", summary="How this node is")
    def status() -> Status:
        """What somebody should look after (``troubles``), how full it is, what came in each of the last 24 hours."""
        return _status(desk)

    return routes


def _status(desk: ApiDesk) -> Status:
    node = desk.node.running()
    archives = {name: each.archive for name, each in desk.databases.items()}
    default = next(iter(archives.values()))
    volume = volume_of(default.settings.folder, node.reserve_bytes)
    found = [f"{sentence[:1].upper()}{sentence[1:]}." for sentence in troubles(archives)]
    found += troubles_of(node, desk.node.tls(), volume, desk.jobs)
    return Status(
        version=node.version,
        ae_title=node.ae_title,
        started_s=node.started_s,
        troubles=found,
        dicom_address=node.dicom_address,
        tls_address=node.tls_address,
        http_address=node.http_address,
        databases=databases_of(desk),
        volume=Volume(free_bytes=volume.free_bytes, size_bytes=volume.size_bytes, reserve_bytes=volume.reserve_bytes),
        arrivals=[
            Arrivals(hour_s=hour.hour_s, objects=hour.objects, size_bytes=hour.size_bytes)
            for hour in arrivals_by_hour(counting.now().arrivals for counting in desk.holdings.values())
        ],
        jobs=dict(desk.jobs.totals()),
        worker_running=node.is_worker_running,
        ohif=_ohif_of(desk),
    )


def _ohif_of(desk: ApiDesk) -> str:
    found = installed(desk.data)
    return "" if found is None else found.version
