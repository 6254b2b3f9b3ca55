"""Every route of an application, as its routers know them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from starlette.routing import Mount, Route
from starlette.types import ASGIApp


def application_in(app: ASGIApp) -> FastAPI:
    """The application behind what stands before it."""
    inner: Any = app
    while not isinstance(inner, FastAPI):
        inner = inner._app
    return inner


def routes_in(routes: Any, prefix: str = "") -> Iterator[tuple[str, str, Any]]:
    """Method, path template and endpoint of each; HEAD goes with GET."""
    for route in routes:
        if isinstance(route, Mount):
            yield from routes_in(route.routes, prefix + route.path)
        elif isinstance(route, Route):
            for method in sorted((route.methods or {"*"}) - {"HEAD"}):
                yield method, prefix + route.path, route.endpoint
        else:  # a router that FastAPI has included
            yield from routes_in(route.original_router.routes, prefix + route.include_context.prefix)
