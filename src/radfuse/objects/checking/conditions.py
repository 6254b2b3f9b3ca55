"""Conditions under which attributes of type 1C and 2C, and conditional modules, are required.

A table of those that concern what we write; each row names its section of PS3.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydicom.datadict import keyword_for_tag, tag_for_keyword
from pydicom.dataset import Dataset

from radfuse.objects.checking.model import Fault, Path, is_empty
from radfuse.objects.checking.tables import Level, Plan

_STORAGE: Final = "1.2.840.10008.5.1.4.1.1"
_When = Callable[[Dataset], bool]

_CT_MR: Final = frozenset({"1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"})
_VECTORS: Final = frozenset(
    {"FrameTimeVector", "PageNumberVector", "FrameLabelVector", "FramePrimaryAngleVector"}
    | {"FrameSecondaryAngleVector", "SliceLocationVector"}
)
_EVERY_TABLE: Final = ("Descriptor", "Data")


@dataclass(frozen=True, slots=True)
class Condition:
    """Attributes that are required when something holds: of type 1C with a value, of type 2C at least empty."""

    keywords: tuple[str, ...]
    kind: str
    section: str
    when: _When


def _text(ds: Dataset, keyword: str) -> str:
    return str(ds.get(keyword, "") or "")


def _values(ds: Dataset, keyword: str) -> Sequence[Any]:
    value = ds.get(keyword)
    if value is None or value == "":
        return ()
    return (value,) if isinstance(value, str | bytes | int | float) else tuple(value)


def _part(ds: Dataset, number: int) -> str:
    """A value of Image Type, counted from 1."""
    parts = _values(ds, "ImageType")
    return str(parts[number - 1]) if len(parts) >= number else ""


def _has(*keywords: str) -> _When:
    return lambda ds: any(keyword in ds for keyword in keywords)


def _lacks(*keywords: str) -> _When:
    return lambda ds: all(keyword not in ds for keyword in keywords)


def _is(keyword: str, *values: str) -> _When:
    return lambda ds: _text(ds, keyword) in values


def _unless(keyword: str, value: str) -> _When:
    return lambda ds: _text(ds, keyword) != value


def _gray(ds: Dataset) -> bool:
    """Grayscale of more than one bit."""
    gray = _text(ds, "PhotometricInterpretation") == "MONOCHROME2" and int(ds.get("BitsStored", 0) or 0) > 1
    return gray and _is_capture(ds) and "NumberOfFrames" in ds


def _pointers(ds: Dataset) -> frozenset[str]:
    """The keywords that Frame Increment Pointer names."""
    return frozenset(keyword_for_tag(int(tag)) for tag in _values(ds, "FrameIncrementPointer"))


def _is_capture(ds: Dataset) -> bool:
    return (_text(ds, "SOPClassUID") + ".").startswith(f"{_STORAGE}.7.")


def _unoriented(ds: Dataset) -> bool:
    """Whether the IOD does not demand a plane."""
    return _is_capture(ds) or ("ImageOrientationPatient" not in ds and "NumberOfFrames" not in ds)


def _many(ds: Dataset) -> bool:
    return int(ds.get("NumberOfFrames", 1) or 1) > 1


def _fractional(ds: Dataset) -> bool:
    return _text(ds, "SegmentationType") == "FRACTIONAL"


def _lut(ds: Dataset) -> bool:
    return _text(ds, "PhotometricInterpretation") == "PALETTE COLOR"


def _scans(name: str) -> _When:
    return lambda ds: name in _values(ds, "ScanningSequence")


def _repeats(ds: Dataset) -> bool:
    return "EP" not in _values(ds, "ScanningSequence") or "SK" in _values(ds, "SequenceVariant")


def _refers(ds: Dataset) -> bool:
    groups = ds.get("PerFrameFunctionalGroupsSequence") or ()
    registrations = (*(ds.get("RegistrationSequence") or ()), *(ds.get("DeformableRegistrationSequence") or ()))
    registers = any(item.get("ReferencedImageSequence") for item in registrations)
    return registers or any(group.get("DerivationImageSequence") for group in groups[:1])


_PALETTES: Final = tuple(
    f"{colour}PaletteColorLookupTable{what}" for colour in ("Red", "Green", "Blue") for what in _EVERY_TABLE
)

CONDITIONS: Final = (
    Condition(("PixelData",), "1C", "C.7.6.3", lambda ds: "Rows" in ds and "PixelDataProviderURL" not in ds),
    Condition(("PlanarConfiguration",), "1C", "C.7.6.3.1.3", lambda ds: int(ds.get("SamplesPerPixel", 1) or 1) > 1),
    Condition(_PALETTES, "1C", "C.7.6.3.1.5", _lut),
    Condition(("PixelPaddingValue",), "1C", "C.7.5.1.1.2", _has("PixelPaddingRangeLimit")),
    Condition(
        ("PatientPosition",),
        "2C",
        "C.7.3.1.1.2",
        lambda ds: _text(ds, "SOPClassUID") in _CT_MR and "PatientOrientationCodeSequence" not in ds,
    ),
    Condition(("PatientOrientation",), "2C", "C.7.6.1.1.1", _unoriented),
    Condition(("LossyImageCompressionRatio",), "1C", "C.7.6.1.1.5", _is("LossyImageCompression", "01")),
    Condition(("WindowWidth",), "1C", "C.11.2", _has("WindowCenter")),
    Condition(("WindowCenter",), "1C", "C.11.2", _has("WindowWidth")),
    Condition(("RepetitionTime",), "2C", "C.8.3.1", _repeats),
    Condition(("InversionTime",), "2C", "C.8.3.1", _scans("IR")),
    Condition(("DecayFactor",), "1C", "C.8.9.4", lambda ds: _text(ds, "DecayCorrection") not in ("", "NONE")),
    Condition(
        ("NumberOfRRIntervals", "NumberOfTimeSlots"), "1C", "C.8.9.1", lambda ds: _first(ds, "SeriesType") == "GATED"
    ),
    Condition(("NumberOfTimeSlices",), "1C", "C.8.9.1", lambda ds: _first(ds, "SeriesType") == "DYNAMIC"),
    Condition(("ReprojectionMethod",), "2C", "C.8.9.1", lambda ds: _second(ds, "SeriesType") == "REPROJECTION"),
    Condition(("SliceVector", "NumberOfSlices"), "1C", "C.8.4.8", lambda ds: _part(ds, 3).startswith("RECON")),
    Condition(("NumberOfRotations",), "1C", "C.8.4.8", lambda ds: "TOMO" in _part(ds, 3)),
    Condition(("FrameIncrementPointer",), "1C", "C.8.6.3", _many),
    Condition(("PresentationLUTShape", "RescaleIntercept", "RescaleSlope", "RescaleType"), "1C", "C.8.6.3", _gray),
    Condition(("PixelSpacingCalibrationDescription",), "1C", "10.7", _has("PixelSpacingCalibrationType")),
    Condition(("SegmentationFractionalType", "MaximumFractionalValue"), "1C", "C.8.20.2", _fractional),
    Condition(("ModalityLUTSequence",), "1C", "C.11.1", _lacks("RescaleIntercept")),
    Condition(("RescaleSlope", "RescaleType"), "1C", "C.11.1", lambda ds: _state(ds) and "RescaleIntercept" in ds),
    Condition(("PresentationLUTShape",), "1C", "C.11.6", lambda ds: _state(ds) and "PresentationLUTSequence" not in ds),
    Condition(
        ("ReferencedSeriesSequence",),
        "1C",
        "C.12.2",
        lambda ds: _refers(ds) and "StudiesContainingOtherReferencedInstancesSequence" not in ds,
    ),
)
"""Checked in IODs that list the attribute with that type, and nowhere else."""


def _first(ds: Dataset, keyword: str) -> str:
    values = _values(ds, keyword)
    return str(values[0]) if values else ""


def _second(ds: Dataset, keyword: str) -> str:
    values = _values(ds, keyword)
    return str(values[1]) if len(values) > 1 else ""


def _state(ds: Dataset) -> bool:
    """Whether it is a presentation state."""
    return _text(ds, "SOPClassUID").startswith(f"{_STORAGE}.11.")


def wanted_modules(ds: Dataset, plan: Plan) -> frozenset[str]:
    """Conditional modules that must be there (PS3.3 Annex A)."""
    wanted = {name for name, when in _MODULES if name in plan.modules and when(ds)}
    return frozenset(wanted)


_AREA: Final = "DisplayedAreaSelectionSequence"
_SOFTCOPY: Final = "SoftcopyVOILUTSequence"

_MAP: Final = "RealWorldValueMappingSequence"
_MAP_DATA: Final = "RealWorldValueLUTData"
_MAP_ENDS: Final = ("RealWorldValueFirstValueMapped", "RealWorldValueLastValueMapped")

_IN_ITEMS: Final[tuple[tuple[str, Condition], ...]] = (
    (
        "SegmentSequence",
        Condition(("SegmentAlgorithmName",), "1C", "C.8.20.2", _unless("SegmentAlgorithmType", "MANUAL")),
    ),
    (_AREA, Condition(("PresentationPixelSpacing",), "1C", "C.10.4", _is("PresentationSizeMode", "TRUE SIZE"))),
    (_AREA, Condition(("PresentationPixelAspectRatio",), "1C", "C.10.4", _lacks("PresentationPixelSpacing"))),
    (
        _AREA,
        Condition(("PresentationPixelMagnificationRatio",), "1C", "C.10.4", _is("PresentationSizeMode", "MAGNIFY")),
    ),
    (_SOFTCOPY, Condition(("WindowCenter",), "1C", "C.11.8", _lacks("VOILUTSequence"))),
    (_SOFTCOPY, Condition(("WindowWidth",), "1C", "C.11.8", _has("WindowCenter"))),
    ("BlendingSequence", Condition(("RescaleIntercept",), "1C", "C.11.1", _lacks("ModalityLUTSequence"))),
    ("BlendingSequence", Condition(("RescaleSlope", "RescaleType"), "1C", "C.11.1", _has("RescaleIntercept"))),
    ("DimensionIndexSequence", Condition(("FunctionalGroupPointer",), "1C", "C.7.6.17", lambda _item: True)),
    (_MAP, Condition(("RealWorldValueSlope", "RealWorldValueIntercept"), "1C", "C.7.6.16.2.11", _lacks(_MAP_DATA))),
    (
        "RegistrationSequence",
        Condition(("FrameOfReferenceUID",), "1C", "C.20.2", _lacks("ReferencedImageSequence")),
    ),
    (_MAP, Condition(_MAP_ENDS, "1C", "C.7.6.16.2.11", _lacks("DoubleFloatRealWorldValueFirstValueMapped"))),
)
"""Sequences at the top of a data set whose items have conditions of their own."""


def _tomographic(ds: Dataset) -> bool:
    return _part(ds, 3) in ("TOMO", "GATED TOMO", "RECON TOMO", "RECON GATED TOMO")


def _lies_in_a_frame(ds: Dataset) -> bool:
    return _text(ds, "SOPClassUID").startswith((f"{_STORAGE}.66.", f"{_STORAGE}.481.3"))


_MODULES: Final[tuple[tuple[str, _When], ...]] = (
    ("nm-tomo-acquisition", _tomographic),  # A.5.4
    ("nm-reconstruction", lambda ds: _part(ds, 3).startswith("RECON")),  # A.5.4
    ("pet-multi-gated-acquisition", lambda ds: _first(ds, "SeriesType") == "GATED"),  # A.21.3
    ("cine", lambda ds: bool(_pointers(ds) & {"FrameTime", "FrameTimeVector"})),  # A.8.3.3
    ("sc-multi-frame-vector", lambda ds: bool(_pointers(ds) & _VECTORS)),  # A.8.3.3
    ("frame-of-reference", _lies_in_a_frame),  # A.51.3; in structure sets we always write it (A.19.3)
    ("common-instance-reference", _refers),  # A.51.3
    ("palette-color-lookup-table", _lut),  # A.51.3
)


def conditional(ds: Dataset, level: Level) -> Iterator[Fault]:
    """Attributes of type 1C and 2C whose condition holds, and which are not there."""
    for row in CONDITIONS:
        tags = [tag for keyword in row.keywords if level.types.get(tag := _tag(keyword)) == row.kind]
        if tags and row.when(ds):
            yield from _required(ds, tags, row, ())
    for sequence, row in _IN_ITEMS:
        for number, item in enumerate(ds.get(sequence) or (), start=1):
            if row.when(item):
                yield from _required(item, map(_tag, row.keywords), row, (_tag(sequence), f"[{number}]"))
    yield from _increments(ds)


def _tag(keyword: str) -> int:
    return tag_for_keyword(keyword) or 0


def _required(ds: Dataset, tags: Iterable[int], row: Condition, path: Path) -> Iterator[Fault]:
    for tag in tags:
        if tag not in ds or (row.kind == "1C" and is_empty(ds[tag].value)):
            sentence = f"it is required here (type {row.kind}, PS3.3 section {row.section})"
            yield Fault((*path, tag), f"type {row.kind}", sentence)


def _increments(ds: Dataset) -> Iterator[Fault]:
    """What Frame Increment Pointer points to must be there, a vector with one value a frame (C.7.6.6.1.1)."""
    frames = int(ds.get("NumberOfFrames", 1) or 1)
    for keyword in sorted(_pointers(ds)):
        tag = tag_for_keyword(keyword) or 0
        if tag not in ds or ds[tag].value in (None, ""):
            yield Fault((tag,), "type 1C", "Frame Increment Pointer names it, and it is not there")
        elif keyword.endswith("Vector") and len(_values(ds, keyword)) != frames:
            yield Fault((tag,), "type 1C", "it needs one value for each frame")
