"""RT Structure Sets: regions as contours (PS3.3 section A.19)."""

from radfuse.objects.rtstruct.build import build_structure_set
from radfuse.objects.rtstruct.model import OtherContour, Roi, StructureSet
from radfuse.objects.rtstruct.read import read_structures

__all__ = ["OtherContour", "Roi", "StructureSet", "build_structure_set", "read_structures"]
