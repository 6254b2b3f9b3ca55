"""Everything that decides a deformable registration, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Likeness(StrEnum):
    """How two images are compared."""

    CORRELATION = "ncc"
    """Squared normalized correlation in small windows: within a modality."""
    DESCRIPTORS = "mind"
    """Self-similarity descriptors (MIND-SSC): across modalities."""


@dataclass(frozen=True, slots=True)
class DeformableRecipe:
    """The parameters of the engine. Lengths are in voxels of the level, as cubes of the same volume.

    The defaults are those that were measured best (docs/registration.md).
    """

    likeness: Likeness = Likeness.CORRELATION
    coarseness: tuple[int, ...] = (4, 2, 1)
    """Voxels of full resolution along a voxel of each level, coarse to fine."""
    iterations: tuple[int, ...] = (30, 20, 10)
    stiffness: float = 1.0
    """Gaussian over the whole field after every step: the dial between rough and stiff deformations."""
    step_smoothing: float = 3.0
    """Gaussian over force and curvature before a step is taken."""
    longest_step: float = 1.0
    damping: float | None = None
    """Share of the mean curvature added to it; None takes 0.05 for correlation, 0.3 for descriptors."""
    window_radius: int = 2
    kappa: float = 1e-4
    """Added to the variances of a window: what counts as flat, of images scaled to 0..1."""
    patch_sigma: float = 0.5
    renew_every: int = 3
    """Steps between two computations of the curvature."""
    least_jacobian: float = 0.1
    """Where a voxel shrinks to less than this share of its volume, the field is smoothed again."""
    least_gain: float = 5e-4
    """A level ends when three steps gained less than this share of the metric."""

    @property
    def damping_share(self) -> float:
        """The damping in use."""
        if self.damping is not None:
            return self.damping
        return 0.05 if self.likeness is Likeness.CORRELATION else 0.3
