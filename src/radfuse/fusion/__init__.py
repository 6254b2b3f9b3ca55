"""Fusion: what a viewer shows of volumes, as pictures that know where they lie."""

from radfuse.fusion.colours import ColourMap, Colours, colours
from radfuse.fusion.mixing import Window, blended, checkerboard, difference, rendered
from radfuse.fusion.planes import Plane, Projection, Slab, project, reslice
from radfuse.fusion.rotating import RotatingProjection, rotating_mip

__all__ = [
    "ColourMap",
    "Colours",
    "Plane",
    "Projection",
    "RotatingProjection",
    "Slab",
    "Window",
    "blended",
    "checkerboard",
    "colours",
    "difference",
    "project",
    "rendered",
    "reslice",
    "rotating_mip",
]
