"""What was measured, with everything that led to it, for people and programs."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any, Final

from radfuse.geometry import Grid, Mask
from radfuse.roi.dose import Histogram
from radfuse.roi.lengths import Diameters, Length
from radfuse.roi.metabolic import MetabolicVolume, PercistReference
from radfuse.roi.peak import Peak
from radfuse.roi.statistics import RegionStatistics
from radfuse.roi.tumour import TotalMetabolicVolume
from radfuse.services.measure.regions import RegionFacts
from radfuse.volume import Unit
from radfuse.volume.suv import SuvEvidence

DEFINITIONS: Final = {
    "Mean": "mean of the voxels, each of the same weight",
    "Sd": "standard deviation of the population: the squares are divided by the number of voxels",
    "Percentiles": "linear between the sorted voxels",
    "Maximum": "the highest voxel as it is stored, never interpolated",
    "Peak": "highest mean over a ball of 1 cm3 with its centre in the region; voxels weigh by their part in the ball",
    "Above": "voxels at or above the threshold; TLG is their volume times their mean",
    "Feret": "largest distance of two midpoints of outer faces of the region's voxels",
    "Diameters": "on the convex outline of one slice: the longest line, and the longest one at right angles to it",
    "Lesions": "voxels at or above the threshold that share a face, an edge or a corner",
    "Dose": "samples of at most 1 mm in the structure, trilinear between dose points",
}


@dataclass(frozen=True, slots=True)
class DoseValue:
    """A dose metric and its value; None with the reason when there is none."""

    name: str
    value: float | None
    unit: str
    reason: str = ""


@dataclass(frozen=True, eq=False)
class DoseNumbers:
    """The dose in the region."""

    volume_ml: float
    outside_ml: float
    minimum_gy: float
    mean_gy: float
    maximum_gy: float
    metrics: tuple[DoseValue, ...]
    step_mm: tuple[float, float, float]
    histogram: Histogram
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class ImageNumbers:
    """The numbers of one image."""

    series_uid: str
    modality: str
    unit: Unit
    instance_uids: tuple[str, ...]
    suv: SuvEvidence | None
    findings: tuple[str, ...]
    mask: Mask
    """The voxels that were measured, on a grid of the region's own or the image's; not in the JSON."""
    above_mask: Mask | None = None
    """The voxels at or above the threshold; not in the JSON either."""
    statistics: RegionStatistics | None = None
    peak: Peak | None = None
    above: MetabolicVolume | None = None
    reference: PercistReference | None = None
    feret: Length | None = None
    diameters: Diameters | None = None
    tumour: TotalMetabolicVolume | None = None
    dose: DoseNumbers | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Measured:
    """One region, measured in one image or several."""

    region: RegionFacts
    images: tuple[ImageNumbers, ...]
    software: str

    def as_json(self) -> dict[str, Any]:
        """For programs: names in capitals, units in the names, nothing left out but voxels."""
        return {**_plain(self), "Definitions": DEFINITIONS}


def _plain(value: Any) -> Any:
    match value:
        case SuvEvidence():
            return value.as_json()
        case Histogram():
            return {
                "EdgesGy": value.edges_gy.tolist(),
                "CumulativeMl": value.cumulative_ml.tolist(),
                "DifferentialMl": value.differential_ml.tolist(),
            }
        case Enum():
            return value.value
        case dict() | str() | int() | float() | None:
            return value
        case tuple():
            return [_plain(each) for each in value]
        case _ if is_dataclass(value):
            members = ((field.name, getattr(value, field.name)) for field in fields(value))
            return {_name(name): _plain(each) for name, each in members if not isinstance(each, Mask | Grid)}
    raise TypeError(type(value).__name__)


_SHORT: Final = {"uid": "UID", "uids": "UIDs", "suv": "SUV", "mtv": "MTV", "tlg": "TLG"}


def _name(field: str) -> str:
    return "".join(_SHORT.get(word, word.title()) for word in field.split("_"))
