"""The 18 application profiles for media, and two narrower choices, as data (PS3.11 Annexes D, E, H, J and M)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from radfuse.core.transfer_syntaxes import (
    EXPLICIT_LITTLE,
    JPEG_2000,
    JPEG_2000_LOSSLESS,
    JPEG_BASELINE,
    JPEG_EXTENDED,
    JPEG_LOSSLESS_SV1,
)
from radfuse.media.file_systems import (
    BD,
    CD_R,
    COMPACT_FLASH,
    DVD,
    DVD_RAM,
    FAT16,
    FAT32,
    ISO_9660,
    MULTIMEDIA_CARD,
    SECURE_DIGITAL,
    UDF_150,
    UDF_250,
    UDF_260,
    USB,
    FileSystem,
    Medium,
)
from radfuse.media.record_keys import KeysTable

CT_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.2"
MR_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.4"
SECONDARY_CAPTURE: Final = "1.2.840.10008.5.1.4.1.1.7"
GRAYSCALE_PRESENTATION_STATE: Final = "1.2.840.10008.5.1.4.1.1.11.1"
RADIATION_DOSE_SR: Final = "1.2.840.10008.5.1.4.1.1.88.67"
SEGMENTATION: Final = "1.2.840.10008.5.1.4.1.1.66.4"

ALL_COMPOSITE: Final = None
"""``Profile.sop_classes`` of a profile that takes every class of PS3.4 for media (PS3.11 section D.3.1)."""

CTMR_CLASSES: Final = frozenset(
    {CT_IMAGE, MR_IMAGE, SECONDARY_CAPTURE, GRAYSCALE_PRESENTATION_STATE, RADIATION_DOSE_SR}
)
"""PS3.11 Table E.3-1."""

WORKSTATION_CLASSES: Final = frozenset(
    {
        *(CT_IMAGE, MR_IMAGE, SECONDARY_CAPTURE, SEGMENTATION),
        "1.2.840.10008.5.1.4.1.1.7.2",  # Multi-frame Grayscale Byte Secondary Capture Image
        "1.2.840.10008.5.1.4.1.1.7.4",  # Multi-frame True Color Secondary Capture Image
        "1.2.840.10008.5.1.4.1.1.20",  # Nuclear Medicine Image
        "1.2.840.10008.5.1.4.1.1.66.1",  # Spatial Registration
        "1.2.840.10008.5.1.4.1.1.66.3",  # Deformable Spatial Registration
        "1.2.840.10008.5.1.4.1.1.88.33",  # Comprehensive SR
        "1.2.840.10008.5.1.4.1.1.128",  # Positron Emission Tomography Image
        "1.2.840.10008.5.1.4.1.1.481.3",  # RT Structure Set
    }
)
"""What a fusion workstation writes on media: the classes of the two narrower choices."""

LOSSY: Final = frozenset({JPEG_BASELINE, JPEG_EXTENDED, JPEG_2000})


@dataclass(frozen=True, slots=True)
class ImageRule:
    """What PS3.11 section E.3.3 asks of an attribute of images: one of ``allowed``, or ``less`` below another.

    ``attribute`` and ``other`` are names in ``rules.ATTRIBUTES``. ``of`` narrows it to images of one Photometric
    Interpretation, ``otherwise_than`` to all others. ``reason`` says what the rule is.
    """

    name: str
    sop_classes: frozenset[str]
    attribute: str
    reason: str
    allowed: tuple[str | int | None, ...] = ()
    other: str = ""
    less: int = 0
    of: str = ""
    otherwise_than: str = ""


_CT, _MR, _CAPTURE = frozenset({CT_IMAGE}), frozenset({MR_IMAGE}), frozenset({SECONDARY_CAPTURE})
_PALETTE: Final = "PALETTE COLOR"

CTMR_RULES: Final = (
    # Tables E.3-3 and E.3-4: CT and MR.
    ImageRule("modality", _CT, "modality", "the Modality of a CT image is CT", ("CT",)),
    ImageRule("modality", _MR, "modality", "the Modality of an MR image is MR", ("MR",)),
    ImageRule("photometric", _CT | _MR, "photometric", "a CT or MR image is MONOCHROME2", ("MONOCHROME2",)),
    ImageRule(
        "bits stored", _MR, "bits_stored", "Bits Stored of an MR image is 8 or 12 to 16", (8, 12, 13, 14, 15, 16)
    ),
    ImageRule("high bit", _MR, "high_bit", "High Bit of an MR image is Bits Stored - 1", other="bits_stored", less=1),
    # Tables E.3-5 and E.3-6: gray and colour secondary captures.
    ImageRule(
        "photometric",
        _CAPTURE,
        "photometric",
        "a secondary capture is MONOCHROME2 or PALETTE COLOR",
        ("MONOCHROME2", _PALETTE),
    ),
    ImageRule("samples", _CAPTURE, "samples", "Samples per Pixel of a secondary capture is 1", (1,)),
    ImageRule(
        "bits allocated",
        _CAPTURE,
        "bits_allocated",
        "Bits Allocated of a gray secondary capture is 8 or 16",
        (8, 16),
        otherwise_than=_PALETTE,
    ),
    ImageRule(
        "bits stored",
        _CAPTURE,
        "bits_stored",
        "Bits Stored of a gray secondary capture is Bits Allocated",
        other="bits_allocated",
        otherwise_than=_PALETTE,
    ),
    ImageRule("bits allocated", _CAPTURE, "bits_allocated", "Bits Allocated of a palette is 8", (8,), of=_PALETTE),
    ImageRule("bits stored", _CAPTURE, "bits_stored", "Bits Stored of a palette is 8", (8,), of=_PALETTE),
    ImageRule("high bit", _CAPTURE, "high_bit", "High Bit of a palette is 7", (7,), of=_PALETTE),
    ImageRule("single frame", _CT | _MR | _CAPTURE, "frames", "an image has one frame", (None, 1)),
)
"""What PS3.11 section E.3.3 asks of images."""
CTMR_UNCOMPRESSED: Final = frozenset({GRAYSCALE_PRESENTATION_STATE, RADIATION_DOSE_SR})
"""Of which PS3.11 Table E.3-1 allows explicit VR little endian only."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One application profile: what may be on the medium, in which syntaxes, and which keys the records have."""

    name: str
    section: str
    syntaxes: tuple[str, ...]
    sop_classes: frozenset[str] | None
    keys_table: KeysTable
    """The table of PS3.11 with the additional keys of its records: D.3-2, E.3-2 or H.3-2."""
    medium: Medium
    file_systems: tuple[FileSystem, ...]
    """What PS3.12 has for the medium; we plan and write for the first."""
    is_updatable: bool
    """Whether the role of a File-set Updater is defined."""
    rules: tuple[ImageRule, ...] = ()
    uncompressed_only: frozenset[str] = frozenset()
    narrows: str = ""
    """The profile that this choice is a part of; it declares that one."""

    @property
    def file_system(self) -> FileSystem:
        """The file system that is planned and written for."""
        return self.file_systems[0]

    @property
    def is_lossy_possible(self) -> bool:
        """Whether an image may be compressed with loss."""
        return not LOSSY.isdisjoint(self.syntaxes)

    def file_size_problem(self, size_bytes: int) -> str:
        """Why the file system holds no file of this size, as a sentence; empty when it does."""
        longest = self.file_system.largest_file_bytes
        if longest is None or size_bytes <= longest:
            return ""
        return f"{self.file_system.name} holds files of up to {longest:,} bytes"

    def syntaxes_of(self, sop_class_uid: str) -> tuple[str, ...]:
        """The transfer syntaxes that objects of a class may have."""
        return (EXPLICIT_LITTLE,) if sop_class_uid in self.uncompressed_only else self.syntaxes


