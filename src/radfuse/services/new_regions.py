"""New regions on images, and the RT Structure Sets and Segmentations that hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from radfuse.archive import Archive
from radfuse.core.errors import InvalidRegion
from radfuse.dicom.inflate import require_bounded
from radfuse.geometry import Grid, Mask
from radfuse.roi import combining, drawing, growing, margins, tracing
from radfuse.services.contours import grid_of, images_of
from radfuse.services.volumes import Where, open_volume, usual_unit
from radfuse.volume import Stack, Unit, Volume, image_files

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from radfuse.objects.common import Making, Provenance
    from radfuse.objects.seg import SegmentFacts

_LABEL: Final = "RADFUSE"
"""Structure Set Label and Content Label of what is made here."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """All voxels from ``low`` to ``high``."""

    low: float
    high: float = np.inf


@dataclass(frozen=True, slots=True)
class Isocontour:
    """Voxels with at least ``percent`` of the highest value that hang together with it."""

    percent: float


@dataclass(frozen=True, slots=True)
class Adaptive:
    """Half way between the background and the highest value."""


@dataclass(frozen=True, slots=True)
class Seed:
    """The voxels from ``low`` to ``high`` that hang together with that of a point."""

    point_mm: tuple[float, float, float]
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class FromFile:
    """A NIfTI or NRRD file of 0 and 1 on the voxels of the series."""

    path: Path


Finder: TypeAlias = Threshold | Isocontour | Adaptive | Seed | FromFile | None
"""How the region is found; None: it is the sphere."""


@dataclass(frozen=True, slots=True)
class MakeAsk:
    """What region is made. The sphere is the region, or where ``find`` looks. Raises InvalidRegion."""

    find: Finder
    sphere: tuple[float, float, float, float] | None = None
    """Centre and radius in mm of the patient."""
    unit: Unit | None = None
    margin_mm: float = 0.0
    largest: bool = False
    """Keep only the largest connected part."""

    def __post_init__(self) -> None:
        """Check what goes together."""
        if self.find is None and self.sphere is None:
            raise InvalidRegion("say how it is found: a threshold, a percentage, a seed, a sphere or a mask file")
        if isinstance(self.find, FromFile) and self.sphere is not None:
            raise InvalidRegion("a mask file is the region; it is not looked for in a sphere")


@dataclass(frozen=True, eq=False)
class Made:
    """A new region, and what made it, as text: enough to make it again."""

    mask: Mask
    purpose: str
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def make(archive: Archive | None, where: Where, ask: MakeAsk, stack: int | None = None) -> Made:
    """Find a region on the images of a series.

    Raises what opening the volume raises, and InvalidRegion where the region is empty.
    """
    if isinstance(ask.find, FromFile) or ask.find is None:
        grid = grid_of(images_of(archive, where, stack))
        made = _given(ask, grid)
    else:
        unit = ask.unit or usual_unit(images_of(archive, where, stack))
        made = _found(open_volume(archive, where, unit, (), stack), ask)
    mask, parameters = made.mask, dict(made.parameters)
    if ask.largest and mask.voxels:
        mask = combining.largest_component(mask)
        parameters["parts"] = "the largest one, 26 neighbours"
    if ask.margin_mm:
        mask = margins.with_margin(mask, margins.Margin.all_round(ask.margin_mm))
        parameters["margin"] = f"{ask.margin_mm:g} mm"
    if not mask.voxels:
        raise InvalidRegion("no voxel fits: it is empty")
    return Made(mask, made.purpose, parameters)


def _given(ask: MakeAsk, grid: Grid) -> Made:
    if isinstance(ask.find, FromFile):
        return Made(image_files.read_mask_file(ask.find.path, grid), "region from a mask file")
    return Made(_ball(ask, grid) or _everything(grid), "sphere", _sphere_words(ask))


def _found(volume: Volume, ask: MakeAsk) -> Made:
    ball = _ball(ask, volume.grid)
    match ask.find:
        case Threshold(low, high):
            found, purpose = growing.threshold(volume, low, high, ball), "region by threshold"
        case Isocontour(percent):
            found = growing.isocontour(volume, percent, ball or _everything(volume.grid))
            purpose = f"isocontour of {percent:g} % of the maximum"
        case Adaptive():
            found = growing.adaptive(volume, ball or _everything(volume.grid))
            purpose = "isocontour half way between background and maximum"
        case Seed(point, low, high):
            found = growing.grow(volume, np.array(point), (low, high), within=ball)
            purpose = "region grown from a seed"
        case _:
            raise InvalidRegion("it is not found on an image")
    return Made(found.mask, purpose, {**_found_words(found), **_sphere_words(ask), **_seed_words(ask)})


def _found_words(found: growing.Found) -> dict[str, str]:
    words = {"unit": found.unit.value, "lower limit": f"{found.low:.6g}"}
    if np.isfinite(found.high):
        words["upper limit"] = f"{found.high:.6g}"
    if found.maximum is not None:
        words["maximum"] = f"{found.maximum:.6g}"
    if found.background is not None:
        words["background"] = f"{found.background:.6g}"
    return words


def _sphere_words(ask: MakeAsk) -> dict[str, str]:
    if ask.sphere is None:
        return {}
    x, y, z, radius = ask.sphere
    return {"sphere": f"centre {x:g}, {y:g}, {z:g} mm, radius {radius:g} mm"}


def _seed_words(ask: MakeAsk) -> dict[str, str]:
    return {"seed": "{:g}, {:g}, {:g} mm".format(*ask.find.point_mm)} if isinstance(ask.find, Seed) else {}


def _ball(ask: MakeAsk, grid: Grid) -> Mask | None:
    if ask.sphere is None:
        return None
    *centre, radius = ask.sphere
    return drawing.mask_of(grid, drawing.sphere(np.array(centre), radius))


def _everything(grid: Grid) -> Mask:
    return Mask(grid, np.ones(grid.shape, dtype=np.bool_))


# --- as objects ------------------------------------------------------------------------------


def as_structure_set(
    stack: Stack, made: Made, name: str, making: Making, how: tracing.Tracing | None = None
) -> Dataset:
    """The region as an RT Structure Set on the images. Raises what the builder raises."""
    from radfuse.objects.rtstruct import Roi, build_structure_set

    how = how or tracing.Tracing()
    structure = tracing.trace(made.mask, name, how, stack.source_of_slices.instance_uids)
    roi = Roi(structure, algorithm="SEMIAUTOMATIC", exclusive_or=how.holes is tracing.Holes.XOR)
    images = headers_of(stack)
    words = {"holes": how.holes.value, "outline": how.outline.value}
    provenance = _provenance(made, images, words)
    return build_structure_set([roi], images, label=_LABEL, provenance=provenance, making=making)


def as_segmentation(stack: Stack, made: Made, name: str, making: Making) -> Dataset:
    """The region as a binary Segmentation on the images. Raises what the builder raises."""
    from radfuse.objects.seg import Content, NewSegment, build_segmentation

    images = headers_of(stack)
    return build_segmentation(
        [NewSegment.of(_segment_facts(name), made.mask)],
        made.mask.grid,
        images,
        content=Content(_LABEL),
        provenance=_provenance(made, images, {}),
        making=making,
    )


def headers_of(stack: Stack) -> list[Dataset]:
    """The headers of the images behind slices, without pixels, each once. Raises InflatedTooLarge."""
    from pydicom import dcmread

    paths = list(dict.fromkeys(stack.paths))
    for path in paths:
        require_bounded(path)
    return [dcmread(path, stop_before_pixels=True) for path in paths]


def _segment_facts(name: str) -> SegmentFacts:
    from radfuse.objects.common import codes
    from radfuse.objects.seg import SegmentFacts

    # What it is, nobody said.
    return SegmentFacts(label=name, category=codes.TISSUE, kind=codes.TISSUE)


def _provenance(made: Made, images: Sequence[Dataset], words: Mapping[str, str]) -> Provenance:
    from radfuse.objects.common import Provenance, reference_to

    return Provenance(made.purpose, {**made.parameters, **words}, tuple(reference_to(image) for image in images))
