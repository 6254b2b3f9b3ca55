"""The change tables of a study, read from the reports that follow-ups keep."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from radfuse.archive import Archive, queries
from radfuse.core.errors import InvalidRegion, UnreadableObject
from radfuse.objects.common import Code
from radfuse.objects.sr import Measurement, MeasurementGroup, Quantity, measurements_of, read_report
from radfuse.services.followup import codes, model
from radfuse.services.followup.report import TITLE
from radfuse.services.stored_objects import proved_file
from radfuse.services.volumes import objects_of_series
from radfuse.volume import Unit


@dataclass(frozen=True, slots=True)
class KeptChange:
    """One quantity of a lesion; None where it cannot be said."""

    quantity: str
    unit: str
    prior: float | None
    current: float | None
    percent: float | None


@dataclass(frozen=True, slots=True)
class KeptLesion:
    """A lesion at both time points."""

    name: str
    status: str
    changes: tuple[KeptChange, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptTable:
    """What a follow-up found."""

    sop_instance_uid: str
    time_points: tuple[str, str]
    """The prior's and the current one, as in the report: a word and the date."""
    registration: str
    """How the time points are registered, or why nothing was carried."""
    lesions: tuple[KeptLesion, ...]
    totals: tuple[KeptChange, ...]
    findings: tuple[str, ...]


def kept_tables(archive: Archive, study_uid: str) -> tuple[KeptTable, ...]:
    """The change tables of a study, the one that came last first. Raises UnknownEntity and BlobDamaged."""
    with archive.reading() as connection:
        series = [
            place.series_instance_uid
            for place in queries.study_places(connection, study_uid)
            if place.modality == "SR" and place.description == TITLE
        ]
    tables = []
    for stored in (each for uid in series for each in objects_of_series(archive, uid)):
        try:
            groups = measurements_of(read_report(proved_file(archive, stored)))
        except UnreadableObject:
            continue
        # Of somebody else, under the same title.
        if any(group.time_point == "Change" for group in groups):
            tables.append(table_of(stored.sop_instance_uid, groups))
    return tuple(reversed(tables))


def table_of(uid: str, groups: tuple[MeasurementGroup, ...]) -> KeptTable:
    """The table of a report of ours, whose groups these are."""
    *lesions, of_all = (group for group in groups if group.time_point == "Change")
    points = [
        next((group.time_point for group in groups if group.time_point.startswith(word)), word)
        for word in ("Prior", "Current")
    ]
    return KeptTable(
        uid,
        (points[0], points[1]),
        next(iter(_texts(of_all, codes.REGISTERED)), ""),
        tuple(_lesion(each, groups) for each in lesions),
        _changes((of_all,)),
        (*_texts(of_all, codes.FINDING), *_texts(of_all, codes.NOTE)),
    )


def _lesion(change: MeasurementGroup, groups: tuple[MeasurementGroup, ...]) -> KeptLesion:
    own = tuple(each for each in groups if each.tracking_uid == change.tracking_uid)
    status = next((each.value for each in change.evaluations if each.name == codes.STATUS), "")
    notes = [note for group in own for note in _texts(group, codes.NOTE)]
    words = status.meaning if isinstance(status, Code) else ""
    return KeptLesion(change.tracking_id, words, _changes(own), tuple(dict.fromkeys(notes)))


def _texts(group: MeasurementGroup, name: Code) -> list[str]:
    return [each.value for each in group.evaluations if each.name == name and isinstance(each.value, str)]


def _changes(groups: tuple[MeasurementGroup, ...]) -> tuple[KeptChange, ...]:
    """By quantity, from the groups of one lesion: the numbers of both time points, and what changed."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for group in groups:
        for each in group.measurements:
            what = _quantities().get((each.name.value, _statistic(each)))
            if what is None or each.value is None:
                continue
            values = found.setdefault(what, {})
            values |= _values(each)
            if group.time_point != "Change":
                values.setdefault(group.time_point.partition(" ")[0].lower(), each.value)
    return tuple(
        KeptChange(name, unit, values.get("prior"), values.get("current"), values.get("percent"))
        for (name, unit), values in found.items()
    )


def _values(measurement: Measurement) -> dict[str, float]:
    """What the measurement of a change says of both time points; nothing for any other."""
    if measurement.derivation not in (codes.DIFFERENCE, codes.PERCENT_CHANGE):
        return {}
    said = {each.name: each.value.value for each in measurement.details if isinstance(each.value, Quantity)}
    names = {"prior": codes.PRIOR_VALUE, "current": codes.CURRENT_VALUE}
    values = {name: said[code] for name, code in names.items() if code in said}
    if measurement.derivation == codes.PERCENT_CHANGE and measurement.value is not None:
        values["percent"] = measurement.value
    return values


def _statistic(measurement: Measurement) -> str:
    """Its derivation by code: of a change that which changed; "" for none."""
    if measurement.derivation in (codes.DIFFERENCE, codes.PERCENT_CHANGE):
        of = next((each.value for each in measurement.details if each.name == codes.CHANGE_OF), None)
        return of.value if isinstance(of, Code) else ""
    return measurement.derivation.value if measurement.derivation is not None else ""


@cache
def _quantities() -> dict[tuple[str, str], tuple[str, str]]:
    """Heading and unit by the codes of name and statistic."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for unit in Unit:
        for quantity in model.Quantity:
            try:
                name, _, statistic = codes.measured(quantity, unit)
            except InvalidRegion:
                continue
            # Its code is the same whatever SUV it is of.
            is_tlg = quantity is model.Quantity.TLG
            heading = quantity.value, "g" if is_tlg else model.unit_of(quantity, unit.value)
            found.setdefault((name.value, statistic.value if statistic is not None else ""), heading)
    return found
