"""What is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

from radfuse.core.errors import InvalidRegion
from radfuse.roi.metabolic import Threshold, ThresholdKind
from radfuse.roi.tumour import MINIMUM_ML
from radfuse.services.measure.dose_words import DoseMetric
from radfuse.services.measure.regions import Everywhere, RegionAsk
from radfuse.services.volumes import Where
from radfuse.volume import Repair, Unit


@dataclass(frozen=True, slots=True)
class Image:
    """A series of the archive or files; without a unit PET is read as SUVbw, all else as it is."""

    where: Where
    unit: Unit | None = None
    repairs: frozenset[Repair] = frozenset()
    stack: int | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """A threshold before the image's unit is known; its unit is the one asked for, else SUV for PET."""

    kind: ThresholdKind
    value: float = 0.0
    reference: RegionAsk | None = None
    """Where PERCIST measures normal tissue; then there is no value."""

    def __post_init__(self) -> None:
        """Check that there is what the kind needs."""
        is_percist = self.kind in (ThresholdKind.PERCIST_LIVER, ThresholdKind.PERCIST_BLOOD_POOL)
        if is_percist != (self.reference is not None):
            raise InvalidRegion("PERCIST needs a reference region, other thresholds have none")
        if not is_percist:
            Threshold(self.kind, self.value)


@dataclass(frozen=True, slots=True)
class Exclude:
    """A region in which no lesion is looked for."""

    name: str
    region: RegionAsk


@dataclass(frozen=True, slots=True)
class MeasureAsk:
    """What is measured: the first image decides about spheres, mask files and thresholds."""

    images: tuple[Image, ...]
    region: RegionAsk = field(default_factory=Everywhere)
    limit: Limit | None = None
    peak: bool = False
    diameters: bool = False
    total_tumour: bool = False
    minimum_ml: float = MINIMUM_ML
    exclusions: tuple[Exclude, ...] = ()
    dose: tuple[DoseMetric, ...] = ()
    """For dose volumes; empty: the usual ones."""

    def __post_init__(self) -> None:
        """Check what goes together. Raises InvalidRegion."""
        if not self.images:
            raise InvalidRegion("there is no image to measure")
        if self.total_tumour and self.limit is None:
            raise InvalidRegion("total tumour volume needs a threshold")
        if self.exclusions and not self.total_tumour:
            raise InvalidRegion("exclusions belong to total tumour volume")
