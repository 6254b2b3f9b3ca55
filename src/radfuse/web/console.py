"""The console's files, as they were built: everything below "/" that is not the API's, DICOMweb's or the health's."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from radfuse.web.policy import RESERVED

STATIC: Final = Path(__file__).with_name("static")
"""Where the build puts them."""

_INDEX: Final = "index.html"
_ASSETS: Final = "assets/"
_COMPRESSED: Final = ".gz"
FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"

# What may be in a page of ours: no script but our files, no page around it, no address but this one.
_POLICY: Final = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": _POLICY,
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
TYPES: Final[Mapping[str, str]] = {".js": "text/javascript", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
_NO_GZIP: Final = re.compile(r"(?:gzip|\*)\s*;\s*q=0(?:\.0*)?\s*\Z")

_NOT_BUILT: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Radfuse</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:40em;margin:15vh auto;padding:0 1em}</style>
<h1>Radfuse is running, without its console</h1>
<p>This copy was started from its sources, and the console was not built. In the folder of the sources, with Node 20.19
or newer or without any, run <code>make install</code> or <code>pip install -e .</code>, then start Radfuse again.</p>
<p>DICOM is served all the same, DICOMweb at <code>/dicom-web</code>, the API at <a href="/api/docs">/api/docs</a>.</p>
"""


@dataclass(frozen=True, slots=True)
class _File:
    """One file, plain and compressed."""

    content: bytes
    compressed: bytes | None
    media_type: str
    tag: str
    caching: str


class Console(Route):
    """Serves the files in ``folder``: their names are read once, so that no other path leads anywhere.

    Every page of the console is one document, which reads its address itself: whatever asks for HTML is given it.
    """

    def __init__(self, folder: Path = STATIC) -> None:
        self._files = _read(folder)
        super().__init__("/{file:path}", self._answer, methods=["GET"], include_in_schema=False)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """None for what is not the console's: other methods, and paths of the other doors."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or _is_reserved(scope["path"]):
            return Match.NONE, {}
        return super().matches(scope)

    async def _answer(self, request: Request) -> Response:
        name = request.path_params["file"]
        found = self._files.get(name)
        if found is None:
            if name and "text/html" not in request.headers.get("Accept", ""):
                raise HTTPException(HTTPStatus.NOT_FOUND)
            found = self._files.get(_INDEX)
        if found is None:
            return Response(_NOT_BUILT, HTTPStatus.SERVICE_UNAVAILABLE, HEADERS, "text/html")
        return _response(found, request)


def _is_reserved(path: str) -> bool:
    """Whether what is not there is a problem, not a page."""
    return any(path == prefix or path.startswith(prefix + "/") for prefix in RESERVED)


def _read(folder: Path) -> Mapping[str, _File]:
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {
        name: _file(name, path, paths.get(name + _COMPRESSED))
        for name, path in paths.items()
        if not name.endswith(_COMPRESSED) and not name.startswith(".")
    }


def _file(name: str, path: Path, compressed: Path | None) -> _File:
    content = path.read_bytes()
    media_type = TYPES.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    small = compressed.read_bytes() if compressed is not None else None
    if small is not None and gzip.decompress(small) != content:
        small = None  # of another build
    tag = hashlib.blake2s(content, digest_size=12).hexdigest()
    # The names of assets have a digest of what is in them.
    return _File(content, small, media_type, tag, FOR_EVER if name.startswith(_ASSETS) else _ASK_AGAIN)


def _response(file: _File, request: Request) -> Response:
    is_small = file.compressed is not None and takes_gzip(request.headers.getlist("Accept-Encoding"))
    tag = f'"{file.tag}{"-gz" if is_small else ""}"'
    headers = dict(HEADERS) | {"ETag": tag, "Cache-Control": file.caching, "Vary": "Accept-Encoding"}
    if tag in tags_in(request.headers.getlist("If-None-Match")):
        return Response(None, HTTPStatus.NOT_MODIFIED, headers)
    if is_small:
        return Response(file.compressed, headers=headers | {"Content-Encoding": "gzip"}, media_type=file.media_type)
    return Response(file.content, headers=headers, media_type=file.media_type)


def takes_gzip(accepted: list[str]) -> bool:
    """Whether somebody takes gzip, by the lines of Accept-Encoding."""
    codings = [coding.strip().lower() for line in accepted for coding in line.split(",")]
    return any(coding.split(";")[0].strip() in ("gzip", "*") and not _NO_GZIP.match(coding) for coding in codings)


def tags_in(given: list[str]) -> set[str]:
    """The entity tags of If-None-Match."""
    return {tag.strip().removeprefix("W/") for line in given for tag in line.split(",")}
