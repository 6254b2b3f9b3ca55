"""Regions and images carried over, and the objects that hold them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from radfuse.archive import Archive
from radfuse.services.carry.asking import CarryAsk, Form, Regions
from radfuse.services.carry.finding import path_notes, path_of, path_words, registrations_on
from radfuse.services.carry.regions import CarriedRegion, RegionsFound, carry_regions
from radfuse.services.contours import grid_of, images_of
from radfuse.services.new_regions import headers_of
from radfuse.services.one_object import stored_data_set
from radfuse.services.region_objects import object_in
from radfuse.services.registrations import RegistrationPath
from radfuse.services.registrations.applying import carry_volume
from radfuse.services.store_results import StoredResults, store
from radfuse.services.stored_objects import object_of
from radfuse.services.volumes import open_volume
from radfuse.volume import Volume, resample

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from radfuse.objects.common import Making, Provenance, Reference

Progress: TypeAlias = Callable[[float, str], None]
"""Told the share that is done, 0 to 1, and with what; what it raises ends the work."""

_SERIES: Final = "Carried over"
_LABEL: Final = "CARRIED"


@dataclass(frozen=True, eq=False)
class Carried:
    """What arrived in the frame of reference of the fixed series: images, or regions."""

    ask: CarryAsk
    path: RegistrationPath
    notes: tuple[str, ...]
    """What a person should know before trusting it."""
    volume: Volume | None = None
    found: RegionsFound | None = None

    @property
    def regions(self) -> tuple[CarriedRegion, ...]:
        """The regions that arrived."""
        return self.found.regions if self.found else ()

    @property
    def sentence(self) -> str:
        """What was carried by what, in one sentence."""
        what = f"{len(self.regions)} region{'s' if len(self.regions) != 1 else ''}" if self.found else "the images"
        return f"{what} carried over by {path_words(self.path)}: {self.path.grade.value}"


def carry(archive: Archive, ask: CarryAsk, progress: Progress | None = None) -> Carried:
    """Carry regions or images of one series to another.

    Raises UnknownEntity; NotOverlaid where the series are not registered; InvalidRegion where nothing arrives;
    FramesDiffer; and what reading the images and regions raises.
    """
    tell = progress or _nobody
    tell(0.0, "looking for the path")
    path = path_of(archive, ask.fixed, ask.moving, ask.wish)
    fixed = images_of(archive, ask.fixed, ask.fixed_stack)
    tell(0.1, "carrying")
    if isinstance(ask.what, Regions):
        wanted = replace(ask.what, where=object_in(archive, ask.what.where))
        ask = replace(ask, what=wanted)
        found = carry_regions(archive, ask, wanted, path, fixed)
        return Carried(ask, path, _notes(found.notes, path, ask), found=found)
    volume = open_volume(archive, ask.moving, ask.what.unit, (), ask.moving_stack)
    tell(0.4, "resampling")
    made = carry_volume(path, volume, grid_of(fixed))
    return Carried(ask, path, _notes([each.sentence for each in made.findings], path, ask), volume=made)


def save(archive: Archive, carried: Carried, making: Making) -> StoredResults:
    """Keep the objects in the archive, all or none. Raises what ``store`` and ``objects_of`` raise."""
    return store(archive, objects_of(archive, carried, making))


def objects_of(archive: Archive, carried: Carried, making: Making) -> list[Dataset]:
    """An RT Structure Set or a Segmentation on the fixed images; or images like the moving ones on their grid.

    Each refers to the registrations that it came by. Raises what the builders raise.
    """
    registrations = registrations_on(archive, carried.path)
    if carried.found is not None:
        return [_regions_object(archive, carried, carried.found, registrations, making)]
    return _images(archive, carried, registrations, making)


def _notes(own: Sequence[str], path: RegistrationPath, ask: CarryAsk) -> tuple[str, ...]:
    """All of them, each once."""
    return tuple(dict.fromkeys((*own, *path_notes(path), *ask.notes)))


def _nobody(_share: float, _doing: str) -> None:
    """Nobody wants to know."""


def _provenance(carried: Carried, inputs: Sequence[Reference], **more: str) -> Provenance:
    from radfuse.objects.common import Provenance

    parameters = {"path": path_words(carried.path), "grade": carried.path.grade.value, **more}
    if carried.notes:
        parameters["notes"] = "; ".join(carried.notes)
    what = "regions" if carried.found else "images"
    return Provenance(f"{what} carried over by registration", parameters, tuple(inputs))


# --- images ----------------------------------------------------------------------------------


def _images(archive: Archive, carried: Carried, registrations: Sequence[Reference], making: Making) -> list[Dataset]:
    from radfuse.objects.common import NewSeries, codes, reference_to
    from radfuse.objects.series import build_series

    assert carried.volume is not None  # noqa: S101 no regions: images
    ask = carried.ask
    sources = headers_of(images_of(archive, ask.moving, ask.moving_stack))
    provenance = _provenance(carried, [*map(reference_to, sources), *registrations], interpolation="linear")
    made = list(
        build_series(
            carried.volume,
            sources,
            NewSeries(_SERIES),
            provenance,
            making,
            derivation=codes.DEFORMED_FOR_REGISTRATION if carried.path.is_deformable else codes.SPATIAL_RESAMPLING,
            padding=resample.outside_value(carried.volume.unit),
        )
    )
    for ds in made:
        _refer(ds, registrations)
    return made


# --- regions ---------------------------------------------------------------------------------


def _regions_object(
    archive: Archive, carried: Carried, found: RegionsFound, registrations: Sequence[Reference], making: Making
) -> Dataset:
    from radfuse.objects.common import add_common_instance_reference, reference_to

    ask = carried.ask
    images = headers_of(images_of(archive, ask.fixed, ask.fixed_stack))
    source = _source(archive, ask)
    inputs = [*map(reference_to, images), *source, *registrations]
    provenance = _provenance(carried, inputs, form=found.form.value)
    if found.form is Form.SEG:
        ds = _segmentation(found, images, provenance, making)
        add_common_instance_reference(ds, inputs)
    else:
        ds = _structure_set(found, images, provenance, making)
    _refer(ds, [*registrations, *source])
    return ds


def _source(archive: Archive, ask: CarryAsk) -> list[Reference]:
    """The object that the regions were read from, where the archive keeps it."""
    from radfuse.objects.common import reference_to

    if not isinstance(ask.what, Regions) or not isinstance(ask.what.where, str):
        return []
    return [reference_to(stored_data_set(archive, object_of(archive, ask.what.where), pixels=False))]


def _structure_set(found: RegionsFound, images: list[Dataset], provenance: Provenance, making: Making) -> Dataset:
    from radfuse.objects.common import NewSeries
    from radfuse.objects.rtstruct import build_structure_set

    rois = [
        replace(region.roi, description=_described(region.roi.description, region))
        for region in found.regions
        if region.roi is not None
    ]
    label = found.label[:16] or _LABEL
    return build_structure_set(
        rois, images, label=label, provenance=provenance, making=making, series=NewSeries(_SERIES)
    )


def _segmentation(found: RegionsFound, images: list[Dataset], provenance: Provenance, making: Making) -> Dataset:
    from radfuse.objects.common import NewSeries
    from radfuse.objects.seg import Content, NewSegment, build_segmentation

    segments = [
        NewSegment.of(replace(region.facts, description=_described(region.facts.description, region)), region.mask)
        for region in found.regions
        if region.facts is not None and region.mask is not None
    ]
    grid = next(region.mask.grid for region in found.regions if region.mask is not None)
    content = Content(_LABEL, series=NewSeries(_SERIES))
    return build_segmentation(segments, grid, images, content=content, provenance=provenance, making=making)


def _described(before: str, region: CarriedRegion) -> str:
    """What was said of a region, and what happened to it on the way."""
    return "; ".join(filter(None, (before, "carried over by registration", *region.notes)))


def _refer(ds: Dataset, references: Sequence[Reference]) -> None:
    """Source Instance Sequence (General Reference module, PS3.3 section C.12.4): what is no image and led to this."""
    from pydicom.sequence import Sequence as Items

    if references:
        ds.SourceInstanceSequence = Items([reference.item() for reference in references])
