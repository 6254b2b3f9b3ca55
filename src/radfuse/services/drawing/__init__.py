"""Regions drawn on series: made by rules, carried between frames of reference, measured."""

from radfuse.roi.boxes import Drawn
from radfuse.services.drawing import rules, runs
from radfuse.services.drawing.asking import MadeRegion, RegionAsk, make_region
from radfuse.services.drawing.burden import Burden, BurdenAsk, tumour_burden
from radfuse.services.drawing.doses import DoseAsk, RegionDose, doses_in
from radfuse.services.drawing.numbers import Numbers
from radfuse.services.drawing.objects import structures_of

__all__ = [
    "Burden",
    "BurdenAsk",
    "DoseAsk",
    "Drawn",
    "MadeRegion",
    "Numbers",
    "RegionAsk",
    "RegionDose",
    "doses_in",
    "make_region",
    "rules",
    "runs",
    "structures_of",
    "tumour_burden",
]
