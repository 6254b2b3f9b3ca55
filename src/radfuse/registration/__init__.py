"""Registrations: rigid, deformable, by landmarks; judged."""

from radfuse.registration import deform, landmarks, manual, quality, rigid
from radfuse.registration.deform_grid import Focus
from radfuse.registration.deformable.recipe import DeformableRecipe, Engine, Likeness
from radfuse.registration.metric_steps import MetricStep
from radfuse.registration.model import Method, Registration
from radfuse.registration.rigid_recipe import Kind, RigidRecipe, RigidResult

__all__ = [
    "DeformableRecipe",
    "Engine",
    "Focus",
    "Kind",
    "Likeness",
    "Method",
    "MetricStep",
    "Registration",
    "RigidRecipe",
    "RigidResult",
    "deform",
    "landmarks",
    "manual",
    "quality",
    "rigid",
]
