"""What a registration object says, and what one is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydicom.dataset import Dataset

from radfuse.geometry import Chain, FrameOfReference, Grid
from radfuse.objects.common import Code, Reference
from radfuse.volume import Finding

SPATIAL: Final = "1.2.840.10008.5.1.4.1.1.66.1"
DEFORMABLE: Final = "1.2.840.10008.5.1.4.1.1.66.3"


@dataclass(frozen=True, slots=True)
class UsedFiducial:
    """A landmark that a registration was made from: the Spatial Fiducials object it is in, and its Fiducial UID."""

    instance: Reference
    uid: str


@dataclass(frozen=True, eq=False)
class NewRegistration:
    """What is to be written. ``transform`` maps points of the fixed frame of reference to the moving one, in mm.

    With one frame on both sides (two breathing states of one scan) the images must be named: they alone tell
    the sides apart.
    """

    fixed: FrameOfReference
    moving: FrameOfReference
    transform: Chain
    method: Code
    """Of CID 7100: ``radfuse.objects.reg`` has them by name."""
    label: str = "REGISTRATION"
    """Content Label: 1 to 16 of A-Z, 0-9, space and underscore."""
    description: str = ""
    """Content Description, cut at 64 characters."""
    comment: str = ""
    """Frame of Reference Transformation Comment, cut at 64 characters; empty: what the grid lost, if there is one."""
    fixed_images: tuple[Reference, ...] = ()
    moving_images: tuple[Reference, ...] = ()
    fiducials: tuple[UsedFiducial, ...] = ()


@dataclass(frozen=True, eq=False)
class FieldStorage:
    """How finely a deformation is stored."""

    spacing_mm: float = 4.0
    """Largest distance of stored vectors; finer where the loss asks for it, never finer than the field itself."""
    stated_loss_mm: float = 0.3
    """How far any voxel of the field may be off between stored vectors."""
    grid: Grid | None = None
    """Where the deformation is to be stored. None: the grid of the first displacement field of the transform,
    which must then be its first step."""


@dataclass(frozen=True, slots=True)
class FieldLoss:
    """How far the stored deformation is off the full one, at the voxels of the full one, in mm."""

    mean_mm: float
    p95_mm: float
    max_mm: float
    spacing_mm: tuple[float, float, float]
    """Distance of the stored vectors along a row, along a column, from slice to slice."""
    covered: float = 1.0
    """Part of the voxels that the stored grid reaches: below 1 where the transform is undefined at its borders."""

    def __str__(self) -> str:
        """In a few words."""
        spacing = " x ".join(f"{one:.2f}" for one in self.spacing_mm)
        return f"{spacing} mm, off {self.mean_mm:.3f} mean, {self.p95_mm:.3f} p95, {self.max_mm:.3f} max mm"


@dataclass(frozen=True, eq=False)
class DeformableObject:
    """A Deformable Spatial Registration, and what its grid lost."""

    ds: Dataset
    loss: FieldLoss


@dataclass(frozen=True, eq=False)
class Edge:
    """A registration found in an object: from points of the object's fixed frame to those of ``moving``, in mm."""

    moving: FrameOfReference
    transform: Chain
    method: Code | None = None
    matrix_type: str = ""
    """RIGID, RIGID_SCALE, AFFINE, as our own eyes see the matrix; empty for a deformation."""
    comment: str = ""
    images: tuple[Reference, ...] = ()
    """The moving images that are named."""
    item: int = 0
    """Which item of the object's sequence it is, from 1: items that cannot be used are counted too."""
    is_for_images: bool = False
    """Whether it holds for its images alone: ``moving`` is the fixed frame itself, or the object registers it again."""

    @property
    def is_deformable(self) -> bool:
        """Whether it is more than one matrix."""
        return not self.transform.is_affine


@dataclass(frozen=True, eq=False)
class RegistrationObject:
    """A Spatial or Deformable Spatial Registration of any vendor, and what is wrong with it, as findings."""

    sop_class_uid: str
    sop_instance_uid: str
    fixed: FrameOfReference
    edges: tuple[Edge, ...]
    label: str = ""
    description: str = ""
    creator: str = ""
    """Content Creator's Name."""
    date: str = ""
    """Content Date and Time as digits, YYYYMMDDHHMMSS; as much as is said."""
    equipment: tuple[str, ...] = ()
    """Manufacturer, model, software versions, as far as they are said."""
    fixed_images: tuple[Reference, ...] = ()
    """Named for the fixed frame."""
    references: tuple[Reference, ...] = ()
    """Every instance of the Common Instance Reference module, with its series and study."""
    findings: tuple[Finding, ...] = ()
