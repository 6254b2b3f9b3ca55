"""Everything that decides a deformable registration, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from radfuse.core.errors import CannotRegister


class Likeness(StrEnum):
    """How two images are compared."""

    CORRELATION = "ncc"
    """Squared normalized correlation in small windows: within a modality."""
    DESCRIPTORS = "mind"
    """Self-similarity descriptors (MIND-SSC): across modalities."""


class Engine(StrEnum):
    """Who computes the deformation."""

    GAUSS_NEWTON = "gauss-newton"
    """Our own."""
    DEMONS = "demons"
    """SimpleITK's diffeomorphic demons: images of one modality only."""
    BSPLINE = "b-spline"
    """SimpleITK's B-spline with mutual information."""
    GREEDY = "greedy"
    """picsl-greedy, where it is installed."""


@dataclass(frozen=True, slots=True)
class DeformableRecipe:
    """The parameters of a deformable registration; the defaults are those that were measured best.

    Lengths are in voxels of a level, as cubes of the same volume, but where mm are in the name.
    Raises CannotRegister for a recipe that cannot be followed.
    """

    engine: Engine = Engine.GAUSS_NEWTON
    likeness: Likeness | None = None
    """None lets the images decide (docs/registration.md)."""
    spacing_mm: float | None = None
    """Of the grid that is worked on; None takes that of the fixed images, and more where it has too many voxels."""
    most_voxels: int = 8_000_000
    coarseness: tuple[int, ...] = (4, 2, 1)
    """Voxels of that grid along a voxel of each level, coarse to fine."""
    iterations: tuple[int, ...] = (30, 20, 7)
    """The most steps on each level."""
    stiffness: float = 2.25
    """Smoothing of the whole field after every step: the dial between rough and stiff deformations."""
    stiffening: float = 2.5
    """How many times as stiff the field becomes in the end, where that explains the images as well; 1: it does not."""
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
    node_mm: float = 20.0
    """Distance of the control points of a B-spline."""

    def __post_init__(self) -> None:
        """Check what would otherwise fail deep inside."""
        if not self.coarseness or len(self.coarseness) != len(self.iterations):
            raise CannotRegister("a recipe needs as many numbers of steps as levels, one at least")
        if min(self.coarseness) < 1 or min(self.iterations) < 1 or self.most_voxels < 1:
            raise CannotRegister("levels, steps and voxels of a recipe are 1 or more")
        if self.spacing_mm is not None and not self.spacing_mm > 0:
            raise CannotRegister("the spacing of a recipe must be more than 0 mm")
        if min(self.stiffness, self.step_smoothing, self.patch_sigma, self.window_radius) < 0:
            raise CannotRegister("the smoothings and the window of a recipe cannot be less than 0")
        if not self.stiffening >= 1:
            raise CannotRegister("the stiffening of a recipe is 1 or more")
        if min(self.longest_step, self.kappa, self.renew_every, self.node_mm) <= 0:
            raise CannotRegister("steps, kappa and distances of a recipe must be more than 0")

    def damping_for(self, likeness: Likeness) -> float:
        """The damping in use."""
        if self.damping is not None:
            return self.damping
        return 0.05 if likeness is Likeness.CORRELATION else 0.3
