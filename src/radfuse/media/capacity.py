"""Which study goes on which medium: sizes as the file system counts them, by study, else by series."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from radfuse.core.errors import DoesNotFit

if TYPE_CHECKING:
    from radfuse.media.file_systems import FileSystem

_RECORD_BYTES: Final = 1024
"""Of the directory for each record: more than the keys of any profile take with usual texts."""
_CHECKSUM_LINE_BYTES: Final = 128
_PAPERS_BYTES: Final = 256 << 10
"""The directory's head, the texts for people and what they take of the index page for each study."""


class SeriesSize(NamedTuple):
    """The sizes of the files of one series, in bytes; of a study "" an object that belongs to nobody."""

    series_uid: str
    sizes_bytes: tuple[int, ...]


class StudySize(NamedTuple):
    """The series of one study."""

    study_uid: str
    series: tuple[SeriesSize, ...]


@dataclass(slots=True)
class VolumePlan:
    """What goes on one medium: (study UID, series UID) in order, and the bytes that it takes there."""

    size_bytes: int
    series: list[tuple[str, str]] = field(default_factory=list)

    @property
    def studies(self) -> tuple[str, ...]:
        """The studies, or parts of them, on it."""
        return tuple(dict.fromkeys(study for study, _ in self.series))


def plan_volumes(
    studies: Iterable[StudySize], file_system: FileSystem, capacity_bytes: int | None
) -> tuple[VolumePlan, ...]:
    """The volumes that hold ``studies``: each study goes whole on the first one with room for it.

    A study that is larger than a medium is split between series, over media of its own. ``capacity_bytes`` None:
    as much as the file system holds. Raises DoesNotFit for a series that no medium holds.
    """
    limits = [limit for limit in (capacity_bytes, file_system.largest_volume_bytes) if limit is not None]
    planner = _Planner(file_system, min(limits, default=None))
    for study in studies:
        planner.add(study)
    return tuple(planner.volumes)


class _Planner:
    def __init__(self, file_system: FileSystem, capacity_bytes: int | None) -> None:
        self._system = file_system
        self._capacity = capacity_bytes
        self._empty_bytes = file_system.fixed_bytes + file_system.file_bytes(_PAPERS_BYTES)
        self.volumes: list[VolumePlan] = []

    def add(self, study: StudySize) -> None:
        """Place a study whole, or its series one by one when it is larger than a medium."""
        sizes = [self._series_bytes(series) for series in study.series]
        together = self._study_bytes() + sum(sizes)
        if self._fits(self._empty_bytes + together):
            self._place(study.study_uid, study.series, together)
            return
        # Media of its own: what is split is not mixed with other studies.
        own = _Planner(self._system, self._capacity)
        for series, size in self._checked(study, sizes):
            # Each part has records and folders of the patient and the study again.
            own._place(study.study_uid, (series,), size + self._study_bytes())
        self.volumes += own.volumes

    def _checked(self, study: StudySize, sizes: list[int]) -> Iterator[tuple[SeriesSize, int]]:
        for series, size in zip(study.series, sizes, strict=True):
            need = self._empty_bytes + self._study_bytes() + size
            if not self._fits(need):
                what, less = ("series", ", or export parts of the series") if study.study_uid else ("object", "")
                raise DoesNotFit(
                    f"{what} {series.series_uid} needs {need:,} bytes, and a medium holds {self._capacity:,}: "
                    f"choose a larger medium{less}"
                )
            yield series, size

    def _place(self, study_uid: str, series: Iterable[SeriesSize], size_bytes: int) -> None:
        for volume in self.volumes:
            if self._fits(volume.size_bytes + size_bytes):
                break
        else:
            volume = VolumePlan(self._empty_bytes)
            self.volumes.append(volume)
        volume.size_bytes += size_bytes
        volume.series += [(study_uid, each.series_uid) for each in series]

    def _fits(self, size_bytes: int) -> bool:
        return self._capacity is None or size_bytes <= self._capacity

    def _series_bytes(self, series: SeriesSize) -> int:
        """Files, their records and lines in the list of checksums, and the folder."""
        count = len(series.sizes_bytes)
        files = sum(map(self._system.file_bytes, series.sizes_bytes))
        return files + count * (_RECORD_BYTES + _CHECKSUM_LINE_BYTES) + self._folder_bytes()

    def _study_bytes(self) -> int:
        """The folders and records of patient and study."""
        return 2 * self._folder_bytes()

    def _folder_bytes(self) -> int:
        return self._system.folder_overhead_bytes + self._system.file_overhead_bytes + _RECORD_BYTES
