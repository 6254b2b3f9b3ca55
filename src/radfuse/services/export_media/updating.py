"""Adding objects to a file-set that we wrote: new files beside the old, then a new DICOMDIR in one step."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from radfuse.archive import Archive
from radfuse.core.errors import CannotExport, DataSetError, MediaError
from radfuse.core.uids import IMPLEMENTATION_CLASS_UID
from radfuse.dicom import Transcoder
from radfuse.media import Profile, describe_file, directory_reading, file_ids, find_below, problems, read_directory
from radfuse.services.export_media.copying import Copied, Copier, sha256_of
from radfuse.services.export_media.exporting import Told, about_of, placed, require_space, require_writable
from radfuse.services.export_media.model import MediaPlan, MediaReport, Planned, WrittenVolume
from radfuse.services.export_media.packing import files_of
from radfuse.services.export_media.papers import CHECKSUMS, checksum_line, read_checksums
from radfuse.services.export_media.placing import DIRECTORY, VolumeSync, folder_lock, full_as_error, sync
from radfuse.services.export_media.planning import Progress, profile_named
from radfuse.services.export_media.writing import Contents, FileId, SetWriter

_HEAD_BYTES: Final = 4096
_TOP: Final = "DICOM"
_PARTS: Final = ".{}.part"
_ADDED: Final = "ADDED"
"""The part that names the files which an update adds: what one that was cut off has left is known by it."""
_KEPT: Final = "KEPT"
"""The part that is SHA256.TXT while DICOMDIR and papers change."""
_ANOTHER: Final = "make a new file-set instead"
_NO_SET: Final = f"there is no {DIRECTORY} in {{}}; leave out --update for a new file-set"


def add_to_set(
    archive: Archive,
    plan: MediaPlan,
    folder: Path,
    *,
    transcoder: Transcoder,
    progress: Progress = lambda _done, _total: None,
    institution: str = "",
) -> MediaReport:
    """Add the plan's objects to the file-set in ``folder``; those that are on it already stay as they are.

    Until the new DICOMDIR takes its place the old file-set is whole. No line of SHA256.TXT is ever wrong: while
    DICOMDIR and papers change it does not name them. What a crash leaves the next update takes away or makes anew.
    Raises CannotExport for a file-set that is not ours or is damaged, a profile without the role of an updater, and
    what does not fit; otherwise as ``export_media``.
    """
    require_writable(plan)
    profile = profile_named(plan.ask.profile)
    if not profile.is_updatable:
        raise CannotExport(f"{profile.name} defines no file-set updater (PS3.11); {_ANOTHER}")
    if len(plan.volumes) > 1:
        raise CannotExport(f"it does not fit on one medium; {_ANOTHER}")
    if not folder.is_dir():
        raise CannotExport(_NO_SET.format(folder))
    with full_as_error(), folder_lock(folder, folder), VolumeSync(folder) as sync_volume:
        old = _OldSet.read(folder)
        old.forget_cut_off()
        uids = {each.sop_instance_uid for each in old.files}
        new = [each for each in plan.volumes[0].objects if each.written_uid not in uids]
        _require_fit(plan, old, new)
        told = Told(progress, sum(each.size_bytes for each in new))
        about = about_of(plan, institution, old.directory.file_set_id)
        copier = Copier(archive, transcoder, profile)
        writer = SetWriter(copier, profile, about, told.add, sync_volume, plan.ask.skip_refused)
        written = _Update(old, writer).write(new)
    already = len(plan.volumes[0].objects) - len(new)
    return MediaReport.of(plan, [written], already)


@dataclass(frozen=True, slots=True)
class _OldSet:
    """What is on the medium."""

    folder: Path
    directory: directory_reading.Directory
    files: tuple[directory_reading.ReferencedFile, ...]
    checksums: dict[str, str]

    @classmethod
    def read(cls, folder: Path) -> _OldSet:
        """Raises CannotExport for what is not ours, or not as we wrote it."""
        path = folder / DIRECTORY
        if not path.is_file():
            raise CannotExport(_NO_SET.format(folder))
        with path.open("rb") as file:
            if _implementation() not in file.read(_HEAD_BYTES):
                raise CannotExport(f"the file-set in {folder} was not written by Radfuse; {_ANOTHER}")
        directory = read_directory(path)
        files = tuple(directory.files())
        if directory.findings:
            raise CannotExport(f"the {DIRECTORY} in {folder} is damaged: {directory.findings[0]}; {_ANOTHER}")
        return cls(folder, directory, files, dict(read_checksums(folder / CHECKSUMS)))

    def forget_cut_off(self) -> None:
        """Take away the files that an update began to add and no record names: it was cut off."""
        left = self.folder / _PARTS.format(_ADDED)
        if left.is_symlink() or not left.is_file():
            return
        lines = (tuple(line.split("/")) for line in left.read_text("ascii", "replace").splitlines())
        ours = {each for each in lines if each[0] == _TOP and not file_ids.file_id_problems(each)}
        unnamed = sorted(ours - {each.file_id for each in self.files})
        _remove(self.folder, [each for each in unnamed if self._has_no_link(each)], [left])

    def _has_no_link(self, file_id: FileId) -> bool:
        """Whether no folder on the way to a file leads elsewhere."""
        above = os.path.join(os.path.realpath(self.folder), *file_id[:-1])
        return os.path.realpath(above) == above

    def kept_checksums(self) -> bytes:
        """The lines of the files that stay as they are, as SHA256.TXT has them."""
        names = {"/".join(each.file_id) for each in self.files}
        return "".join(checksum_line(*each[::-1]) for each in self.checksums.items() if each[0] in names).encode()

    @property
    def taken(self) -> list[FileId]:
        """The file ids that are in use, also by files that no record names. Raises CannotExport for a link."""
        top = self.folder / _TOP
        walked = ((path, name) for path, folders, names in os.walk(top) for name in (*folders, *names))
        if top.is_symlink() or any(os.path.islink(os.path.join(*each)) for each in walked):
            raise CannotExport(f"a link below {top} could lead out of the file-set; {_ANOTHER}")
        return [path.relative_to(self.folder).parts for path in files_of(top)]

    def described(self, profile: Profile) -> Iterator[tuple[Copied, FileId]]:
        """Each file as it is now. Raises CannotExport for one that is not what its record says, or not of ``profile``.

        The set declares one profile for all that is on it.
        """
        for each in self.files:
            try:
                path = find_below(self.folder, each.file_id)
                described = describe_file(path)
            except (OSError, ValueError, DataSetError, MediaError) as error:
                raise CannotExport(f"a file of the file-set in {self.folder} cannot be read; {_ANOTHER}") from error
            if described.sop_instance_uid != each.sop_instance_uid:
                raise CannotExport(f"a file of the file-set in {self.folder} is not what its record says; {_ANOTHER}")
            is_allowed = described.transfer_syntax_uid in profile.syntaxes_of(described.sop_class_uid)
            if not is_allowed or problems(profile, described):
                reason = f"the file-set in {self.folder} holds what {profile.name} forbids"
                raise CannotExport(f"{reason}: name the profile that it was made by, or {_ANOTHER}")
            digest = self.checksums.get("/".join(each.file_id)) or sha256_of(path)
            yield Copied(described, digest, path.stat().st_size), each.file_id


@dataclass(frozen=True, slots=True)
class _Update:
    old: _OldSet
    writer: SetWriter

    def write(self, new: list[Planned]) -> WrittenVolume:
        """Write what is new, and the directory over all; the whole file-set's size then, and the new objects."""
        folder, contents = self.old.folder, Contents()
        placed_new = list(placed(new, self.old.taken))
        added = [file_id for _, file_id in placed_new]
        papers: dict[str, bytes] = {}
        try:
            self._put(_ADDED, "".join(f"{'/'.join(each)}\n" for each in added).encode("ascii"))
            sync(folder)
            self._write_directory(placed_new, contents)
            papers = self.writer.papers(contents, sha256_of(self._part(DIRECTORY)))
            for name, content in (papers | {_KEPT: self.old.kept_checksums()}).items():
                self._put(name, content)
            self.writer.sync_volume()
            size = contents.size_bytes + self._part(DIRECTORY).stat().st_size + sum(map(len, papers.values()))
            self._part(_KEPT).replace(folder / CHECKSUMS)
            sync(folder)
            self._part(DIRECTORY).replace(folder / DIRECTORY)
        except BaseException:
            _remove(folder, added, [self._part(name) for name in (DIRECTORY, _ADDED, _KEPT, *papers)])
            raise
        sync(folder)
        self._appear(name for name in papers if name != CHECKSUMS)
        self._appear([CHECKSUMS])
        self._part(_ADDED).unlink()
        return self.writer.written(folder, len(new) - contents.refusals.total(), size, contents)

    def _write_directory(self, new: Iterable[tuple[Planned, FileId]], contents: Contents) -> None:
        """Write the new objects, and beside the old directory the one over all."""
        declared = profile_named(self.writer.profile.narrows or self.writer.profile.name)
        kept = (contents.note(copied, file_id) for copied, file_id in self.old.described(declared))
        added = self.writer.objects(self.old.folder, new, contents)
        self._part(DIRECTORY).unlink(missing_ok=True)  # of an update that was killed
        with contextlib.closing(added):
            self.writer.directory(self._part(DIRECTORY), chain(kept, added), contents)

    def _part(self, name: str) -> Path:
        return self.old.folder / _PARTS.format(name)

    def _put(self, name: str, content: bytes) -> None:
        """Write a part, durably."""
        part = self._part(name)
        part.unlink(missing_ok=True)  # also a link that somebody put on the medium
        part.write_bytes(content)
        sync(part)

    def _appear(self, names: Iterable[str]) -> None:
        """Parts take their places, durably."""
        for name in names:
            self._part(name).replace(self.old.folder / name)
        sync(self.old.folder)


