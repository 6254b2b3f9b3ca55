"""Where things are: grids, frames of reference, transforms and their chains, displacement fields, masks, contours."""

from radfuse.geometry import sampling
from radfuse.geometry.affine import Affine, Points
from radfuse.geometry.chain import Chain, InverseField
from radfuse.geometry.contours import Contour, Structure
from radfuse.geometry.field import DisplacementField
from radfuse.geometry.frame import FrameOfReference
from radfuse.geometry.grid import Grid
from radfuse.geometry.mask import Mask

__all__ = [
    "Affine",
    "Chain",
    "Contour",
    "DisplacementField",
    "FrameOfReference",
    "Grid",
    "InverseField",
    "Mask",
    "Points",
    "Structure",
    "sampling",
]
