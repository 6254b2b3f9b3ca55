"""Volumes from the archive, from files or from the cache: every object proved against its digest, once."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from radfuse.archive import Archive, InformationModel, Query, StoredObject, queries
from radfuse.core.errors import CannotBuildVolume, UnknownEntity
from radfuse.core.levels import Level
from radfuse.dicom import Element
from radfuse.services.import_media import files_below
from radfuse.services.stored_objects import objects_named
from radfuse.services.volume_facts import plane_words
from radfuse.volume import Finding, FindingKind, Repair, Stack, Unit, Volume, read_stack, stacks_of
from radfuse.volume.cache import CacheKey, VolumeCache
from radfuse.volume.image_files import is_image_file, read_image_file

if TYPE_CHECKING:
    from radfuse.geometry import Grid

Progress: TypeAlias = Callable[[int, int], None]
"""Called with how many objects were proved and how many there are in all."""

Where: TypeAlias = str | Path | Sequence[Path]
"""A series of the archive by its UID; or files and folders of files."""

_THREADS: Final = 2
_SERIES_UID: Final = Element.of("SeriesInstanceUID").tag
_SEEN: Final[ContextVar[dict[tuple[Path, str], list[StoredObject]] | None]] = ContextVar("seen", default=None)


@dataclass(frozen=True, slots=True)
class Ask:
    """What is wanted of a series."""

    unit: Unit | None = None
    """None: the unit the images are in."""
    repairs: frozenset[Repair] = frozenset()
    stack: int | None = None
    """Which stack, from 1; None: the only one."""
    like: Grid | None = None
    """For NIfTI and NRRD files: the grid that they must have, with its frame of reference."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A volume and how it came."""

    volume: Volume
    stack: int
    stacks: int
    is_cached: bool


def open_volume(
    archive: Archive | None,
    where: Where,
    unit: Unit | None = None,
    repairs: Iterable[Repair] = (),
    stack: int | None = None,
) -> Volume:
    """The volume of a series of the archive, or of files; as ``open_series`` and ``open_files``."""
    ask = Ask(unit, frozenset(repairs), stack)
    if isinstance(where, str):
        if archive is None:
            raise UnknownEntity("series")
        return open_series(archive, where, ask).volume
    return open_files(where, ask).volume


def open_series(
    archive: Archive,
    series_uid: str,
    ask: Ask | None = None,
    cache_bytes: int | None = None,
    progress: Progress | None = None,
) -> Opened:
    """A series of the archive as a volume, from the cache if it is there.

    ``cache_bytes``: the bound of the cache where it is not the archive's own.

    Raises UnknownEntity for a series that is not kept, BlobMissing or BlobDamaged when an object is
    not what was stored, CannotBuildVolume when its images make no volume or several and ``ask``
    names none, and what ``read_stack`` raises.
    """
    ask = ask or Ask()
    objects = objects_of_series(archive, series_uid)
    cache, key = _cache_of(archive, cache_bytes), _key(series_uid, objects, ask)
    if (found := cache.find(key)) is not None:
        return Opened(found.volume, ask.stack or 1, found.stacks, is_cached=True)
    with _proving(archive, objects, progress):
        made = stacks_of(_paths(archive, objects))
        opened = _read(made, ask)
    if cache.keep(key, opened.volume, opened.stacks) and _are_gone(archive, objects):
        # They were deleted while we read: whoever deleted them looked at the cache before it had this.
        cache.forget(key.digests)
    return opened


def cached_series(archive: Archive, series_uid: str, ask: Ask) -> Opened | None:
    """The volume if the cache has it. Raises UnknownEntity."""
    found = _cache_of(archive).find(_key(series_uid, objects_of_series(archive, series_uid), ask))
    return None if found is None else Opened(found.volume, ask.stack or 1, found.stacks, is_cached=True)


def _cache_of(archive: Archive, cache_bytes: int | None = None) -> VolumeCache:
    settings = archive.settings
    return VolumeCache(
        cache_folder(settings.folder), settings.volume_cache_bytes if cache_bytes is None else cache_bytes
    )


