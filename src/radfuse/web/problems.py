"""What went wrong, as HTTP statuses with a body of application/problem+json (RFC 9457, PS3.18 section 8.5)."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from radfuse.core.errors import (
    BlobMissing,
    CannotTranscode,
    ConfigurationError,
    DataSetError,
    InvalidQuery,
    InvalidUID,
    ObjectTooLarge,
    OutOfSpace,
    RadfuseError,
)

PROBLEM_TYPE: Final = "application/problem+json"
_NOTHING_HERE: Final = "there is nothing at this address; DICOMweb begins at /dicom-web"
_log = logging.getLogger(__name__)


@dataclass(eq=False)
class HttpProblem(RadfuseError):
    """A request that is answered with ``status``."""

    status: int
    detail: str
    template = "{detail}"


def bad_request(detail: str) -> HttpProblem:
    """400."""
    return HttpProblem(HTTPStatus.BAD_REQUEST, detail)


def not_found(detail: str) -> HttpProblem:
    """404."""
    return HttpProblem(HTTPStatus.NOT_FOUND, detail)


def not_acceptable(detail: str) -> HttpProblem:
    """406."""
    return HttpProblem(HTTPStatus.NOT_ACCEPTABLE, detail)


def too_large(detail: str) -> HttpProblem:
    """413."""
    return HttpProblem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)


def unsupported_type(detail: str) -> HttpProblem:
    """415."""
    return HttpProblem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)


STATUS_OF_ERROR: Final[tuple[tuple[type[Exception], int], ...]] = (
    (InvalidUID, HTTPStatus.BAD_REQUEST),
    (InvalidQuery, HTTPStatus.BAD_REQUEST),
    (ConfigurationError, HTTPStatus.BAD_REQUEST),
    (CannotTranscode, HTTPStatus.NOT_ACCEPTABLE),
    (BlobMissing, HTTPStatus.GONE),
    (OutOfSpace, HTTPStatus.SERVICE_UNAVAILABLE),
    (ObjectTooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (DataSetError, HTTPStatus.INTERNAL_SERVER_ERROR),
)
"""The first row that fits counts; what is in no row is 500."""


def status_of(error: Exception) -> int:
    """The HTTP status that tells of ``error``."""
    if isinstance(error, HttpProblem | HTTPException):
        return error.status if isinstance(error, HttpProblem) else error.status_code
    return next((code for kind, code in STATUS_OF_ERROR if isinstance(error, kind)), 500)


def problem_response(error: Exception) -> Response:
    """The response that tells of ``error``; our own sentences only."""
    status = status_of(error)
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "60"
    title = HTTPStatus(status).phrase
    detail = str(error) if isinstance(error, RadfuseError) else _NOTHING_HERE if status == 404 else title
    body = {"title": title, "status": status, "detail": detail}
    return Response(json.dumps(body), status, headers, PROBLEM_TYPE)


async def on_error(_request: Request, error: Exception) -> Response:
    """Starlette's handler of every error."""
    response = problem_response(error)
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        if isinstance(error, RadfuseError):
            _log.warning("a web request failed: %s", error, extra={"status": response.status_code})
        else:
            _log.error("a web request failed", exc_info=error)
    return response
