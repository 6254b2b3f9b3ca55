"""Regions of volumes: drawn, combined, measured."""

from radfuse.roi import (
    boxes,
    brushes,
    combining,
    dose,
    drawing,
    filling,
    growing,
    lengths,
    margins,
    metabolic,
    peak,
    sampling,
    statistics,
    tracing,
    tumour,
)

__all__ = [
    "boxes",
    "brushes",
    "combining",
    "dose",
    "drawing",
    "filling",
    "growing",
    "lengths",
    "margins",
    "metabolic",
    "peak",
    "sampling",
    "statistics",
    "tracing",
    "tumour",
]
