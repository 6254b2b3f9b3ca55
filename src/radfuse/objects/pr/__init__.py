"""Presentation states (PS3.3 section A.33): grayscale, pseudo-colour and blending, built and read."""

from radfuse.objects.pr.build import Blend, Naming, View, build_blending, build_presentation
from radfuse.objects.pr.model import (
    Area,
    Drawing,
    Layer,
    Palette,
    PresentationState,
    Rescale,
    StateKind,
    Window,
)
from radfuse.objects.pr.palettes import HOT_BLUE, HOT_IRON, INVERTED_GRAY, PALETTES, RAINBOW
from radfuse.objects.pr.read import read_presentation

__all__ = [
    "HOT_BLUE",
    "HOT_IRON",
    "INVERTED_GRAY",
    "PALETTES",
    "RAINBOW",
    "Area",
    "Blend",
    "Drawing",
    "Layer",
    "Naming",
    "Palette",
    "PresentationState",
    "Rescale",
    "StateKind",
    "View",
    "Window",
    "build_blending",
    "build_presentation",
    "read_presentation",
]
