"""What a registration is, whoever made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from radfuse.geometry import Chain, FrameOfReference


class Method(StrEnum):
    """How a registration came about; the value is what people read."""

    LANDMARKS = "landmarks"
    MANUAL = "manual"
    RIGID = "automatic rigid"
    AFFINE = "automatic affine"
    DEFORMABLE = "automatic deformable"


@dataclass(frozen=True, eq=False)
class Registration:
    """A transform from points of the fixed frame of reference to points of the moving one.

    That is the direction in which images are resampled: for a voxel of the fixed grid it says where to
    look in the moving images. A Spatial Registration object holds the inverse (PS3.3 section C.20.2).
    """

    fixed: FrameOfReference
    moving: FrameOfReference
    transform: Chain
    method: Method
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Every parameter of the recipe, by name, as text."""
    fell_back: str = ""
    """Why a deformable registration was given up for its rigid start, as a sentence; empty when it was not."""
