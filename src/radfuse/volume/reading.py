"""Stacks into volumes: stored values read, made numbers of a unit, repaired where that was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from radfuse.core.errors import CannotBuildVolume
from radfuse.volume.frames import Rescale
from radfuse.volume.images import ImageFile
from radfuse.volume.lattice import Repair, Slot, in_slices
from radfuse.volume.model import Finding, FindingKind, Unit, Volume
from radfuse.volume.stacks import Stack
from radfuse.volume.stored import Decoding, Numbers, OpenPixels, decoding, opened
from radfuse.volume.units import require_unit, unit_findings

if TYPE_CHECKING:
    from radfuse.dicom import Transcoder
    from radfuse.volume.suv import SuvEvidence

_THREADS: Final = 2
_SHORT: Final = np.iinfo(np.int16)
_LONGEST_SHORT_BITS: Final = 16
_LARGEST_SLOPE: Final = 1000
"""With which 16 bits still fit into 32."""


def read_stack(
    stack: Stack,
    unit: Unit | None = None,
    repairs: frozenset[Repair] = frozenset(),
    transcoder: Transcoder | None = None,
) -> Volume:
    """The volume of a stack, in ``unit`` (None: the unit the images are in).

    Only the repairs named in ``repairs`` are made, and the findings of the volume name each.
    ``transcoder`` decodes compressed pixels; without one, two child processes are started when there
    are any, and ended again. Raises CannotBuildVolume, CannotComputeSUV.
    """
    grid = stack.grid
    if grid is None or not stack.frames or (stack.refusal and stack.repair not in repairs):
        raise CannotBuildVolume(stack.refusal or "there are no slices")
    unit = unit or stack.unit
    factors, suv = _factors(stack, unit)
    rescales = tuple(_in_unit(frame.rescale, unit, factor) for frame, factor in zip(stack.frames, factors, strict=True))
    with decoding(transcoder) as using:
        work = _Work(stack, unit, rescales, using)
        voxels = _filled(work)
    doubts = tuple(Finding(FindingKind.UNIT, caution.sentence) for caution in suv.cautions) if suv is not None else ()
    told = tuple(in_slices(stack.slots, finding) for finding in unit_findings(stack.frames, unit))
    findings = (*stack.findings, *told, *doubts, *_pixel_findings(work))
    return Volume(voxels, grid, unit, stack.source_of_slices, findings, _of_slices(stack, suv))


def _of_slices(stack: Stack, suv: SuvEvidence | None) -> SuvEvidence | None:
    """With a factor for each slice of the grid, where images have their own: of a slice between two, by its weight."""
    if suv is None or len(suv.factors) == 1:
        return suv
    by_image = suv.factors
    mixed = (by_image[slot.low] * (1 - slot.weight) + by_image[slot.high] * slot.weight for slot in stack.slots)
    return replace(suv, factors=tuple(mixed))


def _factors(stack: Stack, unit: Unit) -> tuple[tuple[float, ...], SuvEvidence | None]:
    """What the rescaled values of each slice are multiplied by."""
    ones = (1.0,) * len(stack.frames)
    if not unit.is_suv:
        require_unit(stack.frames[0], unit)
        return ones, None
    if stack.frames[0].image.modality != "PT":
        require_unit(stack.frames[0], unit)
    from radfuse.volume.suv import SuvKind, read_frames, suv_evidence

    kind = next(kind for kind in SuvKind if kind.unit is unit)
    headers = read_frames([(frame.image.path, frame.index) for frame in stack.frames])
    begun = [stack.begun] if stack.begun is not None and stack.begun not in stack.frames else []
    first = read_frames([(frame.image.path, frame.index) for frame in begun])
    evidence = suv_evidence(headers, kind, first=next(iter(first), None))
    return tuple(evidence.factor_for(number) for number in range(len(stack.frames))), evidence


def _in_unit(rescale: Rescale, unit: Unit, factor: float) -> Rescale:
    if unit is Unit.STORED:
        return Rescale(label=rescale.label)
    if factor == 1.0:
        return rescale
    return replace(rescale, slope=rescale.slope * factor, intercept=rescale.intercept * factor)


def _pixel_findings(work: _Work) -> tuple[Finding, ...]:
    padded, undefined = sum(work.padded), sum(work.undefined)
    found = []
    if padded:
        sentence = (
            f"{padded} voxels have the Pixel Padding Value{_padding_in(work)}: they were never measured, and are kept "
            "as they are"
        )
        found.append(Finding(FindingKind.PIXELS, sentence))
    if undefined:
        sentence = f"{undefined} voxels are no number (NaN) or infinite, and are kept as they are"
        found.append(Finding(FindingKind.PIXELS, sentence))
    return tuple(found)


def _padding_in(work: _Work) -> str:
    """What the padding became, where it is one number in all slices: whoever sees it in a minimum shall know it."""
    told = {
        (frame.image.pixels.padding, rescale) for frame, rescale in zip(work.stack.frames, work.rescales, strict=True)
    }
    padding, rescale = next(iter(told))
    if len(told) > 1 or padding is None or padding[0] != padding[1] or rescale.table is not None:
        return ""
    return f" ({padding[0] * rescale.slope + rescale.intercept:g} {work.unit})"


# --- voxels ----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Work:
    """A stack with how its stored values become numbers."""

    stack: Stack
    unit: Unit
    rescales: tuple[Rescale, ...]
    using: Decoding
    padded: list[int] = field(default_factory=list)
    """Of each slice, how many voxels have the Pixel Padding Value."""
    undefined: list[int] = field(default_factory=list)
    """Of each slice, how many voxels are no number (NaN) or infinite."""


class _DoesNotFit(Exception):
    """A number is beyond int16."""


def _filled(work: _Work) -> Numbers:
    kinds: list[Any] = [np.int16, np.float32] if _is_short(work) else [np.float32]
    for kind in kinds:
        work.padded.clear()
        work.undefined.clear()
        voxels = _allocated(work.stack, kind)
        try:
            _fill(work, voxels)
        except _DoesNotFit:
            del voxels
            continue
        return voxels
    raise AssertionError("float32 takes every number")


def _is_short(work: _Work) -> bool:
    """Whether to try int16: whole HU, or stored values, of 16 bits or less."""
    all_pixels = [frame.image.pixels for frame in work.stack.frames]
    whole = all(rescale.is_whole and rescale.label is None for rescale in work.rescales)
    whole = whole and all(abs(r.slope) <= _LARGEST_SLOPE and abs(r.intercept) < 1 << 30 for r in work.rescales)
    plain = all(pixels.kind == "i" and pixels.bits_stored <= _LONGEST_SHORT_BITS for pixels in all_pixels)
    stored = all(rescale == Rescale() for rescale in work.rescales)
    return whole and plain and (work.unit is Unit.HU or (work.unit is Unit.STORED and stored))


def _allocated(stack: Stack, kind: Any) -> Numbers:
    if stack.grid is None:
        raise CannotBuildVolume("there are no slices")
    try:
        return np.empty(stack.grid.shape, kind)
    except MemoryError:
        raise CannotBuildVolume("there is not enough memory for a volume of this size") from None


def _fill(work: _Work, voxels: Numbers) -> None:
    """Plain slices file by file, two at once; then those between them."""
    plain: dict[ImageFile, list[tuple[int, int]]] = {}
    for place, slot in enumerate(work.stack.slots):
        if slot.is_plain:
            plain.setdefault(work.stack.frames[slot.low].image, []).append((place, slot.low))
        elif slot.low < 0:
            voxels[place] = 0
    pool = ThreadPoolExecutor(_THREADS)
    try:
        for _ in pool.map(lambda each: _read_file(work, voxels, *each), plain.items()):
            pass
    finally:  # after an error, nobody waits for files that have not been begun
        pool.shutdown(cancel_futures=True)
    between = [(place, slot) for place, slot in enumerate(work.stack.slots) if not slot.is_plain and slot.low >= 0]
    if between:
        _fill_between(work, voxels, between)


def _read_file(work: _Work, voxels: Numbers, image: ImageFile, wanted: Sequence[tuple[int, int]]) -> None:
    with opened(image, work.using) as pixels:
        for place, number in wanted:
            _read_slice(work, pixels, number, voxels[place])


def _read_slice(work: _Work, pixels: OpenPixels, number: int, target: Numbers) -> None:
    """One slice into its place, without a copy where the numbers are already those of the volume."""
    frame, rescale = work.stack.frames[number], work.rescales[number]
    layout = pixels.pixels
    if (layout.rows, layout.columns) != target.shape or frame.index >= layout.frames:
        raise CannotBuildVolume("the decoded pixels are not those that the header describes")
    as_stored = target.dtype == np.int16 and layout.bits_allocated == _LONGEST_SHORT_BITS
    if as_stored:
        stored = target.view(pixels.dtype)
        pixels.read_into(frame.index, stored)
        stored = pixels.meant(stored)
    else:
        stored = pixels.frame(frame.index)
    if layout.padding is not None:
        work.padded.append(int(np.count_nonzero(pixels.is_padding(stored))))
    if target.dtype == np.int16:
        _put_whole(stored, rescale, target)
    else:
        _put(stored, rescale, target)
    if layout.kind != "i":
        work.undefined.append(int(target.size - np.count_nonzero(np.isfinite(target))))


def _put_whole(stored: Numbers, rescale: Rescale, target: Numbers) -> None:
    """Whole numbers into int16."""
    if rescale.slope == 1 and rescale.intercept == 0 and stored.dtype == np.int16:
        if stored.base is not target.base or stored.ctypes.data != target.ctypes.data:
            target[...] = stored
        return
    wide = stored.astype(np.int32)
    if rescale.slope != 1:
        wide *= int(rescale.slope)
    wide += int(rescale.intercept)
    if int(wide.min()) < _SHORT.min or int(wide.max()) > _SHORT.max:
        raise _DoesNotFit
    target[...] = wide


def _put(stored: Numbers, rescale: Rescale, target: Numbers) -> None:
    """Any numbers into float32; computed in float64, so that only the result is rounded."""
    if rescale.label is not None:
        target[...] = stored == rescale.label
    elif rescale.table is not None:
        table = np.asarray(rescale.table, np.float32)
        target[...] = table[np.clip(stored.astype(np.int64) - rescale.first, 0, len(table) - 1)]
    elif rescale == Rescale():
        target[...] = stored
    else:
        target[...] = stored * np.float64(rescale.slope) + rescale.intercept


def _fill_between(work: _Work, voxels: Numbers, between: Sequence[tuple[int, Slot]]) -> None:
    """Slices made of their two neighbours in the series, each of which is read once."""

    @lru_cache(maxsize=2)
    def neighbour(number: int) -> Numbers:
        frame = work.stack.frames[number]
        values = np.empty((frame.image.pixels.rows, frame.image.pixels.columns), np.float32)
        with opened(frame.image, work.using) as pixels:
            _read_slice(work, pixels, number, values)
        return values

    counted = len(work.padded), len(work.undefined)
    for place, slot in between:
        mixed = neighbour(slot.low) * np.float32(1 - slot.weight) + neighbour(slot.high) * np.float32(slot.weight)
        voxels[place] = np.rint(mixed) if voxels.dtype == np.int16 else mixed
    del work.padded[counted[0] :], work.undefined[counted[1] :]