_PLAIN: Final = (EXPLICIT_LITTLE,)
_CTMR: Final = (EXPLICIT_LITTLE, JPEG_LOSSLESS_SV1)
_JPEG: Final = (EXPLICIT_LITTLE, JPEG_LOSSLESS_SV1, JPEG_BASELINE, JPEG_EXTENDED)
_J2K: Final = (EXPLICIT_LITTLE, JPEG_2000_LOSSLESS, JPEG_2000)

_OPTICAL_BD: Final = (UDF_250, UDF_260)
_CARD: Final = (FAT16,)
_STICK: Final = (FAT32, FAT16)


def _general(
    name: str, annex: str, syntaxes: tuple[str, ...], medium: Medium, systems: tuple[FileSystem, ...]
) -> Profile:
    """A profile for all classes. On DVDs other than DVD-RAM no updater is defined (PS3.11 Table H.2-1)."""
    table: KeysTable = "D.3-2" if annex == "D" else "H.3-2"
    return Profile(name, f"PS3.11 Annex {annex}", syntaxes, ALL_COMPOSITE, table, medium, systems, medium is not DVD)


def _ctmr(name: str, medium: Medium, systems: tuple[FileSystem, ...]) -> Profile:
    return Profile(
        name,
        "PS3.11 Annex E",
        _CTMR,
        CTMR_CLASSES,
        "E.3-2",
        medium,
        systems,
        medium is not DVD,
        CTMR_RULES,
        CTMR_UNCOMPRESSED,
    )


