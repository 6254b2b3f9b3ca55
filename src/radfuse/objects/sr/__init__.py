"""Structured reports (PS3.3 sections A.35 and C.17, PS3.16), built, read and shown."""

from radfuse.objects.sr import codes
from radfuse.objects.sr.as_json import group_json, json_of, measurement_row
from radfuse.objects.sr.build import build_measurement_report
from radfuse.objects.sr.groups import measurements_of
from radfuse.objects.sr.html import html_of
from radfuse.objects.sr.measurements import (
    Algorithm,
    Detail,
    Measurement,
    MeasurementGroup,
    MeasurementReport,
    Quantity,
    Region,
    SegmentReference,
    Site,
)
from radfuse.objects.sr.model import Coordinates, Item, ObjectReference, Report
from radfuse.objects.sr.observing import add_person_observer, add_predecessor
from radfuse.objects.sr.read import read_report
from radfuse.objects.sr.text import text_of
from radfuse.objects.sr.write import container_item, text_item

__all__ = [
    "Algorithm",
    "Coordinates",
    "Detail",
    "Item",
    "Measurement",
    "MeasurementGroup",
    "MeasurementReport",
    "ObjectReference",
    "Quantity",
    "Region",
    "Report",
    "SegmentReference",
    "Site",
    "add_person_observer",
    "add_predecessor",
    "build_measurement_report",
    "codes",
    "container_item",
    "group_json",
    "html_of",
    "json_of",
    "measurement_row",
    "measurements_of",
    "read_report",
    "text_item",
    "text_of",
]
