"""Frames as they were stored: the value of a pixel of a single image."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field

from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.refusals import refusals
from radfuse.web.dicomweb.values import FrameValues, KeptFrames, Meaning
from radfuse.web.identity import note

_Instance = Annotated[str, Path(max_length=64, description="SOP Instance UID")]
_MOST: Final = 1 << 22
_SIDE: Final = 1 << 16
_REFUSALS: Final = refusals(
    HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.UNPROCESSABLE_ENTITY
)


class PixelQuery(BaseModel):
    """Which pixel."""

    frame: int = Field(1, ge=1, le=_MOST, description="From 1.")
    column: int = Field(ge=0, lt=_SIDE, description="From 0.")
    row: int = Field(ge=0, lt=_SIDE, description="From 0.")
    database: str = Field(DEFAULT_DATABASE, max_length=64, description="A further database of this node.")


class FrameValue(BaseModel):
    """A stored pixel as a number, never the display's."""

    values: list[float | None] = Field(description="One, or red, green and blue; null: no number.")
    unit: str = Field(description="Empty: the image says none that is known.")
    meaning: Meaning = Field(description="How it came from what is stored; padding: nothing was measured there.")


def router(desk: ApiDesk) -> APIRouter:
    """Looking at single images."""
    routes = APIRouter(tags=["images"], responses=_REFUSALS)
    routes.get("/frames/{instance}/value", summary="The value of one pixel of an image")(_value(desk))
    return routes


def _value(desk: ApiDesk) -> Callable[..., FrameValue]:
    kept = KeptFrames()
    sources = {name: FrameValues(each, kept) for name, each in desk.databases.items()}

    def frame_value(request: Request, instance: _Instance, query: Annotated[PixelQuery, Query()]) -> FrameValue:
        """The modality transformation of the image is applied; 422 outside of it, and for pixels that nobody can
        decode.
        """
        from radfuse.services.documents import study_of

        archive = desk.archive(query.database)
        # The same line of the log as that of its picture, however often it is asked.
        note(request, "view", study=study_of(archive, instance))
        found = sources[query.database].at(instance, query.frame, query.column, query.row)
        return FrameValue(values=list(found.values), unit=found.unit, meaning=found.meaning)

    return frame_value
