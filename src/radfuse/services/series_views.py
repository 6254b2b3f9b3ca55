"""Series as they are looked at: which stack, in which unit, what was agreed to; and their volumes, kept mapped."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

from radfuse.archive import Archive
from radfuse.core.errors import CannotComputeSUV, ImagesArriving
from radfuse.services.registrations import RegistrationPath, Wish, require_path
from radfuse.services.stack_facts import fingerprint, note_refusal, settled
from radfuse.services.volumes import Ask, Opened, Progress, cached_series, objects_now, objects_of_series, open_series
from radfuse.volume import Repair, Unit

_MOST_BYTES: Final = 1 << 30
"""Of volumes that stay mapped."""
_MOST_IN_MEMORY: Final = 384 << 20
"""Of those that the cache has no room for."""

_Key: TypeAlias = tuple[Path, bytes, Ask]


@dataclass(frozen=True, slots=True)
class SeriesView:
    """A series as a person looks at it."""

    series: str
    """Series Instance UID."""
    unit: Unit | None = None
    """None: the usual one, SUVbw of PET where there is one."""
    stack: int | None = None
    """From 1; None: the largest that can be used."""
    repairs: frozenset[Repair] = frozenset()
    only: frozenset[str] = frozenset()
    """SOP Instance UIDs of the registrations that may be used; empty: all."""
    allow_failed: bool = False
    allow_other_patient: bool = False
    proposed: int = 0
    """The job whose proposed registration lays it over others; 0: none."""
    allow_other_side: bool = False
    """Left over right too."""

    @property
    def wish(self) -> Wish:
        """What a path to it may use."""
        return Wish(self.allow_failed, self.allow_other_patient, self.only)


def mapped_volume(archive: Archive, view: SeriesView, progress: Progress | None = None) -> Opened:
    """The volume of a view on its own voxels; kept open, and built once for all who ask meanwhile.

    Without a stack the largest, without a unit the usual one; PET of which there are no SUV is in the unit of its
    images then. Raises as ``open_series``, and ImagesArriving.
    """
    ask = settled(archive, view.series, Ask(view.unit, view.repairs, view.stack))
    digests = fingerprint(objects_of_series(archive, view.series))
    try:
        return _OPEN.of(archive, view.series, digests, ask, progress)
    except CannotComputeSUV as error:
        if view.unit is not None or ask.unit is None:
            raise
        note_refusal(archive, view.series, ask.stack or 1, str(error))
        return _OPEN.of(archive, view.series, digests, replace(ask, unit=None), progress)


def path_onto(archive: Archive, fixed_series: str, view: SeriesView) -> RegistrationPath:
    """The path from a series to that of a view. Raises NotOverlaid, which says what would have to be allowed."""
    return require_path(archive, fixed_series, view.series, view.wish)


class _OpenVolumes:
    """The volumes used last, mapped from the cache: for them nothing is read or proved again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._volumes: OrderedDict[_Key, Future[Opened]] = OrderedDict()

    def of(self, archive: Archive, series: str, digests: bytes, ask: Ask, progress: Progress | None) -> Opened:
        """The volume; whoever asks first opens it, the others wait."""
        key = (archive.settings.folder, digests, ask)
        with self._lock:
            known = self._volumes.get(key)
            future: Future[Opened] = known or Future()
            self._volumes[key] = future
            self._volumes.move_to_end(key)
        if known is None:
            try:
                opened = _mapped(archive, series, ask, progress)
                # What was read while images came or went is not what is asked for by this key.
                if fingerprint(objects_now(archive, series)) != digests:
                    raise ImagesArriving
                future.set_result(opened)
            except BaseException as error:
                future.set_exception(error)
            self._tidy(key, future)
        return future.result()

    def _tidy(self, key: _Key, future: Future[Opened]) -> None:
        """Forget a failure; then what was used longest ago, sooner where it is not mapped but in memory."""
        with self._lock:
            if future.exception() is not None:
                self._volumes.pop(key, None)
            done = [(each, kept) for each, kept in self._volumes.items() if kept.done() and not kept.exception()]
            for is_mapped, most in ((True, _MOST_BYTES), (False, _MOST_IN_MEMORY)):
                sizes = {
                    each: kept.result().volume.voxels.nbytes
                    for each, kept in done
                    if kept.result().is_cached is is_mapped
                }
                for each in list(sizes)[:-1]:
                    if sum(sizes.values()) > most:
                        del self._volumes[each], sizes[each]


def _mapped(archive: Archive, series: str, ask: Ask, progress: Progress | None) -> Opened:
    """The volume, mapped if the cache has room for it."""
    opened = open_series(archive, series, ask, progress=progress)
    return opened if opened.is_cached else cached_series(archive, series, ask) or opened


_OPEN: Final = _OpenVolumes()
