"""Media: file-sets planned, written and downloaded; folders of the server looked through and imported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path as FilePath
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import FileResponse

from radfuse.core.errors import ConfigurationError
from radfuse.jobs import Job as QueuedJob
from radfuse.jobs import JobState
from radfuse.services import media_folders
from radfuse.services.roles import Role
from radfuse.services.selection import studies_of
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.jobs import Job
from radfuse.web.api.media_models import (
    FolderUse,
    ImportReport,
    MediaExport,
    MediaFile,
    MediaForm,
    MediaImport,
    MediaPlaces,
    MediaPlan,
    MediaProfile,
    MediaSelection,
    NewMediaExport,
    NewMediaImport,
)
from radfuse.web.api.refusals import refusals
from radfuse.web.api.selection import note_studies
from radfuse.web.api.sends import ACCEPTED, accepted
from radfuse.web.identity import identity_of, note
from radfuse.web.problems import HttpProblem

EXPORT_FOLDERS: Final = "media.export_folders"
IMPORT_FOLDERS: Final = "media.import_folders"
"""The settings that name the folders of this machine."""

_MOST_VOLUMES: Final = 10_000
_MEDIA_TYPES: Final = {"zip": "application/zip", "iso": "application/x-iso9660-image"}
_JobId = Annotated[int, Path(ge=1, le=2**31 - 1, description="The number of the job.")]
_Volume = Annotated[int, Query(ge=1, le=_MOST_VOLUMES, description="Which of its media, from 1.")]
_Text = Annotated[str, Query(max_length=4096)]
_CANNOT = refusals(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)
_GONE: Final = "there is no such file: it is not written yet, went into a folder, or was made more than a day ago"
_NOT_YOURS: Final = "only an administrator writes into folders of the server; take a zip or an image to download"


def router(desk: ApiDesk) -> APIRouter:
    """Exporting to media, and where on the server it can go and be read."""
    routes = APIRouter(prefix="/media", tags=["media"])
    routes.get("/profiles", summary="The application profiles for media")(_profiles())
    routes.post("/plans", summary="What an export to media will be; nothing is written", responses=_CANNOT)(_plan(desk))
    routes.post(
        "/exports",
        status_code=ACCEPTED,
        summary="Write file-sets with their DICOMDIR: zip files or disc images to download, or a folder of the server",
        responses=_CANNOT | refusals(HTTPStatus.FORBIDDEN),
    )(_export(desk))
    found = refusals(HTTPStatus.NOT_FOUND)
    routes.get("/exports/{job}", summary="An export to media and its files", responses=found)(_one(desk))
    routes.get(
        "/exports/{job}/file",
        summary="One medium of an export: a zip file or a disc image",
        response_class=Response,
        responses={
            **found,
            200: {"content": {each: {} for each in _MEDIA_TYPES.values()}, "description": "The file-set."},
        },
    )(_file(desk))
    routes.post(
        "/imports",
        status_code=ACCEPTED,
        summary="Import a folder, zip file or disc image of the server",
        responses=refusals(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
    )(_import(desk))
    routes.get("/imports/{job}", summary="An import and what became of its files", responses=found)(_imported(desk))
    routes.get("/folders", summary="Folders of the server that the settings allow, and what is in them")(_folders(desk))
    return routes


def _profiles() -> Callable[..., list[MediaProfile]]:
    def media_profiles() -> list[MediaProfile]:
        from radfuse.media import PROFILES

        return [MediaProfile.of(profile) for profile in PROFILES.values()]

    return media_profiles


# --- exports ---------------------------------------------------------------------------------


def _plan(desk: ApiDesk) -> Callable[..., MediaPlan]:
    def plan_media(wanted: MediaSelection, request: Request) -> MediaPlan:
        """What the profile refuses is told with a sentence for each class and rule."""
        note_studies(request, "view", wanted.chosen())
        return _planned(desk, wanted)

    return plan_media


def _planned(desk: ApiDesk, wanted: MediaSelection, *, skip_refused: bool = False) -> MediaPlan:
    from radfuse.services.export_media import plan_export

    return MediaPlan.of(plan_export(desk.archive(wanted.database), wanted.ask(skip_refused=skip_refused)).as_json())


def _export(desk: ApiDesk) -> Callable[..., Job]:
    def export_media(new: NewMediaExport, request: Request, response: Response) -> Job:
        """A job writes it, whole or not at all; 422 for what the profile refuses, unless that is left out."""
        from radfuse.services.media_job import new_media_export

        who, chosen = identity_of(request), new.chosen()
        note_studies(request, "export", chosen, f"{new.profile}, {new.folder or new.form.value}")
        folder = _folder_for(desk, new, who.role)
        if not new.skip_refused:
            _check_whole(_planned(desk, new))
        job = new_media_export(
            new.ask(skip_refused=new.skip_refused),
            new.form.value,
            str(folder) if folder else "",
            by=who.full_name or who.user,
            priority=new.priority,
        )
        return accepted(desk, desk.jobs.submit(replace(job, studies=studies_of(chosen))), response)

    return export_media


def _folder_for(desk: ApiDesk, new: NewMediaExport, role: Role) -> FilePath | None:
    """Where it is written on the server; None for a download. Raises HttpProblem, ConfigurationError."""
    if new.form is not MediaForm.FOLDER:
        if new.folder or new.path:
            raise ConfigurationError("folder", "a folder is named for the form folder, and for that only")
        return None
    if not role.includes(Role.ADMINISTRATOR):
        raise HttpProblem(HTTPStatus.FORBIDDEN, _NOT_YOURS)
    return media_folders.path_below(desk.export_folders, new.folder, new.path, EXPORT_FOLDERS)


def _check_whole(plan: MediaPlan) -> None:
    for each in plan.refusals:
        detail = f"{each.objects:,} of {each.sop_class} cannot go on this medium: {each.sentence}; leave them out"
        raise HttpProblem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{detail}, or choose another profile")


def _one(desk: ApiDesk) -> Callable[..., MediaExport]:
    def media_export(job: _JobId) -> MediaExport:
        found = _export_job(desk, job)
        files = [
            MediaFile(volume=_volume_of(path), name=_file_name(found, path), size_bytes=path.stat().st_size)
            for path in _files(desk, found)
        ]
        return MediaExport(job=Job.of(found), form=MediaForm(found.parameters["form"]), files=files)

    return media_export


def _file(desk: ApiDesk) -> Callable[..., Response]:
    def media_file(job: _JobId, request: Request, volume: _Volume = 1) -> Response:
        """Kept for a day."""
        found = _export_job(desk, job)
        place = next((path for path in _files(desk, found) if _volume_of(path) == volume), None)
        if place is None:
            raise HttpProblem(HTTPStatus.NOT_FOUND, _GONE)
        for study in found.parameters.get("studies", ()):
            note(request, "download", study=study)
        return FileResponse(place, media_type=_MEDIA_TYPES[found.parameters["form"]], filename=_file_name(found, place))

    return media_file


def _export_job(desk: ApiDesk, number: int) -> QueuedJob:
    """Raises UnknownJob, and HttpProblem for a job of another kind."""
    from radfuse.services.media_job import EXPORT_MEDIA

    job = desk.jobs.get(number)
    if job.kind != EXPORT_MEDIA:
        raise HttpProblem(HTTPStatus.NOT_FOUND, f"job {number} is no export to media")
    return job


def _files(desk: ApiDesk, job: QueuedJob) -> list[FilePath]:
    """The files of a job that is done, by volume."""
    from radfuse.services.media_job import exported_volumes, forget_old_media

    forget_old_media(desk.data)
    return exported_volumes(desk.data, job.id) if job.state is JobState.DONE else []


def _volume_of(path: FilePath) -> int:
    return int(path.stem.rpartition("-")[2])


def _file_name(job: QueuedJob, path: FilePath) -> str:
    return f"radfuse-{job.parameters['profile']}-{path.name}"


# --- imports ---------------------------------------------------------------------------------


def _import(desk: ApiDesk) -> Callable[..., Job]:
    def import_media(new: NewMediaImport, request: Request, response: Response) -> Job:
        """A job goes on where it was after a crash; what is in the files counts, whatever a DICOMDIR says of them."""
        from radfuse.services.import_job import new_media_import

        note(request, "import", subject=str(FilePath(new.folder, new.path)))
        desk.archive(new.database)
        place = media_folders.path_below(desk.import_folders, new.folder, new.path, IMPORT_FOLDERS)
        who = identity_of(request)
        job = new_media_import(place, database=new.database, by=who.full_name or who.user, priority=new.priority)
        return accepted(desk, desk.jobs.submit(job), response)

    return import_media


def _imported(desk: ApiDesk) -> Callable[..., MediaImport]:
    def media_import(job: _JobId) -> MediaImport:
        """The report is kept for a month."""
        from radfuse.services.import_job import IMPORT_MEDIA, import_report

        found = desk.jobs.get(job)
        if found.kind != IMPORT_MEDIA:
            raise HttpProblem(HTTPStatus.NOT_FOUND, f"job {job} is no import of media")
        report = import_report(desk.data, job)
        told = None if report is None else ImportReport.of(report, found.parameters["path"])
        return MediaImport(job=Job.of(found), report=told)

    return media_import


# --- folders ---------------------------------------------------------------------------------


def _folders(desk: ApiDesk) -> Callable[..., MediaPlaces]:
    def media_places(use: FolderUse = FolderUse.IMPORT, folder: _Text = "", path: _Text = "") -> MediaPlaces:
        """Without a folder: those that are allowed. For an import zip archives and disc images are listed too."""
        is_import = use is FolderUse.IMPORT
        allowed = desk.import_folders if is_import else desk.export_folders
        if not folder:
            return MediaPlaces.of(media_folders.allowed_places(allowed))
        setting = IMPORT_FOLDERS if is_import else EXPORT_FOLDERS
        return MediaPlaces.of(media_folders.places_in(allowed, folder, path, setting, with_files=is_import))

    return media_places
