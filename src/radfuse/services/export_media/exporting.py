"""A plan carried out: file-sets in folders, or packed into disc images and zip files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from radfuse.archive import Archive
from radfuse.core.errors import AlreadyThere, CannotExport, OutOfSpace
from radfuse.dicom import Transcoder
from radfuse.media import Profile, file_ids, read_directory
from radfuse.services.export_media.copying import Copier
from radfuse.services.export_media.model import MediaPlan, MediaReport, Planned, PlannedVolume, WrittenVolume
from radfuse.services.export_media.packing import files_of, new_file, write_zip
from radfuse.services.export_media.papers import About
from radfuse.services.export_media.placing import DIRECTORY, VolumeSync, new_folder
from radfuse.services.export_media.planning import Progress, profile_named
from radfuse.services.export_media.writing import FileId, SetWriter, of_volume

PackedForm = Literal["iso", "zip"]
_LARGEST_ID: Final = 16
_SHARE_OF_PACKING: Final = 2
"""A file-set that is packed is written twice: for progress, and for the space it needs."""


def export_media(
    archive: Archive,
    plan: MediaPlan,
    to: Path,
    *,
    transcoder: Transcoder,
    progress: Progress = lambda _done, _total: None,
    institution: str = "",
) -> MediaReport:
    """Write the plan's file-set into a new folder, or one for each volume into ``to``/VOLUME1, …; whole or not at all.

    ``progress`` counts bytes. ``to``: as in ``new_folder``. Raises CannotExport for a plan with refusals that was
    not asked to skip them, or for an object that was deleted meanwhile; AlreadyThere, InUse, OutOfSpace,
    CannotTranscode, BlobMissing, BlobDamaged, OSError. Nothing is there then.
    """
    job = _Export(archive, plan, transcoder, Told(progress, plan.size_bytes), about_of(plan, institution))
    require_writable(plan)
    require_space(to, plan.size_bytes)
    with new_folder(to) as part, VolumeSync(part) as sync_volume:
        written = [job.write(volume, part, sync_volume) for volume in plan.volumes]
        sync_volume()
    real = Path(os.path.abspath(to))
    written = [replace(each, folder=real / each.folder.relative_to(part)) for each in written]
    return MediaReport.of(plan, written)


def export_packed(
    archive: Archive,
    plan: MediaPlan,
    files: Sequence[Path],
    form: PackedForm,
    *,
    transcoder: Transcoder,
    progress: Progress = lambda _done, _total: None,
    institution: str = "",
) -> MediaReport:
    """As ``export_media``, each volume as one file: a disc image of the profile's file system, or a zip file.

    Also raises CannotMakeImage where we cannot write that file system.
    """
    told = Told(progress, _SHARE_OF_PACKING * plan.size_bytes)
    job = _Export(archive, plan, transcoder, told, about_of(plan, institution))
    require_writable(plan)
    if form == "iso" and not job.profile.file_system.image:
        name = job.profile.file_system.name
        raise CannotExport(f"{plan.ask.profile} is for {name}, which has no images: export a folder, and copy that")
    for file in files:
        if os.path.lexists(file):
            raise AlreadyThere(str(file))
    written = []
    try:
        for volume, file in zip(plan.volumes, files, strict=True):
            require_space(file, _SHARE_OF_PACKING * volume.size_bytes)
            with new_file(file) as (part, work):
                made = job.write(volume, work, lambda: None, alone=True)
                _pack(made, part, form, job)
            written.append(replace(made, folder=file, size_bytes=file.stat().st_size))
    except BaseException:
        for each in written:
            each.folder.unlink(missing_ok=True)
        raise
    return MediaReport.of(plan, written)


def _pack(made: WrittenVolume, to: Path, form: PackedForm, job: _Export) -> None:
    if form == "zip":
        write_zip(made.folder, to, job.told.whole())
        return
    from radfuse.media import disc_images  # which loads pycdlib

    disc_images.write_disc_image(made.folder, to, job.profile.file_system, made.file_set_id, job.told.whole())


def written_before(plan: MediaPlan, folder: Path) -> list[WrittenVolume]:
    """The file-sets in ``folder`` when they are those of the plan, by their File-set IDs and objects; else none."""
    count, found = len(plan.volumes), []
    for volume in plan.volumes:
        at = folder if count == 1 else folder / f"VOLUME{volume.number}"
        name = of_volume(about_of(plan, ""), volume.number, count).file_set_id
        if not (at / DIRECTORY).is_file():
            return []
        directory = read_directory(at / DIRECTORY)
        uids = {each.sop_instance_uid for each in directory.files()}
        wanted = {uid for each in volume.objects for uid in (each.written_uid, each.stored.sop_instance_uid)}
        is_all = len(uids) == len(volume.objects) or (plan.ask.skip_refused and bool(uids))
        if directory.findings or directory.file_set_id != name or not is_all or not uids <= wanted:
            return []
        size = sum(path.stat().st_size for path in files_of(at))
        found.append(WrittenVolume(at, name, len(uids), size))
    return found


class Told:
    """Counts what several do, and tells the sum."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0

    def add(self, more: int) -> None:
        """So much more is done."""
        self._done += more
        self._progress(min(self._done, self._total), self._total)

    def whole(self) -> Callable[..., None]:
        """Takes how much of a whole is done now."""
        before = 0

        def tell(done: int, _total: int | None = None) -> None:
            nonlocal before
            self.add(done - before)
            before = done

        return tell


