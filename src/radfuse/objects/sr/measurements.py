"""What a measurement report says: groups of measurements of one thing (PS3.16 TID 300, 1410, 1411, 1501)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from radfuse.objects.common import Code
from radfuse.objects.sr.codes import ENGLISH, IMAGING_MEASUREMENT_REPORT
from radfuse.objects.sr.model import Coordinates, Item, ObjectReference


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit."""

    value: float
    unit: Code


@dataclass(frozen=True, slots=True)
class Detail:
    """Something said about a measurement or a finding: a name and a code, a text or a number."""

    name: Code
    value: Code | str | Quantity


@dataclass(frozen=True, slots=True)
class Algorithm:
    """What computed a value (PS3.16 TID 4019): thresholds and other settings are its parameters."""

    name: str
    version: str
    parameters: tuple[str, ...] = ()
    """Each as "name = value"."""


@dataclass(frozen=True, slots=True)
class Region:
    """Points on one image, in its pixels: column, row; the centre of the first pixel is 1, 1 (section C.18.6.1.1)."""

    shape: Coordinates
    image: ObjectReference


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number (PS3.16 TID 300). ``value`` is None where it could not be computed; ``missing`` says why."""

    name: Code
    value: float | None
    unit: Code
    derivation: Code | None = None
    """Mean, maximum ... (CID 7464)."""
    method: Code | None = None
    details: tuple[Detail, ...] = ()
    algorithm: Algorithm | None = None
    sources: tuple[Region | ObjectReference, ...] = ()
    """Points or images that it was measured from."""
    missing: Code | None = None
    """Why there is no value (CID 42)."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a finding lies (CID 4031 and others)."""

    place: Code
    laterality: Code | None = None
    modifier: Code | None = None


@dataclass(frozen=True, slots=True)
class SegmentReference:
    """A segment of a segmentation, and the series (or images) it was made on."""

    segmentation: ObjectReference
    source_series_uid: str = ""
    source_images: tuple[ObjectReference, ...] = ()


RegionOfInterest: TypeAlias = SegmentReference | tuple[Region, ...]


@dataclass(frozen=True, slots=True)
class MeasurementGroup:
    """Measurements of one region (a segment, or shapes on images), or of none."""

    tracking_id: str
    tracking_uid: str
    measurements: tuple[Measurement, ...] = ()
    region: RegionOfInterest = ()
    finding: Code | None = None
    category: Code | None = None
    sites: tuple[Site, ...] = ()
    method: Code | None = None
    algorithm: Algorithm | None = None
    session: str = ""
    time_point: str = ""
    evaluations: tuple[Detail, ...] = ()
    """Coded or written judgements."""
    remarks: tuple[Item, ...] = ()
    """Content items that are none of the above, as read."""


@dataclass(frozen=True, slots=True)
class MeasurementReport:
    """A measurement report before it is written (PS3.16 TID 1500)."""

    groups: tuple[MeasurementGroup, ...]
    title: Code = IMAGING_MEASUREMENT_REPORT
    procedures: tuple[Code, ...] = ()
    """What was done to the patient (CID 100); empty: told from the modality of the sources."""
    language: Code = ENGLISH
    sections: tuple[Item, ...] = ()
    """Further containers at the end: texts, tables as groups of numbers."""
    is_complete: bool = True
    is_final: bool = False
