"""OHIF's files below /ohif/, where it is installed, with a configuration that names this service's DICOMweb."""

from __future__ import annotations

import json
import mimetypes
import re
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from radfuse.services.ohif import BASE, Installed, Shelf
from radfuse.web.console import FOR_EVER, HEADERS, TYPES, tags_in, takes_gzip
from radfuse.web.problems import not_found

_CONFIGURATION: Final = "app-config.js"
_INDEX: Final = "index.html"
_DEFAULT: Final = "default"
_NOT_INSTALLED: Final = "OHIF is not installed here: 'radfuse ohif install' puts it into the data folder"
_NAMED_BY_CONTENT: Final = re.compile(r"(?:\A|\.)[0-9a-f]{16}\.[a-z0-9]+\Z")
_AGAIN: Final = "no-cache"
_TYPES: Final = dict(TYPES) | {".wasm": "application/wasm", ".mjs": "text/javascript", ".jsonc": "application/json"}

# Its decoders make functions of texts; but it loads nothing from elsewhere, and tells nobody else anything.
_POLICY: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-eval' blob: {scripts}; worker-src 'self' blob:; "
    "connect-src 'self' blob: data:; img-src 'self' data: blob:; font-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)


def ohif_routes(shelf: Shelf, databases: Sequence[str] = ()) -> list[Route]:
    """The routes below /ohif/; ``databases`` are those beside the default one. Only GET and HEAD."""
    configuration = _configuration(databases).encode("utf-8")

    async def answer(request: Request) -> Response:
        found = shelf.get()
        if found is None:
            raise not_found(_NOT_INSTALLED)
        name = request.path_params["file"]
        if name == _CONFIGURATION:
            headers = _headers(found) | {"Cache-Control": _AGAIN}
            return Response(configuration, headers=headers, media_type="text/javascript")
        if name not in found.files:
            # Every page of it is one document, which reads its address itself.
            if name and "text/html" not in request.headers.get("Accept", ""):
                raise HTTPException(HTTPStatus.NOT_FOUND)
            name = _INDEX
        return _file(found, name, request)

    async def begin(_request: Request) -> Response:
        return RedirectResponse(BASE)

    return [
        Route(BASE.rstrip("/"), begin, methods=["GET"], include_in_schema=False),
        Route(BASE + "{file:path}", answer, methods=["GET"], include_in_schema=False),
    ]


def _headers(found: Installed) -> dict[str, str]:
    scripts = " ".join(f"'{digest}'" for digest in found.scripts)
    return dict(HEADERS) | {"Content-Security-Policy": _POLICY.format(scripts=scripts).replace(" ; ", "; ")}


def _file(found: Installed, name: str, request: Request) -> Response:
    kept = found.files[name]
    is_small = kept.is_compressed and takes_gzip(request.headers.getlist("Accept-Encoding"))
    tag = f'"{kept.tag}{"-gz" if is_small else ""}"'
    caching = FOR_EVER if _NAMED_BY_CONTENT.search(Path(name).name) else _AGAIN
    headers = _headers(found) | {"ETag": tag, "Cache-Control": caching, "Vary": "Accept-Encoding"}
    if tag in tags_in(request.headers.getlist("If-None-Match")):
        return Response(None, HTTPStatus.NOT_MODIFIED, headers)
    path = found.folder / (f"{name}.gz" if is_small else name)
    if is_small:
        headers["Content-Encoding"] = "gzip"
    suffix = Path(name).suffix
    media_type = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    if not path.is_file():  # removed a moment ago
        raise not_found(_NOT_INSTALLED)
    return FileResponse(path, headers=headers, media_type=media_type)


def _configuration(databases: Sequence[str]) -> str:
    """What OHIF reads first: where the images are, and that whoever is not logged in any more is asked to."""
    roots = {_DEFAULT: "/dicom-web"} | {name: f"/databases/{name}/dicom-web" for name in databases}
    facts: dict[str, Any] = {
        "name": "radfuse",
        "routerBasename": BASE.rstrip("/"),
        "extensions": [],
        "modes": [],
        "showStudyList": True,
        "maxNumberOfWebWorkers": 2,
        "showLoadingIndicator": True,
        "showCPUFallbackMessage": True,
        "strictZSpacingForVolumeViewport": True,
        "investigationalUseDialog": {"option": "never"},
        "defaultDataSourceName": _DEFAULT,
        "dataSources": [_source(name, root) for name, root in roots.items()],
    }
    asked_again = "error => { if (error && error.status === 401) window.location.assign('/'); }"
    return f"window.config = {json.dumps(facts)};\nwindow.config.httpErrorHandler = {asked_again};\n"


def _source(name: str, root: str) -> dict[str, Any]:
    return {
        "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
        "sourceName": name,
        "configuration": {
            "friendlyName": "Radfuse" if name == _DEFAULT else f"Radfuse, {name}",
            "name": name,
            "qidoRoot": root,
            "wadoRoot": root,
            "wadoUriRoot": root,
            "qidoSupportsIncludeField": True,
            "supportsFuzzyMatching": False,
            "supportsWildcard": True,
            "supportsStow": True,
            "imageRendering": "wadors",
            "thumbnailRendering": "wadors",
            "enableStudyLazyLoad": True,
            "bulkDataURI": {"enabled": True, "relativeResolution": "studies"},
        },
    }
