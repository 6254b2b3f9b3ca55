"""Where things are: grids, frames of reference, affine transforms, displacement fields, masks, contours."""

from radfuse.geometry.affine import Affine, Points
from radfuse.geometry.contours import Contour, Structure
from radfuse.geometry.field import DisplacementField
from radfuse.geometry.frame import FrameOfReference
from radfuse.geometry.grid import Grid
from radfuse.geometry.mask import Mask

__all__ = ["Affine", "Contour", "DisplacementField", "FrameOfReference", "Grid", "Mask", "Points", "Structure"]
