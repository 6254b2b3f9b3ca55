"""Regions of volumes: drawn, combined, measured."""

from radfuse.roi import (
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
