"""The databases of this node: what each of them holds."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from radfuse.web.api.desk import ApiDesk

DatabaseName = Annotated[str, Query(max_length=64, description="A further database of this node.")]
"""Of a request; the default one is what stands in the signatures of routes."""


class Database(BaseModel):
    """A database, the AE titles of ours that store to it, and how much it holds."""

    name: str
    ae_titles: list[str]
    patients: int
    studies: int
    series: int
    instances: int
    size_bytes: int


def router(desk: ApiDesk) -> APIRouter:
    """GET /databases."""
    routes = APIRouter(tags=["this node"])

    @routes.get("/databases", summary="The databases and what they hold")
    def list_databases() -> list[Database]:
        """The default one first. Counts are at most some seconds old."""
        return databases_of(desk)

    return routes


def databases_of(desk: ApiDesk) -> list[Database]:
    """The databases and what they hold, the default one first."""
    titles = desk.node.running().databases
    found = []
    for name, counting in desk.holdings.items():
        held = counting.now()
        found.append(
            Database(
                name=name,
                ae_titles=[title for title, database in titles.items() if database == name],
                patients=held.patients,
                studies=held.studies,
                series=held.series,
                instances=held.instances,
                size_bytes=held.size_bytes,
            )
        )
    return found
