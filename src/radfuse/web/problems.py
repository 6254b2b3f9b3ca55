"""What went wrong, as HTTP statuses with a body of application/problem+json (RFC 9457, PS3.18 section 8.5)."""

from __future__ import annotations

import json
import logging
import math
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from radfuse.core.errors import (
    AlreadyThere,
    BlobMissing,
    CannotBuildVolume,
    CannotComputeSUV,
    CannotTranscode,
    ConfigurationError,
    DataSetError,
    FramesDiffer,
    ImagesArriving,
    InflatedTooLarge,
    InUse,
    InvalidAETitle,
    InvalidGeometry,
    InvalidObject,
    InvalidQuery,
    InvalidRegion,
    InvalidUID,
    JobNotInState,
    LastAdministrator,
    MediaError,
    NotAllowed,
    NotOverlaid,
    ObjectTooLarge,
    OutOfSpace,
    RadfuseError,
    TooManyAttempts,
    UnknownContextList,
    UnknownDatabase,
    UnknownEntity,
    UnknownJob,
    UnknownPeer,
    UnknownRule,
    UnknownToken,
    UnknownUser,
    UnreadableObject,
    UserExists,
    WrongPassword,
)

PROBLEM_TYPE: Final = "application/problem+json"
_NOT_JSON: Final = "json_invalid"
_NO_SUCH_BODY: Final = "the body is not JSON of the form that the API description gives"
_OF_THE_FRAMEWORK: Final = {
    HTTPStatus.BAD_REQUEST: _NO_SUCH_BODY,
    HTTPStatus.NOT_FOUND: "there is nothing at this address; DICOMweb begins at /dicom-web, the API at /api",
    HTTPStatus.METHOD_NOT_ALLOWED: "this address does not take that method",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the body is longer than a request to this address can be",
}
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
    (InvalidAETitle, HTTPStatus.BAD_REQUEST),
    (ConfigurationError, HTTPStatus.BAD_REQUEST),
    (RequestValidationError, HTTPStatus.BAD_REQUEST),
    (UnknownDatabase, HTTPStatus.NOT_FOUND),
    (UnknownEntity, HTTPStatus.NOT_FOUND),
    (UnknownJob, HTTPStatus.NOT_FOUND),
    (UnknownPeer, HTTPStatus.NOT_FOUND),
    (UnknownRule, HTTPStatus.NOT_FOUND),
    (UnknownToken, HTTPStatus.NOT_FOUND),
    (UnknownUser, HTTPStatus.NOT_FOUND),
    (UserExists, HTTPStatus.CONFLICT),
    (LastAdministrator, HTTPStatus.CONFLICT),
    (WrongPassword, HTTPStatus.UNAUTHORIZED),
    (TooManyAttempts, HTTPStatus.TOO_MANY_REQUESTS),
    (UnknownContextList, HTTPStatus.NOT_FOUND),
    (InUse, HTTPStatus.CONFLICT),
    (AlreadyThere, HTTPStatus.CONFLICT),
    (JobNotInState, HTTPStatus.CONFLICT),
    (NotAllowed, HTTPStatus.CONFLICT),
    (NotOverlaid, HTTPStatus.CONFLICT),
    (FramesDiffer, HTTPStatus.CONFLICT),
    (CannotBuildVolume, HTTPStatus.UNPROCESSABLE_ENTITY),
    (CannotComputeSUV, HTTPStatus.UNPROCESSABLE_ENTITY),
    (MediaError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (InvalidGeometry, HTTPStatus.UNPROCESSABLE_ENTITY),
    (InvalidObject, HTTPStatus.UNPROCESSABLE_ENTITY),
    (InvalidRegion, HTTPStatus.UNPROCESSABLE_ENTITY),
    (UnreadableObject, HTTPStatus.UNPROCESSABLE_ENTITY),
    (InflatedTooLarge, HTTPStatus.UNPROCESSABLE_ENTITY),
    (CannotTranscode, HTTPStatus.NOT_ACCEPTABLE),
    (BlobMissing, HTTPStatus.GONE),
    (OutOfSpace, HTTPStatus.SERVICE_UNAVAILABLE),
    (ImagesArriving, HTTPStatus.SERVICE_UNAVAILABLE),
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
    if isinstance(error, TooManyAttempts):
        headers["Retry-After"] = str(math.ceil(error.wait_s))
    return Response(json.dumps(problem_of(error)), status, headers, PROBLEM_TYPE)


def problem_of(error: Exception) -> dict[str, Any]:
    """``error`` as the members of RFC 9457; ``setting`` names the field that was refused."""
    status = status_of(error)
    title = HTTPStatus(status).phrase
    problem: dict[str, Any] = {"title": title, "status": status}
    if isinstance(error, RequestValidationError):
        return problem | _refused_field(error)
    if isinstance(error, ConfigurationError | NotOverlaid):
        return problem | {"detail": str(error), "setting": error.setting}
    if isinstance(error, FramesDiffer):
        return problem | {"detail": str(error), "setting": "registration"}
    if isinstance(error, RadfuseError):
        return problem | {"detail": str(error)}
    return problem | {"detail": _OF_THE_FRAMEWORK.get(HTTPStatus(status), title)}


def _refused_field(error: RequestValidationError) -> dict[str, str]:
    """The first field that cannot be; what was given for it is not repeated: it may be about a patient."""
    first = error.errors()[0]
    where = [str(step) for step in first["loc"][1:]]
    if first["type"] == _NOT_JSON or not where:
        return {"detail": _NO_SUCH_BODY}
    name = ".".join(where)
    return {"detail": f"{name}: {first['msg'][:1].lower()}{first['msg'][1:]}", "setting": name}


async def on_error(_request: Request, error: Exception) -> Response:
    """Starlette's handler of every error."""
    response = problem_response(error)
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        if isinstance(error, RadfuseError):
            _log.warning("a web request failed: %s", error, extra={"status": response.status_code})
        else:
            _log.error("a web request failed", exc_info=error)
    return response