def _key(series_uid: str, objects: Sequence[StoredObject], ask: Ask) -> CacheKey:
    return CacheKey(
        series_uid,
        [stored.digest for stored in objects],
        ask.unit,
        frozenset(repair.value for repair in ask.repairs),
        ask.stack,
    )


def open_files(where: Path | Sequence[Path], ask: Ask | None = None) -> Opened:
    """DICOM files (folders with all folders in them), or one NIfTI or NRRD file, as a volume.

    A NIfTI or NRRD file that names no unit is taken to be in ``ask.unit``. Raises CannotBuildVolume,
    and what ``read_stack`` raises.
    """
    ask = ask or Ask()
    paths = [where] if isinstance(where, Path) else list(where)
    if len(paths) == 1 and is_image_file(paths[0]):
        return Opened(_image_file(paths[0], ask), 1, 1, is_cached=False)
    if ask.like is not None:
        raise CannotBuildVolume("DICOM images say themselves where they lie: only a NIfTI or NRRD file is like others")
    return _read(stacks_of(_files(paths)), ask)


def stacks(archive: Archive | None, where: Where) -> list[Stack]:
    """What volumes a series of the archive, or files, would make; no pixel is read."""
    if not isinstance(where, str):
        return stacks_of(_files([where] if isinstance(where, Path) else where))
    if archive is None:
        raise UnknownEntity("series")
    return stacks_of(_paths(archive, objects_of_series(archive, where)))


def usual_unit(stack: Stack) -> Unit | None:
    """What a person who names no unit means: SUVbw of PET that is in no SUV, or why there is none; else None."""
    return Unit.SUV_BW if stack.source.modality == "PT" and not stack.unit.is_suv else None


@contextmanager
def one_look() -> Iterator[None]:
    """While the block runs, its thread asks the index once for the objects of each series."""
    token = _SEEN.set({})
    try:
        yield
    finally:
        _SEEN.reset(token)


def objects_of_series(archive: Archive, series_uid: str) -> list[StoredObject]:
    """Every object of a series, within ``one_look`` as they were at the first. Raises UnknownEntity without one."""
    seen = _SEEN.get()
    if seen is None:
        return objects_now(archive, series_uid)
    key = (archive.settings.folder, series_uid)
    if key not in seen:
        seen[key] = objects_now(archive, series_uid)
    return seen[key]


def objects_now(archive: Archive, series_uid: str) -> list[StoredObject]:
    """Every object that a series has at this moment. Raises UnknownEntity when there is none."""
    keys = (queries.QueryKey(_SERIES_UID, "UI", (series_uid,)),)
    with archive.reading() as connection:
        found = list(queries.instances(connection, Query(InformationModel.STUDY_ROOT, Level.SERIES, keys)))
    if not found:
        raise UnknownEntity("series")
    return found


def forget_volumes(archive_folder: Path, objects: Iterable[StoredObject]) -> None:
    """Remove what the cache made of objects that are deleted."""
    VolumeCache(cache_folder(archive_folder)).forget(stored.digest for stored in objects)


def cache_folder(archive_folder: Path) -> Path:
    """Where an archive's volumes are cached."""
    return archive_folder / "cache" / "volumes"


def _image_file(path: Path, ask: Ask) -> Volume:
    """A file is one volume in one unit: nothing about it can be chosen, but what its numbers are if it does not say."""
    volume = read_image_file(path, ask.like)
    if (ask.stack or 1) != 1 or ask.repairs:
        raise CannotBuildVolume(f"{path.name} is one volume: it has no other stack, and nothing to repair")
    if ask.unit is None or ask.unit is volume.unit:
        return volume
    if volume.unit is not Unit.STORED:
        raise CannotBuildVolume(f"{path.name} is in {volume.unit}; {ask.unit} cannot be made of it")
    told = Finding(FindingKind.UNIT, f"the file names no unit; its numbers were taken for {ask.unit}, as was asked")
    return replace(volume, unit=ask.unit, findings=(*volume.findings, told))


