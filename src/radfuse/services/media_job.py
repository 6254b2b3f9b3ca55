"""Exporting to media as a durable job: zip files or disc images to download, or a folder of the server."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from radfuse.archive import Archive
from radfuse.core.errors import ConfigurationError, InUse
from radfuse.dicom import Transcoder
from radfuse.jobs import Item, ItemState, Job, JobContext, NewItem, NewJob
from radfuse.services.image_jobs import run_whole, telling
from radfuse.services.selection import studies_of

if TYPE_CHECKING:
    from radfuse.services.export_media import MediaAsk, MediaPlan, MediaReport

EXPORT_MEDIA: Final = "export media"
"""The kind of these jobs."""

Form = Literal["zip", "iso", "folder"]
FORMS: Final[tuple[Form, ...]] = ("zip", "iso", "folder")
KEPT_S: Final = 86_400.0
_ITEM: Final = "file-set"
_NAME: Final = re.compile(r"(?P<part>\.)?(?P<job>\d+)-\d+\.(?:zip|iso)(?(part)\.part)\Z")
"""Of a download, and of the folder in which it is made (``new_file``)."""


@dataclass(frozen=True, slots=True)
class MediaSurroundings:
    """What such a job needs of the process that runs it. ``data``: the data folder, where downloads are kept."""

    open_archive: Callable[[str], Archive]
    transcoder: Transcoder
    data: Path
    folders: Sequence[Path] = ()
    """Folders of the server that may be written below."""
    institution: str = ""


def new_media_export(ask: MediaAsk, form: Form, folder: str = "", *, by: str = "", priority: int = 5) -> NewJob:
    """The job that writes ``ask`` as zip files, as disc images, or into ``folder``. Raises ConfigurationError."""
    if form not in FORMS:
        raise ConfigurationError("form", f"{form!r} is none of {', '.join(FORMS)}")
    if bool(folder) != (form == "folder"):
        raise ConfigurationError("folder", "a folder is named for the form folder, and for that only")
    studies = studies_of(ask.selection) if ask.selection else []
    count = (
        f"{len(studies):,} stud{'ies' if len(studies) != 1 else 'y'}" if studies else f"{len(ask.objects):,} objects"
    )
    where = f"into {folder}" if folder else "as a zip file" if form == "zip" else "as a disc image"
    parameters = {**ask.as_json(), "form": form, "folder": folder, "by": by}
    title = f"export of {count} by {ask.profile} {where}"
    return NewJob(
        EXPORT_MEDIA, f"{EXPORT_MEDIA} {ask.database}", title, parameters, [NewItem(_ITEM)], priority, studies=studies
    )


def media_folder(data: Path) -> Path:
    """Where downloads are."""
    return data / "media"


def exported_volume(data: Path, job: int, form: str, volume: int = 1) -> Path:
    """The zip file or disc image of one volume of a job, whether it is there or not."""
    return media_folder(data) / f"{job}-{volume}.{form}"


def exported_volumes(data: Path, job: int) -> list[Path]:
    """All files of a job that are there, in order."""
    found = [each for form in FORMS for each in media_folder(data).glob(f"{job}-*.{form}")]
    return sorted(found, key=lambda path: int(path.stem.partition("-")[2]))


def forget_old_media(data: Path, now_s: float | None = None) -> int:
    """Remove the downloads of jobs that made nothing for a day, and what is left of attempts that died; how many.

    What a running job has made so far, and what it works in, stays however long it takes. Raises OSError.
    """
    oldest_s = (time.time() if now_s is None else now_s) - KEPT_S
    by_job: dict[str, list[Path]] = defaultdict(list)
    for path in media_folder(data).glob("*"):
        if found := _NAME.match(path.name):
            by_job[found["job"]].append(path)
    return sum(_forget(paths) for paths in by_job.values() if all(_is_old(path, oldest_s) for path in paths))


def _forget(paths: Sequence[Path]) -> int:
    """Remove all that one job left, unless somebody works in it; how many."""
    from radfuse.services.export_media.placing import folder_lock

    with contextlib.ExitStack() as held:
        try:
            for path in paths:
                if path.is_dir():
                    held.enter_context(folder_lock(path, path))
        except InUse:  # also when its job has ended just now
            return 0
        for path in paths:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return len(paths)


def _is_old(path: Path, oldest_s: float) -> bool:
    """Whether a file, or a folder with all that is in it, was changed before."""
    try:
        return all(each.lstat().st_mtime < oldest_s for each in chain((path,), path.rglob("*")))
    except FileNotFoundError:  # somebody is at it
        return False


def run_media_export(context: JobContext, surroundings: MediaSurroundings) -> None:
    """The kind "export media": planned anew, written whole or not at all; a crash begins it again.

    Raises TransientFailure when there is no space, and what ``plan_export`` and ``export_media`` raise.
    """
    run_whole(context, lambda items: _export(context, items, surroundings))


def _export(context: JobContext, items: Sequence[Item], around: MediaSurroundings) -> None:
    from radfuse.services.export_media import MediaAsk, plan_export

    parameters, tell = context.job.parameters, telling(context)
    ask = MediaAsk.of_json(parameters)
    if not ask.file_set_id:
        ask = replace(ask, file_set_id=f"RADFUSE_{context.job.id}"[:16])
    forget_old_media(around.data)
    archive = around.open_archive(ask.database)
    plan = plan_export(archive, ask, progress=lambda done, total: tell(0.1 * done / max(total, 1), "planning"))

    work: dict[str, Any] = {
        "progress": _writing(tell, plan.size_bytes),
        "transcoder": around.transcoder,
        "institution": around.institution,
    }
    if parameters["form"] == "folder":
        report = _into_folder(archive, plan, context.job, around, work)
    else:
        report = _as_files(archive, plan, context.job, around, work)
    words = f"{_sentence(report)}{'' if parameters['form'] == 'folder' else ', kept for a day'}"
    for item in items:
        state = ItemState.WARNED if report.refusals else ItemState.SENT
        context.record(item.number, state, None, words)
    context.say(words)


def _as_files(
    archive: Archive, plan: MediaPlan, job: Job, around: MediaSurroundings, work: dict[str, Any]
) -> MediaReport:
    from radfuse.services.export_media import export_packed

    media_folder(around.data).mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in exported_volumes(around.data, job.id):  # of an attempt that died
        left.unlink()
    form = job.parameters["form"]
    files = [exported_volume(around.data, job.id, form, volume.number) for volume in plan.volumes]
    return export_packed(archive, plan, files, form, **work)


def _into_folder(
    archive: Archive, plan: MediaPlan, job: Job, around: MediaSurroundings, work: dict[str, Any]
) -> MediaReport:
    from radfuse.services.export_media import MediaReport, export_media, written_before

    folder = export_folder(Path(job.parameters["folder"]), around.folders)
    below = folder / plan.ask.file_set_id
    for each in (folder, below) if job.attempt > 1 else ():
        if written := written_before(plan, each):  # by an attempt that died before it could say so
            return MediaReport.of(plan, written)
    # An allowed folder itself stays what it is, with its owner and mode, for the exports to come.
    is_to_fill = folder not in [each.resolve() for each in around.folders] and folder.is_dir()
    is_whole_medium = os.path.ismount(folder) or (is_to_fill and not any(folder.iterdir()))
    return export_media(archive, plan, folder if is_whole_medium else below, **work)


def export_folder(folder: Path, allowed: Sequence[Path]) -> Path:
    """The folder, its links followed. Raises ConfigurationError unless it lies in one that the settings allow."""
    real = folder.resolve()
    if not folder.is_absolute() or not any(real.is_relative_to(each.resolve()) for each in allowed):
        raise ConfigurationError("folder", "it is none that the setting media.export_folders allows")
    return real


def _writing(tell: Callable[[float, str], None], size_bytes: int) -> Callable[[int, int], None]:
    """Says how much is written, how fast, and how long the rest will take."""
    began_s = time.monotonic()

    def writing(done: int, total: int) -> None:
        share = done / max(total, 1)
        written = share * size_bytes  # what is packed passes twice
        rate = written / max(time.monotonic() - began_s, 0.001)
        left_s = (size_bytes - written) / rate if rate else 0.0
        words = f"written: {written / 1e6:,.0f} of {size_bytes / 1e6:,.0f} MB, {rate / 1e6:,.0f} MB/s"
        tell(0.1 + 0.9 * share, f"{words}, {left_s:,.0f} s left")

    return writing


def _sentence(report: MediaReport) -> str:
    volumes = f" on {len(report.volumes)} media" if len(report.volumes) > 1 else ""
    reasons = "; ".join(map(str, report.refusals[:3]))
    more = f"; {report.refused:,} left out: {reasons}" if report.refused else ""
    return f"{report.objects:,} objects{volumes}, {report.size_bytes / 1e6:,.1f} MB{more}"
