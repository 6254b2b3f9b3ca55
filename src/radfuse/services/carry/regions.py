"""Regions of RT Structure Sets and Segmentations on the images of another series."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from radfuse.archive import Archive
from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Grid, Mask, Structure
from radfuse.roi import filling, tracing
from radfuse.services.carry.asking import CarryAsk, Form, Regions
from radfuse.services.contours import grid_of, images_of
from radfuse.services.region_objects import named, read_regions, sentences
from radfuse.services.registrations import RegistrationPath
from radfuse.services.registrations.applying import carry_mask, carry_structure

if TYPE_CHECKING:
    from radfuse.objects.rtstruct import Roi, StructureSet
    from radfuse.objects.seg import Segmentation, SegmentFacts
    from radfuse.volume import Stack

_T = TypeVar("_T")
_ACROSS: Final = 0.5
"""How many slices a contour may reach through before that is said."""
_YELLOW: Final = (255, 255, 0)


@dataclass(frozen=True, eq=False)
class CarriedRegion:
    """A region on the fixed images: as contours or as voxels; as neither where nothing of it arrived."""

    name: str
    notes: tuple[str, ...]
    roi: Roi | None = None
    mask: Mask | None = None
    facts: SegmentFacts | None = None
    """What a segment says of itself."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing of it arrived."""
        is_drawn = self.roi is not None and bool(self.roi.structure.contours or self.roi.others)
        return not (is_drawn or (self.mask is not None and self.mask.voxels))

    @property
    def why(self) -> str:
        """What to say of one that is empty."""
        return "; ".join(("it is left out: nothing of it arrives on the images", *self.notes))


@dataclass(frozen=True, eq=False)
class RegionsFound:
    """Regions on the fixed images, and what they were read from."""

    form: Form
    label: str
    regions: tuple[CarriedRegion, ...]
    notes: tuple[str, ...]


def carry_regions(
    archive: Archive, ask: CarryAsk, wanted: Regions, path: RegistrationPath, fixed: Stack
) -> RegionsFound:
    """Carry regions over. Raises what reading them raises, FramesDiffer, and InvalidRegion where nothing arrives."""
    from radfuse.objects.rtstruct import StructureSet

    found = read_regions(archive, wanted.where)
    is_contours = isinstance(found, StructureSet)
    usual = Form.SEG if not is_contours else Form.SLICES if path.is_deformable else Form.CONTOURS
    form = wanted.form or usual
    work = _Work(path, grid_of(fixed), fixed, form)
    if isinstance(found, StructureSet):
        made = _contoured(archive, ask, wanted, found, work)
    elif form is Form.CONTOURS:
        raise InvalidRegion("a segmentation has no contours to be moved: carry it as seg, or as slices")
    else:
        made = _segmented(wanted, found, work)
    carried = list(made)
    regions = tuple(region for region in carried if not region.is_empty)
    lost = [f"{region.name}: {region.why}" for region in carried if region.is_empty]
    if not regions:
        raise InvalidRegion("nothing of it arrives on the images that it is carried to")
    notes = (*sentences(found), *lost, *(f"{region.name}: {note}" for region in regions for note in region.notes))
    return RegionsFound(form, found.label, regions, notes)


@dataclass(frozen=True, eq=False)
class _Work:
    """Where regions are carried to, and how."""

    path: RegistrationPath
    grid: Grid
    images: Stack
    form: Form

    def traced(self, mask: Mask, like: Structure) -> Structure:
        """New contours on the slices, with the facts of a structure."""
        made = tracing.trace(mask, like.name, None, self.images.source_of_slices.instance_uids)
        return replace(like, frame=made.frame, contours=made.contours)


# --- contours --------------------------------------------------------------------------------


def _contoured(
    archive: Archive, ask: CarryAsk, wanted: Regions, found: StructureSet, work: _Work
) -> Iterator[CarriedRegion]:
    rois = _chosen([(roi.structure.name, roi.structure.number, roi) for roi in found.rois], wanted.names)
    if work.form is Form.CONTOURS:
        yield from (_moved(roi, work) for roi in rois)
        return
    source = grid_of(images_of(archive, ask.moving, ask.moving_stack))
    for roi in rois:
        try:
            yield _filled(roi, source, work)
        except InvalidRegion as error:
            yield CarriedRegion(roi.structure.name, (str(error),))


def _filled(roi: Roi, source: Grid, work: _Work) -> CarriedRegion:
    """Its voxels on the moving images, carried over. Raises InvalidRegion."""
    name = roi.structure.name
    if not roi.structure.contours:
        return CarriedRegion(name, ())
    filled = filling.fill(roi.structure, source)
    carried = carry_mask(work.path, filled.mask, work.grid)
    notes = (*filled.notes, *carried.notes, *(("its points and open lines are left out",) if roi.others else ()))
    if not carried.mask.voxels:
        return CarriedRegion(name, notes)
    if work.form is Form.SEG:
        return CarriedRegion(name, notes, mask=carried.mask, facts=_facts(roi.structure))
    drawn = work.traced(carried.mask, roi.structure)
    return CarriedRegion(name, notes, replace(roi, structure=drawn, others=(), exclusive_or=False))


def _moved(roi: Roi, work: _Work) -> CarriedRegion:
    """Every point on its own; points and open lines too."""
    carried = carry_structure(work.path, roi.structure)
    back = work.path.chain.inverse()
    others = [replace(other, points_mm=back.apply(other.points_mm), image_uid="") for other in roi.others]
    known = tuple(other for other in others if np.isfinite(other.points_mm).all())
    notes = list(carried.notes)
    if len(known) < len(others):
        notes.append(f"{len(others) - len(known)} points and open lines are left out: nothing is known of them")
    slices = [np.ptp(work.grid.from_patient.apply(one.points_mm)[:, 2]) for one in carried.structure.contours]
    across = sum(extent > _ACROSS for extent in slices)
    if across:
        notes.append(f"{across} of {len(slices)} contours lie across the slices; the form slices draws anew on them")
    return CarriedRegion(roi.structure.name, tuple(notes), replace(roi, structure=carried.structure, others=known))


# --- voxels ----------------------------------------------------------------------------------


def _segmented(wanted: Regions, found: Segmentation, work: _Work) -> Iterator[CarriedRegion]:
    from radfuse.objects.rtstruct import Roi

    for facts in _chosen([(one.label, one.number, one) for one in found.segments], wanted.names):
        carried = carry_mask(work.path, found.mask(facts.number), work.grid)
        if work.form is Form.SEG or not carried.mask.voxels:
            yield CarriedRegion(facts.label, carried.notes, mask=carried.mask, facts=facts)
            continue
        like = Structure(facts.label, work.grid.frame, (), facts.colour or _YELLOW, facts.number)
        yield CarriedRegion(facts.label, carried.notes, Roi(work.traced(carried.mask, like), algorithm=facts.algorithm))


def _facts(structure: Structure) -> SegmentFacts:
    from radfuse.objects.common import codes
    from radfuse.objects.seg import SegmentFacts

    # What it is, nobody said.
    label = structure.name[:64] or f"region {structure.number}"
    return SegmentFacts(label=label, category=codes.TISSUE, kind=codes.TISSUE, colour=structure.colour)


def _chosen(known: Sequence[tuple[str, int, _T]], names: Sequence[str]) -> list[_T]:
    """Those of these names, or numbers where no name fits; all where none is given. Raises InvalidRegion."""
    if not names:
        return [one for _, _, one in known]
    chosen: list[_T] = []
    for name in names:
        one = named(known, name)
        chosen += [] if any(one is other for other in chosen) else [one]
    return chosen
