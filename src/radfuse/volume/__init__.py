"""Series as volumes whose geometry and units can be trusted."""

from radfuse.volume import cache, image_files, resample, suv
from radfuse.volume.lattice import Repair
from radfuse.volume.model import Finding, FindingKind, Source, Unit, Volume
from radfuse.volume.pixel_scale import PixelScale, scale_of
from radfuse.volume.reading import read_stack
from radfuse.volume.stacks import Stack, stacks_of

__all__ = [
    "Finding",
    "FindingKind",
    "PixelScale",
    "Repair",
    "Source",
    "Stack",
    "Unit",
    "Volume",
    "cache",
    "image_files",
    "read_stack",
    "resample",
    "scale_of",
    "stacks_of",
    "suv",
]
