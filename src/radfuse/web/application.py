"""The web application: its routes, one way of answering errors, and what stands before all of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from radfuse import __version__
from radfuse.archive import Archive
from radfuse.core.errors import RadfuseError
from radfuse.services.ohif import Shelf
from radfuse.web.account import Account
from radfuse.web.api import description, reference
from radfuse.web.api.bodies import BoundedBodies
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.routes import PREFIX, api_routers
from radfuse.web.authentication import Authentication
from radfuse.web.console import Console
from radfuse.web.dicomweb.door import Door
from radfuse.web.dicomweb.routes import routes_of
from radfuse.web.endings import STATE, Endings
from radfuse.web.guard import Entrance, Guard
from radfuse.web.health import troubles
from radfuse.web.metrics import Metrics
from radfuse.web.ohif import ohif_routes
from radfuse.web.problems import HttpProblem, on_error
from radfuse.web.surroundings import WebSurroundings

DEFAULT: Final = "default"
"""What the default database is called in metrics and problems."""

_DICOMWEB: Final = "/dicom-web"
_DATABASES: Final = "/databases/"


@dataclass(frozen=True, slots=True)
class Site:
    """What the application offers beyond the default archive, and to whom."""

    databases: Mapping[str, WebSurroundings]
    """Further archives, each at ``/databases/NAME/dicom-web``."""
    only_loopback_names: bool = True
    """Only this machine can reach the service: while there are no users everybody here is trusted, and only
    requests that name this machine as itself are answered, which no page elsewhere can make."""
    entrance: Entrance = field(default_factory=Entrance)
    """What it is called by, and whose pages may use its DICOMweb."""
    job_totals: Callable[[], Mapping[str, int]] | None = None
    """The jobs by state, for the metrics."""
    desk: ApiDesk | None = None
    """What the API works with; None: there is no API."""
    console: Path | None = None
    """The folder of the console's files; None: there is no console."""
    ohif: Path | None = None
    """The data folder that OHIF may be installed in; None: it is not served."""


def create_app(surroundings: WebSurroundings, site: Site | None = None) -> ASGIApp:
    """The application as ASGI. Its threads end with its lifespan; the archives stay open."""
    site = site or Site({}, only_loopback_names=False)
    door = Door(surroundings)
    others = {name: Door(each) for name, each in site.databases.items()}
    archives = {DEFAULT: surroundings.archive} | {name: each.archive for name, each in site.databases.items()}
    metrics = Metrics(archives, site.job_totals)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[Mapping[str, object]]:
        yield {STATE: Endings()}
        for each in (door, *others.values()):
            # In a thread: requests that are given up still have something to put away.
            await asyncio.to_thread(each.close)

    app = _App(lifespan=lifespan)
    for kind in (RadfuseError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, on_error)
    app.router.routes.extend(routes_of(door, _DICOMWEB))
    app.router.routes.extend(
        Mount(_DATABASES + name, routes=routes_of(each, _DICOMWEB)) for name, each in others.items()
    )
    app.router.routes.extend(_own_routes(archives, metrics))
    routers = api_routers(site.desk) if site.desk is not None else []
    for router, dependencies in routers:
        app.include_router(router, prefix=PREFIX, dependencies=dependencies)
    if site.ohif is not None:
        app.router.routes.extend(ohif_routes(Shelf(site.ohif), tuple(site.databases)))
    if site.console is not None:
        app.router.routes.append(Console(site.console))
    templates = dict(_templates(app.router.routes))
    for router, _ in routers:
        templates |= dict(_templates(router.routes, PREFIX))
    return Account(_guarded(BoundedBodies(app), site), metrics, templates)


class _App(FastAPI):
    """The application with the API's description, as JSON and as a page."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            title=description.TITLE,
            summary=description.SUMMARY,
            description=description.DESCRIPTION,
            version=__version__,
            openapi_url=f"{PREFIX}/openapi.json",
            docs_url=None,  # FastAPI's own pages fetch their scripts from elsewhere
            redoc_url=None,
            **options,
        )

        async def docs(_request: Request) -> Response:
            page = await asyncio.to_thread(lambda: reference.page_of(self.openapi()))
            return HTMLResponse(page, headers=reference.HEADERS)

        self.router.routes.append(Route(f"{PREFIX}/docs", docs))

    def openapi(self) -> dict[str, Any]:
        """FastAPI's description, completed."""
        if self.openapi_schema is None:
            self.openapi_schema = description.completed(super().openapi())
        return self.openapi_schema


def _guarded(app: ASGIApp, site: Site) -> ASGIApp:
    """The application behind what looks at who asks."""
    if site.desk is None:
        return Guard(app, site.entrance, only_loopback_names=lambda: site.only_loopback_names)
    credentials = site.desk.accounts.credentials
    behind = Authentication(app, credentials, site.desk.access_log, is_local=site.only_loopback_names)
    return Guard(
        behind,
        site.entrance,
        only_loopback_names=lambda: site.only_loopback_names and not credentials.has_users(),
    )


def _own_routes(archives: Mapping[str, Archive], metrics: Metrics) -> list[Route]:
    """How the service is."""

    async def health(_request: Request) -> Response:
        found = await asyncio.to_thread(lambda: list(troubles(archives)))
        if found:
            raise HttpProblem(HTTPStatus.SERVICE_UNAVAILABLE, "; ".join(found))
        return JSONResponse({"status": "ok"})

    async def measures(_request: Request) -> Response:
        return Response(await asyncio.to_thread(metrics.as_text), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [Route("/healthz", health), Route("/metrics", measures)]


def _templates(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[tuple[Any, str]]:
    """Endpoints and their path templates: what a log may say of a request."""
    for route in routes:
        if isinstance(route, Mount):
            yield from _templates(route.routes, f"{_DATABASES}{{database}}")
        elif isinstance(route, Route):
            yield route.endpoint, prefix + route.path
