"""Series as volumes: what a viewer must know, voxels coarse to fine, values under the pointer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from radfuse.core.uids import checked_uid
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.registrations import place_of
from radfuse.web.api.databases import DatabaseName
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.refusals import refusals
from radfuse.web.api.region_shapes import Point
from radfuse.web.api.views import MOST_REGISTRATIONS, MOST_SERIES, Uid, View, note_view
from radfuse.web.api.volume_models import VolumeFacts
from radfuse.web.identity import forget_notes
from radfuse.web.problems import HttpProblem
from radfuse.web.streaming import Chunk, StreamedResponse

if TYPE_CHECKING:
    from radfuse.archive import Archive
    from radfuse.services.series_views import SeriesView
    from radfuse.services.volumes import Progress

_Series = Annotated[str, Path(max_length=64, description="Series Instance UID")]
_CHUNK_BYTES: Final = 1 << 20
_WAIT_S = 1.0
"""For a series to be read, before its reader is told how far that is."""
_VOXELS: Final = "application/octet-stream"
_FOR_EVER: Final = "private, max-age=31536000, immutable"
_ASK_AGAIN: Final = "private, no-cache"
_REFUSALS: Final = refusals(
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.PRECONDITION_FAILED,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_ANY_VOXELS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {_VOXELS: {}}, "description": "Little endian, slices x rows x columns."},
    304: {"description": "The voxels are those that the client has."},
}
_STREAMS: Final = ThreadPoolExecutor(4, "voxels")
"""Reads ahead of clients; whoever computes does that elsewhere."""


class ViewQuery(BaseModel):
    """A series as it is to be shown."""

    stack: int = Field(0, ge=0, le=100_000, description="From 1; 0: the largest that can be used.")
    unit: str = Field("", max_length=32, description="Empty: the usual one of the modality.")
    repair: list[str] = Field([], max_length=16)
    onto: str = Field("", max_length=64, description="The base: Series Instance UID. Empty: itself.")
    only: list[Uid] = Field([], max_length=MOST_REGISTRATIONS, description="Registrations that may be used; none: all.")
    allow_failed: bool = Field(False, description="Registrations too that failed.")
    allow_other_patient: bool = Field(False, description="A base of another patient too.")
    allow_other_side: bool = Field(False, description="Left over right too.")
    proposed: int = Field(0, ge=0, le=2**31 - 1, description="The job whose proposed registration is used; 0: none.")
    database: str = Field(DEFAULT_DATABASE, max_length=64, description="A further database of this node.")

    def view(self, series: str) -> SeriesView:
        """For the services. Raises as ``View.asked``."""
        return View(
            series=series,
            stack=self.stack,
            unit=self.unit,
            repairs=self.repair,
            only=self.only,
            allow_failed=self.allow_failed,
            allow_other_patient=self.allow_other_patient,
            allow_other_side=self.allow_other_side,
            proposed=self.proposed,
        ).asked()

    def base(self) -> str:
        """The UID of the base. Raises InvalidUID."""
        return checked_uid(self.onto, "Series Instance UID") if self.onto else ""


class FactsQuery(ViewQuery):
    """What it is."""

    known: str = Field("", max_length=64, description="The id of the facts that the client has: it asks once more.")


class PicturesQuery(ViewQuery):
    """Voxels of it."""

    id: str = Field("", max_length=64, description="That of the facts: it can be kept for ever; 412 if they changed.")


class VoxelsQuery(PicturesQuery):
    """Voxels of it at a resolution."""

    level: int = Field(0, ge=0, le=32, description="0: the whole.")


class VolumeProgress(BaseModel):
    """How many objects of a series were read of how many; of 0 nobody knows yet."""

    done: int
    total: int


class ValuesAsk(BaseModel):
    """Points in mm of the frame of reference of ``base``; without one of that of the first series."""

    model_config = ConfigDict(extra="forbid")
    base: Annotated[str, Field(max_length=64)] | None = None
    series: list[View] = Field(min_length=1, max_length=MOST_SERIES)
    points_mm: list[Point] = Field(min_length=1, max_length=10_000)


class SeriesValues(BaseModel):
    """Of the nearest voxels of the images as they are; null outside of them."""

    series: str
    unit: str
    values: list[float | None]


def router(desk: ApiDesk) -> APIRouter:
    """Looking at volumes."""
    routes = APIRouter(tags=["volumes"], responses=_REFUSALS)
    routes.get(
        "/volumes/{series}",
        summary="A series as a volume: what a viewer must know of it",
        response_model=VolumeFacts,
        responses={202: {"model": VolumeProgress, "description": "It is being read: ask again."}},
    )(_facts(desk))
    voxels, rotating = _voxels(desk), _rotating(desk)
    for path, handler, summary in (
        ("/volumes/{series}/voxels", voxels, "The voxels of a volume, whole or coarser"),
        ("/volumes/{series}/rotating-mip", rotating, "Its rotating maximum intensity projection (float32)"),
    ):
        routes.get(path, summary=summary, response_class=Response, responses=_ANY_VOXELS)(handler)
        routes.head(path, include_in_schema=False)(handler)
    routes.post("/values", summary="The values of series at some points")(_values(desk))
    return routes


def note_views(request: Request, archive: Archive, views: Iterable[SeriesView]) -> None:
    """Tell the access log what is looked at, and what was agreed to."""
    for view in views:
        note_view(request, view, place_of(archive, view.series).study_instance_uid)


def _facts(desk: ApiDesk) -> Callable[..., VolumeFacts | Response]:
    def volume_facts(
        request: Request, series: _Series, query: Annotated[FactsQuery, Query()]
    ) -> VolumeFacts | Response:
        """202: it is being read; ask again. 409: nothing leads from the base to the series; `setting` says what
        would have to be allowed. 422: the images make no volume.
        """
        from radfuse.services import viewing

        archive, view, base = desk.archive(query.database), query.view(series), query.base()
        note_views(request, archive, [view])

        def read(progress: Progress) -> viewing.Facts:
            return viewing.facts_of(archive, viewing.show(archive, view, base, progress))

        found = viewing.read_within((archive.settings.folder, view, base), read, _WAIT_S)
        if isinstance(found, viewing.Facts) and found.shown.id == query.known:
            forget_notes(request)  # a page that looks whether it still holds: that it looks at this stands there
        if isinstance(found, viewing.HowFar):
            told = VolumeProgress(done=found.done, total=found.total)
            return JSONResponse(told.model_dump(), HTTPStatus.ACCEPTED)
        return VolumeFacts.of(found)

    return volume_facts


def _voxels(desk: ApiDesk) -> Callable[..., Response]:
    def volume_voxels(request: Request, series: _Series, query: Annotated[VoxelsQuery, Query()]) -> Response:
        """In the type that the facts tell."""
        from radfuse.services import viewing

        archive, view, base = desk.archive(query.database), query.view(series), query.base()
        note_views(request, archive, [view])

        def find() -> tuple[str, Any]:
            shown = viewing.show(archive, view, base)
            _require(query.id, shown.id)
            tag = f'"{shown.id}-{query.level}"'
            return tag, None if _is_known(request, tag) else viewing.voxels_of(archive, shown, query.level)

        return _answer(bool(query.id), *viewing.computed(find))

    return volume_voxels


def _rotating(desk: ApiDesk) -> Callable[..., Response]:
    def rotating_mip(request: Request, series: _Series, query: Annotated[PicturesQuery, Query()]) -> Response:
        """Frames x rows x columns."""
        from radfuse.services import viewing

        archive, view, base = desk.archive(query.database), query.view(series), query.base()
        note_views(request, archive, [view])

        def find() -> tuple[str, Any]:
            shown = viewing.show(archive, view, base)
            _require(query.id, shown.id)
            tag = f'"{shown.id}-mip"'
            return tag, None if _is_known(request, tag) else viewing.rotating_pictures(archive, shown)

        return _answer(bool(query.id), *viewing.computed(find))

    return rotating_mip


def _is_known(request: Request, tag: str) -> bool:
    """Whether the client has it."""
    return tag in (each.strip() for each in request.headers.get("if-none-match", "").split(","))


def _require(named: str, id_: str) -> None:
    """Other voxels on the grid of facts that the client has would lie in the wrong place. Raises HttpProblem (412)."""
    if named and named != id_:
        changed = "the series, or what lays it there, has changed: ask for its facts again"
        raise HttpProblem(HTTPStatus.PRECONDITION_FAILED, changed)


def _answer(is_named: bool, tag: str, voxels: Any) -> Response:
    """The voxels, or that the client has them; for ever where it named what it got."""
    headers = {"ETag": tag, "Cache-Control": _FOR_EVER if is_named else _ASK_AGAIN}
    if voxels is None:
        return Response(None, HTTPStatus.NOT_MODIFIED, headers)
    return StreamedResponse(_chunks(voxels), _STREAMS, _VOXELS, length=voxels.nbytes, headers=headers)


def _chunks(voxels: Any) -> Iterator[Chunk]:
    """Pieces of the mapped file, without a copy."""
    import numpy as np

    kind = voxels.dtype.newbyteorder("<")
    whole = np.ascontiguousarray(voxels, kind).data.cast("B")
    for begin in range(0, len(whole), _CHUNK_BYTES):
        yield whole[begin : begin + _CHUNK_BYTES]


def _values(desk: ApiDesk) -> Callable[..., list[SeriesValues]]:
    def values(ask: ValuesAsk, request: Request, database: DatabaseName = DEFAULT_DATABASE) -> list[SeriesValues]:
        """Never interpolated."""
        import numpy as np

        from radfuse.services import viewing

        archive = desk.archive(database)
        views = [view.asked() for view in ask.series]
        base = checked_uid(ask.base, "Series Instance UID") if ask.base else views[0].series
        note_views(request, archive, views)
        points = np.array(ask.points_mm, np.float64)
        found = viewing.computed(lambda: [viewing.values_at(archive, base, view, points) for view in views])
        return [SeriesValues(series=each.series, unit=each.unit.value, values=list(each.values)) for each in found]

    return values