def _files(paths: Sequence[Path]) -> list[Path]:
    try:
        found = files_below(paths)
    except FileNotFoundError as error:
        raise CannotBuildVolume(str(error)) from error
    if not found:
        raise CannotBuildVolume("there are no files")
    return found


def _paths(archive: Archive, objects: Sequence[StoredObject]) -> list[Path]:
    """The files; what arrived just now is waited for. Raises BlobMissing."""
    for stored in objects:
        with archive.open_object(stored):
            pass
    return [archive.path_of(stored) for stored in objects]


def _read(made: Sequence[Stack], ask: Ask) -> Opened:
    """The stack that was asked for; or the only one that has slices, with a finding that names what else is there."""
    number = ask.stack or _only(made)
    if not 1 <= number <= len(made):
        raise CannotBuildVolume(f"there is no volume {number}; there are {_listed(made)}")
    volume = read_stack(made[number - 1], ask.unit, ask.repairs)
    if ask.stack is None and len(made) > 1:
        left_out = [Finding(FindingKind.SPLIT, f"not part of it: {_title(stack)}") for stack in made[1:]]
        volume = replace(volume, findings=(*volume.findings, *left_out))
    return Opened(volume, number, len(made), is_cached=False)


def _only(made: Sequence[Stack]) -> int:
    """1 when the first stack is the only one with slices; those without come last."""
    several = [stack for stack in made if stack.frames]
    if len(several) > 1:
        raise CannotBuildVolume(f"the images make {len(made)} volumes; choose one by its number: {_listed(made)}")
    return 1


def _listed(made: Sequence[Stack]) -> str:
    return "; ".join(f"{number}: {_title(stack)}" for number, stack in enumerate(made, 1))


def _title(stack: Stack) -> str:
    """What a person chooses by."""
    size = (
        " x ".join(str(length) for length in reversed(stack.grid.shape)) if stack.grid else f"{len(stack.paths)} file"
    )
    place = stack.label or (plane_words(stack.grid) if stack.grid else "")
    words = [stack.source.modality, size, place, f"refused: {stack.refusal}" if stack.refusal else ""]
    return ", ".join(word for word in words if word)


def _are_gone(archive: Archive, objects: Sequence[StoredObject]) -> bool:
    """Whether one of them is not kept any more."""
    kept = objects_named(archive, [stored.sop_instance_uid for stored in objects])
    blobs = {bytes(stored.blob_id) for stored in kept.values()}
    return any(bytes(stored.blob_id) not in blobs for stored in objects)


# --- proving ---------------------------------------------------------------------------------


@contextmanager
def _proving(archive: Archive, objects: Sequence[StoredObject], progress: Progress | None) -> Iterator[None]:
    """Prove every object beside what is done inside; the end of it is the end of the proof.

    An object that is not what was stored is the reason that counts, whatever its bytes led to.
    """
    proof = _Proof(archive, objects, progress)
    with ThreadPoolExecutor(_THREADS, "prove") as threads:
        running = [threads.submit(proof.run) for _ in range(min(_THREADS, os.cpu_count() or 1))]
        try:
            yield
        except Exception:
            _wait(running)
            raise
        except BaseException:
            proof.stop()
            raise
        _wait(running)


def _wait(running: Sequence[Future[None]]) -> None:
    for future in running:
        future.result()


class _Proof:
    """Objects that threads take in turn."""

    def __init__(self, archive: Archive, objects: Sequence[StoredObject], progress: Progress | None) -> None:
        self._archive = archive
        self._total = len(objects)
        self._remaining = iter(objects)
        self._progress = progress
        self._counter = itertools.count(1)
        self._is_wanted = True

    def run(self) -> None:
        """Prove objects until none is left. Raises BlobMissing or BlobDamaged."""
        for stored in self._remaining:  # each thread takes the next one
            if not self._is_wanted:
                return
            with self._archive.open_object(stored) as opened:
                self._archive.verify(stored, opened)
            done = next(self._counter)
            if self._progress is not None:
                self._progress(done, self._total)

    def stop(self) -> None:
        """Let the threads end after the object they are at."""
        self._is_wanted = False
