"""What comes of a follow-up: lesions at two time points, what changed, and what a person should know of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from radfuse.services.followup.asking import FollowupAsk, Rule, RuleKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydicom.dataset import Dataset

    from radfuse.registration.quality import Grade
    from radfuse.roi.boxes import Part
    from radfuse.services.followup.priors import Candidate
    from radfuse.services.register import Registered
    from radfuse.services.registrations import RegistrationPath
    from radfuse.volume import Volume


class Status(StrEnum):
    """What became of a lesion. The value is what people read."""

    PERSISTING = "persisting"
    VANISHED = "vanished"
    NEW = "new"
    UNPAIRED = "not paired"
    """Nothing says which region of the other time point it is."""
    OUTSIDE = "outside"
    """The other time point's images do not show where it was."""


class Quantity(StrEnum):
    """What is measured of a lesion; the value is the heading of its column."""

    VOLUME = "Volume"
    MAXIMUM = "Max"
    PEAK = "Peak"
    MEAN = "Mean"
    TLG = "TLG"
    LONG_AXIS = "Long axis"
    SHORT_AXIS = "Short axis"


DEFINITIONS: Final = {
    "Rule": "the same at both time points: contour, all voxels of the region; per cent, the voxels of at least this "
    "part of the highest value that hang together with it; a number, the voxels from this value on",
    "Search": "on the current images within the carried region and the margin, without the other lesions' regions, and "
    "without what lay in the margin at the prior and fitted the rule there, carried over",
    "Volume": "voxels of the lesion times the volume of a voxel",
    "Max": "highest voxel as it is stored",
    "Peak": "highest mean over a ball of 1 cm3 with its centre in the lesion",
    "Mean": "mean of the voxels of the lesion",
    "TLG": "volume times mean",
    "Long axis": "longest diameter in one slice, on the outline through the midpoints of outer edges",
    "Short axis": "longest diameter at right angles to it in the same slice",
    "Change": "current minus prior",
    "Percent": "100 times (current minus prior) divided by prior",
    "Vanished": "no voxel where it is looked for fits the rule; in per cent: none reaches the prior's threshold, nor "
    "1.5 times mean plus 2 standard deviations of what lies 5 to 15 mm around the carried region. Volume, axes and TLG "
    "are 0 then; max, peak and mean those of the carried region",
    "Total": "over all voxels that belong to any lesion of the time point, each counted once",
}


@dataclass(frozen=True, slots=True)
class Numbers:
    """Of the voxels of a lesion, in the unit of the images; None where there is none."""

    volume_ml: float
    maximum: float | None = None
    peak: float | None = None
    mean: float | None = None
    tlg: float | None = None
    long_axis_mm: float | None = None
    short_axis_mm: float | None = None

    def of(self, quantity: Quantity) -> float | None:
        """One of them."""
        return {
            Quantity.VOLUME: self.volume_ml,
            Quantity.MAXIMUM: self.maximum,
            Quantity.PEAK: self.peak,
            Quantity.MEAN: self.mean,
            Quantity.TLG: self.tlg,
            Quantity.LONG_AXIS: self.long_axis_mm,
            Quantity.SHORT_AXIS: self.short_axis_mm,
        }[quantity]


@dataclass(frozen=True, eq=False)
class Seen:
    """A lesion at one time point: the voxels that were measured."""

    part: Part
    numbers: Numbers
    level: float | None = None
    """The threshold in the unit of the images, where the rule has one."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Lesion:
    """A lesion at both time points."""

    number: int
    """From 1, in the order of the prior's regions, then the new ones."""
    name: str
    status: Status
    prior: Seen | None = None
    current: Seen | None = None
    carried: Part | None = None
    """The prior's region on the current images."""
    by_hand: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One quantity of a lesion, or of all: None where it cannot be said."""

    quantity: Quantity
    prior: float | None
    current: float | None

    @property
    def difference(self) -> float | None:
        """Current minus prior."""
        return None if self.prior is None or self.current is None else self.current - self.prior

    @property
    def percent(self) -> float | None:
        """In per cent of the prior; None where that is 0."""
        difference = self.difference
        return None if difference is None or not self.prior else 100 * difference / self.prior


@dataclass(frozen=True, slots=True)
class Finding:
    """What makes the two time points less comparable."""

    kind: str
    """uptake time, scanner, reconstruction, blood glucose …"""
    sentence: str


@dataclass(frozen=True, eq=False)
class TimePoint:
    """The images of one time point."""

    volume: Volume
    headers: tuple[Dataset, ...]
    date: str
    study_uid: str


@dataclass(frozen=True, eq=False)
class Link:
    """How the two time points are registered; without a path nothing is carried."""

    path: RegistrationPath | None
    sentence: str
    """How, or why not."""
    grade: Grade | None = None
    made: tuple[Registered, ...] = ()
    """What was registered for it, the last one is that which counts."""
    registrations: tuple[str, ...] = ()
    """SOP Instance UIDs of the kept registrations that were used."""


@dataclass(frozen=True, eq=False)
class Followup:
    """Everything about a follow-up."""

    ask: FollowupAsk
    rule: Rule
    prior: TimePoint
    current: TimePoint
    link: Link
    lesions: tuple[Lesion, ...]
    totals: tuple[Change, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    chosen: Candidate | None = None
    """The prior as it was found; None where it was named."""
    structures_uid: str = ""
    """SOP Instance UID of the object with the prior's regions."""

    @property
    def is_pet(self) -> bool:
        """Whether it is about uptake."""
        return self.current.volume.source.modality == "PT"

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What is compared."""
        return tuple(Quantity) if self.is_pet else _OF_CONTOURS

    def changes(self, lesion: Lesion) -> tuple[Change, ...]:
        """What changed of a lesion."""
        prior = None if lesion.prior is None else lesion.prior.numbers
        current = None if lesion.current is None else lesion.current.numbers
        return tuple(
            Change(one, None if prior is None else prior.of(one), None if current is None else current.of(one))
            for one in self.quantities
        )

    @property
    def all_notes(self) -> tuple[str, ...]:
        """Those of the lesions too, each with its name."""
        found = list(self.notes)
        for lesion in self.lesions:
            found += [f"{lesion.name}: {note}" for note in lesion.notes]
            for word, seen in (("prior", lesion.prior), ("current", lesion.current)):
                found += [f"{lesion.name}, {word}: {note}" for note in (seen.notes if seen is not None else ())]
        return tuple(dict.fromkeys(found))

    @property
    def parameters(self) -> Mapping[str, str]:
        """How it was made; no patient data."""
        said = {
            "rule": str(self.rule),
            "unit": self.current.volume.unit.value,
            "margin": f"{self.ask.margin_mm:g} mm",
            "registration": self.link.sentence,
        }
        if self.ask.allow_other_patient:
            said["allowed"] = "other patient"
        if by_hand := [each.name for each in self.lesions if each.by_hand]:
            said["paired by hand"] = str(len(by_hand))
        if self.rule.kind is RuleKind.CONTOUR:
            del said["margin"]
        return MappingProxyType(said)


_OF_CONTOURS: Final = (Quantity.VOLUME, Quantity.MEAN, Quantity.LONG_AXIS, Quantity.SHORT_AXIS)


def unit_of(quantity: Quantity, unit: str) -> str:
    """For people; ``unit`` is that of the images."""
    if quantity is Quantity.VOLUME:
        return "ml"
    if quantity in (Quantity.LONG_AXIS, Quantity.SHORT_AXIS):
        return "mm"
    return f"ml x {unit}" if quantity is Quantity.TLG else unit
