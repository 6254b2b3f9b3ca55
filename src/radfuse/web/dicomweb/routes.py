"""The resources of DICOMweb and what answers them (PS3.18 tables 10.1-1 and 10.3-1)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from radfuse.core.levels import Level
from radfuse.web.dicomweb import bulkdata, frames, pictures, retrieving, searching, storing
from radfuse.web.dicomweb.door import Door, Target
from radfuse.web.dicomweb.negotiation import DICOM_JSON, require_json
from radfuse.web.problems import bad_request
from radfuse.web.streaming import client_gone

_STUDY: Final = "/studies/{study}"
_SERIES: Final = _STUDY + "/series/{series}"
_INSTANCE: Final = _SERIES + "/instances/{instance}"
_RETRIEVED: Final = (_STUDY, _SERIES, _INSTANCE)

_SEARCHES: Final = (
    ("/studies", Level.STUDY),
    ("/series", Level.SERIES),
    ("/instances", Level.IMAGE),
    (_STUDY + "/series", Level.SERIES),
    (_STUDY + "/instances", Level.IMAGE),
    (_SERIES + "/instances", Level.IMAGE),
)

_ANONYMIZE: Final = "anonymize"

_Handler = Callable[[Request], Awaitable[Response]]


async def search(door: Door, level: Level, request: Request) -> Response:
    """Answer a search; a client that goes away ends it."""
    require_json(request)
    target = Target.of(request)
    wanted = searching.search_of(target, level, request.query_params.multi_items(), door.surroundings.results_limit)
    base_url = door.base_url(request)
    gone = asyncio.ensure_future(client_gone(request.receive))
    try:
        body = await door.run(lambda: searching.found_json(door, wanted, base_url, gone.done))
    finally:
        gone.cancel()
    response = Response(body, media_type=DICOM_JSON)
    for warning in wanted.warnings[:10]:
        response.headers.append("Warning", f'299 {base_url} "{warning}"')
    return response


def routes_of(door: Door, prefix: str) -> list[Route]:
    """The routes of one archive. Plain ones: what checks typed parameters would cost half of a small answer's time."""
    routes: list[Route] = []

    def add(path: str, handler: _Handler, method: str = "GET") -> None:
        async def endpoint(request: Request) -> Response:
            if any(name.lower() == _ANONYMIZE for name in request.query_params):
                return await _anonymized(door, path, method, request)
            return await handler(request)

        routes.append(Route(prefix + path, endpoint, methods=[method], name=f"{method.lower()} {path}"))

    # Frames first: a viewer asks for them most.
    for path, handler in (
        ("/frames/{frames}", frames.retrieve_frames),
        ("/frames/{frames}/rendered", pictures.retrieve_rendered),
        ("/frames/{frames}/thumbnail", pictures.retrieve_thumbnail),
        ("/bulkdata/{bulk:path}", bulkdata.retrieve_bulk_data),
    ):
        add(_INSTANCE + path, partial(_with_place, door, handler))
    for path, level in _SEARCHES:
        add(path, partial(search, door, level))
    for path in _RETRIEVED:
        add(path, partial(retrieving.retrieve, door))
        add(path + "/metadata", partial(retrieving.metadata, door))
        add(path + "/rendered", partial(pictures.retrieve_rendered, door))
        add(path + "/thumbnail", partial(pictures.retrieve_thumbnail, door))
    for path in ("/studies", _STUDY):
        add(path, partial(storing.store, door), "POST")
    return routes


async def _anonymized(door: Door, path: str, method: str, request: Request) -> Response:
    """Whole objects anonymized. Raises 400 for anything else: nobody is to take an original for a copy."""
    if method != "GET" or path not in _RETRIEVED:
        raise bad_request("only whole studies, series and instances are anonymized")
    if _ANONYMIZE not in request.query_params:
        raise bad_request(f"the parameter is written {_ANONYMIZE!r}, in small letters")
    from radfuse.web.dicomweb.anonymizing import retrieve_anonymized  # heavy, and few ask for it

    return await retrieve_anonymized(door, request)


_PlaceHandler = Callable[[Door, Request, str], Awaitable[Response]]


async def _with_place(door: Door, handler: _PlaceHandler, request: Request) -> Response:
    path = request.path_params
    return await handler(door, request, path.get("frames") or path["bulk"])