_STANDARD: Final = (
    _general("STD-GEN-CD", "D", _PLAIN, CD_R, (ISO_9660,)),
    _general("STD-GEN-DVD-RAM", "D", _PLAIN, DVD_RAM, (UDF_150,)),
    _general("STD-GEN-BD", "D", _PLAIN, BD, _OPTICAL_BD),
    _ctmr("STD-CTMR-CD", CD_R, (ISO_9660,)),
    _ctmr("STD-CTMR-DVD-RAM", DVD_RAM, (UDF_150,)),
    _ctmr("STD-CTMR-DVD", DVD, (ISO_9660, UDF_150)),
    _general("STD-GEN-DVD-JPEG", "H", _JPEG, DVD, (ISO_9660, UDF_150)),
    _general("STD-GEN-DVD-J2K", "H", _J2K, DVD, (ISO_9660, UDF_150)),
    _general("STD-GEN-USB-JPEG", "J", _JPEG, USB, _STICK),
    _general("STD-GEN-USB-J2K", "J", _J2K, USB, _STICK),
    _general("STD-GEN-MMC-JPEG", "J", _JPEG, MULTIMEDIA_CARD, _CARD),
    _general("STD-GEN-MMC-J2K", "J", _J2K, MULTIMEDIA_CARD, _CARD),
    _general("STD-GEN-CF-JPEG", "J", _JPEG, COMPACT_FLASH, _STICK),
    _general("STD-GEN-CF-J2K", "J", _J2K, COMPACT_FLASH, _STICK),
    _general("STD-GEN-SD-JPEG", "J", _JPEG, SECURE_DIGITAL, _CARD),
    _general("STD-GEN-SD-J2K", "J", _J2K, SECURE_DIGITAL, _CARD),
    _general("STD-GEN-BD-JPEG", "M", _JPEG, BD, _OPTICAL_BD),
    _general("STD-GEN-BD-J2K", "M", _J2K, BD, _OPTICAL_BD),
)

_NARROWED: Final = tuple(
    replace(profile, name=f"XD-{profile.name}", sop_classes=WORKSTATION_CLASSES, narrows=profile.name)
    for profile in _STANDARD[:2]
)

PROFILES: Final[Mapping[str, Profile]] = MappingProxyType({each.name: each for each in (*_STANDARD, *_NARROWED)})
"""By name: the 18 profiles, then the two narrower choices of STD-GEN-CD and STD-GEN-DVD-RAM."""
