"""What the web services of PS3.18 need of data sets: the DICOM JSON model, and where frames lie."""

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

__all__ = [
    "BULK_MARK",
    "Extent",
    "FrameMap",
    "HeaderIncomplete",
    "HeaderJson",
    "Image",
    "JsonDataSet",
    "Span",
    "data_set_of_json",
    "element_json",
    "frame_map",
    "header_json",
    "image_of",
]
