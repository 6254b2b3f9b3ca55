"""The access log, for those who look after it."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from radfuse.services.access_log import AccessEntry, AccessQuery, Outcome
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.refusals import refusals

_MOST: Final = 1000
_Words = Annotated[str, Query(max_length=200)]
_Seconds = Annotated[float | None, Query(ge=0, le=1e11, description="Seconds since 1970 (UTC).")]


class AuditEntry(BaseModel):
    """One line. Requests of one kind for one study within some minutes are one line with a count."""

    id: int
    time_s: float
    last_s: float
    user: str
    address: str
    action: str
    outcome: Outcome
    study: str
    subject: str = Field(description="What it was done to or with: the name of a peer, a rule, a user; words searched.")
    count: int
    request: str

    @classmethod
    def of(cls, entry: AccessEntry) -> Self:
        """The entry for the API."""
        return cls(**{name: getattr(entry, name) for name in cls.model_fields})


class AuditPage(BaseModel):
    """Lines, the newest first."""

    entries: list[AuditEntry]
    has_more: bool


class _Filter(BaseModel):
    """What to find."""

    user: _Words = ""
    action: _Words = ""
    outcome: Literal["", "done", "refused", "failed"] = ""
    study: _Words = ""
    from_s: _Seconds = None
    until_s: _Seconds = None
    before: Annotated[int | None, Query(ge=0, le=2**62, description="The id of the last line of the page before.")] = (
        None
    )
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 100


def router(desk: ApiDesk) -> APIRouter:
    """The route of the access log."""
    routes = APIRouter(prefix="/audit", tags=["audit"])

    @routes.get("", summary="The access log, the newest lines first", responses=refusals(400, 401, 403))
    def read(wanted: Annotated[_Filter, Query()]) -> AuditPage:
        desk.access_log.flush()
        entries, has_more = desk.access_log.page(AccessQuery(**wanted.model_dump()))
        return AuditPage(entries=[AuditEntry.of(entry) for entry in entries], has_more=has_more)

    return routes
