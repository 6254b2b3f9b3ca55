"""Spatial and Deformable Spatial Registrations (PS3.3 section A.39)."""

from radfuse.objects.reg.build import build_deformable_registration, build_spatial_registration
from radfuse.objects.reg.methods import CONTENT_BASED, EQUIPMENT, FIDUCIALS, FIDUCIALS_AND_CONTENT, VISUAL
from radfuse.objects.reg.model import (
    DeformableObject,
    Edge,
    FieldLoss,
    FieldStorage,
    NewRegistration,
    RegistrationObject,
    UsedFiducial,
)
from radfuse.objects.reg.read import read_registration

__all__ = [
    "CONTENT_BASED",
    "EQUIPMENT",
    "FIDUCIALS",
    "FIDUCIALS_AND_CONTENT",
    "VISUAL",
    "DeformableObject",
    "Edge",
    "FieldLoss",
    "FieldStorage",
    "NewRegistration",
    "RegistrationObject",
    "UsedFiducial",
    "build_deformable_registration",
    "build_spatial_registration",
    "read_registration",
]
