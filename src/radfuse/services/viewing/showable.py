"""As what a series can be shown, told from its kind and the header of one of its objects."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from radfuse.archive.queries import SeriesRow
from radfuse.core.sop_classes import STORAGE_CLASSES
from radfuse.dicom import Element, Identifier


class ShowsAs(StrEnum):
    """What a viewer opens for a series."""

    VOLUME = "volume"
    IMAGES = "images"
    CINE = "cine"
    WAVEFORM = "waveform"
    DOCUMENT = "document"
    OBJECT = "object"
    """What belongs to other series: structures, segments, registrations, presentation states."""
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Showable:
    """How a series is shown, and why it is no volume ("" where it is one, or was never meant to be)."""

    shows_as: ShowsAs
    reason: str = ""
    is_corrected: bool = True
    """Of PET: whether its numbers were corrected for attenuation."""


_KINDS: Final = {row.uid: row.record_type for row in STORAGE_CLASSES}
_OF_KIND: Final = {
    "WAVEFORM": ShowsAs.WAVEFORM,
    "ENCAP DOC": ShowsAs.DOCUMENT,
    "SR DOCUMENT": ShowsAs.DOCUMENT,
    "KEY OBJECT DOC": ShowsAs.DOCUMENT,
    "REGISTRATION": ShowsAs.OBJECT,
    "RT STRUCTURE SET": ShowsAs.OBJECT,
    "RT PLAN": ShowsAs.OBJECT,
    "PLAN": ShowsAs.OBJECT,
    "PRESENTATION": ShowsAs.OBJECT,
    "SURFACE": ShowsAs.OBJECT,
    "FIDUCIAL": ShowsAs.OBJECT,
    "VALUE MAP": ShowsAs.OBJECT,
}
_PICTURES: Final = frozenset(("IMAGE", "RT DOSE"))
_SEGMENTATION: Final = "1.2.840.10008.5.1.4.1.1.66.4"
_PLACED_BY_FRAME: Final = frozenset(
    (
        "1.2.840.10008.5.1.4.1.1.2.1",
        "1.2.840.10008.5.1.4.1.1.2.2",
        "1.2.840.10008.5.1.4.1.1.4.1",
        "1.2.840.10008.5.1.4.1.1.4.4",
        "1.2.840.10008.5.1.4.1.1.130",
        "1.2.840.10008.5.1.4.1.1.128.1",
    )
)
"""Enhanced and legacy converted CT, MR and PET: their functional groups say where each frame lies."""

_RECONSTRUCTED: Final = frozenset(("RECON TOMO", "RECON GATED TOMO"))
"""Third value of Image Type of tomograms that have slices (PS3.3 section C.8.4.9.1.1)."""

_NO_SLICES: Final = "only reconstructed NM tomograms have slices"
_VIEWS: Final = frozenset(("CR", "DX", "MG", "RF", "XA", "PX", "IO", "US", "SM", "XC", "ES", "OP", "OPT", "RTIMAGE"))
"""Modalities whose images are no slices of one thing."""

LAST_TAG: Final = 0x0054_FFFF
"""Of what is read of a header."""


def _tag(keyword: str) -> int:
    return Element.of(keyword).tag


_IMAGE_TYPE: Final = _tag("ImageType")
_FRAMES: Final = _tag("NumberOfFrames")
_SAMPLES: Final = _tag("SamplesPerPixel")
_POSITION: Final = _tag("ImagePositionPatient")
_ORIENTATION: Final = _tag("ImageOrientationPatient")
_DETECTORS: Final = _tag("DetectorInformationSequence")
_CORRECTED: Final = _tag("CorrectedImage")


def showable(series: SeriesRow, header: Identifier | None) -> Showable:
    """How a series is shown; ``header``: of the object in its middle, None where it cannot be read."""
    if series.middle is None:
        return Showable(ShowsAs.NOTHING, "nothing of it is kept")
    sop_class = series.middle.sop_class_uid
    kind = _KINDS.get(sop_class, "IMAGE" if series.modality in _VIEWS else "")
    if kind not in _PICTURES or sop_class == _SEGMENTATION:
        shown = ShowsAs.OBJECT if sop_class == _SEGMENTATION else _OF_KIND.get(kind, ShowsAs.NOTHING)
        return Showable(shown, "" if shown is not ShowsAs.NOTHING else "there is no view for objects of this kind")
    if header is None:
        return Showable(ShowsAs.NOTHING, "its objects cannot be read; run 'radfuse check'")
    return _pictures(series, sop_class, header)


def _pictures(series: SeriesRow, sop_class: str, header: Identifier) -> Showable:
    frames = _number(header.text(_FRAMES))
    types = header.text(_IMAGE_TYPE).upper().split("\\")
    corrections = header.text(_CORRECTED).upper().split("\\")
    flat = ShowsAs.CINE if frames > 1 else ShowsAs.IMAGES
    for is_so, reason in (
        (series.modality in _VIEWS, f"{series.modality} images are no slices of a volume"),
        (_number(header.text(_SAMPLES)) > 1, "the images are in colour"),
        ("LOCALIZER" in types and series.instances * frames < 10, "a localizer (scout) is no volume"),
        (
            series.modality == "NM" and not _RECONSTRUCTED & set(types[2:3]),
            "only reconstructed NM tomograms have slices",
        ),
        (not _is_placed(sop_class, series, header), "the images do not say where they lie"),
        (series.instances * frames < 2, "there is one image"),
    ):
        if is_so:
            return Showable(flat, reason)
    return Showable(ShowsAs.VOLUME, is_corrected=series.modality != "PT" or "ATTN" in corrections or frames > 1)


def _is_placed(sop_class: str, series: SeriesRow, header: Identifier) -> bool:
    if sop_class in _PLACED_BY_FRAME:
        return True
    return _says_where(header) or (series.modality == "NM" and any(map(_says_where, _detectors(header))))


def _says_where(header: Identifier) -> bool:
    return bool(header.text(_POSITION)) and bool(header.text(_ORIENTATION))


def _detectors(header: Identifier) -> tuple[Identifier, ...]:
    """Where tomograms have their place (PS3.3 section C.8.4.11)."""
    found = header.get(_DETECTORS)
    return found.items if found is not None else ()


def _number(text: str) -> int:
    first = text.partition("\\")[0].strip()
    return int(first) if first.isdigit() else 1
