"""Volumes kept on disk, ready to be mapped into memory: a store that may be lost at any time.

A file is one volume: a fixed head, a JSON header, then the voxels as they lie in memory, at an
offset of whole pages. It appears whole or not at all, is never changed, and counts only when its
digests are right, so that nothing needs a lock or a sync. The same objects under the same question
always make the same voxels: the key is their digests, the unit, the repairs and our version.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import secrets
import struct
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import xxhash

from radfuse import __version__
from radfuse.core.errors import RadfuseError
from radfuse.geometry import Affine, FrameOfReference, Grid
from radfuse.volume.model import Finding, Source, Unit, Volume
from radfuse.volume.plain import from_plain, to_plain

DEFAULT_LIMIT_BYTES: Final = 8 << 30
_MAGIC: Final = b"RADFVOL2"
"""The last digit changes whenever the same images make another volume than before, within one version."""
_HEAD: Final = struct.Struct("<8sQ8s16s")
"""Magic, length of the header, its digest (xxh3 64), the voxels' digest (xxh3 128)."""
_PAGE: Final = 4096
_SUFFIX: Final = ".volume"
_UNFINISHED: Final = ".part"
_ABANDONED_S: Final = 3600.0
_LARGEST_HEADER: Final = 64 << 20
_MODE: Final = 0o640
_FREE_SHARE: Final = 0.05
_FREE_BYTES: Final = 4 << 30
_TYPES: Final = {"int16": "<i2", "float32": "<f4"}


@dataclass(frozen=True, slots=True)
class CacheKey:
    """What a cached volume is the answer to."""

    series_uid: str
    digests: Sequence[bytes]
    """Of every object of the series, in any order."""
    unit: Unit | None
    repairs: frozenset[str]
    stack: int | None
    """Which of the series' stacks, from 1; None: the only one."""
    made: str = ""
    """What was made of the volume, with all that it was made with; "" for the volume itself."""

    @property
    def prefix(self) -> str:
        """How the names of all files of this series begin."""
        return xxhash.xxh3_64_hexdigest(self.series_uid.encode())

    @property
    def name(self) -> str:
        """The name of the file."""
        question = [__version__, self.unit or "", *sorted(self.repairs), str(self.stack)]
        question += [self.made] if self.made else []
        whole = xxhash.xxh3_128("\n".join(question).encode())
        for digest in sorted(self.digests):
            whole.update(digest)
        return f"{self.prefix}-{whole.hexdigest()}{_SUFFIX}"


@dataclass(frozen=True, slots=True)
class Cached:
    """A volume from the cache: its voxels are mapped, and stay though the file is removed."""

    volume: Volume
    stacks: int
    """How many stacks the series makes."""


class VolumeCache:
    """Files in ``folder``, together at most ``limit_bytes``; 0 keeps nothing. For any number of threads and processes.

    Nothing here raises: what cannot be read is a miss, what cannot be written is not kept.
    """

    def __init__(self, folder: Path, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self.folder = folder
        self._limit_bytes = limit_bytes

    def find(self, key: CacheKey) -> Cached | None:
        """The volume, unless it is not there or not whole; what is not whole is removed."""
        if self._limit_bytes <= 0:
            return None
        path = self.folder / key.name
        try:
            found = _read(path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, AttributeError, ImportError, RadfuseError):
            _remove(path)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return found

    def keep(self, key: CacheKey, volume: Volume, stacks: int) -> bool:
        """Keep a volume if there is room for it; whether it was kept. Others of its series that are outdated go."""
        size = volume.voxels.nbytes
        if size > self._limit_bytes:
            self.prune()  # the bound may be less than it was
            return False
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o750)
            self._remove_outdated(key)
            if not _has_room(self.folder, size):
                return False
            self._write(key, volume, stacks)
        except (OSError, TypeError, ValueError):
            return False
        self.prune(spare=key.name)
        return True

    def forget(self, digests: Iterable[bytes]) -> int:
        """Remove every volume that holds pixels of one of these objects; how many there were."""
        gone = {digest.hex() for digest in digests}
        count = 0
        for path in self._files():
            try:
                holds = gone.intersection(_header_of(path)["objects"])
            except FileNotFoundError:
                continue
            except (OSError, ValueError, TypeError, KeyError):
                holds = gone
            if holds:
                _remove(path)
                count += 1
        return count

    def prune(self, spare: str = "") -> None:
        """Remove what was not used for longest until the rest is within the limit, and what was never finished."""
        files = []
        with contextlib.suppress(OSError):
            for entry in os.scandir(self.folder):
                with contextlib.suppress(OSError):
                    status = entry.stat()
                    if entry.name.endswith(_SUFFIX):
                        files.append((status.st_mtime_ns, entry.name, status.st_size))
                    elif entry.name.endswith(_UNFINISHED) and time.time() - status.st_mtime > _ABANDONED_S:
                        _remove(Path(entry.path))
        total = sum(size for _, _, size in files)
        for _, name, size in sorted(files):
            if total <= self._limit_bytes:
                return
            if name != spare:
                _remove(self.folder / name)
                total -= size

    def size_bytes(self) -> int:
        """What all files together take."""
        total = 0
        for path in self._files():
            with contextlib.suppress(OSError):
                total += path.stat().st_size
        return total

    def _files(self) -> list[Path]:
        try:
            return sorted(path for path in self.folder.iterdir() if path.name.endswith(_SUFFIX))
        except OSError:
            return []

    def _remove_outdated(self, key: CacheKey) -> None:
        """Objects of the series came or were replaced: what was made of them as they were is never asked for again."""
        here = sorted(digest.hex() for digest in key.digests)
        for path in self.folder.glob(f"{key.prefix}-*{_SUFFIX}"):
            try:
                is_outdated = _header_of(path)["objects"] != here
            except (OSError, ValueError, TypeError, KeyError):
                is_outdated = True
            if is_outdated:
                _remove(path)

    def _write(self, key: CacheKey, volume: Volume, stacks: int) -> None:
        voxels = np.ascontiguousarray(volume.voxels, dtype=_TYPES[volume.voxels.dtype.name])
        header = json.dumps(_described(key, volume, stacks), allow_nan=False).encode()
        if len(header) > _LARGEST_HEADER:
            raise ValueError("the header is too large")
        content = voxels.data.cast("B")
        head = _HEAD.pack(_MAGIC, len(header), xxhash.xxh3_64_digest(header), xxhash.xxh3_128_digest(content))
        head += header
        head += bytes(-len(head) % _PAGE)
        unfinished = self.folder / f"{secrets.token_hex(8)}{_UNFINISHED}"
        try:
            file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
            try:
                for part in (memoryview(head), content):
                    _write_all(file, part)
            finally:
                os.close(file)
            os.rename(unfinished, self.folder / key.name)
        except BaseException:
            _remove(unfinished)
            raise