@dataclass(frozen=True, slots=True)
class _Export:
    archive: Archive
    plan: MediaPlan
    transcoder: Transcoder
    told: Told
    about: About
    """Of all volumes."""

    @property
    def profile(self) -> Profile:
        """What is written by."""
        return profile_named(self.plan.ask.profile)

    def write(
        self, volume: PlannedVolume, folder: Path, sync_volume: Callable[[], None], *, alone: bool = False
    ) -> WrittenVolume:
        """One file-set, in the folder itself if it is the only one there."""
        count = len(self.plan.volumes)
        at = folder if alone or count == 1 else folder / f"VOLUME{volume.number}"
        at.mkdir(exist_ok=True)
        about = of_volume(self.about, volume.number, count)
        copier = Copier(self.archive, self.transcoder, self.profile)
        writer = SetWriter(copier, self.profile, about, self.told.add, sync_volume, self.plan.ask.skip_refused)
        made = writer.volume(at, placed(volume.objects))
        capacity = self.plan.ask.medium_bytes or self.profile.medium.capacity_bytes
        if capacity is not None and made.size_bytes > capacity:
            raise CannotExport(
                f"volume {volume.number} became {made.size_bytes:,} bytes, more than a medium holds, as images got "
                "larger than planned: name a smaller size of the medium"
            )
        return made


def require_writable(plan: MediaPlan) -> None:
    """Raises CannotExport for a plan that must not be carried out."""
    if plan.refusals and not plan.ask.skip_refused:
        raise CannotExport(f"{plan.refusals[0]}; leave out what is refused, or choose another profile")
    if not plan.volumes:
        raise CannotExport("nothing is left to be written; choose another profile")


def require_space(to: Path, size_bytes: int) -> None:
    """Raises OutOfSpace when the volume of ``to`` has less free than that."""
    at = next(path for path in (Path(os.path.abspath(to)), *Path(os.path.abspath(to)).parents) if path.exists())
    volume = os.statvfs(at)
    if volume.f_bavail * volume.f_frsize < size_bytes:
        raise OutOfSpace(f"{size_bytes / 1e6:,.0f} MB in {at}")


def about_of(plan: MediaPlan, institution: str, file_set_id: str = "") -> About:
    """What the papers say."""
    now = datetime.now(UTC)
    profile = profile_named(plan.ask.profile)
    name = (file_set_id or plan.ask.file_set_id or f"RF{now:%Y%m%d%H%M%S}")[:_LARGEST_ID]
    return About(name, profile.narrows or profile.name, profile.section, now, institution, refusals=plan.refusals)


def placed(objects: Sequence[Planned], taken: Sequence[FileId] = ()) -> Iterator[tuple[Planned, FileId]]:
    """Objects and where their files lie."""
    places = (file_ids.Place(each.patient, each.study, each.series) for each in objects)
    return zip(objects, file_ids.new_file_ids(places, taken=taken), strict=True)
