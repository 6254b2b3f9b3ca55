"""The web application: its routes, one way of answering errors, and what stands before all of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from radfuse.archive import Archive
from radfuse.core.errors import RadfuseError
from radfuse.web.account import Account
from radfuse.web.dicomweb.door import Door
from radfuse.web.dicomweb.routes import routes_of
from radfuse.web.guard import Guard
from radfuse.web.health import troubles
from radfuse.web.metrics import Metrics
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
    """Answer only requests that name this machine as itself: no page elsewhere can make them."""
    job_totals: Callable[[], Mapping[str, int]] | None = None
    """The jobs by state, for the metrics."""


def create_app(surroundings: WebSurroundings, site: Site | None = None) -> ASGIApp:
    """The application as ASGI. Its threads end with its lifespan; the archives stay open."""
    site = site or Site({}, only_loopback_names=False)
    door = Door(surroundings)
    others = {name: Door(each) for name, each in site.databases.items()}
    archives = {DEFAULT: surroundings.archive} | {name: each.archive for name, each in site.databases.items()}
    metrics = Metrics(archives, site.job_totals)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        for each in (door, *others.values()):
            # In a thread: requests that are given up still have something to put away.
            await asyncio.to_thread(each.close)

    app = FastAPI(title="Radfuse", openapi_url="/api/openapi.json", docs_url="/api/docs", lifespan=lifespan)
    for kind in (RadfuseError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, on_error)
    app.router.routes.extend(routes_of(door, _DICOMWEB))
    app.router.routes.extend(
        Mount(_DATABASES + name, routes=routes_of(each, _DICOMWEB)) for name, each in others.items()
    )
    app.router.routes.extend(_own_routes(archives, metrics))
    templates = dict(_templates(app.router.routes))
    return Account(Guard(app, only_loopback_names=site.only_loopback_names), metrics, templates)


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
