"""Numbers of regions: volumes and regions are joined, and everything that led to a number is in the result."""

from radfuse.services.measure.asking import Exclude, Image, Limit, MeasureAsk
from radfuse.services.measure.dose_words import dose_metric
from radfuse.services.measure.measuring import measure
from radfuse.services.measure.regions import DrawnSphere, Everywhere, FromMaskFile, FromObject, RegionAsk
from radfuse.services.measure.report import report_objects
from radfuse.services.measure.results import DoseNumbers, ImageNumbers, Measured

__all__ = [
    "DoseNumbers",
    "DrawnSphere",
    "Everywhere",
    "Exclude",
    "FromMaskFile",
    "FromObject",
    "Image",
    "ImageNumbers",
    "Limit",
    "MeasureAsk",
    "Measured",
    "RegionAsk",
    "dose_metric",
    "measure",
    "report_objects",
]
