"""What is made of volumes for viewers: made once, kept beside the volumes, and mapped while it is looked at."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Final, TypeAlias

from radfuse.archive import Archive
from radfuse.core.errors import UnknownEntity
from radfuse.services.volumes import cache_folder, objects_now
from radfuse.volume import Volume
from radfuse.volume.cache import CacheKey, VolumeCache

_MOST_MAPPED: Final = 16
_MOST_IN_MEMORY: Final = 2

_Key: TypeAlias = tuple[Path, str]


def derived(archive: Archive, key: CacheKey, make: Callable[[], Volume]) -> Volume:
    """The volume of ``key``, from the cache or made and kept there; several who ask at once have it made once.

    Raises what ``make`` raises.
    """
    return _OPEN.of(archive, key, make)


class _OpenVolumes:
    """The volumes used last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._volumes: OrderedDict[_Key, Future[Volume]] = OrderedDict()
        self._unmapped: list[_Key] = []

    def of(self, archive: Archive, key: CacheKey, make: Callable[[], Volume]) -> Volume:
        """The volume; whoever asks first makes it, the others wait."""
        name = (archive.settings.folder, key.name)
        with self._lock:
            known = self._volumes.get(name)
            future: Future[Volume] = known or Future()
            self._volumes[name] = future
            self._volumes.move_to_end(name)
        if known is not None:
            return future.result()
        try:
            volume, is_mapped = _found_or_made(archive, key, make)
        except BaseException as error:
            with self._lock:
                self._volumes.pop(name, None)
            future.set_exception(error)
            raise
        future.set_result(volume)
        self._tidy(name, is_mapped)
        return volume

    def _tidy(self, name: _Key, is_mapped: bool) -> None:
        """Forget what was used longest ago; of what takes memory all but the last."""
        with self._lock:
            if not is_mapped:
                self._unmapped.append(name)
            gone = self._unmapped[:-_MOST_IN_MEMORY]
            del self._unmapped[:-_MOST_IN_MEMORY]
            ready = [each for each, future in self._volumes.items() if future.done()]
            for each in (*gone, *ready[:-_MOST_MAPPED]):
                self._volumes.pop(each, None)


def _found_or_made(archive: Archive, key: CacheKey, make: Callable[[], Volume]) -> tuple[Volume, bool]:
    """The volume, and whether it is mapped."""
    settings = archive.settings
    cache = VolumeCache(cache_folder(settings.folder), settings.volume_cache_bytes)
    found = cache.find(key)
    if found is not None:
        return found.volume, True
    volume = make()
    if cache.keep(key, volume, 1):
        if _is_outdated(archive, key):
            # Deleted while we worked: whoever deleted it looked at the cache before it had this.
            cache.forget(key.digests)
        elif (found := cache.find(key)) is not None:
            return found.volume, True
    return volume, False


def _is_outdated(archive: Archive, key: CacheKey) -> bool:
    """Whether the series is not any more what the volume was made of."""
    try:
        objects = objects_now(archive, key.series_uid)
    except UnknownEntity:
        return True
    return sorted(stored.digest for stored in objects) != sorted(key.digests)


_OPEN: Final = _OpenVolumes()
