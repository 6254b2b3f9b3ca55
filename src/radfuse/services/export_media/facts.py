"""What plans and pages say of objects, from their descriptions."""

from __future__ import annotations

from collections.abc import Iterator
from sys import intern
from typing import Final, NamedTuple

from radfuse.media import Described
from radfuse.services.export_media.papers import StudyLine

_PATIENT_NAME: Final = 0x0010_0010
_PATIENT_ID: Final = 0x0010_0020
_BIRTH_DATE: Final = 0x0010_0030
_STUDY_DATE: Final = 0x0008_0020
_STUDY_DESCRIPTION: Final = 0x0008_1030
_MODALITY: Final = 0x0008_0060
_STUDY: Final = 0x0020_000D
_SERIES: Final = 0x0020_000E
_ROWS: Final = 0x0028_0010
_COLUMNS: Final = 0x0028_0011
_SAMPLES: Final = 0x0028_0002
_FRAMES: Final = 0x0028_0008
_BITS_ALLOCATED: Final = 0x0028_0100


class Whose(NamedTuple):
    """The patient, study and series of an object, as texts that tell them apart; all empty for nobody's."""

    patient: str
    study: str
    series: str


def whose(described: Described) -> Whose:
    """To whom an object belongs."""
    study = described.text(_STUDY)
    if not study:
        return Whose("", "", "")
    # The same few texts for very many objects.
    patient = described.text(_PATIENT_ID) or described.text(_PATIENT_NAME)
    return Whose(intern(patient), intern(study), intern(described.text(_SERIES)))


def native_pixel_bytes(described: Described) -> int:
    """How many bytes the pixels of an image take when they are not compressed; 0 for what is no image."""
    rows, columns, bits = (described.number(tag) or 0 for tag in (_ROWS, _COLUMNS, _BITS_ALLOCATED))
    samples, frames = (described.number(tag) or 1 for tag in (_SAMPLES, _FRAMES))
    return rows * columns * samples * frames * bits // 8


class StudyLines:
    """The studies of a file-set, for its page."""

    def __init__(self) -> None:
        self._lines: dict[str, StudyLine] = {}

    def __iter__(self) -> Iterator[StudyLine]:
        """Each study once."""
        return iter(self._lines.values())

    @property
    def count(self) -> int:
        """How many studies there are, without what belongs to none."""
        return len(self._lines) - ("" in self._lines)

    def note(self, described: Described) -> None:
        """Count an object of its study."""
        study = described.text(_STUDY)
        line = self._lines.get(study)
        if line is None:
            line = self._lines[study] = _line(described, study)
        line.objects += 1
        modality = described.text(_MODALITY)
        if modality:
            line.modalities[modality] = None


def _line(described: Described, study: str) -> StudyLine:
    if not study:
        return StudyLine("", "", "", "", "objects without a patient")
    name, patient_id, born = (described.text(tag) for tag in (_PATIENT_NAME, _PATIENT_ID, _BIRTH_DATE))
    return StudyLine(name, patient_id, born, described.text(_STUDY_DATE), described.text(_STUDY_DESCRIPTION))
