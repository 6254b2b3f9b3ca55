"""What a deformable engine is given, and what it gives back: arrays on one right-angled grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import CannotRegister

Image = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
Progress = Callable[[float], None]
"""Is told the share that is done, and may raise to stop."""

_PERCENTILES: Final = (0.5, 99.5)


@dataclass(frozen=True, eq=False)
class Pair:
    """Two images on one grid, with what of them counts (0..1; None: everything).

    Raises CannotRegister for other shapes, numbers that are not finite, and images that show nothing.
    """

    fixed: Image
    moving: Image
    spacing_mm: npt.NDArray[np.float64]
    """Along columns, rows, slices."""
    fixed_weight: Image | None = None
    moving_weight: Image | None = None
    focus: Image | None = None
    """What is looked at in the fixed images; unlike what does not count, the rest is known."""
    described: dict[float, tuple[Bytes, Bytes]] = field(default_factory=dict)
    """Descriptors of both images by the size of their patches, once an engine has made them."""

    def __post_init__(self) -> None:
        """Check the images."""
        others = (self.moving, self.fixed_weight, self.moving_weight, self.focus)
        if self.fixed.ndim != 3 or any(each is not None and each.shape != self.fixed.shape for each in others):
            raise CannotRegister("the images to deform do not lie on one grid")
        for name, image in (("fixed", self.fixed), ("moving", self.moving)):
            if not np.isfinite(image).all():
                raise CannotRegister(f"the {name} images have voxels that are no finite numbers")

    def counting(self) -> Image | None:
        """How much each voxel counts of both together; None: all of them."""
        return product(self.fixed_weight, self.moving_weight, self.focus)

    def reversed(self) -> Pair:
        """The other way: where to look stays, and so does what was made of either image."""
        described = {patch: (moving, fixed) for patch, (fixed, moving) in self.described.items()}
        weights = (self.moving_weight, self.fixed_weight, self.focus)
        other = Pair(self.moving, self.fixed, self.spacing_mm, *weights, described)
        other.__dict__["scaled"] = self.scaled[::-1]
        return other

    @cached_property
    def scaled(self) -> tuple[Image, Image]:
        """Both images between the percentiles of what counts of them, as 0..1. Raises CannotRegister for flat ones."""
        return (
            _scaled("fixed", self.fixed, product(self.fixed_weight, self.focus)),
            _scaled("moving", self.moving, product(self.moving_weight, self.focus)),
        )


@dataclass(frozen=True, eq=False)
class Deformation:
    """A field on the grid of the pair, in mm along its columns, rows and slices (3 x slices x rows x columns)."""

    field_mm: Image
    metric_before: float
    metric_after: float
    """Of the engine: larger is better. Both are those of the finest level."""
    steps: tuple[int, ...]
    """Steps taken on each level."""
    coarser_mm: Image | None = None
    """The field as it was on the last level but one."""


def product(*weights: Image | None) -> Image | None:
    """Of those that are given; nothing of nothing."""
    whole: Image | None = None
    for weight in weights:
        if weight is not None:
            whole = weight if whole is None else whole * weight
    return whole


def _scaled(name: str, image: Image, weight: Image | None) -> Image:
    values = image if weight is None else image[weight > 0]
    low, high = np.percentile(values, _PERCENTILES) if values.size else (0.0, 0.0)
    if high <= low:
        raise CannotRegister(f"the {name} images show nothing where they are to be compared: all voxels are the same")
    out: Image = np.clip((image - np.float32(low)) / np.float32(high - low), 0, 1).astype(np.float32)
    return out
