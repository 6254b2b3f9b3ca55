"""What a person has chosen: studies, series or instances of one database, as the objects that are kept of it now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from radfuse.archive import Archive, InformationModel, Query, StoredObject, queries
from radfuse.core.errors import ConfigurationError, UnknownEntity
from radfuse.core.levels import UNIQUE_KEYS, Level
from radfuse.core.uids import checked_uid
from radfuse.dicom import Element
from radfuse.services.databases import DEFAULT_DATABASE

_UIDS_AT_ONCE: Final = 5000
_TAGS: Final = {level: Element.of(keyword).tag for level, keyword in UNIQUE_KEYS.items()}
_NAMES: Final = {Level.STUDY: "Study", Level.SERIES: "Series", Level.IMAGE: "SOP"}


class SeriesAddress(NamedTuple):
    """A series of a study, by their UIDs."""

    study: str
    series: str


class InstanceAddress(NamedTuple):
    """An instance of a series of a study, by their UIDs."""

    study: str
    series: str
    instance: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Studies, series and instances of one database. Raises ConfigurationError for none, InvalidUID."""

    studies: Sequence[str] = ()
    series: Sequence[SeriesAddress] = ()
    instances: Sequence[InstanceAddress] = ()
    database: str = DEFAULT_DATABASE

    def __post_init__(self) -> None:
        """Check that there is something, and that it is UIDs."""
        if not (self.studies or self.series or self.instances):
            raise ConfigurationError("studies", "nothing is selected: name studies, series or instances")
        for address in self._addresses():
            for level, uid in zip(_NAMES, address, strict=False):
                checked_uid(uid, f"{_NAMES[level]} Instance UID")

    def _addresses(self) -> Iterator[tuple[str, ...]]:
        yield from ((study,) for study in self.studies)
        yield from self.series
        yield from self.instances


def objects_of(archive: Archive, selection: Selection) -> list[StoredObject]:
    """Every object of the selection, once, study by study. Raises UnknownEntity for what is not kept (any more)."""
    found: dict[bytes, StoredObject] = {}
    for study in selection.studies:
        found |= _objects(archive, Level.STUDY, (study,))
    for address in selection.series:
        found |= _objects(archive, Level.SERIES, address)
    by_series: dict[SeriesAddress, dict[str, None]] = defaultdict(dict)
    for study, series, instance in selection.instances:
        by_series[SeriesAddress(study, series)][instance] = None
    for address, uids in by_series.items():
        found |= _instances(archive, address, list(uids))
    return list(found.values())


def studies_of(selection: Selection) -> list[str]:
    """The UIDs of the studies that the selection touches, each once."""
    named = (
        *selection.studies,
        *(each.study for each in selection.series),
        *(each.study for each in selection.instances),
    )
    return list(dict.fromkeys(named))


def _objects(archive: Archive, level: Level, address: Sequence[str]) -> dict[bytes, StoredObject]:
    found = _asked(archive, level, [(uid,) for uid in address])
    if not found:
        raise UnknownEntity(level.name.lower())
    return found


def _instances(archive: Archive, address: SeriesAddress, uids: Sequence[str]) -> dict[bytes, StoredObject]:
    found: dict[bytes, StoredObject] = {}
    for begin in range(0, len(uids), _UIDS_AT_ONCE):
        found |= _asked(
            archive, Level.IMAGE, [(address.study,), (address.series,), uids[begin : begin + _UIDS_AT_ONCE]]
        )
    if len(found) < len(uids):
        raise UnknownEntity("instance")
    return found


def _asked(archive: Archive, level: Level, values: Sequence[Sequence[str]]) -> dict[bytes, StoredObject]:
    """What is kept at an address: the values of the unique key of each level from the study down to ``level``."""
    keys = tuple(queries.QueryKey(_TAGS[at], "UI", tuple(each)) for at, each in zip(_NAMES, values, strict=False))
    query = Query(InformationModel.STUDY_ROOT, level, keys)
    with archive.reading() as connection:
        return {stored.blob_id: stored for stored in queries.instances(connection, query)}
