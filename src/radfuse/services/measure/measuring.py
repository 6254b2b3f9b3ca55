"""The use case: images are opened, the region is put on each, and everything asked for is computed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from radfuse import __version__
from radfuse.archive import Archive
from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Mask
from radfuse.roi.dose import dose_in
from radfuse.roi.lengths import diameters_of, feret_of
from radfuse.roi.metabolic import (
    MetabolicVolume,
    PercistReference,
    Threshold,
    ThresholdKind,
    metabolic_volume_of,
    percist_reference,
)
from radfuse.roi.peak import Peak, PeakFinder
from radfuse.roi.sampling import RegionVoxels, carried, voxels_of
from radfuse.roi.statistics import statistics_of_voxels
from radfuse.roi.tumour import TotalMetabolicVolume, total_metabolic_volume
from radfuse.services.measure.asking import Image, Limit, MeasureAsk
from radfuse.services.measure.dose_words import USUAL, DoseMetric
from radfuse.services.measure.regions import Everywhere, Placed, Region, region_of
from radfuse.services.measure.results import DoseNumbers, DoseValue, ImageNumbers, Measured
from radfuse.services.volumes import open_volume, stacks, usual_unit
from radfuse.volume import Unit, Volume
from radfuse.volume.image_files import is_image_file

_ACTIVITY = (Unit.BQML, Unit.COUNTS)


def measure(archive: Archive | None, ask: MeasureAsk) -> Measured:
    """Measure one region in every image that is asked for.

    Raises what opening volumes raises, InvalidRegion and FramesDiffer, UnreadableObject for an object without
    regions, UnknownEntity for a series or object that is not kept.
    """
    volumes = [_opened(archive, image) for image in ask.images]
    region = region_of(archive, ask.region, volumes[0].grid)
    measured = tuple(
        _Measuring(archive, ask, image, volume).numbers(region, is_first=number == 0)
        for number, (image, volume) in enumerate(zip(ask.images, volumes, strict=True))
    )
    return Measured(region.facts, measured, f"Radfuse {__version__}")


def _opened(archive: Archive | None, image: Image) -> Volume:
    return open_volume(archive, image.where, _unit(archive, image), image.repairs, image.stack)


def _unit(archive: Archive | None, image: Image) -> Unit | None:
    """The unit to read: as asked; else SUV by body weight of PET that is in no SUV, or the reason why there is none."""
    if image.unit is not None or _is_image_file(image):
        return image.unit
    found = stacks(archive, image.where)
    chosen = found[(image.stack or 1) - 1 : image.stack or 1]
    return next(filter(None, map(usual_unit, chosen)), None)


def _is_image_file(image: Image) -> bool:
    where = image.where
    if isinstance(where, str):
        return False
    paths: Iterable[Path] = [where] if isinstance(where, Path) else where
    return all(is_image_file(path) for path in paths)


class _Measuring:
    """One image while it is measured."""

    def __init__(self, archive: Archive | None, ask: MeasureAsk, image: Image, volume: Volume) -> None:
        self._archive = archive
        self._ask = ask
        self._asked_unit = image.unit
        self._volume = volume

    def numbers(self, region: Region, *, is_first: bool) -> ImageNumbers:
        """Everything; thresholds and lesions in the first image alone."""
        volume, ask = self._volume, self._ask
        self._check(is_first)
        is_dose = volume.unit is Unit.GY
        placed = region.for_dose(volume.grid) if is_dose else region.on(volume.grid)
        if not placed.mask.inside.any():
            raise InvalidRegion(
                "no voxel centre of the image lies in it: it is outside the image, or smaller than the image's voxels"
            )
        base = ImageNumbers(
            series_uid=volume.source.series_uid,
            modality=volume.source.modality,
            unit=volume.unit,
            instance_uids=tuple(dict.fromkeys(uid for uid in volume.source.instance_uids if uid)),
            suv=volume.suv,
            findings=tuple(finding.sentence for finding in volume.findings),
            mask=placed.mask,
            notes=placed.notes,
        )
        if is_dose:
            return replace(base, dose=self._dose(placed, ask.dose or USUAL))
        if is_first and ask.total_tumour:
            threshold, reference = self._threshold()
            within = None if isinstance(ask.region, Everywhere) else placed.mask
            return replace(base, reference=reference, tumour=self._tumour(threshold, within))
        voxels = voxels_of(volume, placed.mask)
        peak = PeakFinder(volume).find(voxels) if ask.peak or self._needs_peak(is_first) else None
        above, reference = self._above(voxels, peak) if is_first and ask.limit else (None, None)
        above_mask = _above_mask(voxels, above.level) if above else None
        numbers = replace(base, above_mask=above_mask, statistics=statistics_of_voxels(voxels), peak=peak)
        return self._with_lengths(replace(numbers, above=above, reference=reference))

    def _check(self, is_first: bool) -> None:
        """Nothing that was asked for is passed over in silence."""
        unit = self._volume.unit
        if is_first and unit is Unit.GY and (self._ask.limit or self._ask.peak or self._ask.diameters):
            raise InvalidRegion(
                "of a dose there are no thresholds, peaks or diameters; V20Gycc is the volume above 20 Gy"
            )
        if is_first and len(self._ask.images) == 1 and self._ask.dose and unit is not Unit.GY:
            raise InvalidRegion(f"dose metrics are asked for, but the image is in {unit}")

    def _needs_peak(self, is_first: bool) -> bool:
        limit = self._ask.limit
        return is_first and limit is not None and limit.kind is ThresholdKind.PERCENT_OF_PEAK

    def _with_lengths(self, numbers: ImageNumbers) -> ImageNumbers:
        if not self._ask.diameters:
            return numbers
        mask, _ = carried(numbers.mask, self._volume.grid)
        return replace(numbers, feret=feret_of(mask), diameters=diameters_of(mask))

    def _threshold(self) -> tuple[Threshold, PercistReference | None]:
        limit, volume = self._limit(), self._volume
        if limit.reference is None:
            return Threshold(limit.kind, limit.value, self._threshold_unit()), None
        placed = region_of(self._archive, limit.reference, volume.grid).on(volume.grid)
        reference = percist_reference(volume, placed.mask, limit.kind)
        reference = replace(
            reference, notes=(*(f"reference region: {note}" for note in placed.notes), *reference.notes)
        )
        return reference.threshold, reference

    def _limit(self) -> Limit:
        if self._ask.limit is None:
            raise InvalidRegion("there is no threshold")
        return self._ask.limit

    def _threshold_unit(self) -> Unit:
        """A threshold is meant for the unit that was asked for; where none was, a PET's is meant for SUV."""
        if self._asked_unit is not None:
            return self._asked_unit
        is_pet = self._volume.source.modality == "PT" and not self._volume.unit.is_suv
        return Unit.SUV_BW if is_pet or self._volume.unit in _ACTIVITY else self._volume.unit

    def _above(self, voxels: RegionVoxels, peak: Peak | None) -> tuple[MetabolicVolume, PercistReference | None]:
        threshold, reference = self._threshold()
        return metabolic_volume_of(voxels, threshold, peak.value if peak else None), reference

    def _tumour(self, threshold: Threshold, within: Mask | None) -> TotalMetabolicVolume:
        volume = self._volume
        exclusions = {
            each.name: region_of(self._archive, each.region, volume.grid).on(volume.grid).mask
            for each in self._ask.exclusions
        }
        return total_metabolic_volume(
            volume, threshold, minimum_ml=self._ask.minimum_ml, exclusions=exclusions, within=within
        )

    def _dose(self, placed: Placed, metrics: tuple[DoseMetric, ...]) -> DoseNumbers:
        dose = dose_in(self._volume, placed.mask, placed.fractions)
        values = []
        for metric in metrics:
            try:
                values.append(DoseValue(metric.name, metric.value(dose), metric.unit))
            except InvalidRegion as error:
                values.append(DoseValue(metric.name, None, metric.unit, error.reason))
        return DoseNumbers(
            volume_ml=dose.volume_ml,
            outside_ml=dose.outside_ml,
            minimum_gy=dose.minimum_gy,
            mean_gy=dose.mean_gy,
            maximum_gy=dose.maximum_gy,
            metrics=tuple(values),
            step_mm=dose.step_mm,
            histogram=dose.histogram(),
            notes=(*placed.notes, *dose.notes),
        )


def _above_mask(voxels: RegionVoxels, level: float) -> Mask:
    inside = np.zeros(voxels.grid.shape, dtype=np.bool_)
    inside.reshape(-1)[voxels.places[voxels.values >= level]] = True
    return Mask(voxels.grid, inside)
