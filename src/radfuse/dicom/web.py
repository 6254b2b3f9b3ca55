"""What the web needs of data sets: the DICOM JSON model (PS3.18), where frames lie, and lines for people."""

from radfuse.dicom.attribute_lines import AttributeLine, attribute_lines
from radfuse.dicom.frames import FrameMap, Image, Span, frame_map, image_of
from radfuse.dicom.json_model import (
    BULK_MARK,
    Extent,
    HeaderIncomplete,
    HeaderJson,
    element_json,
    header_json,
)
from radfuse.dicom.json_reader import JsonDataSet, data_set_of_json
from radfuse.dicom.readable import uid_name

__all__ = [
    "BULK_MARK",
    "AttributeLine",
    "Extent",
    "FrameMap",
    "HeaderIncomplete",
    "HeaderJson",
    "Image",
    "JsonDataSet",
    "Span",
    "attribute_lines",
    "data_set_of_json",
    "element_json",
    "frame_map",
    "header_json",
    "image_of",
    "uid_name",
]
