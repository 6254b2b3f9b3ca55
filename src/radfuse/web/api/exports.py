"""Export: what is seen and drawn in the workstation as objects for the archive, for peers and as files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import FileResponse

from radfuse.core.errors import ConfigurationError
from radfuse.jobs import JobState
from radfuse.services.registrations import place_of
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.export_models import ExportAsk, ExportObject, ExportPlan, ImagesItem, NewExport
from radfuse.web.api.jobs import Job
from radfuse.web.api.refusals import refusals
from radfuse.web.api.sends import ACCEPTED, accepted
from radfuse.web.api.views import View, note_view
from radfuse.web.api.workspace_models import WorkspaceState
from radfuse.web.identity import identity_of, note
from radfuse.web.problems import HttpProblem

_EXPORT = "export"
_JobId = Annotated[int, Path(ge=1, le=2**31 - 1, description="The number of the job.")]
_REFUSED = refusals(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY)
_GONE = "there is no file of this job: it was no download, is not ready, or was made more than a day ago"


def router(desk: ApiDesk) -> APIRouter:
    """Exporting."""
    routes = APIRouter(prefix="/exports", tags=["workstation"], responses=_REFUSED)
    routes.post("/plan", summary="Which objects an export will be; nothing is made")(_plan(desk))
    routes.post(
        "",
        status_code=ACCEPTED,
        summary="Make objects and keep them in the archive, send them to peers, or give them as files",
        responses=refusals(HTTPStatus.SERVICE_UNAVAILABLE),
    )(_export(desk))
    routes.get(
        "/{job}/file",
        summary="The files of an export that is a download: a zip of Part 10 files",
        response_class=Response,
        responses={200: {"content": {"application/zip": {}}, "description": "The files."}},
    )(_file(desk))
    return routes


def _plan(desk: ApiDesk) -> Callable[..., ExportPlan]:
    def plan_export(ask: ExportAsk, request: Request) -> ExportPlan:
        """What cannot be made has a refusal that says why."""
        content = _content(desk, ask)
        _note(desk, request, ask, "view", "")
        return _planned(desk, ask, content)

    return plan_export


def _export(desk: ApiDesk) -> Callable[..., Job]:
    def export(new: NewExport, request: Request, response: Response) -> Job:
        """A job makes and checks all objects before the first is kept; 422 where one cannot be made."""
        from radfuse.services.export_job import new_export

        peers = [desk.peer(name) for name in dict.fromkeys(new.to.peers)]
        if new.to.download == bool(new.to.archive or peers):
            raise ConfigurationError("to", "say where to: the archive, peers, or a download alone")
        content = _content(desk, new)
        _note(desk, request, new, _EXPORT, ", ".join(peer.name for peer in peers))
        for row in _planned(desk, new, content).objects:
            if row.refusal:
                raise HttpProblem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{row.label}: {row.refusal}")
        who = identity_of(request)
        studies = list(dict.fromkeys(_studies(desk, new, content)))
        job = new_export(
            {**content, "studies": studies},
            peers=peers,
            is_download=new.to.download,
            database=new.database,
            priority=new.priority,
            by=who.person,
        )
        return accepted(desk, desk.jobs.submit(replace(job, studies=studies)), response)

    return export


def _file(desk: ApiDesk) -> Callable[..., Response]:
    def export_file(job: _JobId, request: Request) -> Response:
        """Kept for a day."""
        from radfuse.services.exporting import exported_file, forget_old

        found = desk.jobs.get(job)
        forget_old(desk.data)
        place = exported_file(desk.data, job)
        if found.kind != _EXPORT or found.state is not JobState.DONE or not place.is_file():
            raise HttpProblem(HTTPStatus.NOT_FOUND, _GONE)
        for study in found.parameters.get("studies", ()):
            note(request, "download", study=study)
        return FileResponse(place, media_type="application/zip", filename=f"radfuse-export-{job}.zip")

    return export_file


# --- what is exported ------------------------------------------------------------------------


def _content(desk: ApiDesk, ask: ExportAsk) -> dict[str, Any]:
    """The items, and what of the draft they need, as JSON: what somebody changes afterwards changes nothing."""
    desk.archive(ask.database)
    items = [item.model_dump(mode="json", by_alias=True) for item in ask.items]
    return {"items": items, "draft": {} if ask.workspace is None else _draft(desk, ask, items)}


def _draft(desk: ApiDesk, ask: ExportAsk, items: list[dict[str, Any]]) -> dict[str, Any]:
    found = desk.workspaces.find(ask.database, ask.workspace or "")
    state = WorkspaceState.model_validate_json(found.state)
    views = [state.base, state.overlay, state.prior, *state.others]
    wanted = {each for item in items for each in (*item.get("ids", ()), item.get("id"))}
    takes_all = {item["kind"] for item in items if item.get("ids") == []} - {"report"}

    def chosen(parts: Iterable[Any], *kinds: str) -> list[Any]:
        is_all = bool(takes_all & set(kinds))
        return [part.model_dump(mode="json", by_alias=True) for part in parts if is_all or part.id in wanted]

    return {
        "study": found.facts.study,
        "base": state.base and state.base.model_dump(mode="json"),
        "overlay": state.overlay and state.overlay.model_dump(mode="json"),
        "views": [view.model_dump(mode="json") for view in views if view is not None],
        "regions": chosen(state.regions, "regions", "numbers"),
        "lines": chosen(state.lines, "numbers"),
        "bookmarks": chosen(state.bookmarks, "bookmark"),
    }


def _planned(desk: ApiDesk, ask: ExportAsk, content: dict[str, Any]) -> ExportPlan:
    from radfuse.services.exporting import ask_of, plan
    from radfuse.services.viewing import computed

    archive = desk.archive(ask.database)
    rows = computed(lambda: plan(archive, ask_of(content)))
    return ExportPlan(
        objects=[
            ExportObject(
                item=row.item,
                label=row.label,
                object=row.object,
                count=row.count,
                bytes=row.bytes,
                refusal=row.refusal,
            )
            for row in rows
        ]
    )


def _views(ask: ExportAsk) -> Iterator[View]:
    for item in ask.items:
        yield from item.views()


def _note(desk: ApiDesk, request: Request, ask: ExportAsk, action: str, subject: str) -> None:
    """For the access log: which studies, to whom, and what was deliberately allowed."""
    archive = desk.archive(ask.database)
    studies = {place_of(archive, uid).study_instance_uid for uid in _series(ask)}
    if ask.workspace is not None:
        studies.add(desk.workspaces.find(ask.database, ask.workspace).facts.study)
    for study in sorted(studies):
        note(request, action, study=study, subject=subject)
    for view in _views(ask):
        if view.allow_failed or view.allow_other_patient or view.allow_other_side:
            asked = view.asked()
            note_view(request, asked, place_of(archive, asked.series).study_instance_uid)


def _series(ask: ExportAsk) -> Iterator[str]:
    for view in _views(ask):
        yield view.asked().series
    for item in ask.items:
        if isinstance(item, ImagesItem):
            yield item.checked_series()


def _studies(desk: ApiDesk, ask: ExportAsk, content: dict[str, Any]) -> Iterator[str]:
    """The studies that the job is about."""
    archive = desk.archive(ask.database)
    draft = content["draft"]
    if draft:
        yield draft["study"]
    drawn = [part["series"] for name in ("regions", "lines") for part in draft.get(name, ())]
    for uid in dict.fromkeys((*_series(ask), *drawn)):
        yield place_of(archive, uid).study_instance_uid