def _described(key: CacheKey, volume: Volume, stacks: int) -> dict[str, Any]:
    return {
        "objects": sorted(digest.hex() for digest in key.digests),
        "stacks": stacks,
        "shape": list(volume.voxels.shape),
        "type": volume.voxels.dtype.name,
        "to_patient": volume.grid.to_patient.matrix.tolist(),
        "frame": volume.grid.frame.uid,
        "unit": volume.unit.value,
        "source": to_plain(volume.source),
        "findings": to_plain(volume.findings),
        "suv": to_plain(volume.suv),
    }


def _header_of(path: Path) -> dict[str, Any]:
    """The JSON header. Raises OSError or ValueError."""
    with path.open("rb") as file:
        _, header = _checked_header(file.read(_HEAD.size), file.read)
    return header


def _checked_header(head: bytes, more: Any) -> tuple[bytes, dict[str, Any]]:
    """The digest of the voxels, and the header; ValueError when they are not what was written."""
    if len(head) < _HEAD.size:
        raise ValueError("too short")
    magic, length, header_digest, voxel_digest = _HEAD.unpack(head)
    if magic != _MAGIC or length > _LARGEST_HEADER:
        raise ValueError("not a cached volume")
    text = more(length)
    if xxhash.xxh3_64_digest(text) != header_digest:
        raise ValueError("the header is damaged")
    header = json.loads(text)
    if not isinstance(header, dict):
        raise ValueError("the header is no object")
    return voxel_digest, header


def _read(path: Path) -> Cached:
    """Map one file. Raises OSError or what a file of another content leads to."""
    with path.open("rb") as file:
        head = file.read(_HEAD.size)
        voxel_digest, header = _checked_header(head, file.read)
        begin = file.tell() + -file.tell() % _PAGE
        kind = np.dtype(_TYPES[header["type"]])
        shape = tuple(header["shape"])
        size = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
        if os.fstat(file.fileno()).st_size != begin + size:
            raise ValueError("the file is cut off")
        # All pages at once: a fault for each costs more than reading them.
        flags = mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0)
        mapped = mmap.mmap(file.fileno(), size, flags=flags, prot=mmap.PROT_READ, offset=begin)
    if xxhash.xxh3_128_digest(mapped) != voxel_digest:
        raise ValueError("the voxels are damaged")
    voxels = np.frombuffer(mapped, kind).reshape(shape)
    grid = Grid(shape, Affine(np.array(header["to_patient"])), FrameOfReference(header["frame"]))
    volume = Volume(
        voxels,
        grid,
        Unit(header["unit"]),
        from_plain(Source, header["source"]),
        from_plain(tuple[Finding, ...], header["findings"]),
        _evidence(header["suv"]),
    )
    return Cached(volume, header["stacks"])


def _evidence(plain: Any) -> Any:
    if plain is None:
        return None
    from radfuse.volume import suv

    return from_plain(suv.SuvEvidence, plain)


def _write_all(file: int, content: memoryview) -> None:
    while content:
        content = content[os.write(file, content) :]


def _has_room(folder: Path, size: int) -> bool:
    """Whether so much can be written and the volume still be far from full: objects that arrive come first."""
    volume = os.statvfs(folder)
    stays = min(_FREE_BYTES, int(volume.f_blocks * volume.f_frsize * _FREE_SHARE))
    return volume.f_bavail * volume.f_frsize - size >= stays


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
