"""A new object of the patient and study of a source image."""

from __future__ import annotations

from typing import Final

from pydicom.dataset import Dataset

from radfuse import __version__
from radfuse.core.errors import InvalidUID, UnreadableObject
from radfuse.core.uids import checked_uid
from radfuse.objects.common.copying import copied_attributes, offset_minutes
from radfuse.objects.common.making import Making, NewSeries
from radfuse.objects.common.reading import Item

CHARACTER_SET: Final = "ISO_IR 192"
"""Unicode in UTF-8 (PS3.3 table C.12-5): every text of every source can be written in it."""

_SERIES_NUMBER_OFFSET: Final = 9000
_MOST_CHARACTERS: Final = 64
"""Length of a Long String."""


def new_object(sop_class_uid: str, modality: str, source: Dataset, *, series: NewSeries, making: Making) -> Dataset:
    """An instance with the modules that every object of ours has, to be filled by its room.

    Patient, Clinical Trial Subject, General Study and Patient Study modules are the source's; General
    Series, (Enhanced) General Equipment and SOP Common are new (PS3.3 sections C.7.1 to C.7.3, C.7.5,
    C.12.1); Content Date and Time are the time of making. Text is written in UTF-8 whatever the source's
    character set was; a date, time or number of the source that is none is not repeated.

    Raises UnreadableObject for a source without a Study Instance UID.
    """
    ds = Dataset()
    ds.SpecificCharacterSet = CHARACTER_SET
    try:
        study_uid = checked_uid(Item(source).text("StudyInstanceUID"), "Study Instance UID")
    except InvalidUID as error:
        raise UnreadableObject("the source image does not say which study it belongs to") from error
    for element in copied_attributes(source):
        ds.add(element)
    ds.StudyInstanceUID = study_uid
    _add_times(ds, source, making)
    ds.SOPClassUID = sop_class_uid
    ds.SOPInstanceUID = making.uids()
    ds.InstanceNumber = series.instance_number
    _add_series(ds, modality, source, series, making)
    add_equipment(ds, making)
    return ds


def add_equipment(ds: Dataset, making: Making) -> None:
    """The Enhanced General Equipment module (PS3.3 section C.7.5.2), complete also where it is not asked for."""
    ds.Manufacturer = "Radfuse"
    ds.ManufacturerModelName = "Radfuse"
    ds.DeviceSerialNumber = making.serial_number
    ds.SoftwareVersions = __version__


def _add_times(ds: Dataset, source: Dataset, making: Making) -> None:
    # Timezone Offset From UTC holds for every date in the object, also for the study's, which are the source's.
    when, offset = making.when, offset_minutes(source)
    if offset is not None:
        from datetime import timedelta, timezone

        when = when.astimezone(timezone(timedelta(minutes=offset)))
        ds.TimezoneOffsetFromUTC = when.strftime("%z")
    date, time = when.strftime("%Y%m%d"), when.strftime("%H%M%S.%f")
    for name in ("InstanceCreation", "Series", "Content"):
        setattr(ds, f"{name}Date", date)
        setattr(ds, f"{name}Time", time)


def _add_series(ds: Dataset, modality: str, source: Dataset, series: NewSeries, making: Making) -> None:
    ds.Modality = modality
    ds.SeriesInstanceUID = series.uid or making.uids()
    ds.SeriesNumber = series.number if series.number is not None else _SERIES_NUMBER_OFFSET + _number_of(source)
    ds.SeriesDescription = series.description[:_MOST_CHARACTERS]
    if making.operator:
        ds.OperatorsName = making.operator


def _number_of(source: Dataset) -> int:
    return max(Item(source).whole("SeriesNumber") or 0, 0) % 1000