def _implementation() -> bytes:
    """Our Implementation Class UID (0002,0012) as it stands in the file meta information of what we write."""
    uid = IMPLEMENTATION_CLASS_UID.encode("ascii")
    uid += b"\0" * (len(uid) % 2)
    return b"\x02\x00\x12\x00UI" + len(uid).to_bytes(2, "little") + uid


def _require_fit(plan: MediaPlan, old: _OldSet, new: list[Planned]) -> None:
    more = sum(each.size_bytes for each in new)
    require_space(old.folder, more)
    capacity = plan.ask.medium_bytes or profile_named(plan.ask.profile).medium.capacity_bytes
    there = sum(path.stat().st_size for path in files_of(old.folder))
    if capacity is not None and there + more > capacity:
        raise CannotExport(f"the medium holds {capacity:,} bytes, and {there + more:,} would be on it; {_ANOTHER}")


def _remove(folder: Path, file_ids: list[FileId], parts: list[Path]) -> None:
    """Take away what was added; folders only when they are empty."""
    for path in (*parts, *(folder.joinpath(*file_id) for file_id in file_ids)):
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
    for each in sorted({parent for file_id in file_ids for parent in folder.joinpath(*file_id).parents}, reverse=True):
        if each.is_relative_to(folder) and each != folder:
            with contextlib.suppress(OSError):
                each.rmdir()
