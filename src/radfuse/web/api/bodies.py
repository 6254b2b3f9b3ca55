"""How long a request to the API may be."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from radfuse.web.problems import problem_response

LIMIT_BYTES: Final = 4 << 20
_REGIONS_BYTES: Final = 48 << 20
"""Of requests that hold the voxels of regions."""

_PREFIX: Final = "/api/"
_UPLOADS: Final = "/api/uploads"
_WITH_REGIONS: Final = ("/api/regions", "/api/tumour-burden", "/api/dose", "/api/pictures", "/api/workspaces/")


class BoundedBodies:
    """Refuses requests to the API with long bodies, uploads excepted: they are read whole into memory."""

    def __init__(self, app: ASGIApp, limit_bytes: int = LIMIT_BYTES) -> None:
        self._app = app
        self._limit_bytes = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 413, or pass on."""
        if scope["type"] != "http" or not scope["path"].startswith(_PREFIX) or scope["path"] == _UPLOADS:
            await self._app(scope, receive, send)
            return
        limit_bytes = self._limit_bytes if not scope["path"].startswith(_WITH_REGIONS) else _REGIONS_BYTES
        if _announced(scope) > limit_bytes:
            await problem_response(_too_long())(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit_bytes:
                raise _too_long()
            return message

        await self._app(scope, counted, send)


def _too_long() -> HTTPException:
    """Of a kind that passes through whoever reads the body."""
    return HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def _announced(scope: Scope) -> int:
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(length) if length.isdigit() else 0
