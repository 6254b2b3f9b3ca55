"""The headers of PET images, with only what SUV need of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from radfuse.core.errors import CannotComputeSUV, InflatedTooLarge
from radfuse.dicom.inflate import require_bounded
from radfuse.volume.suv.enhanced import frame_headers, is_multi_frame

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

NEEDED: Final = (
    "SOPClassUID", "SOPInstanceUID", "StudyDate", "SeriesDate", "AcquisitionDate", "AcquisitionDateTime", "SeriesTime",
    "AcquisitionTime", "Modality", "Manufacturer", "SeriesDescription", "TimezoneOffsetFromUTC", "PatientSex",
    "PatientSize", "PatientWeight", "ActualFrameDuration", "DecayCorrectionDateTime", "SeriesInstanceUID",
    "StudyInstanceUID", "CorrectedImage", "RescaleIntercept", "RescaleSlope", "ModalityLUTSequence",
    "RadiopharmaceuticalInformationSequence", "AcquisitionContextSequence", "Units", "SUVType", "DecayCorrection",
    "FrameReferenceTime", "DecayFactor", "NumberOfFrames", "DecayCorrected", "AttenuationCorrected",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
)  # fmt: skip
"""Keywords of what the computation reads, and of what tells series apart."""

_PRIVATE: Final = tuple(
    group << 16 | element
    for group, elements in ((0x0009, (0x0D,)), (0x0071, (0x22,)), (0x7053, (0x00, 0x09)))
    for block in range(0x10, 0x18)
    for element in (block, *(block << 8 | last for last in elements))
)
"""Private elements of GE, Siemens and Philips, and the creators that claim their blocks."""


def read_headers(paths: Sequence[Path]) -> list[Dataset]:
    """The header of each image of DICOM files, in their order; of a multi-frame image, that of each frame.

    Raises CannotComputeSUV for a file that cannot be read.
    """
    return [header for path in paths for header in _headers_in(path)]


def read_frames(frames: Sequence[tuple[Path, int]]) -> list[Dataset]:
    """The header of each frame of files, by its number from 0; single images have the number 0.

    Raises CannotComputeSUV for a file that cannot be read.
    """
    read = {path: _headers_in(path) for path in dict.fromkeys(path for path, _ in frames)}
    if any(index >= len(read[path]) for path, index in frames):
        raise CannotComputeSUV("the images say less of their frames than they have frames")
    return [read[path][index] for path, index in frames]


def _headers_in(path: Path) -> list[Dataset]:
    """What SUV need of one file."""
    import pydicom
    from pydicom.datadict import tag_for_keyword

    tags = [tag for name in NEEDED if (tag := tag_for_keyword(name)) is not None]
    try:
        require_bounded(path)
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=[*tags, *_PRIVATE])
        return frame_headers(header) if is_multi_frame(header) else [header]
    except InflatedTooLarge as error:
        raise CannotComputeSUV(str(error)) from error
    except Exception as error:  # a foreign parser's
        raise CannotComputeSUV("an image cannot be read") from error
