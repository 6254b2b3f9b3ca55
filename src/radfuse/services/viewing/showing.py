"""A series as it is handed out to viewers: its voxels as they are wherever that is possible, in the frame of a base."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import xxhash

from radfuse.archive import Archive
from radfuse.core.errors import ImagesArriving
from radfuse.geometry import Affine, FrameOfReference, Grid
from radfuse.services.registrations import RegistrationPath
from radfuse.services.registrations.applying import carry_volume
from radfuse.services.series_views import SeriesView, mapped_volume
from radfuse.services.stack_facts import StackFacts, refusal_of, settled, stack_facts
from radfuse.services.viewing.aligning import Aligned, aligned
from radfuse.services.viewing.derived import derived
from radfuse.services.viewing.grids import carried, made_anew
from radfuse.services.volumes import Ask, Progress, objects_now, objects_of_series
from radfuse.volume import Volume
from radfuse.volume.cache import CacheKey
from radfuse.volume.resample import regular_grid, resample

_STRAIGHT: Final = "at right angles"


@dataclass(frozen=True, eq=False)
class Shown:
    """A series as a viewer gets it."""

    volume: Volume
    """The voxels that are handed out, on their grid in the frame of the base."""
    native: Volume
    """The voxels as the images have them."""
    stack: StackFacts
    aligned: Aligned | None
    """How it is laid over the base; None: it is the base."""
    key: CacheKey
    """What the voxels that are handed out are kept under."""
    refusal: str = ""
    """Why the usual unit, SUV, cannot be had; "" where it can, or where another one was asked for."""

    @property
    def is_resampled(self) -> bool:
        """Whether the voxels are others than those of the images."""
        return bool(self.key.made)

    @property
    def id(self) -> str:
        """Of these voxels on this grid: the same for ever, and nothing else has it."""
        grid = self.volume.grid
        place = grid.to_patient.matrix.tobytes() + grid.frame.uid.encode()
        return xxhash.xxh3_128_hexdigest(self.key.name.encode() + place)


def show(archive: Archive, view: SeriesView, onto: str = "", progress: Progress | None = None) -> Shown:
    """A series, laid over the base ``onto``; without one it is the base. ``progress`` is told of objects read.

    Raises UnknownEntity, CannotBuildVolume, CannotComputeSUV for an SUV that was asked for by name,
    NotOverlaid, FramesDiffer, ImagesArriving, and what reading volumes raises.
    """
    digests = [stored.digest for stored in objects_of_series(archive, view.series)]
    native, ask, refusal = _opened(archive, view, progress)
    stack = stack_facts(archive, view.series)[(ask.stack or 1) - 1]
    if sorted(stored.digest for stored in objects_now(archive, view.series)) != sorted(digests):
        # Voxels of some images under the key of others would be shown for ever.
        raise ImagesArriving
    key = CacheKey(view.series, digests, ask.unit, frozenset(repair.value for repair in ask.repairs), ask.stack)
    if not onto or onto == view.series:
        volume, key = _straight(archive, native, key)
        return Shown(volume, native, stack, None, key, refusal)
    found = aligned(archive, onto, view)
    native.grid.frame.require_same(_frame(found.path.moving.frame_of_reference_uid), "the images and the registration")
    volume, key = _laid_over(archive, native, key, found)
    return Shown(volume, native, stack, found, key, refusal)


def native_volume(archive: Archive, view: SeriesView) -> Volume:
    """The voxels as the images have them, in the unit that ``show`` would show. Raises as ``show``."""
    return _opened(archive, view)[0]


def _opened(archive: Archive, view: SeriesView, progress: Progress | None = None) -> tuple[Volume, Ask, str]:
    """The volume, the question in its one form, and why it is not in the usual unit."""
    volume = mapped_volume(archive, view, progress).volume
    ask = settled(archive, view.series, Ask(view.unit, view.repairs, view.stack))
    return volume, ask, refusal_of(archive, view.series, ask.stack or 1) if view.unit is None else ""


def _straight(archive: Archive, native: Volume, key: CacheKey) -> tuple[Volume, CacheKey]:
    """The volume on a grid at right angles: its own, unless its slices are tilted."""
    if not native.grid.is_sheared:
        return native, key
    key = replace(key, made=_STRAIGHT)

    def make() -> Volume:
        return resample(native, regular_grid(native.grid), Affine.identity())

    return derived(archive, key, make), key


def _laid_over(archive: Archive, native: Volume, key: CacheKey, found: Aligned) -> tuple[Volume, CacheKey]:
    """The volume in the frame of the base: its own voxels where the path is a matrix that keeps right angles."""
    path = found.path
    if not path.steps:
        return _straight(archive, native, key)
    frame = _frame(path.fixed.frame_of_reference_uid)
    if path.chain.is_affine:
        volume, straight_key = _straight(archive, native, key)
        grid = carried(volume.grid, path.chain.affine().inverse(), frame)
        if grid is not None:
            return replace(volume, grid=grid), straight_key
    grid = made_anew(_base_grid(archive, path), native.grid, path)
    key = replace(key, made=_question(grid, found))
    return derived(archive, key, lambda: carry_volume(path, native, grid)), key


def _base_grid(archive: Archive, path: RegistrationPath) -> Grid:
    """That of the base's largest volume: it is only read from the headers."""
    series = path.fixed.series_instance_uid
    stack = settled(archive, series, Ask()).stack or 1
    grid = stack_facts(archive, series)[stack - 1].grid
    assert grid is not None  # noqa: S101 a stack that can be used
    return grid


def _question(grid: Grid, found: Aligned) -> str:
    """What the voxels depend on beside the images."""
    place = grid.to_patient.matrix.tobytes().hex()
    return "\n".join(("onto", grid.frame.uid, str(grid.shape), place, found.digest))


def _frame(uid: str) -> FrameOfReference:
    return FrameOfReference(uid)
